"""How long a service did not serve, from looks at it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from fleettop.collectors.model import ContainerState, Health, ServiceKey
from fleettop.collectors.outages.lapses import Lapse, Why, key_of
from fleettop.collectors.outages.spans import DAY, HOUR, Span, availability, common, minus, within
from hypothesis import given
from hypothesis import strategies as st

from .watched import NOON, Watched, compose, container

PAY = ServiceKey("compose", "pay", "api")
RUNNING, EXITED = ContainerState.RUNNING, ContainerState.EXITED


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def api(number: int = 1, engine: str = "h1", **more: object):
    return container(engine, f"pay-api-{number}", labels=compose("pay", "api", number), **more)


def look(watched: Watched) -> None:
    watched.fleet.take_changes()


def served(watched: Watched, *containers: object) -> None:
    """They serve, and that is seen."""
    watched.list("h1", *containers)
    look(watched)


def spans(watched: Watched, why: Why = Why.OUTAGE) -> list[tuple[float, float | None]]:
    """Begin and length of the lapses that are to be written, in seconds from noon."""
    return [
        ((lapse.begin - NOON).total_seconds(), (lapse.end - lapse.begin).total_seconds() if lapse.end else None)
        for lapse in watched.fleet.outages.take_unwritten(watched.clock.now())
        if lapse.why is why
    ]


def dead(at: float, **more: object) -> dict[str, object]:
    found = {"state": EXITED, "exit_code": 1, "finished_at": NOON + seconds(at), "restart_policy": "no"}
    return {**found, **more}


def back(ended: float, started: float) -> dict[str, object]:
    return {"finished_at": NOON + seconds(ended), "started_at": NOON + seconds(started), "restart_policy": "no"}


# -- one service


def test_an_outage_runs_from_the_last_end_to_the_first_start_by_the_engines_clock() -> None:
    """When it was looked at plays no part."""
    watched = Watched()
    served(watched, api())
    watched.clock.advance(10)
    watched.see(api(**dead(7.25)))
    look(watched)
    assert watched.fleet.outages.began(PAY) == NOON + seconds(7.25)
    watched.clock.advance(20)
    watched.see(api(**back(7.25, 25.5)))
    look(watched)
    assert spans(watched) == [(7.25, 18.25)]


def test_an_engines_clock_that_is_wrong_is_put_on_ours() -> None:
    """Four minutes of skew make no outage of four minutes."""
    watched = Watched(empty=False)
    watched.up(skew=240.0)
    served(watched, api())
    watched.clock.advance(3)
    watched.see(api(**dead(241)))
    look(watched)
    watched.clock.advance(3)
    watched.see(api(**back(241, 244)))
    look(watched)
    assert spans(watched) == [(1, 3)]


def test_what_was_away_between_two_looks_is_found_afterwards() -> None:
    """A restart within one frame is an outage all the same."""
    watched = Watched()
    served(watched, api())
    watched.clock.advance(10)
    watched.see(api(**back(8, 8.5)))
    look(watched)
    assert spans(watched) == [(8, 0.5)]


def test_as_long_as_one_replica_serves_there_is_no_outage() -> None:
    """Replicas that are replaced one after the other leave none."""
    watched = Watched()
    served(watched, api(1), api(2))
    watched.clock.advance(10)
    watched.see(api(1, **back(5, 6)))
    look(watched)
    watched.clock.advance(10)
    watched.see(api(2, **back(15, 16)))
    look(watched)
    assert spans(watched) == []


def test_replicas_that_are_all_away_at_once_are_an_outage_as_long_as_all_were() -> None:
    """From the end of the last to the start of the first."""
    watched = Watched()
    served(watched, api(1), api(2))
    watched.clock.advance(20)
    watched.see(api(1, **back(5, 9)), api(2, **back(7, 12)))
    look(watched)
    assert spans(watched) == [(7, 2)]


def test_a_container_made_anew_is_compared_with_the_one_it_replaces() -> None:
    """Compose removes the old one before the new one runs; its end is known from its events."""
    watched = Watched()
    served(watched, api(identifier="old"))
    watched.clock.advance(5)
    watched.play("kill(15) die(143) stop destroy", api(identifier="old"), pause=0.0)
    watched.clock.advance(5)
    watched.see(api(identifier="new", created=NOON + seconds(8), started_at=NOON + seconds(8.5)), gone=("old",))
    look(watched)
    assert spans(watched) == [(5, 3.5)]


def test_what_is_stopped_and_started_again_at_once_was_restarted() -> None:
    """The outside saw it away, whoever wanted it."""
    watched = Watched()
    served(watched, api())
    watched.clock.advance(1)
    watched.play("kill(15) die(143) stop", api(), pause=0.0)
    watched.see(api(**dead(1, exit_code=143)))
    look(watched)
    watched.clock.advance(4)
    watched.see(api(**back(1, 4)))
    look(watched)
    assert spans(watched) == [(1, 3)]


def test_what_somebody_stops_for_longer_rests_and_is_not_away() -> None:
    """It was wanted so: no alarm, and no downtime."""
    watched = Watched()
    served(watched, api())
    watched.clock.advance(1)
    watched.play("kill(15) die(143) stop", api(), pause=0.0)
    watched.see(api(**dead(1, exit_code=143)))
    look(watched)
    assert watched.fleet.outages.open() == {}
    watched.clock.advance(600)
    watched.see(api(**back(1, 590)))
    look(watched)
    assert spans(watched, Why.REST) == [(1, 589)]
    found = watched.fleet.outages.availability(PAY, ("h1",), watched.clock.now(), seconds(600))
    assert (found.down, round(found.up)) == (0, 11)


def test_the_first_start_of_a_service_is_no_outage() -> None:
    """It never served before."""
    watched = Watched()
    watched.list("h1", api(health=Health.STARTING, created=NOON, started_at=NOON))
    look(watched)
    watched.clock.advance(30)
    assert watched.fleet.outages.open() == {}


def test_a_health_check_that_fails_is_an_outage_until_it_succeeds() -> None:
    """Running is not serving."""
    watched = Watched()
    served(watched, api(health=Health.HEALTHY))
    watched.clock.advance(5)
    watched.event("health_status", api(), argument="unhealthy")
    watched.see(api(health=Health.UNHEALTHY))
    look(watched)
    watched.clock.advance(10)
    watched.event("health_status", api(), argument="healthy")
    watched.see(api(health=Health.HEALTHY))
    look(watched)
    assert spans(watched) == [(5, 10)]


def test_a_pause_is_an_outage_until_it_is_over() -> None:
    """A paused program answers nobody, and its container says nothing of a start."""
    watched = Watched()
    served(watched, api())
    watched.clock.advance(5)
    watched.event("pause", api())
    watched.see(api(state=ContainerState.PAUSED))
    look(watched)
    watched.clock.advance(10)
    watched.event("unpause", api())
    watched.see(api())
    look(watched)
    assert spans(watched) == [(5, 10)]


def test_outages_that_follow_each_other_within_seconds_are_kept_apart() -> None:
    """None takes another's place."""
    watched = Watched()
    served(watched, api())
    for ended, started in ((1, 2), (3, 4), (5, 6)):
        watched.clock.wall = NOON + seconds(started)
        watched.see(api(**back(ended, started)))
        look(watched)
    assert spans(watched) == [(1, 1), (3, 1), (5, 1)]


