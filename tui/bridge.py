"""From the watched fleet to the screen: one wake-up for many changes, never one message per container."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fleettop.collectors.beat import beat
from fleettop.collectors.fleet import Changed
from fleettop.collectors.session import Session

from .loading import met

FRAME, QUICK = 0.05, 0.01
"""Seconds between two hand-overs while changes keep coming. The first after a quiet time goes at once, and the next
ones soon: what is seen of an engine when it is met, or of a container that ends, comes in three or four parts."""
QUICK_ONES = 4
QUIET = 0.5
"""Seconds without a change that are a quiet time."""
BUDGET = 0.03
"""Seconds one hand-over may spend on putting services together."""
REST = 6
"""Times what a hand-over took until the next: a storm over services of hundreds of replicas has a seventh of a core."""
TICK = 1.0
"""Seconds between two looks at what time alone changes: ages, freshness."""


class Bridge:
    """Drains the fleet's changes and hands them to the screen, in the screen's own event loop."""

    def __init__(self, session: Session, show: Callable[[Changed], None], tick: Callable[[Changed], None]) -> None:
        """`show` gets what changed at any time; `tick`, every second, what changed just then."""
        self._session = session
        self._show = show
        self._tick = tick
        self._wake = asyncio.Event()
        session.fleet.on_change = self._wake.set

    async def run(self) -> None:
        """Hand over until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hand_over())
            group.create_task(self._let_time_pass())

    async def _hand_over(self) -> None:
        loop = asyncio.get_running_loop()
        last, quick, complete = loop.time(), QUICK_ONES, False
        while True:
            await self._wake.wait()
            self._wake.clear()
            quick = QUICK_ONES if loop.time() - last > QUIET else max(0, quick - 1)
            last = loop.time()
            changed = self._session.fleet.take_changes(budget=BUDGET)
            if changed:
                self._show(changed)
            pause = QUICK if quick else FRAME
            if self._session.fleet.pending:
                self._wake.set()  # the rest follows in the next frame: keys come first
            if self._session.fleet.complete:
                if not complete and not self._session.fleet.pending:
                    complete = True
                    met()
                pause = max(pause, REST * (loop.time() - last))
            await asyncio.sleep(pause)

    async def _let_time_pass(self) -> None:
        while True:
            await beat(TICK)
            self._session.fleet.tick()
            self._tick(self._session.fleet.take_changes(budget=BUDGET))  # figures, too, which alone wake nobody
            if self._session.fleet.pending:
                self._wake.set()
