"""The keeper: nothing waits for the store, nothing that was put is lost unnoticed, what others write is heard."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fleettop.collectors.clock import SystemClock
from fleettop.collectors.errors import StoreFull
from fleettop.collectors.trail import Tidied
from fleettop.collectors.trail import keeper as module
from fleettop.collectors.trail.entry import Entry, stamp
from fleettop.collectors.trail.keeper import Keeper
from fleettop.collectors.trail.segments import SegmentStore
from fleettop.collectors.trail.store import Line, Query, Store

Eventually = Callable[..., Any]
TIME = 1_790_000_000_000_000_000


class Full(SegmentStore):
    """A store on a disk that a test fills and frees."""

    full = False

    def append(self, entries: Sequence[Entry]) -> tuple[int, ...]:
        if Full.full:
            raise StoreFull("The trail's disk is full.")
        return super().append(entries)


@pytest.fixture(autouse=True)
def _free_disk() -> None:
    Full.full = False


def entry(number: int, instance: str = "one") -> Entry:
    """One line of its own."""
    at = stamp(TIME + number)
    return Entry(thread=f"{instance}-{number}", kind="note", at=at, seen=at, instance=instance, what=f"note {number}")


@asynccontextmanager
async def keeping(folder: Path, instance: str = "one") -> AsyncIterator[Keeper]:
    """A keeper at work."""
    keeper = Keeper(lambda: Full(folder, instance=instance), instance=instance, clock=SystemClock())
    task = asyncio.ensure_future(keeper.run())
    try:
        yield keeper
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await keeper.close()


def kept(folder: Path) -> list[str]:
    """What is in the trail, in its order."""
    store = SegmentStore(folder)
    try:
        return [line.entry.what for line in store.lines()]
    finally:
        store.close()


async def test_what_was_flushed_is_in_the_trail(tmp_path: Path) -> None:
    """In the order in which it was put."""
    async with keeping(tmp_path / "trail") as keeper:
        keeper.put(entry(n) for n in range(2_500))
        await keeper.flush()
        assert kept(tmp_path / "trail") == [f"note {n}" for n in range(2_500)]


async def test_leaving_writes_what_is_left(tmp_path: Path) -> None:
    """Nobody has to flush."""
    async with keeping(tmp_path / "trail") as keeper:
        keeper.put([entry(1)])
    assert kept(tmp_path / "trail") == ["note 1"]


async def test_on_a_full_disk_lines_wait_and_are_written_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    """F16: it is said at once, whoever needs the line on disk hears so, and nothing is lost of what can wait."""
    monkeypatch.setattr(module, "RETRY", 0.01)
    async with keeping(tmp_path / "trail") as keeper:
        told: list[bool] = []
        keeper.on_trouble = lambda: told.append(keeper.trouble is not None)
        Full.full = True
        keeper.put([entry(1)])
        with pytest.raises(StoreFull):
            await keeper.flush()
        keeper.put([entry(2)])
        Full.full = False
        await eventually(lambda: keeper.trouble is None)
        await keeper.flush()
        assert told == [True, False]
    assert kept(tmp_path / "trail") == ["note 1", "note 2"]


async def test_what_cannot_wait_any_longer_is_counted_in_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    """The memory it takes has a bound; the hole is told with its number and its cause."""
    monkeypatch.setattr(module, "RETRY", 0.01)
    monkeypatch.setattr(module, "WAITING", 10)
    async with keeping(tmp_path / "trail") as keeper:
        Full.full = True
        keeper.put(entry(n) for n in range(10))
        await eventually(lambda: keeper.trouble is not None)
        keeper.put(entry(n) for n in range(10, 25))
        Full.full = False
        await eventually(lambda: keeper.trouble is None)
        keeper.put([entry(99)])
        await keeper.flush()
    written = kept(tmp_path / "trail")
    assert written[:10] == [f"note {n}" for n in range(10)]
    assert "15 lines are missing: the disk of the trail was full" in written
    assert "note 99" in written


async def test_lines_gather_unless_somebody_waits_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    """A storm is written a few times a second and not once for each line; a flush still waits for the disk alone."""
    batches: list[int] = []
    append = Keeper._append_lines

    def count(keeper: Keeper, store: Store, batch: Sequence[Entry]) -> Sequence[int]:
        batches.append(len(batch))
        return append(keeper, store, batch)

    monkeypatch.setattr(Keeper, "_append_lines", count)
    monkeypatch.setattr(module, "GATHER", 1000.0)
    async with keeping(tmp_path / "trail") as keeper:
        keeper.put([entry(0)])
        await eventually(lambda: batches)
        for number in range(1, 10):
            keeper.put([entry(number)])
            await asyncio.sleep(0)
        await keeper.flush()
    assert batches == [1, 9]


async def test_lines_of_others_are_handed_on_once(tmp_path: Path, eventually: Eventually) -> None:
    """And our own never."""
    heard: list[Line] = []
    async with keeping(tmp_path / "trail") as one, keeping(tmp_path / "trail", "two") as two:
        one.on_lines = heard.extend
        one.put([entry(1)])
        await one.flush()
        two.put([entry(2, "two")])
        await two.flush()
        one.put([entry(3)])
        await one.flush()
        two.put([entry(4, "two")])
        await eventually(lambda: len(heard) == 2)
    assert [line.entry.what for line in heard] == ["note 2", "note 4"]


async def test_reading_goes_on_beside_writing(tmp_path: Path) -> None:
    """A question is answered from what is there."""
    async with keeping(tmp_path / "trail") as keeper:
        keeper.put([entry(1), entry(2)])
        await keeper.flush()
        found = await keeper.ask(lambda store: store.read(Query(), 10))
    assert [line.entry.what for line in found] == ["note 2", "note 1"]


async def test_the_trail_is_tidied_and_how_it_grows_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    """Retention runs beside the writing, again and again; its word to a person is said once."""
    monkeypatch.setattr(module, "TIDY", 0.01)
    tidied: list[int] = []

    def tidy(store: object, now: int) -> Tidied:
        tidied.append(now)
        return Tidied(large="It takes 2 GiB.")

    keeper = Keeper(lambda: Full(tmp_path / "trail"), instance="one", clock=SystemClock(), tidy=tidy)
    told: list[Tidied] = []
    keeper.on_tidied = told.append
    task = asyncio.ensure_future(keeper.run())
    keeper.put([entry(1)])
    await eventually(lambda: len(tidied) > 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await keeper.close()
    assert told == [Tidied(large="It takes 2 GiB.")]


async def test_a_line_that_no_trail_can_hold_keeps_no_other_out(tmp_path: Path) -> None:
    """It is left out and logged: a defect of ours must not end the record of everything else."""
    bad = Entry(thread="bad", kind="note", at="not a time", seen=stamp(TIME), instance="one")
    async with keeping(tmp_path / "trail") as keeper:
        keeper.put([entry(1), bad, entry(2)])
        await keeper.flush()
    assert kept(tmp_path / "trail") == ["note 1", "note 2"]


async def test_what_a_person_waits_for_is_not_behind_what_the_start_reads(tmp_path: Path) -> None:
    """The past of millions of lines takes a second to be read; view 4 may be opened in that second."""
    let_go = threading.Event()
    async with keeping(tmp_path / "trail") as keeper:
        keeper.put([entry(1)])
        await keeper.flush()
        long = asyncio.ensure_future(keeper.ask(lambda _: let_go.wait(60)))
        try:
            found = await asyncio.wait_for(keeper.ask(lambda store: store.read(Query(), 10), waited_for=True), 30)
            assert [line.entry.what for line in found] == ["note 1"]
            assert not long.done()
        finally:
            let_go.set()
            await long


def asks(keeper: Keeper, monkeypatch: pytest.MonkeyPatch, note: Callable[[], int]) -> list[int]:
    """What `note` tells, each time that the keeper asks its store for the lines of others from here on."""
    asked: list[int] = []
    newer = keeper._newer

    def ask() -> Sequence[Line]:
        asked.append(note())
        return newer()

    monkeypatch.setattr(keeper, "_newer", ask)
    return asked


async def test_while_nobody_writes_the_trail_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    """An idle program does not wake a thread each second; what another writes is heard all the same."""
    monkeypatch.setattr(module, "OTHERS", 0.001)
    monkeypatch.setattr(module, "QUIET", 500)
    heard: list[Line] = []
    async with keeping(tmp_path / "trail") as one, keeping(tmp_path / "trail", "two") as two:
        looks: list[bool] = []
        traces = SegmentStore.traces

        def look(store: SegmentStore) -> tuple[int, ...] | None:
            if store.instance == "one":
                looks.append(True)
            return traces(store)

        monkeypatch.setattr(SegmentStore, "traces", look)
        asked = asks(one, monkeypatch, lambda: len(looks))
        one.on_lines = heard.extend
        one.put([entry(1)])
        await one.flush()
        await eventually(lambda: asked and len(looks) > asked[-1] + 50)
        two.put([entry(2, "two")])
        await eventually(lambda: [line.entry.what for line in heard] == ["note 2"])


async def test_what_another_wrote_is_heard_though_it_left_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    """A slow disk shows a line in the log before it can be read: it is found later, not never."""
    monkeypatch.setattr(module, "OTHERS", 0.001)
    monkeypatch.setattr(SegmentStore, "traces", lambda store: (1, 1, 1))
    heard: list[Line] = []
    async with keeping(tmp_path / "trail") as one, keeping(tmp_path / "trail", "two") as two:
        asked = asks(one, monkeypatch, lambda: len(heard))
        one.on_lines = heard.extend
        await eventually(lambda: len(asked) > 2)
        two.put([entry(1, "two")])
        await two.flush()
        await eventually(lambda: [line.entry.what for line in heard] == ["note 1"])