def test_an_outage_that_goes_on_is_written_down_after_a_while() -> None:
    """One of a moment needs only one line."""
    watched = Watched()
    served(watched, api())
    watched.clock.advance(2)
    watched.see(api(**dead(1)))
    look(watched)
    assert spans(watched) == []
    watched.clock.advance(10)
    assert spans(watched) == [(1, None)]
    assert spans(watched) == []


# -- a host that cannot be seen


def test_a_service_is_not_away_while_hosts_that_may_serve_it_were_not_heard() -> None:
    """At the start one host answers before the others; its dead replica is no outage if another serves."""
    watched = Watched("h1", "h2", empty=False)
    watched.up("h1")
    watched.list("h1", api(1, **dead(-5)))
    look(watched)
    watched.clock.advance(3)
    assert watched.fleet.outages.open() == {}
    watched.up("h2")
    watched.list("h2", api(2, "h2"))
    look(watched)
    assert spans(watched) == []


def test_a_host_that_cannot_be_reached_does_not_hide_what_the_others_tell() -> None:
    """Nobody waits for it for ever."""
    watched = Watched("h1", "h2", empty=False)
    watched.up("h1")
    watched.list("h1", api(1, **dead(-5)))
    look(watched)
    watched.down("h2")
    look(watched)
    assert watched.fleet.outages.began(PAY) == NOON - seconds(5)


