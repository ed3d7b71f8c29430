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


class ServiceDesign(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asked a swarm's service to be, as far as changes of it are told."""

    image: str = ""
    """name:tag, without the digest."""
    digest: str = ""
    mode: str = ""
    replicas: int | None = None
    command_print: bytes = b""
    """Tells that the command changed, and nothing else. Never shown, never stored; the other prints likewise."""
    environment: tuple[str, ...] = ()
    environment_prints: bytes = b""
    secrets: tuple[str, ...] = ()
    configs: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    cpu_limit: float | None = None
    memory_limit: int | None = None
    pids_limit: int | None = None
    cpu_reserved: float | None = None
    memory_reserved: int | None = None
    restart: str = ""
    update: str = ""
    rollback: str = ""
    """How an update and a rollback go, in words."""
    forced: int = 0
    """How often its tasks were made anew though nothing else changed."""
    health_print: bytes = b""
    labels: Mapping[str, str] = {}
    """Its own and, where it has no own of that name, those of its containers."""


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
    design: ServiceDesign | None = None
    before: ServiceDesign | None = None
    """What it was before it was last changed (`PreviousSpec`)."""


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
