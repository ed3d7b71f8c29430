"""One engine, and the way to it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from ..errors import EngineError


class LinkPhase(StrEnum):
    """Where the way to an engine stands."""

    NEVER = "not tried"
    CONNECTING = "connecting"
    UP = "up"
    DOWN = "down"
    CLOSED = "closed"


class LinkStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The way to an engine, and how it does. `since` and `retry_at` are monotonic, `latency` in seconds."""

    phase: LinkPhase = LinkPhase.NEVER
    since: float = 0.0
    route: str = ""
    """In words: `local socket`, `TLS`, `plain TCP`, `ssh`, `ssh dial-stdio`."""
    error: EngineError | None = None
    latency: float | None = None
    attempts: int = 0
    retry_at: float | None = None
    insecure: bool = False
    """Neither encrypted nor local: shown with a permanent red mark."""


class SwarmMembership(msgspec.Struct, frozen=True, kw_only=True):
    """What `/info` says of an engine's place in a swarm."""

    state: str
    """`inactive`, `pending`, `active`, `error`, `locked`."""
    node_id: str = ""
    manager: bool = False
    cluster_id: str = ""
    error: str = ""


class EngineInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Who an engine is (`GET /info`, `GET /version`)."""

    kind: str
    """`docker` or `podman`."""
    version: str
    api: str
    """The API version spoken with it."""
    id: str = ""
    hostname: str = ""
    os: str = ""
    kernel: str = ""
    cpus: int | None = None
    memory: int | None = None
    storage_driver: str = ""
    data_folder: str = ""
    """Where it keeps what is its own, on its host."""
    cgroup_version: str = ""
    rootless: bool = False
    swarm: SwarmMembership | None = None
    skew: float | None = None
    """Seconds the engine's clock is ahead of ours, half a round trip taken off."""
    running: int | None = None
    paused: int | None = None
    stopped: int | None = None


class EngineStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the Hosts view: an engine, its link, and when it was last known to be as shown."""

    name: str
    address: str
    group: str = ""
    link: LinkStatus = LinkStatus()
    info: EngineInfo | None = None
    confirmed: float | None = None
    """Monotonic time at which everything shown of it was last known to be current; None: never."""
    same_as: str = ""
    """The name of the engine this is a second address of; such an engine is not counted again."""
    doubtful: tuple[str, ...] = ()
    """Ids of containers whose newest reading made no sense: the one before is shown, and is stale."""
    figures: str = ""
    """How the figures of its containers are read, in words; empty: nobody looked at any."""
