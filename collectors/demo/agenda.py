"""What is due when: the one clockwork of a simulated fleet.

Time is virtual. The past of a demo is run through before it opens, and a live one is caught up with the clock, by the
same transitions; so what the engines remember fits what they show.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

Action = Callable[[], None]


class Agenda:
    """Due transitions by time. `now` is Unix seconds; it moves only in `run_until`."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.on_earlier: Action | None = None
        """Called when something becomes due before all that was due so far."""
        self._due: list[tuple[float, int, Action]] = []
        self._turn = itertools.count()

    @property
    def next_due(self) -> float | None:
        """When the next thing happens; None: nothing is planned."""
        return self._due[0][0] if self._due else None

    def at(self, moment: float, action: Action) -> None:
        """Let `action` happen at `moment`; the past means as soon as possible."""
        earlier = not self._due or moment < self._due[0][0]
        heapq.heappush(self._due, (moment, next(self._turn), action))
        if earlier and self.on_earlier is not None:
            self.on_earlier()

    def after(self, seconds: float, action: Action) -> None:
        """Let `action` happen `seconds` from now."""
        self.at(self.now + seconds, action)

    def run_until(self, moment: float) -> None:
        """Let everything happen that is due up to `moment`, in order, each at its own time."""
        while self._due and self._due[0][0] <= moment:
            due, _, action = heapq.heappop(self._due)
            self.now = max(self.now, due)
            action()
        self.now = max(self.now, moment)
