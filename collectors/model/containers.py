"""One container: its state, its health, what it uses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec


class ContainerState(StrEnum):
    """The state the engine keeps of a container (moby: container/state.go). Not its health."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    REMOVING = "removing"
    EXITED = "exited"
    DEAD = "dead"
    UNKNOWN = "unknown"


class Health(StrEnum):
    """What the container's own health check says (`none`: it has no check; `unknown`: this engine does not tell)."""

    NONE = "none"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


class Freshness(StrEnum):
    """How far a reading can be trusted to be the present."""

    LIVE = "live"
    LATE = "late"
    STALE = "stale"
    NEVER = "never"


class ContainerKey(NamedTuple):
    """A container, fleet-wide: the configured name of its engine, and its full id."""

    engine: str
    id: str


class Port(msgspec.Struct, frozen=True, kw_only=True):
    """A port of a container; `public` is None where it is not published."""

    private: int
    public: int | None = None
    ip: str | None = None
    protocol: str = "tcp"


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    """Something mounted into a container."""

    type: str
    source: str
    target: str
    name: str = ""
    read_write: bool = True


CALM_EXITS = (0, 143)
"""Codes of one that was done, or did as SIGTERM says."""


class HealthProbe(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a container's health check."""

    start: datetime | None
    end: datetime | None
    exit_code: int
    output: str


class ContainerDetail(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What only an inspect tells of a container (`GET /containers/{id}/json`)."""

    exit_code: int | None = None
    oom_killed: bool | None = None
    error: str = ""
    pid: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    restart_count: int | None = None
    restart_policy: str = ""
    """`no`, `always`, `unless-stopped`, `on-failure`, or empty where not told."""
    restart_retries: int | None = None
    failing_streak: int | None = None
    health_log: tuple[HealthProbe, ...] = ()
    health_check: tuple[str, ...] = ()
    """The check's Test as configured (`CMD`, `CMD-SHELL`, …); empty: none."""
    health_patience: float | None = None
    """Seconds in which its check, as configured, must have said more than `starting`; None: no check, or not told."""
    memory_limit: int | None = None
    """Bytes; None: unlimited or not told."""
    memory_swap: int | None = None
    """Bytes of memory and swap together; -1: unlimited; None: not set or not told."""
    memory_reservation: int | None = None
    cpu_limit: float | None = None
    """Cores; None: unlimited or not told."""
    cpu_shares: int | None = None
    cpu_set: str = ""
    pids_limit: int | None = None
    """None: unlimited or not told."""
    stop_timeout: int | None = None
    tty: bool = False
    user: str = ""
    environment: tuple[str, ...] = ()
    """Names only: values never leave the decoder."""
    environment_prints: bytes = b""
    """Of each value, in the order of the names: tells that one changed, and nothing else. Never shown, never stored."""
    command_print: bytes = b""
    """Of the command with its arguments, likewise: as shown, their secrets are hidden."""
    auto_remove: bool = False

    @property
    def ended_for_memory(self) -> bool:
        """Whether its end comes of a process in it that was killed for memory.

        `oom_killed` alone tells only that one was since it was started: it stays set of a container that went on, and
        that ended well, or when it was asked to, much later (seen on Docker 26, with cgroup v2).
        """
        return bool(self.oom_killed) and self.exit_code not in CALM_EXITS


class Container(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One container as last read. `detail` is None until it has been inspected."""

    engine: str
    id: str
    name: str
    image: str
    """As it was asked for: name:tag, or an id."""
    image_id: str
    state: ContainerState
    health: Health
    status: str = ""
    """The engine's own words: `Up 2 hours (healthy)`."""
    command: str = ""
    created: datetime | None = None
    labels: Mapping[str, str] = {}
    ports: tuple[Port, ...] = ()
    networks: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    detail: ContainerDetail | None = None

    @property
    def key(self) -> ContainerKey:
        """Its name fleet-wide."""
        return ContainerKey(self.engine, self.id)

    @property
    def serving(self) -> bool:
        """Runs, and its health check (if there is one) does not say otherwise."""
        return self.state is ContainerState.RUNNING and self.health in (Health.NONE, Health.HEALTHY, Health.UNKNOWN)


class Usage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a container used between two samples."""

    cpu: float | None
    """Percent of one core: 250 is two and a half cores."""
    memory: int | None
    """Bytes, as `docker stats` counts them: usage less the inactive file cache."""
    memory_limit: int | None
    received: float | None
    """Bytes a second, over all its networks."""
    sent: float | None
    at: float
    """Monotonic seconds of the sample."""
