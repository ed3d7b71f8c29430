"""All simulated machines together, their software and their swarm, and the time they live in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from ..clock import Clock
from . import swarmrows
from .agenda import Agenda
from .catalogue import SWARM, Part
from .machine import Machine
from .population import DAY, Seat, Shelf, compose_plan, former_tag, machines, parts_for, role_of, seats, with_free_ports
from .storage import litter
from .swarm import Swarm
from .swarmcontainers import TaskContainers, spec_of
from .swarmthings import Task
from .things import Container, Fate, dice

PRELUDE = 5_400.0
"""Seconds of the past that are played before the doors open, so that the engines have something to remember."""
PROJECT, SERVICE, NUMBER = (f"com.docker.compose.{word}" for word in ("project", "service", "container-number"))


class World:
    """The machines and what happens to them. `now` is Unix seconds and follows the clock by `catch_up`."""

    def __init__(self, *, engines: int, containers: int, seed: int, clock: Clock) -> None:
        self.seed = seed
        self.chance = dice(("world", seed))
        self._clock = clock
        self._offset = clock.now().timestamp() - clock.monotonic()
        self.opens = self.present
        """When the doors open; before that is the prelude."""
        self.agenda = Agenda(self.opens - PRELUDE)
        self.shelf = Shelf(self.agenda.now)
        self.machines = machines(engines, agenda=self.agenda, chance=self.chance)
        self.fates: dict[str, Fate] = {}
        """What befalls the containers of an image, by its name:tag."""
        self._ages: dict[str, float] = {}
        members = tuple(machine for machine in self.machines if role_of(machine) == SWARM)
        self.swarm = Swarm(members, agenda=self.agenda, seed=seed) if members else None
        self._populate(containers)
        for machine in self.machines:
            litter(machine, DAY)

    @property
    def now(self) -> float:
        """Up to where everything has happened."""
        return self.agenda.now

    @property
    def present(self) -> float:
        """What the clock says, in Unix seconds; it never jumps."""
        return self._clock.monotonic() + self._offset

    def catch_up(self) -> None:
        """Let everything happen that is due by now."""
        self.agenda.run_until(self.present)

    def swarm_role(self, machine: Machine) -> str:
        """What `/_ping` says in its header `Swarm`."""
        node = self.swarm.node_of(machine) if self.swarm is not None else None
        return f"active/{node.role}" if node is not None else "inactive"

    def swarm_info(self, machine: Machine) -> dict[str, Any] | None:
        """A machine's place in the swarm, as `/info` tells it; None: in none."""
        return swarmrows.info(self.swarm, machine) if self.swarm is not None else None

    def machine(self, name: str) -> Machine | None:
        """The machine of this name; None: there is none in a fleet of this size."""
        return next((machine for machine in self.machines if machine.name == name), None)

    def power(self, machine: Machine, *, on: bool) -> None:
        """A machine dies, or comes back."""
        if machine.powered is on:
            return
        if on:
            machine.power_on()
        else:
            machine.power_off()
        if self.swarm is not None:
            self.swarm.power(machine)

    # -- finding

    def containers(self) -> Iterator[tuple[Machine, Container]]:
        """Every container and its machine."""
        for machine in self.machines:
            for container in machine.containers.values():
                yield machine, container

    def replicas(self, stack: str, service: str) -> list[tuple[Machine, Container]]:
        """The containers of a compose service, by their number."""
        found = [
            (machine, container)
            for machine, container in self.containers()
            if container.labels.get(PROJECT) == stack and container.labels.get(SERVICE) == service
        ]
        return sorted(found, key=lambda pair: int(pair[1].labels.get(NUMBER, "0")))

    # -- the beginning

    def _populate(self, containers: int) -> None:
        published: dict[Machine, set[int]] = {machine: set() for machine in self.machines}
        in_swarm: defaultdict[Part, int] = defaultdict(int)
        for seat in seats(parts_for(containers, self.machines), self.machines):
            self.shelf.parts.setdefault(seat.part.image.rpartition(":")[0], seat.part)
            if seat.part.in_swarm and self.swarm is not None:
                in_swarm[seat.part] += 1
            else:
                self._settle(seat, published[seat.machine])
        if self.swarm is not None:
            launcher = TaskContainers(self.swarm, self.shelf, self.fates)
            self.swarm.launcher = launcher
            for part, replicas in in_swarm.items():
                self._settle_service(self.swarm, launcher, part, replicas)

    def _settle(self, seat: Seat, published: set[int]) -> None:
        part, machine = seat.part, seat.machine
        image = self.shelf.image(part.image, own=part.own)
        plan = with_free_ports(compose_plan(part, seat.number, image), published, machine)
        began = self._age(part) + self.chance.uniform(0, 300)
        container = machine.create(plan, created=began, quiet=True)
        machine.begin(container, since=began + 0.4, quiet=True)
        if part.own and (former := former_tag(image.tag)):
            machine.add_image(self.shelf.image(f"{image.repository}:{former}", own=True, age=60 * DAY))

    def _settle_service(self, swarm: Swarm, launcher: TaskContainers, part: Part, replicas: int) -> None:
        began = self._age(part)
        everywhere = not part.replicas
        service = swarm.create(spec_of(part, self.shelf, None if everywhere else replicas), created=began)
        nodes = list(swarm.nodes.values())
        for number in range(replicas):
            node = nodes[(number + len(swarm.services)) % len(nodes)]
            task = Task(
                id=swarm.make_id(),
                service=service,
                slot=0 if everywhere else number + 1,
                made_from=service.template,
                image=service.image,
                created=began,
                updated=began,
                version=swarm.next_index(),
                node=node,
                memory=service.reserved,
            )
            service.tasks.append(task)
            launcher.settle(task, since=began + self.chance.uniform(0, 200))

    def _age(self, part: Part) -> float:
        """When a service was last deployed."""
        service = f"{part.stack}/{part.name}"
        return self.now - self._ages.setdefault(service, self.chance.uniform(0.3, 40) * DAY)
