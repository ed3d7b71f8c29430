"""Measure what a fleet's size costs, on simulated engines in a process of their own: ``python -m bench.scale``.

The engines speak the Engine API on unix sockets; what happens in them is made by a third process (`bench.storm`).
CPU is that of fleettop alone, in percent of one core. The floor is a bare Textual app in the same run.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from .processes import cpu_seconds, load, memory_mib, tree
from .programs import FLEETTOP_BINARY
from .report import put_section
from .terminal import Terminal

FOLDER = Path(__file__).parent
SECTION = "scale"
CONNECTED = 120.0
"""Seconds after which a fleet that is not connected is given up."""
LOOK = 2.0
BARE = "from textual.app import App\nfrom textual.widgets import Static\n" + (
    "class Bare(App):\n def compose(self):\n  yield Static('bare is here')\nBare().run()\n"
)


@dataclass(frozen=True)
class Size:
    """So many engines with so many containers on each, and the events a second that happen on all of them."""

    engines: int
    each: int
    rate: float

    @property
    def containers(self) -> int:
        """On all of them."""
        return self.engines * self.each

    def __str__(self) -> str:
        return f"{self.engines:,} × {self.each}"


@dataclass
class Found:
    """What one size cost; None: it never came."""

    size: Size
    first_frame: float | None = None
    connected: float | None = None
    settled: float | None = None
    """Seconds after the start until all details are read, as far as its CPU tells."""
    idle: float | None = None
    """Percent of a core, watching in view 1 with figures where rows are looked at, nothing happening."""
    stormy: float | None = None
    """The same with the events."""
    events: list[float] = field(default_factory=list)
    """Milliseconds from the engine's answer until the screen says so, with the events."""
    keys: list[float] = field(default_factory=list)
    """Milliseconds from an arrow key until a cell is another, with the events."""
    written: float | None = None
    """Bytes a second to the terminal, with the events."""
    memory: float | None = None
    load: float = 0.0
    at: str = ""
    """When it was measured, UTC."""


SIZES = (Size(10, 5, 1), Size(10, 50, 5), Size(200, 50, 50), Size(1000, 2, 200))
CURVE = (Size(1, 10, 5), Size(1, 100, 5), Size(10, 100, 5), Size(100, 100, 5))


def say(words: str) -> None:
    """Progress, on stderr."""
    print(words, file=sys.stderr, flush=True)


class Simulated(NamedTuple):
    """A fleet in a process of its own."""

    sockets: Path
    """The folder of its sockets."""
    addresses: list[str]
    process: subprocess.Popen[str]


