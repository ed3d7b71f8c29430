"""The records of what happened: the newest at hand in memory, all of them in a chained store."""

from .memory import MemoryTrail, Trail
from .opening import OpenTrail, trail_in

__all__ = ("MemoryTrail", "OpenTrail", "Trail", "trail_in")
