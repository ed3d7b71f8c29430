"""F23 and its kin: an action whose answer does not come. Unknown until seen, and never sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import pytest
from fleettop.collectors.actions import Outcome, Step, StepResult, Verb, confirm, perform, plan
from fleettop.collectors.clock import SystemClock
from fleettop.collectors.journal import Journal
from fleettop.collectors.looseends import LooseEnds
from fleettop.collectors.model import Attribution, ContainerKey, Record, RecordKind
from fleettop.collectors.reach import reach_of
from fleettop.collectors.session import Session

from tests.collectors.actions_stage import QUICK, Stage, off_loop, stage_on
from tests.fleet import Fleet

from .stage import events

SLEEP = "sh -c 'trap exit TERM; while :; do sleep 0.1; done'"
IMPATIENT = msgspec.structs.replace(QUICK, answer=1, found=1)


async def restart_and(
    stage: Stage, container: str, harm: Callable[[], object], eventually: Any, **how: Any
) -> StepResult:
    """Restart a container of h1 that takes its time to stop, and let something happen while the engine is at it."""
    made = await stage.plan(Verb.RESTART, await stage.key("h1", container))
    results: list[StepResult] = []
    acting = asyncio.ensure_future(stage.do(made, on_result=results.append, **how))
    await eventually(lambda: off_loop(events, stage.fleet, "h1", container, "kill"))
    await off_loop(harm)
    await acting
    [result] = results
    return result


async def test_an_action_on_a_frozen_engine_is_unknown_and_found_when_it_answers_again(
    fleet: Fleet, eventually: Any
) -> None:
    """F23: the outcome is unknown, nothing is sent again, and later looking again tells what became of it."""
    container = fleet.run_plain("h1", "slow", "slowstop", StopTimeout=4)
    async with stage_on(fleet, ["h1"]) as stage:
        result = await restart_and(stage, container, lambda: fleet.fault("h1", "freeze"), eventually, pace=IMPATIENT)
        assert result.outcome is Outcome.UNKNOWN
        assert result.words.startswith("h1 ")
        assert result.words.endswith("what became of it is not known: look when h1 answers again")
        await off_loop(fleet.heal, "h1")

        async def found() -> StepResult | None:
            again = await confirm(result, reach=stage.reaches.get, clock=SystemClock())
            return again if again.outcome is Outcome.SUCCESS else None

        done = await eventually(found)
        assert "it runs since" in done.words
        assert done.words.endswith(": done")
        assert events(fleet, "h1", container, "restart") == 1


async def test_a_frozen_engine_that_thaws_in_time_is_looked_at_by_itself(fleet: Fleet, eventually: Any) -> None:
    """The answer is lost, the deed is seen."""
    container = fleet.run_plain("h1", "slow", "slowstop", StopTimeout=4)
    frozen = asyncio.Event()
    loop = asyncio.get_running_loop()

    def freeze() -> None:
        fleet.fault("h1", "freeze")
        loop.call_soon_threadsafe(frozen.set)

    async def thaw(stage: Stage) -> None:
        await frozen.wait()
        await eventually(lambda: any("answer was lost" in phase for phase in stage.phases), timeout=20)
        await off_loop(fleet.heal, "h1")

    async with stage_on(fleet, ["h1"]) as stage, asyncio.TaskGroup() as group:
        group.create_task(thaw(stage))
        patient = msgspec.structs.replace(IMPATIENT, found=20)
        result = await restart_and(stage, container, freeze, eventually, pace=patient)
    assert result.words.startswith("lost the answer; it runs since ")
    assert result.outcome is Outcome.SUCCESS
    assert events(fleet, "h1", container, "restart") == 1


async def test_on_an_engine_that_is_frozen_already_nothing_is_begun(fleet: Fleet) -> None:
    """It is looked at first, so nothing is sent that could be done hours later."""
    container = fleet.run_plain("h1", "db", SLEEP)
    async with stage_on(fleet, ["h1"]) as stage:
        made = await stage.plan(Verb.STOP, await stage.key("h1", container))
        fleet.fault("h1", "freeze")
        [result] = await stage.do(made)
        assert result.outcome is Outcome.REFUSED
        assert result.words.startswith("not begun: h1 ")
        await off_loop(fleet.heal, "h1")
        assert stage.inspect("h1", container)["State"]["Running"]


async def test_a_frozen_host_does_not_hold_up_the_others(fleet: Fleet) -> None:
    """Each host has its own turns."""
    for host in ("h1", "h2"):
        fleet.run(host, "pay", "api", SLEEP)
    async with stage_on(fleet, ["h1", "h2"]) as stage:
        await stage.look()
        made = await stage.plan(Verb.STOP, stage.service("api"))
        fleet.fault("h1", "freeze")
        came: list[str] = []
        await stage.do(made, on_result=lambda result: came.append(result.step.engine))
    assert came == ["h2", "h1"]


async def test_a_connection_cut_in_the_middle_is_unknown_and_not_sent_again(fleet: Fleet, eventually: Any) -> None:
    """The engine was killed while it was at it: lost, looked for, said."""
    container = fleet.run_plain("h1", "slow", "slowstop", StopTimeout=4)
    async with stage_on(fleet, ["h1"]) as stage:
        result = await restart_and(stage, container, lambda: fleet.fault("h1", "kill"), eventually, pace=IMPATIENT)
        assert result.outcome is Outcome.UNKNOWN
        assert "was lost" in result.words
        assert result.before is not None
        await off_loop(fleet.heal, "h1")
        again = await confirm(result, reach=stage.reaches.get, clock=SystemClock())
        assert again.words.startswith("looked again at ")
    assert events(fleet, "h1", container, "restart") == 0


async def test_an_ssh_link_cut_in_the_middle_is_unknown_and_the_deed_is_found(fleet: Fleet, eventually: Any) -> None:
    """The engine goes on without us; another way to it tells."""
    container = fleet.run_plain("h1", "slow", "slowstop", StopTimeout=4)
    async with stage_on(fleet, ["h1"], way="ssh") as stage:
        result = await restart_and(stage, container, lambda: fleet.fault("h1", "cut-ssh"), eventually, pace=IMPATIENT)
    assert result.outcome is Outcome.UNKNOWN
    async with stage_on(fleet, ["h1"]) as other:

        async def found() -> StepResult | None:
            again = await confirm(result, reach=other.reaches.get, clock=SystemClock())
            return again if again.outcome is Outcome.SUCCESS else None

        assert (await eventually(found)).words.endswith(": done")
    assert events(fleet, "h1", container, "restart") == 1


@pytest.mark.parametrize(("way", "harm"), [("unix", "freeze"), ("ssh", "cut-ssh")])
async def test_a_session_finds_by_itself_what_became_of_it(fleet: Fleet, eventually: Any, way: str, harm: str) -> None:
    """F23: unknown at first; when the engine is reached again what was found is on record, as ours, and told."""
    container = fleet.run_plain("h1", "slow", "slowstop", StopTimeout=4)
    told: list[StepResult] = []
    async with Session([fleet.address("h1", way)]) as session, asyncio.TaskGroup() as group:
        await session.settled(30)
        reach = partial(reach_of, session)
        ends = LooseEnds(session.fleet, reach, told.append)
        watching = group.create_task(ends.watch())
        session.fleet.take_changes()
        made = plan(Verb.RESTART, [ContainerKey("h1", container)], session.fleet, pace=IMPATIENT)
        journal = Journal(session.fleet, actor="ops1@bastion", loose_ends=ends)
        acting = asyncio.ensure_future(perform(made, reach=reach, reason="FT-1", recorder=journal, pace=IMPATIENT))
        await eventually(lambda: off_loop(events, fleet, "h1", container, "kill"))
        await off_loop(fleet.fault, "h1", harm)
        [result] = await acting
        assert result.outcome is Outcome.UNKNOWN
        await off_loop(fleet.heal, "h1")
        await eventually(lambda: told, timeout=60)
        assert told[0].outcome is Outcome.SUCCESS, told

        def restarted() -> list[Record]:
            found = session.fleet.records(object_id=container)
            return [r for r in found if r.kind is RecordKind.EVENT and r.what.startswith("restarted")]

        [event] = await eventually(restarted, timeout=30)
        assert (event.actor, event.attribution) == ("ops1@bastion", Attribution.OWN)
        kept = [r.what for r in session.fleet.records(object_id=container) if r.kind is RecordKind.OUTCOME]
        assert [what.partition(",")[0] for what in kept] == ["restart: success", "restart: unknown"]
        watching.cancel()
    assert events(fleet, "h1", container, "restart") == 1


async def test_what_has_not_begun_is_skipped_when_stopped_and_what_was_sent_is_waited_for(fleet: Fleet) -> None:
    """Esc while the first of three is being restarted: that one is seen to its end, so it is known to serve again."""
    for number, host in enumerate(("h1", "h2", "h3"), 1):
        fleet.run(host, "pay", "api", SLEEP, number)
    stop = asyncio.Event()

    def esc(step: Step, words: str) -> None:
        if words.startswith("restart "):
            stop.set()

    async with stage_on(fleet) as stage:
        await stage.look()
        made = await stage.plan(Verb.RESTART, stage.service("api"))
        results = await stage.do(made, stop=stop, on_progress=esc)
    assert [result.outcome for result in results] == [Outcome.SUCCESS, Outcome.SKIPPED, Outcome.SKIPPED]
    assert results[0].words == "restarted, running"


async def test_a_full_disk_is_said_in_the_engines_words(fleet: Fleet) -> None:
    """The engine answers 500 to a start; nothing is left behind of a clone."""
    fleet.run("h1", "pay", "api", SLEEP, 1)
    async with stage_on(fleet, ["h1"]) as stage:
        await stage.look()
        made = await stage.plan(Verb.SCALE, stage.service("api"), by=1)
        fleet.fault("h1", "disk")
        [result] = await stage.do(made)
        assert result.outcome is Outcome.FAILURE
        assert "no space left on device" in result.words
        await off_loop(fleet.heal, "h1")
        assert stage.names("h1") == ["pay-api-1"]