@contextmanager
def simulated(size: Size) -> Iterator[Simulated]:
    """Such a fleet, in which nothing happens by itself."""
    with tempfile.TemporaryDirectory(prefix="sc-", dir="/tmp") as folder:
        sockets = Path(folder) / "f"
        fleet = subprocess.Popen(
            [sys.executable, "-m", "fleettop.collectors.demo", "--still", "--engines", str(size.engines),
             "--containers", str(size.containers), "--folder", str(sockets)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert fleet.stdout is not None
            yield Simulated(sockets, [fleet.stdout.readline().strip() for _ in range(size.engines)], fleet)
        finally:
            _end(fleet)


@contextmanager
def storm(sockets: Path, rate: float) -> Iterator[None]:
    """Events, meanwhile."""
    storming = subprocess.Popen(
        [sys.executable, "-m", "bench.storm", str(sockets), "--rate", str(rate)], stdout=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        _end(storming)


def _end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    process.kill()


@contextmanager
def dashboard(addresses: Sequence[str], folder: Path) -> Iterator[Terminal]:
    """fleettop on these engines, in a terminal of 200×50."""
    text = "".join(f"[[engines]]\nname = {_name(a)}\naddress = {json.dumps(a)}\n" for a in addresses)
    with configured(text, folder) as terminal:
        yield terminal


@contextmanager
def configured(text: str, folder: Path) -> Iterator[Terminal]:
    """fleettop with this `fleettop.toml`, likewise."""
    config = folder / "fleettop.toml"
    config.write_text(text)
    with _terminal([FLEETTOP_BINARY, "--config", str(config)], folder) as terminal:
        yield terminal


def _name(address: str) -> str:
    return json.dumps(Path(address).stem)


@contextmanager
def _terminal(command: Sequence[str], home: Path) -> Iterator[Terminal]:
    surroundings = {
        "PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor",
        "LANG": "C.UTF-8",
    }  # fmt: skip
    terminal = Terminal(command, surroundings)
    try:
        yield terminal
    finally:
        terminal.close()


def shows(terminal: Terminal, pattern: str, timeout: float) -> float | None:
    """Seconds since the program's start until a line has it; None: never."""
    found = re.compile(pattern).search
    chunk = terminal.until(lambda: any(map(found, terminal.lines())), timeout)
    return None if chunk is None else chunk.monotonic - terminal.started


def bare(times: int) -> float | None:
    """Seconds to the first frame of a bare Textual app, the median."""
    took = []
    for _ in range(times):
        with (
            tempfile.TemporaryDirectory(prefix="sc-") as folder,
            _terminal([sys.executable, "-c", BARE], Path(folder)) as terminal,
        ):
            took.append(shows(terminal, "bare is here", 30))
    return statistics.median(one for one in took if one is not None) if any(took) else None


def cpu_percent(terminal: Terminal, seconds: float) -> float:
    """Of one core, over so long."""
    before, began = cpu_seconds(tree(terminal.pid)), time.monotonic()
    terminal.pass_time(seconds)
    return (cpu_seconds(tree(terminal.pid)) - before) / (time.monotonic() - began) * 100


def settled(terminal: Terminal) -> float | None:
    """Seconds after the start until it has no more to read: two looks in a row at less than a third of a core."""
    before = 100.0
    while time.monotonic() - terminal.started < CONNECTED:
        used = cpu_percent(terminal, LOOK)
        if max(before, used) < 33:
            return time.monotonic() - terminal.started - 2 * LOOK
        before = used
    return None


def measure(size: Size, effort: Effort) -> Found:
    """All of it, for one size."""
    found = Found(size, load=load(), at=f"{datetime.now(UTC):%Y-%m-%d %H:%M}")
    with ExitStack() as stack:
        sockets, addresses, _ = stack.enter_context(simulated(size))
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sc-")))
        found.first_frame, found.connected = starts(addresses, size, effort.starts)
        terminal = stack.enter_context(dashboard(addresses, home))
        shows(terminal, rf"\b{size.containers}\b.{{0,9}} containers", CONNECTED)
        found.settled = settled(terminal)
        found.idle = cpu_percent(terminal, effort.watch)
        found.memory = memory_mib(terminal.pid)
        with storm(sockets, size.rate):
            terminal.pass_time(3.0)
            written, began = terminal.written, time.monotonic()
            found.stormy = cpu_percent(terminal, effort.watch)
            found.written = (terminal.written - written) / (time.monotonic() - began)
            found.keys = keys(terminal, effort.keys)
            last = sorted(sockets.glob("*.sock"))[-1]
            found.events = probes(terminal, last, last.stem, effort.events)
        found.memory = max(found.memory, memory_mib(terminal.pid))
    say(f"  {size}: {summary(found)}")
    return found


@dataclass(frozen=True)
class Effort:
    """How much of everything."""

    starts: int = 5
    watch: float = 20.0
    keys: int = 40
    events: int = 20


def starts(addresses: Sequence[str], size: Size, times: int) -> tuple[float | None, float | None]:
    """Seconds until the first frame and until all are connected, the medians; each start has a home of its own."""
    frames, connected = [], []
    for _ in range(times):
        with (
            tempfile.TemporaryDirectory(prefix="sc-") as home,
            dashboard(addresses, Path(home)) as terminal,
        ):
            frames.append(shows(terminal, "Services", 60))
            connected.append(shows(terminal, rf"\b{size.containers}\b.{{0,9}} containers", CONNECTED))
    return _median(frames), _median(connected)


def _median(values: Sequence[float | None]) -> float | None:
    """None where any of it never came."""
    return statistics.median(float(one) for one in values if one is not None) if None not in values else None


def keys(terminal: Terminal, presses: int) -> list[float]:
    """Arrow keys: one down and one up again, since the smallest fleet has two rows."""
    took = []
    for press in range(presses):
        terminal.pass_time(0.1)
        before = cursor(terminal)
        pressed = terminal.arrow(up=press % 2 == 1)
        chunk = terminal.until(lambda then=before: cursor(terminal) not in (None, then), 3.0)  # type: ignore[misc]
        if chunk is not None and before is not None:
            took.append((chunk.monotonic - pressed) * 1000)
    return took


def cursor(terminal: Terminal) -> tuple[int, str] | None:
    """The line of the table whose background no other line has, and the name there, since rows change places, too;
    None: there is no such line."""
    grounds = [terminal.ground(4, line) for line in range(3, 48)]
    alone = [line for line, ground in enumerate(grounds) if grounds.count(ground) == 1]
    return (alone[0], terminal.lines()[3 + alone[0]][3:20]) if len(alone) == 1 else None


def probes(terminal: Terminal, door: Path, host: str, times: int) -> list[float]:
    """Pause and resume one container of the engine that listens there, and see when view 2, filtered to it, says so."""
    name = next(one["Names"][0].removeprefix("/") for one in _ask(door, "GET", "/containers/json") if _runs(one))
    # The name whole, since another's may begin with it; the column is wide enough for those of the simulation.
    terminal.press(b"2")
    terminal.pass_time(0.7)
    for letter in f"/name:{name} host:{host}":
        terminal.press(letter.encode())
        terminal.pass_time(0.05)
    terminal.settle(0.5, 3.0)
    terminal.press(b"\r")
    terminal.pass_time(1.0)
    took: list[float] = []
    for turn in range(times):
        deed, state = (("pause", "paused"), ("unpause", "running|healthy|unhealthy|starting"))[turn % 2]
        line = re.compile(rf"\W*{re.escape(name)}\s+(?:{state})\b").match  # its row: the detail tells of the past, too
        terminal.pass_time(0.2)
        if any(map(line, terminal.lines())):  # the storm had it by the same name
            continue
        _ask(door, "POST", f"/containers/{name}/{deed}")
        asked = time.monotonic()
        chunk = terminal.until(lambda seen=line: any(map(seen, terminal.lines())), 5.0)  # type: ignore[misc]
        if chunk is not None:
            took.append(max(0.0, chunk.monotonic - asked) * 1000)
    return took


def _runs(one: dict[str, object]) -> bool:
    return one["State"] == "running"


class _Door(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("engine")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def _ask(door: Path, method: str, path: str) -> list[dict[str, list[str]]]:
    connection = _Door(door)
    connection.request(method, path)
    body = connection.getresponse().read()
    connection.close()
    return json.loads(body) if body else []  # type: ignore[no-any-return]


# -- what is written


def _at(values: Sequence[float], part: float) -> float | None:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else None


def _cell(value: float | None, digits: int = 0) -> str:
    return "never" if value is None else f"{value:.{digits}f}"


COLUMNS: tuple[tuple[str, Callable[[Found], str]], ...] = (
    ("engines × containers", lambda one: str(one.size)),
    ("first frame, s", lambda one: _cell(one.first_frame, 2)),
    ("all connected, s", lambda one: _cell(one.connected, 1)),
    ("all details read, s", lambda one: _cell(one.settled, 0)),
    ("CPU idle, %", lambda one: _cell(one.idle, 1)),
    ("CPU with events, %", lambda one: f"{_cell(one.stormy, 1)} ({one.size.rate:g}/s)"),
    ("event to screen p50 / p99, ms", lambda one: f"{_cell(_at(one.events, 0.5))} / {_cell(_at(one.events, 0.99))}"),
    ("key to screen p50 / p99, ms", lambda one: f"{_cell(_at(one.keys, 0.5))} / {_cell(_at(one.keys, 0.99))}"),
    ("to the terminal, kB/s", lambda one: _cell(None if one.written is None else one.written / 1000, 1)),
    ("memory, MiB", lambda one: _cell(one.memory)),
    ("load before", lambda one: f"{one.load:.1f}"),
    ("measured, UTC", lambda one: one.at),
)


def summary(one: Found) -> str:
    """On one line."""
    return ", ".join(f"{head} {cell(one)}" for head, cell in COLUMNS[1:])


def markdown(found: Sequence[Found], floor: float | None, starts: int) -> str:
    """The section of RESULTS.md."""
    text = [
        "## What a fleet's size costs",
        "",
        f"{os.cpu_count()} cores, Linux {platform.release()}, "
        f"Python {platform.python_version()}. Simulated engines on unix sockets in a process of their own, events made "
        "by a third process, on the same cores. CPU is fleettop's, in percent of one core; starts are medians of "
        f"{starts}. "
        f"Floor in the same run: a bare Textual app has its first frame after {_cell(floor, 2)} s.",
        "",
        "| " + " | ".join(head for head, _ in COLUMNS) + " |",
        "|---|" + "---:|" * (len(COLUMNS) - 1),
    ]
    text += ["| " + " | ".join(cell(one) for _, cell in COLUMNS) + " |" for one in found]
    text += ["", *chart("CPU idle, % of a core, by containers", [(str(f.size), f.idle) for f in found])]
    text += ["", *chart("memory, MiB", [(str(f.size), f.memory) for f in found])]
    return "\n".join(text)


def chart(title: str, bars: Sequence[tuple[str, float | None]]) -> list[str]:
    """Bars of text."""
    most = max((value for _, value in bars if value is not None), default=0.0) or 1.0
    wide = max(len(name) for name, _ in bars)
    lines = [f"{name:>{wide}} {'█' * round((value or 0.0) / most * 50)} {_cell(value, 1)}" for name, value in bars]
    return [f"{title}:", "```text", *lines, "```"]


def among(found: Sequence[Found], kept: Path) -> list[Found]:
    """These, in the places that their sizes have among those kept of before."""
    if not kept.exists():
        return list(found)
    before = [Found(**{**one, "size": Size(**one["size"])}) for one in json.loads(kept.read_text())]
    fresh = {one.size: one for one in found}
    sizes = dict.fromkeys(one.size for one in (*before, *found))
    return [fresh.get(size) or next(one for one in before if one.size == size) for size in sizes]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10 × 5 alone, and briefly")
    parser.add_argument("--only", help="one size, as ENGINESxEACH@RATE: 200x50@50; the others stay")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of RESULTS.md and scale.json")
    return parser.parse_args()


def main() -> int:
    """Measure, write, print."""
    options = arguments()
    sizes: Sequence[Size] = (*CURVE, *SIZES)
    effort = Effort()
    if options.quick:
        sizes, effort = (SIZES[0],), Effort(starts=1, watch=3, keys=8, events=4)
    if options.only:
        engines, each, rate = re.split("[x@]", options.only)
        sizes = (Size(int(engines), int(each), float(rate)),)
    floor = bare(5)
    found = [measure(size, effort) for size in sizes]
    if options.only:
        found = among(found, options.out / "scale.json")
    text = markdown(found, floor, effort.starts)
    put_section(options.out, SECTION, text)
    (options.out / "scale.json").write_text(json.dumps([asdict(one) for one in found], indent=1) + "\n")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
