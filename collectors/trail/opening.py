"""How a trail in a folder is opened and kept tidy: by whoever needs it, in a thread that may wait, and not before."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol

from .store import Store

NANOSECONDS = 1_000_000_000


class Tidied(NamedTuple):
    """What tidying came to, in words; empty: nothing of the kind."""

    removed: str = ""
    large: str = ""
    """It only grows, and a person should know."""


class OpenTrail(Protocol):
    """A trail that is not opened yet."""

    def __call__(self, instance: str) -> Store:
        """Open it for the instance of that name. Raises TrailError."""
        ...

    def tidy(self, store: Store, now: int) -> Tidied:
        """Let go of what need not be kept (`now`: Unix nanoseconds). Raises TrailError."""
        ...


class TrailFolder:
    """The trail in a folder of this machine, to be written. SQLite is loaded when it is opened first."""

    def __init__(self, folder: Path, *, keep: float | None = None, keep_size: int | None = None) -> None:
        """`keep`: seconds after which a segment may go; `keep_size`: bytes of all of them. None: all is kept."""
        self.folder = folder
        self._keep = keep
        self._keep_size = keep_size

    def __call__(self, instance: str) -> Store:
        """Open it."""
        from .segments import SegmentStore

        return SegmentStore(self.folder, instance=instance)

    def tidy(self, store: Store, now: int) -> Tidied:
        """Remove sealed segments that are too old or too many; warn of one that only grows."""
        from .retention import Keep, apply, warning
        from .segments import SegmentStore

        if not isinstance(store, SegmentStore):
            return Tidied()
        keep = Keep(age=int(self._keep * NANOSECONDS) if self._keep is not None else None, size=self._keep_size)
        gone = apply(store, keep, now) if not keep.everything else None
        removed = f"lines {gone.first} to {gone.last} were removed, {gone.bytes} bytes" if gone is not None else ""
        return Tidied(removed, warning(store, keep))
