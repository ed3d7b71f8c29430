"""A fleet and its trail that lasts: what one process wrote, the next one goes on with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fleettop.collectors.keeping import once_each
from fleettop.collectors.model import Attribution, EventsSeen, Record, RecordKind, Told

from .keeping_stage import INFO, kept, lines
from .watching import event

Eventually = Callable[..., Any]


async def test_every_event_is_a_line_and_a_restart_is_one_record(tmp_path: Path) -> None:
    """Nothing that was heard is lost, though a person reads it as one thing that happened."""
    said = ("kill", "die", "stop", "start", "restart")
    async with kept(tmp_path / "trail") as process:
        await process.hear(*(event(n / 10, action) for n, action in enumerate(said)))
    events = [line for line in lines(tmp_path / "trail") if line.entry.event is not None]
    assert [line.entry.event.action for line in events if line.entry.event] == list(said)
    assert len({line.entry.thread for line in events}) == 1
    assert events[-1].entry.what == "restarted by someone"


async def test_what_is_told_again_after_a_restart_is_written_once(tmp_path: Path) -> None:
    """F6: the engine's ring holds what the process before has written; it goes into no second record."""
    crash = [
        event(n * 10 + k, action, attributes={"exitCode": "1"})
        for n in range(3)
        for k, action in enumerate(("die", "start"))
    ]
    async with kept(tmp_path / "trail") as process:
        await process.hear(*crash)
        before = process.crashes()
    async with kept(tmp_path / "trail", "two", later=100) as process:
        await process.hear(*crash, replayed=True)
        assert process.crashes() == before
    assert sum(line.entry.event is not None for line in lines(tmp_path / "trail")) == len(crash)


async def test_a_crash_loop_goes_on_in_its_record_after_a_restart(tmp_path: Path) -> None:
    """The count of the process before is counted on, though the ring has lost the first of them."""
    crash = [event(n * 10, "die", attributes={"exitCode": "1"}) for n in range(5)]
    async with kept(tmp_path / "trail") as process:
        await process.hear(*crash[:4])
        assert process.crashes()[-1][1] == 4
    async with kept(tmp_path / "trail", "two", later=45) as process:
        await process.hear(*crash[2:4], replayed=True)
        await process.hear(crash[4])
        assert [count for _, count in process.crashes()] == [5]
    assert len({line.entry.thread for line in lines(tmp_path / "trail") if line.entry.event is not None}) == 1


async def test_two_processes_that_hear_the_same_write_it_once(tmp_path: Path) -> None:
    """F17: the same event has the same key, whoever hears it."""
    async with kept(tmp_path / "trail") as one, kept(tmp_path / "trail", "two") as two:
        await one.hear(event(1, "die"))
        await two.hear(event(1, "die"), event(2, "start"))
        await one.hear(event(2, "start"))
    events = [line.entry.event.action for line in lines(tmp_path / "trail") if line.entry.event is not None]
    assert events == ["die", "start"]


async def test_who_did_it_is_known_to_the_other_process_too(tmp_path: Path, eventually: Eventually) -> None:
    """One records its intent, the other hears the event first: the trail ends up knowing who it was."""
    folder = tmp_path / "trail"
    async with kept(folder) as one, kept(folder, "two") as two:
        one.fleet.record_intent(
            "stop", engine="web-1", object_id=event(0, "x").id, actor="ops1@bastion", reason="FT-212"
        )
        stop = (event(0.5, "kill"), event(0.6, "die"), event(0.7, "stop"))
        await two.hear(*stop)
        await one.hear(*stop)

        def known() -> bool:
            return any(r.attribution is Attribution.OWN and r.kind == "event" for r in two.fleet.trail.newest(10))

        await eventually(known)
    last = [line.entry for line in lines(folder) if line.entry.kind == "event"][-1]
    assert (last.actor, last.attribution, last.reason) == ("ops1@bastion", "own", "FT-212")
    assert last.of == next(line.entry.thread for line in lines(folder) if line.entry.kind == "intent")


