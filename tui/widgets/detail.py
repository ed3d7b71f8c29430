"""The pane of one thing, beside the table or over the whole screen: lines that scroll."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ..frames.plainly import PlainStyles
from ..glyphs import UNICODE, Glyphs
from ..rows import Line
from ..theme import Styles, styles_of
from . import paint
from .lines import indent_of
from .themed import Themed


class Detail(Themed, ScrollView, can_focus=True):
    """A pane of lines that scrolls: all of one thing."""

    DEFAULT_CSS = """
    Detail { overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; height: 1fr; padding: 0 1; }
    """
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_lines(-1)", show=False, id="move.up"),
        Binding("down,j", "scroll_lines(1)", show=False, id="move.down"),
        Binding("pageup", "scroll_pages(-1)", show=False, id="move.page-up"),
        Binding("pagedown", "scroll_pages(1)", show=False, id="move.page-down"),
        Binding("g,home", "scroll_first", show=False, id="move.first"),
        Binding("G,end", "scroll_last", show=False, id="move.last"),
    ]

    def __init__(
        self,
        given: Sequence[Line] = (),
        *,
        glyphs: Glyphs = UNICODE,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """These lines."""
        super().__init__(id=id, classes=classes)
        self._styles_cache = PlainStyles()
        self._glyphs = glyphs
        self._given = tuple(given)
        self._wrapped: tuple[Line, ...] = ()
        self._broken: list[tuple[Line, Sequence[Line]]] = []
        """Each given line, and what it was broken into."""
        self._broken_at = -1
        self._starts: list[int] = []
        """For each given line, where it begins among the broken ones."""
        self._sought = ""
        self._styles: Styles | None = None
        self._base = Style.null()

    def set_lines(self, given: Sequence[Line], *, keep_place: bool = True) -> None:
        """Other lines; nothing is drawn where they are the same. `keep_place` False: begin at the top again."""
        if not keep_place:
            self._go_to(0)
        if tuple(given) == self._given:
            return
        self._given = tuple(given)
        self._wrap()

    @property
    def shown(self) -> tuple[Line, ...]:
        """All lines as they are broken now."""
        return self._wrapped

    def _wrap(self) -> None:
        width = self.scrollable_content_region.width
        before, top = self._wrapped, round(self.scroll_y)
        wrapped: list[Line] = []
        self._starts = []
        self._break(width)
        for _line, parts in self._broken:
            self._starts.append(len(wrapped))
            wrapped += parts
        self._wrapped = tuple(wrapped)
        # Never less than what is in view: as long as all fits, other lines lay nothing out anew.
        self.virtual_size = Size(1, max(len(self._wrapped), self.scrollable_content_region.height))
        if round(self.scroll_y) != top:
            self.refresh()
            return
        for y in range(top, top + self.size.height):
            if before[y : y + 1] != self._wrapped[y : y + 1]:
                self.refresh_line(y)

    def _break(self, width: int) -> None:
        """Break the lines that are not as they were: of the details of a row one or two are other a second later."""
        before = self._broken if width == self._broken_at else []
        self._broken_at = width
        self._broken = [
            before[number]
            if number < len(before) and before[number][0] == line
            else (line, paint.wrap(line, width, indent_of(line)) if width > 0 else ())
            for number, line in enumerate(self._given)
        ]

    def _restyle(self, _theme: object) -> None:
        self._styles = None
        self.refresh()

    def on_resize(self, _event: events.Resize) -> None:
        """Break the lines anew."""
        self._wrap()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line `y` of what is in view."""
        width = self.scrollable_content_region.width
        at = round(self.scroll_y) + y
        if self._styles is None:
            # `rich_style` walks all ancestors: asked for once, since it only changes with the theme.
            self._styles, self._base = styles_of(self.app), self.rich_style
        if at >= len(self._wrapped):
            return Strip.blank(width, self._base)
        line = paint.marked(self._wrapped[at], self._sought) if self._sought else self._wrapped[at]
        return paint.strip(line, width, self._styles, self._base, self._glyphs)

    def seek(self, words: str) -> None:
        """Underline these words wherever they stand, in any case; empty: nothing any more."""
        if words != self._sought:
            self._sought = words
            self.refresh()

    def show_line(self, number: int) -> None:
        """Scroll so that the given line of that number is in view, with some of what stands before it."""
        if number < len(self._starts):
            self._go_to(self._starts[number] - self.scrollable_content_region.height // 3)

    def _go_to(self, top: float) -> None:
        self.scroll_to(y=max(0, min(top, self.max_scroll_y)), animate=False, force=True)

    def action_scroll_lines(self, lines: int) -> None:
        """Scroll by so many lines."""
        self._go_to(self.scroll_y + lines)

    def action_scroll_pages(self, pages: int) -> None:
        """Scroll by so many screens."""
        self._go_to(self.scroll_y + pages * max(1, self.scrollable_content_region.height - 1))

    def action_scroll_first(self) -> None:
        """Scroll to the first line."""
        self._go_to(0)

    def action_scroll_last(self) -> None:
        """Scroll to the last line."""
        self._go_to(self.max_scroll_y)
