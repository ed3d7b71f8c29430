"""A fleet whose trail lasts, told what a test wants it to have seen; each `kept` is a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from fleettop.collectors.address import parse_address
from fleettop.collectors.clock import ManualClock
from fleettop.collectors.fleet import Fleet
from fleettop.collectors.instance import Instance
from fleettop.collectors.keeping import Keeping
from fleettop.collectors.model import (
    EngineEvent,
    EngineInfo,
    EngineSeen,
    EventsSeen,
    LinkChanged,
    LinkPhase,
    LinkStatus,
)
from fleettop.collectors.trail import trail_in
from fleettop.collectors.trail.keeper import Keeper
from fleettop.collectors.trail.segments import SegmentStore
from fleettop.collectors.trail.store import Line

from .watching import START

INFO = EngineInfo(kind="docker", version="20.10.24", api="1.41", id="ID-1", hostname="web-1")


class Kept:
    """One process: its fleet, its keeping, its clock."""

    def __init__(self, fleet: Fleet, keeping: Keeping, clock: ManualClock) -> None:
        self.fleet = fleet
        self.keeping = keeping
        self.clock = clock

    async def hear(self, *events: EngineEvent, replayed: bool = False) -> None:
        """The engine said these; as its past, they are recalled first, as a watcher does."""
        if replayed:
            await self.keeping.recall("web-1", INFO, events)
        self.fleet.apply(EventsSeen(engine="web-1", events=events, replayed=replayed))
        await self.keeping.keeper.flush()

    def crashes(self) -> list[tuple[str, int]]:
        """What the records of events say, newest last, with how often."""
        records = sorted(self.fleet.trail.newest(1000), key=lambda record: (record.time, record.id))
        return [(record.what, record.count) for record in records if record.kind == "event"]


@asynccontextmanager
async def kept(
    folder: Path,
    name: str = "one",
    *,
    later: float = 0.0,
    pid: int = 1,
    actor: str = "ops1@bastion",
    clean: bool = True,
) -> AsyncIterator[Kept]:
    """A process that begins `later` seconds after the start of time; not `clean`: it ends without a word."""
    clock = ManualClock(wall=START + timedelta(seconds=later))
    fleet = Fleet([parse_address("unix:///engine.sock", name="web-1")], clock=clock, instance=name)
    keeper = Keeper(partial(trail_in(folder), name), instance=name, clock=clock)
    instance = Instance(name=name, actor=actor, host="elsewhere", pid=pid)
    keeping = Keeping(keeper, fleet, instance=instance, clock=clock)
    task = asyncio.ensure_future(keeper.run())
    try:
        await keeping.read_past()
        keeping.begin("1.2.3")
        fleet.apply(LinkChanged(engine="web-1", link=LinkStatus(phase=LinkPhase.UP, since=clock.monotonic())))
        fleet.apply(EngineSeen(engine="web-1", info=INFO))
        yield Kept(fleet, keeping, clock)
        if clean:
            keeping.end()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await keeper.close()


def lines(folder: Path) -> Sequence[Line]:
    """All that is in the trail."""
    store = SegmentStore(folder)
    try:
        return tuple(store.lines())
    finally:
        store.close()
