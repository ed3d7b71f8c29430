"""A swarm's services: what its manager wants, seen in the containers of its nodes."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from fleettop.collectors.model import (
    Container,
    ContainerState,
    EngineEvent,
    EventsSeen,
    Health,
    ServiceKey,
    SwarmNode,
    SwarmPicture,
    SwarmSeen,
    SwarmService,
    SwarmTask,
)

from .watched import NOON, Watched, container

WEB = ServiceKey("swarm", "c1", "shop_web")


def task(identifier: str, slot: int | None, *, node: str = "n2", state: str = "running", **more: object) -> SwarmTask:
    """A task of shop_web."""
    fields = {"desired": "running", "at": NOON - timedelta(hours=2), "container_id": f"{identifier}-container"} | more
    return SwarmTask(id=identifier, service_id="s1", node_id=node, slot=slot, state=state, **fields)  # type: ignore[arg-type]


def service(**more: object) -> SwarmService:
    """shop_web, three replicas wanted."""
    fields = {"mode": "replicated", "wanted": 3, "running": 3, "image": "web:1"} | more
    return SwarmService(id="s1", name="shop_web", stack="shop", **fields)  # type: ignore[arg-type]


def picture(*tasks: SwarmTask, of: SwarmService | None = None, manager: str = "m1", **more: object) -> SwarmSeen:
    """What a manager sees."""
    nodes = (
        SwarmNode(id="n1", hostname="m1", role="manager", availability="active", state="ready"),
        SwarmNode(id="n2", hostname="w2.internal", role="worker", availability="active", state="ready"),
    )
    fields = {"nodes": nodes, "services": (of or service(),)} | more
    seen = SwarmPicture(cluster_id="c1", manager=manager, tasks=tasks, **fields)  # type: ignore[arg-type]
    return SwarmSeen(engine=manager, picture=seen)


def task_container(engine: str, identifier: str, slot: int, node: str, **more: object) -> Container:
    """The container that runs a task, labelled as swarm does."""
    labels = {
        "com.docker.swarm.service.name": "shop_web",
        "com.docker.swarm.service.id": "s1",
        "com.docker.swarm.task.id": identifier,
        "com.docker.swarm.task.name": f"shop_web.{slot}.{identifier}",
        "com.docker.swarm.node.id": node,
        "com.docker.stack.namespace": "shop",
    }
    name = f"shop_web.{slot}.{identifier}"
    fields = {"restart_policy": "no"} | more
    return container(engine, name, labels=labels, identifier=f"{identifier}-container", **fields)  # type: ignore[arg-type]


def swarm(*changes: SwarmSeen, workers: tuple[str, ...] = ()) -> Watched:
    """A manager, perhaps with workers, and what it told."""
    watched = Watched("m1", *workers, empty=False)
    watched.up("m1", node="n1", cluster="c1")
    watched.list("m1")
    for change in changes:
        watched.fleet.apply(change)
    return watched


def test_wanted_is_what_the_manager_says() -> None:
    """Not how many containers there happen to be."""
    one = swarm(picture(task("a", 1), task("b", 2), of=service(running=2))).service()
    assert (one.key, one.name, one.stack) == (WEB, "web", "shop")
    assert (one.state, one.serving, one.wanted, one.swarm_service_id) == ("degraded", 2, 3, "s1")


def test_more_running_than_wanted_is_said_and_not_clamped() -> None:
    """While a dead node's tasks are replaced there are more for a while."""
    one = swarm(picture(*(task(str(n), n) for n in range(1, 5)), of=service(running=4))).service()
    assert (one.state, one.serving, one.wanted, one.note) == ("healthy", 4, 3, "running 4 of 3")


def test_wanting_none_is_stopped() -> None:
    """Scaled to nothing on purpose."""
    assert swarm(picture(of=service(wanted=0, running=0))).service().state == "stopped"


def test_wanting_some_and_having_none_is_down() -> None:
    """A service without a single task still is a service."""
    one = swarm(picture(of=service(running=0))).service()
    assert (one.state, one.serving, one.wanted) == ("down", 0, 3)


def test_a_task_on_a_watched_engine_is_seen_in_its_container() -> None:
    """The container knows its health before the swarm reacts to it."""
    watched = swarm(picture(task("a", 1), of=service(wanted=1)), workers=("w2",))
    watched.up("w2", node="n2")
    watched.list("w2", task_container("w2", "a", 1, "n2", health=Health.UNHEALTHY))
    one = watched.service()
    (replica,) = one.replicas
    assert (one.state, replica.host, replica.task_id, replica.number) == ("down", "w2", "a", "1")
    assert replica.container == task_container("w2", "a", 1, "n2").key