def test_what_served_before_and_after_a_lost_link_without_a_turn_was_not_away() -> None:
    """Its replica says since when it runs."""
    watched = Watched()
    served(watched, api())
    watched.down()
    look(watched)
    watched.clock.advance(60)
    watched.up()
    watched.list("h1", api())
    look(watched)
    assert spans(watched) == spans(watched, Why.UNSURE) == []


def test_an_outage_behind_a_lost_link_is_found_when_it_is_back() -> None:
    """The replica says when it ended and when it started."""
    watched = Watched()
    served(watched, api())
    watched.clock.advance(1)
    watched.down()
    look(watched)
    watched.clock.advance(60)
    watched.up()
    watched.list("h1", api(**back(20, 31)))
    look(watched)
    assert spans(watched) == [(20, 11)]


def test_an_outage_goes_on_behind_a_lost_link() -> None:
    """What was away when last seen is not taken to be back."""
    watched = Watched()
    served(watched, api())
    watched.clock.advance(5)
    watched.see(api(**dead(4)))
    look(watched)
    watched.down()
    look(watched)
    watched.clock.advance(60)
    assert list(watched.fleet.outages.open()) == [PAY]


# -- what an earlier process knew


def lapse(begin: float, end: float | None = None, told: tuple[str, ...] = ()) -> Lapse:
    at = NOON + seconds(begin)
    over = NOON + seconds(end) if end is not None else None
    return Lapse(service=PAY, begin=at, end=over, key=key_of(PAY, at), told=told)


def test_a_loop_that_an_earlier_process_saw_begin_goes_on_from_there() -> None:
    """Its container only tells of its last end."""
    watched = Watched()
    watched.fleet.outages.recall([lapse(-600, told=("warn",))])
    watched.list("h1", api(**dead(-5, started_at=NOON - seconds(7), restart_count=40)))
    look(watched)
    (going,) = watched.fleet.outages.open().values()
    assert (going.begin, going.told, going.key) == (NOON - seconds(600), ("warn",), lapse(-600).key)
    assert watched.service().down_since == NOON - seconds(600)


def test_it_makes_no_difference_whether_the_trail_or_the_engine_answers_first() -> None:
    """The present is shown before the past is read."""
    watched = Watched()
    watched.list("h1", api(**dead(-5, started_at=NOON - seconds(7), restart_count=40)))
    look(watched)
    watched.fleet.outages.recall([lapse(-600)])
    assert watched.fleet.outages.began(PAY) == NOON - seconds(600)


def test_what_served_in_between_is_another_outage() -> None:
    """Nobody watched, but its container ran long enough to count."""
    watched = Watched()
    watched.fleet.outages.recall([lapse(-6000)])
    watched.play("die(1)", api(started_at=NOON - seconds(300)), pause=0.0)
    watched.list("h1", api(**dead(0, started_at=NOON - seconds(300))))
    look(watched)
    assert watched.fleet.outages.began(PAY) == NOON
    assert [(one.begin, one.end) for one in watched.fleet.outages.past(PAY)] == [
        (NOON, None),
        (NOON - seconds(6000), NOON - seconds(300)),
    ]


