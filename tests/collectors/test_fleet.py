"""The fleet takes in what is told and says what changed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from datetime import timedelta

import msgspec
import pytest
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.model import (
    Confirmed,
    Container,
    ContainerKey,
    ContainersSeen,
    ContainerState,
    EngineSeen,
    EventsSeen,
    Freshness,
    GapSeen,
    Health,
    LinkChanged,
    LinkPhase,
    LinkStatus,
    Listed,
    RecordKind,
    ServiceKey,
    ServiceState,
    Usage,
    UsageSeen,
    WordsSeen,
)
from fleettop.collectors.services import ServiceRule

from .watched import NOON, Watched, compose, container


def api(number: int = 1, engine: str = "h1", **more: object) -> Container:
    """A replica of pay/api."""
    return container(engine, f"pay-api-{number}", labels=compose("pay", "api", number), **more)  # type: ignore[arg-type]


PAY_API = ServiceKey("compose", "pay", "api")
DEAD = {"state": ContainerState.EXITED, "exit_code": 1, "restart_policy": "no", "finished_at": NOON}

# -- changes -----------------------------------------------------------------------------------------------------------


def test_only_what_changed_is_told() -> None:
    """The views redraw what is named, and nothing else."""
    watched = Watched()
    watched.list("h1", api(1), container(name="other"))
    watched.fleet.take_changes()
    watched.see(api(1, state=ContainerState.PAUSED))
    changed = watched.fleet.take_changes()
    assert changed.containers == {api(1).key}
    assert changed.services == {PAY_API}


def test_what_is_told_again_changes_nothing() -> None:
    """The safety re-list every minute repaints no row."""
    watched = Watched()
    watched.list("h1", api(1))
    watched.fleet.take_changes()
    watched.list("h1", api(1))
    changed = watched.fleet.take_changes()
    assert (changed.containers, changed.services) == (frozenset(), frozenset())


def test_nothing_new_is_false() -> None:
    """A tick without changes costs the screen nothing."""
    watched = Watched()
    watched.fleet.take_changes()
    assert not watched.fleet.take_changes()


def test_whoever_waits_is_woken_when_something_becomes_new() -> None:
    """The bridge need not poll."""
    watched = Watched()
    watched.fleet.take_changes()
    woken: list[int] = []
    watched.fleet.on_change = lambda: woken.append(1)
    watched.fleet.apply(Listed(engine="h1", containers=(), at=watched.clock.monotonic()))
    before = len(woken)
    watched.see(api(1))
    assert len(woken) > before


def test_an_engine_that_answers_as_before_wakes_nobody_and_is_told_all_the_same() -> None:
    """A thousand pings in ten seconds are told with the next tick, not in a frame for each."""
    watched = Watched()
    watched.fleet.take_changes()
    woken: list[int] = []
    watched.fleet.on_change = lambda: woken.append(1)
    watched.confirm()
    assert not woken
    changed = watched.fleet.take_changes()
    assert (changed.confirmed, changed.engines) == ({"h1"}, frozenset())
    assert not watched.fleet.take_changes()


def test_an_engine_that_answers_again_after_too_long_wakes_whoever_waits() -> None:
    """Its rows are live again, which is seen at once."""
    watched = Watched()
    watched.list("h1", api(1))
    watched.pass_time(120, answering=False)
    watched.fleet.take_changes()
    woken: list[int] = []
    watched.fleet.on_change = lambda: woken.append(1)
    watched.confirm()
    assert woken
    assert PAY_API in watched.fleet.take_changes().services


def test_the_commands_of_a_health_check_wake_nobody() -> None:
    """Three events for each check that is well: nothing is put together again for them."""
    watched = Watched()
    one = api(1, health=Health.HEALTHY, health_check=("CMD-SHELL", "test -f /ok"))
    watched.list("h1", one)
    watched.fleet.take_changes()
    woken: list[int] = []
    watched.fleet.on_change = lambda: woken.append(1)
    watched.event("exec_create", one, argument="/bin/sh -c test -f /ok")
    watched.event("exec_start", one, argument="/bin/sh -c test -f /ok")
    watched.event("exec_die", one)
    assert not woken
    watched.event("exec_create", one, argument="psql -c select")
    assert woken


def test_a_listing_replaces_what_was_listed_before() -> None:
    """What is not in it is gone, and so is its service."""
    watched = Watched()
    watched.list("h1", api(1), container(name="other"))
    watched.fleet.take_changes()
    watched.list("h1", container(name="other"))
    changed = watched.fleet.take_changes()
    assert api(1).key in changed.containers
    assert PAY_API in changed.services
    assert PAY_API not in watched.fleet.services


def test_a_row_that_made_no_sense_keeps_its_old_reading_and_is_doubted() -> None:
    """One bad container hides neither itself nor the others."""
    watched = Watched()
    watched.list("h1", api(1), api(2))
    watched.list("h1", api(2), refused=(api(1).id, "never-seen"))
    assert api(1).key in watched.fleet.containers
    assert watched.fleet.engines["h1"].doubtful == (api(1).id,)
    assert watched.fleet.container_freshness(api(1).key) is Freshness.STALE
    assert watched.fleet.container_freshness(api(2).key) is Freshness.LIVE
    assert watched.service().stale
    watched.see(api(1))
    assert watched.fleet.engines["h1"].doubtful == ()
    assert not watched.service().stale


def test_an_inspect_that_made_no_sense_keeps_its_old_reading_and_is_doubted() -> None:
    """Until a good one comes: its row in a list alone is none, where the list says that its inspect makes no sense."""
    watched = Watched()
    watched.list("h1", api(1), api(2))
    seen = ContainersSeen(engine="h1", refused=(api(1).id, "never-seen"), at=watched.clock.monotonic())
    watched.fleet.apply(seen)
    assert watched.fleet.engines["h1"].doubtful == (api(1).id,)
    assert watched.fleet.container_freshness(api(1).key) is Freshness.STALE
    assert watched.fleet.container_freshness(api(2).key) is Freshness.LIVE
    watched.see(api(2))
    watched.list("h1", api(1), api(2), refused=(api(1).id,))
    assert watched.fleet.container_freshness(api(1).key) is Freshness.STALE
    watched.see(api(1))
    assert watched.fleet.engines["h1"].doubtful == ()


def test_a_reading_newer_than_a_slow_listing_is_kept() -> None:
    """A listing tells how it was when it was asked for."""
    watched = Watched()
    watched.list("h1", api(1))
    asked = watched.clock.monotonic()
    watched.clock.advance(2)
    watched.see(api(1, state=ContainerState.PAUSED), api(2))
    watched.fleet.apply(Listed(engine="h1", containers=(api(1),), at=asked))
    assert watched.fleet.containers[api(1).key].state is ContainerState.PAUSED
    assert api(2).key in watched.fleet.containers


def test_a_container_that_vanishes_is_simply_gone() -> None:
    """No error, no row."""
    watched = Watched()
    watched.list("h1", api(1))
    watched.see(gone=(api(1).id,))
    watched.fleet.take_changes()
    assert (watched.fleet.containers, watched.fleet.services) == ({}, {})


def test_what_names_an_engine_that_is_not_configured_is_left_out() -> None:
    """It cannot be shown anywhere."""
    watched = Watched()
    watched.fleet.apply(Listed(engine="ghost", containers=(container("ghost"),)))
    assert watched.fleet.containers == {}


def test_use_of_a_container_that_is_gone_is_left_out() -> None:
    """A late sample revives nothing."""
    watched = Watched()
    watched.list("h1", api(1))
    usage = Usage(cpu=1.0, memory=1, memory_limit=None, received=None, sent=None, at=0.0)
    watched.fleet.apply(UsageSeen(engine="h1", usage={api(1).id: usage, "gone": usage}))
    assert dict(watched.fleet.usage) == {api(1).key: usage}
    assert watched.fleet.take_changes().usage == {api(1).key}


def test_a_container_that_takes_another_name_moves_to_another_service() -> None:
    """Its place is told anew from what it is now."""
    watched = Watched()
    one = container(name="old", identifier="c1")
    watched.list("h1", one)
    watched.see(container(name="new", identifier="c1"))
    watched.fleet.take_changes()
    assert [key.name for key in watched.fleet.services] == ["new"]


def test_rules_of_the_config_group_across_hosts() -> None:
    """One service over two hosts, by a label."""
    watched = Watched("h1", "h2", rules=(ServiceRule(label="app", template="{app}"),))
    for host in ("h1", "h2"):
        watched.list(host, container(host, "x", labels={"app": "ledger"}))
    service = watched.service()
    assert (service.name, service.hosts, service.wanted) == ("ledger", ("h1", "h2"), 2)


def test_members_and_places_can_be_asked_for() -> None:
    """Actions and details need the containers behind a service, and one-offs are none of them."""
    watched = Watched()
    once = container(name="once", labels=compose("pay", "api", oneoff="True"))
    watched.list("h1", api(1), once)
    watched.fleet.take_changes()
    assert [one.name for one in watched.fleet.members(PAY_API)] == ["pay-api-1"]
    assert watched.fleet.service_of(once.key) is None
    place = watched.fleet.place_of(once.key)
    assert place is not None
    assert place.key == PAY_API
    assert watched.fleet.service_of(ContainerKey("h1", "nobody")) is None


def test_the_containers_of_one_engine_can_be_asked_for() -> None:
    """Also where there are none, and of an engine nobody configured."""
    watched = Watched("h1", "h2", "h3")
    watched.list("h1", container("h1", "a"), container("h1", "b"))
    watched.list("h2", container("h2", "c"))
    fleet = watched.fleet
    assert fleet.containers_on("h1") == (("h1", "h1-a"), ("h1", "h1-b"))
    assert (fleet.containers_on("h3"), fleet.containers_on("nowhere")) == ((), ())
    watched.see(gone=("h1-a",))
    assert fleet.containers_on("h1") == (("h1", "h1-b"),)


def test_hosts_of_a_service_stand_in_the_order_of_the_config() -> None:
    """Not in the order in which they happened to answer."""
    watched = Watched("h2", "h1", "h10")
    for host in ("h10", "h1", "h2"):
        watched.list(host, api(1, host))
    assert watched.service().hosts == ("h2", "h1", "h10")


# -- freshness ---------------------------------------------------------------------------------------------------------


def test_freshness_follows_the_link_and_the_last_answer() -> None:
    """Never, live, late after 15 s of silence, stale without a link."""
    watched = Watched("h1", empty=False)
    assert watched.fleet.freshness("h1") is Freshness.NEVER
    watched.up("h1")
    assert watched.fleet.freshness("h1") is Freshness.NEVER
    watched.list("h1")
    assert watched.fleet.freshness("h1") is Freshness.LIVE
    watched.pass_time(15.5, answering=False)
    assert watched.fleet.freshness("h1") is Freshness.LATE
    watched.confirm("h1")
    assert watched.fleet.freshness("h1") is Freshness.LIVE
    watched.down("h1")
    assert watched.fleet.freshness("h1") is Freshness.STALE


def test_a_link_that_came_back_is_not_live_before_it_is_listed_again() -> None:
    """A ping says that the engine is there, not that our old list is right."""
    watched = Watched()
    watched.down("h1")
    watched.clock.advance(100)
    watched.up("h1")
    watched.confirm("h1")
    assert watched.fleet.freshness("h1") is Freshness.STALE
    watched.list("h1")
    assert watched.fleet.freshness("h1") is Freshness.LIVE


def _phase(watched: Watched, phase: LinkPhase) -> None:
    watched.fleet.apply(LinkChanged(engine="h1", link=LinkStatus(phase=phase, since=watched.clock.monotonic())))


def test_after_a_stop_the_last_state_stands_late_until_it_is_read_again() -> None:
    """F20: Ctrl-Z and on again: nothing flashes `unknown` while the links are opened anew."""
    watched = Watched("h1")
    watched.list("h1", api())
    assert watched.service().state is ServiceState.HEALTHY
    for phase in (LinkPhase.CLOSED, LinkPhase.CONNECTING, LinkPhase.UP):
        _phase(watched, phase)
        watched.fleet.tick()
        assert watched.fleet.freshness("h1") is Freshness.LATE, phase
        assert (watched.service().state, watched.service().stale) == (ServiceState.HEALTHY, True)
        watched.clock.advance(600 if phase is LinkPhase.CLOSED else 2)  # stopped for as long as one likes
    watched.list("h1", api())
    assert watched.fleet.freshness("h1") is Freshness.LIVE


def test_after_a_stop_what_is_not_read_again_in_time_is_unknown() -> None:
    """The grace is for links that come back at once; a link that fails has none."""
    watched = Watched("h1")
    watched.list("h1", api())
    _phase(watched, LinkPhase.CLOSED)
    _phase(watched, LinkPhase.CONNECTING)
    watched.clock.advance(5)
    watched.fleet.tick()
    assert watched.fleet.freshness("h1") is Freshness.STALE
    assert watched.service().state is ServiceState.UNKNOWN
    watched.up("h1")
    watched.list("h1", api())
    for phase in (LinkPhase.CLOSED, LinkPhase.CONNECTING, LinkPhase.DOWN, LinkPhase.CONNECTING):
        _phase(watched, phase)
    assert watched.fleet.freshness("h1") is Freshness.STALE
    _phase(watched, LinkPhase.CLOSED)
    _phase(watched, LinkPhase.CONNECTING)
    assert watched.fleet.freshness("h1") is Freshness.STALE


def test_time_alone_makes_readings_late_and_says_so() -> None:
    """Nothing is told by an engine that is silent: the tick finds out."""
    watched = Watched()
    watched.list("h1", api(1))
    watched.fleet.take_changes()
    watched.clock.advance(16)
    changed = watched.fleet.take_changes()
    assert "h1" in changed.engines
    assert PAY_API in changed.services


def test_a_lost_host_keeps_its_rows() -> None:
    """What was seen last stays on screen, greyed."""
    watched = Watched()
    watched.list("h1", api(1))
    watched.down("h1")
    assert api(1).key in watched.fleet.containers
    assert watched.fleet.engines["h1"].confirmed == watched.clock.monotonic()


def test_a_ping_confirms_and_brings_its_latency() -> None:
    """The hosts view shows both."""
    watched = Watched()
    watched.clock.advance(8)
    watched.fleet.apply(Confirmed(engine="h1", at=watched.clock.monotonic(), latency=0.023))
    status = watched.fleet.engines["h1"]
    assert (status.confirmed, status.link.latency) == (watched.clock.monotonic(), 0.023)


# -- one engine under two addresses ------------------------------------------------------------------------------------


def _twice(hostname: str = "web-1", identifier: str = "SAME") -> Watched:
    watched = Watched("one", "two", empty=False)
    watched.up("one", identifier="SAME", hostname="web-1")
    watched.list("one", api(1, "one", identifier="c1"))
    watched.up("two", identifier=identifier, hostname=hostname)
    return watched


def test_a_second_address_of_an_engine_is_marked_and_not_counted() -> None:
    """Every container would show twice."""
    watched = _twice()
    watched.list("two", api(1, "two", identifier="c1"))
    assert watched.fleet.engines["two"].same_as == "one"
    assert watched.fleet.engines["one"].same_as == ""
    assert (watched.service().wanted, watched.fleet.totals().hosts) == (1, 1)


def test_events_of_a_second_address_are_not_told_twice() -> None:
    """One record, not two."""
    watched = _twice()
    watched.event("die", api(1, "one", identifier="c1"), exitCode="1")
    watched.event("die", api(1, "two", identifier="c1"), exitCode="1")
    assert len(watched.told()) == 1


def test_cloned_machines_that_share_an_engine_id_are_two() -> None:
    """They differ in their host names."""
    watched = _twice(hostname="web-2")
    watched.list("two", api(1, "two", identifier="c2"))
    assert watched.fleet.engines["two"].same_as == ""
    assert watched.service().wanted == 2


def _two_podmans(hostname: str = "pod1") -> Watched:
    watched = Watched("one", "two", empty=False)
    watched.up("one", identifier="made-up-1", hostname="pod1", kind="podman")
    watched.up("two", identifier="made-up-2", hostname=hostname, kind="podman")
    watched.list("one", api(1, "one", identifier="c1"), api(2, "one", identifier="c2"))
    return watched


def test_two_podmans_that_have_a_container_in_common_are_one() -> None:
    """Its id is new with every answer; that of a container is 256 bits of chance."""
    watched = _two_podmans()
    watched.list("two", api(2, "two", identifier="c2"))
    assert watched.fleet.engines["two"].same_as == "one"
    assert set(watched.fleet.containers) == {ContainerKey("one", "c1"), ContainerKey("one", "c2")}
    assert watched.fleet.totals().hosts == 1
    watched.up("two", identifier="made-up-3", hostname="pod1", kind="podman")
    assert watched.fleet.engines["two"].same_as == "one"
    watched.down("one")
    assert watched.fleet.engines["one"].same_as == "two"
    assert set(watched.fleet.containers) == {ContainerKey("two", "c1"), ContainerKey("two", "c2")}


def test_podmans_are_found_to_be_one_by_a_container_made_later() -> None:
    """While both are empty nothing is shown twice."""
    watched = _two_podmans()
    watched.list("one")
    watched.list("two")
    assert watched.fleet.engines["two"].same_as == ""
    watched.see(api(1, "one", identifier="c9"))
    watched.see(api(1, "two", identifier="c9"))
    assert watched.fleet.engines["two"].same_as == "one"
    assert list(watched.fleet.containers) == [ContainerKey("one", "c9")]


def test_podmans_on_machines_of_other_names_or_with_other_containers_are_two() -> None:
    """A cloned machine has the containers of the one it was cloned from."""
    watched = _two_podmans(hostname="pod2")
    watched.list("two", api(2, "two", identifier="c2"))
    assert watched.fleet.engines["two"].same_as == ""
    watched = _two_podmans()
    watched.list("two", api(3, "two", identifier="c3"))
    assert watched.fleet.engines["two"].same_as == ""


def test_when_the_first_address_is_lost_the_second_takes_over() -> None:
    """The engine is still there: its rows stay, live, under the other name."""
    watched = _twice()
    watched.down("one")
    assert (watched.fleet.engines["one"].same_as, watched.fleet.engines["two"].same_as) == ("two", "")
    watched.list("two", api(1, "two", identifier="c1"))
    service = watched.service()
    assert (service.state, service.hosts, service.wanted) == ("healthy", ("two",), 1)


def test_the_first_address_coming_back_leaves_the_second_in_charge() -> None:
    """Rows do not jump to and fro between two names."""
    watched = _twice()
    watched.down("one")
    watched.list("two", api(1, "two", identifier="c1"))
    watched.up("one", identifier="SAME", hostname="web-1")
    assert watched.fleet.engines["one"].same_as == "two"
    assert watched.service().hosts == ("two",)


def test_a_gap_that_one_address_opened_is_closed_by_the_other() -> None:
    """One record, under the name under which the engine is known then; and back again where that is lost too."""
    watched = _twice()
    begin = watched.clock.now()
    gap = GapSeen(engine="one", begin=begin, end=None, cause="link lost", certain=True)
    watched.fleet.apply(gap)
    watched.down("one")
    watched.fleet.apply(msgspec.structs.replace(gap, engine="two"))
    watched.down("two")
    watched.clock.advance(90)
    watched.up("one", identifier="SAME", hostname="web-1")
    watched.fleet.apply(msgspec.structs.replace(gap, engine="one", end=watched.clock.now()))
    (record,) = [r for r in watched.records() if r.kind is RecordKind.GAP]
    assert (record.engine, record.what) == ("one", "nothing known for 1m 30s: link lost")


def test_what_is_known_of_a_container_goes_with_it_to_the_other_address() -> None:
    """A stop seen at one address is still a stop at the other."""
    watched = _twice()
    one = api(1, "one", identifier="c1")
    watched.play("kill(9) die(137)", one)
    watched.see(api(1, "one", identifier="c1", state=ContainerState.EXITED, exit_code=137))
    watched.clock.advance(60)
    watched.down("one")
    watched.list("two", api(1, "two", identifier="c1", state=ContainerState.EXITED, exit_code=137))
    assert watched.service().state == "down"


# -- last words and totals ---------------------------------------------------------------------------------------------


def test_the_last_words_of_the_newest_dead_replica_are_wanted_until_they_are_read() -> None:
    """One container a service, asked for once."""
    watched = Watched()
    earlier = DEAD | {"finished_at": NOON - timedelta(minutes=1)}
    watched.list("h1", api(1, **earlier), api(2, **DEAD))
    watched.service()
    assert watched.fleet.wanted_words == {api(2).key}
    watched.fleet.apply(WordsSeen(engine="h1", id=api(2).id, lines=("KeyError: 'LEDGER_URL'",)))
    assert watched.fleet.wanted_words == frozenset()
    assert watched.fleet.take_changes().words == {api(2).key}
    assert watched.story().last_words == ("KeyError: 'LEDGER_URL'",)


def test_no_words_are_an_answer_too() -> None:
    """A container that wrote nothing is not asked again and again."""
    watched = Watched()
    watched.list("h1", api(1, **DEAD))
    watched.service()
    watched.fleet.apply(WordsSeen(engine="h1", id=api(1).id, lines=()))
    assert watched.fleet.wanted_words == frozenset()


def test_after_another_death_its_words_are_wanted_again() -> None:
    """The newest ones count."""
    watched = Watched()
    watched.list("h1", api(1, **DEAD))
    watched.service()
    watched.fleet.apply(WordsSeen(engine="h1", id=api(1).id, lines=("old",)))
    watched.clock.advance(30)
    watched.see(api(1, **(DEAD | {"finished_at": watched.clock.now()})))
    watched.service()
    assert watched.fleet.wanted_words == {api(1).key}


def test_no_words_are_wanted_of_what_is_well_or_was_stopped() -> None:
    """Only trouble is read up on."""
    watched = Watched()
    watched.list("h1", api(1), container(name="off", state=ContainerState.EXITED, exit_code=143))
    watched.fleet.take_changes()
    assert watched.fleet.wanted_words == frozenset()


def test_totals_count_hosts_and_services_and_find_the_oldest_outage() -> None:
    """The header in one look."""
    watched = Watched("h1", "h2", "h3", empty=False)
    for host in ("h1", "h2"):
        watched.up(host)
        watched.list(host)
    watched.list("h1", api(1, **DEAD), container(name="well"))
    watched.list("h2", container("h2", "lost"))
    watched.clock.advance(60)
    watched.confirm("h1")
    watched.list(
        "h1",
        api(1, **DEAD),
        container(name="well"),
        container(name="late", **(DEAD | {"finished_at": watched.clock.now()})),
    )
    watched.down("h2")
    watched.fleet.take_changes()
    totals = watched.fleet.totals()
    assert (totals.hosts, totals.hosts_up, totals.hosts_down) == (3, 1, 1)
    assert {str(state): number for state, number in totals.services.items()} == {"down": 2, "healthy": 1, "unknown": 1}
    assert (totals.oldest_outage, totals.oldest_service) == (NOON, PAY_API)


def test_a_host_that_is_tried_again_still_counts_as_down() -> None:
    """Connecting after a failure is not hope enough."""
    watched = Watched("h1", empty=False)
    watched.down("h1")
    error = watched.fleet.engines["h1"].link.error
    watched.fleet.apply(LinkChanged(engine="h1", link=LinkStatus(phase=LinkPhase.CONNECTING, error=error)))
    assert watched.fleet.totals().hosts_down == 1


def test_records_are_found_by_service_by_object_and_by_engine() -> None:
    """Each view shows its own, the newest first."""
    watched = Watched("h1", "h2")
    watched.list("h1", api(1), container(name="other"))
    watched.list("h2", api(2, "h2"))
    for one in (api(1), container(name="other"), api(2, "h2")):
        watched.play("pause", one)
    find = watched.fleet.records
    assert [r.object_name for r in find(service=PAY_API)] == ["pay-api-2", "pay-api-1"]
    assert [r.object_name for r in find(engine="h1")] == ["other", "pay-api-1"]
    assert [r.object_name for r in find(object_id=api(2, "h2").id)] == ["pay-api-2"]
    assert len(find(service=PAY_API, limit=1)) == 1


def test_replayed_events_of_the_last_hour_are_records_too() -> None:
    """What happened before we looked is told from the engine's memory."""
    watched = Watched()
    watched.list("h1", api(1))
    watched.play("die(1) start", api(1), replayed=True)
    assert watched.told() == ["exited 1 by itself, started again by its restart policy"]
    assert watched.service().restarts == 1


