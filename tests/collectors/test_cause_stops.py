"""Stops as dockerd 26.1.5 tells of them: `stop` and `die` race."""

from __future__ import annotations

from .watched import Watched, container


def test_a_stop_is_one_record_whichever_of_its_events_comes_first() -> None:
    """From Docker 23 on `stop` mostly comes before `die`, which then says the code; again and again, and no trouble."""
    for order in ("die({}) stop", "stop die({})"):
        watched = Watched()
        one = container()
        watched.list("h1", one)
        for code in (143, 0):
            watched.play(f"kill(15) {order.format(code)}", one)
            watched.clock.advance(30)
            watched.play("start", one)
            watched.clock.advance(30)
        assert watched.told() == [
            "stopped by someone (exit 143)",
            "started by someone",
            "stopped by someone (exit 0)",
            "started by someone",
        ], order
        assert [(record.action, record.exit_code) for record in watched.records()][::2] == [("stop", 143), ("stop", 0)]
        assert not any(record.trouble for record in watched.records())


def test_a_crash_after_a_stop_and_a_start_is_a_crash() -> None:
    """What `stop` left to be said ends with the next start."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    watched.play("kill(15) stop start", one)
    watched.clock.advance(30)
    watched.play("die(1)", one)
    assert watched.told()[-1] == "exited 1 by itself"
