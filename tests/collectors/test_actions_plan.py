"""Plans: what a request comes to, and what it says before anything is done. No engine is asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fleettop.collectors.actions import Deed, Plan, Verb, normal_signal, plan
from fleettop.collectors.actions.draft import Target
from fleettop.collectors.actions.naming import name_stem, next_number
from fleettop.collectors.errors import ConnectionLost, ReadOnly
from fleettop.collectors.model import (
    Container,
    ContainerDetail,
    ContainerKey,
    ContainerState,
    EngineInfo,
    EngineStatus,
    Freshness,
    Health,
    LinkPhase,
    LinkStatus,
    Replica,
    Service,
    ServiceKey,
    ServiceState,
    SwarmMembership,
    SwarmPicture,
    SwarmService,
)
from hypothesis import given
from hypothesis import strategies as st

API = ServiceKey("compose", "pay", "api")
CREATED = datetime(2026, 1, 1, tzinfo=UTC)


@dataclasses.dataclass
class FakePicture:
    """The fleet's picture as planning needs it, written down."""

    engines: dict[str, EngineStatus] = dataclasses.field(default_factory=dict)
    containers: dict[ContainerKey, Container] = dataclasses.field(default_factory=dict)
    services: dict[ServiceKey, Service] = dataclasses.field(default_factory=dict)
    swarms: dict[str, SwarmPicture] = dataclasses.field(default_factory=dict)
    owners: dict[ContainerKey, ServiceKey] = dataclasses.field(default_factory=dict)
    ages: dict[str, Freshness] = dataclasses.field(default_factory=dict)

    def members(self, key: ServiceKey) -> tuple[Container, ...]:
        return tuple(self.containers[k] for k, owner in self.owners.items() if owner == key)

    def service_of(self, key: ContainerKey) -> ServiceKey | None:
        return self.owners.get(key)

    def freshness(self, engine: str) -> Freshness:
        return self.ages.get(engine, Freshness.LIVE)

    def engine(self, name: str, *, up: bool = True, group: str = "", **more: Any) -> None:
        error = None if up else ConnectionLost("The connection broke.")
        link = LinkStatus(phase=LinkPhase.UP if up else LinkPhase.DOWN, error=error)
        self.engines[name] = EngineStatus(name=name, address=f"ssh://{name}", group=group, link=link, **more)

    def container(
        self,
        engine: str,
        name: str,
        service: ServiceKey | None = None,
        *,
        state: ContainerState = ContainerState.RUNNING,
        health: Health = Health.NONE,
        labels: Mapping[str, str] | None = None,
        age: int = 0,
        detail: ContainerDetail | None = None,
    ) -> ContainerKey:
        if engine not in self.engines:
            self.engine(engine)
        key = ContainerKey(engine, f"{len(self.containers):064x}")
        labels = dict(labels or {})
        if service is not None and service.source == "compose":
            labels |= {
                "com.docker.compose.project": service.scope,
                "com.docker.compose.service": service.name,
                "com.docker.compose.container-number": name.rpartition("-")[2],
            }
        self.containers[key] = Container(
            engine=engine, id=key.id, name=name, image="pay-api:2", image_id="sha256:1", state=state, health=health,
            labels=labels, created=CREATED - timedelta(hours=age), detail=detail,
        )  # fmt: skip
        if service is not None:
            self.owners[key] = service
            self.service(service)
        return key

    def service(self, key: ServiceKey, **more: Any) -> None:
        members = self.members(key)
        replicas = tuple(
            Replica(container=c.key, host=c.engine, name=c.name, state=c.state, health=c.health, serving=c.serving)
            for c in members
        )
        stack = key.scope if key.source == "compose" else ""
        values: dict[str, Any] = {
            "key": key, "name": key.name, "stack": stack, "state": ServiceState.HEALTHY, "wanted": len(members),
            "running": len(members), "serving": sum(c.serving for c in members), "replicas": replicas,
            "hosts": tuple(dict.fromkeys(c.engine for c in members)), **more,
        }  # fmt: skip
        self.services[key] = Service(**values)


