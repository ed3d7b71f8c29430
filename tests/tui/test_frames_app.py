"""The whole program: what it draws by frames is, cell by cell, what Textual itself would have drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fleettop.tui.app as app_module
import pyte
import pytest
from fleettop.collectors.config import Config
from fleettop.collectors.demo import DemoFleet
from fleettop.tui.app import FleetApp
from fleettop.tui.frames import Grid, Update
from rich.color import ColorSystem

from .test_frames_grid import CONSOLE, _look

KEYS = """
down down down 2 down 3 4 1 question_mark escape colon r e escape slash w e b enter escape escape l escape
i escape w escape R escape space down z z o O enter down escape 8 1 pagedown end home G g
"""
SIZES = ((80, 24), (200, 50))


class Compared(FleetApp):
    """Draws everything twice: by our frames, and as Textual does; keeps where they differ."""

    CSS_PATH = str(Path(app_module.__file__).with_name("fleettop.tcss"))
    grid = Grid(0, 0)
    frames_drawn = 0
    differences: list[str]

    def _display(self, screen: Any, renderable: Any) -> None:
        if isinstance(renderable, Update) and self._running and not self._batch_count:
            width, height = self.size
            if (self.grid.width, self.grid.height) != (width, height):
                self.grid = Grid(width, height)
                self.ours, self.textuals = pyte.Screen(width, height), pyte.Screen(width, height)
                self.streams = pyte.Stream(self.ours), pyte.Stream(self.textuals)
                for stream in self.streams:
                    stream.feed("\x1b[?7l")
            self.grid.take(renderable, ColorSystem.TRUECOLOR)
            self.streams[0].feed(self.grid.frame())
            self.streams[1].feed(renderable.render_segments(CONSOLE))
            self.frames_drawn += 1
        super()._display(screen, renderable)

    def compare(self, when: str) -> None:
        """Note where the two screens differ now."""
        for y in range(self.grid.height):
            if self.ours.buffer[y] == self.textuals.buffer[y]:
                continue
            for x in range(self.grid.width):
                ours, textuals = (_look(screen.buffer[y][x]) for screen in (self.ours, self.textuals))
                if ours != textuals:
                    self.differences.append(f"{when}: {x},{y}: {ours} for {textuals}")


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_every_screen_is_drawn_as_textual_would(size: tuple[int, int]) -> None:
    """Views, dialogs, palette, filter, help, logs, pages, marks, sorting, resizes: both ways of drawing agree."""
    async with DemoFleet(engines=3, containers=30, seed=3) as demo:
        app = Compared(demo.addresses, Config())
        app.differences = []
        async with app.run_test(size=size) as pilot:
            await app.session.settled(20)
            for key in KEYS.split():
                await pilot.press(key)
                await pilot.pause()
                app.compare(key)
            await pilot.resize_terminal(100, 30)
            await pilot.pause()
            app.compare("resize")
        assert app.differences == []
        assert app.frames_drawn > len(KEYS.split()) / 2
