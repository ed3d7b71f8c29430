"""What every dialog is: a box in the middle, with a title that is text and nothing else, and keys to move about."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget

from ..glyphs import UNICODE, Glyphs
from ..rows import Line
from ..widgets import paint
from ..widgets.lines import Lines

Answer = TypeVar("Answer")


class Words(VerticalScroll, can_focus=False):
    """The text of a dialog; scrolls where the screen is too low for all of it."""

    DEFAULT_CSS = "Words { height: auto; scrollbar-size-vertical: 1; }"


class Dialog(ModalScreen[Answer], Generic[Answer]):
    """A box with a title, some lines of text, and under them what a dialog asks for (`fields`)."""

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 50%; }
    Dialog:ansi { background: transparent; }
    Dialog > #box {
        width: 76; max-width: 98%; height: auto; max-height: 100%;
        border: round $border; border-title-color: $text; border-title-style: bold;
        background: $panel; padding: 0 1;
    }
    Dialog.-ascii > #box { border: ascii $border; }
    Dialog .row { height: 1; width: 1fr; }
    Dialog .label { width: auto; margin: 0 1 0 0; }
    Dialog .buttons { height: 1; width: 1fr; align-horizontal: right; }
    Dialog Input { border: none !important; height: 1; padding: 0 1; width: 1fr; background: $background; }
    Dialog Input:ansi { text-style: underline; }
    Dialog Input:ansi > .input--cursor { background: ansi_default; color: ansi_default; text-style: reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("pageup", "scroll_words(-1)", show=False),
        Binding("pagedown", "scroll_words(1)", show=False),
    ]

    def __init__(self, title: str, text: tuple[Line, ...], *, glyphs: Glyphs = UNICODE) -> None:
        """A dialog with that title and those lines."""
        super().__init__()
        self._title_text = paint.safe(title)
        self._text = text
        self.glyphs = glyphs
        self._answered = False
        self.set_class(glyphs.ascii, "-ascii")

    def fields(self) -> ComposeResult:
        """What stands under the text."""
        yield from ()

    def compose(self) -> ComposeResult:
        """The box."""
        box = Vertical(id="box")
        box.border_title = Content(self._title_text)  # a str would be read as markup
        with box:
            with Words(id="words"):
                yield Lines(self._text, glyphs=self.glyphs, id="text")
            yield from self.fields()

    def set_title(self, title: str) -> None:
        """Another title."""
        self.query_one("#box", Vertical).border_title = Content(paint.safe(title))

    def set_text(self, text: tuple[Line, ...]) -> None:
        """Other lines of text."""
        self.query_one("#text", Lines).set_lines(text)

    def field_lines(self, height: int) -> int:
        """Arrange the fields for a screen so high; how many lines they take, empty ones between included."""
        return 2

    def on_resize(self) -> None:
        """Leave room for the fields, whatever the text is."""
        # Textual calls this handler of every class in line, so what differs is in `field_lines`.
        height = self.app.size.height
        self.query_one("#words").styles.max_height = max(1, height - 2 - self.field_lines(height))

    def answer(self, answer: Answer | None) -> None:
        """End with that answer. Only the first counts: a key pressed twice must not answer what comes after."""
        if not self._answered:
            self._answered = True
            self.dismiss(answer)

    def action_close(self) -> None:
        """Close it without an answer."""
        self.answer(None)

    def action_scroll_words(self, pages: int) -> None:
        """Scroll the text."""
        words = self.query_one("#words", Words)
        words.scroll_relative(y=pages * max(1, words.size.height - 1), animate=False)


def row(*widgets: Widget, classes: str = "row") -> Horizontal:
    """Widgets side by side on one line."""
    return Horizontal(*widgets, classes=classes)