def pay_api(states: str = "rrr", hosts: tuple[str, ...] = ("web-1", "web-2", "web-3"), **more: Any) -> FakePicture:
    """pay/api with a replica on each host: r runs, x has exited, u is unhealthy, p is paused."""
    picture = FakePicture()
    known = {"r": ContainerState.RUNNING, "u": ContainerState.RUNNING, "x": ContainerState.EXITED}
    for number, (letter, host) in enumerate(zip(states, hosts, strict=True), 1):
        picture.container(
            host,
            f"pay-api-{number}",
            API,
            state=known.get(letter, ContainerState.PAUSED),
            health=Health.UNHEALTHY if letter == "u" else Health.HEALTHY if letter == "r" else Health.NONE,
            **more,
        )
    return picture


def ask(verb: Verb, picture: FakePicture, *targets: Target, **more: Any) -> Plan:
    return plan(verb, targets or (API,), picture, **more)


def swarm_picture(mode: str = "replicated", wanted: int | None = 3, **more: Any) -> tuple[FakePicture, ServiceKey]:
    """shop_web in a swarm whose manager is m1, a task's container on w1."""
    picture, key = FakePicture(), ServiceKey("swarm", "c1", "shop_web")
    member = SwarmMembership(state="active", node_id="n1", manager=True, cluster_id="c1")
    info = EngineInfo(kind="docker", version="20.10", api="1.41", swarm=member)
    picture.engine("m1", info=info)
    picture.container("w1", "shop_web.1.abc", key, labels={"com.docker.swarm.task.id": "t1"})
    picture.service(key, name="web", stack="shop", swarm_service_id="s1", hosts=("w1", "w2"))
    service = SwarmService(
        id="s1", name="shop_web", stack="shop", mode=mode, wanted=wanted, running=3, image="web:1", version=7
    )
    picture.swarms["c1"] = SwarmPicture(cluster_id="c1", manager="m1", services=(service,), **more)
    return picture, key


# -- restart -----------------------------------------------------------------------------------------------------------


def test_a_restart_of_a_service_says_which_replicas_where_and_what_keeps_serving() -> None:
    """The effect is in words before anything is done."""
    made = ask(Verb.RESTART, pay_api())
    assert made.title == "Restart pay/api, one after the other"
    assert made.effect == (
        "Restarts 3 of 3 replicas of pay/api on web-1, web-2, web-3; at most 1 at a time is down. 2 keep serving. "
        "About 45 s; stops at the first that does not become healthy in 60 s, and leaves the rest as it is."
    )
    assert made.hosts == ("web-1", "web-2", "web-3")


def test_a_restart_of_what_is_down_loses_nothing_and_says_so() -> None:
    """Now 0 of 3 serve, so none is lost."""
    assert "Now 0 of 3 serve, so none is lost." in ask(Verb.RESTART, pay_api("xxx")).sentences


def test_the_only_serving_replica_is_named_as_an_outage() -> None:
    """None keeps serving is said where it is so."""
    made = ask(Verb.RESTART, pay_api("r", ("web-1",)))
    assert "None keeps serving: pay/api is down meanwhile." in made.sentences


def test_replicas_of_a_service_are_restarted_one_after_the_other_the_broken_ones_first() -> None:
    """A restart that does not help halts before it touches what still serves."""
    made = ask(Verb.RESTART, pay_api("rxu"))
    assert [step.object_name for step in made.steps] == ["pay-api-2", "pay-api-3", "pay-api-1"]
    assert len({step.lane for step in made.steps}) == 1
    assert all(step.waits and step.deed is Deed.RESTART for step in made.steps)


def test_marked_replicas_of_one_service_roll_and_other_services_go_beside_them() -> None:
    """A lane is one service."""
    picture = pay_api()
    other = picture.container("web-1", "shop-db-1", ServiceKey("compose", "shop", "db"))
    one, two, _ = [c.key for c in picture.members(API)]
    made = ask(Verb.RESTART, picture, one, two, other)
    assert [step.lane for step in made.steps] == [0, 0, 1]
    assert made.title == "Restart 3 containers"
    assert "Restarts 2 of 3 replicas of pay/api" in made.effect


def test_a_container_within_a_marked_service_is_not_restarted_twice() -> None:
    """Each container once, however it was marked."""
    picture = pay_api()
    made = ask(Verb.RESTART, picture, API, picture.members(API)[0].key)
    assert len(made.steps) == 3


def test_the_estimate_uses_the_stop_timeout_of_the_container() -> None:
    """One replica with 30 s to stop and no health check: 30 and 3 to settle."""
    picture = FakePicture()
    key = picture.container("web-1", "db", detail=ContainerDetail(stop_timeout=30))
    assert ask(Verb.RESTART, picture, key).seconds == 33


