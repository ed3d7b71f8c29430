"""The records of what happened: the newest at hand in memory, all of them in a chained store."""

from .memory import MemoryTrail, Trail

__all__ = ("MemoryTrail", "Trail")
