"""What somebody last changed on a service."""

from __future__ import annotations

from datetime import timedelta

from fleettop.collectors.model import Container, ContainerState, ServiceChange

from .watched import NOON, Watched, compose, container

LATER = NOON + timedelta(hours=1)


def api(number: int = 1, engine: str = "h1", *, image: str = "pay-api:1", **more: object) -> Container:
    """A replica of pay/api, another container for another image."""
    config_hash = str(more.pop("config_hash", "c0ffee"))
    labels = compose("pay", "api", number, config_hash=config_hash)
    identifier = str(more.pop("identifier", f"{engine}-{number}-{image}-{config_hash}"))
    return container(engine, f"pay-api-{number}", labels=labels, image=image, identifier=identifier, **more)  # type: ignore[arg-type]


def last(watched: Watched) -> tuple[str, str, str]:
    """The last change: what, its detail, by whom."""
    change = watched.service().last_change
    assert isinstance(change, ServiceChange)
    return change.what, change.detail, change.actor


def test_the_first_making_of_its_containers_is_no_deploy_but_its_creation() -> None:
    """When it was is known from the containers, who did it is not, and nothing was there before."""
    watched = Watched()
    watched.list("h1", api(1), api(2))
    assert last(watched) == ("created", "", "unknown")
    change = watched.service().last_change
    assert change is not None
    assert change.time == NOON - timedelta(days=3)


def test_another_image_is_a_deploy_that_says_which_it_was_before() -> None:
    """Also once the old container is gone."""
    watched = Watched()
    watched.list("h1", api(1))
    watched.see(api(1, image="pay-api:2", created=LATER), gone=(api(1).id,))
    assert last(watched) == ("deploy", "pay-api:2 (was 1)", "unknown")


def test_another_configuration_is_a_deploy() -> None:
    """Compose's hash tells, where the image is the same."""
    watched = Watched()
    watched.list("h1", api(1))
    watched.see(api(1, config_hash="beef", created=LATER), gone=(api(1).id,))
    assert last(watched) == ("deploy", "pay-api:1 with another configuration", "unknown")


def test_the_same_tag_built_anew_is_a_deploy() -> None:
    """A tag that moved is a change nobody sees in the name."""
    watched = Watched()
    watched.list("h1", api(1, image_id="sha256:" + "a" * 64))
    new = api(1, image_id="sha256:" + "b" * 64, created=LATER, identifier="new")
    watched.see(new, gone=(api(1).id,))
    assert last(watched) == ("deploy", "pay-api:1 built anew (aaaaaaaaaaaa → bbbbbbbbbbbb)", "unknown")


def test_the_same_tag_with_another_id_on_another_host_is_no_deploy() -> None:
    """Each host builds its own."""
    watched = Watched("h1", "h2")
    watched.list("h1", api(1, image_id="sha256:" + "a" * 64))
    watched.list("h2", api(2, "h2", image_id="sha256:" + "b" * 64))
    assert last(watched) == ("created", "", "unknown")


def test_replicas_that_differ_from_their_first_moment_on_are_one_creation() -> None:
    """What had no predecessor was not changed: each host may have its own image and its own configuration."""
    watched = Watched("h1", "h2", "h3")
    watched.list("h1", api(1, created=NOON))
    watched.list("h2", api(1, "h2", image="pay-api:1.1", created=NOON + timedelta(seconds=20)))
    watched.list("h3", api(1, "h3", config_hash="beef", created=NOON + timedelta(seconds=40)))
    assert [made.change.what for made in watched.fleet.history(watched.service().key)] == ["created"]


def test_another_image_of_the_same_replica_is_a_deploy_however_soon() -> None:
    """There the predecessor is known."""
    watched = Watched()
    watched.list("h1", api(1, created=NOON))
    watched.see(api(1, image="pay-api:2.8.1", created=NOON + timedelta(seconds=50)), gone=(api(1).id,))
    assert last(watched) == ("deploy", "2.8.1 (was 1)", "unknown")


def test_podmans_names_for_an_image_are_no_change() -> None:
    """Podman calls `bb:1`, built there, `localhost/bb:1`."""
    watched = Watched("h1", "pod1")
    watched.list("h1", api(1, image="bb:1", created=NOON))
    watched.list("pod1", api(1, "pod1", image="localhost/bb:1", image_id="sha256:bb:1", created=LATER))
    assert last(watched)[0] == "scale"
    service = watched.service()
    assert (service.image, service.images) == ("bb:1", ("bb:1",))
    watched.play("create", api(2, "pod1", image="localhost/bb:1"))
    assert watched.told() == ["created from bb:1"]


def test_a_deploy_that_goes_slowly_from_host_to_host_is_told_of_each() -> None:
    """The second host is no scaling: its replica was there before."""
    watched = Watched("h1", "h2")
    watched.list("h1", api(1))
    watched.list("h2", api(1, "h2"))
    for hours, host in enumerate(("h1", "h2"), start=1):
        made = NOON + timedelta(hours=hours)
        watched.see(api(1, host, image="pay-api:2", created=made), gone=(api(1, host).id,), engine=host)
    changes = [(made.change.what, made.change.detail) for made in watched.fleet.history(watched.service().key)]
    assert changes == [("created", ""), ("deploy", "pay-api:2 (was 1)"), ("deploy", "pay-api:2 (was 1)")]


def test_the_same_replica_made_again_is_no_scaling() -> None:
    """As `up --force-recreate` does."""
    watched = Watched()
    watched.list("h1", api(1))
    watched.see(api(1, created=LATER, identifier="again"), gone=(api(1).id,))
    assert last(watched)[0] == "recreate"


