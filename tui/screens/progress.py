"""How a change is getting on: one line for each object, as its result comes in."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from ..course import Course, ProgressStep
from ..format import age
from ..glyphs import UNICODE, Glyphs, state_glyph
from ..rows import Cell, Column, Line, Row
from ..widgets.table import LineTable
from .dialog import Dialog

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


class ProgressScreen(Dialog[str | None]):
    """The results of a change as they come. Esc stops what has not begun, q leaves it to go on; at the end both close.

    Ends with the id of the follow-up that was asked for, or None.
    """

    AUTO_FOCUS = "LineTable"
    DEFAULT_CSS = """
    ProgressScreen > #box { width: 110; }
    ProgressScreen LineTable { height: auto; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "leave", show=False)]

    def __init__(
        self,
        title: str,
        steps: Sequence[ProgressStep] = (),
        *,
        on_stop: Callable[[], None] | None = None,
        course: Course | None = None,
        can_leave: bool = False,
        glyphs: Glyphs = UNICODE,
    ) -> None:
        """Follow a `course`, or a new one of these steps; where one `can_leave`, q does while it goes on."""
        super().__init__(title, (), glyphs=glyphs)
        self.course = course or Course(steps, on_stop=on_stop)
        self._can_leave = can_leave

    def fields(self) -> ComposeResult:
        """The table of steps."""
        yield LineTable(_COLUMNS, glyphs=self.glyphs)

    def on_mount(self) -> None:
        """Show the steps as they stand."""
        self.query_one(LineTable).set_rows([self._row(key) for key in self.course.steps])
        self.course.listener = self._moved
        self._say()

    def on_unmount(self) -> None:
        """Nobody looks any more."""
        self.course.listener = None

    def field_lines(self, height: int) -> int:
        """The table is as high as there are steps, or as the screen allows."""
        lines = min(len(self.course.steps) + 1, max(2, height - 6))
        self.query_one(LineTable).styles.height = lines
        return lines

    @property
    def done(self) -> bool:
        """Whether it is over and may be closed."""
        return self.course.done

    @property
    def stopping(self) -> bool:
        """Whether a person has asked that nothing more be begun."""
        return self.course.stopping

    def begin(self, key: Hashable, words: str = "") -> None:
        """That step is under way now."""
        self.course.begin(key, words)

    def report(self, key: Hashable, outcome: str, words: str = "", seconds: float | None = None) -> None:
        """That step ended so."""
        self.course.report(key, outcome, words, seconds)

    def finish(self, words: str = "") -> None:
        """Nothing more will come; `words` is a sentence to end with."""
        self.course.finish(words)

    def action_close(self) -> None:
        """Close it when it is done; before that, stop what has not begun."""
        if self.done:
            self.answer(None)
        else:
            self.course.stop()

    def action_leave(self) -> None:
        """Close it, and let the change go on."""
        if self.done or self._can_leave:
            self.answer(None)
        else:
            self.course.stop()

    def on_key(self, event: events.Key) -> None:
        """The keys of what can be asked for at the end."""
        for follow_up in self.course.follow_ups:
            if event.character == follow_up.key:
                event.stop()
                self.answer(follow_up.id)

    def on_line_table_activated(self, event: LineTable.Activated) -> None:
        """Enter closes it when it is done."""
        event.stop()
        if self.done:
            self.answer(None)

    def _moved(self, key: Hashable | None) -> None:
        if self.is_mounted:
            if key is not None:
                self.query_one(LineTable).update_rows({key: self._row(key)})
            self._say()

    def _row(self, key: Hashable) -> Row:
        step, state = self.course.steps[key], self.course.states[key]
        sign, role, word = _LOOKS.get(state.outcome, _LOOKS["unknown"])
        words = f"{word}: {state.words}" if state.words else word
        took = Cell(age(state.seconds), "dim") if state.seconds is not None else Cell("")
        cells = (Cell(state_glyph(sign, self.glyphs), sign), Cell(step.host), Cell(step.name), Cell(words, role), took)
        return Row(key, cells)

    def _say(self) -> None:
        if not self.is_mounted:
            return
        outcomes = [state.outcome for state in self.course.states.values()]
        cells = [Cell(f"{self.course.ended} of {len(outcomes)} ended", "strong")]
        for outcome in ("success", "failure", "refused", "unknown", "skipped"):
            count = outcomes.count(outcome)
            if count:
                _sign, role, word = _LOOKS[outcome]
                cells += [Cell(f" {self.glyphs.dot} ", "dim"), Cell(f"{count} {word}", role)]
        self.set_text((tuple(cells), *self._next_step()))

    def _next_step(self) -> tuple[Line, ...]:
        course = self.course
        if course.closing_words is not None:
            words = f"{course.closing_words}  " if course.closing_words else ""
            closing = (Cell(words), Cell("Enter or Esc", "key"), Cell(" closes this.", "hint"))
            more = [
                cell for one in course.follow_ups for cell in (Cell(one.key, "key"), Cell(f" {one.words}  ", "hint"))
            ]
            return (closing, tuple(more)) if more else (closing,)
        leaves = (Cell("  q", "key"), Cell(" leaves it to go on.", "hint")) if self._can_leave else ()
        if course.stopping:
            stopping = Cell("Stopping: what has begun is brought to its end, nothing new begins.", "warning")
            return ((stopping, *leaves),)
        return ((Cell("Esc", "key"), Cell(" stops what has not begun.", "hint"), *leaves),)
