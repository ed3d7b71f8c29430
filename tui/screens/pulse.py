"""When a screen is drawn again because time has passed, and how much of it."""

from __future__ import annotations

from enum import Enum

CALM_STEP = 2
"""Seconds in which a screen goes on where nothing is wrong and nothing changed: half of what it costs to look at it."""
MINUTES = 10
"""Seconds after which rows that show no seconds are drawn again: their minutes have gone on."""


class Due(Enum):
    """What is to be drawn again."""

    NOTHING = "nothing"
    SECONDS = "seconds"
    """What shows seconds."""
    ALL = "all"


class Pulse:
    """Counts the seconds of one screen."""

    def __init__(self) -> None:
        self._seconds = self._drawn = self._all_drawn = 0

    def beat(self, *, calm: bool) -> Due:
        """A second has passed; `calm`: nothing is wrong, and nothing changed in it."""
        self._seconds += 1
        if calm and self._seconds - self._drawn < CALM_STEP:
            return Due.NOTHING
        self._drawn = self._seconds
        if self._seconds - self._all_drawn < MINUTES:
            return Due.SECONDS
        self._all_drawn = self._seconds
        return Due.ALL
