"""What a command on this machine writes, as it comes: its last lines, its colours in those of the theme."""

from __future__ import annotations

import asyncio
import codecs
import re
from collections import deque
from collections.abc import Sequence

from fleettop.collectors.text import plain
from textual.css.query import NoMatches

from ..glyphs import UNICODE, Glyphs
from ..rows import Cell, Line
from ..widgets.detail import Detail
from .page import PageScreen

LINES = 5_000
"""Lines kept: the last ones."""
WIDTH = 4_096
"""Characters kept of a line."""
_SGR = re.compile(r"\x1b\[([0-9;:]*)m")
_ROLES = {
    **dict.fromkeys((1,), "strong"),
    **dict.fromkeys((2, 90), "dim"),
    **dict.fromkeys((4,), "match"),
    **dict.fromkeys((31, 91), "error"),
    **dict.fromkeys((32, 92), "ok"),
    **dict.fromkeys((33, 93), "warning"),
    **dict.fromkeys((34, 35, 36, 94, 95, 96), "key"),
}
"""The theme's roles for the attributes of ECMA-48 (SGR) that are looked at."""


class Transcript:
    """Bytes as they come made lines of cells: nothing in them is obeyed but colours, and there are never too many."""

    def __init__(self) -> None:
        self.lines: deque[Line] = deque(maxlen=LINES)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        self._role = ""

    def feed(self, data: bytes) -> None:
        """More of it."""
        *whole, self._rest = (self._rest + self._decode(data)).split("\n")
        for text in whole:
            self.lines.append(self._line(text))
        if len(self._rest) > WIDTH * 8:
            self.lines.append(self._line(self._rest))
            self._rest = ""

    def end(self) -> None:
        """There is no more: what was begun is a line, too."""
        if self._rest:
            self.lines.append(self._line(self._rest))
            self._rest = ""

    def shown(self) -> tuple[Line, ...]:
        """The lines, and what is begun of the next."""
        role = self._role
        begun = (self._line(self._rest),) if self._rest else ()
        self._role = role
        return (*self.lines, *begun)

    def _line(self, text: str) -> Line:
        text = text.rstrip("\r").rpartition("\r")[2]  # as a terminal would show a line that was written over
        cells: list[Cell] = []
        left = WIDTH
        for place, part in enumerate(_SGR.split(text)):
            if place % 2:
                self._role = _role(part, self._role)
                continue
            clean = plain(part.expandtabs(8), max(1, left))
            left -= len(clean)
            if clean and left >= 0:
                cells.append(Cell(clean, self._role))
        return tuple(cells)


def _role(codes: str, before: str) -> str:
    """The role after these codes; colours of more than the usual sixteen are left out."""
    if re.search(r"(?:^|[;:])[34]8[;:]", codes):
        return before
    role = before
    for code in re.split("[;:]", codes):
        number = int(code or 0) if len(code) < 4 else -1
        role = "" if number in (0, 22, 24, 39) else _ROLES.get(number, role)
    return role


class OutputScreen(PageScreen):
    """Follows the output to its end unless a person scrolls up. Esc ends the command, and then closes."""

    def __init__(self, title: str, *, glyphs: Glyphs = UNICODE) -> None:
        super().__init__(self._all, glyphs)
        self._title_text = title
        self._transcript = Transcript()
        self._ending = ""
        self._dirty = False
        self.stopping = asyncio.Event()
        """Set when the command is to end."""

    def on_mount(self) -> None:
        """Draw what has come a few times a second."""
        self.set_interval(0.1, self._draw)

    def feed(self, data: bytes) -> None:
        """It wrote that."""
        self._transcript.feed(data)
        self._dirty = True

    def finish(self, words: str) -> None:
        """It is over, and how."""
        self._transcript.end()
        self._ending = words
        self._dirty = True
        self._draw()

    def _all(self) -> Sequence[Line]:
        ended = ((), (Cell(self._ending, "strong"),)) if self._ending else ()
        return ((Cell(self._title_text, "title"),), *self._transcript.shown(), *ended)

    def fleet_changed(self) -> None:
        """It is not the fleet that changes it."""

    def _draw(self) -> None:
        if not self._dirty or not self.is_mounted:
            return
        try:
            detail = self.query_one(Detail)
        except NoMatches:  # closed meanwhile
            return
        self._dirty = False
        follows = detail.scroll_y >= detail.max_scroll_y - 1
        detail.set_lines(self._all())
        if follows and not self._sought:
            detail.call_after_refresh(detail.action_scroll_last)
        self._hint()

    def keys(self) -> tuple[tuple[str, str], ...]:
        """Esc says what it does now."""
        *others, _ = super().keys()
        last = "all again" if self._sought else "back" if self._ending else "end it"
        return (*others, ("Esc", last))

    def action_back(self) -> None:
        """Esc: what is sought first; then the command; then back."""
        if self._sought or self._ending:
            super().action_back()
        else:
            self.stopping.set()

    async def action_dismiss(self, result: None = None) -> None:
        """`q`: not while it runs."""
        if self._ending:
            self.dismiss(None)
        else:
            self.stopping.set()
