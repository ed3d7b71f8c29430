"""Asking for one value: a number, a time, or one of some choices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import ClassVar

import msgspec
from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from ..glyphs import UNICODE, Glyphs
from ..rows import Cell, Column, Line, Row
from ..trail.moments import EXAMPLES, MomentError, parse_moment
from ..widgets import paint
from ..widgets.layout import GUTTER
from ..widgets.lines import Lines
from ..widgets.table import LineTable
from .dialog import Dialog, row


class Jump(msgspec.Struct, frozen=True):
    """Where to go in time; None: to the present."""

    to: datetime | None


class NumberPrompt(Dialog[int | None]):
    """A whole number between two bounds: typed, or changed with up and down."""

    AUTO_FOCUS = "Input"
    DEFAULT_CSS = """
    NumberPrompt > #box { width: 56; }
    NumberPrompt .row { margin: 1 0 0 0; }
    NumberPrompt Input { max-width: 12; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,plus", "change(1)", show=False, priority=True),
        Binding("down,minus", "change(-1)", show=False, priority=True),
    ]

    def __init__(
        self,
        title: str,
        sentences: Sequence[str] = (),
        *,
        value: int,
        minimum: int = 0,
        maximum: int = 999,
        glyphs: Glyphs = UNICODE,
    ) -> None:
        """Ask for it, beginning with `value`."""
        super().__init__(title, tuple((Cell(sentence),) for sentence in sentences), glyphs=glyphs)
        self._value, self._minimum, self._maximum = value, minimum, maximum

    def fields(self) -> ComposeResult:
        """The number, and what is wrong with it."""
        number = Input(str(self._value), type="integer", compact=True, max_length=6)
        bounds = (Cell(f"{self._minimum} to {self._maximum}", "dim"),)
        yield row(Lines(((Cell("Number", "dim"),),), classes="label"), number, Lines((bounds,), id="bounds"))
        hint = (Cell("Enter", "key"), Cell(" goes on, ", "hint"), Cell("Esc", "key"), Cell(" does not.", "hint"))
        yield Lines((hint,))

    def field_lines(self, height: int) -> int:
        """An empty line, the number, and the hint."""
        return 3

    def number(self) -> int | None:
        """What stands there, if it is a number within the bounds."""
        try:
            value = int(self.query_one(Input).value)
        except ValueError:
            return None
        return value if self._minimum <= value <= self._maximum else None

    def action_change(self, by: int) -> None:
        """One more, or one fewer."""
        number = self.number()
        value = min(self._maximum, max(self._minimum, (self._value if number is None else number) + by))
        field = self.query_one(Input)
        field.value = str(value)
        field.cursor_position = len(field.value)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say at once where it is out of bounds."""
        event.stop()
        role = "dim" if self.number() is not None else "error"
        bounds = (Cell(f"{self._minimum} to {self._maximum}", role),)
        self.query_one("#bounds", Lines).set_lines((bounds,))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go on with it, if it is one."""
        event.stop()
        number = self.number()
        if number is not None:
            self.answer(number)


class MomentPrompt(Dialog[Jump | None]):
    """A time in the past, or now. Ends with where to go; None: nowhere else."""

    AUTO_FOCUS = "Input"
    DEFAULT_CSS = """
    MomentPrompt > #box { width: 64; }
    MomentPrompt .row { margin: 1 0 0 0; }
    """

    def __init__(self, now: Callable[[], datetime], *, text: str = "", glyphs: Glyphs = UNICODE) -> None:
        """Ask for it, beginning with `text`."""
        super().__init__("Go to a time", ((Cell(EXAMPLES, "dim"),),), glyphs=glyphs)
        self._now = now
        self._written = text

    def fields(self) -> ComposeResult:
        """The time, and what is wrong with it."""
        yield row(Lines(((Cell("Time", "dim"),),), classes="label"), Input(self._written, compact=True, max_length=40))
        hint = (Cell("Enter", "key"), Cell(" goes there, ", "hint"), Cell("Esc", "key"), Cell(" does not.", "hint"))
        yield Lines((hint,), id="said")

    def field_lines(self, height: int) -> int:
        """An empty line, the time, and what is said of it, which may take two."""
        return 4

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go there, or say why not."""
        event.stop()
        try:
            self.answer(Jump(parse_moment(event.value, self._now())))
        except MomentError as error:
            self.query_one("#said", Lines).set_lines(((Cell(str(error), "error"),),))


class TextPrompt(Dialog[str | None]):
    """One line of text. Ends with it, or None."""

    AUTO_FOCUS = "Input"
    DEFAULT_CSS = """
    TextPrompt > #box { width: 90; }
    TextPrompt .row { margin: 1 0 0 0; }
    """

    def __init__(self, title: str, sentences: Sequence[str] = (), *, value: str, glyphs: Glyphs = UNICODE) -> None:
        """Ask for it, beginning with `value`."""
        super().__init__(title, tuple((Cell(sentence),) for sentence in sentences), glyphs=glyphs)
        self._value = value

    def fields(self) -> ComposeResult:
        """The line."""
        yield row(Input(self._value, compact=True, max_length=300, select_on_focus=False))
        hint = (Cell("Enter", "key"), Cell(" goes on, ", "hint"), Cell("Esc", "key"), Cell(" does not.", "hint"))
        yield Lines((hint,))

    def field_lines(self, height: int) -> int:
        """An empty line, the text, and the hint."""
        return 3

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go on with it."""
        event.stop()
        self.answer(event.value.strip() or None)


