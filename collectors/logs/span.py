"""Which part of a log is read."""

from __future__ import annotations

import msgspec


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """From where to where; times are Unix nanoseconds on our clock, numbers are lines of each replica."""

    since: int | None = None
    until: int | None = None
    tail: int | None = None
    """The most lines from its end."""
    head: int | None = None
    """The most lines from its beginning: then nothing is followed."""
