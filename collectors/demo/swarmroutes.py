"""The routes of a simulated swarm. Only its managers answer them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from ..errors import Rejected
from . import swarmrows
from .query import filters, number, truth
from .server import Answer, Call, Routes, empty, say
from .swarm import Swarm
from .swarmthings import Node, Service, Task

_NO_MEMBER = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node '
    "to swarm and try again."
)
_WORKER = (
    "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. "
    "Please run this command on a manager node or promote the current node to a manager."
)
_LEADERLESS = (
    "rpc error: code = Unknown desc = The swarm does not have a leader. "
    "It's possible that too few managers are online. Make sure more than half of the managers are online."
)
Filters = Mapping[str, Sequence[str]]


def add_swarm(routes: Routes) -> None:
    """Put the routes of the swarm into the table."""
    table: tuple[tuple[str, str, Callable[[Call, Swarm], Awaitable[Answer]]], ...] = (
        ("GET", "/nodes", list_nodes),
        ("GET", "/nodes/{}", inspect_node),
        ("POST", "/nodes/{}/update", update_node),
        ("GET", "/services", list_services),
        ("POST", "/services/create", create_service),
        ("GET", "/services/{}", inspect_service),
        ("POST", "/services/{}/update", update_service),
        ("DELETE", "/services/{}", remove_service),
        ("GET", "/tasks", list_tasks),
        ("GET", "/tasks/{}", inspect_task),
    )
    for method, path, route in table:
        routes.add(method, path, _of_manager(route))


def _of_manager(route: Callable[[Call, Swarm], Awaitable[Answer]]) -> Callable[[Call], Awaitable[Answer]]:
    async def answer(call: Call) -> Answer:
        swarm = call.world.swarm
        node = swarm.node_of(call.machine) if swarm is not None else None
        if swarm is None or node is None:
            raise Rejected(_NO_MEMBER, status=503)
        if node.role != "manager":
            raise Rejected(_WORKER, status=503)
        if swarm.leader is None:
            raise Rejected(_LEADERLESS, status=503)
        return await route(call, swarm)

    return answer


def _version(call: Call) -> int:
    version = number(call.query("version"), -1)
    if version < 0:
        raise Rejected(f"invalid version '{call.query('version') or ''}'", status=400)
    return version


# -- nodes -------------------------------------------------------------------------------------------------------------


async def list_nodes(call: Call, swarm: Swarm) -> Answer:
    """`GET /nodes`."""
    wanted = filters(call.query("filters"))
    return say(call.machine, [swarmrows.node(swarm, one) for one in swarm.nodes.values() if _node_fits(one, wanted)])


def _node_fits(node: Node, wanted: Filters) -> bool:
    return (
        _any(wanted.get("id"), node.id.startswith)
        and _any(wanted.get("name"), node.machine.name.startswith)
        and _any(wanted.get("role"), lambda value: node.role == value)
    )


async def inspect_node(call: Call, swarm: Swarm) -> Answer:
    """`GET /nodes/{id}`."""
    return say(call.machine, swarmrows.node(swarm, swarm.find_node(call.target)))


async def update_node(call: Call, swarm: Swarm) -> Answer:
    """`POST /nodes/{id}/update?version=`."""
    swarm.update_node(swarm.find_node(call.target), await call.body(), version=_version(call))
    return empty(call.machine, 200)


# -- services ----------------------------------------------------------------------------------------------------------


async def list_services(call: Call, swarm: Swarm) -> Answer:
    """`GET /services`."""
    wanted, status = filters(call.query("filters")), truth(call.query("status"))
    found = [one for one in swarm.services.values() if _service_fits(one, wanted)]
    return say(call.machine, [swarmrows.service(swarm, one, status=status) for one in found])


def _service_fits(service: Service, wanted: Filters) -> bool:
    labels = service.spec.get("Labels") or {}
    return (
        _any(wanted.get("id"), service.id.startswith)
        and _any(wanted.get("name"), service.name.startswith)
        and _any(wanted.get("label"), lambda value: _has_label(labels, value))
    )


def _has_label(labels: Mapping[str, str], wanted: str) -> bool:
    name, equals, value = wanted.partition("=")
    return name in labels and (not equals or labels[name] == value)


async def create_service(call: Call, swarm: Swarm) -> Answer:
    """`POST /services/create`. Only of images that the fleet knows."""
    spec = await call.body()
    ref = str(((spec.get("TaskTemplate") or {}).get("ContainerSpec") or {}).get("Image") or "").partition("@")[0]
    if not spec.get("Name") or ref.rpartition(":")[0] not in call.world.shelf.parts:
        words = "ContainerSpec: image reference must be provided"
        raise Rejected(f"rpc error: code = InvalidArgument desc = {words}", status=400)
    if any(one.name == spec["Name"] for one in swarm.services.values()):
        words = f"name conflicts with an existing object: service {spec['Name']} already exists"
        raise Rejected(f"rpc error: code = AlreadyExists desc = {words}", status=409)
    return say(call.machine, {"ID": swarm.create(spec).id}, status=201)


async def inspect_service(call: Call, swarm: Swarm) -> Answer:
    """`GET /services/{id}`."""
    return say(call.machine, swarmrows.service(swarm, swarm.find_service(call.target)))


async def update_service(call: Call, swarm: Swarm) -> Answer:
    """`POST /services/{id}/update?version=`: 500 "update out of sequence" where that is not the present version."""
    service, version = swarm.find_service(call.target), _version(call)
    if call.query("rollback") == "previous":
        swarm.rollback(service, version=version)
    else:
        spec = await call.body()
        if spec.get("Name") != service.name:
            raise Rejected("rpc error: code = Unimplemented desc = renaming services is not supported", status=501)
        swarm.update(service, spec, version=version)
    return say(call.machine, {"Warnings": None})


async def remove_service(call: Call, swarm: Swarm) -> Answer:
    """`DELETE /services/{id}`."""
    swarm.remove(swarm.find_service(call.target))
    return empty(call.machine, 200)


# -- tasks -------------------------------------------------------------------------------------------------------------


async def list_tasks(call: Call, swarm: Swarm) -> Answer:
    """`GET /tasks`."""
    wanted = filters(call.query("filters"))
    found = [one for one in swarm.tasks() if _task_fits(one, wanted)]
    return say(call.machine, [swarmrows.task(one) for one in found])


def _task_fits(task: Task, wanted: Filters) -> bool:
    node = task.node
    return (
        _any(wanted.get("id"), task.id.startswith)
        and _any(wanted.get("service"), lambda value: value in (task.service.id, task.service.name))
        and _any(wanted.get("desired-state"), lambda value: task.desired == value)
        and _any(wanted.get("node"), lambda value: node is not None and value in (node.id, node.machine.name))
        and _any(wanted.get("name"), task.service.name.startswith)
    )


async def inspect_task(call: Call, swarm: Swarm) -> Answer:
    """`GET /tasks/{id}`."""
    for one in swarm.tasks():
        if one.id.startswith(call.target):
            return say(call.machine, swarmrows.task(one))
    raise Rejected(f"task {call.target} not found", status=404)


def _any(values: Sequence[str] | None, fits: Callable[[str], bool]) -> bool:
    return not values or any(fits(value) for value in values)
