"""The garbage collector stays out of the way of the first screen, and comes back behind it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fleettop.collectors.config import Config
from fleettop.tui import loading
from fleettop.tui.app import FleetApp


@pytest.fixture
def begun() -> Iterator[None]:
    """A dashboard is being opened."""
    thresholds = gc.get_threshold()
    loading.begin()
    yield
    gc.set_threshold(*thresholds)
    gc.enable()
    gc.unfreeze()


async def test_nothing_is_collected_until_the_first_frame_stands(begun: None, eventually: Callable[..., Any]) -> None:
    """From then on what was made before is left alone, and the rest is collected as ever."""
    assert not gc.isenabled()
    frozen = gc.get_freeze_count()
    async with FleetApp((), Config()).run_test():
        await eventually(gc.isenabled)
        assert gc.get_freeze_count() > frozen


async def test_nothing_is_kept_for_good_where_no_program_was_loaded() -> None:
    """Else each app of a test would stay."""
    frozen = gc.get_freeze_count()
    loading.done()
    loading.met()
    assert gc.get_freeze_count() == frozen


def test_what_stands_when_the_fleet_is_met_is_left_alone(begun: None) -> None:
    """A thousand engines' tasks and sockets are not gone through with each full collection."""
    loading.done()
    frozen, link = gc.get_freeze_count(), [[]]  # type: ignore[var-annotated]
    loading.met()
    assert gc.get_freeze_count() > frozen
    assert link == [[]]


async def test_the_first_screen_has_the_theme_that_was_chosen() -> None:
    """Its colours are those of the theme though nothing was parsed for it before the screen was there."""
    app = FleetApp((), Config(), theme="fleettop-light")
    async with app.run_test():
        ground = app.current_theme.background
        assert ground is not None
        assert app.screen.styles.background.hex.lower() == ground.lower()
        assert app.stylesheet._variables["background"].lower() == ground.lower()
