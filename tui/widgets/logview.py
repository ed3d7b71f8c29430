"""The lines of a log on the screen: only those in view are drawn, however many are kept and however fast they come."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import msgspec
from fleettop.collectors.errors import ConfigError
from fleettop.collectors.logs import Ring
from fleettop.collectors.logs.search import Search
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from ..glyphs import UNICODE, Glyphs
from ..keymap import table_bindings
from ..theme import Styles, styles_of
from .loglines import WIDEST_NAME, LinePainter, LogOptions
from .themed import Themed

CONTEXTS = (0, 2, 5, 10)
SHIFT = 20
KEPT_STRIPS = 600
WHEEL = 3


class LogView(Themed, Widget, can_focus=True):
    """Lines with a cursor. It stays at the newest one (`autoscroll`) until it is moved up.

    The view holds on to the numbers of lines and not to places on a page: how many rows a line takes is only worked out
    for lines in view.
    """

    DEFAULT_CSS = "LogView { height: 1fr; width: 1fr; }"
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(keys, action, show=False, id=name)
        for name, keys, action in table_bindings()
        if name.startswith("move.")
    ]

    class Moved(Message):
        """The cursor, or whether it stays at the end, is another."""

    def __init__(
        self,
        ring: Ring,
        name_of: Callable[[int], str],
        pressed: Callable[[], None],
        *,
        glyphs: Glyphs = UNICODE,
        id: str | None = None,  # noqa: A002  (Textual's own name for it)
    ) -> None:
        super().__init__(id=id)
        self._pressed = pressed
        """Told of each key and turn of the wheel, before what it does."""
        self.ring = ring
        self.cursor: int | None = None
        """The number of the line under the cursor."""
        self.autoscroll = True
        self.marks: set[int] = set()
        self.search: Search | None = None
        self.only_found = False
        self._painter = LinePainter(name_of, glyphs)
        self._top = (0, 0)
        """The line at the top, and its first row that is in view."""
        self._turned: set[int] = set()
        self._strips: dict[int, tuple[Strip, ...]] = {}
        self._page: list[tuple[int, int]] | None = None
        self._styles: Styles | None = None
        self._cursor_style = Style.null()

    # -- what it is told

    @property
    def options(self) -> LogOptions:
        """How lines are shown."""
        return self._painter.options

    def show(self, **changes: object) -> None:
        """Show them otherwise."""
        self._painter.options = msgspec.structs.replace(self.options, **changes)
        self._renew()

    def set_names(self, width: int) -> None:
        """So many cells for names; 0: none."""
        width = min(width, WIDEST_NAME if self.size.width >= 100 else 12)
        if width != self._painter.names:
            self._painter.names = width
            self._renew()

    def restart(self, ring: Ring) -> None:
        """Other lines from the beginning."""
        self.ring = ring
        self.cursor, self.autoscroll, self._top = None, True, (0, 0)
        self.marks.clear()
        self._turned.clear()
        self._renew()

    def find(self, search: Search | None) -> None:
        """Show where that is found."""
        self.search = search
        self._painter.finder = search.finder if search is not None else None
        self.only_found = self.only_found and search is not None
        self._renew()

    def lines_came(self) -> None:
        """The ring has other lines than before."""
        if self.autoscroll:
            self.cursor = self._before(self.ring.end)
        elif self.cursor is None or self.cursor < self.ring.first:
            self.cursor = self._after(self.ring.first - 1)
        first = self.ring.first
        if self.marks and min(self.marks) < first:
            self.marks = {number for number in self.marks if number >= first}
        page, self._page = self._page, None
        if page != self.page:
            self.refresh()

    def set_only_found(self, on: bool) -> None:
        """Only lines in which it is found and those around them, or all."""
        self.only_found = on and self.search is not None
        if self.cursor is not None and not self.autoscroll:
            self._put(self._nearest(self.cursor))
        self._renew()

    def _renew(self) -> None:
        self._strips.clear()
        self._page = None
        if self.autoscroll:
            self.cursor = self._before(self.ring.end)
        self.refresh()

    # -- the lines that are shown

    def _after(self, number: int) -> int | None:
        if self.only_found and self.search is not None:
            return self.search.after(number)
        following = max(number + 1, self.ring.first)
        return following if following < self.ring.end else None

    def _before(self, number: int) -> int | None:
        if self.only_found and self.search is not None:
            return self.search.before(number)
        previous = min(number, self.ring.end) - 1
        return previous if previous >= self.ring.first else None

    def _nearest(self, number: int) -> int | None:
        at = self._after(number - 1)
        return at if at is not None else self._before(number + 1)

    def _rows(self, number: int) -> tuple[Strip, ...]:
        strips = self._strips.get(number)
        if strips is None:
            marked, turned = number in self.marks, number in self._turned
            try:
                strips = self._painter.strips(self.ring[number], marked=marked, turned=turned)
            except ConfigError:  # the expression takes too long on this line: whoever searches says so
                self._painter.finder = None
                strips = self._painter.strips(self.ring[number], marked=marked, turned=turned)
            if len(self._strips) >= KEPT_STRIPS:
                self._strips.clear()
            self._strips[number] = strips
        return strips

    # -- the page

    @property
    def page(self) -> list[tuple[int, int]]:
        """What stands in each row of the screen: the number of a line, and which of its rows."""
        if self._page is None:
            self._page = self._from_end() if self.autoscroll else self._from_top()
        return self._page

    def _from_end(self) -> list[tuple[int, int]]:
        rows: list[tuple[int, int]] = []
        number = self._before(self.ring.end)
        while number is not None and len(rows) < self.size.height:
            rows += [(number, row) for row in range(len(self._rows(number)) - 1, -1, -1)]
            number = self._before(number)
        del rows[self.size.height :]
        rows.reverse()
        if rows:
            self._top = rows[0]
        return rows

    def _from_top(self) -> list[tuple[int, int]]:
        number, skipped = self._nearest(self._top[0]), self._top[1]
        if number != self._top[0]:
            skipped = 0
        rows: list[tuple[int, int]] = []
        while number is not None and len(rows) < self.size.height:
            rows += [(number, row) for row in range(skipped, len(self._rows(number)))]
            skipped = 0
            number = self._after(number)
        if len(rows) < self.size.height:
            return self._from_end()
        del rows[self.size.height :]
        if rows:
            self._top = rows[0]
        return rows

    def _show_cursor(self) -> None:
        """Move the page so far that the cursor is on it."""
        self._page = None
        if self.cursor is None or self.autoscroll or not self.size.height:
            return
        page = self.page
        numbers = [number for number, _ in page]
        if not numbers:
            return
        if self.cursor < numbers[0] or (self.cursor == numbers[0] and page[0][1]):
            self._top = (self.cursor, 0)
        elif self.cursor > numbers[-1] or (self.cursor == numbers[-1] and self.cursor != numbers[0]):
            left = self.size.height - len(self._rows(self.cursor))
            top, number = (self.cursor, 0), self._before(self.cursor)
            while number is not None and left > 0:
                count = len(self._rows(number))
                top = (number, max(0, count - left))
                left -= count
                number = self._before(number)
            self._top = top
        self._page = None

    def _put(self, number: int | None, *, autoscroll: bool = False) -> None:
        if number is None:
            return
        self.cursor, self.autoscroll = number, autoscroll
        self._show_cursor()
        self.refresh()
        self.post_message(self.Moved())

    # -- drawing

    def _restyle(self, _theme: object) -> None:
        self._styles = None
        self._renew()

    def on_resize(self, _event: events.Resize) -> None:
        """Lay the page out anew."""
        self._painter.width = self.size.width
        self._renew()
        self._show_cursor()

    def watch_has_focus(self, has_focus: bool) -> None:
        """The cursor looks different where keys go elsewhere."""
        super().watch_has_focus(has_focus)
        self._styles = None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The row `y`."""
        if self._styles is None:
            self._styles = styles_of(self.app)
            self._cursor_style = self._styles["cursor" if self.has_focus else "cursor-blurred"]
            self._painter.dress(self._styles, self.rich_style)
            self._strips.clear()
        page = self.page
        if y >= len(page):
            return Strip.blank(self.size.width, self.rich_style)
        number, row = page[y]
        if number < self.ring.first or number >= self.ring.end:
            return Strip.blank(self.size.width, self.rich_style)
        strip = self._rows(number)[row]
        if number != self.cursor:
            return strip
        return Strip(Segment.apply_style(strip, post_style=self._cursor_style), strip.cell_length)

    # -- what a person does

    def action_move(self, lines: int) -> None:
        """Move the cursor by so many lines."""
        number = self.cursor
        step = self._after if lines > 0 else self._before
        for _ in range(abs(lines)):
            following = step(number) if number is not None else None
            if following is None:
                break
            number = following
        at_end = number is not None and self._after(number) is None
        self._put(number, autoscroll=self.autoscroll and at_end)

    def action_page(self, pages: int) -> None:
        """Move the cursor by a screen's worth of rows."""
        shown = len({number for number, _ in self.page})
        self.action_move(pages * max(1, shown - 1))

    def action_first(self) -> None:
        """To the oldest line."""
        self._put(self._after(self.ring.first - 1))

    def action_last(self) -> None:
        """To the newest line, and stay there."""
        self._put(self._before(self.ring.end), autoscroll=True)

    def set_autoscroll(self, on: bool) -> None:
        """Stay at the newest line, or stand still."""
        self.autoscroll = on
        if on:
            self.action_last()
        else:
            self._put(self.cursor)
        self.post_message(self.Moved())

    def go_to(self, number: int | None) -> bool:
        """Put the cursor there; False where there is nothing."""
        self._put(number)
        return number is not None

    def mark(self) -> None:
        """Mark the line under the cursor, or take its mark off."""
        if self.cursor is not None:
            self.marks ^= {self.cursor}
            self._strips.pop(self.cursor, None)
            self.refresh()

    def fold(self) -> None:
        """Fold the JSON of the line under the cursor the other way."""
        if self.cursor is not None:
            self._turned ^= {self.cursor}
            self._strips.pop(self.cursor, None)
            self._show_cursor()
            self.refresh()

    def shift(self, by: int) -> None:
        """Move lines that are cut to the left or the right."""
        self.show(shift=max(0, self.options.shift + by * SHIFT))

    def on_key(self, _event: events.Key) -> None:
        """What a key does comes before the lines."""
        self._pressed()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on a line; the second click folds it."""
        at = event.get_content_offset(self)
        if at is None or at.y >= len(self.page):
            return
        number = self.page[at.y][0]
        if event.chain >= 2 and number == self.cursor:
            self.fold()
        else:
            self._put(number)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """A few lines up."""
        self._pressed()
        event.stop()
        self.action_move(-WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """A few lines down."""
        self._pressed()
        event.stop()
        self.action_move(WHEEL)
