"""A fleet at a time of a recording: what was told up to then is taken in, on a clock that stands there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from ..clock import Clock
from ..fleet.fleet import Fleet
from ..model import EventsSeen, LinkChanged, LinkPhase
from .lines import Header, Line, Remembered, TakenUp
from .reader import Recording

SPEEDS = (1, 10, 60)
WARM = 300.0
"""Seconds before a time at which a jump there begins, so that what is told of the last minutes was lived through."""
AFTER = 1.0
"""Seconds after an event at which a step stands: what it changed was read by then."""
LOOK = 1.0
"""Seconds of the recording between two looks at what time alone changes, as a live fleet has them."""


class ReplayClock(Clock):
    """Stands where it was last put."""

    def __init__(self) -> None:
        self._t = self._m = 0.0

    def now(self) -> datetime:
        """The wall clock of the recording."""
        return datetime.fromtimestamp(self._t, UTC)

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


class Player:
    """Plays a recording into `fleet`, which is another one after each jump."""

    def __init__(self, recording: Recording, clock: ReplayClock | None = None) -> None:
        self.recording = recording
        self.clock = clock or ReplayClock()
        self.paused = True
        self.speed = SPEEDS[0]
        self.on_new_fleet: Callable[[], None] | None = None
        """Called when `fleet` is another one, or has taken a leap: what was shown of it is of another time."""
        self._lines: Iterator[Header | Line] = iter(())
        self._next: Header | Line | None = None
        self._looked = 0.0
        self._begin(0)
        self._play_to(self.clock.t)

    @property
    def begin(self) -> float:
        """The first moment, Unix time."""
        return self.recording.begin.timestamp()

    @property
    def end(self) -> float:
        """The last."""
        return self.recording.end.timestamp()

    @property
    def at_end(self) -> bool:
        """Everything was played."""
        return self._next is None or self.clock.t >= self.end

    # -- going

    def pass_time(self, seconds: float) -> None:
        """So many seconds went by for who looks."""
        if not self.paused:
            self._play_to(min(self.end, self.clock.t + seconds * self.speed))
            self.paused = self.at_end

    def jump(self, t: float) -> None:
        """Be at that time, as near as the recording has it."""
        t = min(max(t, self.begin), self.end)
        number = self.recording.before(t)
        while number and self.recording.places[number].header.t > t - WARM and self._same_run(number):
            number -= 1
        self._begin(number)
        self._play_to(t, living=True)
        self._renewed()

    def step(self) -> bool:
        """Go on to the next thing that happened, and stand there. False: nothing happened any more."""
        self.paused = True
        happened = False
        while self._next is not None and not happened:
            happened, t = _happened(self._next), self._next.t
            self._play_to(t, living=True, most=1)
        self._play_to(min(self.end, self.clock.t + AFTER) if happened else self.end, living=True)
        self._renewed()
        return happened

    def faster(self, steps: int) -> None:
        """The next speed up, or down."""
        at = SPEEDS.index(self.speed) + steps
        self.speed = SPEEDS[min(max(at, 0), len(SPEEDS) - 1)]

    # -- how

    def _renewed(self) -> None:
        if self.on_new_fleet is not None:
            self.on_new_fleet()

    def _same_run(self, number: int) -> bool:
        places = self.recording.places
        return places[number].header.run == places[number - 1].header.run

    def _begin(self, number: int) -> None:
        self._lines = self.recording.lines(number)
        self._next = next(self._lines, None)
        while isinstance(self._next, Header):
            self._enter(self._next)

    def _enter(self, header: Header) -> None:
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
        self.clock.put(header.t, header.m)
        self._looked = header.t
        self.fleet.take_changes()
        self._next = next(self._lines, None)

    def _play_to(self, t: float, *, living: bool = False, most: int | None = None) -> None:
        """Take in what was told up to then. `living`: nobody else looks at what time changes meanwhile."""
        while self._next is not None and self._next.t <= t and (most is None or most > 0):
            line = self._next
            if isinstance(line, Header):
                self._enter(line)
                self._renewed()
                continue
            if living:
                self._live_until(line.t)
            self.clock.put(max(line.t, self.clock.t), line.m + max(0.0, self.clock.t - line.t))
            self._take(line)
            most = None if most is None else most - 1
            self._next = next(self._lines, None)
        if most is None:
            if living:
                self._live_until(t)
            self.clock.go_to(max(t, self.clock.t))
        if not living:
            self._looked = self.clock.t
        self.fleet.tick()

    def _take(self, line: Line) -> None:
        told = line.c
        if isinstance(told, Remembered):
            self.fleet.remember(told.records, told.events)
        elif isinstance(told, TakenUp):
            self.fleet.take_up_intent(told.key, told.end)
        else:
            self.fleet.apply(told)

    def _live_until(self, t: float) -> None:
        while self._looked + LOOK <= t:
            self._looked += LOOK
            if self._looked > self.clock.t:
                self.clock.go_to(self._looked)
            self.fleet.take_changes()


def _happened(line: Header | Line) -> bool:
    if isinstance(line, Header):
        return True
    change = line.c
    if isinstance(change, LinkChanged):
        return change.link.phase is LinkPhase.DOWN
    return isinstance(change, EventsSeen) and bool(change.events) and not change.replayed
