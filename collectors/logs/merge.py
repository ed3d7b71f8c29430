"""Lines of many replicas put into the order of their time, without knowing when the next one comes."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from operator import attrgetter

import msgspec

from ..model.logs import NOTE, LogLine, size_of

HOLD = 0.2
"""Seconds for which a line waits for earlier ones of other replicas that are followed."""
SLACK = 20_000_000
"""Nanoseconds by which the lines of one replica may be out of order: an engine reads its two streams apart."""
LATE = 1_000_000_000
"""Nanoseconds of disorder from which on a line is called late: clocks are known no better."""
LIMIT = 32 << 20
"""Bytes of lines that wait, at most; what is more goes on, in whatever order it is."""

_time = attrgetter("time")


class Merge:
    """Takes lines in as they arrive, and gives them out in the order of their time.

    A replica whose past is being read (`begin`) is waited for: nothing goes out that may be later than what it has
    still to say. One that is followed (`caught_up`) is waited for `HOLD` seconds. A line that comes after later ones
    went out is given out all the same, marked `late` where it is by more than `LATE`. Nothing is ever left out.
    """

    def __init__(self, *, hold: float = HOLD, limit: int = LIMIT) -> None:
        self._hold = hold
        self._limit = limit
        self._pending: list[LogLine] = []
        self._fronts: dict[int, float] = {}
        """Up to which time each replica that is waited for has told everything."""
        self._reading: set[int] = set()
        self._arrived: deque[tuple[float, int]] = deque()
        """When lines came, and the latest time among them."""
        self._told = 0
        self.bytes = 0

    def begin(self, source: int) -> None:
        """What this replica said in the past is being read."""
        self._reading.add(source)
        self._fronts[source] = -math.inf

    def caught_up(self, source: int) -> None:
        """From here on its lines come as it says them."""
        self._reading.discard(source)

    def end(self, source: int) -> None:
        """Nothing comes from it for the time being: it is not waited for."""
        self._reading.discard(source)
        self._fronts.pop(source, None)

    def add(self, source: int, lines: Sequence[LogLine], now: float) -> None:
        """These came; `now` is monotonic."""
        if not lines:
            return
        self._pending += lines
        self.bytes += size_of(lines)
        latest = max(map(_time, lines))
        self._arrived.append((now, latest))
        if source in self._fronts:
            self._fronts[source] = max(self._fronts[source], latest - SLACK)

    @property
    def full(self) -> bool:
        """Whether more waits than should."""
        return self.bytes > self._limit

    def may_read(self, source: int) -> bool:
        """Whether more of this replica's past is wanted now: not while others, that are waited for, lag behind."""
        return not self.full or self._fronts.get(source, 0.0) <= min(self._fronts.values(), default=0.0)

    def take(self, now: float) -> list[LogLine]:
        """What can go out now, in order."""
        if not self._pending:
            return []
        ready = self._ready(now)
        if ready == -math.inf:
            return []
        self._pending.sort(key=_time)
        cut = bisect_right(self._pending, ready, key=_time)
        out, self._pending = self._pending[:cut], self._pending[cut:]
        self.bytes -= size_of(out)
        return self._marked(out)

    def _ready(self, now: float) -> float:
        """Up to which time everything can go out."""
        if self.full and not self._reading:
            return math.inf
        waited = -math.inf
        while self._arrived and self._arrived[0][0] <= now - self._hold:
            waited = max(waited, self._arrived.popleft()[1])
        ready = max(waited, min(self._fronts.values(), default=math.inf))
        if self._reading:
            ready = min(ready, *(self._fronts[source] for source in self._reading))
            if waited > ready:
                self._arrived.appendleft((now - self._hold, int(waited)))
        return ready

    def give_up_waiting(self) -> None:
        """Wait for nobody's past any longer."""
        self._reading.clear()

    def _marked(self, out: list[LogLine]) -> list[LogLine]:
        bound = self._told - LATE
        if out and out[0].time < bound:
            late = bisect_right(out, bound - 1, key=_time)
            out[:late] = [msgspec.structs.replace(line, late=True) for line in out[:late]]
        last = next((line for line in reversed(out) if line.source != NOTE), None)
        if last is not None:
            self._told = max(self._told, last.time)
        return out
