"""One way through a recording: a fleet that takes in what was told, on a clock of its own, a little at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from ..clock import Clock
from ..fleet.fleet import Fleet
from ..model import EventsSeen, LinkChanged, LinkPhase
from .lines import Header, Line, Remembered, TakenUp
from .reader import Recording

LOOK = 1.0
"""Seconds of the recording between two looks at what time alone changes, as a live fleet has them."""
Bits = Iterator[None]
"""Work in small parts: whoever does it may do something else between any two."""


class ReplayClock(Clock):
    """Stands where it was last put."""

    def __init__(self) -> None:
        self._t = self._m = 0.0

    def now(self) -> datetime:
        """The wall clock of the recording."""
        return datetime.fromtimestamp(self.t, UTC)

    def monotonic(self) -> float:
        """The recorder's own."""
        return self._m

    @property
    def t(self) -> float:
        """Unix time."""
        return self._t

    def put(self, t: float, m: float) -> None:
        """Stand there."""
        self._t, self._m = t, m

    def go_to(self, t: float) -> None:
        """Let time pass up to then."""
        self.put(t, self._m + t - self._t)


class Playhead:
    """Plays from one picture of a recording on; `fleet` is another one where another run of the recorder begins."""

    fleet: Fleet

    def __init__(self, recording: Recording) -> None:
        self.clock = ReplayClock()
        self.on_new_fleet: Callable[[], None] | None = None
        """Called when `fleet` became another one on the way."""
        self._recording = recording
        self._lines: Iterator[Header | Line] = iter(())
        self._next: Header | Line | None = None
        self._looked = 0.0

    @property
    def spent(self) -> bool:
        """Everything was played."""
        return self._next is None

    def begin(self, number: int) -> Bits:
        """Take in the picture of that number. Has a fleet from the first part on."""
        self._lines = self._recording.lines(number)
        self._next = next(self._lines, None)
        while isinstance(self._next, Header):
            yield from self._enter(self._next)

    def play_to(self, t: float, *, living: bool = False) -> Bits:
        """Take in what was told up to then, and stand there. `living`: nobody else looks at what time changes."""
        while self._next is not None and self._next.t <= t:
            yield from self._take_next(living)
        if living:
            yield from self._live_until(t)
        self.clock.go_to(max(t, self.clock.t))
        self._passed(living)

    def play_on(self) -> Iterator[bool]:
        """Take in one thing after the other; tells of each whether something happened with it."""
        while (line := self._next) is not None:
            for _ in self._take_next(living=True):
                yield False
            self._passed(living=True)
            yield _happened(line)

    def _passed(self, living: bool) -> None:
        if not living:
            self._looked = self.clock.t
        self.fleet.tick()

    def _take_next(self, living: bool) -> Bits:
        line = self._next
        if isinstance(line, Header):
            yield from self._enter(line)
            if self.on_new_fleet is not None:
                self.on_new_fleet()
        elif line is not None:
            if living:
                yield from self._live_until(line.t)
            self.clock.put(max(line.t, self.clock.t), line.m + max(0.0, self.clock.t - line.t))
            self._take(line)
            self._next = next(self._lines, None)
            yield

    def _enter(self, header: Header) -> Bits:
        """A new fleet, with the picture's links as they came and all else as of the picture."""
        self.clock.put(header.t, header.m)
        self.fleet = Fleet(
            [engine.address for engine in header.engines],
            rules=header.rules,
            clock=self.clock,
            declared_by=header.declared_by,
        )
        for _ in range(header.past):
            line = next(self._lines, None)
            if not isinstance(line, Line):
                self._next = line
                return
            self.clock.put(line.t, line.m)
            self._take(line)
            yield
        self.clock.put(header.t, header.m)
        self._looked = header.t
        yield from self._look()
        self._next = next(self._lines, None)

    def _take(self, line: Line) -> None:
        told = line.c
        if isinstance(told, Remembered):
            self.fleet.remember(told.records, told.events)
        elif isinstance(told, TakenUp):
            self.fleet.take_up_intent(told.key, told.end)
        else:
            self.fleet.apply(told)

    def _live_until(self, t: float) -> Bits:
        while self._looked + LOOK <= t:
            self._looked += LOOK
            if self._looked > self.clock.t:
                self.clock.go_to(self._looked)
            yield from self._look()

    def _look(self) -> Bits:
        self.fleet.take_changes(budget=0)  # one service each time
        yield
        while self.fleet.pending:
            self.fleet.take_changes(budget=0)
            yield


def _happened(line: Header | Line) -> bool:
    if isinstance(line, Header):
        return True
    change = line.c
    if isinstance(change, LinkChanged):
        return change.link.phase is LinkPhase.DOWN
    return isinstance(change, EventsSeen) and bool(change.events) and not change.replayed
