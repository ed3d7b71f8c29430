"""The lines that are kept: the newest, within bounds of number and memory, and how many older ones are gone."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.logs import NOTE, LogLine, size_of

MOST_LINES = 200_000
MOST_BYTES = 48 << 20
SPARE = 4_000


class Ring:
    """Numbered lines, oldest first. A line keeps its number for as long as it is kept.

    `first` is the number of the oldest one, `end` that of the next one to come.
    """

    def __init__(self, *, lines: int = MOST_LINES, size: int = MOST_BYTES) -> None:
        self._most_lines = lines
        self._most_bytes = size
        self._lines: list[LogLine] = []
        self._dead = 0
        """Lines at the beginning of the list that are gone: cut off a few thousand at a time."""
        self.first = 0
        self.bytes = 0
        self.held = False
        """A person reads what is there: it stays."""
        self.missed = 0
        """Lines that came since it is held and were not kept; what is said of them stands among the lines then."""
        self.skipped = 0
        """Those of the times before."""

    @property
    def gone(self) -> int:
        """How many lines came and are not kept."""
        return self.first + self.missed + self.skipped

    @property
    def end(self) -> int:
        """The number that the next line gets."""
        return self.first + len(self)

    def __len__(self) -> int:
        return len(self._lines) - self._dead

    def __getitem__(self, number: int) -> LogLine:
        """The line of that number. Raises IndexError where it is gone or has not come."""
        if not self.first <= number < self.end:
            raise IndexError(number)
        return self._lines[self._dead + number - self.first]

    def slice(self, begin: int, end: int) -> list[LogLine]:
        """The lines from number `begin` up to `end`, as far as they are kept."""
        begin = max(begin, self.first)
        shift = self._dead - self.first
        return self._lines[begin + shift : max(begin, end) + shift]

    def extend(self, lines: Sequence[LogLine]) -> None:
        """These came; the oldest go where it is more than is kept. While `held`, those that came go instead."""
        if self.held and (len(self) >= self._most_lines or self.bytes >= self._most_bytes):
            self.missed += len(lines)
            return
        if self.missed and not self.held and lines:
            words = f"… {self.missed:,} lines skipped while the view stood still."
            lines = [LogLine(lines[0].time, NOTE, 0, words.encode()), *lines]
            self.skipped, self.missed = self.skipped + self.missed, 0
        self._lines += lines
        self.bytes += size_of(lines)
        held = self._lines
        extra = len(self) - self._most_lines
        if extra > 0:
            self.bytes -= size_of(held[self._dead : self._dead + extra])
            self._dead += extra
            self.first += extra
        while self.bytes > self._most_bytes and len(self) > 1:
            self.bytes -= held[self._dead].size
            self._dead += 1
            self.first += 1
        if self._dead > SPARE:
            del held[: self._dead]
            self._dead = 0
