"""From the watched fleet to the screen: one wake-up for many changes, never one message per container."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fleettop.collectors.beat import beat
from fleettop.collectors.fleet import Changed
from fleettop.collectors.session import Session

from .loading import met

FRAME, QUICK = 0.04, 0.01
"""Seconds between two hand-overs while changes keep coming. The first after a quiet time goes at once, and the next
ones soon: what is seen of an engine when it is met, or of a container that ends, comes in three or four parts."""
QUICK_ONES = 4
QUIET = 0.5
"""Seconds without a change that are a quiet time."""
BUDGET = 0.03
"""Seconds one hand-over may spend on putting services together."""
REST, LONG_REST = 6, 20
"""Times what a hand-over takes on average until the next: a storm over services of hundreds of replicas has a seventh
of a core, and much less once it lasts. The first frames of it are the ones that tell something new."""
MOST = 0.5
"""Seconds of rest at most."""
MEMORY = 8
"""Hand-overs that the average is over, about: one alone that sorts ten thousand rows anew holds up nothing."""
LASTING = 40
"""Hand-overs without a quiet time between them."""
TICK = 1.0
"""Seconds between two looks at what time alone changes: ages, freshness."""


class Pauses:
    """How long to rest after each hand-over. Times are in seconds, of any one clock."""

    def __init__(self) -> None:
        self._began = 0.0
        self._rested = float("-inf")
        self._unbroken = 0
        self._takes = 0.0
        """On average."""

    def begin(self, now: float) -> None:
        """A hand-over begins."""
        self._unbroken = 0 if now - self._rested > QUIET else self._unbroken + 1
        self._began = now

    def next(self, now: float, *, complete: bool) -> float:
        """It ended: rest for so long. Until the fleet is `complete` there is much to show and nobody waits for keys."""
        pause = QUICK if self._unbroken < QUICK_ONES else FRAME
        if complete:
            took = now - self._began
            self._takes += (took - self._takes) / MEMORY if self._takes else took
            times = REST if self._unbroken < LASTING else LONG_REST
            pause = max(pause, min(MOST, times * min(took, self._takes)))
        self._rested = now + pause
        return pause


class Bridge:
    """Drains the fleet's changes and hands them to the screen, in the screen's own event loop."""

    def __init__(self, session: Session, show: Callable[[Changed], None], tick: Callable[[Changed], None]) -> None:
        """`show` gets what changed at any time; `tick`, every second, what changed just then."""
        self._session = session
        self._show = show
        self._tick = tick
        self._wake = asyncio.Event()
        self._time_passed = False
        """To be told with the next hand-over."""
        session.fleet.on_change = self._wake.set

    async def run(self) -> None:
        """Hand over until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hand_over())
            group.create_task(self._let_time_pass())

    async def _hand_over(self) -> None:
        clock, pauses, complete = asyncio.get_running_loop().time, Pauses(), False
        while True:
            await self._wake.wait()
            self._wake.clear()
            pauses.begin(clock())
            changed = self._session.fleet.take_changes(budget=BUDGET)
            if self._time_passed:
                self._time_passed = False
                self._tick(changed)
            elif changed:
                self._show(changed)
            if self._session.fleet.pending:
                self._wake.set()  # the rest follows in the next frame: keys come first
            elif self._session.fleet.complete and not complete:
                complete = True
                met()
            await asyncio.sleep(pauses.next(clock(), complete=self._session.fleet.complete))

    async def _let_time_pass(self) -> None:
        while True:
            await beat(TICK)
            self._session.fleet.tick()
            if self._wake.is_set():  # a hand-over comes soon, and rests between them are what keeps a storm cheap
                self._time_passed = True
                continue
            self._tick(self._session.fleet.take_changes(budget=BUDGET))  # figures, too, which alone wake nobody
            if self._session.fleet.pending:
                self._wake.set()