async def test_an_intent_without_outcome_of_a_process_that_died_is_unknown(tmp_path: Path) -> None:
    """Killed between intent and outcome: the next one says so once, and knows the engine's events of it as ours."""
    folder, stop = tmp_path / "trail", event(0.5, "stop")
    async with kept(folder, clean=False) as one:
        one.fleet.record_intent("stop", engine="web-1", object_id=stop.id, actor="ops1@bastion", reason="FT-212")
        await one.keeping.keeper.flush()
    async with kept(folder, "two", later=100) as two:
        await two.hear(stop, replayed=True)
    async with kept(folder, "three", later=200):
        pass
    told = [line.entry for line in lines(folder)]
    outcomes = [entry for entry in told if entry.kind == "outcome"]
    assert [entry.what for entry in outcomes] == ["stop: unknown, fleettop ended before it was answered"]
    heard = next(entry for entry in told if entry.event is not None)
    assert (heard.actor, heard.attribution, heard.of) == ("ops1@bastion", "own", outcomes[0].of)


async def test_an_end_without_a_word_is_noted_once(tmp_path: Path) -> None:
    """F18: the next start records the unclean end; the one after does not do so again, and a clean end is none."""
    folder = tmp_path / "trail"
    async with kept(folder, clean=False):
        pass
    for number in range(2):
        async with kept(folder, f"later {number}", later=100 + 100 * number):
            pass
    unclean = [line.entry for line in lines(folder) if line.entry.kind == RecordKind.STOP and line.entry.trouble]
    assert [entry.thread for entry in unclean] == ["one-unclean"]


async def test_where_watching_left_off_is_known_to_the_next(tmp_path: Path) -> None:
    """By what the engine says it is, so also under another name; an engine never seen is that."""
    folder = tmp_path / "trail"
    async with kept(folder) as one:
        from fleettop.collectors.trail.entry import event_key
        from fleettop.collectors.trail.store import Mark

        heard = event(1, "start")
        mark = Mark(
            engine="old name",
            origin="ID-1@web-1",
            heard=heard.time_nano,
            read_to=heard.time_nano,
            instance="one",
            recent=(event_key(heard, "ID-1@web-1"),),
            containers={"a": ("api", "running")},
        )
        one.keeping.keeper.mark((mark,))
    async with kept(folder, "two", later=100) as two:
        left = await two.keeping.left_off("web-1", INFO)
        assert left is not None
        assert (left.heard, left.watched, left.events) == (heard.time, False, True)
        assert await two.keeping.recall("web-1", INFO, (heard,))
        assert not await two.keeping.recall("web-1", INFO, (event(2, "die"),))


async def test_the_past_is_at_hand_before_any_engine_answers(tmp_path: Path) -> None:
    """The newest records of before are shown at once."""
    async with kept(tmp_path / "trail") as process:
        await process.hear(event(1, "oom"), event(1.1, "die", attributes={"exitCode": "137"}))
    async with kept(tmp_path / "trail", "two", later=50) as process:
        assert [what for what, _ in process.crashes()] == ["killed for memory (exit 137)"]


async def test_nothing_waits_for_a_trail_that_cannot_be_written(tmp_path: Path) -> None:
    """F16: the view goes on, `trouble` says why, and whoever must know that it was written is told it was not."""
    (tmp_path / "trail").write_text("not a folder")
    async with asyncio.timeout(20), kept(tmp_path / "trail") as process:
        process.fleet.apply(EventsSeen(engine="web-1", events=(event(1, "die"),)))
        assert [what for what, _ in process.crashes()]
        assert process.keeping.keeper.trouble is not None


def test_an_event_that_changes_two_records_is_in_one_line_only() -> None:
    """The store knows an event by its key: the other record is told without it, so that neither is left out."""
    said = event(1, "destroy")
    record = Record(id=1, key="a", time=said.time, seen=said.time, engine="web-1", kind=RecordKind.EVENT, what="gone")
    other = Record(id=2, key="b", time=said.time, seen=said.time, engine="web-1", kind=RecordKind.EVENT, what="pruned")
    lines = list(once_each((Told(record=record, event=said), Told(record=other, event=said))))
    assert [one.event for one in lines] == [said, None]
    assert [one.record.key for one in lines] == ["a", "b"]
