"""Telling a swarm: a number of replicas, or to replace a service's tasks; and waiting for what it makes of it."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..errors import ConnectionLost, EngineError, FleetError, NotAnswering, Rejected, TimedOut
from ..text import plain
from . import phrases
from .spec import ServiceNow, service_now
from .steps import Deed, Outcome, Reach, Step

if TYPE_CHECKING:
    from .deeds import Doing

Done = tuple[Outcome, str]
_LOST = (NotAnswering, TimedOut, ConnectionLost)
STALE = "out of sequence"
"""How a manager says that the version sent is not the newest (swarmkit: store.ErrSequenceConflict), with status 500."""


async def do_on_service(step: Step, way: Reach, doing: Doing) -> Done:
    """Change one field of the service's spec at the version that was read, and wait for the swarm to follow."""
    doing.phase(step, f"reading {step.object_name} from {step.engine}")
    try:
        now = await service_now(way, step.engine, step.object_id)
    except FleetError as error:
        return Outcome.REFUSED, f"not begun: {str(error).rstrip('.')}"
    if now is None:
        return Outcome.FAILURE, "the service is gone: somebody removed it meanwhile"
    if step.deed is Deed.REPLICAS:
        assert step.replicas is not None
        if now.replicas is None:
            return Outcome.REFUSED, "it is no replicated service, so it has no number of replicas"
        if now.replicas != step.replicas_before:
            return Outcome.REFUSED, _changed(now)
    if step.expected and step.expected != now.mark:
        return Outcome.REFUSED, _changed(now)
    if step.deed is Deed.ROLLBACK and now.previous is None:
        return Outcome.REFUSED, "it has no spec before this one to go back to"
    return await _send(step, now, spec_of(step, now), way, doing)


def spec_of(step: Step, now: ServiceNow) -> Mapping[str, object]:
    """The spec to send: that which there is, with the one thing changed."""
    match step.deed:
        case Deed.REPLICAS:
            return now.with_replicas(step.replicas or 0)
        case Deed.IMAGE:
            return now.with_image(step.image)
        case Deed.HOLD:
            return now.with_update_held()
        case Deed.GO_ON:
            return now.with_update_going_on()
        case Deed.ROLLBACK:
            return now.spec
        case _:
            return now.with_tasks_replaced()


async def _send(step: Step, now: ServiceNow, spec: Mapping[str, object], way: Reach, doing: Doing) -> Done:
    doing.phase(step, step.words)
    try:
        await doing.writer(step.engine).update_service(step.object_id, version=now.version, spec=spec, **_how(step))
    except _LOST as error:
        return await _after_lost_answer(step, now, spec, way, str(error))
    except Rejected as error:
        if STALE not in str(error):
            return Outcome.FAILURE, str(error).rstrip(".")
        with suppress(EngineError):
            return Outcome.REFUSED, _changed(await service_now(way, step.engine, step.object_id))
        return Outcome.REFUSED, _changed(None)
    except FleetError as error:
        outcome = Outcome.REFUSED if isinstance(error, EngineError) and error.transient else Outcome.FAILURE
        return outcome, str(error).rstrip(".")
    if step.deed is Deed.REPLICAS:
        return await _until_running(step, way, doing)
    if step.deed is Deed.HOLD:
        return Outcome.SUCCESS, "the swarm took it: once the next tasks of its row are replaced, it waits"
    if step.deed is Deed.IMAGE and step.replicas == 0:
        return Outcome.SUCCESS, "the swarm took it; no task is wanted now"
    return await _until_replaced(step, now, way, doing)


def _how(step: Step) -> dict[str, bool]:
    return {"rollback": True} if step.deed is Deed.ROLLBACK else {}


def _changed(now: ServiceNow | None) -> str:
    number = f" (it wants {phrases.count(now.replicas, 'replica')} now)" if now is not None and now.replicas else ""
    return f"the service was changed meanwhile{number}: look again"


async def _after_lost_answer(step: Step, before: ServiceNow, spec: Mapping[str, object], way: Reach, lost: str) -> Done:
    try:
        found = await service_now(way, step.engine, step.object_id)
    except EngineError:
        return Outcome.UNKNOWN, f"{lost.rstrip('.')}; what became of it is not known: look when it answers again"
    if found is None:
        return Outcome.UNKNOWN, "lost the answer; the service is gone"
    wanted = before.previous if step.deed is Deed.ROLLBACK else spec
    if found.version > before.version and found.spec == wanted:
        return Outcome.SUCCESS, "lost the answer; the swarm has the change: done"
    if found.version == before.version:
        return Outcome.UNKNOWN, "lost the answer; the service is as it was: not done so far"
    return Outcome.UNKNOWN, "lost the answer; the service was changed since, by whom is not known"


# -- what the swarm makes of it ----------------------------------------------------------------------------------------


async def _until_running(step: Step, way: Reach, doing: Doing) -> Done:
    """Until as many tasks run as were asked for; the swarm took the number in any case."""
    wanted = step.replicas or 0
    begin = doing.clock.monotonic()
    running, why = 0, ""
    while True:
        with suppress(EngineError):
            running, rest, why = await _tasks(step, way)
            if running == wanted and rest == 0:
                return Outcome.SUCCESS, f"{running} of {wanted} run"
        doing.phase(step, f"{running} of {wanted} run{f': {why}' if why else ''}")
        if doing.stop.is_set():
            return Outcome.SUCCESS, f"the swarm took it; {running} of {wanted} run so far"
        if doing.clock.monotonic() - begin >= doing.pace.healthy:
            words = f"the swarm took it, but after {phrases.took(doing.pace.healthy)} {running} of {wanted} run"
            return Outcome.FAILURE, words + (f": {why}" if why else "")
        with suppress(TimeoutError):
            await asyncio.wait_for(doing.stop.wait(), doing.pace.poll)


