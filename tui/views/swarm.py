"""View 8: nodes and their tasks, and why a task is pending or failed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

from fleettop.collectors import words
from fleettop.collectors.fleet import Changed, Fleet
from fleettop.collectors.model import ContainerKey, ServiceKey, SwarmNode, SwarmPicture, SwarmTask

from .. import format as fmt
from ..navigation import Scope
from ..rows import Cell, Column, Line, Row
from .base import Moment, SortKey, View
from .cells import DIM, age_since, seconds_since


class NodeKey(NamedTuple):
    """A node of a swarm."""

    cluster: str
    node: str


class TaskKey(NamedTuple):
    """A task that a person should look at: not settled, or failed lately."""

    cluster: str
    task: str


class ClusterKey(NamedTuple):
    """A swarm as a whole: its head line."""

    cluster: str


SETTLED = ("running", "complete")
_RPC = re.compile(r"rpc error: code = \w+ desc = ")
"""How managers hand on each other's errors; what a person wants to know comes after it."""


class SwarmView(View):
    """Nodes, each with the tasks on it that are not as they should be; those without a node first."""

    id = "swarm"
    title = "Swarm"
    noun = "nodes and tasks"
    columns = (
        Column(id="state", title="", width=1, worth=100),
        Column(id="name", title="NODE / TASK", width=20, grow=3, worth=99, limit=32),
        Column(id="role", title="ROLE", width=9, worth=70),
        Column(id="availability", title="AVAIL", width=7, worth=80),
        Column(id="word", title="STATE", width=10, worth=95),
        Column(id="tasks", title="TASKS", width=6, align="right", worth=90),
        Column(id="why", title="WHY", width=20, grow=8, worth=85),
        Column(id="host", title="REACHED AS", width=10, grow=1, worth=40, limit=16),
        Column(id="version", title="ENGINE", width=10, worth=30),
    )

    def keys(self, fleet: Fleet, scope: Scope) -> Iterable[Hashable]:
        """A head line a cluster, its nodes, and the tasks that need a look."""
        for picture in fleet.swarms.values():
            yield ClusterKey(picture.cluster_id)
            yield from (NodeKey(picture.cluster_id, node.id) for node in picture.nodes)
            yield from (TaskKey(picture.cluster_id, task.id) for task in troubled(picture))

    def has(self, fleet: Fleet, key: Hashable, scope: Scope) -> bool:
        """Whether it is there, and within the scope."""
        return any(key == other for other in self.keys(fleet, scope))

    def dirty(self, changed: Changed, fleet: Fleet) -> set[Hashable] | None:
        """A swarm is read whole, and so is looked at whole."""
        return None if changed.swarms else set()

    def row(self, fleet: Fleet, key: Hashable, moment: Moment) -> Row | None:
        """A cluster, a node or a task."""
        picture = _picture(fleet, key)
        if picture is None:
            return None
        if isinstance(key, ClusterKey):
            return Row(key=key, cells=(), span=cluster_cell(picture, moment))
        if isinstance(key, NodeKey):
            node = _node(picture, key.node)
            return _node_row(fleet, picture, node, key, moment) if node else None
        task = next((task for task in picture.tasks if isinstance(key, TaskKey) and task.id == key.task), None)
        return _task_row(picture, task, key, moment) if task else None

    def rank(self, fleet: Fleet, key: Hashable) -> SortKey:
        """By cluster: its head, its tasks without a node, then each node (worst first) with its tasks."""
        picture = _picture(fleet, key)
        if picture is None or isinstance(key, ClusterKey):
            return (picture.cluster_id if picture else "", 0)
        if isinstance(key, NodeKey):
            return (picture.cluster_id, 1, *_node_rank(picture, key.node), 0)
        task = next(task for task in picture.tasks if isinstance(key, TaskKey) and task.id == key.task)
        name = _task_name(picture, task)
        if not task.node_id:
            return (picture.cluster_id, 0, name, task.id)
        return (picture.cluster_id, 1, *_node_rank(picture, task.node_id), 1, name, task.id)

    def value(self, fleet: Fleet, key: Hashable, column: str) -> object:
        """Nodes keep their tasks under them: there is no other order."""
        return None

    def fields(self, fleet: Fleet, key: Hashable) -> Mapping[str, object]:
        """What the filter language sees."""
        picture = _picture(fleet, key)
        if picture is None:
            return {}
        if isinstance(key, NodeKey) and (node := _node(picture, key.node)):
            return {
                "name": node.hostname,
                "host": node.hostname,
                "state": node.state,
                "role": node.role,
                "availability": node.availability,
            }
        task = next((task for task in picture.tasks if isinstance(key, TaskKey) and task.id == key.task), None)
        if task is None:
            return {"name": picture.cluster_id}
        node = _node(picture, task.node_id)
        return {
            "name": _task_name(picture, task),
            "state": task.state,
            "host": node.hostname if node else "",
            "image": task.image,
        }

    def wrong(self, fleet: Fleet, key: Hashable) -> bool:
        """Tasks that are shown at all, nodes that are not ready or not active, a swarm that cannot be read."""
        picture = _picture(fleet, key)
        if picture is None:
            return False
        if isinstance(key, ClusterKey):
            return bool(picture.error)
        if isinstance(key, NodeKey):
            node = _node(picture, key.node)
            return node is not None and node_role(node) != "healthy"
        return True

    def detail(self, fleet: Fleet, key: Hashable, moment: Moment) -> tuple[Line, ...]:
        """A node with all its tasks, or all of a task."""
        picture = _picture(fleet, key)
        if picture is None:
            return ()
        if isinstance(key, NodeKey) and (node := _node(picture, key.node)):
            return _node_detail(picture, node, moment)
        if isinstance(key, TaskKey):
            task = next((task for task in picture.tasks if task.id == key.task), None)
            return _task_detail(picture, task, moment) if task else ()
        return _cluster_detail(picture, moment)

    def story(self, fleet: Fleet, key: Hashable, moment: Moment) -> Line:
        """Why a swarm cannot be read, a node is not ready or a task does not run, in the swarm's own words."""
        picture = _picture(fleet, key)
        if picture is None:
            return ()
        if isinstance(key, NodeKey):
            node = _node(picture, key.node)
            return (Cell(f"{node.hostname}: {node_reason(node)}"),) if node and node_reason(node) else ()
        task = next((task for task in picture.tasks if isinstance(key, TaskKey) and task.id == key.task), None)
        if task is not None:
            return (Cell(f"{_task_name(picture, task)}: {task_reason(task)}"),)
        return (Cell(_RPC.sub("", picture.error)),)

    def scope_of(self, fleet: Fleet, key: Hashable) -> tuple[str, Scope] | None:
        """A node's containers, where we have a link to it."""
        if isinstance(key, NodeKey):
            host = host_of_node(fleet, key.node)
            return ("containers", host) if host else None
        if isinstance(key, TaskKey) and (service := service_of_task(fleet, key)):
            return ("containers", service)
        return None

    def name_of(self, fleet: Fleet, key: Hashable) -> str:
        """What it is called."""
        return str(self.fields(fleet, key).get("name", ""))

    def history_scope(self, fleet: Fleet, key: Hashable) -> Scope:
        """Itself, or what it is about."""
        if isinstance(key, NodeKey):
            return host_of_node(fleet, key.node)
        return service_of_task(fleet, key) if isinstance(key, TaskKey) else None

    def restless(self, fleet: Fleet, key: Hashable, moment: Moment) -> bool:
        """Tasks that are on their way."""
        return isinstance(key, TaskKey)

    def containers(self, fleet: Fleet, key: Hashable) -> tuple[ContainerKey, ...]:
        """The task's container, where it is known."""
        return ()


