"""An empty app in our theme, to put pieces on and take answers from."""

from __future__ import annotations

from typing import Any

from fleettop.tui.theme import register_themes
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

UNANSWERED = "no answer yet"


class Stage(App[None]):
    """Shows the widgets it is given, or pushes a screen and keeps its answer."""

    def __init__(self, *widgets: Widget, screen: Screen[Any] | None = None, theme: str = "fleettop-dark") -> None:
        super().__init__()
        self._widgets = widgets
        self._pushed = screen
        self._theme_name = theme
        self.answer: object = UNANSWERED
        self.heard: list[Any] = []

    def compose(self) -> ComposeResult:
        yield from self._widgets

    def on_mount(self) -> None:
        register_themes(self)
        self.theme = self._theme_name
        if self._pushed is not None:
            self.push_screen(self._pushed, self._answered)

    def _answered(self, answer: object) -> None:
        self.answer = answer


async def settle(pilot: Pilot[None]) -> None:
    """Let everything that was asked for be drawn."""
    await pilot.pause()
    await pilot.pause()


def text_of(widget: Widget) -> str:
    """All lines of a widget as text."""
    return "\n".join(widget.render_line(y).text.rstrip() for y in range(widget.size.height))
