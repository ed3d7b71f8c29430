"""From a manager's picture of its swarm to how the replicas of its services stand. Pure.

A replica is what a slot wants to run: a task whose desired state is `running`. Where the engine that runs it is
watched, its container tells how it stands; elsewhere the task's own state does (it is `running` only once healthy).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from ..cause.history import HOUR, LOOP_WINDOW, SETTLE, End
from ..model import ContainerKey, ContainerState, Health, Replica, SwarmNode, SwarmPicture, SwarmService, SwarmTask
from .replicas import LOOP, Condition, Standing, earliest

RAN = frozenset(("failed", "rejected", "complete", "shutdown", "orphaned"))
FAILED = frozenset(("failed", "rejected", "orphaned"))

Ours = Callable[[datetime], datetime]
"""From the manager's clock to ours."""


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
    service: SwarmService,
    *,
    host: str,
    node: SwarmNode | None,
    ours: Ours,
) -> Standing:
    """How a replica stands whose container we cannot see, by what the manager says of its task."""
    state, condition = _state(task, node)
    at = ours(task.at) if task.at is not None else None
    return Standing(
        replica=Replica(
            container=None,
            host=host,
            name=f"{service.name}.{task.slot or task.node_id[:12]}",
            number=str(task.slot or ""),
            state=state,
            health=Health.UNKNOWN,
            serving=condition is Condition.SERVING,
            task_id=task.id,
            note=_note(task, node),
        ),
        condition=condition,
        end=End.EXITED if task.state in FAILED else End.NONE,
        exit_code=task.exit_code,
        serving_since=at if condition is Condition.SERVING else None,
        ended=at if task.state in RAN else None,
        since=at if task.state in RAN else None,
    )


def with_attempts(standing: Standing, earlier: Sequence[SwarmTask], now: datetime, ours: Ours) -> Standing:
    """The same in the light of the attempts that failed before: since when it is missing, and whether that repeats.

    A manager keeps the last few attempts of each slot. As a container in a crash loop, a replica whose attempts fail
    again and again counts as serving only once it has run for a minute.
    """
    failed = [t for t in earlier if t.state in FAILED and t.at is not None]
    recent = sorted(ours(t.at) for t in failed if t.at is not None and now - ours(t.at) < LOOP_WINDOW)
    looping = standing.looping or len(recent) >= LOOP
    condition, changes = standing.condition, standing.changes_at
    if looping and condition is Condition.SERVING and standing.serving_since is not None:
        settles = standing.serving_since + SETTLE
        if settles > now:
            condition, changes = Condition.STARTING, earliest(changes, settles)
    if recent:
        changes = earliest(changes, recent[0] + LOOP_WINDOW)
    fields: dict[str, Any] = {"looping": looping, "condition": condition, "changes_at": changes}
    if looping and not standing.looping:
        last = max(failed, key=lambda t: t.at.timestamp() if t.at is not None else 0.0)
        fields |= {"loop_count": len(recent), "since": recent[0], "end": End.EXITED, "exit_code": last.exit_code}
        fields |= {"error": "" if "non-zero exit" in last.error else last.error, "ended": recent[-1]}
    elif condition is not Condition.SERVING and standing.since is None:
        ended = [ours(t.at) for t in earlier if t.at is not None and t.state in RAN]
        fields |= {"since": max(ended, default=None), "certain": bool(ended)}
    if condition is not standing.condition:
        fields["replica"] = msgspec.structs.replace(standing.replica, serving=False, note="starting")
    changed: Standing = msgspec.structs.replace(standing, **fields)
    return changed


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


def restarts(tasks: Iterable[SwarmTask], now: datetime, ours: Ours) -> tuple[int, datetime | None]:
    """Replicas that had to be replaced in the last hour since they failed, and when that number changes by itself."""
    ends = sorted(ours(t.at) for t in tasks if t.state in FAILED and t.at is not None)
    recent = [end for end in ends if now - end < HOUR]
    return len(recent), recent[0] + HOUR if recent else None


def container_of(task: SwarmTask, engine: str) -> ContainerKey | None:
    """The task's container on the engine that runs it."""
    return ContainerKey(engine, task.container_id) if task.container_id and engine else None
