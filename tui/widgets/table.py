"""The table of a fleet: drawn line by line, so that a changed row costs one line and a key costs two.

The cursor is held by the row's key, not by its number: rows may move and what is under the cursor stays the same thing.
Until a person has moved it, it stays on the first row, so that the worst is under it when a fleet comes in.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ..frames.plainly import PlainStyles
from ..glyphs import UNICODE, Glyphs
from ..keymap import table_bindings
from ..rows import Column, Line, Row
from ..theme import Styles, styles_of
from .painter import BLURRED, ELSEWHERE, UNDER, Look, Painter, alike
from .rowset import RowSet
from .themed import Themed


class LineTable(Themed, ScrollView, can_focus=True):
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
        self._styles_cache = PlainStyles()
        self.source = source
        self.beyond: Callable[[bool], bool] | None = None
        """Asked before the cursor goes to the first row (False) or the last (True); true: it was seen to."""
        self._painter = Painter(columns, glyphs)
        self._set = RowSet()
        self._rows: dict[Hashable, Row] = {}
        self._sorted: tuple[str, bool] = ("", False)
        self._empty: tuple[Line, ...] = ()
        self._painted: list[Look] = []
        self._visible: tuple[Hashable, ...] = ()
        self._styles: Styles | None = None
        self._base = Style.null()
        self._room_given: tuple[Size, bool] | None = None
        self._room_kept = Size()

    # -- what it is given ----------------------------------------------------------------------------------------------

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Show these columns; rows given before have to be given again if their cells differ."""
        if self._painter.columns != tuple(columns):
            self._painter.lay_out(columns, self.scrollable_content_region.width)
            self.refresh()

    def set_sort(self, column: str, *, descending: bool = False) -> None:
        """Say in the header which column the rows are sorted by; empty: none."""
        if self._sorted != (column, descending):
            self._sorted = (column, descending)
            self._refresh_view_line(0)

    def set_empty(self, lines: Sequence[Line]) -> None:
        """What stands in the middle while there are no rows."""
        if self._empty != tuple(lines):
            self._empty = tuple(lines)
            if not self._set.order:
                self.refresh()

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show exactly these rows, in this order. Keys are unique."""
        self._rows = {row.key: row for row in rows}
        self._arrange([row.key for row in rows])

    def update_rows(self, changed: Mapping[Hashable, Row], order: Sequence[Hashable] | None = None) -> None:
        """Take over rows that changed, and where they stand if that changed.

        `order` names all keys that are shown; what is not in it goes. Without it, rows that are new come last. A key
        whose row was never given is asked of `source` when it comes on screen, and is blank until then.
        """
        self._rows.update(changed)
        if order is None:
            new = [key for key in changed if key not in self._set.index]
            if not new:
                self._settle()
                return
            order = [*self._set.order, *new]
        self._arrange(order)

    def rename_rows(self, names: Mapping[Hashable, Hashable]) -> None:
        """These keys are others from now on, of the same things. Before the order that has them is given.

        Their rows are asked for again: more of them is other than their names.
        """
        cursor = self._set.cursor
        self._set.rename(names)
        self._rows = {key: row for key, row in self._rows.items() if key not in names}
        self._tell_cursor(cursor)

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
        marked = self._set.marked
        self._set.forget()
        self.set_rows(())
        self._tell_marks(marked)

    # -- what it knows -------------------------------------------------------------------------------------------------

    @property
    def order(self) -> Sequence[Hashable]:
        """The keys of all rows, from the top."""
        return self._set.order

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return len(self._set.order)

    @property
    def cursor_key(self) -> Hashable | None:
        """The key of the row under the cursor; None where there is no row."""
        return self._set.cursor

    @property
    def marked(self) -> set[Hashable]:
        """The keys of the marked rows: always of rows that are there."""
        return set(self._set.marked)

    def row(self, key: Hashable) -> Row | None:
        """The row of that key as last given."""
        return self._rows.get(key)

    @property
    def first_visible(self) -> int:
        """The number of the first row on screen."""
        return self._top

    def visible_keys(self) -> tuple[Hashable, ...]:
        """The keys of the rows on screen, from top to bottom; none while the table is not shown."""
        return tuple(self._set.order[self._top : self._top + self._lines])

    def move_to(self, key: Hashable, *, middle: bool = False) -> bool:
        """Put the cursor on that row, in the `middle` of the screen if so wished; False where there is no such row."""
        if key not in self._set.index:
            return False
        self._put_cursor(self._set.index[key])
        if middle:
            self._scroll_rows(self._set.place() - self._lines // 2)
            self._settle()
        return True

    def mark(self, keys: Iterable[Hashable]) -> None:
        """Mark exactly these rows; keys that are not there are left out."""
        before = self._set.marked
        self._set.mark_only(keys)
        self._tell_marks(before)

    def clear_marks(self) -> None:
        """Mark nothing."""
        self.mark(())

    # -- order, cursor, scrolling --------------------------------------------------------------------------------------

    @property
    def _top(self) -> int:
        return round(self.scroll_y)

    @property
    def _room(self) -> Size:
        """Lines and columns within the scroll bar. Kept: to ask for it costs as much as to draw a line."""
        given = (self.outer_size, self.show_vertical_scrollbar)
        if given != self._room_given:
            self._room_given, self._room_kept = given, self.scrollable_content_region.size
        return self._room_kept

    @property
    def _lines(self) -> int:
        """Lines for rows: all but the header."""
        return max(0, self._room.height - 1)

    def _arrange(self, order: Sequence[Hashable]) -> None:
        cursor, marked = self._set.cursor, set(self._set.marked)
        top = self._set.arrange(order, self._top, self._lines)
        if len(self._rows) > len(self._set.order):
            self._rows = {key: row for key, row in self._rows.items() if key in self._set.index}
        self.virtual_size = Size(1, len(self._set.order) + 1)
        if self._lines:
            self._scroll_rows(top)
        self._settle()
        self._tell_marks(marked)
        self._tell_cursor(cursor)

    def _scroll_rows(self, top: int) -> None:
        top = max(0, min(top, len(self._set.order) - self._lines))
        if top != self._top:
            # Set, not scroll_to(): the lines drawn next must already know it, and nothing is animated.
            self.scroll_target_y = self.scroll_y = top

    def _show_cursor(self) -> None:
        place = self._set.place()
        if not self._lines:
            return
        if place < self._top:
            self._scroll_rows(place)
        elif place >= self._top + self._lines:
            self._scroll_rows(place - self._lines + 1)

    def _put_cursor(self, place: int) -> None:
        cursor = self._set.cursor
        self._set.put_cursor(place)
        self._show_cursor()
        self._settle()
        self._tell_cursor(cursor)

    def _tell_cursor(self, before: Hashable | None) -> None:
        if self._set.cursor != before:
            self.post_message(self.CursorMoved(self, self._set.cursor))

    def _tell_marks(self, before: set[Hashable]) -> None:
        if self._set.marked != before:
            self._settle()
            self.post_message(self.MarksChanged(self, frozenset(self._set.marked)))

    def _tell_visible(self) -> None:
        visible = self.visible_keys()
        if visible != self._visible:
            self._visible = visible
            self.post_message(self.VisibleChanged(self, visible))

    # -- drawing -------------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Ask for a repaint of exactly the lines that look other than they were last painted."""
        if not self.is_mounted:
            return
        now, before = self._looks(), self._painted
        self._painted = now
        for line, look in enumerate(now):
            if line >= len(before) or not alike(before[line], look):
                self._refresh_view_line(line + 1)
        self._tell_visible()

    def _looks(self) -> list[Look]:
        keys = self.visible_keys()
        blank: Look = (None, ELSEWHERE, False)
        return [self._look(key) for key in keys] + [blank] * (self._lines - len(keys))

    def _look(self, key: Hashable) -> Look:
        cursor = ELSEWHERE if key != self._set.cursor else UNDER if self.has_focus else BLURRED
        return self._row(key), cursor, key in self._set.marked

    def _row(self, key: Hashable) -> Row | None:
        row = self._rows.get(key)
        if row is None and self.source is not None:
            row = self.source(key)
            if row is not None:
                self._rows[key] = row
        return row

    def _refresh_view_line(self, line: int) -> None:
        self.refresh(Region(0, line, max(1, self.size.width), 1))

    def _restyle(self, _theme: object) -> None:
        self._styles = None
        self.refresh()

    def on_resize(self, _event: events.Resize) -> None:
        """Lay the columns out anew, with the cursor in view."""
        if self._set.touched:
            self._show_cursor()
        self._scroll_rows(self._top)
        self.refresh()
        self._settle()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Draw the lines that came into view."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._painted = self._looks()
            self._tell_visible()

    def watch_has_focus(self, has_focus: bool) -> None:
        """The cursor looks different where keys go elsewhere."""
        super().watch_has_focus(has_focus)
        self._settle()

    def render_line(self, y: int) -> Strip:
        """The line `y` of the widget: the header, a row, or nothing."""
        if self._styles is None:
            # `rich_style` walks all ancestors: asked for once, since it only changes with the theme.
            self._styles, self._base = styles_of(self.app), self.rich_style
        painter = self._painter
        painter.lay_out(painter.columns, self._room.width)
        painter.dress(self._styles, self._base)
        if y == 0:
            return painter.header(self._sorted[0], descending=self._sorted[1])
        place = self._top + y - 1
        if place < len(self._set.order):
            key = self._set.order[place]
            return painter.line(key, self._look(key))
        lines = self._empty if not self._set.order else ()
        line = y - 1 - max(0, (self._lines - len(lines)) // 3)
        return painter.words(lines[line]) if 0 <= line < len(lines) else painter.blank()

    # -- what a person does --------------------------------------------------------------------------------------------

    def action_move(self, lines: int) -> None:
        """Move the cursor by so many rows."""
        self._put_cursor(self._set.place() + lines)

    def action_page(self, pages: int) -> None:
        """Move the cursor by a screen's worth of rows."""
        self._put_cursor(self._set.place() + pages * max(1, self._lines - 1))

    def action_first(self) -> None:
        """Move the cursor to the first row."""
        if self.beyond is None or not self.beyond(False):
            self._put_cursor(0)

    def action_last(self) -> None:
        """Move the cursor to the last row."""
        if self.beyond is None or not self.beyond(True):
            self._put_cursor(self.row_count - 1)

    def action_mark(self) -> None:
        """Mark the row under the cursor, or take its mark off, and move down."""
        before = self._set.marked
        self._set.turn_mark()
        self._tell_marks(before)
        self.action_move(1)

    def action_mark_range(self) -> None:
        """Mark all rows from the one last marked to the one under the cursor."""
        before = self._set.marked
        self._set.mark_range()
        self._tell_marks(before)

    def action_activate(self) -> None:
        """Go into the row under the cursor."""
        if self._set.cursor is not None:
            self._set.touched = True
            self.post_message(self.Activated(self, self._set.cursor))

    def on_click(self, event: events.Click) -> None:
        """A row: put the cursor on it, or go into it with the second click. The header: sort by that column."""
        at = event.get_content_offset(self)
        if at is None:
            return
        if at.y == 0:
            column = self._painter.column_at(at.x)
            if column is not None and column.sortable:
                self.post_message(self.HeaderClicked(self, column.id))
            return
        place = self._top + at.y - 1
        if place >= self.row_count:
            return
        again = event.chain >= 2 and self._set.order[place] == self._set.cursor
        self._put_cursor(place)
        if again:
            self.action_activate()
