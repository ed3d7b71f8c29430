"""The line in which a filter is typed: it counts as far as it can be read, and says what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from ..filter import Filter, FilterError, parse_partial
from ..glyphs import UNICODE, Glyphs
from ..rows import Cell, Line
from .lines import Painted


class _Status(Painted):
    """What is said of the filter, at the right of it."""

    DEFAULT_CSS = "_Status { height: 1; width: auto; padding: 0 1; }"

    def __init__(self, cells: Line = (), *, glyphs: Glyphs, classes: str | None = None) -> None:
        super().__init__(glyphs=glyphs, classes=classes)
        self.cells = cells

    def show(self, cells: Line) -> None:
        if cells != self.cells:
            self.cells = cells
            self.renew(layout=True)

    def lines(self, width: int) -> Sequence[Line]:
        return (self.cells,)


class FilterBar(Horizontal):
    """`/`, what is typed, and how many rows it leaves."""

    DEFAULT_CSS = """
    FilterBar { height: 1; width: 1fr; background: $panel; }
    FilterBar > Input { border: none !important; height: 1; padding: 0; width: 1fr; background: $panel; }
    FilterBar > Input:ansi > .input--cursor { background: ansi_default; color: ansi_default; text-style: reverse; }
    FilterBar > Input:focus { border: none; background-tint: transparent; }
    FilterBar > .slash { width: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("down", "leave", show=False),
    ]

    class Typed(Message):
        """The filter as far as it can be read is another one now."""

        def __init__(self, text: str, found: Filter) -> None:
            super().__init__()
            self.text, self.found = text, found

    class Submitted(Typed):
        """Enter: the filter stands, and the keys go back to the table."""

    class Cancelled(Message):
        """Esc: as if it had not been opened."""

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:  # noqa: A002
        """An empty one."""
        super().__init__(id=id)
        self._slash = _Status((Cell("/", "key"),), glyphs=glyphs, classes="slash")
        self._input = Input(compact=True, select_on_focus=False)
        self._status = _Status(glyphs=glyphs)
        self._counts: tuple[int, int] | None = None
        self._words = ""
        self._error: FilterError | None = None

    def open(self, text: str = "") -> None:
        """Let a filter be typed, beginning with `text`."""
        if not self._input.is_attached:  # the first screen is there sooner without what only this needs
            self.mount(self._slash, self._input, self._status)
        with self.prevent(Input.Changed):
            self._input.value = text
        self._input.cursor_position = len(text)
        self._read()
        self._input.focus()

    @property
    def text(self) -> str:
        """What stands in it."""
        return self._input.value

    def show_counts(self, shown: int, of: int) -> None:
        """How many rows the filter leaves, of how many."""
        self._counts, self._words = (shown, of), ""
        self._say()

    def show_words(self, words: str) -> None:
        """What the filter has found so far, where it is not known of how many."""
        self._words = words
        self._say()

    def _read(self) -> Filter:
        found, self._error = parse_partial(self._input.value)
        self._say()
        return found

    def _say(self) -> None:
        if self._error is not None and not self._error.incomplete:
            self._status.styles.max_width = max(20, self.size.width - cell_len(self._input.value) - 4)
            self._status.show((Cell(str(self._error), "error"),))
        elif self._words:
            self._status.show((Cell(self._words, "dim"),))
        elif self._counts is not None:
            shown, of = self._counts
            role = "warning" if not shown and of else "dim"
            self._status.show((Cell(f"{shown} of {of}", role),))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Take it as far as it can be read."""
        event.stop()
        self.post_message(self.Typed(self._input.value, self._read()))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep it. What is wrong with it is said and left out."""
        event.stop()
        self.post_message(self.Submitted(self._input.value, self._read()))

    def action_cancel(self) -> None:
        """Close it."""
        self.post_message(self.Cancelled())

    def action_leave(self) -> None:
        """To the rows, as with Enter."""
        self.post_message(self.Submitted(self._input.value, self._read()))