async def _tasks(step: Step, way: Reach) -> tuple[int, int, str]:
    """How many tasks that are wanted run, how many that are wanted do not, and why one does not."""
    found = await _wanted_tasks(step, way)
    running = sum(_state(row) == "running" for row in found)
    why = [plain(str(_status(row).get("Err") or ""), 200) for row in found if _state(row) != "running"]
    return running, len(found) - running, next(filter(None, reversed(why)), "")


async def _wanted_tasks(step: Step, way: Reach) -> list[dict[str, Any]]:
    filters = quote(json.dumps({"service": {step.object_id: True}, "desired-state": {"running": True}}))
    found = await way.client.uncleaned("/tasks", f"filters={filters}")
    rows = found if isinstance(found, list) else []
    return [row for row in rows if isinstance(row, dict) and isinstance(row.get("Status"), dict)]


def _status(row: Mapping[str, Any]) -> Mapping[str, Any]:
    status: Mapping[str, Any] = row["Status"]
    return status


def _state(row: Mapping[str, Any]) -> object:
    return _status(row).get("State")


_ENDS_WELL = {Deed.ROLLBACK: "rollback_completed"}


def _replaced(step: Step) -> str:
    if step.deed is Deed.ROLLBACK:
        return "the swarm rolled it back"
    if step.deed is Deed.GO_ON:
        return "the swarm completed the update"
    return f"the swarm replaced {phrases.count(step.replicas or 0, 'task')}"


async def _until_replaced(step: Step, before: ServiceNow, way: Reach, doing: Doing) -> Done:
    """Until the swarm says that its update ended, or has said nothing of one for so long that there is none."""
    begin = doing.clock.monotonic()
    limit = doing.pace.healthy * max(1, step.replicas or 1)
    words, silence = "", _Silence(step, way, doing)
    while True:
        with suppress(EngineError):
            now = await service_now(way, step.engine, step.object_id)
            if now is None:
                return Outcome.FAILURE, "the service was removed meanwhile"
            words = plain(now.update_message, 200)
            limit = max(limit, _at_its_pace(step, now, doing))
            if ended := _ended(step, before, now) or await silence.ended(now):
                return ended
        doing.phase(step, words or silence.words or "the swarm replaces the tasks")
        if doing.stop.is_set():
            return Outcome.SUCCESS, "the swarm took it and goes on; it was not waited for"
        if doing.clock.monotonic() - begin >= limit:
            late = f"the swarm took it, but is not done after {phrases.took(limit)}"
            return Outcome.FAILURE, late + (f": {words}" if words else "")
        with suppress(TimeoutError):
            await asyncio.wait_for(doing.stop.wait(), doing.pace.poll)


def _at_its_pace(step: Step, now: ServiceNow, doing: Doing) -> float:
    """Seconds that the update has by its own rule: nobody is late who waits as long as it was told."""
    tasks = max(1, now.replicas or step.replicas or 1)
    rows = math.ceil(tasks / now.parallelism) if now.parallelism else 1
    return doing.pace.healthy * tasks + (0.0 if now.held else now.delay / 1e9 * rows)


def _ended(step: Step, before: ServiceNow, now: ServiceNow) -> Done | None:
    """How the swarm itself says that it ended; None: it does not."""
    if not now.update_state or now.update_started == before.update_started:
        return None
    if now.update_state == _ENDS_WELL.get(step.deed, "completed"):
        return Outcome.SUCCESS, _replaced(step)
    if now.update_state not in ("updating", "rollback_started"):
        words = plain(now.update_message, 200)
        return Outcome.FAILURE, f"the swarm did not finish it ({now.update_state}): {words}"
    if now.held and now.update_state == "updating":
        return Outcome.FAILURE, "the swarm took it, but its update is paused: the rest waits until it goes on"
    return None


class _Silence:
    """A swarm that took a spec and tells of no update: with each spec it forgets the state of the update before, and
    begins one only where a task has to be replaced (swarmkit: manager/orchestrator/update, `Updater.Run`).
    """

    def __init__(self, step: Step, way: Reach, doing: Doing) -> None:
        self.words = ""
        self._step, self._way, self._doing = step, way, doing
        self._since: float | None = None

    async def ended(self, now: ServiceNow) -> Done | None:
        """What came of it, where it has been silent for long enough. Raises EngineError."""
        if now.update_state:
            self._since, self.words = None, ""
            return None
        clock, pace = self._doing.clock, self._doing.pace
        self._since = clock.monotonic() if self._since is None else self._since
        silent = clock.monotonic() - self._since
        if silent < pace.settle:
            return None
        tasks = await _wanted_tasks(self._step, self._way)
        running = sum(_state(row) == "running" for row in tasks)
        old = sum(not now.makes(row) for row in tasks)
        wanted = now.replicas if now.replicas is not None else len(tasks)
        if running == len(tasks) == wanted and not old:
            return Outcome.SUCCESS, f"no task was left to be replaced: {running} of {wanted} run as the service says"
        self.words = f"the swarm tells of no update; {running} of {wanted} run"
        if silent < pace.healthy:
            return None
        if old:
            return Outcome.UNKNOWN, f"{self.words}, {old} of them not as the service says now: look what it does"
        why = (await _tasks(self._step, self._way))[2]
        return Outcome.FAILURE, self.words + (f": {why}" if why else "")
