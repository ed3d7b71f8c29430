"""Going over the replicas of services bit by bit: how many at once, in what order, and where it stops."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fleettop.collectors.actions import Deed, Outcome, Pace, Plan, Rolling, Verb, perform, plan
from fleettop.collectors.actions.ordering import needed_names, order
from fleettop.collectors.config.allowances import Allowance, parse_allowance
from fleettop.collectors.errors import ConfigError
from fleettop.collectors.model import Health, ServiceKey
from hypothesis import given
from hypothesis import strategies as st

from tests.collectors.actions_engine import TinyEngine, planned, tiny_engine
from tests.collectors.test_actions_plan import API, FakePicture, pay_api

QUICK = Pace(healthy=0.5, settle=0.0, poll=0.02, answer=2, found=0.2)


def key(name: str) -> ServiceKey:
    return ServiceKey("compose", "pay", name)


def fleet_of(**needs: str) -> FakePicture:
    """One replica of each service, which says that it depends on these."""
    picture = FakePicture()
    for name, label in needs.items():
        picture.container(
            "web-1", f"pay-{name}-1", key(name), labels={"com.docker.compose.depends_on": label}, health=Health.NONE
        )
    return picture


# -- how many ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "total", "number"),
    [("1", 6, 1), ("3", 6, 3), ("9", 6, 6), ("25%", 6, 1), ("25%", 8, 2), ("50%", 5, 2), ("1%", 6, 1), ("100%", 6, 6)],
)
def test_a_share_is_rounded_down_and_is_one_at_least(written: str, total: int, number: int) -> None:
    """As Kubernetes rounds maxUnavailable; with none at all nothing would go on."""
    assert parse_allowance(written).of(total) == number


@pytest.mark.parametrize("written", ["", "0", "0%", "101%", "-1", "x", "1.5", "٣"])
def test_what_is_no_number_of_replicas_is_said(written: str) -> None:
    """In one sentence, with what to write."""
    with pytest.raises(ConfigError, match="is no number of replicas"):
        parse_allowance(written)


@given(st.integers(1, 300), st.integers(1, 100), st.booleans())
def test_never_more_are_away_than_there_are(total: int, amount: int, percent: bool) -> None:
    """And one at least."""
    assert 1 <= Allowance(amount, percent).of(total) <= total


def ask(picture: FakePicture, *targets: Any, verb: Verb = Verb.RESTART, **rolling: Any) -> Plan:
    return plan(verb, targets or (API,), picture, rolling=Rolling(**rolling))


def test_several_at_once_are_said_and_what_keeps_serving_is_less() -> None:
    """6 replicas, 2 at once: 4 keep serving."""
    made = ask(pay_api("rrrrrr", tuple(f"web-{n}" for n in range(1, 7))), allowance=Allowance(2))
    assert made.title == "Restart pay/api, 2 at a time"
    assert "at most 2 at a time are down. 4 keep serving." in made.effect
    assert (dict(made.widths), made.halts) == ({0: 2}, True)


def test_replicas_that_do_not_serve_and_are_not_touched_count_as_away() -> None:
    """2 allowed, 1 of the others is stopped: 1 at a time, so that no third is away."""
    picture = pay_api("rrrxr", tuple(f"web-{n}" for n in range(1, 6)))
    marked = [c.key for c in picture.members(API) if c.name != "pay-api-4"]
    made = ask(picture, *marked, allowance=Allowance(2))
    assert dict(made.widths) == {}
    assert "at most 1 at a time is down" in made.effect
    warned = ask(picture, *marked, allowance=Allowance(1))
    assert "with one more away it is more than the 1 allowed" in warned.warnings[0]


def test_the_strictest_of_the_groups_holds_unless_a_person_says_otherwise() -> None:
    """max_unavailable of the config's groups."""
    picture = pay_api("rrrr", tuple(f"web-{n}" for n in range(1, 5)))
    picture.engine("web-1", group="prod")
    picture.engine("web-2", group="edge")
    groups = {"prod": Allowance(50, True), "edge": Allowance(3)}
    assert dict(ask(picture, by_group=groups).widths) == {0: 2}
    assert dict(ask(picture, by_group=groups, allowance=Allowance(4)).widths) == {0: 4}


def test_a_stop_rolls_only_where_it_is_asked_to() -> None:
    """Else all stop at once, as ever."""
    assert len({s.lane for s in ask(pay_api(), verb=Verb.STOP).steps}) == 3
    made = ask(pay_api(), verb=Verb.STOP, asked=True)
    assert ({s.lane for s in made.steps}, made.halts) == ({0}, True)
    assert "; one after the other." in made.effect
    assert "None keeps serving" in made.effect


def test_what_is_left_on_one_host_alone_is_warned_of() -> None:
    """A stop that takes the second host away leaves no second host."""
    picture = pay_api()
    made = ask(picture, *[c.key for c in picture.members(API)][:2], verb=Verb.STOP)
    assert "What keeps serving of pay/api is all on web-3." in made.warnings