def troubled(picture: SwarmPicture) -> tuple[SwarmTask, ...]:
    """Tasks that should run and do not, and the newest failed attempt of each slot that has no running one."""
    running = {(task.service_id, task.slot or task.node_id) for task in picture.tasks if task.state == "running"}
    newest: dict[tuple[str, object], SwarmTask] = {}
    for task in picture.tasks:
        if task.state in SETTLED or (task.desired == "shutdown" and task.state not in ("failed", "rejected")):
            continue
        slot = (task.service_id, task.slot or task.node_id)
        if slot in running and task.desired != "running":
            continue
        before = newest.get(slot)
        if before is None or _newer(task, before):
            newest[slot] = task
    return tuple(newest.values())


def _newer(task: SwarmTask, other: SwarmTask) -> bool:
    if (task.desired == "running") != (other.desired == "running"):
        return task.desired == "running"
    return (task.at or other.at) is not None and (other.at is None or (task.at is not None and task.at > other.at))


def node_role(node: SwarmNode) -> str:
    """The state a node is drawn as."""
    if node.state != "ready":
        return "down" if node.state == "down" else "unknown"
    if node.reachability == "unreachable":
        return "down"
    return "healthy" if node.availability == "active" else "degraded"


def cluster_cell(picture: SwarmPicture, moment: Moment) -> Cell:
    """The head line of a swarm."""
    managers = [node for node in picture.nodes if node.role == "manager"]
    up = sum(1 for node in managers if node.reachability in ("reachable", "") and node.state == "ready")
    quorum = len(managers) // 2 + 1
    dot = f" {moment.glyphs.dot} "
    words = [
        f"swarm {picture.cluster_id[:12]}",
        f"{len(picture.nodes)} nodes",
        f"{up} of {len(managers)} managers reachable, {quorum} needed",
        f"{len(picture.services)} services",
        f"read from {picture.manager}",
    ]
    if picture.error:
        why = picture.error.removeprefix("not knowable from here: ")
        return Cell(f"{words[0]}{dot}not knowable from here: {why}", "down")
    return Cell(dot.join(words), "group")


