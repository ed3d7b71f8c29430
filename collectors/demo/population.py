"""Where everything stands when the play begins: which machines there are, and which replica is on which."""

from __future__ import annotations

import hashlib
import heapq
import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from . import setups
from .agenda import Agenda
from .catalogue import COUNTRIES, DB, EDGE, OPS, ORDER, PARTS, SWARM, WEB, Part, abroad
from .machine import Machine
from .things import Blueprint, Fate, Image, MountPoint, PortMap, dice
from .wording import stamp

DAY = 86_400.0
RELEASES = (("27.5.1", "1.47"), ("27.5.1", "1.47"), ("28.3.3", "1.51"), ("26.1.4", "1.45"), ("25.0.5", "1.44"),
            ("27.5.1", "1.47"), ("24.0.9", "1.43"))  # fmt: skip
"""Engine versions in a fleet that grew: most are current, some are late."""
FIRST_ROLES = (WEB, WEB, DB, EDGE, WEB, SWARM, SWARM, SWARM, DB, EDGE, WEB, OPS)
"""The first twelve machines; of more, most stand at the web and the edge."""
MORE_ROLES = (WEB, EDGE, WEB, DB, EDGE, WEB, EDGE, SWARM, WEB, EDGE)
MOST_SWARM_NODES = 5
LEAST_FOR_SWARM = 8
"""Machines from which on some of them are a swarm."""
AGENTS_FROM = 6
"""Containers a machine from which on every machine has the agents that watch it."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One replica on one machine."""

    part: Part
    number: int
    machine: Machine


def machines(count: int, *, agenda: Agenda, chance: random.Random) -> tuple[Machine, ...]:
    """So many machines, named and grouped by what they are for."""
    made: list[Machine] = []
    numbers: Counter[str] = Counter()
    for role in itertools.islice(_roles(count), count):
        numbers[role] += 1
        name = f"{role}-{numbers[role]}"
        release = RELEASES[len(made) % len(RELEASES)]
        size = {DB: 16, OPS: 8, EDGE: 4}.get(role, 8)
        group = {OPS: "ops", SWARM: "swarm"}.get(role, "prod")
        made.append(
            Machine(name, group=group, release=release, agenda=agenda, chance=dice((name, chance.random())), size=size)
        )
    return tuple(made)


def _roles(count: int) -> Iterator[str]:
    swarm = 3 if count < 40 else MOST_SWARM_NODES
    for role in itertools.chain(FIRST_ROLES, itertools.cycle(MORE_ROLES)):
        swarm -= role == SWARM
        yield WEB if role == SWARM and (count < LEAST_FOR_SWARM or swarm < 0) else role


def role_of(machine: Machine) -> str:
    """What a machine is for."""
    return machine.name.partition("-")[0]


def parts_for(containers: int, machines_of: Sequence[Machine]) -> list[tuple[Part, int]]:
    """Which services there are, and how many replicas each, so that it comes to so many containers."""
    counts = Counter(role_of(machine) for machine in machines_of)
    wanted: list[tuple[Part, int]] = []
    left = containers
    for country in ("", *COUNTRIES, *(f"{c}{n}" for n in range(2, 99) for c in COUNTRIES)):
        for part in _ordered(containers, len(machines_of), home=not country):
            if part.in_swarm and not counts[SWARM]:
                continue
            replicas = part.replicas or (counts[part.role] if part.role else len(machines_of))
            replicas = min(replicas, left)
            if replicas <= 0:
                continue
            wanted.append((abroad(part, country) if country else part, replicas))
            left -= replicas
        if left <= containers - left:
            return _grown(wanted, left)
    return _grown(wanted, left)


def _ordered(containers: int, engines: int, *, home: bool) -> list[Part]:
    crowded = containers >= engines * AGENTS_FROM
    parts = [p for p in PARTS if (home or (p.replicas and p.role in (WEB, DB))) and (crowded or p.role)]
    return sorted(parts, key=lambda p: ORDER.index(p.stack))


def _grown(wanted: list[tuple[Part, int]], left: int) -> list[tuple[Part, int]]:
    """More replicas for those that are under load, until the number is right."""
    growing = [i for i, (part, _) in enumerate(wanted) if part.weight] or list(range(len(wanted)))
    more: Counter[int] = Counter()
    heap = [(1 / max(wanted[i][0].weight, 1), i) for i in growing]
    heapq.heapify(heap)
    for _ in range(left):
        turn, index = heapq.heappop(heap)
        more[index] += 1
        heapq.heappush(heap, (turn + 1 / max(wanted[index][0].weight, 1), index))
    return [(part, replicas + more[i]) for i, (part, replicas) in enumerate(wanted)]


def seats(wanted: Sequence[tuple[Part, int]], fleet: Sequence[Machine]) -> Iterator[Seat]:
    """A machine for every replica: of its role, and the emptiest one of those."""
    by_role: defaultdict[str, list[tuple[int, int, Machine]]] = defaultdict(list)
    for number, machine in enumerate(fleet):
        for role in ("", role_of(machine)):
            by_role[role].append((0, number, machine))
    for part, replicas in wanted:
        places = by_role[part.role] if by_role.get(part.role) else by_role[""]
        taken: list[tuple[int, int, Machine]] = []
        for number in range(1, replicas + 1):
            if not places:
                places += taken
                heapq.heapify(places)
                taken = []
            load, order, machine = heapq.heappop(places)
            taken.append((load + 1, order, machine))
            yield Seat(part, number, machine)
        places += taken
        heapq.heapify(places)


