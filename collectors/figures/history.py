"""What a container used over the last minutes, in as little memory as a small graph of it needs."""

from __future__ import annotations

import math
from array import array

from ..model import Usage

SLOTS = 60
SLOT = 10.0
"""Seconds; what comes within them is one point, the mean of it."""


CPU, MEMORY = 1, 2
WIDE = 3


class History:
    """The last ten minutes of one container, 24 bytes a point of which something was read: few where nobody looks."""

    __slots__ = ("_counted", "_points")

    def __init__(self) -> None:
        self._points = array("d")
        """Of each, in turn: the number of its slot since the clock began, CPU, memory; NaN where that was not read."""
        self._counted = 0
        """Samples in the newest."""

    def add(self, usage: Usage) -> None:
        """One more sample; those older than the newest point are left out."""
        slot, points = int(usage.at // SLOT), self._points
        newest = points[-WIDE] if points else -1.0
        if slot < newest:
            return
        if slot > newest:
            while points and points[0] <= slot - SLOTS:
                del points[:WIDE]
            points.extend((slot, math.nan, math.nan))
            self._counted = 0
        self._counted += 1
        for which, value in ((CPU, usage.cpu), (MEMORY, usage.memory)):
            if value is not None:
                before = points[which - WIDE]
                points[which - WIDE] = value if math.isnan(before) else before + (value - before) / self._counted

    def cpu(self, now: float) -> list[float | None]:
        """Percent of a core, oldest first, up to now; None: nothing was read then."""
        return self._until(CPU, now)

    def memory(self, now: float) -> list[float | None]:
        """Bytes, likewise."""
        return self._until(MEMORY, now)

    def _until(self, which: int, now: float) -> list[float | None]:
        slots, values = self._points[::WIDE], self._points[which::WIDE]
        known = {int(slot): value for slot, value in zip(slots, values, strict=True) if not math.isnan(value)}
        last = max(int(now // SLOT), int(slots[-1]) if slots else -1)
        return [known.get(slot) for slot in range(last - SLOTS + 1, last + 1)]
