"""The lines that are kept: the newest, within bounds of number and memory, and how many older ones are gone."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.logs import LogLine

MOST_LINES = 200_000
MOST_BYTES = 48 << 20


class Ring:
    """Numbered lines, oldest first. A line keeps its number for as long as it is kept.

    `first` is the number of the oldest one, `end` that of the next one to come; `first` is also how many are gone.
    """

    def __init__(self, *, lines: int = MOST_LINES, size: int = MOST_BYTES) -> None:
        self._most_lines = lines
        self._most_bytes = size
        self._lines: list[LogLine] = []
        self._dead = 0
        """Lines at the beginning of the list that are gone: cut off once they are half of it."""
        self.first = 0
        self.bytes = 0

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
        """These came; the oldest go where it is more than is kept."""
        self._lines += lines
        self.bytes += sum(line.size for line in lines)
        held = self._lines
        while len(self) > self._most_lines or (self.bytes > self._most_bytes and len(self) > 1):
            self.bytes -= held[self._dead].size
            self._dead += 1
            self.first += 1
        if self._dead > max(1_000, len(held) // 2):
            del held[: self._dead]
            self._dead = 0

    def clear(self) -> None:
        """Keep nothing, and count anew."""
        self._lines.clear()
        self._dead = self.first = self.bytes = 0
