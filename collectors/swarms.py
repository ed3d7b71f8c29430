"""From a manager's picture of its swarm to how the replicas of its services stand. Pure.

A replica is what a slot wants to run: a task whose desired state is `running`. Where the engine that runs it is
watched, its container tells how it stands; elsewhere the task's own state does (it is `running` only once healthy).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from .history import HOUR, LOOP_WINDOW, End
from .model import ContainerKey, ContainerState, Health, Replica, SwarmNode, SwarmPicture, SwarmService, SwarmTask
from .replicas import LOOP, Condition, Standing

RAN = frozenset(("failed", "rejected", "complete", "shutdown", "orphaned"))
FAILED = frozenset(("failed", "rejected", "orphaned"))
COMING = frozenset(("new", "allocated", "pending", "assigned", "accepted", "preparing", "ready", "starting"))

Tasks = Mapping[str, Sequence[SwarmTask]]


class Picture:
    """A picture with its tasks and nodes laid out by id."""

    def __init__(self, picture: SwarmPicture) -> None:
        self.picture = picture
        self.services: dict[str, SwarmService] = {service.id: service for service in picture.services}
        self.nodes: dict[str, SwarmNode] = {node.id: node for node in picture.nodes}
        self.tasks: dict[str, list[SwarmTask]] = defaultdict(list)
        for task in picture.tasks:
            self.tasks[task.service_id].append(task)

    def of(self, service_id: str) -> tuple[SwarmService | None, Sequence[SwarmTask], Sequence[str]]:
        """All that its state depends on: if it is equal, nothing changed."""
        tasks = self.tasks.get(service_id, [])
        nodes = sorted({task.node_id for task in tasks if task.node_id})
        words = [f"{n}:{node.hostname}:{node.state}" for n in nodes if (node := self.nodes.get(n)) is not None]
        return self.services.get(service_id), tasks, words


def slots(tasks: Iterable[SwarmTask]) -> dict[str, list[SwarmTask]]:
    """Tasks by the replica they are attempts at, the newest first. A global service has one slot a node."""
    by_slot: dict[str, list[SwarmTask]] = defaultdict(list)
    for task in tasks:
        by_slot[str(task.slot) if task.slot else task.node_id].append(task)
    for attempts in by_slot.values():
        attempts.sort(key=_newest, reverse=True)
    return by_slot


def _newest(task: SwarmTask) -> tuple[bool, float]:
    return task.desired in ("running", "ready"), task.at.timestamp() if task.at else 0.0


def wanted_tasks(tasks: Iterable[SwarmTask]) -> list[tuple[SwarmTask, list[SwarmTask]]]:
    """The task each slot wants to run now, with the attempts before it."""
    result: list[tuple[SwarmTask, list[SwarmTask]]] = []
    for attempts in slots(tasks).values():
        current = [t for t in attempts if t.desired in ("running", "ready", "complete")]
        running = [t for t in current if t.state == "running" and t.desired == "running"]
        if current:
            chosen = running[0] if running else current[0]
            result.append((chosen, [t for t in attempts if t is not chosen]))
    return sorted(result, key=lambda pair: _by_number(pair[0]))


def _by_number(task: SwarmTask) -> tuple[int, str]:
    return task.slot or 0, task.node_id


def standing_of_task(
    task: SwarmTask,
    earlier: Sequence[SwarmTask],
    service: SwarmService,
    *,
    host: str,
    node: SwarmNode | None,
    now: datetime,
    ours: Callable[[datetime], datetime],
) -> Standing:
    """How a replica stands whose container we cannot see, by what the manager says of its task."""
    state, condition = _state(task, node)
    loop = looping(earlier, now, ours)
    since = lost_at(task, earlier, ours)
    name = f"{service.name}.{task.slot or short_node(task.node_id)}"
    return Standing(
        replica=Replica(
            container=None,
            host=host,
            name=name,
            number=str(task.slot or ""),
            state=state,
            health=Health.UNKNOWN,
            serving=condition is Condition.SERVING,
            task_id=task.id,
            note=_note(task, node),
        ),
        condition=condition,
        looping=loop,
        end=End.EXITED if condition is Condition.FAILED else End.NONE,
        exit_code=task.exit_code,
        since=None if condition is Condition.SERVING else since,
        certain=since is not None,
    )


def _state(task: SwarmTask, node: SwarmNode | None) -> tuple[ContainerState, Condition]:
    if node is not None and node.state in ("down", "disconnected", "unknown") and task.state not in RAN:
        return ContainerState.UNKNOWN, Condition.FAILED
    if task.state == "running":
        return ContainerState.RUNNING, Condition.SERVING
    if task.state == "complete":
        return ContainerState.EXITED, Condition.AT_REST
    if task.state in RAN or task.state == "remove":
        return ContainerState.EXITED, Condition.FAILED
    if task.error or task.state == "pending":
        return ContainerState.CREATED, Condition.FAILED  # it waits for something that is not there
    return ContainerState.CREATED, Condition.STARTING


def _note(task: SwarmTask, node: SwarmNode | None) -> str:
    if node is not None and node.state in ("down", "disconnected", "unknown"):
        return f"node {node.hostname} is {node.state}"
    if task.state == "running":
        return ""
    words = task.error or task.message
    return f"{task.state}: {words}" if words and words != task.state else task.state


def looping(earlier: Iterable[SwarmTask], now: datetime, ours: Callable[[datetime], datetime]) -> bool:
    """Whether a slot's attempts fail again and again (a manager keeps the last few of each slot)."""
    return failures(earlier, now, LOOP_WINDOW.total_seconds(), ours) >= LOOP


def failures(tasks: Iterable[SwarmTask], now: datetime, seconds: float, ours: Callable[[datetime], datetime]) -> int:
    """How many of these tasks failed in the last `seconds`."""
    return sum(
        1 for t in tasks if t.state in FAILED and t.at is not None and (now - ours(t.at)).total_seconds() <= seconds
    )


def restarts(tasks: Iterable[SwarmTask], now: datetime, ours: Callable[[datetime], datetime]) -> int:
    """Replicas that had to be replaced in the last hour since they failed."""
    return failures(tasks, now, HOUR.total_seconds(), ours)


def lost_at(task: SwarmTask, earlier: Iterable[SwarmTask], ours: Callable[[datetime], datetime]) -> datetime | None:
    """When this slot last had a running task, as far as the kept attempts tell."""
    ended = [t.at for t in (task, *earlier) if t.at is not None and t.state in RAN]
    if task.state in FAILED and task.at is not None:
        return ours(task.at)
    return ours(max(ended)) if ended else None


def short_node(node_id: str) -> str:
    """Twelve characters of a node's id."""
    return node_id[:12]


def container_of(task: SwarmTask, engine: str) -> ContainerKey | None:
    """The task's container on the engine that runs it."""
    return ContainerKey(engine, task.container_id) if task.container_id and engine else None
