"""A button of one line that looks pressed for in every theme, without colours too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from ..rows import Cell, Line
from .lines import Painted


class Press(Painted, can_focus=True):
    """`[ Cancel ]` where the focus is on it, else `  Cancel  `. Enter or a click presses it; space does not."""

    DEFAULT_CSS = "Press { height: 1; width: auto; margin: 0 0 0 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "press", show=False)]

    class Pressed(Message):
        """It was pressed."""

        def __init__(self, press: Press) -> None:
            super().__init__()
            self.press = press

        @property
        def control(self) -> Press:
            """The button."""
            return self.press

    def __init__(self, label: str, *, id: str | None = None, role: str = "") -> None:  # noqa: A002
        """`role`: how it is drawn while the focus is elsewhere."""
        super().__init__(id=id)
        self._label = label
        self._role = role

    def set_label(self, label: str) -> None:
        """Another word on it."""
        if label != self._label:
            self._label = label
            self.renew(layout=True)

    def lines(self, width: int) -> Sequence[Line]:
        """The label, in brackets where the focus is."""
        if self.disabled:
            return ((Cell(f"  {self._label}  ", "dim"),),)
        if self.has_focus:
            return ((Cell(f"[ {self._label} ]", "tab-active"),),)
        return ((Cell(f"  {self._label}  ", self._role),),)

    def watch_has_focus(self, has_focus: bool) -> None:
        """Look it."""
        super().watch_has_focus(has_focus)
        self.renew()

    def watch_disabled(self, disabled: bool) -> None:
        """Look it."""
        super().watch_disabled(disabled)
        self.renew()

    def on_click(self, event: events.Click) -> None:
        """A click presses."""
        event.stop()
        self.action_press()

    def action_press(self) -> None:
        """Press it, unless it is disabled."""
        if not self.disabled:
            self.post_message(self.Pressed(self))
