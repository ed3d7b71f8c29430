"""The line in which what is looked for is typed, and what is wrong with it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from ..glyphs import UNICODE, Glyphs
from ..rows import Cell
from .lines import Lines


class FindBar(Horizontal):
    """`/` and a regular expression. Enter looks for it, Esc does not."""

    DEFAULT_CSS = """
    FindBar { height: auto; max-height: 3; width: 1fr; background: $panel; }
    FindBar > Input { border: none !important; height: 1; padding: 0; width: 1fr; background: $panel; }
    FindBar > Input:ansi > .input--cursor { background: ansi_default; color: ansi_default; text-style: reverse; }
    FindBar > Input:focus { border: none; background-tint: transparent; }
    FindBar > .slash { width: auto; }
    FindBar > #find-error { width: 2fr; display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", show=False)]

    class Submitted(Message):
        """Enter."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Cancelled(Message):
        """Esc."""

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:  # noqa: A002
        """An empty one."""
        super().__init__(id=id)
        self._input = Input(compact=True, select_on_focus=True, max_length=1_000)
        self._slash = Lines(((Cell("/", "key"),),), glyphs=glyphs, classes="slash")
        self._error = Lines(glyphs=glyphs, id="find-error")

    def compose(self) -> ComposeResult:
        """The slash, the input, and what is wrong."""
        yield self._slash
        yield self._input
        yield self._error

    def open(self, text: str) -> None:
        """Let an expression be typed, beginning with that."""
        with self.prevent(Input.Changed):
            self._input.value = text
        self._error.display = False
        self._input.focus()

    def show_error(self, words: str) -> None:
        """What is wrong with it."""
        self._error.set_lines(((Cell(words, "error"),),))
        self._error.display = True

    def on_input_changed(self, event: Input.Changed) -> None:
        """What was wrong may be right now."""
        event.stop()
        self._error.display = False

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Look for it."""
        event.stop()
        self.post_message(self.Submitted(event.value))

    def action_cancel(self) -> None:
        """Close it."""
        self.post_message(self.Cancelled())
