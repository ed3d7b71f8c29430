"""Deploys: one thing across a service's replicas and hosts, as it goes and as it ends."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
from fleettop.collectors.deploys.deploy import Deploy, Outcome, Version, from_to
from fleettop.collectors.deploys.records import deploy_of, deploy_record
from fleettop.collectors.model import Attribution, Container, ContainerState, Health, ServiceKey

from .keeping_stage import kept
from .test_downtimes import list_
from .watched import NOON, Watched, compose, container
from .watching import START
from .watching import container as plain_container

PAY = ServiceKey("compose", "pay", "api")
FIVE = range(1, 6)


def at(seconds: float) -> object:
    return NOON + timedelta(seconds=seconds)


def api(number: int, version: str = "1", made: float = -86400, **more: object) -> Container:
    """A replica of pay/api, of two on each host."""
    engine = f"h{(number + 1) // 2}"
    labels = {**compose("pay", "api", number, config_hash=str(more.pop("config", "c0ffee"))), **more.pop("labels", {})}  # type: ignore[dict-item]
    identifier = more.pop("identifier", f"{number}-{version}-{made:g}")
    given = {"image": f"pay-api:{version}", "created": at(made), "started_at": at(made), **more}
    return container(engine, f"pay-api-{number}", labels=labels, identifier=identifier, **given)  # type: ignore[arg-type]


def fleet() -> Watched:
    """Five replicas of version 1 on three hosts, watched."""
    watched = Watched("h1", "h2", "h3")
    for number in FIVE:
        watched.see(api(number))
    watched.fleet.take_changes()
    return watched


def replace(watched: Watched, old: Container, new: Container) -> None:
    """What compose does to a replica."""
    watched.see(new, gone=(old.id,), engine=old.engine)
    watched.fleet.take_changes()


def deploys(watched: Watched) -> tuple[Deploy, ...]:
    watched.fleet.take_changes()
    return watched.fleet.deploys.of(PAY)


def settled(watched: Watched) -> tuple[Deploy, ...]:
    """As they stand when nothing has gone on for a while."""
    watched.pass_time(30)
    return deploys(watched)


def test_replicas_that_stay_as_they_were_are_no_deploy() -> None:
    """Created together, restarted, made anew from the same, or one more of them."""
    watched = fleet()
    replace(watched, api(1), api(1, made=5))
    watched.see(api(6, made=10))
    assert deploys(watched) == ()


def test_a_deploy_goes_from_replica_to_replica_and_is_one_thing() -> None:
    """From → to, every step with its host, how many are behind while it goes, and how long it took."""
    watched = fleet()
    for number in FIVE:
        watched.clock.advance(1)
        replace(watched, api(number), api(number, "2", made=number))
        (deploy,) = deploys(watched)
        assert (deploy.made, len(deploy.behind)) == (number, 5 - number)
        assert deploy.outcome is Outcome.GOING
    (deploy,) = settled(watched)
    assert deploy.outcome is Outcome.DONE
    assert from_to(deploy) == "pay-api:1 → 2"
    assert [(step.host, step.name) for step in deploy.steps] == [
        (f"h{(number + 1) // 2}", f"pay-api-{number}") for number in FIVE
    ]
    assert (deploy.began, deploy.ended) == (at(1), at(5))


def test_three_of_five_are_called_half_way_within_five_seconds() -> None:
    """With those that are behind; and it is the same deploy when it goes on."""
    watched = fleet()
    for number in (1, 2, 3):
        replace(watched, api(number), api(number, "2", made=0))
    assert deploys(watched)[0].outcome is Outcome.GOING
    watched.pass_time(2)
    watched.pass_time(2)
    (deploy,) = deploys(watched)
    assert deploy.outcome is Outcome.HALFWAY
    assert deploy.behind == ("h2 pay-api-4", "h3 pay-api-5")
    assert (deploy.made, deploy.wanted) == (3, 5)
    watched.clock.advance(600)
    replace(watched, api(4), api(4, "2", made=604))
    replace(watched, api(5), api(5, "2", made=604))
    (deploy,) = settled(watched)
    assert (deploy.outcome, len(deploy.steps)) == (Outcome.DONE, 5)


def test_a_half_applied_deploy_is_found_at_the_first_look() -> None:
    """Fleettop need not have been there."""
    watched = Watched("h1", "h2", "h3")
    for number in FIVE:
        watched.see(api(number, "2", made=-3600) if number < 4 else api(number))
    (deploy,) = deploys(watched)
    assert (deploy.outcome, deploy.made, len(deploy.behind)) == (Outcome.HALFWAY, 3, 2)
    assert deploy.began == at(-3600)


def test_a_replica_that_starts_is_waited_for_before_it_is_half_way() -> None:
    """A health check may take its time; the next replica comes after it."""
    watched = fleet()
    replace(watched, api(1), api(1, "2", made=0, health=Health.STARTING))
    watched.pass_time(60)
    assert deploys(watched)[0].outcome is Outcome.GOING
    watched.see(api(1, "2", made=0, health=Health.HEALTHY))
    watched.pass_time(4)
    watched.pass_time(4)
    assert deploys(watched)[0].outcome is Outcome.HALFWAY


def test_a_deploy_whose_replicas_do_not_come_up_failed() -> None:
    """It is everywhere, and does not serve."""
    watched = fleet()
    for number in FIVE:
        dead = {"state": ContainerState.EXITED, "exit_code": 1, "restart_policy": "no", "finished_at": at(1)}
        replace(watched, api(number), api(number, "2", made=0, **dead))
    (deploy,) = deploys(watched)
    assert (deploy.outcome, deploy.behind) == (Outcome.FAILED, ())


def test_going_back_to_what_was_before_is_a_roll_back() -> None:
    """Both are told: what was rolled back, and the rolling back."""
    watched = fleet()
    for number in FIVE:
        replace(watched, api(number), api(number, "2", made=0))
    watched.clock.advance(100)
    for number in FIVE:
        replace(watched, api(number, "2", made=0), api(number, made=100))
    back, first = settled(watched)
    assert (first.outcome, back.outcome, back.back) == (Outcome.ROLLED_BACK, Outcome.DONE, True)
    assert from_to(back) == "pay-api:2 → 1"


def test_a_replica_that_is_taken_away_to_be_made_anew_does_not_make_it_done() -> None:
    """Of five, four are on 2 and the fifth is gone for a moment: it is not over."""
    watched = fleet()
    for number in (1, 2, 3, 4):
        replace(watched, api(number), api(number, "2", made=0))
    watched.pass_time(60)
    assert deploys(watched)[0].outcome is Outcome.HALFWAY
    watched.see(gone=(api(5).id,), engine="h3")
    assert deploys(watched)[0].outcome is Outcome.GOING
    watched.see(api(5, "2", made=61))
    assert settled(watched)[0].outcome is Outcome.DONE


def test_a_deploy_that_another_one_overtakes_keeps_how_far_it_came() -> None:
    """Two of five were on 2 when 3 came."""
    watched = fleet()
    for number in (1, 2):
        replace(watched, api(number), api(number, "2", made=0))
    watched.pass_time(4)
    watched.pass_time(4)
    deploys(watched)
    for number in FIVE:
        old = api(number, "2", made=0) if number < 3 else api(number)
        replace(watched, old, api(number, "3", made=20))
    newest, first = settled(watched)
    assert (first.outcome, first.made, len(first.behind)) == (Outcome.HALFWAY, 2, 3)
    assert (newest.outcome, newest.made) == (Outcome.DONE, 5)


def test_another_configuration_is_a_deploy_too() -> None:
    """The image is the same; compose's hash of the configuration is not."""
    watched = fleet()
    for number in FIVE:
        replace(watched, api(number), api(number, made=5, config="beef"))
    (deploy,) = settled(watched)
    assert (deploy.outcome, from_to(deploy)) == (Outcome.DONE, "pay-api:1 with another configuration")


