"""Measure what the screen costs: ``python -m bench screen``. Needs neither root nor an engine.

Bytes to the terminal and CPU at 500 updates a second on the rows in view, keys in a table of 10,000 rows with as many
updates, and keys over a slow line; each beside the same dashboard written by Textual itself, and Textual's own table.
On a busy machine run it as ``chrt -r 5 python -m bench screen``, else it measures how long the program had to wait.

What profiles (`bench.screenload --profile`) name as the costs to keep away from, at 10,000 rows:
- an arrangement of the whole screen, 25 to 60 ms: Textual makes one whenever a style is set to None, also where it was
  None, and whenever a scrolled pane has another number of lines;
- sorting 10,000 rows and numbering them anew, 15 to 25 ms: only when a rank has changed, never for figures;
- a full garbage collection, 150 ms with a tracked object for each fact of each container: structs of plain data are
  out of its sight (`gc=False`), what is imported is frozen;
- drawing a row from its cells, 0.3 ms, of which most have not changed: they are kept by column;
- a look at all containers to find those of one engine: asked of the engine instead.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .processes import cpu_seconds, load, machine_seconds, tree
from .report import put_section
from .slowline import SlowTerminal
from .terminal import COLUMNS, LINES, Terminal

FOLDER = Path(__file__).parent
SECTION = "screen"
DRAWN = {"frames": "fleettop", "textual": "the same, written by Textual", "datatable": "Textual's DataTable"}
CURSOR = 12
"""A column in which the row under the cursor has another ground than the rest."""
NAMES = 54
"""Columns that hold names; figures, which change by themselves, stand right of them."""
START = 120.0
TIMEOUT = 5.0
HOPELESS = 5
"""Keys in a row without an effect, after which no more are pressed: all further ones would have none either."""
BUDGETS = {
    "bytes": ("to the terminal, 500 updates a second on visible rows", 15.0, "kB/s"),
    "key p50": ("key to screen, 10,000 rows, 500 updates a second, p50", 10.0, "ms"),
    "key p99": ("key to screen, 10,000 rows, 500 updates a second, p99", 60.0, "ms"),
    "slow p50": ("key to screen over 64 kbit/s and 300 ms, 10 × 50 live, p50", 400.0, "ms"),
}


@dataclass(frozen=True)
class Measured:
    """One number of one way to draw."""

    what: str
    drawn: str
    value: float
    others: float
    """Cores that something else used meanwhile; where a terminal is emulated here that is in it."""


def command(drawn: str, *more: str) -> list[str]:
    """How it is started."""
    return [sys.executable, "-m", "bench.screenload", "--drawn", drawn, *more]


def environment() -> dict[str, str]:
    """A modern terminal."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}


def stand(terminal: Terminal, drawn: str) -> None:
    """Wait until its containers are on the screen."""
    if drawn != "datatable":
        if terminal.until(lambda: any("web" in line for line in terminal.lines()), START) is None:
            raise RuntimeError("never stood: " + "\n".join(terminal.lines()))
        terminal.press(b"2")
    if terminal.until(lambda: sum("shop-web" in line for line in terminal.lines()) > LINES - 12, START) is None:
        raise RuntimeError("has no rows: " + "\n".join(terminal.lines()))
    for _ in range(12):  # away from the first row, at which a key up would change nothing
        terminal.arrow()
        terminal.pass_time(1)


def cost(drawn: str, seconds: float, rate: int) -> list[Measured]:
    """Bytes and CPU while rows in view change."""
    terminal = Terminal(
        command(drawn, "--containers", "1000", "--engines", "10", "--visible", "--rate", str(rate)), environment()
    )
    try:
        stand(terminal, drawn)
        began, written, machine = time.monotonic(), terminal.written, machine_seconds()
        cpu = cpu_seconds(tree(terminal.pid))
        terminal.pass_time(seconds)
        took = time.monotonic() - began
        used = cpu_seconds(tree(terminal.pid)) - cpu
        others = (machine_seconds() - machine - used) / took
        return [
            Measured("bytes", drawn, (terminal.written - written) / took / 1000, others),
            Measured("cpu", drawn, used / took * 100, others),
        ]
    finally:
        terminal.close()


def standing(terminal: Terminal) -> list[tuple[str, str]]:
    """Of each line what tells the row, not its figures, and its ground, which is another under the cursor."""
    return [(line[:NAMES], terminal.ground(CURSOR, y)) for y, line in enumerate(terminal.lines()) if 3 <= y < LINES - 2]


def keys(terminal: Terminal, drawn: str, count: int) -> list[float]:
    """Milliseconds from each arrow key to the screen on which the cursor is on another row."""
    pause, found = random.Random(2), []
    for number in range(count):
        terminal.pass_time(pause.uniform(0.2, 0.5))
        before = standing(terminal)
        pressed = terminal.arrow(up=number % 16 >= 8)
        chunk = terminal.until(lambda before=before: standing(terminal) != before, TIMEOUT)  # type: ignore[misc]
        found.append((chunk.monotonic - pressed) * 1000 if chunk is not None else math.inf)
        if found[-HOPELESS:] == [math.inf] * HOPELESS:
            break
    return found