AGAIN = {"state": ContainerState.RESTARTING, "restart_policy": "always"}
LOOP = {"created": NOON - seconds(60), "started_at": NOON - seconds(7), "restart_count": 9, **AGAIN}
"""A container that has never run for long: all that its engine tells is that it may have looped since it was made."""


@pytest.mark.parametrize("trail_first", [True, False])
def test_an_outage_never_reaches_back_into_one_that_was_over(trail_first: bool) -> None:
    """A loop was away, served for a second as its engine came up, and is away again when another process begins."""
    watched = Watched()
    known = [lapse(-58, -20), lapse(-19)]
    if trail_first:
        watched.fleet.outages.recall(known)
    watched.list("h1", api(**dead(-6, **LOOP)))
    look(watched)
    if not trail_first:
        assert watched.fleet.outages.began(PAY) == NOON - seconds(60)
        watched.fleet.outages.recall(known)
    assert [(one.begin, one.end, one.key) for one in watched.fleet.outages.past(PAY)] == [
        (NOON - seconds(19), None, known[1].key),
        (NOON - seconds(58), NOON - seconds(20), known[0].key),
    ]


@pytest.mark.parametrize("trail_first", [True, False])
def test_where_the_later_outage_was_not_written_it_begins_where_the_one_before_was_over(trail_first: bool) -> None:
    """That is the earliest it can have begun, and is told as such."""
    watched = Watched()
    if trail_first:
        watched.fleet.outages.recall([lapse(-58, -20)])
    watched.list("h1", api(**dead(-6, **LOOP)))
    look(watched)
    if not trail_first:
        watched.fleet.outages.recall([lapse(-58, -20)])
    (going,) = watched.fleet.outages.open().values()
    assert (going.begin, going.certain) == (NOON - seconds(20), False)


def test_an_outage_that_another_process_ends_first_leaves_nothing_behind_it() -> None:
    """It heard of the start a moment before us; what we then see is not another outage of no length."""
    watched = Watched()
    served(watched, api())
    watched.clock.advance(1)
    watched.play("die(1)", api(), pause=0.0)
    watched.see(api(**dead(1)))
    look(watched)
    watched.clock.advance(3)
    watched.fleet.outages.recall([lapse(1, 4)])
    watched.see(api(**back(1, 4)))
    look(watched)
    assert spans(watched) == []
    assert [one.end for one in watched.fleet.outages.past(PAY)] == [NOON + seconds(4)]


def test_a_begin_that_is_known_is_not_put_off_by_one_that_may_be() -> None:
    """Who watched from the first crash on knows better than the engine's counter."""
    watched = Watched()
    watched.fleet.outages.recall([lapse(-50)])
    watched.list("h1", api(**dead(-6, **LOOP)))
    look(watched)
    (going,) = watched.fleet.outages.open().values()
    assert (going.begin, going.certain) == (NOON - seconds(50), True)


def test_an_outage_that_ended_while_nobody_watched_ends_when_its_replica_started() -> None:
    """Not when somebody looked again."""
    watched = Watched()
    watched.fleet.outages.recall([lapse(-600)])
    watched.list("h1", api(**back(-600, -200)))
    look(watched)
    assert spans(watched) == [(-600, 400)]


def test_replicas_that_came_and_went_unwatched_leave_a_span_that_is_not_known() -> None:
    """Only their last turn can be told; before it, they may have been away or not."""
    watched = Watched()
    served(watched, api(**back(-20, -10)))
    watched.fleet.outages.unsure(PAY, NOON - seconds(100), NOON - seconds(10))
    lapses = watched.fleet.outages.take_unwritten(NOON)
    assert [(one.why, one.begin, one.end) for one in lapses] == [
        (Why.OUTAGE, NOON - seconds(20), NOON - seconds(10)),
        (Why.UNSURE, NOON - seconds(100), NOON - seconds(20)),
    ]


# -- what it comes to


