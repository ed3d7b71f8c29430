"""Whose last words are worth reading, and which have been read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ..cause.history import Lives
from ..model import Container, ContainerKey, ServiceKey, ServiceState
from ..services.replicas import Condition, Standing

_TROUBLE = (ServiceState.DOWN, ServiceState.DEGRADED, ServiceState.FLAPPING)


class LastWords:
    """The newest dead or failing replica of each service in trouble is its speaker."""

    def __init__(self, lives: Lives) -> None:
        self.words: dict[ContainerKey, tuple[str, ...]] = {}
        self._lives = lives
        self._speakers: dict[ServiceKey, ContainerKey] = {}
        self._read: dict[ContainerKey, datetime | None] = {}
        """Which end of a container its words were read of."""

    def speaker(self, service: ServiceKey) -> ContainerKey | None:
        """Whose words tell of this service's trouble."""
        return self._speakers.get(service)

    def choose(self, service: ServiceKey, state: ServiceState, standings: tuple[Standing, ...]) -> None:
        """The service stands like this now."""
        chosen = _speaker(state, standings)
        if chosen is None:
            self._speakers.pop(service, None)
        else:
            self._speakers[service] = chosen

    def forget_service(self, service: ServiceKey) -> None:
        """The service is gone."""
        self._speakers.pop(service, None)

    def forget(self, key: ContainerKey) -> None:
        """The container is gone."""
        self.words.pop(key, None)
        self._read.pop(key, None)

    def unread(self, containers: Mapping[ContainerKey, Container]) -> frozenset[ContainerKey]:
        """The speakers whose words of their newest end have not been read."""
        return frozenset(
            key
            for key in self._speakers.values()
            if (container := containers.get(key)) is not None
            and (key not in self._read or self._read[key] != self._end(container))
        )

    def heard(self, container: Container, lines: tuple[str, ...]) -> bool:
        """Its words were read (also where there were none); whether they are others than before."""
        key = container.key
        self._read[key] = self._end(container)
        if self.words.get(key) == lines or (not lines and key in self.words):
            return False
        self.words[key] = lines
        return True

    def _end(self, container: Container) -> datetime | None:
        life = self._lives.get(container.key)
        if life is not None and (life.ended_at or life.health_at):
            return max(m for m in (life.ended_at, life.health_at) if m is not None)
        return container.detail.finished_at if container.detail is not None else None


def _speaker(state: ServiceState, standings: tuple[Standing, ...]) -> ContainerKey | None:
    if state not in _TROUBLE:
        return None
    troubled = [
        s
        for s in standings
        if s.replica.container is not None and (s.looping or s.condition in (Condition.FAILED, Condition.UNHEALTHY))
    ]
    if not troubled:
        return None
    newest = max(troubled, key=lambda s: (s.ended.timestamp() if s.ended else 0.0, s.replica.container))
    return newest.replica.container
