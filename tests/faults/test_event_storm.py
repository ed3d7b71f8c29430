"""F21: ten thousand events a second."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fleettop.collectors.address import parse_address
from fleettop.collectors.model import RecordKind
from fleettop.collectors.session import Session
from fleettop.collectors.trail import trail_in
from fleettop.collectors.trail.segments import SegmentStore
from fleettop.collectors.watch.events import QUEUE

Eventually = Callable[..., Any]
RATE, SECONDS = 10_000, 10
MEMORY = 200
"""Megabytes that a storm of a hundred thousand events may take at most; all of them at once would take more."""


async def test_in_a_storm_of_events_noise_goes_first_and_every_loss_is_counted(
    tmp_path: Path, eventually: Eventually
) -> None:
    """The engine gets rid of all of it, memory has a bound, and what is in the trail and in gaps is what was said."""
    socket, script = tmp_path / "storm.sock", Path(__file__).with_name("storm_engine.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), str(socket), str(RATE), str(SECONDS), stdin=PIPE, stdout=PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"ready\n"
        before = _memory()
        address = parse_address(f"unix://{socket}", name="storm")
        async with Session([address], open_trail=trail_in(tmp_path / "trail")) as session:
            told = json.loads(await asyncio.wait_for(process.stdout.readline(), 240))
            stream = session._watches["storm"]._events
            assert len(stream._queue) <= QUEUE
            await eventually(lambda: not stream._queue and not stream.overrun, timeout=120)
            await session.kept()
            gaps = [r for r in session.fleet.trail.newest(1000) if r.kind is RecordKind.GAP and "faster" in r.what]
        assert _memory() - before < MEMORY
    finally:
        process.stdin.close()
        await process.wait()
    store = SegmentStore(tmp_path / "trail")
    kept = Counter(line.entry.event.action for line in store.lines() if line.entry.event is not None)
    store.close()
    lost = sum(int(gap.what.partition(": ")[2].split()[0]) for gap in gaps)
    assert told["sent"] == RATE * SECONDS
    assert set(kept) <= {"die", "start"}
    crashes = told["sent"] // 10 * 2
    assert kept.total() == crashes or (kept.total() < crashes and crashes - kept.total() <= lost)
    assert all(gap.certain is (kept.total() < crashes) for gap in gaps)


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