def test_of_several_services_the_sum_is_said_first() -> None:
    """How many changes to how many services on which hosts, and what would be down."""
    picture = pay_api()
    db = ServiceKey("compose", "shop", "db")
    picture.container("web-1", "shop-db-1", db)
    made = ask(picture, API, db, verb=Verb.STOP)
    assert made.sentences[0] == (
        "In all 4 changes to 2 services on web-1, web-2, web-3; nothing keeps serving of 2 of them: pay/api, shop/db."
    )


def test_what_depends_on_a_stopped_service_is_named() -> None:
    """Where nothing of it keeps serving."""
    picture = fleet_of(db="", web="db:service_started:false")
    assert "What depends on pay/db then lacks it: pay/web." in ask(picture, key("db"), verb=Verb.STOP).warnings


def test_many_clones_are_summed_up_by_host() -> None:
    """How many land where is said before."""
    effect = plan(Verb.SCALE, (API,), pay_api(), to=9).effect
    assert all(f"2 on web-{number}" in effect for number in (1, 2, 3))


# -- in what order -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "names"),
    [("", ()), ("db", ("db",)), ("db:service_healthy:false,cache:service_started:true", ("db", "cache")), (",:", ())],
)
def test_the_label_of_compose_is_read(label: str, names: tuple[str, ...]) -> None:
    """Old ones have names alone."""
    assert needed_names(label) == names


def test_what_others_need_is_restarted_first_also_by_way_of_what_was_not_chosen() -> None:
    """web needs api, api needs db; chosen are web and db."""
    picture = fleet_of(web="api:service_started:false", api="db:service_healthy:false", db="")
    made = ask(picture, key("web"), key("db"))
    assert [step.service_name for step in made.steps] == ["pay/db", "pay/web"]
    assert dict(made.after) == {1: (0,)}
    assert "In the order of their depends_on (db, web): what others need comes first." in made.sentences


def test_at_a_stop_what_others_need_comes_last() -> None:
    """The other way round, and also where nothing rolls."""
    picture = fleet_of(db="", web="db:service_started:false")
    made = ask(picture, key("db"), key("web"), verb=Verb.STOP)
    assert [step.service_name for step in made.steps] == ["pay/web", "pay/db"]
    assert dict(made.after) == {1: (0,)}


def test_services_that_need_nothing_go_as_they_were_chosen() -> None:
    """No order is made up."""
    picture = fleet_of(b="", a="gone:service_started:false")
    made = ask(picture, key("b"), key("a"))
    assert ([s.service_name for s in made.steps], dict(made.after)) == (["pay/b", "pay/a"], {})


def test_a_circle_is_broken_at_the_first_name_and_said() -> None:
    """a needs b, b needs a, and c, which needs both, still comes last."""
    picture = fleet_of(c="a:x:false", b="a:x:false", a="b:x:false")
    made = ask(picture, key("c"), key("b"), key("a"))
    assert [s.service_name for s in made.steps] == ["pay/a", "pay/b", "pay/c"]
    assert "The services a and b depend on each other: a is taken as the first to start." in made.warnings


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=30))
def test_any_needs_make_an_order_in_which_each_waits_only_for_earlier_ones(pairs: list[tuple[int, int]]) -> None:
    """Circles and all: nothing is lost, and nothing waits for ever."""
    keys = [key(str(n)) for n in range(8)]
    needs = {keys[n]: {keys[need] for one, need in pairs if one == n} for n in range(8)}
    found = order(keys, needs)
    assert sorted(found.sorted) == sorted(keys)
    place = {one: at for at, one in enumerate(found.sorted)}
    assert all(place[need] < place[one] for one in keys for need in found.needs[one])
    if not found.circles:
        assert all(set(found.needs[one]) == needs[one] - {one} for one in keys)


# -- doing it ----------------------------------------------------------------------------------------------------------


def rolled(engine: TinyEngine, names: int, **plan_has: Any) -> Plan:
    steps = [engine.step(engine.add(f"api-{n}"), Deed.RESTART) for n in range(1, names + 1)]
    made = planned(*steps)
    return Plan(verb=made.verb, title=made.title, steps=made.steps, halts=True, **plan_has)


async def test_no_more_than_allowed_are_away_at_once(tmp_path: Path, eventually: Any) -> None:
    """A lane that is two wide has two under way."""
    async with tiny_engine(tmp_path) as (engine, reach):
        engine.gate.clear()
        async with asyncio.TaskGroup() as group:
            made = rolled(engine, 5, widths={0: 2})
            going = group.create_task(perform(made, reach=lambda _: reach, pace=QUICK))
            await eventually(lambda: engine.busy == 2)
            engine.gate.set()
        assert engine.most == 2
        assert [result.outcome for result in going.result()] == [Outcome.SUCCESS] * 5


