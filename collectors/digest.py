"""SHA-256 in hexadecimal: what names a record, and what chains the lines of the trail."""

from __future__ import annotations

from functools import cache
from typing import Any


def digest(data: bytes) -> str:
    """Its SHA-256, in 64 hex digits."""
    found: str = _sha256()(data).hexdigest()
    return found


@cache
def _sha256() -> Any:
    import hashlib  # takes 3 ms to load, in a start that hashes nothing

    return hashlib.sha256
