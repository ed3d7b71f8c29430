"""Keys that arrive together are done one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from fleettop.tui.screens.confirm import ConfirmScreen
from fleettop.tui.screens.help import HelpScreen
from textual.app import App
from textual.events import Key
from textual.widgets import Input

from .test_dashboard import dashboard

Eventually = Callable[..., Any]


def arrive(app: App[Any], *keys: str) -> None:
    """As they do over a slow line: in one piece."""
    for key in keys:
        app.post_message(Key(key, key if len(key) == 1 else None))


async def test_what_is_typed_right_behind_the_filters_key_is_typed_into_it(eventually: Eventually) -> None:
    """Nothing of it is taken for a command of the table."""
    async with dashboard() as (app, _):
        arrive(app, "slash", *"kexR", "enter")
        await eventually(lambda: app.dashboard.place.filter == "kexR")
        assert app.screen is app.dashboard


async def test_what_is_typed_right_behind_escape_goes_to_what_escape_leads_back_to(eventually: Eventually) -> None:
    """It is neither lost nor given to the dialog that is gone."""
    async with dashboard() as (app, _):
        arrive(app, "question_mark", "escape", "2", "question_mark", "escape", "3")
        await eventually(lambda: app.dashboard.place.view == "hosts")
        assert app.screen is app.dashboard


async def test_a_reason_typed_right_behind_the_key_of_a_change_is_the_reason(eventually: Eventually) -> None:
    """Though its question has to be got ready first, for which engines may be asked."""
    async with dashboard() as (app, _):
        key = next(s.key for s in app.fleet.services.values() if s.serving == s.wanted and s.key.source == "compose")
        await eventually(lambda: app.dashboard.table.move_to(key))
        arrive(app, "R", *"quake 2x")
        await eventually(lambda: isinstance(app.screen, ConfirmScreen))
        await eventually(
            lambda: [field.value for field in app.screen.query(Input) if field.id == "reason"] == ["quake 2x"]
        )


async def test_a_key_that_is_never_done_with_holds_up_the_next_only_for_a_while(eventually: Eventually) -> None:
    """A question that does not come does not take the keys away."""
    async with dashboard() as (app, _):
        never = asyncio.Event()

        async def doing() -> None:
            await never.wait()

        app._act(doing())
        arrive(app, "question_mark")
        await eventually(lambda: isinstance(app.screen, HelpScreen))
        never.set()


async def test_a_key_that_is_handed_on_when_the_last_screen_has_gone_is_dropped() -> None:
    """Who types on while the program ends gets no traceback."""
    async with dashboard() as (app, pilot):
        await pilot.pause()
        key = Key("a", "a")
        key._set_forwarded()
        with patch.dict(app._screen_stacks, {app._current_mode: []}):
            await app.on_event(key)
        assert app.return_code is None
