"""Cells become a strip of exactly so many terminal cells. Nothing is read as markup, nothing moves the cursor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fleettop.collectors.text import plain
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from ..format import cut
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


def line_width(line: Line) -> int:
    """The cells a line would fill."""
    return sum(cell_len(safe(cell.text)) for cell in pieces(line))
