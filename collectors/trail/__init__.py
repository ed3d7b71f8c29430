"""The records of what happened: the newest at hand in memory, all of them in a chained store."""

from .memory import MemoryTrail, Trail
from .opening import OpenTrail, Tidied, TrailFolder

__all__ = ("MemoryTrail", "OpenTrail", "Tidied", "Trail", "TrailFolder")
