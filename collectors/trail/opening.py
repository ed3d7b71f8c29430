"""How a trail in a folder is opened: by whoever needs it, in a thread that may wait, and not before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .store import Store

OpenTrail = Callable[[str], Store]
"""Opens the trail for the instance of that name. Raises TrailError."""


def trail_in(folder: Path) -> OpenTrail:
    """The trail in that folder, to be written. SQLite is loaded when it is opened first."""

    def open_it(instance: str) -> Store:
        from .segments import SegmentStore

        return SegmentStore(folder, instance=instance)

    return open_it
