"""One step, done: asked of the engine, waited for, and told in words. Nothing that was sent is ever sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple

import msgspec

from ..clock import Clock
from ..errors import ConnectionLost, EngineError, FleetError, NotAnswering, Rejected, TimedOut
from ..model import Container, ContainerState
from ..words import clock_time
from .aftermath import judge
from .clones import make_clone
from .comingup import comes_up
from .nodedeeds import do_on_node
from .plan import STOP_TIMEOUT
from .prunedeeds import do_prune
from .steps import Deed, Inspector, Mark, Outcome, Pace, Reach, Step, StepResult
from .swarmdeeds import do_on_service
from .writer import Writer

LOST = (NotAnswering, TimedOut, ConnectionLost)
"""What leaves open whether a request that was sent was carried out."""
Waiting = Callable[[], Awaitable[StepResult]]
"""The rest of a step that was asked for: waiting until it serves."""


class Doing(NamedTuple):
    """What a step needs to be done."""

    reach: Callable[[str], Reach | None]
    writer: Callable[[str], Writer]
    pace: Pace
    clock: Clock
    stop: asyncio.Event
    phase: Callable[[Step, str], None]
    """Told what a step is at, for a progress line."""


async def begin_step(step: Step, doing: Doing) -> StepResult | Waiting:
    """Ask for it: the result, or what has still to be waited for, which needs no turn at the engine.

    Raises nothing but what is a defect of ours: an engine's trouble is the result.
    """
    way = doing.reach(step.engine)
    if way is None:
        return _result(step, Outcome.REFUSED, f"{step.engine} cannot be reached, so nothing was sent")
    if step.kind == "node":
        outcome, words = await do_on_node(step, way, doing)
        return _result(step, outcome, words)
    if step.kind == "service":
        outcome, words = await do_on_service(step, way, doing)
        return _result(step, outcome, words)
    if step.deed is Deed.PRUNE:
        outcome, words = await do_prune(step, way, doing)
        return _result(step, outcome, words)
    if step.deed is Deed.CLONE:
        made = await make_clone(step, way, doing)
        return msgspec.structs.replace(_result(step, made.outcome, made.words), object_id=made.container)
    return await _on_container(step, way, doing)


async def _on_container(step: Step, way: Reach, doing: Doing) -> StepResult | Waiting:
    doing.phase(step, f"looking at {step.object_name}")
    try:
        found = await way.client.inspect(step.object_id)
    except FleetError as error:
        return _result(step, Outcome.REFUSED, f"not begun: {_plain(error)}")
    if found is None:
        return _result(step, Outcome.FAILURE, "it is gone: somebody removed it meanwhile")
    before = Mark.of(found)
    doing.phase(step, f"{step.words}")
    try:
        changed = await _ask(step, before, doing.writer(step.engine))
    except LOST as error:
        return await _look_again(step, before, way.client, doing, str(error))
    except FleetError as error:
        return _result(step, *explain(error), before)
    if not changed:
        word = "stopped" if step.deed is Deed.STOP else "running"
        return _result(step, Outcome.SUCCESS, f"it was {word} already", before)
    if not step.waits:
        return _result(step, Outcome.SUCCESS, _DONE[step.deed].format(signal=step.signal), before)
    return lambda: _wait(step, found, before, way, doing)


async def _ask(step: Step, before: Mark, writer: Writer) -> bool:
    """Send the one request. False: the engine said it was so already."""
    container = step.object_id
    limit = before.stop_timeout if before.stop_timeout is not None else step.stop_timeout
    limit = limit if limit is not None else STOP_TIMEOUT
    match step.deed:
        case Deed.RESTART:
            return await writer.restart(container, stop_timeout=limit)
        case Deed.STOP:
            return await writer.stop(container, stop_timeout=limit)
        case Deed.START:
            return await writer.start(container)
        case Deed.PAUSE:
            return await writer.pause(container)
        case Deed.UNPAUSE:
            return await writer.unpause(container)
        case Deed.KILL:
            return await writer.kill(container, signal=step.signal)
        case Deed.REMOVE:
            await writer.stop(container, stop_timeout=limit)
            return await writer.remove(container)
        case _:
            raise AssertionError(step.deed)


async def _wait(step: Step, found: Container, before: Mark, way: Reach, doing: Doing) -> StepResult:
    doing.phase(step, f"waiting for {step.object_name} to serve")
    may_end = step.deed is Deed.START or _was_job(found)
    up = await comes_up(
        way.client, step.object_id, pace=doing.pace, clock=doing.clock, stop=doing.stop, may_end=may_end
    )
    words = f"{_DONE[step.deed]}, {up.words}" if up.well else f"{_DONE[step.deed]}, but {up.words}"
    return _result(step, Outcome.SUCCESS if up.well else Outcome.FAILURE, words, before)


_DONE = {
    Deed.RESTART: "restarted",
    Deed.START: "started",
    Deed.STOP: "stopped",
    Deed.PAUSE: "paused",
    Deed.UNPAUSE: "resumed",
    Deed.KILL: "{signal} sent",
    Deed.REMOVE: "stopped and removed",
}


def _was_job(found: Container) -> bool:
    code = found.detail.exit_code if found.detail is not None else None
    return found.state is ContainerState.EXITED and code == 0


def explain(error: FleetError) -> tuple[Outcome, str]:
    """An error of a request that certainly was not carried out, as an outcome and words."""
    if isinstance(error, Rejected):
        if error.status == 404:
            return Outcome.FAILURE, "it is gone: somebody removed it meanwhile"
        return Outcome.FAILURE, _plain(error)
    if isinstance(error, EngineError) and error.transient:
        return Outcome.REFUSED, f"not begun: {_plain(error)}"
    return Outcome.FAILURE, _plain(error)


# -- a lost answer -----------------------------------------------------------------------------------------------------


async def _look_again(step: Step, before: Mark, client: Inspector, doing: Doing, lost: str) -> StepResult:
    """Until what is found proves it, or `pace.found` seconds are over: the engine may still be at it."""
    doing.phase(step, f"the answer was lost: looking what became of {step.object_name}")
    begin = doing.clock.monotonic()
    words = f"{lost.rstrip('.')}; what became of it is not known: look when {step.engine} answers again"
    while True:
        with suppress(EngineError):
            found = await client.inspect(step.object_id)
            outcome, told = judge(step, before, found, doing.clock.now())
            words = f"lost the answer; {told}"
            if outcome is Outcome.SUCCESS or found is None:
                return _result(step, outcome, words, before)
        if doing.clock.monotonic() - begin >= doing.pace.found:
            return _result(step, Outcome.UNKNOWN, words, before)
        await asyncio.sleep(doing.pace.poll)


async def confirm(result: StepResult, *, reach: Callable[[str], Reach | None], clock: Clock) -> StepResult:
    """An unknown result looked at again, for when the engine answers again: reads only, changes nothing.

    Comes back as it is where there is nothing to compare with, or the engine still does not answer.
    """
    way = reach(result.step.engine)
    if result.outcome is not Outcome.UNKNOWN or way is None or result.step.kind != "container":
        return result
    container = result.object_id or result.step.object_id
    if result.step.deed is Deed.CLONE and not result.object_id:
        return result
    try:
        found = await way.client.inspect(container)
    except EngineError:
        return result
    outcome, words = judge(result.step, result.before, found, clock.now())
    at = clock_time(clock.now(), clock.now())
    return msgspec.structs.replace(result, outcome=outcome, words=f"looked again at {at}; {words}")


def _result(step: Step, outcome: Outcome, words: str, before: Mark | None = None) -> StepResult:
    return StepResult(step=step, outcome=outcome, words=words, before=before)


def _plain(error: FleetError) -> str:
    return str(error).rstrip(".")
