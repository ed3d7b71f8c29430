"""Deeds on the services of a simulated fleet, done the way compose and people do them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .agenda import Action
from .machine import Machine
from .population import renewed
from .swarmcontainers import new_image, new_replicas
from .things import Container, Fate, Image
from .world import NUMBER, World

_MINUTES = 60.0


class Operator:
    """What people and their tools do to the fleet."""

    def __init__(self, world: World) -> None:
        self._world = world

    # -- deploys

    def deploy(self, stack: str, service: str, tag: str, *, pause: float = 6.0, only: int | None = None) -> None:
        """Another tag for a compose service: one replica after the other, with a `pause`. `only`: the first so many."""
        replicas = self._world.replicas(stack, service)[:only]
        if not replicas:
            return
        repository = replicas[0][1].plan.image.repository
        image = self._world.shelf.image(f"{repository}:{tag}", own=True, age=self._age_of_build())
        self._next(replicas, image, config=f"{tag}@{self._world.now:.0f}", pause=pause, done=_nothing)

    def _age_of_build(self) -> float:
        """The shelf counts ages from the beginning of the play; this build is a quarter of an hour old."""
        return self._world.shelf.began - (self._world.now - 15 * _MINUTES)

    def _next(
        self, rest: list[tuple[Machine, Container]], image: Image, *, config: str, pause: float, done: Action
    ) -> None:
        if not rest:
            done()
            return
        (machine, container), *others = rest

        def go_on() -> None:
            self._next(others, image, config=config, pause=pause, done=done)

        def made() -> None:
            self._world.agenda.after(pause, go_on)

        self.recreate(machine, container, image, config=config, done=made)

    def recreate(self, machine: Machine, old: Container, image: Image, *, config: str, done: Action) -> None:
        """What `docker compose up -d` does to a replica whose image or configuration changed."""
        if old.removed or not machine.powered:
            done()
            return
        plan = renewed(old.plan, image, config=config, fate=self._world.fates.get(image.ref))
        machine.add_image(image, pulled=True)

        def away() -> None:
            machine.remove(old, force=True, done=make)

        def make() -> None:
            if plan.name not in machine.names and machine.powered:
                machine.begin(machine.create(plan))
            done()

        if not machine.stop(old, timeout=10, done=away):
            away()

    # -- swarm

    def deploy_in_swarm(self, name: str, tag: str) -> None:
        """Another tag for a swarm service; the swarm does the rest."""
        swarm = self._world.swarm
        service = next((s for s in swarm.services.values() if s.name == name), None) if swarm is not None else None
        if swarm is not None and service is not None:
            repository = service.image.partition("@")[0].rpartition(":")[0]
            spec = new_image(service, self._world.shelf, f"{repository}:{tag}", age=self._age_of_build())
            swarm.update(service, spec, version=service.version)

    def scale_in_swarm(self, name: str, by: int) -> None:
        """More or fewer replicas of a swarm service."""
        swarm = self._world.swarm
        service = next((s for s in swarm.services.values() if s.name == name), None) if swarm is not None else None
        if swarm is not None and service is not None and service.wanted is not None and service.wanted + by > 0:
            swarm.update(service, new_replicas(service, service.wanted + by), version=service.version)

    # -- single containers

    def restart(self, machine: Machine, container: Container) -> None:
        """`docker restart`."""
        if machine.powered and not container.removed:
            machine.restart(container, timeout=10, done=_nothing)

    def scale(self, stack: str, service: str) -> None:
        """One replica more of a compose service, on the emptiest of its machines."""
        replicas = self._world.replicas(stack, service)
        powered = [machine for machine, _ in replicas if machine.powered]
        if not powered:
            return
        machine = min(powered, key=lambda one: (len(one.containers), one.name))
        newest = replicas[-1][1]
        number = int(newest.labels[NUMBER]) + 1
        plan = newest.plan
        name = f"{stack}-{service}-{number}"
        labels = {**plan.labels, NUMBER: str(number)}
        ports = tuple(replace(port, public=None) for port in plan.ports)
        if name not in machine.names:
            clone = replace(plan, name=name, labels=labels, ports=ports, aliases=(name, service))
            machine.begin(machine.create(clone))

    def look_inside(self, machine: Machine, container: Container, command: str) -> None:
        """`docker exec`: a person runs something in a container."""
        if not container.alive or not machine.powered:
            return
        exec_id = f"{machine.chance.getrandbits(256):064x}"
        machine.tell_of(container, f"exec_create: {command}", execID=exec_id)
        machine.tell_of(container, f"exec_start: {command}", execID=exec_id)

        def over() -> None:
            if container.alive and machine.powered:
                machine.tell_of(container, "exec_die", execID=exec_id, exitCode="0")

        self._world.agenda.after(2.5, over)

    def job(self, stack: str, service: str, command: str, seconds: float, *, code: int = 0) -> None:
        """`docker compose run --rm`: a container for a single piece of work."""
        replicas = [(m, c) for m, c in self._world.replicas(stack, service) if m.powered]
        if not replicas:
            return
        machine, model = replicas[0]
        suffix = f"{machine.chance.getrandbits(48):012x}"
        labels = {**model.plan.labels, "com.docker.compose.oneoff": "True", NUMBER: "1"}
        plan = replace(
            model.plan,
            name=f"{stack}-{service}-run-{suffix}",
            labels=labels,
            cmd=tuple(command.split()),
            policy="no",
            ports=(),
            check=None,
            auto_remove=True,
            fate=Fate("done", seconds, code),
        )
        machine.begin(machine.create(plan))

    def each(self, stack: str, service: str, action: Callable[[Machine, Container], None]) -> None:
        """Something for every replica of a compose service."""
        for machine, container in self._world.replicas(stack, service):
            action(machine, container)


def _nothing() -> None:
    pass
