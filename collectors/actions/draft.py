"""A plan while it is put together, and what its targets come to: the containers chosen, and those left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from ..model import Container, ContainerKey, ContainerState, Service, ServiceKey
from . import phrases
from .picture import Picture, canonical, unreachable
from .steps import Pace, Step

Target = ServiceKey | ContainerKey
"""What a person points at."""

_GONE = (ContainerState.REMOVING, ContainerState.DEAD)


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """The containers of one service (or a lone one) that a request is about."""

    title: str
    service: Service | None
    whole: bool
    """The service was pointed at, not some of its containers."""
    containers: tuple[Container, ...]
    """Those that can be reached."""
    members: tuple[Container, ...]
    """All of the service's, reachable or not."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """The engines of what was chosen."""
        return tuple(dict.fromkeys(c.engine for c in self.containers))

    @property
    def lone(self) -> bool:
        """A container that is nobody's replica."""
        return self.service is None or self.service.key.source == "container"


class Draft:
    """Collects what the parts of a plan say."""

    def __init__(self, fleet: Picture, pace: Pace) -> None:
        self.fleet = fleet
        self.pace = pace
        self.steps: list[Step] = []
        self.sentences: list[str] = []
        self.blockers: list[str] = []
        self.warnings: list[str] = []
        self.hosts: list[str] = []
        self.lanes = 0
        self.removes = False
        self.downs: list[str] = []
        """Services of which nothing keeps serving."""
        self.widths: dict[int, int] = {}
        self.lasts: dict[int, float] = {}
        """Seconds that a lane takes, about."""

    def lane(self) -> int:
        """The number of a new lane."""
        self.lanes += 1
        return self.lanes - 1

    def say(self, *sentences: str) -> None:
        """Add to the effect in words."""
        self.sentences += [phrases.sentence(text) for text in sentences if text]

    def block(self, text: str) -> None:
        """Say why a part cannot be done."""
        self.blockers.append(phrases.sentence(text))

    def warn(self, *texts: str) -> None:
        """Say what a person should know before."""
        self.warnings += [phrases.sentence(text) for text in texts if text]

    def touches(self, hosts: Iterable[str]) -> None:
        """Hosts on which something changes."""
        self.hosts = list(dict.fromkeys([*self.hosts, *hosts]))


def choose(targets: Sequence[Target], draft: Draft) -> list[Chosen]:
    """What was pointed at, by service; each container once; what is gone or out of reach is said in the draft."""
    fleet = draft.fleet
    services: list[ServiceKey] = []
    marked: dict[ServiceKey | ContainerKey, list[ContainerKey]] = {}
    for target in dict.fromkeys(targets):
        if isinstance(target, ServiceKey):
            if target in fleet.services:
                services.append(target)
            else:
                draft.block(f"there is no service {target.name} any more")
            continue
        key = canonical(fleet, target)
        if key not in fleet.containers:
            draft.block(f"the container {target.id[:12]} on {target.engine} is gone")
            continue
        service = fleet.service_of(key)
        marked.setdefault(service if service is not None else key, []).append(key)
    result = [_whole(key, draft) for key in services]
    for owner, keys in marked.items():
        if owner not in services:
            result.append(_some(owner, list(dict.fromkeys(keys)), draft))
    return result


def _whole(key: ServiceKey, draft: Draft) -> Chosen:
    service = draft.fleet.services[key]
    members = _members(service, draft.fleet)
    title = service.title
    reachable = _reachable(members, draft)
    _say_unlinked(service, title, draft)
    return Chosen(title=title, service=service, whole=True, containers=reachable, members=members)


def _some(owner: ServiceKey | ContainerKey, keys: list[ContainerKey], draft: Draft) -> Chosen:
    fleet = draft.fleet
    containers = tuple(fleet.containers[key] for key in keys)
    service = fleet.services.get(owner) if isinstance(owner, ServiceKey) else None
    members = _members(service, fleet) if service is not None else containers
    known = {member.key for member in members}
    members += tuple(c for c in containers if c.key not in known)
    return Chosen(
        title=service.title if service is not None else containers[0].name,
        service=service,
        whole=False,
        containers=_reachable(containers, draft),
        members=members,
    )


def _members(service: Service, fleet: Picture) -> tuple[Container, ...]:
    """The containers that are its replicas: of a swarm's, not those of tasks long over."""
    members = tuple(
        fleet.containers.get(canonical(fleet, member.key), member)
        for member in fleet.members(service.key)
        if member.state not in _GONE
    )
    members = tuple({member.key: member for member in members}.values())
    wanted = {replica.container for replica in service.replicas if replica.container is not None}
    if service.key.source != "swarm" or not wanted:
        return members
    return tuple(member for member in members if member.key in wanted)


def _reachable(containers: Sequence[Container], draft: Draft) -> tuple[Container, ...]:
    reasons: dict[str, list[str]] = {}
    found = []
    for container in containers:
        reason = unreachable(draft.fleet, container.engine)
        if reason:
            reasons.setdefault(reason, []).append(container.name)
        else:
            found.append(container)
    for reason, left in reasons.items():
        draft.warn(f"left out: {phrases.names(left)}, since {reason}")
    return tuple(found)


def _say_unlinked(service: Service, title: str, draft: Draft) -> None:
    nodes = [
        replica.host
        for replica in service.replicas
        if replica.container is None and replica.host and replica.host not in draft.fleet.engines and replica.task_id
    ]
    if nodes:
        where = phrases.names(nodes)
        draft.warn(f"{phrases.count(len(nodes), 'task')} of {title} on {where}: fleettop has no link to there")


def one_name(chosen: Sequence[Chosen]) -> str:
    """What a plan is about, in its title: the service, the container on its host, or how many of each."""
    if len(chosen) == 1:
        only = chosen[0]
        if only.whole:
            return only.title
        if len(only.containers) == 1:
            return f"{only.containers[0].name} on {only.containers[0].engine}"
        return f"{phrases.count(len(only.containers), 'replica')} of {only.title}"
    services = sum(1 for one in chosen if one.whole)
    containers = sum(len(one.containers) for one in chosen if not one.whole)
    parts = []
    if services:
        parts.append(phrases.count(services, "service"))
    if containers:
        hosts = list(dict.fromkeys(container.engine for one in chosen for container in one.containers))
        parts.append(phrases.count(containers, "container") + (f" on {hosts[0]}" if len(hosts) == 1 else ""))
    return " and ".join(parts) or "what is gone"