# -- out of reach ------------------------------------------------------------------------------------------------------


def test_replicas_on_a_host_that_cannot_be_reached_are_left_out_and_said() -> None:
    """The rest is still done."""
    picture = pay_api()
    picture.engine("web-2", up=False)
    made = ask(Verb.RESTART, picture)
    assert [step.engine for step in made.steps] == ["web-1", "web-3"]
    assert made.warnings == ("Left out: pay-api-2, since web-2 cannot be reached (connection lost).",)
    assert "Restarts 2 of 3 replicas" in made.effect


def test_nothing_within_reach_blocks_the_plan() -> None:
    """No host, no steps, and the reason in words."""
    picture = pay_api("r", ("web-1",))
    picture.engine("web-1", up=False)
    made = ask(Verb.STOP, picture)
    assert not made.possible
    assert made.steps == ()
    assert made.blockers == ("No replica of pay/api can be reached.",)
    assert "web-1 cannot be reached" in made.warnings[0]


def test_a_stale_engine_is_not_acted_on() -> None:
    """A link that is up and silent is no way to anything."""
    picture = pay_api("r", ("web-1",))
    picture.ages["web-1"] = Freshness.STALE
    assert not ask(Verb.RESTART, picture).possible


def test_late_readings_are_said() -> None:
    """What the plan rests on may be old."""
    picture = pay_api("r", ("web-1",))
    picture.ages["web-1"] = Freshness.LATE
    assert ask(Verb.RESTART, picture).warnings == ("What is known of web-1 is more than 15 s old.",)


def test_what_is_gone_is_said() -> None:
    """A target that vanished between the screen and the key blocks."""
    made = ask(Verb.STOP, FakePicture(), ContainerKey("web-1", "a" * 64))
    assert made.blockers == ("The container aaaaaaaaaaaa on web-1 is gone.",)


def test_an_engine_known_by_two_names_is_acted_on_once() -> None:
    """The second address of an engine shows the same containers."""
    picture = FakePicture()
    key = picture.container("web-1", "db")
    picture.engine("alias", same_as="web-1")
    picture.containers[ContainerKey("alias", key.id)] = picture.containers[key]
    made = ask(Verb.STOP, picture, ContainerKey("alias", key.id), key)
    assert [step.engine for step in made.steps] == ["web-1"]


# -- stop, start, pause, kill ------------------------------------------------------------------------------------------


def test_a_stop_goes_in_parallel_and_says_that_nothing_serves_then() -> None:
    """Each container has its own lane."""
    made = ask(Verb.STOP, pay_api())
    assert len({step.lane for step in made.steps}) == 3
    assert "None keeps serving: pay/api is down until it is started again." in made.sentences
    assert made.seconds == 10


@pytest.mark.parametrize(
    ("verb", "states", "chosen"),
    [
        (Verb.STOP, "rxp", ["pay-api-1", "pay-api-3"]),
        (Verb.START, "rxp", ["pay-api-2"]),
        (Verb.PAUSE, "rxp", ["pay-api-1"]),
        (Verb.UNPAUSE, "rxp", ["pay-api-3"]),
        (Verb.KILL, "rxp", ["pay-api-1", "pay-api-3"]),
        (Verb.RESTART, "rxp", ["pay-api-2", "pay-api-3", "pay-api-1"]),
    ],
)
def test_a_verb_takes_only_what_it_fits(verb: Verb, states: str, chosen: list[str]) -> None:
    """A stopped container is not stopped, a running one not started."""
    assert [step.object_name for step in ask(verb, pay_api(states)).steps] == chosen


@pytest.mark.parametrize("verb", [Verb.STOP, Verb.PAUSE, Verb.UNPAUSE, Verb.KILL])
def test_nothing_to_do_is_a_blocker(verb: Verb) -> None:
    """All are stopped already."""
    made = ask(verb, pay_api("xxx"))
    assert not made.possible
    assert made.blockers[0].startswith("Nothing of pay/api")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("hup", "SIGHUP"), ("SIGTERM", "SIGTERM"), (" kill ", "SIGKILL"), ("9", "9"), ("rtmin+3", "SIGRTMIN+3")],
)
def test_signals_are_taken_as_people_write_them(written: str, meant: str) -> None:
    """Names with or without SIG, and numbers."""
    assert normal_signal(written) == meant


