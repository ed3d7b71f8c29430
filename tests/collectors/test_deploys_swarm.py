"""Deploys of a swarm's services: begun by an event, gone on with as the manager says."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from fleettop.collectors.deploys.deploy import Deploy, Outcome, from_to
from fleettop.collectors.model import Container, EngineEvent, EventsSeen, ServiceDesign, SwarmService, SwarmTask

from .test_fleet_swarm import WEB, picture, swarm, task, task_container
from .watched import NOON, Watched


def design(tag: str, **more: object) -> ServiceDesign:
    labels = {"org.opencontainers.image.revision": f"rev{tag}", "org.opencontainers.image.source": "https://x"}
    return ServiceDesign(image=f"web:{tag}", digest=f"sha256:{tag}", labels=labels, **more)  # type: ignore[arg-type]


def service(tag: str, state: str = "", **more: object) -> SwarmService:
    given = {"mode": "replicated", "wanted": 3, "running": 3, "image": f"web:{tag}", "design": design(tag)} | more
    return SwarmService(id="s1", name="shop_web", stack="shop", update_state=state, **given)  # type: ignore[arg-type]


def update(watched: Watched, **attributes: str) -> None:
    """The manager says that the service was changed, now."""
    now = watched.clock.now()
    event = EngineEvent(
        engine="m1",
        time=now,
        time_nano=int(now.timestamp() * 1e9),
        type="service",
        action="update",
        id="s1",
        name="shop_web",
        attributes={"name": "shop_web", **attributes},
    )
    watched.fleet.apply(EventsSeen(engine="m1", events=(event,)))


def tasks(new: int, at: float, state: str = "running") -> list[SwarmTask]:
    """Of three slots the first so many are made anew."""
    moment = NOON + timedelta(seconds=at)
    return [
        task(f"b{slot}", slot, at=moment, state=state) if slot <= new else task(f"a{slot}", slot) for slot in (1, 2, 3)
    ]


def rolled() -> Watched:
    """On version 1, and just told to become 2."""
    watched = swarm(picture(*tasks(0, 0), of=service("1")))
    watched.fleet.take_changes()
    watched.clock.advance(10)
    update(watched, **{"image.old": "web:1", "image.new": "web:2"})
    return watched


def newest(watched: Watched) -> Deploy:
    watched.fleet.take_changes()
    return watched.fleet.deploys.of(WEB)[0]


def now(tag: str, state: str, **more: object) -> SwarmService:
    return service(tag, state, updated=NOON + timedelta(seconds=10), before=design("1"), **more)


def test_an_update_is_followed_task_by_task_from_the_manager_alone() -> None:
    """From the specs: tags, digests and revisions; done when the swarm says so and all serve."""
    watched = rolled()
    assert (newest(watched).outcome, from_to(newest(watched))) == (Outcome.GOING, "web:1 → 2")
    watched.fleet.apply(picture(*tasks(2, 12), of=now("2", "updating")))
    deploy = newest(watched)
    assert (deploy.outcome, deploy.made, deploy.wanted, len(deploy.behind)) == (Outcome.GOING, 2, 3, 1)
    assert (deploy.before.revision, deploy.after.revision, deploy.after.digest) == ("rev1", "rev2", "sha256:2")
    watched.pass_time(60)
    assert newest(watched).outcome is Outcome.GOING  # however long it takes, the swarm goes on
    watched.fleet.apply(picture(*tasks(3, 70), of=now("2", "completed")))
    watched.pass_time(10)
    deploy = newest(watched)
    assert (deploy.outcome, deploy.ended, len(deploy.steps)) == (Outcome.DONE, NOON + timedelta(seconds=70), 3)


def test_an_update_that_the_swarm_pauses_is_half_way_in_its_words() -> None:
    """With the replicas that are behind."""
    watched = rolled()
    message = "update paused due to failure or early termination of task b1"
    watched.fleet.apply(picture(*tasks(1, 12, "failed"), of=now("2", "paused", update_message=message)))
    deploy = newest(watched)
    assert (deploy.outcome, deploy.note, len(deploy.behind)) == (Outcome.HALFWAY, message, 2)


def test_scaling_and_forcing_are_no_deploys() -> None:
    """Nothing is made from something else."""
    watched = swarm(picture(*tasks(0, 0), of=service("1")))
    watched.clock.advance(10)
    update(watched, **{"replicas.old": "3", "replicas.new": "4"})
    watched.fleet.apply(picture(*tasks(0, 0), of=now("1", "", wanted=4)))
    watched.clock.advance(10)
    update(watched)
    forced = design("1", forced=1)
    then = NOON + timedelta(seconds=20)
    watched.fleet.apply(picture(*tasks(0, 0), of=service("1", updated=then, design=forced, before=design("1"))))
    watched.fleet.take_changes()
    assert watched.fleet.deploys.of(WEB) == ()


def test_a_roll_back_by_the_swarm_itself_is_told_of_both() -> None:
    """The deploy was rolled back, and the rolling back is one of its own, by the swarm."""
    watched = rolled()
    watched.fleet.apply(picture(*tasks(3, 12), of=now("2", "updating")))
    watched.fleet.take_changes()
    watched.clock.advance(10)
    update(watched, **{"updatestate.new": "rollback_started", "image.old": "web:2", "image.new": "web:1"})
    then = NOON + timedelta(seconds=20)
    message = "update rolled back due to failure or early termination of task b1"
    watched.fleet.apply(
        picture(*tasks(3, 25), of=service("1", "rollback_completed", updated=then, update_message=message))
    )
    watched.pass_time(30)
    watched.fleet.take_changes()
    back, first = watched.fleet.deploys.of(WEB)
    assert (first.outcome, back.back, back.outcome) == (Outcome.ROLLED_BACK, True, Outcome.DONE)
    assert (from_to(back), back.actor) == ("web:2 → 1", "the swarm")


def test_what_a_swarms_image_says_of_itself_is_known_from_its_containers() -> None:
    """A spec has no labels of its image; the containers made from it carry them, also once they are gone."""
    watched = swarm(picture(*tasks(0, 0), of=plain("1")))
    watched.list("m1", made_from("a1", "1"))
    watched.fleet.take_changes()
    watched.clock.advance(10)
    update(watched, **{"image.old": "web:1", "image.new": "web:2"})
    watched.fleet.apply(picture(*tasks(3, 10), of=plain("2", before=plain("1").design)))
    watched.list("m1", made_from("b1", "2"))
    assert revisions(watched) == [("rev1", "https://x"), ("rev2", "https://x")]
    watched.list("m1")
    watched.clock.advance(600)
    assert revisions(watched) == [("rev1", "https://x"), ("rev2", "https://x")]


def plain(tag: str, **more: object) -> SwarmService:
    given = {"updated": NOON + timedelta(seconds=10)} | more if tag == "2" else more
    return service(tag, design=ServiceDesign(image=f"web:{tag}", digest=f"sha256:{tag}"), **given)


def made_from(identifier: str, tag: str) -> Container:
    """The container of a task, from an image that says what it is."""
    labels = {"org.opencontainers.image.revision": f"rev{tag}", "org.opencontainers.image.source": "https://x"}
    made = task_container("m1", identifier, 1, "n1", image=f"web:{tag}@sha256:{tag}")
    return msgspec.structs.replace(made, labels={**made.labels, **labels})


def revisions(watched: Watched) -> list[tuple[str, str]]:
    deploy = newest(watched)
    return [(version.revision, version.source) for version in (deploy.before, deploy.after)]
