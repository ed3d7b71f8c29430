"""What a command prints: aligned tables, JSON lines, errors in one sentence. The only place that writes a stream."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Literal, TextIO

import msgspec
from fleettop.collectors.errors import FleetError
from fleettop.collectors.text import plain

SGR = {
    "down": "1;31",
    "error": "1;31",
    "degraded": "33",
    "warning": "33",
    "starting": "36",
    "flapping": "35",
    "healthy": "32",
    "ok": "32",
    "stopped": "2",
    "stale": "2",
    "dim": "2",
    "strong": "1",
    "head": "1",
    "replica-0": "36",
    "replica-1": "33",
    "replica-2": "35",
    "replica-3": "34",
    "replica-4": "32",
    "replica-5": "37",
}
"""How the roles of the screen are drawn by a terminal's own colours (ECMA-48, SGR)."""


class Text(msgspec.Struct, frozen=True):
    """A piece of text in the style of a role."""

    text: str
    role: str = ""


class Heading(msgspec.Struct, frozen=True):
    """The head of a column."""

    title: str
    align: Literal["left", "right"] = "left"


class Output:
    """Standard output and error of one command."""

    def __init__(self, stdout: TextIO, stderr: TextIO, *, color: bool, error_color: bool) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._color = color
        self._error_color = error_color

    def line(self, *pieces: Text | str) -> None:
        """One line on standard output, written at once, so that a reader of a pipe sees it as it comes."""
        self._stdout.write(self.drawn(*pieces) + "\n")
        self._stdout.flush()

    @property
    def descriptor(self) -> int:
        """The file descriptor of standard output."""
        return self._stdout.fileno()

    def json(self, record: Mapping[str, object]) -> None:
        """One JSON object on a line of its own."""
        self._stdout.write(as_json(record) + "\n")
        self._stdout.flush()

    def text(self, text: str) -> None:
        """Lines with their ends, as they are."""
        self._stdout.write(text)
        self._stdout.flush()

    def drawn(self, *pieces: Text | str) -> str:
        """The pieces as a line of standard output, not written yet."""
        return "".join(_drawn(piece, self._color) for piece in pieces)

    @property
    def coloured(self) -> bool:
        """Whether standard output gets colours."""
        return self._color

    @property
    def stream(self) -> TextIO:
        """Standard output itself, all written so far being out."""
        self._stdout.flush()
        return self._stdout

    def table(self, headings: Sequence[Heading], rows: Sequence[Sequence[Text | str]]) -> None:
        """Rows under their headings, aligned; a column in which no row has anything is left out."""
        cells = [[_clean(cell) for cell in row] for row in rows]
        kept = [at for at in range(len(headings)) if not cells or any(row[at].text for row in cells)]
        widths = [max(width(headings[at].title), *(width(row[at].text) for row in cells), 0) for at in kept]
        head = [Text(headings[at].title, "head") for at in kept]
        lines = [head, *([row[at] for at in kept] for row in cells)]
        for line in lines:
            pieces: list[Text | str] = []
            for place, (at, cell, room) in enumerate(zip(kept, line, widths, strict=True)):
                space = " " * (room - width(cell.text))
                last = place == len(kept) - 1
                right = headings[at].align == "right"
                pieces += [space, cell] if right else [cell] if last else [cell, space]
                pieces += [] if last else ["  "]
            self._stdout.write(self.drawn(*pieces).rstrip() + "\n")
        self._stdout.flush()

    def note(self, sentence: str) -> None:
        """A sentence on standard error."""
        self._stdout.flush()
        self._stderr.write(f"{_drawn(Text('fleettop:', 'dim'), self._error_color)} {plain(sentence)}\n")
        self._stderr.flush()

    def error(self, error: FleetError | str, hint: str = "") -> None:
        """What is the case, and under it what to do, on standard error."""
        if isinstance(error, FleetError):
            hint = error.hint
        self._stdout.flush()
        self._stderr.write(f"{_drawn(Text('fleettop:', 'error'), self._error_color)} {plain(str(error))}\n")
        if hint:
            self._stderr.write(f"  {plain(hint)}\n")
        self._stderr.flush()

    def ask(self, question: str) -> None:
        """A question on standard error, with the cursor behind it."""
        self._stdout.flush()
        self._stderr.write(f"{plain(question)} ")
        self._stderr.flush()


def as_json(record: Mapping[str, object]) -> str:
    """A record on one line."""
    return msgspec.json.encode(record).decode()


def wants_color(mode: str, environ: Mapping[str, str], *, is_tty: bool) -> bool:
    """Whether to use colours: `always`, `never`, or on a terminal that does not say otherwise (https://no-color.org)."""
    if mode != "auto":
        return mode == "always"
    return is_tty and not environ.get("NO_COLOR") and environ.get("TERM", "") != "dumb"


def width(text: str) -> int:
    """Cells that `text` takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _clean(cell: Text | str) -> Text:
    piece = cell if isinstance(cell, Text) else Text(cell)
    return Text(plain(piece.text), piece.role)


def _drawn(piece: Text | str, color: bool) -> str:
    text, role = (piece.text, piece.role) if isinstance(piece, Text) else (piece, "")
    return f"\x1b[{SGR[role]}m{text}\x1b[0m" if color and text and role in SGR else text
