"""How what stands in a line is written in the tables derived from it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from zlib import crc32

from .entry import Entry, nanos

GRAIN = 24
"""Bits taken from a time in nanoseconds (17 ms are left) where only the order of times counts."""
UNPLACED = 0
"""Instead of such a time: that of no event."""


def packed(text: str) -> bytes:
    """A key or a thread's name as it is kept: 16 bytes of 32 hex digits; anything else as it is."""
    try:
        raw = bytes.fromhex(text) if len(text) == 32 else b""
    except ValueError:
        raw = b""
    if len(raw) == 16 and raw.hex() == text:
        return raw
    raw = text.encode()
    return raw if len(raw) != 16 else raw + b"\0"


def object_number(text: str) -> int:
    """A short number of an object's id; two ids may have the same."""
    return crc32(text.encode()) & 0x7FFFFFFF or 1 if text else 0


def time_of(entry: Entry) -> int:
    """Where the event in it stands in `known`."""
    if entry.event is None:
        return UNPLACED
    try:
        return nanos(entry.event.time) >> GRAIN
    except ValueError:
        return UNPLACED


def is_trouble(entry: Entry) -> bool:
    """What a person on call wants to see."""
    return entry.trouble or entry.kind == "gap"


def parts(values: Iterable[bytes], most: int = 256) -> Iterator[list[bytes | None]]:
    """In pieces whose lengths are powers of two, filled up with None: few statements to prepare."""
    everything: list[bytes] = list(values)
    for start in range(0, len(everything), most):
        piece: list[bytes | None] = list(everything[start : start + most])
        size = 1 << (len(piece) - 1).bit_length()
        yield piece + [None] * (size - len(piece))