class Choice(msgspec.Struct, frozen=True):
    """One of the things to choose from."""

    id: str
    title: str
    help: str = ""


SIGNALS = (
    Choice("SIGTERM", "SIGTERM", "asks it to end (15)"),
    Choice("SIGINT", "SIGINT", "as ctrl+c does (2)"),
    Choice("SIGHUP", "SIGHUP", "many programs read their configuration again (1)"),
    Choice("SIGQUIT", "SIGQUIT", "ends it, many programs write a dump first (3)"),
    Choice("SIGUSR1", "SIGUSR1", "means what the program makes of it (10)"),
    Choice("SIGUSR2", "SIGUSR2", "means what the program makes of it (12)"),
    Choice("SIGKILL", "SIGKILL", "ends it at once, nothing is put in order (9)"),
)
"""What `kill` may send, the gentlest first."""


NARROWEST, FRAME = 70, 5
"""Of a box of choices: its least width, and how much of a width is border, padding and scroll bar."""


def _whole(choice: Choice) -> Line:
    return (Cell(choice.title, "strong"), Cell(f": {choice.help}" if choice.help else ""))


class ChoicePrompt(Dialog[str | None]):
    """One of some choices. Ends with its id, or None.

    The box is as wide as the longest choice needs. Where the screen is too narrow for that, the choice under the cursor
    stands whole under the table.
    """

    AUTO_FOCUS = "LineTable"
    DEFAULT_CSS = """
    ChoicePrompt > #box { width: 70; }
    ChoicePrompt LineTable { background: $panel; }
    """

    def __init__(
        self,
        title: str,
        choices: Sequence[Choice],
        sentences: Sequence[str] = (),
        *,
        chosen: str = "",
        glyphs: Glyphs = UNICODE,
    ) -> None:
        """Ask for one of these; `chosen` is where the cursor begins."""
        super().__init__(title, tuple((Cell(sentence),) for sentence in sentences), glyphs=glyphs)
        self._choices = tuple(choices)
        self._chosen = chosen

    def fields(self) -> ComposeResult:
        """The choices, as a table."""
        longest = max((cell_len(choice.title) for choice in self._choices), default=1)
        columns = (
            Column("title", "", longest, worth=2, sortable=False),
            Column("help", "", 10, grow=1, worth=1, sortable=False),
        )
        yield LineTable(columns, glyphs=self.glyphs)
        yield Lines(glyphs=self.glyphs, id="whole")
        hint = (Cell("Enter", "key"), Cell(" takes it, ", "hint"), Cell("Esc", "key"), Cell(" none.", "hint"))
        yield Lines((hint,))

    def on_mount(self) -> None:
        """Show the choices."""
        table = self.query_one(LineTable)
        table.set_rows([Row(c.id, (Cell(c.title, "strong"), Cell(c.help, "dim"))) for c in self._choices])
        table.move_to(self._chosen)

    def field_lines(self, height: int) -> int:
        """The table is as high as there are choices, or as the screen allows."""
        longest = max((cell_len(choice.title) for choice in self._choices), default=1)
        needed = GUTTER + longest + 2 + max((cell_len(choice.help) for choice in self._choices), default=0)
        wide = max(NARROWEST, needed + FRAME)
        self.query_one("#box").styles.width = wide
        room = min(wide, self.app.size.width * 98 // 100) - FRAME
        whole = self.query_one("#whole", Lines)
        # As high as the longest needs, whichever is under the cursor: the box must not jump.
        under = max((len(paint.wrap(_whole(choice), room)) for choice in self._choices), default=0)
        under = 0 if needed <= room else min(under, max(0, height - 7))
        whole.display = under > 0
        whole.styles.height = under or "auto"
        lines = min(len(self._choices) + 1, max(2, height - 4 - under))
        self.query_one(LineTable).styles.height = lines
        return lines + under + 1

    def on_line_table_cursor_moved(self, event: LineTable.CursorMoved) -> None:
        """All of what is under the cursor, for where its row is cut."""
        event.stop()
        found = [_whole(choice) for choice in self._choices if choice.id == event.key]
        self.query_one("#whole", Lines).set_lines(found)

    def on_line_table_activated(self, event: LineTable.Activated) -> None:
        """That one."""
        event.stop()
        self.answer(str(event.key))
