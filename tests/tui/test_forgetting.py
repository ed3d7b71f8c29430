"""What was on the screen and is no longer takes no memory."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from fleettop.tui.screens.confirm import ConfirmScreen
from fleettop.tui.screens.help import HelpScreen
from fleettop.tui.screens.logs import LogScreen
from fleettop.tui.screens.page import PageScreen
from textual.screen import Screen

from .test_dashboard import dashboard


@pytest.mark.parametrize(
    ("key", "screen"),
    [("l", LogScreen), ("i", PageScreen), ("question_mark", HelpScreen), ("R", ConfirmScreen), ("w", PageScreen)],
)
async def test_a_screen_that_was_closed_is_forgotten(key: str, screen: type[Screen[Any]], eventually: Any) -> None:
    """Who opens logs all day has not all of them in memory in the evening."""
    async with dashboard() as (app, pilot):
        await eventually(lambda: app.dashboard.table.row_count > 3)
        await pilot.press("2", key)
        await eventually(lambda: isinstance(app.screen, screen))
        opened = weakref.ref(app.screen)
        await pilot.press("escape")
        await eventually(lambda: app.screen is app.dashboard)

        def forgotten() -> bool:
            gc.collect()
            return opened() is None

        await eventually(forgotten)