async def test_the_first_that_fails_halts_all_lanes(tmp_path: Path) -> None:
    """Also those of other services: the rest is not touched."""
    async with tiny_engine(tmp_path) as (engine, reach):
        bad = engine.step(engine.add("bad-1", then="exited"), Deed.RESTART, lane=0)
        rest = engine.step(engine.add("bad-2"), Deed.RESTART, lane=0)
        other = engine.step(engine.add("web-1"), Deed.RESTART, lane=1)
        made = Plan(verb=Verb.RESTART, title="x", steps=(bad, rest, other), halts=True, after={1: (0,)})
        results = await perform(made, reach=lambda _: reach, pace=QUICK)
        assert [r.outcome for r in results] == [Outcome.FAILURE, Outcome.SKIPPED, Outcome.SKIPPED]
        assert results[2].words == "not begun, since bad-1 did not end well"
        assert len(engine.changes) == 1


async def test_what_waits_for_a_service_that_failed_is_not_begun(tmp_path: Path) -> None:
    """Also where the plan as a whole does not halt; what needs nothing of it goes on."""
    async with tiny_engine(tmp_path) as (engine, reach):
        names = (("db", "exited"), ("api", "running"), ("web", "running"), ("mail", "running"))
        steps = [
            engine.step(engine.add(n, state="exited", then=t), Deed.START, lane=i) for i, (n, t) in enumerate(names)
        ]
        made = Plan(verb=Verb.START, title="x", steps=tuple(steps), after={1: (0,), 2: (1,)})
        engine.containers[steps[0].object_id]["health"] = "unhealthy"
        results = await perform(made, reach=lambda _: reach, pace=QUICK)
        assert [str(r.outcome) for r in results] == ["failure", "skipped", "skipped", "success"]


async def test_one_that_falls_after_it_came_up_halts_before_the_next(tmp_path: Path) -> None:
    """A version that is healthy for a moment must not be rolled over all of them."""
    async with tiny_engine(tmp_path) as (engine, reach):
        made = rolled(engine, 3)

        def fall(result: Any) -> None:
            if result.step.object_name == "api-1":
                engine.containers[result.step.object_id]["health"] = "unhealthy"

        results = await perform(made, reach=lambda _: reach, pace=QUICK, on_result=fall)
        assert [str(r.outcome) for r in results] == ["success", "skipped", "skipped"]
        assert results[1].words == "not begun, since api-1, done before, became unhealthy meanwhile"


async def test_one_that_falls_while_it_waits_for_its_turn_halts_the_roll(tmp_path: Path) -> None:
    """With it and the next more would be away than allowed; what did not serve from the beginning is no surprise."""
    async with tiny_engine(tmp_path) as (engine, reach):
        steps = [engine.step(engine.add(f"api-{n}"), Deed.RESTART) for n in range(1, 5)]
        served = [msgspec.structs.replace(step, served=step.object_name != "api-2") for step in steps]
        engine.containers[steps[1].object_id]["health"] = "unhealthy"

        def fall(result: Any) -> None:
            engine.containers[steps[1].object_id]["health"] = ""
            engine.containers[steps[3].object_id]["state"] = "exited"

        made = Plan(verb=Verb.RESTART, title="x", steps=tuple(served), halts=True)
        results = await perform(made, reach=lambda _: reach, pace=QUICK, on_result=fall)
        assert [str(r.outcome) for r in results] == ["success", "skipped", "skipped", "skipped"]
        assert results[1].words == "not begun, since api-4 ended with code 3 meanwhile"


async def test_each_replica_has_the_deadline_of_the_plan(tmp_path: Path) -> None:
    """Not that of the pace."""
    async with tiny_engine(tmp_path) as (engine, reach):
        made = rolled(engine, 2, deadline=0.2)
        engine.containers[made.steps[0].object_id]["health"] = "starting"
        pace = Pace(healthy=600, settle=0, poll=0.02)
        results = await perform(made, reach=lambda _: reach, pace=pace)
        assert results[0].words == "restarted, but after 0.2 s it is starting"
        assert results[1].outcome is Outcome.SKIPPED


async def test_stopping_a_roll_sees_the_one_under_way_to_its_end(tmp_path: Path, eventually: Any) -> None:
    """Whether it serves again is known, and nothing else is begun."""
    async with tiny_engine(tmp_path) as (engine, reach):
        made = rolled(engine, 3)
        first = made.steps[0].object_id
        engine.containers[first]["health"] = "starting"
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            pace = Pace(healthy=60, settle=0, poll=0.02)
            going = group.create_task(perform(made, reach=lambda _: reach, pace=pace, stop=stop))
            await eventually(lambda: engine.changes)
            stop.set()
            engine.containers[first]["health"] = "healthy"
        results = going.result()
        assert [str(r.outcome) for r in results] == ["success", "skipped", "skipped"]
        assert "healthy after" in results[0].words
