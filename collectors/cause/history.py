"""What the events told of each container's life: how it ended, how often it came back. Plain state, no I/O.

Times in here are on our own clock: the engine's skew is taken off before they come in.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from ..model import ContainerKey

LOOP_WINDOW = timedelta(minutes=10)
"""Deaths closer together than this belong to one crash loop."""
SETTLE = timedelta(seconds=60)
"""In a crash loop, only a run longer than this counts as serving again."""
HOUR = timedelta(hours=1)
KEPT_DEATHS = 128
KEPT_GONE = 2_000


class Tally:
    """How often something happened lately. A thousand times cost no more than some hundred."""

    GRAIN = timedelta(seconds=30)
    """Of what came closer together than this, only the first moment is kept."""

    def __init__(self, span: timedelta) -> None:
        self._counts: list[tuple[datetime, int]] = []
        self._limit = int(span / self.GRAIN) + 2

    def add(self, at: datetime) -> None:
        """It happened (again)."""
        if self._counts and at - self._counts[-1][0] < self.GRAIN:
            first, number = self._counts[-1]
            self._counts[-1] = first, number + 1
        else:
            self._counts.append((at, 1))
            del self._counts[: -self._limit]

    def since(self, moment: datetime) -> int:
        """How often, from this moment on; to within the grain."""
        return sum(number for at, number in self._counts if at >= moment)

    def first_since(self, moment: datetime) -> datetime | None:
        """When it first happened from this moment on."""
        return next((at for at, _ in self._counts if at >= moment), None)


class End(StrEnum):
    """How a container last ended, by the sequence of its events."""

    NONE = ""
    """Nothing seen: it runs, or ended before we looked."""
    STOPPED = "stopped"
    """`kill die stop`, or `kill stop die`: somebody asked the engine to stop it."""
    KILLED = "killed"
    """`kill die` without `stop`: somebody sent a signal."""
    EXITED = "exited"
    """`die` alone."""
    MEMORY = "memory"
    """`oom` and `die`."""
    ENGINE = "engine"
    """Stopped in the moment its engine went away, or while nothing was known of it."""


class Life(msgspec.Struct):
    """One container's life as far as its events tell."""

    end: End = End.NONE
    ended_at: datetime | None = None
    exit_code: int | None = None
    started_at: datetime | None = None
    signals: list[str] = msgspec.field(default_factory=list)
    """Sent since it last started; the newest at the end."""
    signalled_at: datetime | None = None
    by_own: bool = False
    """The last end was an action of ours."""
    stop_seen: bool = False
    """The engine said `stop` of the last end."""
    dying: bool = False
    """The engine said `stop` of an end whose `die` it has not said yet: from Docker 23 on the two race."""
    by: str = ""
    """Who did that; empty where it is not known."""
    memory_at: datetime | None = None
    """The kernel last killed a process in it for want of memory."""
    deaths: list[datetime] = msgspec.field(default_factory=list)
    """Ends nobody asked for, the newest few. A deque takes 600 bytes though it be empty, and most are."""
    returns: Tally = msgspec.field(default_factory=lambda: Tally(HOUR))
    """Starts by its restart policy."""
    loop_began: datetime | None = None
    """The first death of the crash loop it is in."""
    broken_since: datetime | None = None
    """The first death since it last ran for `SETTLE`."""
    loop_count: int = 0
    loop_end: End = End.NONE
    """How it ended in that loop, the last time."""
    ran: timedelta | None = None
    """How long it ran before it last ended by itself."""
    paused_at: datetime | None = None
    health: str = ""
    health_at: datetime | None = None
    failing_since: datetime | None = None
    """Start of the first failing probe of the present streak."""
    failing_certain: bool = False
    count_first: tuple[datetime, int] | None = None
    """The restart count when we first read it, and when that was."""
    count_now: int | None = None

    def died_alone(self, at: datetime, end: End) -> None:
        """It ended and nobody asked for it."""
        self.stop_seen = False
        if self.deaths and at - self.deaths[-1] > LOOP_WINDOW:
            self.loop_began, self.loop_count = None, 0
        self.deaths.append(at)
        del self.deaths[:-KEPT_DEATHS]
        self.loop_count += 1
        self.loop_end = end
        self.ran = at - self.started_at if self.started_at is not None and self.started_at <= at else None
        if self.loop_began is None:
            self.loop_began, self.broken_since = at, None
        if self.broken_since is None or (self.ran is not None and self.ran >= SETTLE):
            self.broken_since = at
        self.end, self.ended_at, self.by_own = end, at, False

    def calmed(self) -> None:
        """Somebody took it in hand: what follows is no longer the same crash loop."""
        self.loop_began, self.loop_count, self.loop_end = None, 0, End.NONE
        self.broken_since = None

    def crashes_since(self, moment: datetime) -> int:
        """Ends nobody asked for, since `moment`."""
        return sum(1 for death in self.deaths if death >= moment)

    def saw_restart_count(self, count: int, at: datetime) -> None:
        """An inspect told how often the engine restarted it by its policy. Starts anew when somebody starts it."""
        if self.count_first is None or (self.count_now is not None and count < self.count_now):
            self.count_first = (at, count)
        self.count_now = count


class Lives:
    """The lives of all containers; of those that are gone, the newest few."""

    def __init__(self) -> None:
        self._lives: dict[ContainerKey, Life] = {}
        self._gone: OrderedDict[ContainerKey, None] = OrderedDict()

    def of(self, key: ContainerKey) -> Life:
        """Its life so far, begun now if nothing is known of it."""
        life = self._lives.get(key)
        if life is None:
            life = self._lives[key] = Life()
        return life

    def get(self, key: ContainerKey) -> Life | None:
        """Its life so far; None: no event named it yet."""
        return self._lives.get(key)

    def ended(self, key: ContainerKey) -> None:
        """The container is no longer there; its life is remembered for a while."""
        if key not in self._lives:
            return
        self._gone[key] = None
        self._gone.move_to_end(key)
        while len(self._gone) > KEPT_GONE:
            oldest, _ = self._gone.popitem(last=False)
            self._lives.pop(oldest, None)

    def back(self, key: ContainerKey) -> None:
        """It is there after all."""
        self._gone.pop(key, None)

    def move(self, old: ContainerKey, new: ContainerKey) -> None:
        """The same container is now known under another engine's name."""
        if old in self._lives:
            self._lives[new] = self._lives.pop(old)
        self._gone.pop(old, None)

    def __iter__(self) -> Iterator[ContainerKey]:
        return iter(self._lives)

    def __len__(self) -> int:
        return len(self._lives)
