"""Asking before a change: its effect in words, a reason, and the focus on Cancel.

Nothing but pressing the button, ctrl+enter, or F9 is a yes. A letter typed while a button has the focus goes into the
reason and takes the focus with it, so that keys pressed at random move away from the button and not towards it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import msgspec
from fleettop.collectors.errors import FleetError
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from ..glyphs import UNICODE, Glyphs, state_glyph
from ..keymap import CONFIRMING
from ..keynames import key_label
from ..rows import Cell, Line
from ..widgets.lines import Lines
from ..widgets.press import Press
from .dialog import Dialog, row


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked."""

    title: str
    sentences: tuple[str, ...] = ()
    """The effect in words."""
    warnings: tuple[str, ...] = ()
    blockers: tuple[str, ...] = ()
    """Why it cannot be done at all; with any, there is only Close."""
    verb: str = "Do it"
    """The word on the button: `Restart`."""
    name_to_type: str = ""
    """What has to be typed before the button can be pressed; empty: nothing."""
    reason: str = ""
    """What the reason begins as."""
    at_once: str | None = None
    """How many replicas may be away at once, to be changed by a person: `1`, `25%`, empty for all; None: not asked."""


class Confirmed(msgspec.Struct, frozen=True):
    """It was said yes to."""

    reason: str
    """Why, in the person's words; empty where none were given."""


Replan = Callable[[str], Question]
"""The question with another number of replicas away at once. Raises FleetError for what is no such number."""


class ConfirmScreen(Dialog[Confirmed | None]):
    """A question before a change. Ends with Confirmed, or None for no."""

    AUTO_FOCUS = "#cancel"
    DEFAULT_CSS = """
    ConfirmScreen .row, ConfirmScreen .buttons { margin: 1 0 0 0; }
    ConfirmScreen.-low .row, ConfirmScreen.-low .buttons { margin: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding(",".join(CONFIRMING), "confirm", show=False, priority=True)]

    def __init__(
        self,
        question: Question,
        *,
        key: str = CONFIRMING[1],
        replan: Replan | None = None,
        glyphs: Glyphs = UNICODE,
    ) -> None:
        """Ask that; `key` is the one of CONFIRMING that the button shows."""
        super().__init__(question.title, _text(question, glyphs), glyphs=glyphs)
        self.question = question
        self._replan = replan
        self._wrong = False
        self._key = key_label(key)

    def fields(self) -> ComposeResult:
        """The reason, the name to type, and the buttons."""
        question = self.question
        if question.blockers:
            yield row(Press("Close", id="cancel"), classes="buttons")
            return
        reason = Input(question.reason, id="reason", compact=True, max_length=300, select_on_focus=False)
        yield row(Lines(((Cell("Reason", "dim"),),), classes="label"), reason)
        if question.at_once is not None:
            number = Input(question.at_once, id="at-once", compact=True, max_length=5, select_on_focus=False)
            number.styles.width = 8
            usual = "" if question.at_once else "; empty: all"
            hint = (Cell(f"away, of each service: 2, or 25%{usual}", "dim"),)
            yield row(Lines(((Cell("At once", "dim"),),), classes="label"), number, Lines((hint,)))
        if question.name_to_type:
            label = (Cell("Type ", "warning"), Cell(question.name_to_type, "strong"), Cell(" to go on", "warning"))
            yield row(Lines((label,), classes="label"), Input(id="name", compact=True, select_on_focus=False))
        verb = Press(self._verb(), id="confirm")
        verb.disabled = bool(question.name_to_type)
        yield row(Press("Cancel", id="cancel"), verb, classes="buttons")

    def field_lines(self, height: int) -> int:
        """On a low screen the empty lines between the fields go."""
        question = self.question
        rows = 1 if question.blockers else 2 + bool(question.name_to_type) + (question.at_once is not None)
        low = height < 2 + 2 * rows + 8
        self.set_class(low, "-low")
        for press in self.query("#confirm").results(Press):
            press.set_label(self._verb())
        return rows if low else 2 * rows

    def _verb(self) -> str:
        return f"{self.question.verb} ({self._key})" if self.app.size.width >= 60 else self.question.verb

    def on_key(self, event: events.Key) -> None:
        """What is typed on a button is meant for the reason."""
        if self.question.blockers:
            if event.key == "q":
                self.action_close()
            return
        character = event.character
        if isinstance(self.focused, Press) and character and character.isprintable() and len(character) == 1:
            event.stop()
            event.prevent_default()
            reason = self.query_one("#reason", Input)
            reason.focus()
            reason.insert_text_at_cursor(character)

    def on_input_changed(self, event: Input.Changed) -> None:
        """The button can be pressed once the name is right."""
        event.stop()
        if event.input.id == "at-once" and self._replan is not None:
            self._plan_again(event.value.strip())
        if event.input.id in ("name", "at-once"):
            name = self.query_one("#name", Input).value.strip() if self.question.name_to_type else ""
            self.query_one("#confirm", Press).disabled = self._wrong or name != self.question.name_to_type

    def _plan_again(self, written: str) -> None:
        """The effect in words, with so many away at once."""
        assert self._replan is not None
        try:
            question = self._replan(written)
        except FleetError as error:
            self._wrong = True
            self.set_text((*_text(self.question, self.glyphs), (Cell(f"{error} {error.hint}", "error"),)))
            return
        self._wrong = bool(question.blockers)
        self.set_title(question.title)
        self.set_text(_text(question, self.glyphs))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in a field goes on to the next; it is no yes."""
        event.stop()
        self.focus_next()

    def on_press_pressed(self, event: Press.Pressed) -> None:
        """One of the buttons."""
        event.stop()
        if event.press.id == "confirm":
            self.action_confirm()
        else:
            self.answer(None)

    def action_confirm(self) -> None:
        """Yes, unless it cannot be done, or the name is still to be typed."""
        if self.question.blockers or self.query_one("#confirm", Press).disabled:
            return
        self.answer(Confirmed(self.query_one("#reason", Input).value.strip()))


def _text(question: Question, glyphs: Glyphs) -> tuple[Line, ...]:
    lines: list[Line] = [(Cell(sentence),) for sentence in question.sentences]
    for sentences, state, role in ((question.warnings, "degraded", "warning"), (question.blockers, "down", "error")):
        lines += [(Cell(f"{state_glyph(state, glyphs)} ", role), Cell(sentence, role)) for sentence in sentences]
    return tuple(lines)
