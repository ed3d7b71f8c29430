"""The measurements: what is done to a program in its terminal, and what is read off."""

from __future__ import annotations

import re
import resource
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from .engine import Engine, EventLog, has_health, works
from .processes import cpu_seconds, load, machine_seconds, memory_mib, tree
from .programs import NAME, READY, Program
from .proxy import Proxy
from .terminal import LINES, Chunk, Terminal

START_TIMEOUT = 30.0
KEY_TIMEOUT = 2.0
EVENT_TIMEOUT = 8.0
LASTING = 1.3
"""Seconds for which a line must stay away to be gone: more than two redrawings of `docker stats`."""
BETWEEN = 1.0
"""Seconds between two events."""
WHOLE = 0.15
"""Seconds without output after which a screen is taken to be drawn to its end."""
QUIET = 0.06
"""Seconds without output before a key is pressed."""
LONG_FILE = "\n".join(f"{number} " + "of a long file " * 8 for number in range(5000))


@dataclass(frozen=True, kw_only=True)
class Record:
    """One thing measured once; `value` None: it never came."""

    what: str
    program: str
    containers: int
    run: int
    value: float | None

    def plain(self) -> dict[str, Any]:
        """For results.json."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much of everything one run does."""

    keys: int = 16
    events: int = 2
    """Containers that are killed and started."""
    watch: float = 15.0
    """Seconds."""
    requests: float = 60.0
    """Seconds."""
    starts: bool = True
    """Start each program once more, for that alone."""


