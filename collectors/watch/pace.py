"""When to ask again: never faster than a slow link can answer, and in bursts at most every so often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ..clock import Clock

STRETCH = 3.0
"""A poll waits at least this many times what its last answer took."""
SLOW = 2.0
"""Seconds for a whole list, from which on a way is narrow: one small question at a time."""


class Pacer:
    """The pause between two polls of one kind: `interval`, stretched where the answers themselves take long."""

    def __init__(self, interval: float, clock: Clock) -> None:
        self.interval = interval
        self._clock = clock
        self._began = clock.monotonic()

    def begin(self) -> None:
        """A call starts."""
        self._began = self._clock.monotonic()

    @property
    def pause(self) -> float:
        """Seconds to wait now that the call has ended."""
        return max(self.interval, self.soonest)

    @property
    def soonest(self) -> float:
        """Seconds to wait at least, now that the call has ended, even where there is news."""
        return STRETCH * (self._clock.monotonic() - self._began)


class Coalescer:
    """Collects keys and hands them over at once when it was quiet, else every `window` seconds together."""

    def __init__(self, window: float, clock: Clock) -> None:
        self._window = window
        self._clock = clock
        self._pending: set[str] = set()
        self._wake = asyncio.Event()
        self._last = float("-inf")

    def add(self, key: str) -> None:
        """One more; cheap, never blocks."""
        self._pending.add(key)
        self._wake.set()

    def __contains__(self, key: str) -> bool:
        """Whether it waits to be taken."""
        return key in self._pending

    async def take(self) -> frozenset[str]:
        """Wait for the next ones."""
        await self._wake.wait()
        early = self._last + self._window - self._clock.monotonic()
        if early > 0:
            await asyncio.sleep(early)
        self._wake.clear()
        self._last = self._clock.monotonic()
        taken = frozenset(self._pending)
        self._pending.clear()
        return taken


class Way:
    """Who asks what on the way to one engine: a long answer has it for itself.

    What is asked behind 90 kB at 2 kB/s is answered 45 s later, which would look like a frozen engine.
    """

    def __init__(self, clock: Clock) -> None:
        self.narrow = False
        """The last long answer took so long that small ones are better asked one by one."""
        self._clock = clock
        self._free = asyncio.Event()
        self._free.set()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Hold small questions back while a long answer comes."""
        began = self._clock.monotonic()
        self._free.clear()
        try:
            yield
            self.narrow = self._clock.monotonic() - began > SLOW
        finally:
            self._free.set()

    async def free(self) -> None:
        """Wait until no long answer is under way."""
        await self._free.wait()
