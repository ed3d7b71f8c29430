"""Looking at a watched fleet: once when somebody asks, and what it came to kept for who looks again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from ..clock import Clock
from ..config.waivers import Waiver
from ..model import LinkPhase
from .catalogue import CHECKS
from .facts import FleetFacts
from .finding import report
from .gathering import Sources, gather
from .judging import Verdict, judge
from .sightings import Sightings

STALE = 900.0
"""Seconds after which a look is too old for somebody who comes to see."""


class Inspection:
    """The checks of one fleet. `on_change` is called whenever there is more to show."""

    def __init__(
        self,
        sources: Sources,
        *,
        clock: Clock,
        waivers: Sequence[Waiver] = (),
        sightings: Sightings | None = None,
        ready: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`ready` returns when every engine has answered or failed: a look waits for it."""
        self.verdict: Verdict | None = None
        """What the last look came to; None: there was none."""
        self.looking: tuple[int, int] | None = None
        """While a look is under way: how many engines of how many have been read."""
        self.looked_at: float | None = None
        """Monotonic time of the last look."""
        self.sightings = sightings or Sightings()
        self.on_change: Callable[[], None] = lambda: None
        self._sources = sources
        self._waivers = tuple(waivers)
        self._clock = clock
        self._ready = ready

    @property
    def stale(self) -> bool:
        """Whether somebody who comes to see wants another look."""
        if self.looking is not None:
            return False
        if self.looked_at is None or self.verdict is None or self._clock.monotonic() - self.looked_at > STALE:
            return True
        engines = self._sources.fleet.engines
        return any(name in engines and engines[name].link.phase is LinkPhase.UP for name in self.verdict.report.lost)

    async def look(self) -> Verdict:
        """Read every engine that can be reached, and judge what is found. Never raises for an engine's trouble."""
        self.looking = (0, len(self._sources.fleet.engines))
        try:
            if self._ready is not None:
                await self._ready()
            facts = await gather(self._sources, self._told)
            self.verdict = await asyncio.to_thread(self._judged, facts)
            self.looked_at = self._clock.monotonic()
        finally:
            self.looking = None
            self.on_change()
        return self.verdict

    def _judged(self, facts: FleetFacts) -> Verdict:
        """Beside the event loop: ten thousand containers take seconds."""
        found = report(CHECKS.values(), facts)
        sightings = self.sightings.take(found.findings, found.engines, found.at)
        return judge(found, self._waivers, sightings, self._clock.now().astimezone().date())

    def _told(self, read: int, of: int) -> None:
        self.looking = (read, of)
        self.on_change()
