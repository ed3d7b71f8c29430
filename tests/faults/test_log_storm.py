"""F21 for logs: fifty thousand lines a second."""

from __future__ import annotations

import asyncio
import json
import re
import resource
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fleettop.collectors.address import parse_address
from fleettop.collectors.logs import LogFeed, Ring, Span, Wanted, members_of
from fleettop.collectors.logs.colours import text_of
from fleettop.collectors.logs.intake import BACKLOG
from fleettop.collectors.model.logs import NOTE, LogLine
from fleettop.collectors.session import Session

Eventually = Callable[..., Any]
RATE, SECONDS, CONTAINERS = 50_000, 3, 10
MEMORY = 220
"""Megabytes that a storm may take, of which the ring has its share."""


@asynccontextmanager
async def storm(socket: Path, rate: int, seconds: float) -> AsyncIterator[asyncio.subprocess.Process]:
    """The engine that storms, in a process of its own."""
    script = Path(__file__).parents[2] / "bench/log_storm.py"
    words = [str(script), str(socket), str(rate), str(seconds), str(CONTAINERS)]
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stdin=PIPE, stdout=PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        process.stdin.close()
        await process.wait()


@pytest.mark.parametrize("backlog", [BACKLOG, 4_096])
async def test_in_a_storm_of_lines_memory_has_a_bound_and_every_line_is_told_or_counted(
    tmp_path: Path, eventually: Eventually, backlog: int
) -> None:
    """In the order of each replica; what came faster than it can be read is counted, and the engine is drained."""
    socket, before = tmp_path / "s", _memory()
    counts: dict[int, int] = {}
    notes: list[str] = []
    ring, disorder = Ring(lines=20_000), list[LogLine]()
    newest: dict[int, int] = {}

    async def deliver(lines: Sequence[LogLine]) -> None:
        ring.extend(lines)
        for line in lines:
            if line.source == NOTE:
                notes.append(text_of(line))
                continue
            counts[line.source] = counts.get(line.source, 0) + 1
            number = int(line.data.split()[1])
            if number <= newest.get(line.source, -1):
                disorder.append(line)
            newest[line.source] = number

    async with (
        storm(socket, RATE, SECONDS) as process,
        Session([parse_address(f"unix://{socket}", name="storm")], read_only=True) as session,
    ):
        assert process.stdout is not None
        await session.settled(30)
        session.fleet.take_changes()
        keys = tuple(session.fleet.services)
        feed = LogFeed(
            session,
            lambda: members_of(session.fleet, Wanted(keys)),
            deliver,
            span=Span(tail=100),
            backlog=backlog,
        )
        task = asyncio.create_task(feed.run())
        sent = json.loads(await asyncio.wait_for(process.stdout.readline(), 240))["sent"]

        def told() -> int:
            skipped = [int(found[1].replace(",", "")) for note in notes if (found := re.match(r"… ([\d,]+) l", note))]
            return sum(counts.values()) + sum(skipped)

        await eventually(lambda: told() >= sent, timeout=120)
        assert told() == sent == RATE * SECONDS
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert disorder == []
    assert ring.end == sum(counts.values()) + len(notes)
    assert len(ring) == min(20_000, ring.end)
    if backlog == BACKLOG:
        assert len(counts) == CONTAINERS
        assert _memory() - before < MEMORY
    else:
        assert any("skipped" in note for note in notes)


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
