"""Logs that an engine does not give back: why, in a sentence that names the driver they go to."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import Rejected, Unsupported

_SAID = ("does not support reading", "is not logging output", "cannot read logs")
"""Docker: daemon/logger (ErrReadLogsNotSupported); Podman: libpod (ErrNoLogs)."""
KEEPING = "json-file, local or journald"
"""The drivers whose logs an engine can read."""


def is_unreadable(error: Rejected) -> bool:
    """Whether an engine says that the container's log driver cannot be read."""
    return any(words in str(error) for words in _SAID)


def unreadable(inspected: object) -> Unsupported:
    """That, of a container as its engine inspects it."""
    driver = driver_of(inspected)
    if driver == "none":
        return Unsupported(
            "its log driver is none: nothing of what it writes is kept.",
            hint=f"Its log can be read once it is made with {KEEPING}.",
        )
    which = driver or "one that sends it away"
    return Unsupported(
        f"its log driver is {which}: its log goes elsewhere, and cannot be read from the engine.",
        hint=f"Look where the driver sends it, or make it with {KEEPING}.",
    )


def driver_of(inspected: object) -> str:
    """The log driver of an inspected container; empty: it is not told."""
    found: object = inspected
    for name in ("HostConfig", "LogConfig", "Type"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""
