"""When a screen is drawn again because time has passed."""

from __future__ import annotations

from fleettop.tui.screens.pulse import Due, Pulse


def test_what_shows_seconds_is_drawn_each_second_while_something_is_wrong() -> None:
    """An outage's clock does not skip."""
    pulse = Pulse()
    assert [pulse.beat(calm=False) for _ in range(9)] == [Due.SECONDS] * 9


def test_a_calm_screen_goes_on_every_other_second() -> None:
    """Whatever changed in between was drawn, and counts."""
    pulse = Pulse()
    assert [pulse.beat(calm=True) for _ in range(4)] == [Due.NOTHING, Due.SECONDS, Due.NOTHING, Due.SECONDS]
    assert [pulse.beat(calm=calm) for calm in (False, True, True)] == [Due.SECONDS, Due.NOTHING, Due.SECONDS]


def test_minutes_go_on_every_ten_seconds_calm_or_not() -> None:
    """No row shows an age that is more than that behind."""
    for calm in (True, False):
        pulse = Pulse()
        beats = [pulse.beat(calm=calm) for _ in range(30)]
        assert [second for second, due in enumerate(beats, 1) if due is Due.ALL] == [10, 20, 30], calm
