"""Asking for the name of a file; one that is there is not overwritten without being told so."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from ..glyphs import UNICODE, Glyphs
from ..rows import Cell
from ..widgets.lines import Lines
from .dialog import Dialog, row


class SaveTo(NamedTuple):
    """Where to write, and whether what is there may go."""

    path: Path
    overwrite: bool


class SavePrompt(Dialog[SaveTo | None]):
    """A name, and Enter; where there is such a file, Enter once more."""

    AUTO_FOCUS = "Input"
    DEFAULT_CSS = """
    SavePrompt .row { margin: 1 0 0 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", show=False)]

    def __init__(self, title: str, name: str, *, folder: Path, glyphs: Glyphs = UNICODE) -> None:
        """Ask, beginning with that name; names are meant from `folder` on."""
        super().__init__(title, (), glyphs=glyphs)
        self._name = name
        self._folder = folder
        self._told = ""
        """The name of which it was said that there is such a file."""

    def fields(self) -> ComposeResult:
        """The name, and what Enter does."""
        yield row(Lines(((Cell("File", "dim"),),), classes="label"), Input(self._name, compact=True))
        yield Lines((self._hint(),), id="hint")

    def field_lines(self, height: int) -> int:
        """An empty line, the name, and the hint."""
        return 3

    def _hint(self) -> tuple[Cell, ...]:
        if self._told:
            words = "There is such a file. "
            return (Cell(words, "warning"), Cell("Enter", "key"), Cell(" overwrites it, ", "hint"), *_ESCAPE)
        return (Cell("Enter", "key"), Cell(" saves, ", "hint"), *_ESCAPE)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Another name: what was said of the one before does not count."""
        event.stop()
        if self._told:
            self._told = ""
            self.query_one("#hint", Lines).set_lines((self._hint(),))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """That one; but first say so where it would be overwritten."""
        event.stop()
        name = event.value.strip()
        if not name:
            return
        path = self._folder / Path(name).expanduser()
        if self._told != name and path.exists():
            self._told = name
            self.query_one("#hint", Lines).set_lines((self._hint(),))
            return
        self.answer(SaveTo(path, overwrite=self._told == name))


_ESCAPE = (Cell("Esc", "key"), Cell(" does not.", "hint"))
