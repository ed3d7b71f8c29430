"""The Engine API's answers as they come over the wire (Docker 1.40 to 1.51 and 1.52's health, Podman's imitation).

Only what is used is named. Every field may be missing or null, unknown ones are skipped, a wrong type refuses the row.
Nothing here is clean: it does not leave `decode`.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

Text = str | None
Number = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | None
Flag = bool | None
Texts = list[str] | None
TextMap = dict[str, str] | None
AnyMap = dict[str, msgspec.Raw] | None


class Wire(msgspec.Struct, rename="pascal", gc=False):
    """An object of the Engine API: its names are Docker's PascalCase."""


class Identified(Wire):
    """Just the id of a row, for one that makes no sense otherwise."""

    id: Text = None
    swarm_id: Text = msgspec.field(default=None, name="ID")


# -- containers --------------------------------------------------------------------------------------------------------


class PortRow(Wire):
    """A port in a listing."""

    private_port: Number = None
    public_port: Number = None
    ip: Text = msgspec.field(default=None, name="IP")
    type: Text = None


class MountPoint(Wire):
    """A mount, in listings and inspects."""

    type: Text = None
    name: Text = None
    source: Text = None
    destination: Text = None
    rw: Flag = msgspec.field(default=None, name="RW")


class Networks(Wire):
    """The networks of a container: the keys are their names."""

    networks: AnyMap = None
    ports: dict[str, list[PortBinding] | None] | None = None


class PortBinding(Wire):
    """Where a port is published, in an inspect."""

    host_ip: Text = None
    host_port: Text = None


class HealthSummary(Wire):
    """The health in a listing, from API 1.52 on."""

    status: Text = None
    failing_streak: Number = None


class ContainerRow(Wire):
    """One row of `GET /containers/json`."""

    id: Text = None
    names: Texts = None
    image: Text = None
    image_id: Text = msgspec.field(default=None, name="ImageID")
    command: Text = None
    created: int | str | None = None
    state: Text = None
    status: Text = None
    ports: list[PortRow] | None = None
    labels: TextMap = None
    network_settings: Networks | None = None
    mounts: list[MountPoint] | None = None
    health: HealthSummary | None = None


class ImageRow(Wire):
    """One row of `GET /images/json`."""

    id: Text = None
    repo_tags: Texts = None
    repo_digests: Texts = None
    size: Number = None


class ProbeResult(Wire):
    """One entry of a health check's log."""

    start: Text = None
    end: Text = None
    exit_code: Number = None
    output: Text = None


class HealthState(Wire):
    """The health in an inspect."""

    status: Text = None
    failing_streak: Number = None
    log: list[ProbeResult] | None = None


class State(Wire):
    """The state in an inspect."""

    status: Text = None
    pid: Number = None
    exit_code: Number = None
    error: Text = None
    oom_killed: Flag = msgspec.field(default=None, name="OOMKilled")
    started_at: Text = None
    finished_at: Text = None
    health: HealthState | None = None


class HealthCheck(Wire):
    """The health check as configured. Nanoseconds; 0: the engine's default."""

    test: Texts = None
    interval: Number = None
    timeout: Number = None
    retries: Number = None
    start_period: Number = None


class ContainerConfig(Wire):
    """The portable part of a container's configuration."""

    image: Text = None
    cmd: Texts = None
    entrypoint: Texts = None
    env: Texts = None
    labels: TextMap = None
    tty: Flag = None
    user: Text = None
    healthcheck: HealthCheck | None = None
    stop_timeout: Number = None


class RestartPolicy(Wire):
    """What the engine does when a container ends."""

    name: Text = None
    maximum_retry_count: Number = None


class HostConfig(Wire):
    """The part of a container's configuration that belongs to its host."""

    memory: Number = None
    memory_swap: Number = None
    memory_reservation: Number = None
    nano_cpus: Number = None
    cpu_quota: Number = None
    cpu_period: Number = None
    cpu_shares: Number = None
    cpuset_cpus: Text = None
    pids_limit: Number = None
    auto_remove: Flag = None
    restart_policy: RestartPolicy | None = None


class Inspected(Wire):
    """`GET /containers/{id}/json`."""

    id: Text = None
    name: Text = None
    created: Text = None
    path: Text = None
    args: Texts = None
    image: Text = None
    restart_count: Number = None
    state: State | None = None
    config: ContainerConfig | None = None
    host_config: HostConfig | None = None
    network_settings: Networks | None = None
    mounts: list[MountPoint] | None = None


# -- the engine --------------------------------------------------------------------------------------------------------


class Cluster(Wire):
    """The swarm, in a manager's `/info`."""

    id: Text = msgspec.field(default=None, name="ID")


class SwarmInfo(Wire):
    """An engine's place in a swarm, in `/info`."""

    node_id: Text = msgspec.field(default=None, name="NodeID")
    local_node_state: Text = None
    control_available: Flag = None
    error: Text = None
    cluster: Cluster | None = None


class Info(Wire):
    """`GET /info`."""

    id: Text = msgspec.field(default=None, name="ID")
    name: Text = None
    containers_running: Number = None
    containers_paused: Number = None
    containers_stopped: Number = None
    driver: Text = None
    docker_root_dir: Text = None
    cgroup_version: Text = None
    operating_system: Text = None
    kernel_version: Text = None
    ncpu: Number = msgspec.field(default=None, name="NCPU")
    mem_total: Number = None
    server_version: Text = None
    system_time: Text = None
    security_options: Texts = None
    rootless: Flag = None
    buildah_version: Text = None
    swarm: SwarmInfo | None = None


class Component(Wire):
    """One part of an engine, in `/version`."""

    name: Text = None


class Version(Wire):
    """`GET /version`."""

    version: Text = None
    api_version: Text = None
    min_api_version: Text = msgspec.field(default=None, name="MinAPIVersion")
    components: list[Component] | None = None


# -- events ------------------------------------------------------------------------------------------------------------


class Actor(Wire):
    """The object of an event (never a person)."""

    id: Text = msgspec.field(default=None, name="ID")
    attributes: TextMap = None


class Event(Wire):
    """One line of `GET /events`; the legacy `status`, `id` and `from` are not read."""

    type: Text = None
    action: Text = None
    actor: Actor | None = None
    time: Number = msgspec.field(default=None, name="time")
    time_nano: Number = msgspec.field(default=None, name="timeNano")


# -- deeds -------------------------------------------------------------------------------------------------------------


class ExecProcess(msgspec.Struct):
    """What an exec runs, and as whom. The names are lower case here."""

    user: Text = None
    privileged: Flag = None


class ExecEntry(Wire):
    """`GET /exec/{id}/json`."""

    process_config: ExecProcess | None = None
    container_id: Text = msgspec.field(default=None, name="ContainerID")
    running: Flag = None
    exit_code: Number = None


class ImageEntry(Wire):
    """`GET /images/{id}/json`."""

    id: Text = None
    repo_digests: Texts = None


# -- errors ------------------------------------------------------------------------------------------------------------


class ErrorBody(msgspec.Struct):
    """What an engine says when it refuses (Podman adds `cause` and `response`)."""

    message: Text = None
    cause: Text = None
