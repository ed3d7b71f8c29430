"""All simulated machines together, their software, and the time they live in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..clock import Clock
from .agenda import Agenda
from .machine import Machine
from .population import DAY, Seat, Shelf, compose_plan, machines, parts_for, seats, with_free_ports
from .things import Container, Fate, dice

PRELUDE = 5_400.0
"""Seconds of the past that are played before the doors open, so that the engines have something to remember."""


class World:
    """The machines and what happens to them. `now` is Unix seconds and follows the clock by `catch_up`."""

    def __init__(self, *, engines: int, containers: int, seed: int, incident: str | None, clock: Clock) -> None:
        self.seed = seed
        self.chance = dice(("world", seed))
        self._clock = clock
        self._offset = clock.now().timestamp() - clock.monotonic()
        self.agenda = Agenda(self.present - PRELUDE)
        self.shelf = Shelf(self.agenda.now)
        self.machines = machines(engines, agenda=self.agenda, chance=self.chance)
        self.by_name = {machine.name: machine for machine in self.machines}
        self.fates: dict[str, Fate] = {}
        """What befalls the containers of an image, by its name:tag."""
        self._populate(containers)
        self.incident = incident

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
        return "inactive"

    def swarm_info(self, machine: Machine) -> dict[str, Any] | None:
        """A machine's place in the swarm, as `/info` tells it; None: in none."""
        return None

    def replicas(self, stack: str, service: str) -> list[tuple[Machine, Container]]:
        """The containers of a compose service, by their number."""
        found = [
            (machine, container)
            for machine in self.machines
            for container in machine.containers.values()
            if container.labels.get("com.docker.compose.project") == stack
            and container.labels.get("com.docker.compose.service") == service
        ]
        return sorted(found, key=lambda pair: int(pair[1].labels["com.docker.compose.container-number"]))

    def containers(self) -> Iterator[tuple[Machine, Container]]:
        """Every container and its machine."""
        for machine in self.machines:
            for container in machine.containers.values():
                yield machine, container

    # -- the beginning

    def _populate(self, containers: int) -> None:
        published: dict[Machine, set[int]] = {machine: set() for machine in self.machines}
        ages: dict[str, float] = {}
        for seat in seats(parts_for(containers, self.machines), self.machines):
            self._settle(seat, published[seat.machine], ages)

    def _settle(self, seat: Seat, published: set[int], ages: dict[str, float]) -> None:
        part, machine = seat.part, seat.machine
        self.shelf.parts.setdefault(part.image.rpartition(":")[0], part)
        image = self.shelf.image(part.image, own=part.own)
        plan = with_free_ports(compose_plan(part, seat.number, image), published, machine)
        service = f"{part.stack}/{part.name}"
        age = ages.setdefault(service, self.chance.uniform(0.3, 40) * DAY)
        began = max(self.now - age + self.chance.uniform(0, 300), machine.booted)
        container = machine.create(plan, created=began, quiet=True)
        machine.begin(container, since=began + 0.4, quiet=True)
