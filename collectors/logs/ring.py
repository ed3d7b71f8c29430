"""The lines that are kept: the newest, within bounds of number and memory, and how many older ones are gone."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from ..model.logs import NOTE, LogLine, size_of

MOST_LINES = 200_000
MOST_BYTES = 48 << 20
CHUNK = 1_024
"""Lines kept together. Full chunks are tuples: those of plain lines the garbage collector leaves alone, where it walks
through a list of two hundred thousand again and again, 50 ms each time."""


class Ring:
    """Numbered lines, oldest first. A line keeps its number for as long as it is kept.

    `first` is the number of the oldest one, `end` that of the next one to come.
    """

    def __init__(self, *, lines: int = MOST_LINES, size: int = MOST_BYTES) -> None:
        self._most_lines = lines
        self._most_bytes = size
        self._chunks: deque[tuple[LogLine, ...]] = deque()
        self._tail: list[LogLine] = []
        """The newest lines, less than a chunk."""
        self._dead = 0
        """Lines at the beginning of the first chunk that are gone: a chunk goes as a whole."""
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
        return len(self._chunks) * CHUNK + len(self._tail) - self._dead

    def __getitem__(self, number: int) -> LogLine:
        """The line of that number. Raises IndexError where it is gone or has not come."""
        if not self.first <= number < self.end:
            raise IndexError(number)
        chunk, place = divmod(self._dead + number - self.first, CHUNK)
        return self._chunk(chunk)[place]

    def _chunk(self, number: int) -> Sequence[LogLine]:
        return self._chunks[number] if number < len(self._chunks) else self._tail

    def slice(self, begin: int, end: int) -> list[LogLine]:
        """The lines from number `begin` up to `end`, as far as they are kept."""
        shift = self._dead - self.first
        at, last = max(begin, self.first) + shift, min(end, self.end) + shift
        found: list[LogLine] = []
        while at < last:
            chunk, place = divmod(at, CHUNK)
            found += self._chunk(chunk)[place : place + last - at]
            at = (chunk + 1) * CHUNK
        return found

    def extend(self, lines: Sequence[LogLine]) -> None:
        """These came; the oldest go where it is more than is kept. While `held`, those that came go instead."""
        if self.held and (len(self) >= self._most_lines or self.bytes >= self._most_bytes):
            self.missed += len(lines)
            return
        if self.missed and not self.held and lines:
            words = f"… {self.missed:,} lines skipped while the view stood still."
            lines = [LogLine(lines[0].time, NOTE, 0, words.encode()), *lines]
            self.skipped, self.missed = self.skipped + self.missed, 0
        self._tail += lines
        self.bytes += size_of(lines)
        while len(self._tail) >= CHUNK:
            self._chunks.append(tuple(self._tail[:CHUNK]))
            del self._tail[:CHUNK]
        self._drop(len(self) - self._most_lines)
        while (over := self.bytes - self._most_bytes) > 0 and len(self) > 1:
            self._drop(max(1, over * len(self) // self.bytes // 2))  # half of what is too much, by the average

    def _drop(self, count: int) -> None:
        """The oldest go."""
        while count > 0:
            lines = self._chunk(0)[self._dead : self._dead + count]
            self.bytes -= size_of(lines)
            self._dead += len(lines)
            self.first += len(lines)
            count -= len(lines)
            if self._chunks and self._dead >= CHUNK:
                self._chunks.popleft()
                self._dead -= CHUNK
