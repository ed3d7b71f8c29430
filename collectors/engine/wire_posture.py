"""What the checks read of engines, containers and swarms, as it comes over the wire. As `wire`, it is not clean."""

from __future__ import annotations

import msgspec

from .wire import (
    Cluster,
    ContainerConfig,
    Flag,
    MountPoint,
    Networks,
    Number,
    RestartPolicy,
    State,
    SwarmInfo,
    Text,
    TextMap,
    Texts,
    Wire,
)


class Mounted(MountPoint):
    """A mount with how it spreads."""

    propagation: Text = None


class LogConfig(Wire):
    """Where a container's output goes."""

    type: Text = None
    config: TextMap = None


class Device(Wire):
    """A device of the host in a container."""

    path_on_host: Text = None


class HostConfig(Wire):
    """All of a container's place on its host that is checked."""

    privileged: Flag = None
    network_mode: Text = None
    pid_mode: Text = None
    ipc_mode: Text = None
    uts_mode: Text = msgspec.field(default=None, name="UTSMode")
    userns_mode: Text = None
    cap_add: Texts = None
    security_opt: Texts = None
    memory: Number = None
    nano_cpus: Number = None
    cpu_quota: Number = None
    cpu_period: Number = None
    cpu_shares: Number = None
    pids_limit: Number = None
    readonly_rootfs: Flag = None
    restart_policy: RestartPolicy | None = None
    auto_remove: Flag = None
    devices: list[Device] | None = None
    cgroup_parent: Text = None
    log_config: LogConfig | None = None


class Inspected(Wire):
    """`GET /containers/{id}/json`."""

    id: Text = None
    name: Text = None
    image: Text = None
    restart_count: Number = None
    app_armor_profile: Text = None
    state: State | None = None
    config: ContainerConfig | None = None
    host_config: HostConfig | None = None
    network_settings: Networks | None = None
    mounts: list[Mounted] | None = None
    exec_ids: Texts = msgspec.field(default=None, name="ExecIDs")


class Registry(Wire):
    """One registry the engine knows by name."""

    name: Text = None
    secure: Flag = None


class RegistryConfig(Wire):
    """How registries are spoken to."""

    insecure: Texts = msgspec.field(default=None, name="InsecureRegistryCIDRs")
    index_configs: dict[str, Registry] | None = None


class Plugins(Wire):
    """The plugins of an engine."""

    authorization: Texts = None


class EncryptionConfig(Wire):
    """Whether managers are locked."""

    auto_lock_managers: Flag = None


class AuthorityConfig(Wire):
    """How certificates of nodes are made. Nanoseconds."""

    node_cert_expiry: Number = None


class ClusterSpec(Wire):
    """What a swarm should be."""

    encryption_config: EncryptionConfig | None = None
    authority: AuthorityConfig | None = msgspec.field(default=None, name="CAConfig")


class ClusterTls(Wire):
    """Whom the nodes of a swarm trust."""

    trust_root: Text = None


class WholeCluster(Cluster):
    """A swarm in a manager's `/info`; it holds no join tokens, as `/swarm` does."""

    spec: ClusterSpec | None = None
    tls: ClusterTls | None = msgspec.field(default=None, name="TLSInfo")


class WholeSwarm(SwarmInfo):
    """An engine's place in a swarm."""

    cluster: WholeCluster | None = None


class Info(Wire):
    """`GET /info`."""

    driver: Text = None
    driver_status: list[list[str]] | None = None
    logging_driver: Text = None
    live_restore_enabled: Flag = None
    registry_config: RegistryConfig | None = None
    security_options: Texts = None
    plugins: Plugins | None = None
    experimental_build: Flag = None
    debug: Flag = None
    memory_limit: Flag = None
    swap_limit: Flag = None
    pids_limit: Flag = None
    cgroup_version: Text = None
    containers_stopped: Number = None
    kernel_version: Text = None
    operating_system: Text = None
    warnings: Texts = None
    swarm: WholeSwarm | None = None


class Network(Wire):
    """One row of `GET /networks`."""

    name: Text = None
    driver: Text = None
    scope: Text = None
    options: TextMap = None


class VolumeUse(Wire):
    """How a volume is used. -1: not told."""

    ref_count: Number = None
    size: Number = None


class Volume(Wire):
    """A volume in `GET /system/df`."""

    usage_data: VolumeUse | None = None


class ImageUse(Wire):
    """An image in `GET /system/df`."""

    containers: Number = None
    size: Number = None
    shared_size: Number = None


class CacheUse(Wire):
    """A record of the build cache."""

    in_use: Flag = None
    shared: Flag = None
    size: Number = None


class ContainerUse(Wire):
    """A container in `GET /system/df`."""

    state: Text = None
    size_rw: Number = None


class DiskUse(Wire):
    """`GET /system/df`."""

    images: list[ImageUse] | None = None
    volumes: list[Volume] | None = None
    build_cache: list[CacheUse] | None = None
    containers: list[ContainerUse] | None = None


class ExecProcess(msgspec.Struct):
    """What an exec runs, and as whom."""

    user: Text = None
    privileged: Flag = None
    entrypoint: Text = None
    arguments: Texts = None


class Exec(Wire):
    """`GET /exec/{id}/json`."""

    process_config: ExecProcess | None = None
    running: Flag = None
