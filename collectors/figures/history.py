"""What a container used over the last minutes, in as little memory as a small graph of it needs."""

from __future__ import annotations

import math
from array import array

from ..model import Usage

SLOTS = 60
SLOT = 10.0
"""Seconds; what comes within them is one point, the mean of it."""


class History:
    """The last ten minutes of one container: 60 points of CPU and of memory, some 700 bytes, however long it runs."""

    __slots__ = ("_counted", "_cpu", "_memory", "_slot")

    def __init__(self) -> None:
        self._cpu = array("f", [math.nan]) * SLOTS
        self._memory = array("f", [math.nan]) * SLOTS
        self._slot = -1
        """Number of the newest point since the clock began; it lies at its remainder."""
        self._counted = 0

    def add(self, usage: Usage) -> None:
        """One more sample; those older than the newest point are left out."""
        slot = int(usage.at // SLOT)
        if slot < self._slot:
            return
        if slot > self._slot:
            for passed in range(max(self._slot + 1, slot - SLOTS + 1), slot + 1):
                self._cpu[passed % SLOTS] = self._memory[passed % SLOTS] = math.nan
            self._slot, self._counted = slot, 0
        place, self._counted = slot % SLOTS, self._counted + 1
        for ring, value in ((self._cpu, usage.cpu), (self._memory, usage.memory)):
            if value is not None:
                before = ring[place]
                ring[place] = value if math.isnan(before) else before + (value - before) / self._counted

    def cpu(self, now: float) -> list[float | None]:
        """Percent of a core, oldest first, up to now; None: nothing was read then."""
        return self._until(self._cpu, now)

    def memory(self, now: float) -> list[float | None]:
        """Bytes, likewise."""
        return self._until(self._memory, now)

    def _until(self, ring: array[float], now: float) -> list[float | None]:
        last = max(int(now // SLOT), self._slot)
        known = range(self._slot - SLOTS + 1, self._slot + 1)
        values = (ring[n % SLOTS] if n in known else math.nan for n in range(last - SLOTS + 1, last + 1))
        return [None if math.isnan(value) else value for value in values]