@pytest.mark.parametrize("written", ["", "0", "65", "NOPE", "-9", "KILL;reboot", "9٣"])
def test_what_is_no_signal_is_a_blocker(written: str) -> None:
    """Nothing is sent for it."""
    made = ask(Verb.KILL, pay_api(), signal=written)
    assert not made.possible
    assert "no signal" in made.blockers[0]


def test_a_signal_that_does_not_end_a_program_is_not_called_an_outage() -> None:
    """What a program does at SIGHUP is its own affair."""
    made = ask(Verb.KILL, pay_api(), signal="hup")
    assert made.title == "Send SIGHUP to pay/api"
    assert {step.signal for step in made.steps} == {"SIGHUP"}
    assert "is down" not in made.effect


@pytest.mark.parametrize(
    ("label", "owner"),
    [
        ("com.docker.swarm.task.id", "The swarm"),
        ("io.kubernetes.pod.name", "Kubernetes"),
        ("com.hashicorp.nomad.alloc_id", "Nomad"),
        ("com.amazonaws.ecs.task-arn", "ECS"),
    ],
)
def test_what_an_owner_undoes_is_said(label: str, owner: str) -> None:
    """Stop and kill are undone, a restart may be replaced."""
    picture = FakePicture()
    key = picture.container("web-1", "x", labels={label: "1"})
    assert ask(Verb.STOP, picture, key).warnings == (f"{owner} undoes this: it starts another for what ends.",)
    assert ask(Verb.KILL, picture, key).warnings[0].startswith(f"{owner} undoes this")
    assert ask(Verb.RESTART, picture, key).warnings[0].startswith(f"{owner} may replace")


# -- who has to type the name ------------------------------------------------------------------------------------------


def test_more_than_one_host_of_a_protected_group_wants_the_name_typed() -> None:
    """One host does not, an unprotected group does not."""
    picture = pay_api()
    for host in ("web-1", "web-2", "web-3"):
        picture.engine(host, group="prod")
    assert ask(Verb.STOP, picture, protected=("prod",)).name_to_type == "pay/api"
    assert ask(Verb.STOP, picture, protected=("other",)).name_to_type == ""
    assert ask(Verb.STOP, picture, picture.members(API)[0].key, protected=("prod",)).name_to_type == ""


def test_a_removal_in_a_protected_group_wants_the_name_typed_on_one_host_too() -> None:
    """Scaling down removes."""
    picture = pay_api("rr", ("web-1", "web-1"))
    picture.engine("web-1", group="prod")
    assert ask(Verb.SCALE, picture, to=1, protected=("prod",)).name_to_type == "pay/api"
    assert ask(Verb.SCALE, picture, to=3, protected=("prod",)).name_to_type == ""


@pytest.mark.parametrize("verb", list(Verb))
def test_read_only_plans_nothing(verb: Verb) -> None:
    """It is refused before a person is asked."""
    with pytest.raises(ReadOnly):
        ask(verb, pay_api(), to=5, read_only=True)


# -- scaling by clones -------------------------------------------------------------------------------------------------


def test_one_more_goes_to_the_host_with_the_fewest_with_the_next_number() -> None:
    """Numbers that differ through the fleet go on through the fleet."""
    picture = pay_api("rrr", ("web-1", "web-2", "web-2"))
    made = ask(Verb.SCALE, picture, by=1)
    assert made.title == "Scale pay/api by +1"
    [step] = made.steps
    assert (step.engine, step.object_name, step.number, step.deed) == ("web-1", "pay-api-4", 4, Deed.CLONE)
    assert made.sentences[0].startswith("Scales pay/api from 3 to 4: makes pay-api-4 on web-1, like pay-api-")


def test_numbers_of_each_host_stay_of_that_host() -> None:
    """Compose counts on every engine by itself."""
    picture = FakePicture()
    picture.container("web-1", "pay-api-1", API)
    picture.container("web-2", "pay-api-1", API)
    assert [(s.engine, s.object_name) for s in ask(Verb.SCALE, picture, to=5).steps] == [
        ("web-1", "pay-api-2"),
        ("web-2", "pay-api-2"),
        ("web-1", "pay-api-3"),
    ]