def test_names_of_addresses_and_groups_are_in_the_engines_row() -> None:
    """Also before anything has answered."""
    watched = Watched("h1", empty=False)
    status = watched.fleet.engines["h1"]
    assert (status.address, status.link.phase) == ("unix:///h1.sock", LinkPhase.NEVER)
    assert EngineAddress(name="h1", scheme="unix", socket="/h1.sock").text == status.address


def test_a_change_of_one_container_touches_its_service_alone() -> None:
    """Ten thousand containers do not make one of them slower."""
    watched = Watched()
    crowd = [container(name=f"c{number}", labels=compose("p", f"s{number % 500}", number)) for number in range(2_000)]
    watched.list("h1", *crowd)
    watched.fleet.take_changes()
    told: list[ServiceKey] = []
    intake = watched.fleet._intake  # the seam between marking and putting together
    watched.fleet.apply(
        ContainersSeen(
            engine="h1", containers=(container(name="c7", labels=compose("p", "s7", 7), exit_code=3),), at=2000.0
        )
    )
    told += intake.touched.rebuild
    assert told == [ServiceKey("compose", "p", "s7")]


def test_a_budget_puts_off_what_does_not_fit_and_loses_nothing() -> None:
    """At least one service a call, the rest with the next ones."""
    watched = Watched()
    watched.list("h1", *(container(name=f"c{number}") for number in range(5)))
    told: list[ServiceKey] = []
    for _ in range(5):
        assert watched.fleet.pending
        told += watched.fleet.take_changes(budget=0.0).services
    assert not watched.fleet.pending
    assert sorted(key.name for key in told) == ["c0", "c1", "c2", "c3", "c4"]


