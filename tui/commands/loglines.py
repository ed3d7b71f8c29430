"""A log for machines and people: one line each, when, how bad, what, and its facts as key=value; or as JSON."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from fleettop.collectors.text import plain

from ..output import Output, Text, as_json

Level = Literal["info", "warning", "error"]
PLAIN = (str, int, float, datetime)
"""What JSON has a form of its own for (bool is an int); all else is told in its words."""
_ROLES = {"info": "dim", "warning": "warning", "error": "error"}


class LogLines:
    """Writes them, through a `put` that never waits."""

    def __init__(self, out: Output, put: Callable[[str], None], now: Callable[[], datetime], *, json: bool) -> None:
        self._out = out
        self._put = put
        self._now = now
        self._json = json

    def say(self, level: Level, what: str, **facts: object) -> None:
        """One line. Facts that are None are left out."""
        now = self._now()
        known = {name: value for name, value in facts.items() if value is not None}
        if self._json:
            facts = {name: value if isinstance(value, PLAIN) else str(value) for name, value in known.items()}
            self._put(as_json({"time": now, "level": level, "what": what, **facts}))
            return
        pieces: list[Text | str] = [
            Text(f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03}Z", "dim"),
            " ",
            Text(level, _ROLES[level]),
            f" {what}",
        ]
        pieces += [f" {name}={_written(value)}" for name, value in known.items()]
        self._put(self._out.drawn(*pieces))


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
    text = plain(str(value))
    if text and not any(letter.isspace() or letter in "\"='\\" for letter in text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