def test_one_more_of_the_same_later_is_a_scale() -> None:
    """Nothing else was changed."""
    watched = Watched()
    watched.list("h1", api(1), api(2, created=LATER))
    assert last(watched)[0] == "scale"


def test_hosts_that_answer_in_any_order_tell_the_same_history() -> None:
    """What is newest is told by the containers, not by who was read first."""
    told = set()
    for order in (("h1", "h2"), ("h2", "h1")):
        watched = Watched("h1", "h2")
        rows = {"h1": api(1, image="pay-api:1"), "h2": api(2, "h2", image="pay-api:2", created=LATER)}
        for host in order:
            watched.list(host, rows[host])
        told.add(last(watched))
    assert told == {("deploy", "pay-api:2 (was 1)", "unknown")}


def test_a_restart_by_somebody_is_a_change_and_a_restart_by_policy_is_none() -> None:
    """Only what a person does is one."""
    watched = Watched()
    watched.list("h1", api(1))
    watched.play("die(1) start", api(1))
    assert last(watched)[0] == "created"
    watched.play("kill(15) die(143) stop start restart", api(1))
    assert last(watched) == ("restart", "", "unknown")


def test_our_own_change_has_our_name() -> None:
    """The intent record says so."""
    watched = Watched()
    watched.list("h1", api(1))
    watched.fleet.record_intent("restart", engine="h1", object_id=api(1).id, actor="ops1", reason="FT-1")
    watched.play("kill(15) die(143) stop start restart", api(1))
    assert last(watched) == ("restart", "", "ops1")
    assert watched.fleet.history(watched.service().key)[-1].reason == "FT-1"


def test_the_end_of_the_old_ones_belongs_to_the_deploy() -> None:
    """Compose makes the new one, then stops and removes the old: one change."""
    watched = Watched()
    watched.list("h1", api(1))
    watched.clock.advance(3600)
    new = api(1, image="pay-api:2", created=watched.clock.now())
    watched.play("create", new)
    watched.see(new)
    watched.play("kill(15) die(143) stop destroy", api(1))
    watched.see(gone=(api(1).id,))
    watched.play("start", new)
    assert last(watched) == ("deploy", "pay-api:2 (was 1)", "unknown")


def test_a_stop_of_a_new_one_does_not_belong_to_the_deploy() -> None:
    """Only the end of those that were there before does."""
    watched = Watched()
    watched.list("h1", api(1, created=NOON))
    watched.clock.advance(20)
    watched.play("kill(15) die(143) stop", api(1))
    assert last(watched)[0] == "stop"


def test_taking_all_down_and_up_again_is_a_deploy() -> None:
    """The stop before it only made room."""
    watched = Watched()
    watched.list("h1", api(1), api(2))
    watched.clock.advance(3600)
    watched.play("kill(15) die(143) stop destroy", api(1))
    watched.see(gone=(api(1).id,))
    watched.clock.advance(5)
    new = api(1, image="pay-api:2", created=watched.clock.now())
    watched.play("create start", new)
    watched.see(new)
    assert last(watched)[0] == "deploy"


def test_a_rolling_restart_is_one_change() -> None:
    """Not as many as there are replicas."""
    watched = Watched()
    watched.list("h1", *(api(number) for number in range(1, 5)))
    began = watched.clock.now()
    for number in range(1, 5):
        watched.play("kill(15) die(143) stop start restart", api(number))
        watched.clock.advance(30)
    history = watched.fleet.history(watched.service().key)
    assert [made.change.what for made in history] == ["created", "restart"]
    assert history[-1].change.time - began < timedelta(seconds=1)


def test_what_an_orchestrator_replaces_is_nobodys_change() -> None:
    """Kubernetes makes a new pod where one died."""

    def pod(uid: str, created_later: int) -> Container:
        labels = {
            "io.kubernetes.pod.namespace": "pay",
            "io.kubernetes.pod.name": "api-0",
            "io.kubernetes.pod.uid": uid,
            "io.kubernetes.container.name": "api",
        }
        created = NOON - timedelta(days=3) + timedelta(hours=created_later)
        return container(name=f"k8s_{uid}", labels=labels, created=created)

    watched = Watched()
    watched.list("h1", pod("u1", 0))
    watched.see(pod("u2", 9), gone=(pod("u1", 0).id,))
    assert [made.change.what for made in watched.fleet.history(watched.service().key)] == ["created"]


def test_a_kill_is_a_change_by_somebody() -> None:
    """Somebody sent the signal, and it was no stop."""
    watched = Watched()
    watched.list("h1", api(1), api(2))
    watched.play("kill(9) die(137)", api(1))
    watched.see(api(1, state=ContainerState.EXITED, exit_code=137, finished_at=watched.clock.now()))
    assert last(watched)[0] == "kill"


def test_an_amended_record_amends_its_change() -> None:
    """A kill that turns out to be a stop, and a stop that turns out to be a restart."""
    watched = Watched()
    watched.list("h1", api(1))
    seen = []
    for step in ("kill(15)", "die(143)", "stop", "start", "restart"):
        watched.play(step, api(1))
        seen.append(last(watched)[0])
    assert seen == ["created", "kill", "stop", "restart", "restart"]


def test_a_replica_replaced_before_we_looked_is_a_deploy_and_no_creation() -> None:
    """The engine's memory tells that another container ended for it: its event names the image before."""
    watched = Watched()
    watched.up("h1")
    old, new = api(1), api(1, image="pay-api:2", created=watched.clock.now() + timedelta(seconds=1))
    watched.list("h1", new)
    watched.play("kill(15) die(0) stop destroy", old, replayed=True)
    watched.play("create start", new, replayed=True)
    assert last(watched) == ("deploy", "pay-api:2 (was 1)", "unknown")
    assert all(made.change.what != "created" for made in watched.fleet.history(watched.service().key))
