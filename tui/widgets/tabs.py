"""The views, as a line of tabs that can be clicked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from rich.cells import cell_len
from textual import events
from textual.message import Message

from ..rows import Cell, Line
from . import paint
from .lines import Painted


class Tab(msgspec.Struct, frozen=True):
    """One view."""

    id: str
    key: str
    title: str


class ViewTabs(Painted):
    """One line: the keys and names of all views, the one that is shown stands out."""

    DEFAULT_CSS = "ViewTabs { height: 1; width: 1fr; background: $panel; }"

    class Chosen(Message):
        """A click on a tab."""

        def __init__(self, view: str) -> None:
            super().__init__()
            self.view = view

    tabs: tuple[Tab, ...] = ()
    active = ""
    trail: Line = ()

    def show(self, tabs: Sequence[Tab], active: str, trail: Line = ()) -> None:
        """These tabs, of which `active` is shown; `trail` stands at the right: how deep in, and the filter."""
        if (tuple(tabs), active, trail) != (self.tabs, self.active, self.trail):
            self.tabs, self.active, self.trail = tuple(tabs), active, trail
            self.renew()

    def lines(self, width: int) -> Sequence[Line]:
        """The tabs, with as many titles as fit; then the first words at the right that fit."""
        line = tuple(cell for _id, _size, cells in self._spans(width) for cell in cells)
        fit = (paint.ends(line, self.trail[:count], width) for count in range(len(self.trail), 0, -1))
        return (next(filter(None, fit), line),)

    def _spans(self, width: int) -> list[tuple[str, int, Line]]:
        """What a tab is, how wide, and its cells.

        Where there is no room, first the gaps shrink, then what a title counts goes, then titles go whole, those
        farthest from the shown one first: a word is there or it is not.
        """
        beside = paint.line_width(self.trail)
        if beside and sum(len(tab.key) + 2 for tab in self.tabs) + beside < width:
            width -= beside + 1
        spans = [self._span(tab, tab.title, " ") for tab in self.tabs]
        narrower = self._narrower()
        while sum(size for _id, size, _cells in spans) > width and (titles := next(narrower, None)) is not None:
            spans = [self._span(tab, title, "") for tab, title in zip(self.tabs, titles, strict=True)]
        return spans

    def _narrower(self) -> Iterator[list[str]]:
        """Titles of all tabs, fewer and fewer of them."""
        yield [tab.title for tab in self.tabs]
        titles = [tab.title.split(" ")[0] for tab in self.tabs]
        yield titles
        shown = next((place for place, tab in enumerate(self.tabs) if tab.id == self.active), 0)
        for place in sorted(range(len(titles)), key=lambda place: -abs(place - shown)):
            titles = [*titles[:place], "", *titles[place + 1 :]]
            yield titles

    def _span(self, tab: Tab, title: str, gap: str) -> tuple[str, int, Line]:
        if tab.id == self.active:
            text = f" {tab.key} {title} " if title else f" {tab.key} "
            return tab.id, cell_len(text), (Cell(text, "tab-active"),)
        rest = f" {title}{gap}" if title else " "
        return tab.id, len(tab.key) + 1 + cell_len(rest), (Cell(f" {tab.key}", "key"), Cell(rest, "tab"))

    def on_click(self, event: events.Click) -> None:
        """Choose the tab that was clicked."""
        at = event.get_content_offset(self)
        x = 0
        for view, size, _cells in self._spans(self.content_size.width):
            if at is not None and x <= at.x < x + size:
                self.post_message(self.Chosen(view))
            x += size
