"""Watch a fleet in a storm for long and see that nothing grows: ``python -m bench soak`` (see --help), `make soak`.

The dashboard runs in this process without a terminal, with a trail; the simulated engines and the storm of events are
processes of their own. Engines go away and come back, all of them freeze now and then until they are given up, views
are walked through, logs are opened and closed. Exit code 1 where memory, files, threads or tasks kept growing.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import platform
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from fleettop.collectors.address import EngineAddress
from fleettop.collectors.config import Config
from fleettop.collectors.model import LinkPhase
from fleettop.collectors.trail.opening import TrailFolder
from fleettop.tui.app import FleetApp
from textual.events import Key

from .report import put_section
from .scale import Size, say, simulated, storm

FOLDER = Path(__file__).parent
SECTION = "soak"
WALK = (
    "2",
    "3",
    "4",
    "pagedown",
    "5",
    "8",
    "1",
    "down",
    "l",
    "escape",
    "i",
    "escape",
    "slash",
    "a",
    "escape",
    "escape",
)
"""Keys, pressed one after the other, again and again."""
FREEZE_EACH, FROZEN = 8, 35.0
"""After so many samples all engines stand still, for so many seconds: longer than a link is waited for."""
BACK = 120.0
"""Seconds in which every engine must be back afterwards."""
MEMORY, FEW = 1.08, 6
"""What the last quarter may have more of: memory by this factor, of all else so many."""
WARMING = 1.15
"""The factor where minutes are all there is: what is kept within bounds is not full by then."""


@dataclass(frozen=True)
class Sample:
    """What the process holds at one moment, after a collection."""

    after: float
    """Seconds since the start."""
    memory: float
    """Resident, MiB."""
    files: int
    threads: int
    tasks: int
    objects: int
    """That Python's collector looks after."""


def sample(began: float) -> Sample:
    """Now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    status = Path("/proc/self/status").read_text()
    return Sample(
        after=time.monotonic() - began,
        memory=pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20),
        files=len(list(Path("/proc/self/fd").iterdir())),
        threads=int(status.partition("Threads:")[2].split()[0]),
        tasks=len(asyncio.all_tasks()),
        objects=len(gc.get_objects()),
    )


async def soak(size: Size, seconds: float, every: float, home: Path) -> list[Sample]:
    """Watch, and take samples; the first when the fleet is known whole and a moment has passed."""
    found: list[Sample] = []
    with simulated(size) as (sockets, texts, engines), storm(sockets, size.rate):
        addresses = [
            EngineAddress(name=Path(text).stem, scheme="unix", socket=text.removeprefix("unix://"), origin="soak")
            for text in texts
        ]
        app = FleetApp(addresses, Config(), open_trail=TrailFolder(home / "trail"))
        async with app.run_test(size=(160, 45)):
            await app.session.settled(60)
            await _walk(app, every)
            began = time.monotonic()
            while (after := time.monotonic() - began) < seconds:
                found.append(sample(began))
                one = found[-1]
                say(f"  {after:6.0f} s: {one.memory:.0f} MiB, {one.files} files, {one.tasks} tasks")
                door = sockets / f"{Path(texts[len(found) % len(texts)]).stem}.sock"
                away = door.with_suffix(".away")
                door.rename(away)  # new connections find nothing there for a while
                app.session.retry()
                await _walk(app, every)
                away.rename(door)
                if len(found) % FREEZE_EACH == 0:
                    engines.send_signal(signal.SIGSTOP)
                    await _walk(app, FROZEN)
                    engines.send_signal(signal.SIGCONT)
                    app.session.retry()
                    await _all_back(app)
                    await _walk(app, every)
            found.append(sample(began))
    return found


async def _all_back(app: FleetApp) -> None:
    async with asyncio.timeout(BACK):
        while any(engine.link.phase is not LinkPhase.UP for engine in app.fleet.engines.values()):
            await _walk(app, 1.0)


async def _walk(app: FleetApp, seconds: float) -> None:
    end, place = time.monotonic() + seconds, 0
    while time.monotonic() < end or place % len(WALK):
        await _press(app, WALK[place % len(WALK)])
        place += 1
    while len(app.screen_stack) > 1:
        await _press(app, "escape")


async def _press(app: FleetApp, key: str) -> None:
    """As somebody does who reads meanwhile; a pilot waits until nothing happens any more, which never comes here."""
    app.post_message(Key(key, {"slash": "/"}.get(key, key if len(key) == 1 else None)))
    await asyncio.sleep(0.2)


def growth(found: Sequence[Sample], most: float = MEMORY) -> list[str]:
    """What grew from the second quarter to the last, in words. The first quarter fills what is kept within bounds."""
    quarter = max(1, len(found) // 4)
    early, late = found[quarter : 2 * quarter], found[-quarter:]
    grew = []
    for what in ("memory", "files", "threads", "tasks"):
        before, after = (statistics.median(getattr(one, what) for one in part) for part in (early, late))
        if after > (before * most if what == "memory" else before + FEW):
            grew.append(f"{what}: {before:.0f} to {after:.0f}")
    return grew


def markdown(size: Size, found: Sequence[Sample], grew: Sequence[str]) -> str:
    """The section of RESULTS.md."""
    step = max(1, len(found) // 12)
    rows = [*found[::step], *found[-1:]] if (len(found) - 1) % step else found[::step]
    text = [
        "## A long storm",
        "",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, Linux {platform.release()}, Python "
        f"{platform.python_version()}. {size} simulated engines × containers, {size.rate:g} events a second, a trail, "
        "an engine away for a while again and again, all frozen now and then, views, logs and pages opened and closed. "
        "The process is that of the dashboard, with what measures in it.",
        "",
        f"**{'Nothing grew' if not grew else 'Grew: ' + '; '.join(grew)}** from the second quarter to the last.",
        "",
        "| after, s | memory, MiB | files | threads | tasks | objects |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for one in rows:
        text.append(
            f"| {one.after:.0f} | {one.memory:.0f} | {one.files} | {one.threads} | {one.tasks} | {one.objects:,} |"
        )
    return "\n".join(text)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--every", type=float, default=20.0, help="seconds between two samples")
    parser.add_argument("--engines", type=int, default=20)
    parser.add_argument("--each", type=int, default=25, help="containers on each engine")
    parser.add_argument("--rate", type=float, default=50.0, help="events a second, on all engines together")
    parser.add_argument("--short", action="store_true", help="a small fleet: what screens leave behind")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of RESULTS.md and soak.json")
    options = parser.parse_args()
    if options.short:
        # So few events that what is kept within bounds takes no part in what grows.
        options.minutes, options.every, options.engines, options.each, options.rate = 3.0, 6.0, 4, 6, 1.0
    return options


def main() -> int:
    """Watch, write, print."""
    options = arguments()
    size = Size(options.engines, options.each, options.rate)
    with tempfile.TemporaryDirectory(prefix="soak-") as home:
        found = asyncio.run(soak(size, options.minutes * 60, options.every, Path(home)))
    grew = growth(found, WARMING if options.short else MEMORY)
    text = markdown(size, found, grew)
    put_section(options.out, SECTION, text)
    (options.out / "soak.json").write_text(json.dumps([asdict(one) for one in found], indent=1) + "\n")
    print(text)
    return 1 if grew else 0


if __name__ == "__main__":
    sys.exit(main())
