"""A whole screen of lines about one thing: its details, its health checks, its events, its raw JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from ..glyphs import UNICODE, Glyphs
from ..rows import Line
from ..widgets.detail import Detail

Lines = Callable[[], Sequence[Line]]


class PageScreen(Screen[None]):
    """Shows lines and keeps them current: `lines` is asked again on every change of the fleet."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,backspace,left_square_bracket", "dismiss", "back"),
        Binding("c", "copy", "copy"),
    ]
    CSS = """
    PageScreen Detail { height: 1fr }
    """

    def __init__(self, lines: Lines, glyphs: Glyphs = UNICODE) -> None:
        super().__init__()
        self._lines = lines
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        """One pane over the whole screen."""
        yield Detail(id="page", glyphs=self._glyphs)

    def on_mount(self) -> None:
        """Fill the pane and let it take the keys."""
        self.fleet_changed()
        self.query_one(Detail).focus()

    def fleet_changed(self) -> None:
        """Draw what is known now."""
        self.query_one(Detail).set_lines(self._lines())

    def action_copy(self) -> None:
        """The whole page to the terminal's clipboard (OSC 52)."""
        self.app.copy_to_clipboard("\n".join("".join(cell.text for cell in line) for line in self._lines()))
        self.notify("Copied.")
