"""A fleet at a time of a recording: what was told up to then is taken in, on a clock that stands there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from ..clock import Clock
from ..fleet.fleet import Fleet
from .playhead import Bits, Playhead
from .reader import Recording

SPEEDS = (1, 10, 60)
WARM = 300.0
"""Seconds before a time at which a jump there begins, so that what is told of the last minutes was lived through."""
AFTER = 1.0
"""Seconds after an event at which a step stands: what it changed was read by then."""


class PlayerClock(Clock):
    """Stands where the player stands, whichever way it came there."""

    def __init__(self, player: Player) -> None:
        self._player = player

    def now(self) -> datetime:
        """The wall clock of the recording."""
        return datetime.fromtimestamp(self.t, UTC)

    def monotonic(self) -> float:
        """The recorder's own."""
        return self._player.head.clock.monotonic()

    @property
    def t(self) -> float:
        """Unix time."""
        return self._player.head.clock.t


class Player:
    """Plays a recording into `fleet`, which is another one after each jump.

    Jumps and steps are work in parts (`jumping`, `stepping`): until the last part of a jump is done, all is as before.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.paused = True
        self.speed = SPEEDS[0]
        self.on_new_fleet: Callable[[], None] | None = None
        """Called when `fleet` is another one, or has taken a leap: what was shown of it is of another time."""
        self.clock = PlayerClock(self)
        self.head = Playhead(recording)
        _do(self.head.begin(0))
        _do(self.head.play_to(self.clock.t))
        self.head.on_new_fleet = self._renewed

    @property
    def fleet(self) -> Fleet:
        """As it was then."""
        return self.head.fleet

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
        return self.head.spent or self.clock.t >= self.end

    # -- going

    def pass_time(self, seconds: float) -> None:
        """So many seconds went by for who looks."""
        if not self.paused:
            _do(self.head.play_to(min(self.end, self.clock.t + seconds * self.speed)))
            self.paused = self.at_end

    def within(self, t: float) -> float:
        """That time, or the nearest to it that the recording has."""
        return min(max(t, self.begin), self.end)

    def jump(self, t: float) -> None:
        """Be at that time, as near as the recording has it."""
        _do(self.jumping(t))

    def jumping(self, t: float) -> Bits:
        """The same in parts; given up half-way, nothing has changed."""
        t = self.within(t)
        number = self.recording.before(t)
        while number and self.recording.places[number].header.t > t - WARM and self._same_run(number):
            number -= 1
        head = Playhead(self.recording)
        yield from head.begin(number)
        yield from head.play_to(t, living=True)
        head.on_new_fleet = self._renewed
        self.head = head
        self._renewed()

    def step(self) -> bool:
        """Go on to the next thing that happened, and stand there. False: nothing happened any more."""
        return any(list(self.stepping()))

    def stepping(self) -> Iterator[bool]:
        """The same in parts, True where something happened; given up half-way, it stands where it came to."""
        self.paused = True
        happened = False
        for happened in self.head.play_on():
            yield happened
            if happened:
                break
        for _ in self.head.play_to(min(self.end, self.clock.t + AFTER) if happened else self.end, living=True):
            yield False
        self._renewed()

    def faster(self, steps: int) -> None:
        """The next speed up, or down."""
        at = SPEEDS.index(self.speed) + steps
        self.speed = SPEEDS[min(max(at, 0), len(SPEEDS) - 1)]

    def _renewed(self) -> None:
        if self.on_new_fleet is not None:
            self.on_new_fleet()

    def _same_run(self, number: int) -> bool:
        places = self.recording.places
        return places[number].header.run == places[number - 1].header.run


def _do(work: Iterable[object]) -> None:
    for _ in work:
        pass