def test_a_task_on_a_node_without_a_link_is_seen_by_its_own_state() -> None:
    """Its host is the node's host name."""
    (replica,) = swarm(picture(task("a", 1), of=service(wanted=1))).service().replicas
    assert (replica.host, replica.container, replica.state, replica.serving) == (
        "w2.internal",
        None,
        ContainerState.RUNNING,
        True,
    )


def test_a_workers_containers_join_their_swarm_once_its_nodes_are_known() -> None:
    """A worker does not know its cluster's id; the manager's picture tells whose node it is."""
    watched = Watched("m1", "w2", empty=False)
    watched.up("w2", node="n2")
    watched.list("w2", task_container("w2", "a", 1, "n2"))
    watched.fleet.take_changes()
    assert list(watched.fleet.services) == [ServiceKey("swarm", "", "shop_web")]
    watched.up("m1", node="n1", cluster="c1")
    watched.list("m1")
    watched.fleet.apply(picture(task("a", 1), of=service(wanted=1)))
    watched.fleet.take_changes()
    assert list(watched.fleet.services) == [WEB]
    assert watched.fleet.service_of(task_container("w2", "a", 1, "n2").key) == WEB


def test_without_any_manager_what_is_wanted_is_not_known() -> None:
    """Running is not healthy as long as nobody says how many there should be."""
    watched = Watched("w2", empty=False)
    watched.up("w2", node="n2")
    watched.list("w2", task_container("w2", "a", 1, "n2"))
    one = watched.service()
    assert (one.state, one.wanted, one.serving) == ("unknown", None, 1)
    assert "no manager of its swarm" in one.note


def test_what_a_manager_said_last_stays_when_it_is_lost() -> None:
    """The wanted number is old, and the containers that are seen still count."""
    watched = swarm(picture(task("a", 1), of=service(wanted=1)), workers=("w2",))
    watched.up("w2", node="n2")
    watched.list("w2", task_container("w2", "a", 1, "n2"))
    watched.down("m1")
    one = watched.service()
    assert (one.state, one.serving, one.wanted, one.stale) == ("healthy", 1, 1, True)
    assert "manager m1 cannot be reached" in one.note


def test_of_a_node_we_cannot_reach_the_managers_word_is_taken() -> None:
    """Our way to a worker may be broken while the swarm sees it well."""
    watched = swarm(picture(task("a", 1), of=service(wanted=1)), workers=("w2",))
    watched.up("w2", node="n2")
    watched.list("w2", task_container("w2", "a", 1, "n2"))
    watched.down("w2")
    one = watched.service()
    assert (one.state, one.serving, one.hosts) == ("healthy", 1, ("w2",))
    watched.fleet.apply(picture(task("a", 1, state="failed", desired="shutdown"), of=service(wanted=1)))
    assert watched.service().state == "down"


def test_tasks_seen_only_by_a_lost_manager_are_unknown() -> None:
    """Nobody tells of them any more."""
    watched = swarm(picture(*(task(str(n), n) for n in (1, 2, 3))))
    watched.down("m1")
    assert (watched.service().state, watched.service().serving) == ("unknown", None)


def test_a_swarm_without_quorum_is_not_knowable_and_its_services_stay() -> None:
    """Not "0 services"."""
    tasks = [task(str(n), n) for n in (1, 2, 3)]
    watched = swarm(picture(*tasks), picture(*tasks, error="The swarm does not have a leader."))
    one = watched.service()
    assert (one.state, one.wanted) == ("unknown", 3)
    assert "does not have a leader" in one.note


def test_of_two_managers_the_one_that_sees_is_believed() -> None:
    """A manager that lost sight of the swarm does not spoil the picture of one that has it."""
    watched = Watched("m1", "m3", empty=False)
    for name, node in (("m1", "n1"), ("m3", "n3")):
        watched.up(name, node=node, cluster="c1")
        watched.list(name)
    watched.fleet.apply(picture(*(task(str(n), n) for n in (1, 2, 3))))
    watched.fleet.apply(picture(manager="m3", error="no leader", services=()))
    assert watched.service().state == "healthy"
    assert list(watched.fleet.swarms) == ["c1"]


def test_a_failed_attempt_and_its_successor_are_one_replica() -> None:
    """The slot is the replica; what it wants to run now is what counts."""
    old = task("x", 3, state="failed", desired="shutdown", at=NOON - timedelta(seconds=5))
    one = swarm(picture(task("a", 1), task("b", 2), old, task("c", 3, state="starting", at=NOON))).service()
    assert (len(one.replicas), one.state, one.restarts) == (3, "degraded", 1)
    assert (one.down_since, one.note) == (NOON - timedelta(seconds=5), "1 starting")


