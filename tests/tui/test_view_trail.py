"""What the rows of the Trail say."""

from __future__ import annotations

from datetime import UTC

from fleettop.tui.views.base import Moment
from fleettop.tui.views.trail import TrailView

from ..collectors.watched import Watched, container


def test_a_folded_loop_is_told_in_the_words_of_its_cause() -> None:
    """How often and since when stands with what happened, and once."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    for _ in range(9):
        watched.play("die(1) start", one, pause=2)
    watched.fleet.take_changes()
    (record,) = watched.records()
    assert record.first is not None
    moment = Moment(watched.clock.now().astimezone(UTC), watched.clock.monotonic())
    row = TrailView().row(watched.fleet, record.key, moment)
    assert row is not None
    since = record.first.astimezone().strftime("%H:%M:%S")
    assert row.cells[4].text == f"exited 1 by itself (9th since {since}), started again by its restart policy"
