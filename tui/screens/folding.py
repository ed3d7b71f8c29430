"""A page of JSON that folds: down to as many levels as a digit says, everything while words are sought."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from ..glyphs import UNICODE, Glyphs
from ..rows import Cell, Line
from .page import Given, PageScreen, text_of

INDENT = 2
"""Spaces of a level."""
_CLOSED_BY = {"{": "}", "[": "]"}


class FoldingPage(PageScreen):
    """`1` to `9` leave so many levels of the JSON, `0` shows all of it. The page as it is copied is all of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(str(levels), f"levels({levels})", "levels", show=False) for levels in range(10)
    ]

    def __init__(self, lines: Given, glyphs: Glyphs = UNICODE) -> None:
        super().__init__(lines, glyphs)
        self._depth = 0
        """So many levels are shown; 0: all."""

    def folded(self, lines: Sequence[Line]) -> Sequence[Line]:
        """These lines of JSON as they are to be shown now."""
        return fold(lines, self._depth, self._glyphs) if self._depth and not self._sought else lines

    def action_levels(self, levels: int) -> None:
        """Show so many."""
        self._depth = levels
        self.fleet_changed()
        self._hint()

    def action_copy(self) -> None:
        """All of it, however it is folded."""
        depth, self._depth = self._depth, 0
        super().action_copy()
        self._depth = depth

    def _seek(self, words: str) -> None:
        self._sought = words
        self.fleet_changed()  # what is folded is sought in, too
        super()._seek(words)

    def keys(self) -> tuple[tuple[str, str], ...]:
        """With those that fold."""
        return super().keys() if self._sought else (("1-9 0", "levels, all"), *super().keys())


class JsonPage(FoldingPage):
    """Nothing but JSON, and what it is of."""

    def __init__(self, lines: Sequence[Line], glyphs: Glyphs = UNICODE) -> None:
        super().__init__(lambda: self.folded(lines), glyphs)


def fold(lines: Sequence[Line], depth: int, glyphs: Glyphs = UNICODE) -> list[Line]:
    """Lines of indented JSON, of which what lies deeper than `depth` levels is one line each, with how much it is."""
    shown: list[Line] = []
    opened: list[Line] = []
    """The line that folds, and what it hides so far."""
    for line in lines:
        text = text_of(line)
        level = (len(text) - len(text.lstrip(" "))) // INDENT
        if opened:
            if level > depth:
                opened.append(line)
                continue
            shown.append(_closed(opened, text, glyphs))
            opened = []
        elif level == depth and text.rstrip()[-1:] in _CLOSED_BY:
            opened = [line]
        else:
            shown.append(line)
    return [*shown, *opened]


def _closed(opened: Sequence[Line], end: str, glyphs: Glyphs) -> Line:
    """`"Env": [… 4]`: the line that opens it, how much stands at the next level, and what closes it."""
    first, *hidden = opened
    texts = [text_of(line) for line in hidden]
    inner = min((len(text) - len(text.lstrip(" ")) for text in texts), default=0)
    count = sum(text[inner : inner + 1] not in ("", " ", *_CLOSED_BY.values()) for text in texts)
    return (*first, Cell(f"{glyphs.ellipsis} {count}", "dim"), Cell(end.strip()))
