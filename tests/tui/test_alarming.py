"""Alarms and outages on the screen: bell, notification, header, and the lines of a service."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fleettop.collectors.alarms.watchman import Watchman
from fleettop.collectors.config import Config
from fleettop.collectors.config.alarms import Alarms
from fleettop.collectors.model import ContainerState
from fleettop.tui.alarming import notification
from fleettop.tui.views import Moment
from fleettop.tui.views.headline import headline
from fleettop.tui.views.outages import outage_lines, share_words

from tests.collectors.watched import NOON, Watched, compose, container


def api(**more: object):
    return container("h1", "pay-api-1", labels=compose("pay", "api"), **more)  # type: ignore[arg-type]


def away(at: float) -> dict[str, object]:
    ended = NOON + timedelta(seconds=at)
    return {"state": ContainerState.EXITED, "exit_code": 1, "finished_at": ended, "restart_policy": "no"}


def text(lines: list[tuple[object, ...]]) -> list[str]:
    return ["".join(cell.text for cell in line).rstrip() for line in lines]  # type: ignore[attr-defined]


def moment(watched: Watched) -> Moment:
    return Moment(now=watched.clock.now(), monotonic=watched.clock.monotonic())


@pytest.mark.parametrize(
    ("kind", "term", "said"),
    [
        ("osc9", "xterm-256color", "\x1b]9;fleettop: pay/api; away\x07"),
        ("osc777", "xterm-256color", "\x1b]777;notify;fleettop;pay/api, away\x07"),
        ("off", "xterm-256color", ""),
        ("osc9", "linux", ""),
        ("osc9", "vt220", ""),
    ],
)
def test_a_notification_is_what_the_config_and_the_terminal_take(kind: str, term: str, said: str) -> None:
    """A console that would draw it gets none."""
    assert notification(kind, "pay/api; away", {"TERM": term}) == said


def test_a_notification_cannot_be_broken_out_of() -> None:
    """A service's name is foreign text."""
    assert notification("osc9", "x\x07\x1b]0;evil\x07y", {}).count("\x1b") == 1


def test_the_header_has_the_oldest_clock_in_the_colour_of_its_groups_threshold() -> None:
    """And in the place of the trail's trouble, that alarms do not arrive."""
    watched = Watched()
    watched.list("h1", api())
    watched.fleet.take_changes()
    config = Config(alarms=Alarms(downtime_page=30.0, webhook="https://hooks.example.org/s3cr3t"))
    watchman = Watchman(watched.fleet, config, watched.clock, environment={})
    watched.clock.advance(20)
    watched.see(api(**away(1)))
    watched.fleet.take_changes()
    facts = headline(watched.fleet, moment(watched), read_only=False, watchman=watchman)
    assert (facts.outage, facts.outage_role, facts.alarm) == (19, "age-warn", "")
    watched.clock.advance(20)
    watchman.outboxes[0].trouble = "webhook at hooks.example.org answered 500"
    facts = headline(watched.fleet, moment(watched), read_only=False, watchman=watchman)
    assert (facts.outage, facts.outage_role) == (39, "age-page")
    assert facts.alarm == "ALARMS NOT SENT: webhook at hooks.example.org answered 500"


def test_a_service_says_how_it_stood_and_when_it_was_away() -> None:
    """What is not known is said beside it, and the one that goes on runs."""
    watched = Watched()
    watched.fleet.outages.known_since(NOON - timedelta(days=2))
    watched.list("h1", api())
    watched.fleet.take_changes()
    for ended, started in ((60, 90), (300, None)):
        watched.clock.wall = NOON + timedelta(seconds=(started or ended + 60))
        watched.see(api(**away(ended)))
        watched.fleet.take_changes()
        if started is not None:
            began = {"started_at": NOON + timedelta(seconds=started), "finished_at": NOON + timedelta(seconds=ended)}
            watched.see(api(**began))
            watched.fleet.take_changes()
    lines = text(outage_lines(watched.fleet, watched.service(), moment(watched)))
    assert lines[1] == "availability"
    assert lines[2].split() == ["hour", "97.50%", "down", "1m", "30s", "in", "2"]
    assert lines[4].split()[-2:] == ["unknown", "27d"]
    assert lines[5].endswith("away since then, 1m")
    assert lines[6].endswith("away for 30s")


def test_what_is_not_known_at_all_is_not_said() -> None:
    """A service that is only now seen has no availability yet, and no outage."""
    watched = Watched()
    watched.list("h1", api())
    watched.fleet.take_changes()
    assert outage_lines(watched.fleet, watched.service(), moment(watched)) == []


@pytest.mark.parametrize(("share", "words"), [(1.0, "100%"), (0.999999, "99.99%"), (0.5, "50.00%"), (0.0, "0.00%")])
def test_availability_is_never_rounded_up_to_all(share: float, words: str) -> None:
    """Five nines of a month are not all of it."""
    assert share_words(share) == words