def host_of_node(fleet: Fleet, node_id: str) -> str:
    """The configured name of the engine that is this node; empty where there is no link to it."""
    for engine in fleet.engines.values():
        swarm = engine.info.swarm if engine.info else None
        if swarm is not None and swarm.node_id == node_id and not engine.same_as:
            return engine.name
    return ""


def service_of_task(fleet: Fleet, key: TaskKey) -> ServiceKey | None:
    """The service a task is an attempt at."""
    picture = fleet.swarms.get(key.cluster)
    task = next((task for task in picture.tasks if task.id == key.task), None) if picture else None
    if task is None:
        return None
    return next((s.key for s in fleet.services.values() if s.swarm_service_id == task.service_id), None)


def _picture(fleet: Fleet, key: Hashable) -> SwarmPicture | None:
    return fleet.swarms.get(str(key[0])) if isinstance(key, tuple) else None


def _node(picture: SwarmPicture, node_id: str) -> SwarmNode | None:
    return next((node for node in picture.nodes if node.id == node_id), None)


def _node_rank(picture: SwarmPicture, node_id: str) -> tuple[int, str, str]:
    node = _node(picture, node_id)
    if node is None:
        return (9, "", node_id)
    order = {"down": 0, "unknown": 1, "degraded": 2}.get(node_role(node), 3)
    return (order, node.hostname, node.id)


def _task_name(picture: SwarmPicture, task: SwarmTask) -> str:
    service = next((service.name for service in picture.services if service.id == task.service_id), task.service_id)
    return f"{service}.{task.slot}" if task.slot else service


def _node_row(fleet: Fleet, picture: SwarmPicture, node: SwarmNode, key: Hashable, moment: Moment) -> Row:
    role = node_role(node)
    mine = [task for task in picture.tasks if task.node_id == node.id]
    running = sum(1 for task in mine if task.state == "running")
    manager = "leader" if node.leader else node.role
    return Row(
        key=key,
        cells=(
            Cell(moment.glyphs.states[role], role),
            Cell(node.hostname, "" if role == "healthy" else "strong"),
            Cell(manager, DIM),
            Cell(node.availability, "degraded" if node.availability != "active" else DIM),
            Cell(node.state, role if role != "healthy" else DIM),
            Cell(str(running)),
            Cell(node_reason(node)),
            Cell(host_of_node(fleet, node.id) or "no link", DIM),
            Cell(node.engine_version, DIM),
        ),
    )


