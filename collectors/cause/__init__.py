"""From the engines' events to records of what happened, and why, as far as it can be known. Pure."""

from .chronicle import Chronicle, told

__all__ = ["Chronicle", "told"]
