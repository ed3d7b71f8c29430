"""What comes first where lines come faster than they can be shown: the person at the keys."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from fleettop.collectors.engine.logs import LogDecoder
from fleettop.collectors.logs.intake import REST, SLICE, Intake, Stream
from fleettop.collectors.model.logs import LogLine

LINE = b"2026-01-02T03:04:05.000000001Z twenty times the same\r\n"


class Table:
    """An intake whose decoding takes `cost` seconds a slice, and how long it stood back after each."""

    def __init__(self, *, courteous: bool, cost: float = 0.0, backlog: int = 1 << 30) -> None:
        self.now, self.cost = 100.0, cost
        self.waits: list[float] = []
        self.lines = self.skipped = 0
        self.intake = Intake(
            self._came, self._left_out, backlog=backlog, courteous=courteous, now=lambda: self.now, sleep=self._sleep
        )

    def _came(self, _source: int, lines: list[LogLine]) -> None:
        self.lines += len(lines)
        self.now += self.cost

    def _left_out(self, _source: int, count: int) -> None:
        self.skipped += count

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    async def take(self, count: int, *, droppable: bool = False) -> None:
        """So many lines at once, until all are decoded."""
        running = asyncio.ensure_future(self.intake.run())
        stream = Stream(0, LogDecoder(multiplexed=False), droppable=droppable)
        self.intake.put(stream, LINE * count)
        await self.intake.finish(stream, whole=True)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def test_where_a_person_waits_for_keys_lines_are_taken_in_for_half_of_the_time() -> None:
    """After each slice as long as it took is left to others, however slow the machine is now."""
    table, count = Table(courteous=True, cost=0.25), 10 * SLICE // len(LINE)
    await table.take(count)
    assert table.lines == count
    assert len(table.waits) > 5
    assert set(table.waits) == {0.25}


async def test_where_nobody_waits_lines_are_taken_in_without_a_pause() -> None:
    """A command that prints logs lets the others have their turn, and no more."""
    table, count = Table(courteous=False, cost=0.25), 10 * SLICE // len(LINE)
    await table.take(count)
    assert table.lines == count
    assert set(table.waits) == {0.0}


async def test_lines_stand_back_for_a_key_but_not_for_ever() -> None:
    """What a key does comes first; keys that are held down leave lines half of the time."""
    table = Table(courteous=True)
    table.intake.stand_back()
    await table.intake.turn()
    table.intake.stand_back()
    await table.intake.turn()
    assert table.waits == pytest.approx([REST, 0.0])
    table.now += REST
    table.intake.stand_back()
    await table.intake.turn()
    assert table.waits[-1] == pytest.approx(REST)


async def test_what_is_passed_over_is_counted() -> None:
    """Of a stream that is followed: every line is told or counted."""
    table = Table(courteous=True, backlog=SLICE // 2)
    await table.take(1_000, droppable=True)
    assert table.skipped > 0
    assert table.lines + table.skipped == 1_000
