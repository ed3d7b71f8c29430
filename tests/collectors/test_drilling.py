"""What a drill came to, read from what was told: only what happened in it counts, whenever it is told."""

from __future__ import annotations

from datetime import datetime, timedelta

from fleettop.collectors.actions.drilling import times
from fleettop.collectors.model import EngineEvent, Record, RecordKind, ServiceKey, Told

from .watched import NOON

WEB = ServiceKey("compose", "shop", "web")


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def told(action: str, seconds: float, *, engine: str = "h1", seen: float = 0.0, argument: str = "") -> Told:
    """The engine said so, by its own clock; `seen`: when fleettop knew of it."""
    moment = at(seconds)
    event = EngineEvent(
        engine=engine, time=moment, time_nano=int(moment.timestamp() * 1e9), type="container", action=action,
        argument=argument, id="c1", name="web-1", attributes={},
    )  # fmt: skip
    record = Record(
        id=1, kind=RecordKind.EVENT, time=moment, seen=at(seen), engine=engine, object_type="container", object_id="c1",
        object_name="web-1", action=action, what=action, service=WEB,
    )  # fmt: skip
    return Told(record=record, event=event)


def test_a_start_from_before_the_loss_that_is_told_after_it_is_no_recovery() -> None:
    """When a record grows, its old events are told late: only what came after the loss made it well again."""
    late = (told("die", 1.0, seen=1.2), told("start", -6.0, seen=1.3))
    assert times(late, begun=at(0), services={WEB}, over=True).back is None
    found = times((*late, told("start", 3.0, seen=3.1)), begun=at(0), services={WEB}, over=True)
    assert (found.detect, found.recover) == (1.2, 2.0)


def test_a_loss_from_before_the_drill_is_not_its_loss() -> None:
    """An end of yesterday that is read now is nothing that the drill did."""
    before = told("die", -60.0, seen=0.5)
    assert times((before,), begun=at(0), services={WEB}, over=True).lost is None
    found = times((before, told("die", 1.0, seen=1.2)), begun=at(0), services={WEB}, over=False)
    assert (found.lost, found.back) == (at(1.0), None)


def test_clocks_of_two_hosts_are_put_on_one_before_they_are_compared() -> None:
    """A swarm starts the other task on a host whose clock is a minute behind: that came after the loss nevertheless."""
    elsewhere = (told("die", 1.0, seen=1.2), told("start", 3.0 - 60.0, engine="h2", seen=3.1))
    found = times(elsewhere, begun=at(0), services={WEB}, over=True, skews={"h2": -60.0})
    assert (found.back, found.recover) == (at(-57.0), 2.0)
    assert times(elsewhere, begun=at(0), services={WEB}, over=True).back is None


def test_what_has_a_health_check_is_back_when_that_succeeds() -> None:
    """The newest of what says so is the moment."""
    found = times(
        (told("die", 1.0, seen=1.2), told("start", 2.0), told("health_status", 5.0, argument="healthy")),
        begun=at(0), services={WEB}, over=True,
    )  # fmt: skip
    assert found.recover == 4.0
