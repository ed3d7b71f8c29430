"""Making one more replica: created, connected, started and waited for; removed again where it cannot be started."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..errors import ConnectionLost, EngineError, FleetError, NotAnswering, TimedOut
from .blueprint import Blueprint
from .comingup import comes_up
from .hostfacts import host_facts
from .paths import segment
from .prepare import read_blueprint
from .steps import Outcome, Reach, Step
from .writer import Writer

if TYPE_CHECKING:
    from .deeds import Doing

_LOST = (NotAnswering, TimedOut, ConnectionLost)


class Made(NamedTuple):
    """How making a clone went; `container` is its id, empty where there is none."""

    outcome: Outcome
    words: str
    container: str = ""


async def make_clone(step: Step, way: Reach, doing: Doing) -> Made:
    """Make the clone a step orders. What is in its way is looked for once more before anything is done."""
    doing.phase(step, f"looking whether {step.engine} can take {step.object_name}")
    try:
        wanted = await _wanted(step, way, doing)
    except FleetError as error:
        return Made(Outcome.REFUSED, f"not begun: {str(error).rstrip('.')}")
    if isinstance(wanted, str):
        return Made(Outcome.REFUSED, f"not begun: {wanted}")
    doing.phase(step, step.words)
    writer = doing.writer(step.engine)
    try:
        container = await writer.create(step.object_name, wanted.config)
    except _LOST as error:
        return await _after_lost_create(step, way, str(error))
    except FleetError as error:
        return Made(Outcome.FAILURE, f"it was not created: {str(error).rstrip('.')}")
    try:
        for network, endpoint in wanted.networks.items():
            await writer.connect(network, container, endpoint)
        await writer.start(container)
    except _LOST as error:
        words = f"{str(error).rstrip('.')}; {step.object_name} was created, whether it started is not known"
        return Made(Outcome.UNKNOWN, words, container)
    except FleetError as error:
        return await _take_away(step, writer, container, str(error).rstrip("."))
    doing.phase(step, f"waiting for {step.object_name} to serve")
    up = await comes_up(way.client, container, pace=doing.pace, clock=doing.clock, stop=doing.stop)
    if up.well:
        return Made(Outcome.SUCCESS, f"made and started, {up.words}", container)
    return Made(Outcome.FAILURE, f"made and started, but {up.words}; it is left there to be looked at", container)


async def _wanted(step: Step, way: Reach, doing: Doing) -> Blueprint | str:
    """What to create, or why it cannot be, in words. Raises EngineError."""
    order = step.clone
    assert order is not None
    source = doing.reach(order.source.engine)
    if source is None:
        return f"{order.source.engine} cannot be reached"
    wanted = await read_blueprint(step, order, source)
    if wanted is None:
        return f"{order.source_name} on {order.source.engine} is gone"
    if wanted.obstacles:
        return "; ".join(wanted.obstacles)
    facts = await host_facts(step.engine, way, wanted)
    if step.engine == order.source.engine:
        facts.take(wanted, order.source_name)
    trouble = facts.against(wanted)
    if trouble:
        return trouble
    if step.object_name in facts.names:
        return f"{step.engine} has a container {step.object_name} already: look again"
    return wanted.with_image(facts.image)


async def _take_away(step: Step, writer: Writer, container: str, why: str) -> Made:
    """Leave nothing behind of a clone that did not start."""
    try:
        await writer.remove(container)
    except FleetError as error:
        rest = f"and it could not be removed again ({str(error).rstrip('.')})"
        return Made(Outcome.FAILURE, f"{step.object_name} could not be started: {why}; {rest}", container)
    return Made(Outcome.FAILURE, f"{step.object_name} could not be started: {why}; it was removed again")


async def _after_lost_create(step: Step, way: Reach, lost: str) -> Made:
    try:
        found = await way.client.uncleaned(f"/containers/{segment(step.object_name)}/json")
    except EngineError:
        words = f"{lost.rstrip('.')}; whether {step.object_name} was created is not known: look when it answers again"
        return Made(Outcome.UNKNOWN, words)
    if found is None:
        return Made(Outcome.UNKNOWN, f"lost the answer; there is no {step.object_name} so far")
    container = str(found.get("Id") or "") if isinstance(found, dict) else ""
    return Made(Outcome.UNKNOWN, f"lost the answer; {step.object_name} was created and not started", container)
