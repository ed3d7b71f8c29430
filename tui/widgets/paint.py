"""Cells become a strip of exactly so many terminal cells. Nothing is read as markup, nothing moves the cursor."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from fleettop.collectors.text import plain
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from ..format import cut, cut_head
from ..glyphs import UNICODE, Glyphs
from ..rows import Cell, Line
from ..theme import Styles

NULL = Style.null()


def safe(text: str) -> str:
    """`text` without anything a terminal would obey. Foreign text was cleaned long before; this is the last door."""
    return text if text.isprintable() else plain(text)


def pieces(cells: Iterable[Cell]) -> Iterator[Cell]:
    """Cells and what is drawn right behind each, one after the other."""
    for cell in cells:
        yield cell
        if cell.more:
            yield from pieces(cell.more)


def segments(
    cells: Iterable[Cell], width: int, styles: Styles, base: Style = NULL, glyphs: Glyphs = UNICODE
) -> list[Segment]:
    """The cells in at most `width` cells; where there is more, an ellipsis ends them."""
    drawn: list[Segment] = []
    left = width
    for cell in pieces(cells):
        text = safe(cell.text)
        if not text:
            continue
        if left <= 0:
            return _ended(drawn, glyphs)
        style = base + styles.get(cell.style, NULL)
        size = cell_len(text)
        if size > left:
            drawn.append(Segment(cut(text, left, "end", glyphs), style))
            return drawn
        drawn.append(Segment(text, style))
        left -= size
    return drawn


def _ended(drawn: list[Segment], glyphs: Glyphs) -> list[Segment]:
    """The width was used up exactly, and something is left: the last cell says so."""
    if drawn:
        text, style, _control = drawn[-1]
        drawn[-1] = Segment(cut(text + " ", cell_len(text), "end", glyphs), style)
    return drawn


def strip(line: Line, width: int, styles: Styles, base: Style = NULL, glyphs: Glyphs = UNICODE) -> Strip:
    """A line of exactly `width` cells."""
    drawn = segments(line, width, styles, base, glyphs)
    used = sum(cell_len(segment.text) for segment in drawn)
    if used < width:
        drawn.append(Segment(" " * (width - used), base))
    return Strip(drawn, width)


def marked(line: Line, words: str) -> Line:
    """The line with these words, in any case, in the role `match`; only where they stand within one cell."""
    found: list[Cell] = []
    sought = re.compile(f"({re.escape(words)})", re.IGNORECASE)
    for cell in pieces(line):
        parts = sought.split(cell.text)
        found += [Cell(part, "match" if place % 2 else cell.style) for place, part in enumerate(parts) if part]
    return tuple(found)


def line_width(line: Line) -> int:
    """The cells a line would fill."""
    return sum(cell_len(safe(cell.text)) for cell in pieces(line))


def ends(left: Line, right: Line, width: int) -> Line | None:
    """`left` and `right` at the two ends of `width` cells; None where they do not fit with a space between."""
    spare = width - line_width(left) - line_width(right)
    if spare < (1 if right else 0):
        return None
    return (*left, Cell(" " * spare), *right) if right else left


_RUNS = re.compile(r"\s+|\S+")


def wrap(line: Line, width: int, hang: int = 0) -> list[Line]:
    """A line broken between words into lines of at most `width` cells; all but the first begin with `hang` spaces.

    A word that is wider than a line is broken where the line ends. The spaces at a break are dropped.
    """
    width = max(2, width)
    if line_width(line) <= width:
        return [line]
    page = _Page(width, max(0, min(hang, width // 2, width - 2)))
    for space, word in _words(line):
        page.add(space, word)
    return page.lines()


def _words(line: Line) -> Iterator[tuple[Line, Line]]:
    """The words of a line, each with the spaces before it; a word may be of several cells."""
    space: list[Cell] = []
    word: list[Cell] = []
    for cell in pieces(line):
        for run in _RUNS.findall(safe(cell.text)):
            if run.isspace() and word:
                yield tuple(space), tuple(word)
                space, word = [], []
            (space if run.isspace() else word).append(Cell(run, cell.style))
    yield tuple(space), tuple(word)


class _Page:
    """Lines that fill up with words."""

    def __init__(self, width: int, hang: int) -> None:
        self._width = width
        self._indent: Line = (Cell(" " * hang),) if hang else ()
        self._done: list[Line] = []
        self._line: Line = ()
        self._empty = True

    def add(self, space: Line, word: Line) -> None:
        """One more word, and the space before it if they stay on one line."""
        if line_width((*self._line, *space, *word)) > self._width and not self._empty:
            self._end()
        elif (not self._empty or not self._done) and line_width(space) < self._width:
            self._line += space
        while line_width((*self._line, *word)) > self._width:
            head, word = _split(word, self._width - line_width(self._line))
            self._line += head
            self._end()
        self._line += word
        self._empty = self._empty and not word

    def _end(self) -> None:
        self._done.append(self._line)
        self._line, self._empty = self._indent, True

    def lines(self) -> list[Line]:
        """All of them."""
        return self._done if self._empty and self._done else [*self._done, self._line]


def _split(word: Line, room: int) -> tuple[Line, Line]:
    head: list[Cell] = []
    for place, cell in enumerate(word):
        size = cell_len(cell.text)
        if size <= room:
            head.append(cell)
            room -= size
            continue
        text = cut_head(cell.text, room)
        if text:
            head.append(Cell(text, cell.style))
        return tuple(head), (Cell(cell.text[len(text) :], cell.style), *word[place + 1 :])
    return tuple(head), ()
