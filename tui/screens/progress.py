"""How a change is getting on: one line for each object, as its result comes in."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from ..format import age
from ..glyphs import UNICODE, Glyphs, state_glyph
from ..rows import Cell, Column, Line, Row
from ..widgets.table import LineTable
from .dialog import Dialog


class ProgressStep(msgspec.Struct, frozen=True):
    """One thing that is done to one object."""

    key: Hashable
    host: str
    name: str


class StepState(msgspec.Struct, frozen=True):
    """Where a step stands."""

    outcome: str = "waiting"
    """`waiting`, `running`, or an outcome: `success`, `failure`, `refused`, `unknown`, `skipped`."""
    words: str = ""
    seconds: float | None = None


_LOOKS = {
    "waiting": ("stopped", "dim", "waits"),
    "running": ("starting", "starting", "running"),
    "success": ("healthy", "ok", "done"),
    "failure": ("down", "error", "failed"),
    "refused": ("down", "error", "refused"),
    "unknown": ("unknown", "warning", "outcome unknown"),
    "skipped": ("stopped", "dim", "not begun"),
}
"""The sign, the role and the word of each outcome."""
_COLUMNS = (
    Column("sign", "", 1, worth=90, sortable=False),
    Column("host", "HOST", 8, grow=1, limit=20, worth=80, sortable=False, cut="middle"),
    Column("name", "WHAT", 10, grow=2, limit=32, worth=100, sortable=False, cut="middle"),
    Column("words", "RESULT", 12, grow=5, worth=90, sortable=False),
    Column("time", "TOOK", 6, align="right", worth=10, sortable=False),
)


class ProgressScreen(Dialog[None]):
    """The results of a change as they come. Esc stops what has not begun; when all is done it closes."""

    AUTO_FOCUS = "LineTable"
    DEFAULT_CSS = """
    ProgressScreen > #box { width: 110; }
    ProgressScreen LineTable { height: auto; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "close", show=False)]

    def __init__(
        self,
        title: str,
        steps: Sequence[ProgressStep],
        *,
        on_stop: Callable[[], None] | None = None,
        glyphs: Glyphs = UNICODE,
    ) -> None:
        """Follow these steps; `on_stop` is called once, when a person wants no more of them begun."""
        super().__init__(title, (), glyphs=glyphs)
        self._steps = {step.key: step for step in steps}
        self._states = {step.key: StepState() for step in steps}
        self._on_stop = on_stop
        self._stopping = False
        self._closing_words: str | None = None

    def fields(self) -> ComposeResult:
        """The table of steps."""
        yield LineTable(_COLUMNS, glyphs=self.glyphs)

    def on_mount(self) -> None:
        """Show the steps, none of which has begun."""
        self.query_one(LineTable).set_rows([self._row(key) for key in self._steps])
        self._say()

    def field_lines(self, height: int) -> int:
        """The table is as high as there are steps, or as the screen allows."""
        lines = min(len(self._steps) + 1, max(2, height - 5))
        self.query_one(LineTable).styles.height = lines
        return lines

    @property
    def done(self) -> bool:
        """Whether it is over and may be closed."""
        return self._closing_words is not None

    def begin(self, key: Hashable) -> None:
        """That step is being done now."""
        self._set(key, StepState("running"))

    def report(self, key: Hashable, outcome: str, words: str = "", seconds: float | None = None) -> None:
        """That step ended so."""
        self._set(key, StepState(outcome, words, seconds))

    def finish(self, words: str = "") -> None:
        """Nothing more will come; `words` is a sentence to end with."""
        self._closing_words = words
        self._say()

    @property
    def stopping(self) -> bool:
        """Whether a person has asked that nothing more be begun."""
        return self._stopping

    def action_close(self) -> None:
        """Close it when it is done; before that, stop what has not begun."""
        if self.done:
            self.answer(None)
        elif not self._stopping:
            self._stopping = True
            self._say()
            if self._on_stop is not None:
                self._on_stop()

    def on_line_table_activated(self, event: LineTable.Activated) -> None:
        """Enter closes it when it is done."""
        event.stop()
        if self.done:
            self.answer(None)

    def _set(self, key: Hashable, state: StepState) -> None:
        if key not in self._steps:
            return
        self._states[key] = state
        if self.is_mounted:
            self.query_one(LineTable).update_rows({key: self._row(key)})
            self._say()

    def _row(self, key: Hashable) -> Row:
        step, state = self._steps[key], self._states[key]
        sign, role, word = _LOOKS.get(state.outcome, _LOOKS["unknown"])
        words = f"{word}: {state.words}" if state.words else word
        took = Cell(age(state.seconds), "dim") if state.seconds is not None else Cell("")
        cells = (Cell(state_glyph(sign, self.glyphs), sign), Cell(step.host), Cell(step.name), Cell(words, role), took)
        return Row(key, cells)

    def _say(self) -> None:
        if not self.is_mounted:
            return
        outcomes = [state.outcome for state in self._states.values()]
        ended = sum(outcome not in ("waiting", "running") for outcome in outcomes)
        cells = [Cell(f"{ended} of {len(outcomes)} ended", "strong")]
        for outcome in ("success", "failure", "refused", "unknown", "skipped"):
            count = outcomes.count(outcome)
            if count:
                _sign, role, word = _LOOKS[outcome]
                cells += [Cell(f" {self.glyphs.dot} ", "dim"), Cell(f"{count} {word}", role)]
        self.set_text((tuple(cells), self._next_step()))

    def _next_step(self) -> Line:
        if self._closing_words is not None:
            words = f"{self._closing_words}  " if self._closing_words else ""
            return (Cell(words), Cell("Enter or Esc", "key"), Cell(" closes this.", "hint"))
        if self._stopping:
            return (Cell("Stopping: what has begun is brought to its end, nothing new begins.", "warning"),)
        return (Cell("Esc", "key"), Cell(" stops what has not begun.", "hint"))
