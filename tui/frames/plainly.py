"""Styling the lines of a widget over which nothing is laid, which is what all tables and panes here are."""

from __future__ import annotations

from typing import NamedTuple

from rich.style import Style
from textual._styles_cache import StylesCache
from textual.color import Color
from textual.filter import LineFilter
from textual.geometry import Region, Size, Spacing
from textual.strip import Strip
from textual.widget import Widget


class _Look(NamedTuple):
    """All that a line depends on beside what is written in it."""

    size: Size
    around: Spacing
    """How far borders and padding reach in."""
    content: Size
    ground: Style
    background: Color
    filters: tuple[LineFilter, ...]
    left: Strip
    """What stands before the content of each line."""
    right: Strip


class PlainStyles(StylesCache):
    """As Textual's; but what stands around the content is drawn once, and a line is filtered when it is drawn.

    Textual 8.2.8 asks a widget for its borders, outlines, tint and opacity for each line that it draws, and filters
    each line again with each frame: half of what a line costs. Where something is laid over one, it is asked still.
    """

    def __init__(self) -> None:
        super().__init__()
        self._look: _Look | None = None

    def clear(self) -> None:
        """Forget the lines, and how the widget looks."""
        super().clear()
        self._look = None

    def render_widget(self, widget: Widget, crop: Region) -> list[Strip]:
        """The lines of that part of the widget."""
        look = self._look
        if look is None or look.size != widget.outer_size:
            look = self._look_at(widget)
            if look is None:
                return super().render_widget(widget, crop)
        dirty, kept = self._dirty_lines, self._cache
        strips = []
        for y in crop.line_range:
            strip = None if y in dirty else kept.get(y)
            if strip is None:
                strip = kept[y] = self._drawn(widget, y, look)
            strips.append(strip)
        dirty.difference_update(crop.line_range)
        first, last = crop.column_span
        return strips if (first, last) == (0, look.size.width) else [strip.crop(first, last) for strip in strips]

    def _look_at(self, widget: Widget) -> _Look | None:
        """How it looks now; None: something is laid over it, or there is no content in it."""
        self.clear()
        styles, size = widget.styles, widget.outer_size
        around = styles.gutter
        content = Size(size.width - around.width, size.height - around.height)
        seen_through = widget.opacity != 1.0 or styles.text_opacity != 1.0 or styles.tint.a > 0
        outlined = any(kind for kind, _colour in styles.outline)
        if seen_through or outlined or styles.has_rule("hatch") or content.width <= 0 or content.height <= 0:
            return None
        base, background = widget.background_colors
        ground = Style(bgcolor=(base + background).rich_color)
        example = self._as_textual(widget, around.top)
        self._cache[around.top] = example  # Textual keeps it as it was before it was filtered
        left, right = example.crop(0, around.left), example.crop(size.width - around.right, size.width)
        filters = tuple(widget.get_line_filters())
        self._look = _Look(size, around, content, ground, background, filters, left, right)
        return self._look

    def _as_textual(self, widget: Widget, y: int) -> Strip:
        (strip,) = super().render_widget(widget, Region(0, y, widget.outer_size.width, 1))
        return strip

    def _drawn(self, widget: Widget, y: int, look: _Look) -> Strip:
        at = y - look.around.top
        if not 0 <= at < look.content.height:
            return self._as_textual(widget, y)
        strip = widget.render_line(at).adjust_cell_length(look.content.width, look.ground)
        for line_filter in look.filters:
            strip = strip.apply_filter(line_filter, look.background)
        return Strip.join([look.left, strip, look.right]) if look.around.width else strip
