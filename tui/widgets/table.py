"""The table of a fleet: drawn line by line, so that a changed row costs one line and a key costs two.

The cursor is held by the row's key, not by its number: rows may move and what is under the cursor stays the same thing.
Until a person has moved it, it stays on the first row, so that the worst is under it when a fleet comes in.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ..format import cut, pad
from ..glyphs import UNICODE, Glyphs
from ..keymap import table_bindings
from ..rows import Cell, Column, Line, Row
from ..theme import Styles, styles_of
from . import layout, paint

_CACHED = 4096
"""Strips kept; more than any screen has lines, so that scrolling back is free."""
_STILL_SEEN_WHEN_STALE = ("age-old", "age-warn", "age-page")
"""In a stale row everything is greyed but the age, which says why."""

_ELSEWHERE, _BLURRED, _UNDER = range(3)
Painted = tuple[Row | None, int, bool]
"""A row, whether the cursor is on it (and keys go to it), whether it is marked: all that a line's look depends on."""


class LineTable(ScrollView, can_focus=True):
    """Rows under a header that stays. Give it columns, then rows; it tells what the person does by messages."""

    DEFAULT_CSS = """
    LineTable { overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(keys, action, show=False, id=name) for name, keys, action in table_bindings()
    ]
    ALLOW_SELECT = False

    class CursorMoved(Message):
        """Another row is under the cursor; `key` is None where there is no row."""

        def __init__(self, table: LineTable, key: Hashable | None) -> None:
            super().__init__()
            self.table, self.key = table, key

        @property
        def control(self) -> LineTable:
            """The table it comes from."""
            return self.table

    class Activated(CursorMoved):
        """Enter or a double click on a row."""

    class HeaderClicked(Message):
        """A click on the head of a column that can be sorted by."""

        def __init__(self, table: LineTable, column: str) -> None:
            super().__init__()
            self.table, self.column = table, column

        @property
        def control(self) -> LineTable:
            """The table it comes from."""
            return self.table

    class MarksChanged(Message):
        """Rows were marked, unmarked, or went away while they were marked."""

        def __init__(self, table: LineTable, marked: frozenset[Hashable]) -> None:
            super().__init__()
            self.table, self.marked = table, marked

        @property
        def control(self) -> LineTable:
            """The table it comes from."""
            return self.table

    class VisibleChanged(Message):
        """Other rows are on screen now."""

        def __init__(self, table: LineTable, keys: tuple[Hashable, ...]) -> None:
            super().__init__()
            self.table, self.keys = table, keys

        @property
        def control(self) -> LineTable:
            """The table it comes from."""
            return self.table

    def __init__(
        self,
        columns: Sequence[Column] = (),
        *,
        source: Callable[[Hashable], Row | None] | None = None,
        glyphs: Glyphs = UNICODE,
        name: str | None = None,
        id: str | None = None,  # noqa: A002  (Textual's own name for it)
        classes: str | None = None,
    ) -> None:
        """A table without rows. `source` is asked for a row that comes on screen and was never given."""
        super().__init__(name=name, id=id, classes=classes)
        self.source = source
        self._glyphs = glyphs
        self._columns = tuple(columns)
        self._slots: tuple[layout.Slot, ...] = ()
        self._order: list[Hashable] = []
        self._index: dict[Hashable, int] = {}
        self._rows: dict[Hashable, Row] = {}
        self._cursor: Hashable | None = None
        self._touched = False
        self._marked: set[Hashable] = set()
        self._mark_anchor: Hashable | None = None
        self._sorted: tuple[str, bool] = ("", False)
        self._empty: tuple[Line, ...] = ()
        self._strips: dict[Hashable, tuple[Painted, Strip]] = {}
        self._painted: list[Painted] = []
        self._visible: tuple[Hashable, ...] = ()
        self._styles: Styles | None = None

    # -- what it is given ----------------------------------------------------------------------------------------------

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Show these columns; rows given before have to be given again if their cells differ."""
        if self._columns == tuple(columns):
            return
        self._columns = tuple(columns)
        self._lay_out()
        self.refresh()

    def set_sort(self, column: str, *, descending: bool = False) -> None:
        """Say in the header which column the rows are sorted by; empty: none."""
        if self._sorted != (column, descending):
            self._sorted = (column, descending)
            self._refresh_view_lines(0, 1)

    def set_empty(self, lines: Sequence[Line]) -> None:
        """What stands in the middle while there are no rows."""
        if self._empty != tuple(lines):
            self._empty = tuple(lines)
            if not self._order:
                self.refresh()

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show exactly these rows, in this order. Keys are unique."""
        self._rows = {row.key: row for row in rows}
        self._set_order([row.key for row in rows])

    def update_rows(self, changed: Mapping[Hashable, Row], order: Sequence[Hashable] | None = None) -> None:
        """Take over rows that changed, and where they stand if that changed.

        `order` names all keys that are shown; what is not in it goes. Without it, rows that are new come last. A key
        whose row was never given is asked of `source` when it comes on screen, and is blank until then.
        """
        if order is None:
            new = [key for key in changed if key not in self._index]
            self._rows.update(changed)
            if not new:
                self._settle()
                return
            order = [*self._order, *new]
        else:
            self._rows.update(changed)
        self._set_order(list(order))

    def forget_rows(self, keys: Iterable[Hashable] | None = None) -> None:
        """Drop what is known of rows (all of them without `keys`): those on screen are asked of `source` again."""
        if keys is None:
            self._rows.clear()
        else:
            for key in keys:
                self._rows.pop(key, None)
        self._settle()

    def clear(self) -> None:
        """No rows, no marks, and a cursor that was never moved."""
        self._cursor, self._touched, self._mark_anchor = None, False, None
        self.set_rows(())

    # -- what it knows -------------------------------------------------------------------------------------------------

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return len(self._order)

    @property
    def cursor_key(self) -> Hashable | None:
        """The key of the row under the cursor; None where there is no row."""
        return self._cursor

    @property
    def marked(self) -> set[Hashable]:
        """The keys of the marked rows: always of rows that are there."""
        return set(self._marked)

    def row(self, key: Hashable) -> Row | None:
        """The row of that key as last given."""
        return self._rows.get(key)

    def visible_keys(self) -> tuple[Hashable, ...]:
        """The keys of the rows on screen, from top to bottom; none while the table is not shown."""
        return tuple(self._order[self._top : self._top + self._lines])

    def move_to(self, key: Hashable) -> bool:
        """Put the cursor on that row; False where there is no such row."""
        if key not in self._index:
            return False
        self._put_cursor(self._index[key])
        return True

    def mark(self, keys: Iterable[Hashable]) -> None:
        """Mark exactly these rows; keys that are not there are left out."""
        self._set_marks({key for key in keys if key in self._index})

    def clear_marks(self) -> None:
        """Mark nothing."""
        self._set_marks(set())

    # -- order, cursor, scrolling --------------------------------------------------------------------------------------

    @property
    def _top(self) -> int:
        return round(self.scroll_y)

    @property
    def _lines(self) -> int:
        """Lines for rows: all but the header."""
        return max(0, self.scrollable_content_region.height - 1)

    def _set_order(self, order: list[Hashable]) -> None:
        before, top = self._index, self._top
        anchor = self._anchor(top)
        offset = before[anchor] - top if anchor is not None else 0
        fallback = before.get(self._cursor, 0) if self._cursor is not None else 0
        self._order = order
        self._index = {key: place for place, key in enumerate(order)}
        if len(self._rows) > len(order):
            self._rows = {key: row for key, row in self._rows.items() if key in self._index}
        moved = self._keep_cursor(fallback)
        self.virtual_size = Size(1, len(order) + 1)
        self._keep_in_place(anchor, offset, top)
        self._drop_marks()
        self._settle()
        if moved:
            self.post_message(self.CursorMoved(self, self._cursor))

    def _anchor(self, top: int) -> Hashable | None:
        """The row whose line on screen is to stay: the cursor's, or the first in view if the cursor is out of view."""
        place = self._index.get(self._cursor, -1) if self._cursor is not None else -1
        if top <= place < top + self._lines:
            return self._cursor
        return self._order[top] if top < len(self._order) else None

    def _keep_cursor(self, fallback: int) -> bool:
        """Hold on to the cursor's row, else to its place; whether another row is under it."""
        before = self._cursor
        if not self._order:
            self._cursor = None
        elif not self._touched:
            self._cursor = self._order[0]
        elif self._cursor not in self._index:
            self._cursor = self._order[min(fallback, len(self._order) - 1)]
        return self._cursor != before

    def _keep_in_place(self, anchor: Hashable | None, offset: int, top: int) -> None:
        """Scroll so that the anchor keeps its line. At the very top stay there: what comes in above is the worst."""
        if not self._lines:
            return
        wanted = top
        if not self._touched:
            wanted = 0
        elif anchor is not None and anchor in self._index:
            place = self._index[anchor]
            if top > 0 or place >= self._lines:
                wanted = place - offset
        self._scroll_rows(wanted)

    def _scroll_rows(self, top: int) -> None:
        top = max(0, min(top, len(self._order) - self._lines))
        if top != self._top:
            # Set, not scroll_to(): the lines drawn next must already know it, and nothing is animated.
            self.scroll_target_y = self.scroll_y = top

    def _put_cursor(self, place: int) -> None:
        if not self._order:
            return
        self._touched = True
        place = max(0, min(place, len(self._order) - 1))
        key = self._order[place]
        moved = key != self._cursor
        self._cursor = key
        if self._lines:
            if place < self._top:
                self._scroll_rows(place)
            elif place >= self._top + self._lines:
                self._scroll_rows(place - self._lines + 1)
        self._settle()
        if moved:
            self.post_message(self.CursorMoved(self, key))

    def _cursor_place(self) -> int:
        return self._index.get(self._cursor, 0) if self._cursor is not None else 0

    # -- marks ---------------------------------------------------------------------------------------------------------

    def _set_marks(self, marks: set[Hashable]) -> None:
        if marks != self._marked:
            self._marked = marks
            self._settle()
            self.post_message(self.MarksChanged(self, frozenset(marks)))

    def _drop_marks(self) -> None:
        if self._marked and not self._marked <= self._index.keys():
            self._marked &= self._index.keys()
            self.post_message(self.MarksChanged(self, frozenset(self._marked)))

    # -- drawing -------------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Ask for a repaint of exactly the lines that look other than they were last painted."""
        if not self.is_mounted:
            return
        now = self._look()
        before = self._painted
        self._painted = now
        for line, look in enumerate(now):
            if line >= len(before) or not _alike(before[line], look):
                self._refresh_view_lines(line + 1, 1)
        self._tell_visible()

    def _look(self) -> list[Painted]:
        top = self._top
        keys = self._order[top : top + self._lines]
        looks: list[Painted] = [self._look_of(key) for key in keys]
        looks += [(None, _ELSEWHERE, False)] * (self._lines - len(keys))
        return looks

    def _look_of(self, key: Hashable) -> Painted:
        cursor = _ELSEWHERE if key != self._cursor else _UNDER if self.has_focus else _BLURRED
        return self._row(key), cursor, key in self._marked

    def _row(self, key: Hashable) -> Row | None:
        row = self._rows.get(key)
        if row is None and self.source is not None:
            row = self.source(key)
            if row is not None:
                self._rows[key] = row
        return row

    def _refresh_view_lines(self, line: int, count: int) -> None:
        self.refresh(Region(0, line, max(1, self.size.width), count))

    def _tell_visible(self) -> None:
        visible = self.visible_keys()
        if visible != self._visible:
            self._visible = visible
            self.post_message(self.VisibleChanged(self, visible))

    def _lay_out(self) -> None:
        self._slots = layout.fit(self._columns, self.scrollable_content_region.width)
        self._strips.clear()
        self._painted = []

    def on_mount(self) -> None:
        """Follow the theme."""
        self.app.theme_changed_signal.subscribe(self, self._restyle)
        self._lay_out()

    def _restyle(self, _theme: object) -> None:
        self._styles = None
        self._strips.clear()
        self.refresh()

    def notify_style_update(self) -> None:
        """The style sheet gives other colours: every strip is drawn again."""
        super().notify_style_update()
        self._strips.clear()

    def on_resize(self, _event: events.Resize) -> None:
        """Lay the columns out anew, and keep the cursor in view if it was."""
        self._lay_out()
        place = self._cursor_place()
        if self._lines and self._touched and not self._top <= place < self._top + self._lines:
            self._scroll_rows(place if place < self._top else place - self._lines + 1)
        self._scroll_rows(self._top)
        self.refresh()
        self._settle()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Draw the lines that came into view."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._painted = self._look()
            self._tell_visible()

    def watch_has_focus(self, has_focus: bool) -> None:
        """The cursor looks different where keys go elsewhere."""
        super().watch_has_focus(has_focus)
        self._settle()

    def _roles(self) -> Styles:
        if self._styles is None:
            self._styles = styles_of(self.app)
        return self._styles

    def render_line(self, y: int) -> Strip:
        """The line `y` of the widget: the header, a row, or nothing."""
        width = self.scrollable_content_region.width
        if not self._slots:
            self._lay_out()
        if y == 0:
            return self._header(width)
        place = self._top + y - 1
        if place >= len(self._order):
            return self._blank(y, width)
        key = self._order[place]
        look = self._look_of(key)
        cached = self._strips.get(key)
        if cached is not None and _alike(cached[0], look) and cached[1].cell_length == width:
            return cached[1]
        strip = self._draw(look, width)
        if len(self._strips) >= _CACHED:
            self._strips.clear()
        self._strips[key] = (look, strip)
        return strip

    def _blank(self, y: int, width: int) -> Strip:
        lines = self._empty if not self._order else ()
        line = y - 1 - max(0, (self._lines - len(lines)) // 3)
        if 0 <= line < len(lines):
            left = max(0, (width - paint.line_width(lines[line])) // 2)
            line_cells = (Cell(" " * left), *lines[line])
            return paint.strip(line_cells, width, self._roles(), self.rich_style, self._glyphs)
        return Strip.blank(width, self.rich_style)

    def _header(self, width: int) -> Strip:
        roles, glyphs = self._roles(), self._glyphs
        plain = self.rich_style + roles["head"]
        sorted_style = self.rich_style + roles["head-sorted"]
        drawn, x = [], 0
        for slot in self._slots:
            column = self._columns[slot.index]
            title, style, begin, size = column.title, plain, slot.x, slot.width
            if column.id == self._sorted[0]:
                # The arrow stands in the gap where it can, so that it costs the title nothing.
                title += glyphs.sorted_down if self._sorted[1] else glyphs.sorted_up
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

    def _draw(self, look: Painted, width: int) -> Strip:
        row, cursor, marked = look
        roles = self._roles()
        over = Style.null()
        if cursor:
            over = roles["cursor" if cursor == _UNDER else "cursor-blurred"]
        elif marked:
            over = roles["marked"]
        if over.reverse:
            # Reversed text keeps no colour of its own: on a 16-colour terminal nobody knows what it would be read on.
            roles = _NO_ROLES
        base = self.rich_style
        if row is not None:
            base += roles.get(row.style, paint.NULL)
        if row is None:
            drawn = [Segment(" " * width, base)]
        elif row.span is not None:
            whole = base + roles.get(row.span.style, paint.NULL)
            line = (Cell(self._gutter(marked)), row.span)
            drawn = list(paint.strip(line, width, roles, whole, self._glyphs))
        else:
            drawn = self._row_segments(row, marked, roles, base, width)
        return Strip([Segment(text, (style or paint.NULL) + over) for text, style, _ in drawn], width)

    def _gutter(self, marked: bool) -> str:
        return self._glyphs.mark if marked else " "

    def _row_segments(self, row: Row, marked: bool, roles: Styles, base: Style, width: int) -> list[Segment]:
        glyphs = self._glyphs
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
            cell, column = row.cells[slot.index], self._columns[slot.index]
            styles = greyed if greyed is not None else roles
            if cell.more:
                drawn += paint.strip((cell,), slot.width, styles, base, glyphs)
                continue
            style = base + styles.get(cell.style, paint.NULL)
            text = cut(paint.safe(cell.text), slot.width, column.cut, glyphs)
            drawn += _padded(text, slot.width, column.align, style, base)
        if x < width:
            drawn.append(Segment(" " * (width - x), base))
        return drawn

    # -- what a person does --------------------------------------------------------------------------------------------

    def action_move(self, lines: int) -> None:
        """Move the cursor by so many rows."""
        self._put_cursor(self._cursor_place() + lines)

    def action_page(self, pages: int) -> None:
        """Move the cursor by a screen's worth of rows."""
        self._put_cursor(self._cursor_place() + pages * max(1, self._lines - 1))

    def action_first(self) -> None:
        """Move the cursor to the first row."""
        self._put_cursor(0)

    def action_last(self) -> None:
        """Move the cursor to the last row."""
        self._put_cursor(len(self._order) - 1)

    def action_mark(self) -> None:
        """Mark the row under the cursor, or take its mark off, and move down."""
        if self._cursor is None:
            return
        self._mark_anchor = self._cursor
        self._set_marks(self._marked ^ {self._cursor})
        self.action_move(1)

    def action_mark_range(self) -> None:
        """Mark all rows from the one last marked to the one under the cursor."""
        if self._cursor is None:
            return
        here = self._cursor_place()
        there = self._index.get(self._mark_anchor, here) if self._mark_anchor is not None else here
        low, high = sorted((here, there))
        self._mark_anchor = self._cursor
        self._set_marks(self._marked | set(self._order[low : high + 1]))

    def action_activate(self) -> None:
        """Go into the row under the cursor."""
        if self._cursor is not None:
            self._touched = True
            self.post_message(self.Activated(self, self._cursor))

    def on_click(self, event: events.Click) -> None:
        """A row: put the cursor on it, or go into it with the second click. The header: sort by that column."""
        at = event.get_content_offset(self)
        if at is None:
            return
        if at.y == 0:
            index = layout.column_at(self._slots, at.x)
            if index is not None and self._columns[index].sortable:
                self.post_message(self.HeaderClicked(self, self._columns[index].id))
            return
        place = self._top + at.y - 1
        if place >= len(self._order):
            return
        again = event.chain >= 2 and self._order[place] == self._cursor
        self._put_cursor(place)
        if again:
            self.action_activate()


_NO_ROLES: Styles = {}


def _padded(text: str, width: int, align: str, style: Style, base: Style) -> list[Segment]:
    """A cell's text, and the space around it, which is not part of a badge."""
    if not (style.reverse or style.underline or style.bgcolor != base.bgcolor):
        return [Segment(pad(text, width, "right" if align == "right" else "left"), style)]
    space = Segment(" " * (width - cell_len(text)), base)
    drawn = [space, Segment(text, style)] if align == "right" else [Segment(text, style), space]
    return [segment for segment in drawn if segment.text]


def _only(roles: Styles, names: Sequence[str]) -> Styles:
    return {name: roles[name] for name in names if name in roles}


def _alike(a: Painted, b: Painted) -> bool:
    if a[1] != b[1] or a[2] != b[2]:
        return False
    row, other = a[0], b[0]
    if row is other:
        return True
    return row is not None and other is not None and row.looks_like(other)
