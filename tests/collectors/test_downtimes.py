"""Outages and the trail: what one process saw of them, the next one goes on with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from fleettop.collectors.model import (
    Container,
    ContainerDetail,
    ContainerState,
    GapSeen,
    Listed,
    Record,
    RecordKind,
    ServiceKey,
)
from fleettop.collectors.outages.spans import HOUR

from .keeping_stage import Kept, kept, lines
from .watching import START, container, event

Eventually = Callable[..., Any]
API = ServiceKey("container", "web-1", "api")


def at(seconds: float) -> Any:
    return START + timedelta(seconds=seconds)


def api(*, ended: float | None = None, started: float = -600.0, runs: bool = True) -> Container:
    detail = ContainerDetail(
        started_at=at(started),
        finished_at=at(ended) if ended is not None else None,
        exit_code=0 if runs else 1,
        restart_policy="no",
        restart_count=0,
    )
    state = ContainerState.RUNNING if runs else ContainerState.EXITED
    return container("api", state=state, detail=detail, created=at(-600))


def list_(process: Kept, *containers: Container) -> None:
    """All its containers are read and looked at."""
    process.fleet.apply(Listed(engine="web-1", containers=containers, at=process.clock.monotonic()))
    process.fleet.take_changes()


def outages(process: Kept) -> list[Record]:
    return [r for r in process.fleet.trail.oldest(1000) if r.action == "outage"]


async def test_an_outage_is_one_record_from_its_begin_to_its_end(tmp_path: Path) -> None:
    """It is written when it has lasted for a while, and again when it is over: one thread."""
    async with kept(tmp_path / "trail") as process:
        list_(process, api())
        process.clock.advance(20)
        list_(process, api(ended=10, runs=False))
        process.keeping.downtimes.write()
        (record,) = outages(process)
        assert (record.what, record.time, record.until) == ("does not serve", at(10), None)
        process.clock.advance(30)
        list_(process, api(ended=10, started=40))
        process.keeping.downtimes.write()
        (record,) = outages(process)
        assert (record.what, record.until, record.service) == ("did not serve for 30s", at(40), API)
        await process.keeping.keeper.flush()
    written = [line for line in lines(tmp_path / "trail") if line.entry.action == "outage"]
    assert len(written) == 2
    assert len({line.entry.thread for line in written}) == 1


async def test_the_clock_of_an_outage_goes_on_in_the_next_process(tmp_path: Path) -> None:
    """Its begin, and what was told of it; its end is written in the same record."""
    async with kept(tmp_path / "trail", clean=False) as process:
        list_(process, api())
        process.clock.advance(20)
        list_(process, api(ended=10, runs=False))
        process.fleet.outages.tell(API, "warn")
        process.keeping.downtimes.write()
        await process.keeping.keeper.flush()
    async with kept(tmp_path / "trail", "two", later=60) as process:
        list_(process, api(ended=55, started=54, runs=False))  # somebody tried in vain meanwhile
        going = process.fleet.outages.open()[API]
        assert (going.begin, going.told) == (at(10), ("warn",))
        assert process.fleet.totals().oldest_outage == at(10)
        process.clock.advance(60)
        list_(process, api(ended=55, started=100))
        process.keeping.downtimes.write()
        assert [(r.time, r.until) for r in outages(process)] == [(at(10), at(100))]


async def test_two_processes_that_see_one_outage_write_one_record(tmp_path: Path, eventually: Eventually) -> None:
    """Also where their measures of the engine's clock differ by some milliseconds."""
    folder = tmp_path / "trail"
    async with kept(folder) as one, kept(folder, "two", pid=2) as two:
        for process, ended in ((one, 11.001), (two, 11.003)):
            list_(process, api())
            process.clock.advance(20)
            list_(process, api(ended=ended, runs=False))
            process.keeping.downtimes.write()
            await process.keeping.keeper.flush()
        await eventually(lambda: len(two.fleet.outages.past(API)) == 1)
    assert len({line.entry.thread for line in lines(folder) if line.entry.action == "outage"}) == 1


async def test_what_came_and_went_while_nobody_watched_is_not_called_up(tmp_path: Path) -> None:
    """The engine remembers ends and starts: the last turn is an outage, what was before it is unknown."""
    async with kept(tmp_path / "trail") as process:
        list_(process, api())
    async with kept(tmp_path / "trail", "two", later=1000) as process:
        list_(process, api(ended=500, started=520))
        said = [event(s, action) for s, action in ((100, "die"), (200, "start"), (500, "die"), (520, "start"))]
        await process.hear(*said, replayed=True)
        process.clock.advance(10)
        process.keeping.downtimes.write()
        found = process.fleet.outages.availability(API, ("web-1",), process.clock.now(), HOUR / 4)
        assert (found.down, found.unknown) == (20, 390)  # from 110 on are in the window


async def test_a_gap_of_the_trail_is_unknown_for_the_next_process_too(tmp_path: Path) -> None:
    """Never up: nobody knows."""
    async with kept(tmp_path / "trail") as process:
        list_(process, api())
        gap = GapSeen(engine="web-1", begin=at(5), end=at(65), cause="the engine was restarted", certain=True)
        process.fleet.apply(gap)
    async with kept(tmp_path / "trail", "two", later=100) as process:
        list_(process, api())
        found = process.fleet.outages.availability(API, ("web-1",), process.clock.now(), timedelta(seconds=80))
        assert (found.up, found.unknown) == (35, 45)
        assert RecordKind.GAP in {record.kind for record in process.fleet.trail.newest(100)}