def quantile(found: Sequence[float], part: float) -> float:
    """The value that so many do not exceed."""
    return sorted(found)[min(len(found) - 1, math.ceil(part * len(found)) - 1)]


def answering(what: str, drawn: str, made: Callable[[], Terminal], count: int) -> list[Measured]:
    """The quantiles of keys in such a terminal."""
    terminal = made()
    try:
        stand(terminal, drawn)
        began, machine, cpu = time.monotonic(), machine_seconds(), cpu_seconds(tree(terminal.pid))
        found = keys(terminal, drawn, count)
        took, used = time.monotonic() - began, cpu_seconds(tree(terminal.pid)) - cpu
        others = (machine_seconds() - machine - used) / took
        return [
            *(Measured(f"{what} p{part}", drawn, quantile(found, part / 100), others) for part in (50, 90, 99)),
            Measured(f"{what} cpu", drawn, used / took * 100, others),
        ]
    finally:
        terminal.close()


def markdown(found: Sequence[Measured], about: dict[str, str]) -> str:
    """The section of RESULTS.md."""
    rows = ["## The screen", "", *(f"{key}: {value}  " for key, value in about.items()), ""]
    ways = list(dict.fromkeys(one.drawn for one in found))
    of = {(one.what, one.drawn): one for one in found}
    rows += ["| promise | measured | kept |", "|---|---:|---|"]
    for what, (words, most, unit) in BUDGETS.items():
        if one := of.get((what, "frames")):
            rows.append(f"| {words}: {most:g} {unit} | {one.value:.1f} | {'yes' if one.value <= most else '**no**'} |")
    rows += ["", "| | " + " | ".join(DRAWN[way] for way in ways) + " |", "|---|" + "---:|" * len(ways)]
    for what in dict.fromkeys(one.what for one in found):
        cells = []
        for way in ways:
            one = of.get((what, way))
            mine = of.get((what, "frames"))
            told = one and mine and way != "frames" and mine.value and math.isfinite(one.value)
            ratio = f" ({one.value / mine.value:.1f} ×)" if one and mine and told else ""
            cells.append(f"{one.value:.1f}{ratio}" if one else "–")
        rows.append(f"| {LABELS[what]} | " + " | ".join(cells) + " |")
    most = max(one.others for one in found)
    rows += [
        "",
        f"Cores used by all else meanwhile, the emulated terminal included: up to {most:.1f} of {os.cpu_count()}.",
    ]
    return "\n".join(rows)


LABELS = {
    "bytes": "500 updates/s on visible rows: written, kB/s",
    "cpu": "the same: CPU, % of a core",
    **{f"key p{part}": f"10,000 rows, 500 updates/s: key to screen, p{part}, ms" for part in (50, 90, 99)},
    "key cpu": "the same: CPU, % of a core",
    **{f"slow p{part}": f"64 kbit/s and 300 ms, 10 × 50 live: key to screen, p{part}, ms" for part in (50, 90, 99)},
    "slow cpu": "the same: CPU, % of a core",
}


def main() -> int:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(prog="python -m bench screen", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--keys", type=int, default=100)
    parser.add_argument("--slow-keys", type=int, default=40)
    parser.add_argument("--rate", type=int, default=500, help="updates a second")
    parser.add_argument("--only", nargs="+", choices=("bytes", "key", "slow"), default=("bytes", "key", "slow"))
    parser.add_argument("--drawn", nargs="+", choices=tuple(DRAWN), default=tuple(DRAWN))
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of RESULTS.md and screen.json")
    options = parser.parse_args()
    about = {
        "Date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "Machine": f"{os.cpu_count()} cores, Python {sys.version.split()[0]}; load before {load():.2f}",
        "How": f"A terminal of {COLUMNS}×{LINES}. An update is one container's CPU, memory and network, each new. "
        "The slow line delays each direction by 150 ms, lets through 8,000 bytes a second, never pushes back; there "
        "500 containers are sampled every 10 s. A key without an effect in 5 s counts "
        "as inf; after five of them in a row no more are pressed.",
    }
    found: list[Measured] = []
    rate = str(options.rate)
    for drawn in options.drawn:
        if "bytes" in options.only:
            found += cost(drawn, options.seconds, options.rate)
        if "key" in options.only:
            big = command(drawn, "--rate", rate)
            found += answering("key", drawn, lambda big=big: Terminal(big, environment()), options.keys)  # type: ignore[misc]
        if "slow" in options.only:
            live = command(drawn, "--engines", "10", "--containers", "500", "--rate", "50")
            far = {**environment(), "SSH_CONNECTION": "192.0.2.1 22022 192.0.2.2 22"}
            found += answering("slow", drawn, lambda live=live, far=far: SlowTerminal(live, far), options.slow_keys)  # type: ignore[misc]
        for one in found:
            if one.drawn == drawn:
                print(f"  {DRAWN[drawn]}: {LABELS[one.what]}: {one.value:.1f}", file=sys.stderr, flush=True)
    text = markdown(found, about)
    put_section(options.out, SECTION, text)
    (options.out / "screen.json").write_text(
        json.dumps({"about": about, "measured": [vars(one) for one in found]}, indent=1) + "\n"
    )
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