class Bench:
    """Measures programs against one engine and keeps the records."""

    def __init__(self, engine: Engine, effort: Effort) -> None:
        self.engine = engine
        self.effort = effort
        self.records: list[Record] = []
        self.loads: list[dict[str, Any]] = []
        """Load around each session: what else used the machine."""

    def _note(self, what: str, program: Program, run: int, value: float | None) -> None:
        containers = self.engine.containers
        self.records.append(Record(what=what, program=program.name, containers=containers, run=run, value=value))

    @contextmanager
    def _open(self, program: Program, socket: Path) -> Iterator[Terminal]:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            file = Path(folder) / "long"
            file.write_text(LONG_FILE)
            home = Path(folder) / "home"
            home.mkdir()
            terminal = Terminal(program.line(socket, file), program.environment(socket, home))
            try:
                yield terminal
            finally:
                terminal.close()

    # -- sessions

    def warm(self, program: Program) -> None:
        """Start it once without measuring: files come into memory, Python's compiled modules to disk."""
        with self._open(program, self.engine.socket) as terminal:
            _await_names(program, terminal)

    def start(self, program: Program, run: int) -> None:
        """Start it and end it."""
        with self._open(program, self.engine.socket) as terminal:
            self._note("start", program, run, _await_names(program, terminal))

    def session(self, program: Program, run: int) -> None:
        """Start it, press keys, let events happen; then end it."""
        with self._noting_load(program, run), self._open(program, self.engine.socket) as terminal:
            if program.lists:
                self._note("start", program, run, _await_names(program, terminal))
            terminal.pass_time(1.0)
            if program.view:
                terminal.press(program.view)
            if program.keys:
                terminal.pass_time(0.5)
                self._keys(program, terminal, run)
            if program.events:
                self._events(program, terminal, run)

    def watch(self, program: Program, run: int) -> None:
        """Start it and watch it idle, through a proxy that counts the readings it gets."""
        with ExitStack() as stack:
            stack.enter_context(self._noting_load(program, run))
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
            proxy = stack.enter_context(Proxy(folder / "engine.sock", self.engine.socket))
            terminal = stack.enter_context(self._open(program, proxy.socket))
            _await_names(program, terminal)
            if program.view:
                terminal.press(program.view)
            self._watch(program, terminal, proxy, run)

    @contextmanager
    def _noting_load(self, program: Program, run: int) -> Iterator[None]:
        before, reaped, began = self._others(), _reaped(), time.monotonic()
        yield
        # By now the program has ended: what it used is among that of the children this process has had.
        used = self._others() - before - (_reaped() - reaped)
        self.loads.append(
            {
                "program": program.name,
                "containers": self.engine.containers,
                "run": run,
                "load_1_min": round(load(), 2),
                "other_cores": round(used / (time.monotonic() - began), 2),
            }
        )

    def _others(self) -> float:
        """CPU seconds so far of all that is neither the engine's host nor this process."""
        return machine_seconds() - self.engine.all_seconds() - time.process_time()

    def other_cores(self, seconds: float = 1.0) -> float:
        """How many cores something else uses now, while no program is measured."""
        before, began = self._others(), time.monotonic()
        time.sleep(seconds)
        return (self._others() - before) / (time.monotonic() - began)

    # -- what is measured in a session

    def _keys(self, program: Program, terminal: Terminal, run: int) -> None:
        """Milliseconds from an arrow key until any cell of the screen is another."""
        for press in range(self.effort.keys):
            terminal.settle(QUIET, 1.0)
            before = terminal.cells()
            pressed = terminal.arrow(up=press % 4 == 3)
            chunk = terminal.until(partial(terminal.differs, before), KEY_TIMEOUT)
            self._note("key", program, run, None if chunk is None else (chunk.monotonic - pressed) * 1000)

    def _watch(self, program: Program, terminal: Terminal, proxy: Proxy, run: int) -> None:
        """CPU seconds a minute with figures on screen, of the program and of the engine's daemons; memory."""
        if not _await_figures(terminal):
            self._note("cpu", program, run, None)
            return
        terminal.pass_time(2.0)
        before = self._costs(terminal, proxy)
        terminal.pass_time(self.effort.watch)
        seconds, *used = (after - then for after, then in zip(self._costs(terminal, proxy), before, strict=True))
        cpu, daemons, written, readings = (cost / seconds for cost in used)
        rows = _rows_with_figures(terminal)
        self._note("cpu", program, run, cpu * 60)
        self._note("engine cpu", program, run, daemons * 60)
        self._note("terminal", program, run, written / 1000)
        self._note("memory", program, run, memory_mib(terminal.pid))
        self._note("rows with figures", program, run, rows)
        self._note("reading", program, run, rows / readings if readings else None)

    def _costs(self, terminal: Terminal, proxy: Proxy) -> tuple[float, ...]:
        cpu = cpu_seconds(tree(terminal.pid))
        return time.monotonic(), cpu, self.engine.daemon_seconds(), terminal.written, proxy.readings

    def _events(self, program: Program, terminal: Terminal, run: int) -> None:
        """Milliseconds from the engine's own time of a container's end or begin until the screen says so."""
        starts = not (program.appends and self.engine.containers > LINES - 5)
        with EventLog(self.engine.socket) as log:
            terminal.pass_time(0.5)
            terminal.settle(WHOLE, 3.0)
            for name in self._targets(program, terminal):
                shown = self._event(program, terminal, log, "die", name)
                self._note("event", program, run, shown)
                terminal.pass_time(BETWEEN)
                if starts:
                    self._note("event", program, run, self._event(program, terminal, log, "start", name))
                else:
                    self.engine.start(name)
                terminal.pass_time(BETWEEN)

    def _targets(self, program: Program, terminal: Terminal) -> list[str]:
        """Idle containers, of those on the screen: what is not there cannot be seen to change."""
        names = dict.fromkeys(NAME.findall("\n".join(terminal.lines())))
        if not program.lists:
            names = dict.fromkeys(f"web-{number:03}" for number in range(2, self.engine.containers + 1))
        idle = [name for name in names if not (works(_number(name)) or has_health(_number(name)))][1:]
        return idle[:: max(1, len(idle) // self.effort.events)][: self.effort.events]

    def _event(self, program: Program, terminal: Terminal, log: EventLog, action: str, name: str) -> float | None:
        shows = _shows(program, terminal, action, name)
        terminal.settle(WHOLE, 3.0)
        shown_before = shows()
        do = self.engine.kill if action == "die" else self.engine.start
        doing = threading.Thread(target=do, args=(name,))
        doing.start()
        chunk = None if shown_before else terminal.until(shows, EVENT_TIMEOUT)
        if action == "die" and not program.ended:
            chunk = _lasting(terminal, shows, chunk)
        doing.join()
        event = log.await_event(action, name, 5)
        # What was on the screen before it happened was not seen to happen.
        return None if chunk is None or event is None or chunk.wall < event.when else (chunk.wall - event.when) * 1000

    # -- requests

    def requests(self, programs: list[Program]) -> dict[str, dict[str, float]]:
        """Requests a minute, counted for all these programs side by side; what they ask for, by kind."""
        kinds: dict[str, dict[str, float]] = {}
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
            watched = []
            for number, program in enumerate(programs):
                proxy = stack.enter_context(Proxy(folder / f"{number}.sock", self.engine.socket))
                terminal = stack.enter_context(self._open(program, proxy.socket))
                watched.append((program, proxy, terminal))
            for program, _, terminal in watched:
                _await_names(program, terminal)
                if program.view:
                    terminal.press(program.view)
            _pass_time([terminal for *_, terminal in watched], 12.0)
            before = [(proxy.requests, proxy.received, cpu_seconds(tree(t.pid))) for _, proxy, t in watched]
            began = time.monotonic()
            _pass_time([terminal for *_, terminal in watched], self.effort.requests)
            minutes = (time.monotonic() - began) / 60
            for (program, proxy, terminal), (asked, received, cpu) in zip(watched, before, strict=True):
                new = proxy.requests - asked
                self._note("requests", program, 1, new.total() / minutes)
                self._note("received", program, 1, (proxy.received - received) / minutes / 1000)
                self._note("cpu side by side", program, 1, (cpu_seconds(tree(terminal.pid)) - cpu) / minutes)
                kinds[program.name] = {kind: round(count / minutes, 1) for kind, count in new.most_common()}
        return kinds


def _reaped() -> float:
    """CPU seconds of all children this process has had and waited for, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _number(name: str) -> int:
    return int(name.rpartition("-")[2])


def _await_names(program: Program, terminal: Terminal) -> float | None:
    """Seconds from exec until the containers are on the screen."""
    if not program.lists:
        return None
    chunk = terminal.until(lambda: len(set(NAME.findall("\n".join(terminal.lines())))) >= READY, START_TIMEOUT)
    return None if chunk is None else chunk.monotonic - terminal.started


_FIGURE = re.compile(r"\bweb-\d{3}\b.*?\b\d+(?:\.\d+)?%")
_BUSY = re.compile(r"\bweb-\d{3}\b.*?\b(?:0\.\d*[1-9]\d*|[1-9]\d*(?:\.\d+)?)%")


def _rows_with_figures(terminal: Terminal) -> int:
    return sum(bool(_FIGURE.search(line)) for line in terminal.lines())


def _await_figures(terminal: Terminal) -> bool:
    """Until the CPU of some container is told and is not 0; some need three rounds for that."""
    return terminal.until(lambda: any(map(_BUSY.search, terminal.lines())), START_TIMEOUT) is not None


def _shows(program: Program, terminal: Terminal, action: str, name: str) -> Callable[[], bool]:
    """Whether the screen says that this has happened to the container of this name."""
    gone = action == "die" and not program.ended
    pattern = program.ended if action == "die" and program.ended else program.runs
    line_says = re.compile(pattern.replace("{name}", name)).search
    return lambda: any(map(line_says, terminal.lines())) != gone


def _lasting(terminal: Terminal, gone: Callable[[], bool], chunk: Chunk | None) -> Chunk | None:
    """The output after which a line is gone for good: a screen that is drawn anew lacks it for a moment too."""
    end = time.monotonic() + EVENT_TIMEOUT
    while chunk is not None and time.monotonic() < end:
        if terminal.until(lambda: not gone(), LASTING) is None:
            return chunk
        chunk = terminal.until(gone, EVENT_TIMEOUT)
    return None


def _pass_time(terminals: list[Terminal], seconds: float) -> None:
    """Draw what several programs write, for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for terminal in terminals:
            while chunk := terminal.next_chunk(0):
                terminal.draw(chunk)
        time.sleep(0.02)
