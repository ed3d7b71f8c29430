"""Carrying out plans: rows, turns, stopping, records; on an engine of a few lines that keeps every request."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from fleettop.collectors.actions import Deed, Outcome, Pace, Step, StepResult, perform, prepare
from fleettop.collectors.errors import ReadOnly, StoreFull
from fleettop.collectors.model import ServiceKey

from tests.collectors.actions_engine import planned, tiny_engine

QUICK = Pace(healthy=0.6, settle=0.05, poll=0.01, answer=1, found=0.1, per_host=3, overall=5)


class Book:
    """A recorder that remembers, and is full after `space` intents."""

    def __init__(self, space: int = 99) -> None:
        self.space = space
        self.lines: list[str] = []

    def record_intent(self, step: Step, *, reason: str) -> int:
        if self.space == 0:
            raise StoreFull("The trail's disk is full.")
        self.space -= 1
        self.lines.append(f"intent {step.words}: {reason}")
        return len(self.lines)

    def record_outcome(self, intent: int, result: StepResult) -> None:
        self.lines.append(f"outcome of {intent}: {result.outcome}")

    async def kept(self) -> None:
        return None


async def test_every_intent_is_recorded_before_the_first_request_and_every_outcome_after(tmp_path: Path) -> None:
    """What is done is on record, with its reason."""
    async with tiny_engine(tmp_path) as (engine, reach):
        book = Book()
        steps = [engine.step(engine.add(f"c{n}"), Deed.KILL, lane=n) for n in range(2)]
        before: list[int] = []

        async def look(_: web.Request) -> web.StreamResponse:
            before.append(sum("intent" in line for line in book.lines))
            return web.Response(status=204)

        engine.answers["kill"] = look
        await perform(planned(*steps), reach=lambda _: reach, reason="FT-1", recorder=book, pace=QUICK)
    assert before == [2, 2]
    assert book.lines[:2] == ["intent send SIGKILL to c0 on e1: FT-1", "intent send SIGKILL to c1 on e1: FT-1"]
    assert sorted(book.lines[2:]) == ["outcome of 1: success", "outcome of 2: success"]


async def test_what_cannot_be_recorded_is_not_done(tmp_path: Path) -> None:
    """F16: and those recorded by then are closed as skipped."""
    async with tiny_engine(tmp_path) as (engine, reach):
        book = Book(space=1)
        steps = [engine.step(engine.add(f"c{n}"), lane=n) for n in range(3)]
        with pytest.raises(StoreFull):
            await perform(planned(*steps), reach=lambda _: reach, recorder=book, pace=QUICK)
        assert engine.requests == []
    assert book.lines == ["intent stop c0 on e1: ", "outcome of 1: skipped"]


async def test_a_row_halts_at_the_first_failure_and_other_rows_go_on(tmp_path: Path) -> None:
    """The rest of that row is skipped, and said to be."""
    async with tiny_engine(tmp_path) as (engine, reach):
        bad, never, other = engine.add("bad", then="exited"), engine.add("never"), engine.add("other")
        steps = [engine.step(bad, Deed.RESTART), engine.step(never, Deed.RESTART), engine.step(other, lane=1)]
        results = await perform(planned(*steps), reach=lambda _: reach, pace=QUICK)
    assert [result.outcome for result in results] == [Outcome.FAILURE, Outcome.SKIPPED, Outcome.SUCCESS]
    assert results[0].words == "restarted, but it ended with code 3"
    assert results[1].words == "not begun, since bad did not end well"
    assert f"POST /containers/{never}/restart" not in engine.changes


@pytest.mark.parametrize(
    ("health", "then", "words"),
    [
        ("starting", "running", "restarted, but after 0.6 s it is starting"),
        ("unhealthy", "running", "restarted, but after 0.6 s it is unhealthy"),
        ("", "restarting", "restarted, but after 0.6 s it keeps restarting"),
    ],
)
async def test_a_replica_that_does_not_become_healthy_in_time_has_failed(
    tmp_path: Path, health: str, then: str, words: str
) -> None:
    """Each with what it is instead."""
    async with tiny_engine(tmp_path) as (engine, reach):
        step = engine.step(engine.add("c", health=health, then=then), Deed.RESTART)
        [result] = await perform(planned(step), reach=lambda _: reach, pace=QUICK)
    assert (result.outcome, result.words) == (Outcome.FAILURE, words)


async def test_turns_are_bounded_on_a_host_and_over_all(tmp_path: Path, eventually: Any) -> None:
    """Three at once on a host here, five over all."""
    async with tiny_engine(tmp_path, "e1") as (one, reach1), tiny_engine(tmp_path, "e2") as (two, reach2):
        one.gate = two.gate = asyncio.Event()
        reaches = {"e1": reach1, "e2": reach2}
        steps = []
        for engine, name in ((one, "e1"), (two, "e2")):
            steps += [engine.step(engine.add(f"c{n}"), engine=name, lane=len(steps) + n) for n in range(8)]
        steps = [msgspec.structs.replace(step, lane=n) for n, step in enumerate(steps)]
        acting = asyncio.ensure_future(perform(planned(*steps), reach=reaches.get, pace=QUICK))
        await eventually(lambda: one.busy + two.busy == 5)
        one.gate.set()
        results = await acting
    assert {result.outcome for result in results} == {Outcome.SUCCESS}
    assert max(one.most, two.most) == 3


async def test_waiting_for_health_holds_no_turn(tmp_path: Path) -> None:
    """Eight that take long to become healthy on a host with three turns take as long as one."""
    async with tiny_engine(tmp_path) as (engine, reach):
        steps = [engine.step(engine.add(f"c{n}", health="starting"), Deed.RESTART, lane=n) for n in range(8)]
        loop = asyncio.get_running_loop()
        begin = loop.time()
        await perform(planned(*steps), reach=lambda _: reach, pace=QUICK)
        assert loop.time() - begin < 2 * QUICK.healthy


async def test_stopping_skips_what_has_not_begun(tmp_path: Path) -> None:
    """The results say so, in the order of the plan, and each is told as it comes."""
    async with tiny_engine(tmp_path) as (engine, reach):
        stop = asyncio.Event()
        steps = [engine.step(engine.add(f"c{n}"), Deed.STOP) for n in range(3)]
        told: list[StepResult] = []

        def on_result(result: StepResult) -> None:
            told.append(result)
            stop.set()

        results = await perform(planned(*steps), reach=lambda _: reach, pace=QUICK, stop=stop, on_result=on_result)
    assert [r.outcome for r in results] == [Outcome.SUCCESS, Outcome.SKIPPED, Outcome.SKIPPED]
    assert tuple(told) == results
    assert len(engine.changes) == 1
    assert all(result.step is step for result, step in zip(results, steps, strict=True))


async def test_leaving_in_the_middle_records_what_is_unknown_and_what_was_not_begun(tmp_path: Path) -> None:
    """No intent stays open."""
    async with tiny_engine(tmp_path) as (engine, reach):
        book, begun, ended = Book(), asyncio.Event(), asyncio.Event()

        async def never(_: web.Request) -> web.StreamResponse:
            begun.set()
            await ended.wait()
            return web.Response(status=204)

        engine.answers["stop"] = never
        steps = [engine.step(engine.add(f"c{n}")) for n in range(2)]
        acting = asyncio.ensure_future(perform(planned(*steps), reach=lambda _: reach, recorder=book, pace=QUICK))
        await begun.wait()
        acting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await acting
        ended.set()
    assert book.lines[2:] == ["outcome of 1: unknown", "outcome of 2: skipped"]


async def test_a_cut_connection_is_unknown_and_the_request_is_sent_once(tmp_path: Path) -> None:
    """requests, urllib3 and the SDK would all be glad to try again."""
    async with tiny_engine(tmp_path) as (engine, reach):

        async def cut(request: web.Request) -> web.StreamResponse:
            assert request.transport is not None
            request.transport.close()
            return web.Response()

        engine.answers["restart"] = cut
        step = engine.step(engine.add("c"), Deed.RESTART)
        [result] = await perform(planned(step), reach=lambda _: reach, pace=QUICK)
        assert len(engine.changes) == 1
    assert result.outcome is Outcome.UNKNOWN
    assert result.words.startswith("lost the answer; it runs since ")
    assert result.words.endswith(" as before: not done so far")


async def test_a_lost_answer_of_what_was_done_is_found_to_be_done(tmp_path: Path) -> None:
    """Told from the run it was in before and the run it is in now, by the engine's own clock."""
    async with tiny_engine(tmp_path) as (engine, reach):
        container = engine.add("c")

        async def do_and_cut(request: web.Request) -> web.StreamResponse:
            engine.containers[container]["runs"] += 1
            assert request.transport is not None
            request.transport.close()
            return web.Response()

        engine.answers["restart"] = do_and_cut
        [result] = await perform(planned(engine.step(container, Deed.RESTART)), reach=lambda _: reach, pace=QUICK)
    assert result.outcome is Outcome.SUCCESS
    assert result.words.endswith(": done")