def test_a_tag_that_was_built_anew_is_a_deploy_with_its_digests_and_labels() -> None:
    """Revision, version and source of the image go with it."""
    watched = fleet()
    labels = {
        "org.opencontainers.image.revision": "5d1e",
        "org.opencontainers.image.version": "1.0.1",
        "org.opencontainers.image.source": "https://git.example.org/pay",
    }
    for number in FIVE:
        replace(watched, api(number), api(number, made=5, image_id="sha256:77ab" + "0" * 60, labels=labels))
    (deploy,) = deploys(watched)
    assert from_to(deploy).startswith("pay-api:1 built anew (")
    assert (deploy.after.revision, deploy.after.version) == ("5d1e", "1.0.1")
    assert (deploy.after.source, deploy.after.digest) == ("https://git.example.org/pay", "sha256:77ab" + "0" * 60)


def test_a_tag_built_anew_for_one_replica_is_half_way_however_its_past_is_told() -> None:
    """The container it replaced may be known by its end alone, which names no image's id; old builds are behind."""
    new = {"image_id": "sha256:77ab", "made": -60}
    for ended_first in (False, True):
        watched = Watched("h1", "h2", "h3")
        if ended_first:
            watched.event("destroy", api(1, identifier="gone"), replayed=True)  # type: ignore[arg-type]
        for number in FIVE:
            watched.see(api(number, **(new if number == 1 else {})))  # type: ignore[arg-type]
        (deploy,) = deploys(watched)
        assert (deploy.outcome, deploy.made, len(deploy.behind)) == (Outcome.HALFWAY, 1, 4)


