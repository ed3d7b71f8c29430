"""Telling a swarm whether one of its nodes takes tasks, and waiting until a drained one has none."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..errors import ConnectionLost, EngineError, FleetError, Malformed, NotAnswering, Rejected, TimedOut
from . import phrases
from .paths import segment
from .steps import Outcome, Reach, Step
from .swarmdeeds import STALE, Done

if TYPE_CHECKING:
    from .deeds import Doing

_LOST = (NotAnswering, TimedOut, ConnectionLost)


async def node_now(way: Reach, node: str) -> tuple[int, dict[str, object]] | None:
    """A node's version and its raw spec, read from a manager; None: it is gone. Raises EngineError."""
    raw = await way.client.uncleaned(f"/nodes/{segment(node)}")
    if raw is None:
        return None
    version = raw.get("Version") if isinstance(raw, dict) else None
    spec = raw.get("Spec") if isinstance(raw, dict) else None
    index = version.get("Index") if isinstance(version, dict) else None
    if not isinstance(index, int) or not isinstance(spec, dict):
        raise Malformed("The manager tells of the node without its version or its spec.", where="a node")
    return index, spec


async def do_on_node(step: Step, way: Reach, doing: Doing) -> Done:
    """Change its availability at the version that was read, if it is still the one a person was asked about."""
    doing.phase(step, f"reading {step.object_name} from {step.engine}")
    try:
        now = await node_now(way, step.object_id)
    except FleetError as error:
        return Outcome.REFUSED, f"not begun: {str(error).rstrip('.')}"
    if now is None:
        return Outcome.FAILURE, "the node is gone: somebody removed it meanwhile"
    version, spec = now
    if step.expected and spec.get("Availability") != step.expected:
        return Outcome.REFUSED, f"the node was changed meanwhile (it is {spec.get('Availability')} now): look again"
    doing.phase(step, step.words)
    try:
        changed = {**spec, "Availability": step.availability}
        await doing.writer(step.engine).update_node(step.object_id, version=version, spec=changed)
    except _LOST as error:
        return await _after_lost_answer(step, way, str(error))
    except Rejected as error:
        if STALE in str(error):
            return Outcome.REFUSED, "the node was changed meanwhile: look again"
        return Outcome.FAILURE, str(error).rstrip(".")
    except FleetError as error:
        outcome = Outcome.REFUSED if isinstance(error, EngineError) and error.transient else Outcome.FAILURE
        return outcome, str(error).rstrip(".")
    if step.availability != "drain":
        return Outcome.SUCCESS, f"it is {step.availability} now"
    return await _until_empty(step, way, doing)


async def _after_lost_answer(step: Step, way: Reach, lost: str) -> Done:
    with suppress(EngineError):
        found = await node_now(way, step.object_id)
        if found is not None and found[1].get("Availability") == step.availability:
            return Outcome.SUCCESS, f"lost the answer; it is {step.availability} now: done"
        return Outcome.UNKNOWN, "lost the answer; the node is as it was: not done so far"
    return Outcome.UNKNOWN, f"{lost.rstrip('.')}; what became of it is not known: look when it answers again"


async def _until_empty(step: Step, way: Reach, doing: Doing) -> Done:
    """Until none of its tasks runs; the swarm drains it in any case."""
    begin = doing.clock.monotonic()
    filters = quote(json.dumps({"node": {step.object_id: True}}))
    left: int | None = None
    while True:
        with suppress(EngineError):
            found = await way.client.uncleaned("/tasks", f"filters={filters}")
            rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
            left = sum(1 for row in rows if isinstance(s := row.get("Status"), dict) and s.get("State") == "running")
            if left == 0:
                return Outcome.SUCCESS, "drained: none of the swarm's tasks runs there"
        words = "whether tasks still run there is not known"
        words = words if left is None else f"{phrases.count(left, 'task')} still there"
        doing.phase(step, words)
        if doing.stop.is_set():
            return Outcome.SUCCESS, f"the swarm took it; {words}"
        if doing.clock.monotonic() - begin >= doing.pace.healthy:
            return Outcome.FAILURE, f"the swarm took it, but after {phrases.took(doing.pace.healthy)}: {words}"
        with suppress(TimeoutError):
            await asyncio.wait_for(doing.stop.wait(), doing.pace.poll)
