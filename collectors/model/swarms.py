"""A swarm, as one of its managers sees it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from .containers import Port


class SwarmNode(msgspec.Struct, frozen=True, kw_only=True):
    """A node, as a manager sees it."""

    id: str
    hostname: str
    role: str
    availability: str
    state: str
    address: str = ""
    leader: bool = False
    reachability: str = ""
    message: str = ""
    engine_version: str = ""


class SwarmTask(msgspec.Struct, frozen=True, kw_only=True):
    """Swarm's attempt at one replica."""

    id: str
    service_id: str
    node_id: str
    slot: int | None
    state: str
    desired: str
    message: str = ""
    error: str = ""
    container_id: str = ""
    exit_code: int | None = None
    image: str = ""
    at: datetime | None = None


class SwarmService(msgspec.Struct, frozen=True, kw_only=True):
    """A service, as a manager keeps it."""

    id: str
    name: str
    stack: str
    mode: str
    """`replicated`, `global`, `replicated-job`, `global-job`."""
    wanted: int | None
    running: int | None
    image: str
    """name:tag, without the digest."""
    digest: str = ""
    version: int = 0
    labels: Mapping[str, str] = {}
    ports: tuple[Port, ...] = ()
    update_state: str = ""
    update_message: str = ""
    updated: datetime | None = None


class SwarmPicture(msgspec.Struct, frozen=True, kw_only=True):
    """A whole swarm, read from one of its managers."""

    cluster_id: str
    manager: str
    """The engine it was read from."""
    nodes: tuple[SwarmNode, ...] = ()
    services: tuple[SwarmService, ...] = ()
    tasks: tuple[SwarmTask, ...] = ()
    error: str = ""
    """Why this is not knowable from here (no quorum); the rest is then the last good reading."""
    at: float = 0.0