@pytest.mark.parametrize(
    ("deed", "state", "words"),
    [(Deed.STOP, "exited", "it was stopped already"), (Deed.START, "running", "it was running already")],
)
async def test_what_is_so_already_is_a_success_with_words(tmp_path: Path, deed: Deed, state: str, words: str) -> None:
    """304 is no failure."""
    async with tiny_engine(tmp_path) as (engine, reach):
        step = engine.step(engine.add("c", state=state), deed)
        [result] = await perform(planned(step), reach=lambda _: reach, pace=QUICK)
    assert (result.outcome, result.words) == (Outcome.SUCCESS, words)


@pytest.mark.parametrize(
    ("status", "message", "words"),
    [
        (409, "Container c is paused", "e1 refuses: Container c is paused"),
        (500, "driver \x1b[31mfailed: no space", "e1 refuses: driver failed: no space"),
        (404, "No such container: c", "it is gone: somebody removed it meanwhile"),
        (403, "denied by policy", "Something in front of e1 forbids this change (denied by policy)"),
    ],
)
async def test_a_refusal_is_told_in_the_engines_own_clean_words(
    tmp_path: Path, status: int, message: str, words: str
) -> None:
    """Terminal codes are left out."""
    async with tiny_engine(tmp_path) as (engine, reach):

        async def refuse(_: web.Request) -> web.StreamResponse:
            return web.json_response({"message": message}, status=status)

        engine.answers["pause"] = refuse
        [result] = await perform(planned(engine.step(engine.add("c"), Deed.PAUSE)), reach=lambda _: reach, pace=QUICK)
    assert (result.outcome, result.words) == (Outcome.FAILURE, words)