def test_the_newest_replica_that_serves_is_cloned() -> None:
    """Not the newest one if that is broken."""
    picture = FakePicture()
    picture.container("web-1", "pay-api-1", API, age=9)
    good = picture.container("web-1", "pay-api-2", API, age=5)
    picture.container("web-1", "pay-api-3", API, age=1, health=Health.UNHEALTHY)
    [step] = ask(Verb.SCALE, picture, by=1).steps
    assert step.clone is not None
    assert step.clone.source == good


def test_a_clone_of_what_does_not_serve_is_warned_of() -> None:
    """It may do no better."""
    assert "none of its replicas serves" in ask(Verb.SCALE, pay_api("xxx"), by=1).warnings[0].lower()


def test_a_name_that_is_taken_is_passed_over() -> None:
    """A container of another kind may have it."""
    picture = pay_api("r", ("web-1",))
    picture.container("web-1", "pay-api-2")
    assert ask(Verb.SCALE, picture, by=1).steps[0].object_name == "pay-api-3"


def test_a_fixed_name_cannot_be_scaled() -> None:
    """Compose's container_name allows one container only."""
    picture = FakePicture()
    picture.container("web-1", "ledger", API)
    made = ask(Verb.SCALE, picture, by=1)
    assert made.blockers == ("The name of pay/api is fixed (ledger, by its container_name), so there can be one only.",)


def test_fewer_removes_the_highest_number() -> None:
    """And says what is removed, and that volumes stay."""
    made = ask(Verb.SCALE, pay_api(), to=1)
    assert [step.object_name for step in made.steps] == ["pay-api-3", "pay-api-2"]
    assert {step.deed for step in made.steps} == {Deed.REMOVE}
    assert made.sentences[0] == (
        "Scales pay/api from 3 to 1: stops and removes pay-api-3 on web-3, pay-api-2 on web-2; volumes are kept."
    )
    assert made.sentences[1] == "1 keeps serving."


def test_scaling_to_zero_says_to_stop_instead() -> None:
    """The last replica is its service's configuration."""
    [blocker] = ask(Verb.SCALE, pay_api(), to=0).blockers
    assert blocker.endswith("would remove its last replica, and its configuration with it: stop it instead.")


@pytest.mark.parametrize("how", [{"to": 3}, {"by": 0}, {}, {"to": -1}, {"to": 2, "by": 1}, {"to": 500}])
def test_a_number_that_makes_no_sense_blocks(how: dict[str, int]) -> None:
    """Nothing is done by half an order."""
    assert not ask(Verb.SCALE, pay_api(), **how).possible


@pytest.mark.parametrize("source", ["container", "kubernetes", "nomad", "ecs", "kontena", "rancher", "kamal", "dokku"])
def test_what_an_owner_decides_is_not_scaled(source: str) -> None:
    """The blocker names who decides."""
    picture, key = FakePicture(), ServiceKey(source, "s", "x")
    picture.container("web-1", "x", key)
    made = ask(Verb.SCALE, picture, key, by=1)
    assert not made.possible
    assert made.blockers[0].startswith("Scaling x is not possible from here: ")


def test_a_service_of_a_rule_is_cloned_by_the_number_its_names_end_with() -> None:
    """Plain labels number nothing."""
    picture, key = FakePicture(), ServiceKey("rule", "", "ledger")
    picture.container("web-1", "ledger3", key)
    assert ask(Verb.SCALE, picture, key, by=1).steps[0].object_name == "ledger4"


# -- a swarm's services ------------------------------------------------------------------------------------------------


def test_a_swarm_service_is_scaled_through_a_manager() -> None:
    """One step, on the manager, with the number it was planned from."""
    picture, key = swarm_picture()
    made = ask(Verb.SCALE, picture, key, by=2)
    [step] = made.steps
    assert (step.engine, step.deed, step.object_id, step.replicas_before, step.replicas) == (
        "m1", Deed.REPLICAS, "s1", 3, 5,
    )  # fmt: skip
    assert made.sentences[0] == "Scales shop/web from 3 to 5: the swarm starts 2 tasks more, the others run on."


def test_a_swarm_service_may_be_scaled_to_zero() -> None:
    """Its spec stays with the swarm; what is lost is said."""
    picture, key = swarm_picture()
    made = ask(Verb.SCALE, picture, key, to=0)
    assert made.possible
    assert "nothing serves then" in made.effect


@pytest.mark.parametrize("mode", ["global", "replicated-job", "global-job"])
def test_a_service_without_a_number_of_replicas_cannot_be_scaled(mode: str) -> None:
    """Global mode and jobs have none."""
    picture, key = swarm_picture(mode)
    assert "no number of replicas" in ask(Verb.SCALE, picture, key, to=5).blockers[0]


