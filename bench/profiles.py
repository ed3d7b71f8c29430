"""Where fleettop's time goes, as py-spy samples it on simulated fleets: ``python -m bench profiles``.

Only samples on a processor count. `Own` shares are of what the event loop runs, with everything below it.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .processes import load
from .report import put_section
from .scale import CONNECTED, FOLDER, Size, cpu_percent, dashboard, settled, shows, simulated, storm

SECTION = "profiles"
RATE = 200
"""Samples a second."""
TOP = 8
SIZES = (Size(10, 50, 0), Size(200, 50, 50), Size(1000, 2, 200))
LOOP = "_run_once"
PLUMBING = re.compile(r"(Handle\._run|Context\.run|_?invoke|MessagePump\.|run_in_executor|<)")
"""Between the loop and what it runs: asyncio's and Textual's own."""
OURS = ("collectors/", "tui/")
FRAME = re.compile(r"(?P<function>.+) \((?P<file>.+?)(?::\d+)?\)")
DONE = """
What cost most when it was first looked at, and what was done:

1. **Services put together anew for each event** (`Fleet._rebuild`), in a storm over services of hundreds of
   replicas. A hand-over to the screen now rests for a multiple of what it takes, freshness is looked
   up once in a round, replicas are kept in their order, and how one stands is worked out when it changes, with the
   container it is read from; a list in which only time has passed and the commands of health checks touch none.
2. **The collector**: a full collection passed over 10,000 containers in 0.15 to 0.4 s, again and again. What a fleet
   that is met consists of is frozen (`gc.freeze`), and the young are collected at 10,000 instead of 700.
3. **Frames**: of a calm screen one every other second, of rows only those that changed, in regions instead of whole
   lines; an engine that answers as before and a figure that nobody sees wake nobody.
"""


@dataclass(frozen=True)
class Profile:
    """Samples on a processor at one size."""

    size: Size
    percent: float
    """Of one core, while sampled."""
    samples: int
    roots: Counter[str]
    """By what the event loop ran."""
    own: Counter[str]
    """By our functions, each with all below it."""


def place(frame: str) -> str:
    """Function and file without the line."""
    found = FRAME.fullmatch(frame)
    return f"`{found['function']}` ({found['file']})" if found else frame


def counted(size: Size, percent: float, lines: Iterable[str]) -> Profile:
    """Of py-spy's raw lines: frames from the outermost on with `;` between them, a space, and a count."""
    samples, roots, own = 0, Counter[str](), Counter[str]()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        begin = next((i for i, frame in enumerate(frames) if LOOP in frame), None)
        if begin is None or not count.strip().isdigit():
            continue
        below = [frame for frame in frames[begin + 1 :] if not PLUMBING.match(frame)]
        samples += int(count)
        roots[place(below[0]) if below else "the loop itself"] += int(count)
        for one in {place(frame) for frame in below if (f := FRAME.fullmatch(frame)) and f["file"].startswith(OURS)}:
            own[one] += int(count)
    return Profile(size, percent, samples, roots, own)


def measure(size: Size, seconds: float) -> Profile:
    """One size: connected, details read, then sampled with its events under way."""
    with ExitStack() as stack:
        sockets, addresses, _ = stack.enter_context(simulated(size))
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sc-")))
        terminal = stack.enter_context(dashboard(addresses, home))
        shows(terminal, rf"\b{size.containers}\b.{{0,9}} containers", CONNECTED)
        settled(terminal)
        if size.rate:
            stack.enter_context(storm(sockets, size.rate))
            terminal.pass_time(4.0)
        raw = home / "raw"
        command = ["record", "--pid", str(terminal.pid), "--duration", str(int(seconds)), "--rate", str(RATE),
                   "--nonblocking", "--format", "raw", "--output", str(raw)]  # fmt: skip
        spy = subprocess.Popen(
            [str(Path(sys.executable).with_name("py-spy")), *command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        began, percent = time.monotonic(), cpu_percent(terminal, seconds)
        while spy.poll() is None and time.monotonic() - began < seconds + 30:
            terminal.pass_time(0.5)
        return counted(size, percent, raw.read_text().splitlines() if raw.exists() else ())


def markdown(found: Iterable[Profile], before: float) -> str:
    """The section."""
    lines = ["## Where the time goes", ""]
    lines += [
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {sys.version.split()[0]}; load before {before:.2f}. Sampled "
        f"by py-spy {RATE} times a second, on simulated engines; shares are of what fleettop's event loop runs.",
        DONE.rstrip(),
        "",
    ]
    for one in found:
        what = f"{one.size.rate:g} events a second" if one.size.rate else "nothing happening"
        lines += [f"### {one.size}, {what}: {one.percent:.1f} % of a core, {one.samples} samples", ""]
        lines += ["| the loop runs | % | with all below it | % |", "|---|---:|---|---:|"]
        pairs = zip(one.roots.most_common(TOP), one.own.most_common(TOP), strict=False)
        total = max(1, one.samples)
        lines += [f"| {r} | {n * 100 / total:.1f} | {o} | {m * 100 / total:.1f} |" for (r, n), (o, m) in pairs]
        lines.append("")
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.profiles", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="of sampling, for each size")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of RESULTS.md")
    return parser.parse_args()


def main() -> int:
    """Measure, write, print."""
    options, before = arguments(), load()
    text = markdown([measure(size, options.seconds) for size in SIZES], before)
    put_section(options.out, SECTION, text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
