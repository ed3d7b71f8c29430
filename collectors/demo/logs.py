"""What simulated programs write: lines that follow from the time, so that nothing is kept for a calm container."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from .things import Container, dice
from .voices import speak
from .wording import stamp

MOST_LINES = 2_000
"""Lines of a calm container that are told at most."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log. `at`: Unix seconds; `stream`: stdout or stderr."""

    at: float
    stream: str
    text: str


def lines(container: Container, since: float, until: float, most: int | None) -> list[Line]:
    """The newest `most` lines (None: all that are kept) of that span, oldest first."""
    limit = MOST_LINES if most is None else most
    if limit <= 0:
        return []
    said = [Line(at, stream, text) for at, stream, text in container.said if since <= at <= until]
    spoken = list(_spoken(container, since, until, limit))
    return sorted([*said, *spoken], key=lambda line: line.at)[-limit:]


def _spoken(container: Container, since: float, until: float, limit: int) -> Iterator[Line]:
    """What its voice says in its present (or last) life; a life that ends badly at once has no time for it."""
    if not container.started or (container.fate is not None and container.fate.kind == "crash"):
        return
    pace = container.plan.nature.pace
    end = until if container.alive else min(until, container.finished)
    first = max(0, int((since - container.started) / pace))
    last = int((end - container.started) / pace)
    for number in range(max(first, last - limit), last + 1):
        chance = dice((container.id, container.life, number))
        at = container.started + (number + chance.random() * 0.9) * pace
        if since <= at <= end:
            yield Line(at, *speak(container.plan.nature.voice, chance, at))


def frame(line: Line, *, tty: bool, times: bool) -> bytes:
    """A line as `GET /containers/{id}/logs` sends it: raw from a terminal, else behind an eight-byte header."""
    text = f"{stamp(line.at)} {line.text}" if times else line.text
    payload = text.encode() + (b"\r\n" if tty else b"\n")
    if tty:
        return payload
    return struct.pack(">BxxxL", 2 if line.stream == "stderr" else 1, len(payload)) + payload
