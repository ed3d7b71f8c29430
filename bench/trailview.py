"""Measure view 4 on a big trail, in the dashboard itself: ``python -m bench.trailview`` (see --help)."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import shutil
import sys
import tempfile
import time
from asyncio import events
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fleettop.collectors.config import Config
from fleettop.collectors.demo import DemoFleet
from fleettop.collectors.trail.entry import stamp
from fleettop.collectors.trail.opening import TrailFolder
from fleettop.tui.app import FleetApp
from fleettop.tui.trail.rows import TrailRows
from textual.pilot import Pilot

from .processes import load
from .report import put_section
from .trail import APART, FOLDER, T0, build, say

SECTION = "trailview"
LIMIT = 30.0
"""Seconds after which a step is given up, and said to be."""
SCREEN = 30
"""Rows that fill the screen of 120×40."""


@dataclass(frozen=True)
class Step:
    """Keys that a person presses, and when what they asked for is there."""

    what: str
    keys: Sequence[str]
    there: Callable[[FleetApp], bool]
    turns: bool = True
    """Whether other lines than before are to be there."""


@dataclass(frozen=True)
class Measured:
    """Of one step, in milliseconds."""

    what: str
    took: float | None
    """From the last key to what was asked for; None: not within the limit."""
    busy: float
    """The longest that the event loop did one thing, in its own CPU: no key is answered meanwhile."""


class Loop:
    """The longest callback of the event loop, by CPU, so that other programs of the machine do not count."""

    def __init__(self) -> None:
        self.longest = 0.0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Every callback is timed meanwhile."""
        usual = events.Handle._run

        def timed(handle: events.Handle) -> None:
            began = time.thread_time()
            usual(handle)
            self.longest = max(self.longest, (time.thread_time() - began) * 1000)

        events.Handle._run = timed  # type: ignore[method-assign]
        try:
            yield
        finally:
            events.Handle._run = usual  # type: ignore[method-assign]


def rows(app: FleetApp) -> int:
    """Kept lines in view 4; 0 while what was asked for is still being read."""
    shown = app.dashboard._rows
    if not isinstance(shown, TrailRows) or len(app.screen_stack) > 1 or shown._preview is not None or shown._arriving:
        return 0
    return sum(1 for key in shown.order if isinstance(key, str))


def filled(app: FleetApp) -> bool:
    """A screen full of lines is there."""
    return rows(app) > SCREEN and app.dashboard.table.cursor_key is not None


def steps(lines: int) -> list[Step]:
    """What a person does in it."""

    def typed(words: str) -> list[str]:
        return [*words, "enter"]

    def back(what: str) -> Step:
        return Step(f"{what}, taken away", ["escape"], filled)

    middle, early = (stamp(T0 + lines * APART * part // 100)[:19].replace("T", " ") for part in (50, 2))
    found: list[Step] = [
        Step("open view 4", ["4"], filled),
        Step("page down, ten times", ["pagedown"] * 10, filled, turns=False),
        Step("page down, sixty times", ["pagedown"] * 60, filled, turns=False),
        Step("the middle, by typing its time", ["t", *typed(middle)], filled),
        Step("page up, ten times", ["pageup"] * 10, filled, turns=False),
        Step("near the begin, by typing its time", ["t", *typed(early)], filled),
        Step("the end (g)", ["g"], filled),
    ]
    for what, words in (
        ("one service", "service:shop/s7"),
        ("one host and one actor", "host:h39 who:ann"),
        ("one kind", "kind:outcome"),
    ):
        found += [Step(f"filter: {what}", ["slash", *typed(words)], filled), back(f"filter: {what}")]
    found += [Step("only what is wrong (z)", ["z"], filled), back("only what is wrong (z)")]
    found += [Step("all of a record", ["down", "enter"], lambda app: len(app.screen_stack) > 1, turns=False)]
    return found


async def _press(pilot: Pilot[int], keys: Sequence[str]) -> None:
    for key in keys:
        await pilot.press(key)


async def measure(app: FleetApp, pilot: Pilot[int], step: Step) -> Measured:
    """Press, wait for what was asked for, and a moment for what follows it."""
    loop, before = Loop(), app.dashboard._rows.order
    with loop.watched():
        await _press(pilot, step.keys[:-1])
        began = time.perf_counter()
        app.simulate_key(step.keys[-1])
        await asyncio.sleep(0)
        took = None
        while time.perf_counter() - began < LIMIT:
            await asyncio.sleep(0.002)
            if step.there(app) and (not step.turns or app.dashboard._rows.order is not before):
                took = (time.perf_counter() - began) * 1000
                break
        await asyncio.sleep(0.3)
    done = Measured(step.what, took, loop.longest)
    say(f"  {done.what}: {'not within ' + str(LIMIT) if took is None else f'{took:.0f}'} ms, loop {done.busy:.0f} ms")
    return done


async def view(folder: Path, lines: int) -> list[Measured]:
    """A dashboard of a small simulated fleet, with that trail."""
    async with DemoFleet(engines=5, containers=60, seed=3) as demo:
        app = FleetApp(demo.addresses, Config(), open_trail=TrailFolder(folder))
        async with app.run_test(size=(120, 40)) as pilot:
            await app.session.settled(20)
            await asyncio.sleep(3)
            return [await measure(app, pilot, step) for step in steps(lines)]


def markdown(found: Sequence[Measured], lines: int, size: int, began: float) -> str:
    """The section of RESULTS.md."""
    about = (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, Linux {platform.release()}, "
        f"Python {platform.python_version()}; load before {began:.2f}"
    )
    text = [
        f"## View 4 on a trail of {lines:,} records",
        "",
        f"{about}. The trail takes {size / 1e9:.1f} GB. The dashboard watches 60 simulated containers meanwhile, which "
        "write to the same trail.",
        "",
        "| what a person does | ms to a full screen | longest the loop is busy, ms of CPU |",
        "|---|---:|---:|",
    ]
    for one in found:
        took = f"over {LIMIT * 1000:.0f}" if one.took is None else f"{one.took:.0f}"
        text.append(f"| {one.what} | {took} | {one.busy:.0f} |")
    return "\n".join(text)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.trailview", description=__doc__)
    parser.add_argument("--lines", type=int, default=5_000_000)
    parser.add_argument("--folder", type=Path, help="where the trail is made, and left; else it is removed")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of RESULTS.md")
    return parser.parse_args()


def main() -> int:
    """Build, measure, write, print."""
    options = arguments()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="fleettop-bench-", dir="/var/tmp"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        big = folder / "big"
        if not big.exists():
            say(f"a trail of {options.lines:,} lines")
            build(big, options.lines)
        began, size = load(), sum(file.stat().st_size for file in big.iterdir())
        found = asyncio.run(view(big, options.lines))
    finally:
        if not options.folder:
            shutil.rmtree(folder, ignore_errors=True)
    text = markdown(found, options.lines, size, began)
    put_section(options.out, SECTION, text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
