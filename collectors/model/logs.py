"""One line of a container's log."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

import msgspec

NOTE = -1
"""The source of a line that fleettop itself says among the others: a link lost, a replica that joins."""
OUT, ERR = 1, 2


class LogLine(msgspec.Struct, frozen=True, gc=False):
    """A line as the program wrote it, not cleaned yet: who shows it or hands it on takes `collectors.logs.colours`.

    Kept as bytes since hundreds of thousands of them are kept and a screenful of them is read.
    """

    time: int
    """Unix nanoseconds on our clock: the engine's time, less what its clock is ahead."""
    source: int
    """Which replica said it (`LogFeed.sources`); `NOTE`: fleettop itself."""
    stream: int
    """1: standard output, 2: standard error; a terminal's is all 1."""
    data: bytes
    cut: int = 0
    """Bytes at its end that were not kept."""
    late: bool = False
    """It came when later ones had been told already."""

    @property
    def size(self) -> int:
        """Bytes of memory it takes, about."""
        return len(self.data) + OVERHEAD


def size_of(lines: Sequence[LogLine]) -> int:
    """Bytes of memory that lines take, about."""
    return sum(map(len, map(_data, lines))) + OVERHEAD * len(lines)


_data = attrgetter("data")
OVERHEAD = 136
"""Bytes of memory that a line takes beside its text (CPython 3.11: 72 the line, 33 its bytes, 32 its time)."""
