"""An image that lies on an engine."""

from __future__ import annotations

import msgspec


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """One image of one engine."""

    engine: str
    id: str
    """`sha256:…`, whichever engine told it."""
    names: tuple[str, ...] = ()
    """Its tags, else its digests; none: it is dangling."""
    size: int | None = None
    """Bytes, layers that other images share included."""
