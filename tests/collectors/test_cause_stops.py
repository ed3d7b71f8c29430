"""Ends as dockerd 26.1.5 tells of them: `stop` and `die` race, and what was connected is disconnected before both.

An inspect may be quicker than the last of them.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from fleettop.collectors.cause import chronicle
from fleettop.collectors.model import Container

from .test_deeds import NETWORK, thing
from .watched import NOON, Watched, container

APART = container(identifier="c" * 64, started_at=NOON - timedelta(hours=1))
RUNNING = msgspec.structs.replace(APART, networks=("back",))


def play(watched: Watched, script: str, one: Container = RUNNING) -> None:
    """The events in turn, those of its network among them."""
    for step in script.split():
        if step in ("connect", "disconnect"):
            thing(watched, "network", step, id=NETWORK, name="back", container=one.id)
            watched.clock.advance(0.01)
        else:
            watched.play(step, one)


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


@pytest.mark.parametrize(
    ("script", "what"),
    [
        ("disconnect die(1)", "exited 1 by itself"),
        ("disconnect die(1) connect start", "exited 1 by itself, started again by its restart policy"),
        ("kill(9) disconnect die(137)", "killed by someone (SIGKILL, exit 137)"),
        ("kill(9) disconnect die(137) destroy", "removed by force by someone (exit 137)"),
        ("kill(15) disconnect stop die(0)", "stopped by someone (exit 0)"),
        ("kill(15) disconnect die(0) stop", "stopped by someone (exit 0)"),
        ("kill(15) disconnect stop die(0) connect start restart", "restarted by someone (exit 0)"),
    ],
)
def test_a_disconnect_that_comes_just_before_an_end_is_nobodys_deed(script: str, what: str) -> None:
    """The engine takes a container off its networks as it ends: one record, of the end, whenever it is read again."""
    watched = Watched()
    watched.list("h1", RUNNING)
    play(watched, script)
    watched.see(msgspec.structs.replace(RUNNING, command="another"))
    assert watched.told() == [what]


def test_a_disconnect_long_before_an_end_is_somebodys() -> None:
    """Also where the container was not read again in between."""
    watched = Watched()
    watched.list("h1", RUNNING)
    play(watched, "disconnect")
    watched.clock.advance(30)
    play(watched, "die(1)")
    assert watched.told() == ["disconnected from network back by someone", "exited 1 by itself"]


def test_a_disconnect_is_told_with_what_is_read_after_it_and_not_with_what_was_read_before() -> None:
    """An answer that still has the network was on its way when it went."""
    watched = Watched()
    watched.list("h1", RUNNING)
    play(watched, "disconnect")
    watched.see(msgspec.structs.replace(RUNNING, command="another"))
    assert watched.told() == []
    watched.see(APART)
    assert watched.told() == ["disconnected from network back by someone"]


def test_a_disconnect_of_what_was_read_without_that_network_is_told_at_once() -> None:
    """The reading was quicker than the event: there will be none that says more."""
    watched = Watched()
    watched.list("h1", APART)
    play(watched, "disconnect")
    assert watched.told() == ["disconnected from network back by someone"]


def test_a_disconnect_and_a_connect_by_somebody_are_told_in_their_order() -> None:
    """What comes after it settles it."""
    watched = Watched()
    watched.list("h1", RUNNING)
    play(watched, "disconnect connect")
    assert watched.told() == ["disconnected from network back by someone", "connected to network back by someone"]


def test_a_disconnect_before_a_kill_is_somebodys() -> None:
    """The engine disconnects what ends after the signal, not before it."""
    watched = Watched()
    watched.list("h1", RUNNING)
    play(watched, "disconnect kill(9) disconnect die(137)")
    assert watched.told() == ["disconnected from network back by someone", "killed by someone (SIGKILL, exit 137)"]


@pytest.mark.parametrize(
    ("script", "what"),
    [
        ("kill(9) die(137)", "removed by force by someone (exit 137)"),
        ("kill(15) die(143) stop", "stopped and removed by someone (exit 143)"),
        ("die(0)", "exited 0 by itself, then removed"),
    ],
)
def test_one_that_an_inspect_finds_gone_before_its_removal_is_heard_is_told_as_one_deed(script: str, what: str) -> None:
    """Events are gathered for a moment, so the answer to an inspect may overtake the last one."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    watched.play(script, one)
    watched.see(gone=(one.id,))
    watched.play("destroy", one)
    assert watched.told() == [what]


def test_cases_of_what_is_gone_are_kept_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removals that are never heard keep nothing for ever; what comes late of those is told as what it says."""
    monkeypatch.setattr(chronicle, "PARTING", 1)
    watched = Watched()
    one, other = container(), container(name="other", identifier="other")
    watched.list("h1", one, other)
    watched.play("kill(9) die(137)", one)
    watched.play("kill(9) die(137)", other)
    watched.see(gone=(one.id, other.id))
    watched.play("destroy", one)
    watched.play("destroy", other)
    killed, forced = "killed by someone (SIGKILL, exit 137)", "removed by force by someone (exit 137)"
    assert watched.told() == [killed, forced, "removed by someone"]
