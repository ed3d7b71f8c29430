"""What planning asks of the fleet's picture, and the small questions it puts to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ..model import (
    Container,
    ContainerKey,
    EngineStatus,
    Freshness,
    LinkPhase,
    Service,
    ServiceKey,
    SwarmPicture,
)

SWARM_TASK = "com.docker.swarm.task.id"
POD = "io.kubernetes.pod.name"
OWNERS = {
    POD: "Kubernetes",
    "com.hashicorp.nomad.alloc_id": "Nomad",
    "com.amazonaws.ecs.task-arn": "ECS",
    "io.kontena.service.name": "Kontena",
    "io.rancher.stack_service.name": "Rancher",
}
"""Labels by which an owner of containers is known, which starts again what is stopped (ENGINE: their agents)."""


class Picture(Protocol):
    """The fleet as planning needs it."""

    @property
    def engines(self) -> Mapping[str, EngineStatus]:
        """By configured name."""
        ...

    @property
    def containers(self) -> Mapping[ContainerKey, Container]:
        """As last read."""
        ...

    @property
    def services(self) -> Mapping[ServiceKey, Service]:
        """As last put together."""
        ...

    @property
    def swarms(self) -> Mapping[str, SwarmPicture]:
        """By cluster id."""
        ...

    def members(self, key: ServiceKey) -> tuple[Container, ...]:
        """The containers of a service."""
        ...

    def service_of(self, key: ContainerKey) -> ServiceKey | None:
        """The service a container belongs to."""
        ...

    def freshness(self, engine: str) -> Freshness:
        """How far what is known of an engine can be trusted."""
        ...


def unreachable(fleet: Picture, engine: str) -> str:
    """Why nothing can be done on an engine now, in words; empty: something can."""
    status = fleet.engines.get(engine)
    if status is None:
        return f"{engine} is not one of the engines fleettop knows"
    if status.link.phase is not LinkPhase.UP:
        error = status.link.error
        return f"{engine} cannot be reached ({error.word if error is not None else status.link.phase.value})"
    if fleet.freshness(engine) in (Freshness.STALE, Freshness.NEVER):
        return f"{engine} does not answer"
    return ""


def canonical(fleet: Picture, key: ContainerKey) -> ContainerKey:
    """The container under the first name of its engine, where that engine is known by two."""
    status = fleet.engines.get(key.engine)
    if status is None or not status.same_as or unreachable(fleet, status.same_as):
        return key
    return ContainerKey(status.same_as, key.id)


def owner_of(container: Container) -> str:
    """Who, other than a person or the engine, keeps this container running; empty: nobody known."""
    if SWARM_TASK in container.labels:
        return "the swarm"
    return next((owner for label, owner in OWNERS.items() if label in container.labels), "")


def manager_of(fleet: Picture, cluster: str) -> str:
    """An engine that is a manager of the swarm and can be reached; empty: none."""
    picture = fleet.swarms.get(cluster)
    if picture is not None and not unreachable(fleet, picture.manager):
        return picture.manager
    for name, status in fleet.engines.items():
        swarm = status.info.swarm if status.info is not None else None
        if swarm is not None and swarm.manager and swarm.cluster_id == cluster and not unreachable(fleet, name):
            return name
    return ""