async def test_without_a_way_to_the_engine_nothing_is_begun(tmp_path: Path) -> None:
    """The link may have gone between asking and doing."""
    async with tiny_engine(tmp_path) as (engine, _):
        [result] = await perform(planned(engine.step(engine.add("c"))), reach=lambda _: None, pace=QUICK)
        assert engine.requests == []
    assert (result.outcome, result.words) == (Outcome.REFUSED, "e1 cannot be reached, so nothing was sent")


async def test_read_only_is_refused_before_anything_is_recorded_or_sent(tmp_path: Path) -> None:
    """Whatever made the plan."""
    async with tiny_engine(tmp_path, read_only=True) as (engine, reach):
        book = Book()
        with pytest.raises(ReadOnly):
            await perform(planned(engine.step(engine.add("c"))), reach=lambda _: reach, recorder=book, pace=QUICK)
        assert engine.requests == []
    assert book.lines == []


async def test_a_plan_without_clones_or_swarm_services_is_prepared_as_it_is(tmp_path: Path) -> None:
    """No engine is asked."""
    async with tiny_engine(tmp_path) as (engine, reach):
        made = planned(engine.step(engine.add("c")))
        assert await prepare(made, reach=lambda _: reach) is made
        assert engine.requests == []


def test_a_step_is_recorded_by_what_its_events_will_name() -> None:
    """A clone has no id yet, and the swarm's events are updates."""
    values: dict[str, Any] = {"engine": "e", "object_id": "i", "object_name": "n", "service": ServiceKey("a", "b", "c")}
    clone, replicas = Step(deed=Deed.CLONE, **values), Step(deed=Deed.REPLICAS, kind="service", **values)
    assert (clone.record_verb, clone.record_id, replicas.record_verb, replicas.record_id) == ("scale", "", "scale", "i")