def test_everything_that_can_be_told_is_taken_in() -> None:
    """Each kind of change has its place."""
    watched = Watched()
    info = watched.fleet.engines["h1"].info
    assert info is not None
    watched.fleet.apply(EngineSeen(engine="h1", info=info))
    watched.fleet.apply(EventsSeen(engine="h1", events=()))
    watched.fleet.apply(WordsSeen(engine="h1", id="nobody", lines=("x",)))
    assert watched.fleet.words == {}


def test_figures_that_read_as_before_are_told_to_nobody() -> None:
    """A process that idles uses 0.682 and 0.685 percent; what creeps is told when it reads other than before."""
    cpus = (0.682, 0.685, 0.649, 0.651, 1.2, 0.0, 0.004, 0.004)
    assert _told({"cpu": cpu} for cpu in cpus) == [True, False, True, True, True, True, True, False]
    amounts = (900, 900.3, 901, 10_000_000, 10_010_000, 20_000_000, None, None)
    assert _told({"received": amount} for amount in amounts) == [True, False, True, True, False, True, True, False]


def test_figures_read_long_after_are_told_though_they_read_as_before() -> None:
    """They were drawn as old."""
    assert _told({"at": at} for at in (0.0, 2.0, 60.0)) == [True, False, True]


def _told(samples: Iterable[Mapping[str, float | None]]) -> list[bool]:
    watched = Watched()
    watched.list("h1", api(1))
    told = []
    for sample in samples:
        figures = {"cpu": 1.0, "memory": 1, "memory_limit": None, "received": None, "sent": 1.0, "at": 0.0, **sample}
        watched.fleet.take_changes()
        watched.fleet.apply(UsageSeen(engine="h1", usage={api(1).id: Usage(**figures)}))  # type: ignore[arg-type]
        told.append(bool(watched.fleet.take_changes().usage))
    return told


def test_a_budget_is_of_this_machine_s_time_and_not_of_the_fleet_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a replay the clock stands while services are put together: what that takes is measured nevertheless."""
    seconds = itertools.count()
    monkeypatch.setattr("fleettop.collectors.fleet.fleet.perf_counter", lambda: float(next(seconds)))
    watched = Watched()
    watched.list("h1", *(container(name=f"c{number}") for number in range(10)))
    told = watched.fleet.take_changes(budget=3.0)
    assert len(told.services) == 3
    assert watched.fleet.pending