def test_restarts_of_a_swarm_are_forgotten_after_an_hour() -> None:
    """Time alone changes the number."""
    old = task("x", 1, state="failed", desired="shutdown", at=NOON - timedelta(minutes=10))
    watched = swarm(picture(old, task("a", 1), of=service(wanted=1)))
    assert watched.service().restarts == 1
    watched.pass_time(3100)
    assert watched.service().restarts == 0


def test_a_replica_that_runs_for_a_moment_between_failures_does_not_serve() -> None:
    """As a container in a crash loop: a minute first."""
    failed = [
        task(f"x{n}", 1, state="failed", desired="shutdown", at=NOON - timedelta(seconds=30 * n)) for n in (1, 2, 3)
    ]
    watched = swarm(picture(*failed, task("a", 1, at=NOON), of=service(wanted=1)))
    assert (watched.service().state, watched.service().serving) == ("flapping", 0)
    watched.pass_time(61)
    assert (watched.service().state, watched.service().serving) == ("flapping", 1)
    watched.pass_time(600)
    assert watched.service().state == "healthy"


def test_a_global_service_has_a_replica_on_each_node() -> None:
    """Its tasks have no slot: the node is the slot."""
    one = swarm(
        picture(task("a", None, node="n1"), task("b", None, node="n2"), of=service(mode="global", wanted=2))
    ).service()
    assert (one.state, one.hosts) == ("healthy", ("m1", "w2.internal"))


def test_a_job_that_has_run_is_stopped_and_not_down() -> None:
    """It did what it was to do."""
    done = task("a", 1, state="complete", desired="complete")
    one = swarm(picture(done, of=service(mode="replicated-job", wanted=1, running=0))).service()
    assert one.state == "stopped"


def test_a_paused_update_is_noted() -> None:
    """The swarm's own words on why it went no further."""
    of = service(update_state="paused", update_message="update paused due to failure of task x")
    one = swarm(picture(*(task(str(n), n) for n in (1, 2, 3)), of=of)).service()
    assert one.note == "update paused: update paused due to failure of task x"


def test_a_service_that_was_removed_is_gone() -> None:
    """And its last change with it."""
    watched = swarm(picture(task("a", 1)))
    watched.service()
    watched.fleet.apply(picture(services=()))
    assert watched.fleet.take_changes().services == {WEB}
    assert watched.fleet.services == {}


def test_only_services_that_changed_are_put_together_again() -> None:
    """A picture every two seconds repaints only what moved."""
    other = SwarmService(id="s2", name="other", stack="", mode="replicated", wanted=0, running=0, image="x:1")
    watched = swarm(picture(task("a", 1), services=(service(wanted=1), other)))
    watched.fleet.take_changes()
    watched.fleet.apply(picture(task("a", 1, state="failed"), services=(service(wanted=1), other)))
    assert watched.fleet.take_changes().services == {WEB}


@pytest.mark.parametrize(
    ("attributes", "what", "detail"),
    [
        ({"replicas.old": "2", "replicas.new": "3"}, "scale", "2 → 3"),
        ({"image.old": "web:1", "image.new": "web:2"}, "deploy", "web:2 (was 1)"),
    ],
)
def test_the_last_change_of_a_swarms_service_is_told_by_its_event(
    attributes: dict[str, str], what: str, detail: str
) -> None:
    """The event tells what changed; the picture tells only when."""
    updated = NOON - timedelta(seconds=3)
    watched = swarm(picture(task("a", 1), of=service(updated=updated)))
    assert watched.service().last_change is not None
    event = EngineEvent(
        engine="m1",
        time=updated,
        time_nano=1,
        type="service",
        action="update",
        id="s1",
        name="shop_web",
        attributes={"name": "shop_web", **attributes},
    )
    watched.fleet.apply(EventsSeen(engine="m1", events=(event,)))
    change = watched.service().last_change
    assert change is not None
    assert (change.what, change.detail) == (what, detail)


def test_the_manager_being_a_second_address_does_not_lose_the_swarm() -> None:
    """Its node is the engine that is counted."""
    watched = Watched("one", "two", empty=False)
    for name in ("one", "two"):
        watched.up(name, node="n1", cluster="c1", identifier="SAME", hostname="m1")
    watched.list("one", task_container("one", "a", 1, "n1"))
    seen = picture(task("a", 1, node="n1"), of=service(wanted=1), manager="one")
    watched.fleet.apply(msgspec.structs.replace(seen, engine="one"))
    assert watched.service().hosts == ("one",)
