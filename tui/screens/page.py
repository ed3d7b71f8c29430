"""A whole screen of lines about one thing: its details, its health checks, its events, its raw JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from ..rows import Line
from ..widgets.detail import DetailPane

Lines = Callable[[], Sequence[Line]]


class PageScreen(Screen[None]):
    """Shows lines and keeps them current: `lines` is asked again on every change of the fleet."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,backspace,left_square_bracket", "dismiss", "back"),
        Binding("c", "copy", "copy"),
    ]
    CSS = """
    PageScreen DetailPane { height: 1fr; padding: 0 1; border: none; }
    """

    def __init__(self, title: str, lines: Lines) -> None:
        super().__init__()
        self.title = title
        self._lines = lines

    def compose(self) -> ComposeResult:
        """One pane over the whole screen."""
        yield DetailPane(id="page")

    def on_mount(self) -> None:
        """Fill the pane and let it take the keys."""
        self.fleet_changed()
        self.query_one(DetailPane).focus()

    def fleet_changed(self) -> None:
        """Draw what is known now."""
        self.query_one(DetailPane).set_lines(self._lines())

    def action_copy(self) -> None:
        """The whole page to the terminal's clipboard (OSC 52)."""
        self.app.copy_to_clipboard("\n".join("".join(cell.text for cell in line) for line in self._lines()))
        self.notify("Copied.")
