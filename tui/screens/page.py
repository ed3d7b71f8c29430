"""A whole screen of lines about one thing: its details, its health checks, its events, its raw JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from ..frames.sparing import SparingScreen
from ..glyphs import UNICODE, Glyphs
from ..rows import Cell, Line
from ..widgets import paint
from ..widgets.detail import Detail
from ..widgets.lines import Lines

Given = Callable[[], Sequence[Line]]


class PageScreen(SparingScreen[None]):
    """Shows lines and keeps them current: `lines` is asked again on every change of the fleet. `/` finds words."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back"),
        Binding("q,backspace,left_square_bracket", "dismiss", "back"),
        Binding("c", "copy", "copy"),
        Binding("slash", "find", "find"),
        Binding("n", "next(1)", "next"),
        Binding("N", "next(-1)", "previous"),
    ]
    DEFAULT_CSS = """
    PageScreen Detail { height: 1fr }
    PageScreen > Input { border: none !important; height: 1; padding: 0 1; background: $panel; }
    PageScreen > Input:ansi > .input--cursor { background: ansi_default; color: ansi_default; text-style: reverse; }
    PageScreen > #hint { height: 1; padding: 0 1; }
    """

    def __init__(self, lines: Given, glyphs: Glyphs = UNICODE) -> None:
        super().__init__()
        self._lines = lines
        self._glyphs = glyphs
        self._sought = ""
        self._at = 0
        """The given line of the match one stands at."""

    def compose(self) -> ComposeResult:
        """One pane over the whole screen, what is sought, and which keys there are."""
        yield Detail(id="page", glyphs=self._glyphs)
        field = Input(id="words", compact=True, select_on_focus=False, placeholder="find")
        field.display = False
        yield field
        yield Lines(id="hint", glyphs=self._glyphs)

    def on_mount(self) -> None:
        """Fill the pane and let it take the keys."""
        self.fleet_changed()
        self.query_one(Detail).focus()
        self._hint()

    def fleet_changed(self) -> None:
        """Draw what is known now."""
        if self.is_mounted:
            self.query_one(Detail).set_lines(self._lines())

    # -- finding

    def action_find(self) -> None:
        """`/`: let words be typed."""
        field = self.query_one("#words", Input)
        field.display = True
        field.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Go to the first line from here on that has them."""
        event.stop()
        self._seek(event.value.strip())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter: the keys go back to the page."""
        event.stop()
        self._leave_field()

    def action_next(self, by: int) -> None:
        """`n`, `N`: the next line that has them, or the one before; round the end."""
        found = self._matches()
        if not found:
            return
        ahead = [at for at in found if at > self._at] if by > 0 else [at for at in reversed(found) if at < self._at]
        self._go((ahead or found if by > 0 else ahead or found[::-1])[0])

    def action_back(self) -> None:
        """Esc: what is sought first, then back."""
        if self._sought or self.query_one("#words", Input).display:
            self.query_one("#words", Input).value = ""
            self._seek("")
            self._leave_field()
        else:
            self.dismiss(None)

    def _seek(self, words: str) -> None:
        self._sought = words
        self.query_one(Detail).seek(words)
        found = self._matches()
        if found:
            self._go(next((at for at in found if at >= self._at), found[0]))
        self._hint()

    def _go(self, line: int) -> None:
        self._at = line
        self.query_one(Detail).show_line(line)
        self._hint()

    def _matches(self) -> list[int]:
        words = self._sought.casefold()
        return [at for at, line in enumerate(self._lines()) if words and words in text_of(line).casefold()]

    def _leave_field(self) -> None:
        self.query_one("#words", Input).display = False
        self.query_one(Detail).focus()
        self._hint()

    # -- what is said below

    def keys(self) -> tuple[tuple[str, str], ...]:
        """The keys that are there beside those that scroll, and their words."""
        if self._sought:
            return (("n N", "next"), ("c", "copy the line"), ("Esc", "all again"))
        return (("/", "find"), ("c", "copy"), ("Esc", "back"))

    def _hint(self) -> None:
        cells: list[Cell] = []
        if self._sought:
            found = self._matches()
            place = found.index(self._at) + 1 if self._at in found else 0
            words = f"{place} of {len(found)}  " if found else "not found  "
            cells.append(Cell(words, "strong" if found else "warning"))
        for key, word in self.keys():
            cells += [Cell(key, "key"), Cell(f" {word}  ", "hint")]
        self.query_one("#hint", Lines).set_lines((tuple(cells),))

    # -- copying

    def action_copy(self) -> None:
        """To the terminal's clipboard (OSC 52): the line that was found, or the whole page."""
        lines = list(self._lines())
        if self._sought and self._at in self._matches():
            self.app.copy_to_clipboard(text_of(lines[self._at]).strip())
            self.notify("Copied the line.")
            return
        self.app.copy_to_clipboard("\n".join(map(text_of, lines)))
        self.notify("Copied.")


def text_of(line: Line) -> str:
    """A line as text."""
    return "".join(cell.text for cell in paint.pieces(line))
