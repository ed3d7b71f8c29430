"""What is wrong with a service, in one sentence of facts. Pure."""

from .telling import PartKind, Story, StoryPart, tell

__all__ = ["PartKind", "Story", "StoryPart", "tell"]