def test_what_nobody_watched_is_unknown_and_never_up() -> None:
    """Before the first look nothing is known."""
    watched = Watched()
    served(watched, api())
    watched.clock.advance(900)
    found = watched.fleet.outages.availability(PAY, ("h1",), watched.clock.now(), HOUR)
    assert (found.up, found.down, found.unknown) == (900, 0, 2700)


def test_a_gap_of_one_engine_is_unknown_only_where_no_other_could_tell() -> None:
    """A service on two hosts is known as long as one of them is heard."""
    ledger = Watched().fleet.outages
    ledger.known_since(NOON - DAY)
    ledger.gap("h1", NOON - seconds(100), NOON - seconds(50))
    ledger.gap("h2", NOON - seconds(60), None)
    assert ledger.availability(PAY, ("h1",), NOON, HOUR).unknown == 50
    assert ledger.availability(PAY, ("h2",), NOON, HOUR).unknown == 60
    assert ledger.availability(PAY, ("h1", "h2"), NOON, HOUR).unknown == 10


def test_gaps_of_hundreds_of_engines_that_overlap_are_gone_over_once_each() -> None:
    """A line that comes and goes leaves several on each host, told one over the other: they are not multiplied."""
    ledger = Watched().fleet.outages
    ledger.known_since(NOON - DAY)
    hosts = [f"h{number}" for number in range(400)]
    for host in hosts:
        for begin, end in ((90, 40), (80, 50), (60, 30), (45, 20), (15, 10)):
            ledger.gap(host, NOON - seconds(begin), NOON - seconds(end))
        ledger.gap(host, NOON - seconds(12), None)
    found = ledger.availability(PAY, hosts, NOON, HOUR)
    assert (found.unknown, found.down) == (70 + 15, 0)


def test_an_outage_that_is_certain_counts_in_a_gap_too() -> None:
    """The engine told of it afterwards."""
    ledger = Watched().fleet.outages
    ledger.known_since(NOON - DAY)
    ledger.gap("h1", NOON - seconds(100), NOON)
    ledger.recall([lapse(-80, -60)])
    found = ledger.availability(PAY, ("h1",), NOON, HOUR)
    assert (found.down, found.unknown, found.outages) == (20, 80, 1)
    assert found.share == 3500 / 3520


MOMENTS = st.integers(-50, 150).map(lambda at: NOON + seconds(at))
SPANS = st.lists(st.tuples(MOMENTS, MOMENTS).map(lambda pair: Span(min(pair), max(pair))), max_size=8)
WINDOW = Span(NOON, NOON + seconds(100))


def _in(spans: list[Span], at: datetime) -> bool:
    return any(span.begin <= at < span.end for span in spans)


@given(SPANS, SPANS, SPANS)
def test_every_second_of_a_window_is_of_one_kind(down: list[Span], dark: list[Span], rest: list[Span]) -> None:
    """Adding spans up says what looking at each second does; certain outages first, then rest, then gaps."""
    found = availability(WINDOW, within(WINDOW, down), unknown=dark, rest=rest)
    kinds = {"up": 0, "down": 0, "unknown": 0, "rest": 0}
    for number in range(100):
        at = NOON + seconds(number)
        kinds["down" if _in(down, at) else "rest" if _in(rest, at) else "unknown" if _in(dark, at) else "up"] += 1
    assert (found.up, found.down, found.unknown) == (kinds["up"], kinds["down"], kinds["unknown"])


@given(SPANS, SPANS)
def test_what_is_common_and_what_is_left_are_the_whole(one: list[Span], other: list[Span]) -> None:
    """Each second is in both, or only in the first, or in neither."""
    one, other = within(WINDOW, one), within(WINDOW, other)
    both, left = common(one, other), minus(one, other)
    for number in range(100):
        at = NOON + seconds(number)
        assert _in(both, at) == (_in(one, at) and _in(other, at))
        assert _in(left, at) == (_in(one, at) and not _in(other, at))