class Shelf:
    """The images of the fleet, each made once. What an image is follows from its name, so a clone finds the same."""

    def __init__(self, now: float) -> None:
        self.began = now
        """From when the ages of images are counted."""
        self._images: dict[str, Image] = {}
        self.parts: dict[str, Part] = {}
        """By repository: how the containers of an image behave."""

    def image(self, ref: str, *, own: bool = False, variant: str = "", age: float | None = None) -> Image:
        """The image with this name:tag; another `variant` is another build under the same tag."""
        key = f"{ref}#{variant}"
        if key not in self._images:
            self._images[key] = self._make(ref, key, own, age)
        return self._images[key]

    def _make(self, ref: str, key: str, own: bool, age: float | None) -> Image:
        repository, _, tag = ref.rpartition(":")
        chance = dice(key)
        created = self.began - (chance.uniform(2, 90) * DAY if age is None else age)
        labels = _provenance(repository, tag, created, chance) if own else {}
        return Image(
            id=f"sha256:{hashlib.sha256(key.encode()).hexdigest()}",
            repository=repository,
            tag=tag,
            digest=f"sha256:{hashlib.sha256(key.encode() + b'manifest').hexdigest()}",
            created=created,
            size=chance.randrange(24 << 20, 420 << 20),
            labels=labels,
            env=("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",),
            entrypoint=("/app/entrypoint",) if own else ("docker-entrypoint.sh",),
            cmd=("serve",) if own else (),
            layers=chance.randrange(4, 12),
        )


def _provenance(repository: str, tag: str, created: float, chance: random.Random) -> dict[str, str]:
    return {
        "org.opencontainers.image.created": stamp(created)[:19] + "Z",
        "org.opencontainers.image.revision": f"{chance.getrandbits(160):040x}",
        "org.opencontainers.image.source": f"https://git.example.org/{repository.replace('-', '/', 1)}",
        "org.opencontainers.image.version": tag,
    }


def compose_plan(part: Part, number: int, image: Image) -> Blueprint:
    """What compose would make this replica from."""
    stack, name = part.stack, part.name
    labels = {
        "com.docker.compose.config-hash": _config_hash(stack, name, image, ""),
        "com.docker.compose.container-number": str(number),
        "com.docker.compose.depends_on": ",".join(f"{need}:service_started:false" for need in part.needs),
        "com.docker.compose.image": image.id,
        "com.docker.compose.oneoff": "False",
        "com.docker.compose.project": stack,
        "com.docker.compose.project.config_files": f"/srv/deploy/{stack}/compose.yaml",
        "com.docker.compose.project.working_dir": f"/srv/deploy/{stack}",
        "com.docker.compose.service": name,
        "com.docker.compose.version": "2.29.2",
    }
    return replace(
        bare_plan(part, image),
        name=f"{stack}-{name}-{number}",
        labels=labels,
        networks=(f"{stack}_default",),
        aliases=(f"{stack}-{name}-{number}", name),
    )


def renewed(plan: Blueprint, image: Image, *, config: str, fate: Fate | None) -> Blueprint:
    """What compose would make the same replica from after a change. `config` names the version of its file."""
    labels = dict(plan.labels)
    stack, name = labels["com.docker.compose.project"], labels["com.docker.compose.service"]
    labels["com.docker.compose.config-hash"] = _config_hash(stack, name, image, config)
    labels["com.docker.compose.image"] = image.id
    return replace(plan, image=image, ref=image.ref, labels=labels, fate=fate)


def _config_hash(stack: str, name: str, image: Image, config: str) -> str:
    return hashlib.sha256(f"{stack}/{name}/{image.ref}/{config}".encode()).hexdigest()


def bare_plan(part: Part, image: Image) -> Blueprint:
    """A container of this service, without anything of compose or swarm about it."""
    ports = (PortMap(part.port, part.publish or None),) if part.port else ()
    mounts: tuple[MountPoint, ...] = (MountPoint(f"{part.stack}_{part.name}-data", part.volume),) if part.volume else ()
    if part.stack == "agents":
        mounts += (MountPoint("/var/run/docker.sock", "/var/run/docker.sock", "bind", read_write=False),)
    return Blueprint(
        name=part.name,
        image=image,
        ref=image.ref,
        nature=part.nature,
        entrypoint=image.entrypoint,
        cmd=part.cmd or image.cmd,
        env=(*part.env, *image.env),
        policy="unless-stopped" if part.own else "always",
        ports=ports,
        mounts=mounts,
        check=part.check,
        memory=part.memory or setups.memory(image.repository, part.nature.memory),
    )


def former_tag(tag: str) -> str:
    """The version before, whose image still lies about; empty: there was none."""
    head, dot, last = tag.rpartition(".")
    return f"{head}{dot}{int(last) - 1}" if last.isdigit() and int(last) > 0 else ""


def with_free_ports(plan: Blueprint, published: set[int], machine: Machine) -> Blueprint:
    """The plan with ports that are free on this machine: a second replica gets one that the engine chooses."""
    ports: list[PortMap] = []
    for port in plan.ports:
        public = port.public
        while public is not None and public in published:
            public = machine.chance.randrange(32_768, 60_999)
        if public is not None:
            published.add(public)
        ports.append(replace(port, public=public))
    return replace(plan, ports=tuple(ports))
