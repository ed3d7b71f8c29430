"""Between the fleet and the screen: how soon what changed is handed over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from fleettop.collectors.fleet import Changed
from fleettop.collectors.session import Session
from fleettop.tui import bridge as module
from fleettop.tui.bridge import FRAME, LASTING, LONG_REST, MOST, QUICK, QUICK_ONES, QUIET, REST, Bridge, Pauses


class Hand:
    """Hands over as often as it is told, each time for as long."""

    def __init__(self) -> None:
        self.pauses = Pauses()
        self.now = 100.0

    def over(self, took: float, *, complete: bool = True) -> float:
        """The rest after one hand-over, which passes."""
        self.pauses.begin(self.now)
        self.now += took
        pause = self.pauses.next(self.now, complete=complete)
        self.now += pause
        return pause


def test_the_first_changes_after_a_quiet_time_are_followed_closely() -> None:
    """What is seen of a container that ends comes in a few parts."""
    hand = Hand()
    assert [hand.over(0.001) for _ in range(QUICK_ONES + 1)] == [QUICK] * QUICK_ONES + [FRAME]
    hand.now += QUIET * 1.1
    assert hand.over(0.001) == QUICK


def test_a_storm_has_a_bounded_share_of_the_processor_and_less_once_it_lasts() -> None:
    """The rest is a multiple of what the hand-over took, and a long rest is no quiet time."""
    hand = Hand()
    rests = [hand.over(0.02) for _ in range(LASTING + 100)]
    assert abs(rests[LASTING - 1] - 0.02 * REST) < 1e-9
    assert all(abs(rest - 0.02 * LONG_REST) < 1e-9 for rest in rests[LASTING:])


def test_one_costly_hand_over_holds_up_nothing() -> None:
    """Ten thousand rows sorted anew, once: what comes next is shown within half a second."""
    hand = Hand()
    for _ in range(20):
        hand.over(0.004)
    assert hand.over(0.15) < 0.15
    assert max(hand.over(0.15) for _ in range(50)) == MOST


def test_a_cheap_hand_over_rests_for_a_frame_however_long_the_storm_lasts() -> None:
    """A small fleet is shown as it is, at every frame."""
    hand = Hand()
    assert [hand.over(0.001) for _ in range(LASTING + 5)][-1] == FRAME


def test_a_fleet_that_is_being_met_is_shown_frame_by_frame() -> None:
    """Nothing is held back until all of it is here."""
    hand = Hand()
    assert [hand.over(0.2, complete=False) for _ in range(LASTING + 5)][-1] == FRAME


class Restless:
    """A session of which something changes whenever time passes."""

    def __init__(self) -> None:
        self.fleet = self
        self.on_change: Callable[[], None] = lambda: None
        self.taken = 0
        self.pending, self.complete = False, True

    def tick(self) -> None:
        self.on_change()

    def take_changes(self, budget: float) -> Changed:
        self.taken += 1
        return Changed(swarms=True)


async def test_what_changes_with_time_is_handed_over_once(
    monkeypatch: pytest.MonkeyPatch, eventually: Callable[..., Any]
) -> None:
    """Where a hand-over is due, the second that passed is told with it: a storm's rests are not broken each second."""
    monkeypatch.setattr(module, "TICK", 0.01)
    session, shown, ticked = Restless(), list[Changed](), list[Changed]()
    task = asyncio.ensure_future(Bridge(cast("Session", session), shown.append, ticked.append).run())
    await eventually(lambda: len(ticked) > 3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not shown
    assert session.taken == len(ticked)
