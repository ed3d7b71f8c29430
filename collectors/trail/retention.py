"""How long a trail is kept: whole sealed segments go, the oldest first, and a note in the trail says which lines."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from .entry import nanos
from .notes import removed
from .pages import line_of
from .segment import About
from .segments import SegmentStore
from .shelf import Skipped

WARN_SIZE = 1 << 30
"""A trail of which nothing is removed is worth a word from this size on."""
DAY = 86_400_000_000_000


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept; None: no limit. By default everything."""

    age: int | None = None
    """Nanoseconds since a segment's last line was written."""
    size: int | None = None
    """Bytes of all segments together."""

    @property
    def everything(self) -> bool:
        """Whether nothing is ever removed."""
        return self.age is None and self.size is None


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """What went."""

    first: int
    last: int
    hash: str
    """Of the last line that went."""
    bytes: int
    note: int
    """The line that tells."""


def warning(store: SegmentStore, keep: Keep) -> str:
    """A sentence where the trail grows large and nothing limits it; else empty."""
    size = store.size()
    if not keep.everything or size < WARN_SIZE:
        return ""
    return (
        f"The trail in {store.folder.path} takes {size / (1 << 30):.1f} GiB and everything is kept: "
        "set an age or a size in the config, or move old segments away."
    )


def apply(store: SegmentStore, keep: Keep, now: int) -> Removed | None:
    """Remove what need not be kept. None: nothing went. Raises TrailError; then nothing or only whole segments went."""
    store.settle()
    going = _going(store, keep, now)
    if not going:
        return None
    first, last = going[0].after_seq + 1, going[-1].last_seq
    size = sum(store.folder.size_of(about.number) for about in going)
    note = removed(first, last, going[-1].last_hash, _why(keep), now, store.instance)
    # The note first: lines that are gone and of which nothing tells would look like lines that somebody took away.
    (number,) = store.append([note])
    for about in going:
        store.shelf.release(about.number)
        store.folder.remove(about.number)
    return Removed(first=first, last=last, hash=going[-1].last_hash, bytes=size, note=number)


def _going(store: SegmentStore, keep: Keep, now: int) -> list[About]:
    """The oldest segments that need not be kept. The newest always stays, a damaged one stays with all after it."""
    numbers = store.folder.numbers()
    abouts = {about.number: about for about in store.shelf.abouts()}
    size = store.size()
    going: list[About] = []
    for number in numbers[:-1]:
        about = abouts.get(number)
        if about is None or not about.sealed:
            break
        too_old = keep.age is not None and _written(store, about) < now - keep.age
        too_much = keep.size is not None and size > keep.size
        if not (too_old or too_much):
            break
        size -= store.folder.size_of(number)
        going.append(about)
    return going


def _written(store: SegmentStore, about: About) -> int:
    """When its last line was written."""
    with suppress(Skipped), store.shelf.reading(about.number) as segment:
        line = line_of(segment, about.last_seq)
        if line is not None:
            return nanos(line.entry.seen)
    return about.newest


def _why(keep: Keep) -> str:
    reasons = []
    if keep.age is not None:
        reasons.append(f"kept for {keep.age / DAY:g} days")
    if keep.size is not None:
        reasons.append(f"at most {keep.size / (1 << 20):g} MiB")
    return ", ".join(reasons)
