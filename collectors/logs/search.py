"""Which lines of a ring an expression is found in, kept up with what comes, a few hundred lines at a time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from .colours import text_of
from .find import Finder
from .ring import Ring

SLICE = 300
"""Lines looked at in one go: about 2 ms."""


class Search:
    """The numbers of the lines in which it is found, oldest first, and which lines stand around them."""

    def __init__(self, finder: Finder, ring: Ring, *, context: int = 0) -> None:
        self.finder = finder
        self.context = context
        self._ring = ring
        self._found: list[int] = []
        self._next = ring.first
        """The number of the first line that was not looked at yet."""

    @property
    def found(self) -> int:
        """In how many lines, of those that are kept and were looked at."""
        return len(self._found)

    @property
    def behind(self) -> bool:
        """Whether there are lines that were not looked at."""
        return self._next < self._ring.end

    def advance(self, lines: int = SLICE) -> None:
        """Look at some more. Raises BadExpression where the expression takes too long."""
        ring, finder = self._ring, self.finder
        begin = max(self._next, ring.first)
        for number, line in enumerate(ring.slice(begin, begin + lines), begin):
            self._next = number + 1
            if finder.found(text_of(line)):
                self._found.append(number)
        gone = bisect_left(self._found, ring.first)
        if gone:
            del self._found[:gone]

    def has(self, number: int) -> bool:
        """Whether it is found in that line."""
        at = bisect_left(self._found, number)
        return at < len(self._found) and self._found[at] == number

    def match_after(self, number: int) -> int | None:
        """The next line in which it is found."""
        at = bisect_right(self._found, number)
        return self._found[at] if at < len(self._found) else None

    def match_before(self, number: int) -> int | None:
        """The line before, in which it is found."""
        at = bisect_left(self._found, number)
        return self._found[at - 1] if at else None

    # -- only what is found, with what stands around it

    def after(self, number: int) -> int | None:
        """The next line after that one which is found, or stands near one that is."""
        wanted = number + 1
        at = bisect_left(self._found, wanted - self.context)
        if at == len(self._found):
            return None
        shown = max(wanted, self._found[at] - self.context)
        return shown if shown < self._ring.end else None

    def before(self, number: int) -> int | None:
        """The line before that one, likewise."""
        wanted = number - 1
        at = bisect_right(self._found, wanted + self.context)
        if not at:
            return None
        shown = min(wanted, self._found[at - 1] + self.context)
        return shown if shown >= self._ring.first else None
