"""Widgets that draw lines of cells in the roles of the theme."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from ..frames.plainly import PlainStyles
from ..glyphs import UNICODE, Glyphs
from ..rows import Line
from ..theme import Styles, styles_of
from . import paint
from .themed import Themed


def indent_of(line: Line) -> int:
    """Where a line is broken, how far in the rest of it stands.

    As far as its words do; behind a sign or a label (a first cell that ends in two spaces) under what follows it.
    """
    text = line[0].text if line else ""
    size = cell_len(text)
    if len(line) > 1 and text.strip() and (text.endswith("  ") or (size <= 2 and text.endswith(" "))):
        return size
    return len(text) - len(text.lstrip(" "))


class Painted(Themed, Widget):
    """A widget whose lines are cells. What derives from it says what they are for a width."""

    ALLOW_SELECT = False

    def __init__(
        self,
        *,
        glyphs: Glyphs = UNICODE,
        id: str | None = None,  # noqa: A002  (Textual's own name for it)
        classes: str | None = None,
    ) -> None:
        """A widget that draws with these signs."""
        super().__init__(id=id, classes=classes)
        self._styles_cache = PlainStyles()
        self._glyphs = glyphs
        self._drawn: tuple[int, tuple[Line, ...]] | None = None

    def lines(self, width: int) -> Sequence[Line]:
        """The lines as they are in that width."""
        raise NotImplementedError

    def renew(self, *, layout: bool = False) -> None:
        """What is drawn changed; `layout`: perhaps its height as well."""
        self._drawn = None
        if layout or not self.content_size:
            self.refresh(layout=layout)
        else:  # its lines and not the widget whole: how it looks is found out once
            self.refresh(self.content_size.region)

    @property
    def roles(self) -> Styles:
        """The styles of the roles as the app is drawn now."""
        return styles_of(self.app)

    def _lines(self, width: int) -> tuple[Line, ...]:
        if self._drawn is None or self._drawn[0] != width:
            self._drawn = (width, tuple(self.lines(width)))
        return self._drawn[1]

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """As wide as its widest line, where it may choose."""
        return max((paint.line_width(line) for line in self._lines(container.width)), default=0)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as there are."""
        return len(self._lines(width))

    def _restyle(self, _theme: object) -> None:
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line `y`."""
        width = self.content_size.width
        lines = self._lines(width)
        if y >= len(lines):
            return Strip.blank(width, self.rich_style)
        return paint.strip(lines[y], width, self.roles, self.rich_style, self._glyphs)


class Lines(Painted):
    """Some lines of text, broken between words where they are too long."""

    DEFAULT_CSS = "Lines { height: auto; width: 1fr; }"

    def __init__(
        self,
        given: Sequence[Line] = (),
        *,
        glyphs: Glyphs = UNICODE,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """These lines."""
        super().__init__(glyphs=glyphs, id=id, classes=classes)
        self._given = tuple(given)

    def set_lines(self, given: Sequence[Line]) -> None:
        """Other lines; nothing happens where they are the same."""
        if tuple(given) != self._given:
            self._given = tuple(given)
            self.renew(layout=True)

    def lines(self, width: int) -> Sequence[Line]:
        """The lines, broken to the width."""
        return [part for line in self._given for part in paint.wrap(line, width, indent_of(line))]
