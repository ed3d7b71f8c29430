"""Lines that are JSON: in one line what matters of them, or folded out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from ..text import plain

LEVELS = ("level", "lvl", "severity", "levelname", "log.level", "loglevel", "@level")
MESSAGES = ("msg", "message", "event", "@message", "text", "short_message")
ERRORS = ("error", "err", "exception", "exc_info")
TIMES = frozenset(("time", "ts", "timestamp", "@timestamp", "t", "datetime", "asctime"))
"""The engine's own time stands beside the line."""
_NUMBERS = {10: "trace", 20: "debug", 30: "info", 40: "warn", 50: "error", 60: "fatal"}
"""Levels as pino and bunyan write them."""
MOST_ROWS = 200


class Summary(NamedTuple):
    """What a JSON line says."""

    level: str
    message: str
    rest: str
    """The other fields, `name=value`."""


def parsed(data: bytes) -> Mapping[str, object] | None:
    """The object on a line; None where the line is none."""
    stripped = data.strip()
    if not stripped.startswith(b"{") or not stripped.endswith(b"}"):
        return None
    try:
        found = msgspec.json.decode(stripped)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def summary(found: Mapping[str, object], limit: int = 4096) -> Summary:
    """One line of it, clean."""
    left = dict(found)
    level = _take(left, LEVELS)
    message = _take(left, MESSAGES)
    error = _take(left, ERRORS)
    words = _words(message) if message is not None else ""
    if error:
        words = f"{words}: {_words(error)}" if words else _words(error)
    rest = " ".join(f"{name}={_words(value)}" for name, value in left.items() if name.lower() not in TIMES)
    named = _NUMBERS.get(level, str(level)) if isinstance(level, int) else _words(level) if level is not None else ""
    return Summary(plain(named.lower(), 12), plain(words, limit), plain(rest, limit))


def folded_out(found: Mapping[str, object]) -> tuple[str, ...]:
    """All of it, a field a line, clean."""
    try:
        lines = json.dumps(found, indent=2, ensure_ascii=False, default=str).split("\n")
    except (RecursionError, ValueError):
        return ()
    shown = [plain(line, 4096, newlines=False) for line in lines[:MOST_ROWS]]
    if len(lines) > MOST_ROWS:
        shown.append(f"… {len(lines) - MOST_ROWS:,} more")
    return tuple(shown)


def _take(left: dict[str, object], names: tuple[str, ...]) -> object:
    lowered = {name.lower(): name for name in left}
    for name in names:
        if name in lowered:
            return left.pop(lowered[name])
    return None


def _words(value: object) -> str:
    if isinstance(value, str):
        return value
    try:
        return msgspec.json.encode(value).decode()
    except (RecursionError, TypeError, ValueError):
        return "…"