def test_without_a_manager_a_swarm_service_cannot_be_changed() -> None:
    """Only a manager can."""
    picture, key = swarm_picture()
    picture.engine("m1", up=False, info=picture.engines["m1"].info)
    for verb, how in ((Verb.SCALE, {"to": 5}), (Verb.RESTART, {})):
        assert "no manager of the swarm" in ask(verb, picture, key, **how).blockers[0].lower()


def test_a_swarm_without_quorum_is_not_asked() -> None:
    """The reason is the swarm's own."""
    picture, key = swarm_picture(error="the swarm does not have a leader")
    assert "does not have a leader" in ask(Verb.SCALE, picture, key, to=5).blockers[0]


def test_a_restart_of_a_swarm_service_is_left_to_the_swarm() -> None:
    """Restarting its containers by hand would only make it replace them unasked."""
    picture, key = swarm_picture()
    made = ask(Verb.RESTART, picture, key)
    assert [(step.engine, step.deed) for step in made.steps] == [("m1", Deed.REPLACE)]
    assert "the swarm replaces 3 tasks of shop/web" in made.effect.lower()


@pytest.mark.parametrize("verb", [Verb.STOP, Verb.START])
def test_stopping_a_swarm_service_is_scaling_it(verb: Verb) -> None:
    """The swarm starts again what is stopped."""
    picture, key = swarm_picture()
    [blocker] = ask(verb, picture, key).blockers
    assert "scale shop/web" in blocker


def test_a_task_of_a_swarm_can_be_killed_and_the_swarm_is_warned_of() -> None:
    """It starts another."""
    picture, _ = swarm_picture()
    key = next(iter(picture.containers))
    made = ask(Verb.KILL, picture, key)
    assert made.possible
    assert "The swarm undoes this" in made.warnings[0]


def test_a_task_on_a_node_without_a_link_is_said() -> None:
    """Fleettop reaches only the engines it knows."""
    picture, key = swarm_picture()
    far = Replica(
        container=None, host="far", name="shop_web.2", state=ContainerState.RUNNING, health=Health.UNKNOWN,
        serving=True, task_id="t2",
    )  # fmt: skip
    near = picture.services[key].replicas
    picture.service(key, name="web", stack="shop", swarm_service_id="s1", replicas=(*near, far))
    assert "1 task of shop/web on far: fleettop has no link to there." in ask(Verb.KILL, picture, key).warnings


# -- many at once ------------------------------------------------------------------------------------------------------


def test_among_many_what_cannot_be_done_is_a_warning() -> None:
    """The rest is done."""
    picture = pay_api()
    lone = ServiceKey("container", "web-1", "x")
    picture.container("web-1", "x", lone)
    made = ask(Verb.SCALE, picture, API, lone, by=1)
    assert made.possible
    assert made.title == "Scale 2 services by +1"
    assert any("Scaling x is not possible" in warning for warning in made.warnings)


def test_nothing_chosen_is_said() -> None:
    """Not an empty plan."""
    assert plan(Verb.STOP, (), FakePicture()).blockers == ("Nothing is chosen.",)


# -- names and numbers -------------------------------------------------------------------------------------------------

_numbers = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.lists(st.integers(1, 30), unique=True, max_size=6))


@given(_numbers, st.sampled_from(["a", "b", "c"]), st.sets(st.integers(1, 40)))
def test_the_next_number_is_free_on_its_host_and_its_name_too(
    numbers: dict[str, list[int]], host: str, taken: set[int]
) -> None:
    """Whatever is there already."""
    number = next_number(numbers, host, stem="x-", taken={f"x-{n}" for n in taken})
    assert number > 0
    assert number not in numbers.get(host, [])
    assert number not in taken


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("pay-api-3", "pay-api-"),
        ("pay_api_3", "pay_api_"),
        ("pay_api_3_0123456789ab", "pay_api_"),
        ("ledger", None),
        ("pay-api", None),
        ("pay-api-x", None),
    ],
)
def test_composes_names_are_known_from_fixed_ones(name: str, stem: str | None) -> None:
    """A container_name is any other name."""
    labels = {"com.docker.compose.project": "pay", "com.docker.compose.service": "api"}
    assert name_stem(name, labels) == stem
