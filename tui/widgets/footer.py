"""The last lines: what the keys do here, and above it, where there is no pane for it, the story of the row."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.message import Message

from ..keymap import Hint
from ..rows import Cell, Line
from . import paint
from .lines import Painted

STORY = 2
"""Lines a story is told in, at most."""


class KeyFooter(Painted):
    """Hints that fit the width, each of which can be clicked, over them a story in one or two lines if there is one.

    Where it once took two lines, it has two until the hints are others: a shorter one does not move the table.
    """

    DEFAULT_CSS = "KeyFooter { height: auto; width: 1fr; background: $panel; }"

    class Chosen(Message):
        """A click on a hint."""

        def __init__(self, command: str) -> None:
            super().__init__()
            self.command = command

    hints: tuple[Hint, ...] = ()
    story: Line | None = None
    _height = 1

    def show(self, hints: Sequence[Hint], story: Line | None = None) -> None:
        """These hints, in this order; `story` None: no line for it, empty: an empty line, so that nothing jumps."""
        if (tuple(hints), story) == (self.hints, self.story):
            return
        before = 0 if self.story is None else self._height
        if tuple(hints) != self.hints or story is None:
            self._height = 1
        self.hints, self.story = tuple(hints), story
        if width := self.size.width:  # 0: not laid out yet
            self._height = max(self._height, len(self._told(width)))
        self.renew(layout=before != (0 if story is None else self._height))

    def lines(self, width: int) -> Sequence[Line]:
        """The story, and the hints."""
        cells: list[Cell] = []
        for hint in self._fitting(width):
            cells += [Cell(" "), Cell(hint.keys, "key"), Cell(f" {hint.label} ", "hint")]
        if self.story is None:
            return (tuple(cells),)
        told = self._told(width)
        return (*told, *[()] * (self._height - len(told)), tuple(cells))

    def _told(self, width: int) -> Sequence[Line]:
        """The story in that width; what is too long ends with an ellipsis."""
        if not self.story:
            return ((),)
        told = paint.wrap((Cell(" "), *self.story), width, 1)
        return told if len(told) <= STORY else (*told[: STORY - 1], (*told[STORY - 1], Cell(" …")))

    def _fitting(self, width: int) -> list[Hint]:
        """The hints there is room for: the ones worth least go first."""
        shown = list(self.hints)
        while shown and sum(_size(hint) for hint in shown) > width:
            shown.remove(min(reversed(shown), key=lambda hint: hint.worth))
        return shown

    def on_click(self, event: events.Click) -> None:
        """Do what the hint says that was clicked."""
        at = event.get_content_offset(self)
        if at is None or at.y != len(self._lines(self.content_size.width)) - 1:
            return
        x = 0
        for hint in self._fitting(self.content_size.width):
            if x <= at.x < x + _size(hint):
                self.post_message(self.Chosen(hint.command))
            x += _size(hint)


def _size(hint: Hint) -> int:
    return cell_len(hint.keys) + cell_len(hint.label) + 3
