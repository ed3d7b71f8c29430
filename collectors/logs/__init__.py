"""Logs of many containers as one: who is read, in which order lines come, what is kept, what is found in it."""

from __future__ import annotations

from .feed import LogFeed
from .members import Member, Wanted, members_of
from .ring import Ring
from .span import Span

__all__ = ["LogFeed", "Member", "Ring", "Span", "Wanted", "members_of"]
