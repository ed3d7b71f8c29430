"""A service across its hosts, as it stands."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec

from .containers import ContainerKey, ContainerState, Health


class ServiceKey(NamedTuple):
    """A service, fleet-wide. `scope`: compose project, swarm cluster id, engine (for a lone container)…"""

    source: str
    scope: str
    name: str


def titled(stack: str, name: str) -> str:
    """A service as it is called: `pay/api`; with its stack where it has one and its name does not begin with it."""
    return name if not stack or name.startswith((f"{stack}_", f"{stack}/")) else f"{stack}/{name}"


class ServiceState(StrEnum):
    """A service's state, worst first."""

    DOWN = "down"
    DEGRADED = "degraded"
    FLAPPING = "flapping"
    UNKNOWN = "unknown"
    STARTING = "starting"
    STOPPED = "stopped"
    HEALTHY = "healthy"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return _RANKS[self]


_RANKS = {state: rank for rank, state in enumerate(ServiceState)}


class Replica(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One wanted copy of a service, where it is known."""

    container: ContainerKey | None
    """None: a swarm task without a container we can see."""
    host: str
    """The engine's name; for a swarm node without a link, the node's host name."""
    name: str
    number: str = ""
    state: ContainerState
    health: Health
    serving: bool
    task_id: str = ""
    note: str = ""
    """Why it is not there: the swarm's words on a pending or failed task."""


class ServiceChange(msgspec.Struct, frozen=True, kw_only=True):
    """The last thing somebody changed on a service."""

    what: str
    """`created` (its first containers), `deploy`, `recreate`, `restart`, `stop`, `start`, `scale`, `update`…"""
    time: datetime
    actor: str
    """`unknown` where it is."""
    detail: str = ""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A service across all its hosts."""

    key: ServiceKey
    name: str
    stack: str = ""
    state: ServiceState
    wanted: int | None
    """None: not knowable (its hosts cannot be reached)."""
    running: int
    serving: int | None
    replicas: tuple[Replica, ...] = ()
    hosts: tuple[str, ...] = ()
    image: str = ""
    """name:tag, or `name: 2 tags`, `name: 2 digests` where replicas differ."""
    images: tuple[str, ...] = ()
    """The distinct images its replicas run."""
    config_hashes: tuple[str, ...] = ()
    """The distinct compose config hashes; more than one is a half-applied deploy."""
    down_since: datetime | None = None
    """The last moment it served (down), or lost a replica (degraded), as far as known."""
    down_since_certain: bool = True
    restarts: int | None = None
    """In the last hour."""
    last_change: ServiceChange | None = None
    stale: bool = False
    """Some host of it is not live: what is shown of it is old."""
    swarm_service_id: str = ""
    note: str = ""
    """Facts worth a word: `running 12 of 9`, `owner restarts what you stop`."""

    @property
    def title(self) -> str:
        """As it is called: `pay/api`."""
        return titled(self.stack, self.name)
