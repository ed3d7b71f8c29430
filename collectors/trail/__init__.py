"""The records of what happened."""

from .memory import MemoryTrail
from .store import Trail

__all__ = ("MemoryTrail", "Trail")
