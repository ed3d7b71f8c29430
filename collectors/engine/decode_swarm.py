"""A swarm as one of its managers tells it: nodes, services and tasks, row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from ..model import Port, SwarmNode, SwarmService, SwarmTask
from ..text import plain
from . import wire_swarm as wire
from .decode_design import design
from .fields import is_swarm_id, labels, malformed, moment, ordered_ports, parse, parse_rows, safe, word

_NODES: msgspec.json.Decoder[list[wire.Node] | None] = msgspec.json.Decoder(list[wire.Node] | None)
_NODE = msgspec.json.Decoder(wire.Node)
_SERVICES: msgspec.json.Decoder[list[wire.ServiceRow] | None] = msgspec.json.Decoder(list[wire.ServiceRow] | None)
_SERVICE = msgspec.json.Decoder(wire.ServiceRow)
_TASKS: msgspec.json.Decoder[list[wire.Task] | None] = msgspec.json.Decoder(list[wire.Task] | None)
_TASK = msgspec.json.Decoder(wire.Task)
_RAW_SERVICE = msgspec.json.Decoder(wire.RawServiceHead)

STACK = "com.docker.stack.namespace"
_RUNS = ("running", "starting", "ready", "preparing", "assigned", "accepted", "pending", "new", "allocated")


class RawService(msgspec.Struct, frozen=True):
    """A service as the engine keeps it, to be sent back with one field changed.

    Never shown: it is neither clean nor redacted.
    """

    id: str
    version: int
    spec: dict[str, object]


def decode_nodes(body: bytes) -> tuple[tuple[SwarmNode, ...], tuple[str, ...]]:
    """`GET /nodes`: the nodes, and the ids of rows that make no sense. Raises Malformed where it is no list."""
    return parse_rows(body, _NODES, _NODE, _node, "nodes")


def decode_tasks(body: bytes) -> tuple[tuple[SwarmTask, ...], tuple[str, ...]]:
    """`GET /tasks`, likewise."""
    return parse_rows(body, _TASKS, _TASK, _task, "tasks")


def decode_services(body: bytes, tasks: Iterable[SwarmTask]) -> tuple[tuple[SwarmService, ...], tuple[str, ...]]:
    """`GET /services`, likewise. Where the rows hold no counts (API 1.40) they are counted from `tasks`."""
    counts = count(tasks)
    return parse_rows(body, _SERVICES, _SERVICE, lambda row: _service(row, counts), "services")


def decode_raw_service(body: bytes) -> RawService:
    """`GET /services/{id}`, for an action. Raises Malformed."""
    found = parse(_RAW_SERVICE, body, "service")
    if not found.id or not is_swarm_id(found.id) or found.version is None or found.version.index is None:
        raise malformed("service", "its id or its version is missing")
    if found.spec is None:
        raise malformed("service", "its spec is missing")
    return RawService(found.id, found.version.index, found.spec)


def count(tasks: Iterable[SwarmTask]) -> Mapping[str, tuple[int, int]]:
    """By service: how many tasks are wanted, and how many run (moby: daemon/cluster/services.go, GetServices)."""
    wanted: Counter[str] = Counter()
    running: Counter[str] = Counter()
    for task in tasks:
        wanted[task.service_id] += task.desired == "running"
        running[task.service_id] += task.state == "running"
    return {service: (wanted[service], running[service]) for service in wanted}


def _id(text: str | None, what: str) -> str:
    if text is None or not is_swarm_id(text):
        raise malformed(f"{what} id", plain(repr(text), 80))
    return text


def _node(row: wire.Node) -> SwarmNode:
    spec, status = row.spec or wire.NodeSpec(), row.status or wire.NodeStatus()
    manager, description = row.manager_status, row.description or wire.NodeDescription()
    return SwarmNode(
        id=_id(row.id, "node"),
        hostname=word(description.hostname),
        role=word(spec.role),
        availability=word(spec.availability),
        state=word(status.state),
        address=word(status.addr),
        leader=manager is not None and manager.leader is True,
        reachability=word(manager.reachability) if manager else "",
        message=safe(status.message),
        engine_version=word(description.engine.engine_version) if description.engine else "",
    )


def _image(template: wire.TaskSpec | None) -> tuple[str, str]:
    """`name:tag` and the digest swarm pinned it to."""
    image = template.container_spec.image if template and template.container_spec else None
    name, _, digest = word(image, 512).partition("@")
    return name, digest


def _task(row: wire.Task) -> SwarmTask:
    status = row.status or wire.TaskStatus()
    container = status.container_status or wire.ContainerStatus()
    has_container = bool(container.container_id)
    return SwarmTask(
        id=_id(row.id, "task"),
        service_id=_id(row.service_id, "service") if row.service_id else "",
        node_id=_id(row.node_id, "node") if row.node_id else "",
        slot=row.slot or None,
        state=word(status.state),
        desired=word(row.desired_state),
        message=safe(status.message),
        error=safe(status.err),
        container_id=word(container.container_id),
        exit_code=container.exit_code if has_container and status.state not in _RUNS else None,
        image=_image(row.spec)[0],
        at=moment(status.timestamp),
    )


def _service(row: wire.ServiceRow, counts: Mapping[str, tuple[int, int]]) -> SwarmService:
    service_id = _id(row.id, "service")
    spec = row.spec or wire.ServiceSpec()
    mode = spec.mode or wire.Mode()
    image, digest = _image(spec.task_template)
    clean = labels(spec.labels)
    update = row.update_status or wire.UpdateStatus()
    wanted, running = counts.get(service_id, (0, 0))
    if row.service_status is not None:
        # Go leaves zeros out of neither, but a null object means the engine did not count (API 1.40).
        wanted, running = row.service_status.desired_tasks or 0, row.service_status.running_tasks or 0
    if mode.replicated is not None and mode.replicated.replicas is not None:
        wanted = mode.replicated.replicas
    return SwarmService(
        id=service_id,
        name=word(spec.name) or service_id,
        stack=clean.get(STACK, ""),
        mode=_mode(mode),
        wanted=wanted,
        running=running,
        image=image,
        digest=digest,
        version=(row.version.index or 0) if row.version else 0,
        labels=clean,
        ports=_ports(row.endpoint),
        update_state=word(update.state),
        update_message=safe(update.message),
        updated=moment(row.updated_at),
        design=design(spec, _mode(mode)),
        before=design(row.previous_spec, _mode(row.previous_spec.mode or wire.Mode())) if row.previous_spec else None,
    )


def _mode(mode: wire.Mode) -> str:
    if mode.replicated is not None:
        return "replicated"
    if mode.replicated_job is not None:
        return "replicated-job"
    if mode.global_job is not None:
        return "global-job"
    return "global" if mode.global_ is not None else "unknown"


def _ports(endpoint: wire.SwarmEndpoint | None) -> tuple[Port, ...]:
    if endpoint is None or not endpoint.ports:
        return ()
    return ordered_ports(
        [
            Port(private=port.target_port, public=port.published_port or None, protocol=word(port.protocol) or "tcp")
            for port in endpoint.ports
            if port.target_port is not None
        ]
    )
