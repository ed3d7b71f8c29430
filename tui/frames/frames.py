"""From Textual's compositor to the terminal."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from rich.color import ColorSystem
from textual._ansi_sequences import SYNC_END, SYNC_START

from .grid import Grid, Update
from .pace import Pace

if TYPE_CHECKING:
    from textual.app import App

PARTING = 1.0
"""Seconds to wait at the end for answers that are on their way: else the shell would get them as keys."""


class Screen(Protocol):
    """Where frames go."""

    def write(self, data: str) -> None:
        """Write, soon; returns at once."""

    @property
    def drained(self) -> bool:
        """Whether all that was written has gone to the terminal."""


class Frames:
    """What the app wants shown, and the frames in which that reaches the terminal."""

    def __init__(self, app: App[Any], screen: Screen, loop: asyncio.AbstractEventLoop) -> None:
        self._app, self._screen, self._loop = app, screen, loop
        self._grid = Grid(0, 0)
        self._pace = Pace()
        self._taken = False
        """Whether the terminal is ours."""
        self._again: asyncio.TimerHandle | None = None

    @property
    def _now(self) -> float:
        return self._loop.time()

    # -- the terminal

    def begin(self) -> None:
        """The terminal is ours, from now on; nothing is known of what it shows."""
        self._taken = True
        self._grid.forget()
        self._screen.write(self._pace.begin(self._now))
        self._go()

    def end(self) -> None:
        """Nothing is written any more. Returns when the terminal has nothing more to say."""
        self._taken = False
        if self._again is not None:
            self._again.cancel()
            self._again = None
        self._pace.settle(PARTING)

    def lost(self) -> None:
        """The terminal is gone: no answer will come. May be called from another thread."""
        self._pace.speaks = False

    def forget(self) -> None:
        """Something else may stand on the terminal now: the next frame is whole."""
        self._grid.forget()
        self._go()

    def pressed(self) -> None:
        """A key, or the mouse. May be called from another thread."""
        self._pace.pressed(self._now)

    def answered(self) -> None:
        """The terminal has answered. May be called from another thread."""
        self._pace.answered()
        self._loop.call_soon_threadsafe(self._go)

    # -- frames

    def show(self, update: Update) -> None:
        """Let the terminal show that, now or with the next frame."""
        width, height = self._app.size
        if (width, height) != (self._grid.width, self._grid.height):
            self._grid = Grid(width, height)
        self._grid.take(update, self._app.console._color_system or ColorSystem.TRUECOLOR)
        self._go()

    def _go(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None
        if not self._taken or not self._grid.changed:
            return
        wait = self._pace.wait(self._now, drained=self._screen.drained)
        if wait > 0:
            self._again = self._loop.call_later(wait, self._go)
            return
        frame = self._grid.frame()
        if not frame:
            return
        if (place := self._app.cursor_position) != (0, 0):
            frame += f"\x1b[{place.y + 1};{place.x + 1}H"  # where an input method opens its window
        if self._app._sync_available:
            frame = SYNC_START + frame + SYNC_END
        self._screen.write(frame + self._pace.sent(self._now, len(frame)))
