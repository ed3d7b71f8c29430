"""How an engine, its containers and its swarm are set up, as far as their fitness for production goes.

`None` means that the engine does not tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from .containers import ContainerKey, ContainerState, Port


class MountPosture(msgspec.Struct, frozen=True, kw_only=True):
    """Something mounted into a container."""

    type: str
    source: str
    target: str
    read_write: bool = True
    propagation: str = ""


class ContainerPosture(msgspec.Struct, frozen=True, kw_only=True):
    """What one container is allowed, limited to and watched by. Of its variables only names are here."""

    engine: str
    id: str
    name: str
    image: str = ""
    image_id: str = ""
    state: ContainerState = ContainerState.UNKNOWN
    labels: Mapping[str, str] = {}
    privileged: bool | None = None
    mounts: tuple[MountPosture, ...] = ()
    network_mode: str = ""
    pid_mode: str = ""
    ipc_mode: str = ""
    uts_mode: str = ""
    user_mode: str = ""
    added_capabilities: tuple[str, ...] = ()
    security_options: tuple[str, ...] = ()
    apparmor: str = ""
    user: str = ""
    memory: int = 0
    cores: float = 0.0
    cpu_shares: int = 0
    pids: int | None = None
    """None: without a limit, as is 0 and less."""
    read_only: bool = False
    ports: tuple[Port, ...] = ()
    restart_policy: str = ""
    restart_retries: int = 0
    auto_remove: bool = False
    health_check: tuple[str, ...] = ()
    """Its Test; empty: none."""
    health: str = ""
    """What it said last; empty: it never ran."""
    failing_streak: int = 0
    secrets: tuple[str, ...] = ()
    """Names of variables whose values are, by name or by shape, secrets."""
    restart_count: int = 0
    oom_killed: bool = False
    exit_code: int | None = None
    """Of one that has ended."""
    started_at: datetime | None = None
    devices: tuple[str, ...] = ()
    cgroup_parent: str = ""
    log_driver: str = ""
    log_limit: str = ""
    """`max-size` of its log."""
    stop_timeout: int | None = None
    execs: tuple[str, ...] = ()
    """Ids of commands that were run in it and are still known."""

    @property
    def logs_unlimited(self) -> bool:
        """Its log is a file that grows as long as it runs."""
        return self.log_driver == "json-file" and not self.log_limit

    @property
    def key(self) -> ContainerKey:
        """Its name fleet-wide."""
        return ContainerKey(self.engine, self.id)

    @property
    def alive(self) -> bool:
        """It has processes, or will have them again in a moment."""
        return self.state in (ContainerState.RUNNING, ContainerState.PAUSED, ContainerState.RESTARTING)


class NetworkPosture(msgspec.Struct, frozen=True, kw_only=True):
    """A network of an engine."""

    name: str
    driver: str
    scope: str = ""
    options: Mapping[str, str] = {}


class DiskPosture(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that nothing needs, by what holds them. None: not told."""

    images: int | None = None
    volumes: int | None = None
    build_cache: int | None = None
    containers: int | None = None


class ImagePosture(msgspec.Struct, frozen=True, kw_only=True):
    """An image that lies on an engine."""

    id: str
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()


class DaemonPosture(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine says of how it was set up (`GET /info`, `GET /version`)."""

    kind: str
    version: str = ""
    warnings: tuple[str, ...] | None = None
    logging_driver: str = ""
    live_restore: bool | None = None
    in_swarm: bool = False
    storage_driver: str = ""
    storage_status: Mapping[str, str] = {}
    insecure_registries: tuple[str, ...] | None = None
    security_options: tuple[str, ...] | None = None
    authorization: tuple[str, ...] | None = None
    experimental: bool | None = None
    debug: bool | None = None
    limits: Mapping[str, bool | None] = {}
    """`memory`, `swap`, `pids`: whether it can limit them."""
    cgroup_version: str = ""
    skew: float | None = None
    stopped: int | None = None
    kernel: str = ""
    os: str = ""

    def security(self, name: str) -> Mapping[str, str] | None:
        """A security option with what it is set to: `seccomp` with its `profile`; None: it is not there."""
        for option in self.security_options or ():
            parts = dict(part.partition("=")[::2] for part in option.split(","))
            if parts.get("name") == name:
                return parts
        return None


class NodePosture(msgspec.Struct, frozen=True, kw_only=True):
    """A node of a swarm."""

    id: str
    hostname: str
    manager: bool
    availability: str = ""
    state: str = ""
    reachability: str = ""


class ServicePosture(msgspec.Struct, frozen=True, kw_only=True):
    """What a swarm's service is to be, and how far it is that."""

    id: str
    name: str
    mode: str = ""
    """`replicated`, `global`, `replicated-job`, `global-job`."""
    wanted: int | None = None
    running: int | None = None
    update_state: str = ""
    update_message: str = ""
    on_failure: str = ""
    """What happens where an update fails: `pause`, `continue`, `rollback`."""
    memory_limit: int = 0
    memory_reserved: int = 0
    cores_limit: float = 0.0
    cores_reserved: float = 0.0
    preferences: int = 0
    """How many placement preferences it has."""
    most_on_a_node: int = 0
    """0: as many as there are."""
    ports: tuple[Port, ...] = ()
    """Published on every node, on all its addresses."""


class SwarmPosture(msgspec.Struct, frozen=True, kw_only=True):
    """A swarm, as one of its managers tells of it. None: it did not tell."""

    cluster_id: str
    manager: str
    """The engine it was read from."""
    autolock: bool | None = None
    node_expiry: float | None = None
    """Seconds that a node's certificate is good for."""
    authority_ends: datetime | None = None
    nodes: tuple[NodePosture, ...] | None = None
    services: tuple[ServicePosture, ...] | None = None
    trouble: str = ""
