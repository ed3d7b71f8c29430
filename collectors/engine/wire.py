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


# -- swarm -------------------------------------------------------------------------------------------------------------


class Index(Wire):
    """The version of a swarm object, needed to change it."""

    index: Number = None


class NodeSpec(Wire):
    """What a node should be."""

    role: Text = None
    availability: Text = None


class NodeEngine(Wire):
    """The engine of a node."""

    engine_version: Text = None


class NodeDescription(Wire):
    """What a node is."""

    hostname: Text = None
    engine: NodeEngine | None = None


class NodeStatus(Wire):
    """How a node is."""

    state: Text = None
    message: Text = None
    addr: Text = None


class ManagerStatus(Wire):
    """A manager among managers."""

    leader: Flag = None
    reachability: Text = None
    addr: Text = None


class Node(Wire):
    """One row of `GET /nodes`."""

    id: Text = msgspec.field(default=None, name="ID")
    spec: NodeSpec | None = None
    description: NodeDescription | None = None
    status: NodeStatus | None = None
    manager_status: ManagerStatus | None = None


class ContainerSpec(Wire):
    """What a task's container is made of."""

    image: Text = None


class TaskSpec(Wire):
    """What a task is made of."""

    container_spec: ContainerSpec | None = None


class Replicated(Wire):
    """So many replicas."""

    replicas: Number = None


class JobMode(Wire):
    """Tasks that run to completion."""

    max_concurrent: Number = None
    total_completions: Number = None


class Mode(Wire):
    """How a service spreads: exactly one of these is there."""

    replicated: Replicated | None = None
    global_: AnyMap = msgspec.field(default=None, name="Global")
    replicated_job: JobMode | None = None
    global_job: AnyMap = None


class ServiceSpec(Wire):
    """What a service should be."""

    name: Text = None
    labels: TextMap = None
    task_template: TaskSpec | None = None
    mode: Mode | None = None


class SwarmPort(Wire):
    """A port published by a service."""

    protocol: Text = None
    target_port: Number = None
    published_port: Number = None


class SwarmEndpoint(Wire):
    """Where a service is reached."""

    ports: list[SwarmPort] | None = None


class UpdateStatus(Wire):
    """How the last update of a service goes."""

    state: Text = None
    message: Text = None


class ServiceStatus(Wire):
    """The counts of `?status=true` (API 1.41)."""

    running_tasks: Number = None
    desired_tasks: Number = None


class ServiceRow(Wire):
    """One row of `GET /services`."""

    id: Text = msgspec.field(default=None, name="ID")
    version: Index | None = None
    updated_at: Text = None
    spec: ServiceSpec | None = None
    endpoint: SwarmEndpoint | None = None
    update_status: UpdateStatus | None = None
    service_status: ServiceStatus | None = None


class ContainerStatus(Wire):
    """The container of a task."""

    container_id: Text = msgspec.field(default=None, name="ContainerID")
    exit_code: Number = None


class TaskStatus(Wire):
    """How a task is."""

    timestamp: Text = None
    state: Text = None
    message: Text = None
    err: Text = None
    container_status: ContainerStatus | None = None


class Task(Wire):
    """One row of `GET /tasks`."""

    id: Text = msgspec.field(default=None, name="ID")
    service_id: Text = msgspec.field(default=None, name="ServiceID")
    node_id: Text = msgspec.field(default=None, name="NodeID")
    slot: Number = None
    desired_state: Text = None
    spec: TaskSpec | None = None
    status: TaskStatus | None = None


class RawServiceHead(Wire):
    """What an action needs of a service: its version and its spec, to be sent back with one field changed."""

    id: Text = msgspec.field(default=None, name="ID")
    version: Index | None = None
    spec: dict[str, object] | None = None


# -- errors ------------------------------------------------------------------------------------------------------------


class ErrorBody(msgspec.Struct):
    """What an engine says when it refuses (Podman adds `cause` and `response`)."""

    message: Text = None
    cause: Text = None
