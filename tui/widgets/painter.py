"""How a table's header and rows become strips: laid out once for a width, drawn once for a look."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from ..format import cut, pad
from ..glyphs import Glyphs
from ..rows import Cell, Column, Line, Row
from ..theme import Styles
from . import layout, paint

_KEPT = 512
"""Strips kept, of some kB each; more than any screen has lines, so that scrolling back is free."""
_PARTS = 4096
"""Cells kept."""
_STILL_SEEN_WHEN_STALE = ("age-old", "age-warn", "age-page")
"""In a stale row everything is greyed but the age, which says why."""

ELSEWHERE, BLURRED, UNDER = range(3)
"""Where the cursor is: on another row, on this one while keys go elsewhere, on this one."""
Look = tuple[Row | None, int, bool]
"""A row, where the cursor is, whether it is marked: all that a line depends on."""

_NO_ROLES: Styles = {}


def alike(one: Look, other: Look) -> bool:
    """Whether two looks are drawn the same."""
    if one[1] != other[1] or one[2] != other[2]:
        return False
    row, other_row = one[0], other[0]
    if row is other_row:
        return True
    return row is not None and other_row is not None and row.looks_like(other_row)


class Painter:
    """Draws the lines of one table, and keeps what it has drawn."""

    def __init__(self, columns: Sequence[Column], glyphs: Glyphs) -> None:
        """For these columns; nothing can be drawn before it was told the width."""
        self._glyphs = glyphs
        self.columns = tuple(columns)
        self._width = -1
        self._slots: tuple[layout.Slot, ...] = ()
        self._strips: dict[Hashable, tuple[Look, Strip]] = {}
        self._parts: dict[tuple[int, Cell, str, bool], Sequence[Segment]] = {}
        """Cells as they were drawn in their columns: of a row that changes most stay the same."""
        self._roles: Styles = _NO_ROLES
        self._ground = paint.NULL

    def lay_out(self, columns: Sequence[Column], width: int) -> None:
        """These columns, in that width."""
        if (tuple(columns), width) != (self.columns, self._width):
            self.columns, self._width = tuple(columns), width
            self._slots = layout.fit(self.columns, width)
            self._strips.clear()
            self._parts.clear()

    def dress(self, roles: Styles, ground: Style) -> None:
        """The styles of the roles, and the one that everything is drawn over."""
        if roles is not self._roles or ground != self._ground:
            self._roles, self._ground = roles, ground
            self._strips.clear()
            self._parts.clear()

    def column_at(self, x: int) -> Column | None:
        """The column that stands at cell `x`."""
        index = layout.column_at(self._slots, x)
        return None if index is None else self.columns[index]

    def words(self, line: Line) -> Strip:
        """A line of words in the middle."""
        left = max(0, (self._width - paint.line_width(line)) // 2)
        return paint.strip((Cell(" " * left), *line), self._width, self._roles, self._ground, self._glyphs)

    def blank(self) -> Strip:
        """Nothing."""
        return Strip.blank(self._width, self._ground)

    def header(self, by: str, *, descending: bool) -> Strip:
        """The titles of the columns, an arrow on the one the rows are sorted by."""
        roles, glyphs, width = self._roles, self._glyphs, self._width
        plain = self._ground + roles["head"]
        sorted_style = self._ground + roles["head-sorted"]
        drawn, x = [], 0
        for slot in self._slots:
            column = self.columns[slot.index]
            title, style, begin, size = column.title, plain, slot.x, slot.width
            if column.id == by:
                # The arrow stands in the gap where it can, so that it costs the title nothing.
                title += glyphs.sorted_down if descending else glyphs.sorted_up
                style, size = sorted_style, size + 1
                if column.align == "right":
                    begin -= 1
            if begin > x:
                drawn.append(Segment(" " * (begin - x), plain))
            drawn.append(Segment(pad(cut(title, size, "end", glyphs), size, column.align), style))
            x = begin + size
        if x < width:
            drawn.append(Segment(" " * (width - x), plain))
        return Strip(drawn).adjust_cell_length(width)

    def line(self, key: Hashable, look: Look) -> Strip:
        """The line of a row; drawn anew only where it looks other than before."""
        kept = self._strips.get(key)
        if kept is not None and alike(kept[0], look):
            return kept[1]
        strip = self._draw(look)
        if len(self._strips) >= _KEPT:
            self._strips.clear()
        self._strips[key] = (look, strip)
        return strip

    def _draw(self, look: Look) -> Strip:
        row, cursor, marked = look
        roles, width = self._roles, self._width
        over = Style.null()
        if cursor:
            over = roles["cursor" if cursor == UNDER else "cursor-blurred"]
        elif marked:
            over = roles["marked"]
        if over.reverse:
            # Reversed text keeps no colour of its own: on a 16-colour terminal nobody knows what it would be read on.
            roles = _NO_ROLES
        base = self._ground
        if row is not None:
            base += roles.get(row.style, paint.NULL)
        if row is None:
            drawn = [Segment(" " * width, base)]
        elif row.span is not None:
            whole = base + roles.get(row.span.style, paint.NULL)
            line = (Cell(self._gutter(marked)), row.span)
            drawn = list(paint.strip(line, width, roles, whole, self._glyphs))
        else:
            drawn = self._cells(row, marked, roles, base)
        if over:
            drawn = [Segment(text, (style or paint.NULL) + over) for text, style, _ in drawn]
        return Strip(drawn, width)

    def _gutter(self, marked: bool) -> str:
        return self._glyphs.mark if marked else " "

    def _cells(self, row: Row, marked: bool, roles: Styles, base: Style) -> list[Segment]:
        width = self._width
        greyed = _only(roles, _STILL_SEEN_WHEN_STALE) if row.style == "stale" else None
        mark_style = roles.get("mark", paint.NULL) if marked else base
        drawn, x = [Segment(self._gutter(marked), mark_style)], layout.GUTTER
        for slot in self._slots:
            if slot.x > x:
                drawn.append(Segment(" " * (slot.x - x), base))
            x = slot.x + slot.width
            if slot.index >= len(row.cells):
                drawn.append(Segment(" " * slot.width, base))
                continue
            cell = row.cells[slot.index]
            known = (slot.index, cell, row.style, roles is _NO_ROLES)
            part = self._parts.get(known)
            if part is None:
                if len(self._parts) >= _PARTS:
                    self._parts.clear()
                part = self._cell(slot, cell, greyed if greyed is not None else roles, base)
                self._parts[known] = part
            drawn += part
        if x < width:
            drawn.append(Segment(" " * (width - x), base))
        return drawn

    def _cell(self, slot: layout.Slot, cell: Cell, styles: Styles, base: Style) -> Sequence[Segment]:
        column = self.columns[slot.index]
        if cell.more:
            return tuple(paint.strip((cell,), slot.width, styles, base, self._glyphs))
        style = base + styles.get(cell.style, paint.NULL)
        text = cut(paint.safe(cell.text), slot.width, column.cut, self._glyphs)
        return _padded(text, slot.width, column.align, style, base)


def _padded(text: str, width: int, align: str, style: Style, base: Style) -> list[Segment]:
    """A cell's text, and the space around it, which is not part of a badge."""
    if not (style.reverse or style.underline or style.bgcolor != base.bgcolor):
        return [Segment(pad(text, width, "right" if align == "right" else "left"), style)]
    space = Segment(" " * (width - cell_len(text)), base)
    drawn = [space, Segment(text, style)] if align == "right" else [Segment(text, style), space]
    return [segment for segment in drawn if segment.text]


def _only(roles: Styles, names: Sequence[str]) -> Styles:
    return {name: roles[name] for name in names if name in roles}