def node_reason(node: SwarmNode) -> str:
    """Why a node is not as the others; empty: it is."""
    if node.message:
        return node.message
    if node.reachability == "unreachable":
        return "managers cannot reach it"
    return "drained: its tasks run elsewhere" if node.availability == "drain" else ""


def _task_row(picture: SwarmPicture, task: SwarmTask, key: Hashable, moment: Moment) -> Row:
    role = "down" if task.state in ("failed", "rejected", "orphaned") else "starting"
    age = fmt.age_short(seconds_since(task.at, moment)) if task.at else moment.glyphs.dash
    return Row(
        key=key,
        cells=(
            Cell(moment.glyphs.states[role], role),
            Cell(f"  {_task_name(picture, task)}"),
            Cell("task", DIM),
            Cell("", DIM),
            Cell(task.state, role),
            Cell(age, DIM),
            Cell(task_reason(task), role if role == "down" else ""),
            Cell("", DIM),
            Cell(words.short_image(task.image), DIM),
        ),
    )


def task_reason(task: SwarmTask) -> str:
    """The swarm's own words on why a task is where it is."""
    words = task.error or task.message
    if task.exit_code:
        words = f"{words} (exit {task.exit_code})" if words and "exit" not in words else words
    return words or "no reason given"


def _cluster_detail(picture: SwarmPicture, moment: Moment) -> tuple[Line, ...]:
    lines: list[Line] = [(cluster_cell(picture, moment),), ()]
    for service in picture.services:
        wanted, running = ("?" if n is None else str(n) for n in (service.wanted, service.running))
        update = f"  {service.update_state}: {service.update_message}" if service.update_state else ""
        style = "" if service.running == service.wanted else "degraded"
        lines.append((Cell(f"{running}/{wanted} ".rjust(8), style), Cell(service.name), Cell(update, DIM)))
    return tuple(lines)


def _node_detail(picture: SwarmPicture, node: SwarmNode, moment: Moment) -> tuple[Line, ...]:
    role = node_role(node)
    lines: list[Line] = [
        (Cell(node.hostname, "title"), Cell("  "), Cell(f"{moment.glyphs.states[role]} {node.state}", role)),
        (Cell(f"{node.role}, {node.availability}, {node.address}, engine {node.engine_version}", DIM),),
    ]
    if node.message:
        lines.append((Cell(node.message),))
    mine = [task for task in picture.tasks if task.node_id == node.id]
    counts = Counter(task.state for task in mine)
    lines += [(), (Cell("tasks  ", "head"), Cell(", ".join(f"{n} {state}" for state, n in counts.most_common())))]
    lines += [_task_line(picture, task, moment) for task in _by_state(mine)]
    return tuple(lines)


def _by_state(tasks: Sequence[SwarmTask]) -> list[SwarmTask]:
    return sorted(tasks, key=lambda task: (task.state != "running", task.service_id, task.slot or 0))


def _task_line(picture: SwarmPicture, task: SwarmTask, moment: Moment) -> Line:
    role = "healthy" if task.state in SETTLED else "down" if task.state in ("failed", "rejected") else "stopped"
    words = "" if task.state in SETTLED else f"  {task_reason(task)}"
    return (
        Cell(f"{moment.glyphs.states[role]} ", role),
        Cell(_task_name(picture, task)),
        Cell(f"  {task.state}", DIM),
        Cell(words),
    )


def _task_detail(picture: SwarmPicture, task: SwarmTask, moment: Moment) -> tuple[Line, ...]:
    node = _node(picture, task.node_id)
    role = "down" if task.state in ("failed", "rejected", "orphaned") else "starting"
    since = f" for {age_since(task.at, moment)}" if task.at else ""
    return (
        (Cell(_task_name(picture, task), "title"), Cell("  "), Cell(f"{task.state}{since}", role)),
        (Cell(task_reason(task)),),
        (),
        (Cell("wanted   ", DIM), Cell(task.desired)),
        (Cell("node     ", DIM), Cell(node.hostname if node else "none yet")),
        (Cell("image    ", DIM), Cell(task.image)),
        (Cell("task     ", DIM), Cell(task.id)),
    )
