"""A swarm as it comes over the wire: nodes, services with what they should be, tasks. As `wire`, it is not clean."""

from __future__ import annotations

import msgspec

from .wire import AnyMap, Flag, HealthCheck, Number, Text, TextMap, Texts, Wire


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


class SecretReference(Wire):
    """A secret of a task."""

    secret_name: Text = None


class ConfigReference(Wire):
    """A config of a task."""

    config_name: Text = None


class SpecMount(Wire):
    """A mount as a service asks for it."""

    type: Text = None
    source: Text = None
    target: Text = None


class ContainerSpec(Wire):
    """What a task's container is made of. In here `Command` is the entry point, `Args` what follows it."""

    image: Text = None
    labels: TextMap = None
    command: Texts = None
    args: Texts = None
    env: Texts = None
    dir: Text = None
    user: Text = None
    mounts: list[SpecMount] | None = None
    secrets: list[SecretReference] | None = None
    configs: list[ConfigReference] | None = None
    healthcheck: HealthCheck | None = None


class Amounts(Wire):
    """Limits or reservations of a task."""

    nano_cpus: Number = msgspec.field(default=None, name="NanoCPUs")
    memory_bytes: Number = None
    pids: Number = None


class Resources(Wire):
    """What a task may use, and what is kept for it."""

    limits: Amounts | None = None
    reservations: Amounts | None = None


class TaskRestart(Wire):
    """What the swarm does when a task ends. Nanoseconds."""

    condition: Text = None
    delay: Number = None
    max_attempts: Number = None
    window: Number = None


class Placement(Wire):
    """Where tasks may run."""

    constraints: Texts = None
    preferences: list[msgspec.Raw] | None = None
    max_replicas: Number = None


class NetworkTarget(Wire):
    """A network a task is connected to."""

    target: Text = None


class UpdateConfig(Wire):
    """How an update or a rollback goes. Nanoseconds."""

    parallelism: Number = None
    delay: Number = None
    failure_action: Text = None
    monitor: Number = None
    max_failure_ratio: float | None = None
    order: Text = None


class EndpointSpec(Wire):
    """Where a service is to be reached."""

    mode: Text = None
    ports: list[SwarmPort] | None = None


class TaskSpec(Wire):
    """What a task is made of."""

    container_spec: ContainerSpec | None = None
    resources: Resources | None = None
    restart_policy: TaskRestart | None = None
    placement: Placement | None = None
    networks: list[NetworkTarget] | None = None
    force_update: Number = None


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
    update_config: UpdateConfig | None = None
    rollback_config: UpdateConfig | None = None
    networks: list[NetworkTarget] | None = None
    endpoint_spec: EndpointSpec | None = None


class SwarmPort(Wire):
    """A port published by a service."""

    protocol: Text = None
    target_port: Number = None
    published_port: Number = None
    publish_mode: Text = None


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
    previous_spec: ServiceSpec | None = None
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
