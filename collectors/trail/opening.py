"""How a trail in a folder is opened and kept tidy: by whoever needs it, in a thread that may wait, and not before."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from .store import Store

NANOSECONDS = 1_000_000_000


class OpenTrail(Protocol):
    """A trail that is not opened yet."""

    def __call__(self, instance: str) -> Store:
        """Open it for the instance of that name. Raises TrailError."""
        ...

    def tidy(self, store: Store, now: int) -> str:
        """Let go of what need not be kept (`now`: Unix nanoseconds); a sentence where a person should know how it
        grows, else empty. Raises TrailError."""
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

    def tidy(self, store: Store, now: int) -> str:
        """Remove sealed segments that are too old or too many; warn of one that only grows."""
        from .retention import Keep, apply, warning
        from .segments import SegmentStore

        if not isinstance(store, SegmentStore):
            return ""
        keep = Keep(age=int(self._keep * NANOSECONDS) if self._keep is not None else None, size=self._keep_size)
        if not keep.everything:
            apply(store, keep, now)
        return warning(store, keep)