def test_who_deployed_is_read_from_the_making_of_its_replicas() -> None:
    """A label declares it; it is said how that is known."""
    watched = fleet()
    labels = {"com.acme.deployed-by": "alice"}
    for number in FIVE:
        new = api(number, "2", made=0, labels=labels)
        watched.play("create start", new, pause=0.0)
        replace(watched, api(number), new)
    (deploy,) = deploys(watched)
    assert (deploy.actor, deploy.attribution) == ("alice", Attribution.DECLARED)


def test_what_was_deployed_just_before_a_moment_can_be_asked_for() -> None:
    """Not what came after it."""
    watched = fleet()
    for version, made in (("2", 10), ("3", 100)):
        for number in FIVE:
            watched.see(api(number, version, made=made))
    newest, first = deploys(watched)
    book = watched.fleet.deploys
    assert book.before(PAY, NOON + timedelta(seconds=50)) == first
    assert book.before(PAY, NOON + timedelta(seconds=150)) == newest
    assert book.before(PAY, NOON) is None


def test_the_book_forgets_the_oldest_deploys_of_a_service() -> None:
    """However often one is deployed."""
    watched = fleet()
    for version in range(2, 60):
        replace(watched, api(1, str(version - 1), made=(version - 1) * 60), api(1, str(version), made=version * 60))
    found = deploys(watched)
    assert len(found) == 32
    assert found[0].after.image == "pay-api:59"
    assert sum(watched.fleet.deploys.per_day().values()) == len(watched.fleet.deploys.all)


def test_a_deploy_of_many_replicas_stays_one_though_containers_are_forgotten() -> None:
    """Of those that are gone only the newest are remembered."""
    watched = Watched("h1", "h2", "h3")
    many = [(n, api(n)) for n in range(1, 7)]
    for _, one in many:
        watched.see(one)
    for version in range(2, 14):
        for number in range(1, 7):
            old = (
                api(number, "1") if version == 2 else api(number, str(version - 1), made=(version - 1) * 1000 + number)
            )
            replace(watched, old, api(number, str(version), made=version * 1000 + number))
    found = deploys(watched)
    assert [one.after.image for one in found] == [f"pay-api:{version}" for version in range(13, 1, -1)]
    assert all(len(one.steps) == 6 for one in found)


def test_a_deploy_comes_back_from_its_record_as_it_was() -> None:
    """All but its steps, which are in the trail themselves."""
    deploy = Deploy(
        key="k" * 32,
        service=PAY,
        name="pay/api",
        began=NOON,
        ended=NOON + timedelta(seconds=42),
        before=Version(image="pay-api:1", digest="sha256:1", revision="aaaa"),
        after=Version(image="pay-api:2", digest="sha256:2", revision="bbbb", version="2.0", source="https://x"),
        what="environment: A added",
        back=True,
        actor="alice",
        attribution=Attribution.DECLARED,
        reason="FT-1",
        behind=("h1 pay-api-1",),
        made=4,
        wanted=5,
        outcome=Outcome.HALFWAY,
    )
    assert deploy_of(deploy_record(deploy, number=1, now=NOON)) == deploy


async def test_deploys_are_known_to_the_next_process(tmp_path: Path) -> None:
    """Also those whose containers are gone by then."""

    def web(version: str, made: float) -> Container:
        moment = START + timedelta(seconds=made)
        one = plain_container("web", image=f"web:{version}", image_id=f"sha256:{version * 64}", created=moment)
        return msgspec.structs.replace(one, id=f"{version * 64}", labels=compose("shop", "web"))

    async with kept(tmp_path / "trail") as process:
        list_(process, web("1", -600))
        process.clock.advance(10)
        list_(process, web("2", 5))
        process.clock.advance(20)
        list_(process, web("2", 5))
        process.keeping.downtimes.write()
        await process.keeping.keeper.flush()
    async with kept(tmp_path / "trail", "two", later=100) as process:
        list_(process, web("2", 5))
        (deploy,) = process.fleet.deploys.all.values()
        assert (from_to(deploy), deploy.outcome) == ("web:1 → 2", Outcome.DONE)
    async with kept(tmp_path / "trail", "three", later=200) as process:
        first, second = web("1", -600), web("2", 5)
        labels = compose("shop", "web", 2)
        list_(process, first, msgspec.structs.replace(second, id="4" * 64, labels=labels))
        process.keeping.downtimes.write()
        (deploy,) = process.fleet.deploys.all.values()  # though the container that began it is another by now
        assert deploy.outcome is Outcome.HALFWAY
