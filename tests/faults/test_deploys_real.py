"""Deploys on real engines: built, rolled out replica by replica, half-way, and back."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

from fleettop.collectors.deploys.deploy import Deploy, Outcome, from_to
from fleettop.collectors.model import Attribution, ServiceKey

from tests.fleet import Fleet

from .stage import Eventually, Stage, watching

LONG = 90.0
HOSTS = ("h1", "h2", "h3")
WHERE = ("h1", "h1", "h2", "h2", "h3")
API = ServiceKey("compose", "shop", "api")


def build(fleet: Fleet, folder: Path, host: str, tag: str, **labels: str) -> None:
    """Build an image on a host, with labels as a pipeline leaves them."""
    said = " ".join(f'org.opencontainers.image.{name}="{value}"' for name, value in labels.items())
    (folder / "Dockerfile").write_text(f"FROM bb:1\nLABEL {said}\n")
    fleet.docker(host, "build", "-q", "-t", tag, folder)


def deploys(stage: Stage, service: ServiceKey) -> tuple[Deploy, ...]:
    """Newest first."""
    stage.session.fleet.take_changes()
    return stage.session.fleet.deploys.of(service)


def stands(stage: Stage, service: ServiceKey, outcome: Outcome, count: int = 1) -> Deploy | None:
    """The newest deploy of a service that has so many, if it stands so."""
    found = deploys(stage, service)
    return found[0] if len(found) == count and found[0].outcome is outcome else None


async def test_three_of_five_replicas_on_three_hosts_are_half_way_until_the_others_follow(
    fleet: Fleet, eventually: Eventually, tmp_path: Path
) -> None:
    """One deploy over all hosts: who, from what revision to what, which replicas are behind, and its steps."""

    def run(number: int, tag: str) -> str:
        labels = {"com.acme.deployed-by": "alice"} if tag == "2" else {}
        return fleet.run(WHERE[number - 1], "shop", "api", "sleep 1000", number, Image=f"shop-api:{tag}", Labels=labels)

    for tag, revision in (("1", "aaaa"), ("2", "bbbb")):
        for host in HOSTS:
            labels = {"revision": revision, "version": f"{tag}.0", "source": "https://git.example.org/shop"}
            await asyncio.to_thread(build, fleet, tmp_path, host, f"shop-api:{tag}", **labels)
    async with watching(*(fleet.address(host, "ssh") for host in HOSTS)) as stage:
        old = [await asyncio.to_thread(run, number, "1") for number in range(1, 6)]

        def replicas() -> int | None:
            stage.session.fleet.take_changes()
            service = stage.session.fleet.services.get(API)
            return service.serving if service is not None else None

        await eventually(lambda: replicas() == 5, timeout=LONG)
        assert deploys(stage, API) == ()

        async def replace(number: int) -> None:
            await asyncio.to_thread(fleet.docker, WHERE[number - 1], "rm", "-f", old[number - 1])
            await asyncio.to_thread(run, number, "2")

        for number in (1, 2, 3):
            await replace(number)
        deploy = await eventually(lambda: stands(stage, API, Outcome.HALFWAY), timeout=LONG)
        assert deploy.behind == ("h2 shop-api-4", "h3 shop-api-5")
        assert (deploy.made, deploy.wanted, from_to(deploy)) == (3, 5, "shop-api:1 → 2")
        assert (deploy.before.revision, deploy.after.revision, deploy.after.version) == ("aaaa", "bbbb", "2.0")
        assert deploy.after.source == "https://git.example.org/shop"
        assert deploy.after.digest.startswith("sha256:")
        assert (deploy.actor, deploy.attribution) == ("alice", Attribution.DECLARED)
        for number in (4, 5):
            await replace(number)
        deploy = await eventually(lambda: stands(stage, API, Outcome.DONE), timeout=LONG)
        made = {(step.host, step.name) for step in deploy.steps}
        assert made == {(host, f"shop-api-{number}") for number, host in enumerate(WHERE, 1)}
        assert deploy.ended is not None
        assert deploy.ended > deploy.began


async def test_a_swarms_rolling_update_is_followed_to_its_end_back_and_into_a_pause(
    swarm_fleet: Fleet, eventually: Eventually
) -> None:
    """From one manager alone: done, rolled back, and half-way where the swarm pauses it, in the swarm's own words."""
    fleet = swarm_fleet
    # A name of its own each time: what the engines still tell of an earlier try is no deploy of this one.
    name = f"pay-{secrets.token_hex(3)}"

    async def docker(*arguments: object, host: str = "h1") -> str:
        return await asyncio.to_thread(fleet.docker, host, *arguments)

    for host in HOSTS:
        await docker("tag", "bb:1", "bb:2", host=host)
    async with watching(fleet.address("h1")) as stage:
        await eventually(lambda: stage.session.fleet.swarms, timeout=LONG)
        (cluster,) = stage.session.fleet.swarms
        pay = ServiceKey("swarm", cluster, name)
        await asyncio.to_thread(fleet.run_service, name, "sleep 1000", 3)

        def serving() -> int | None:
            stage.session.fleet.take_changes()
            service = stage.session.fleet.services.get(pay)
            return service.serving if service is not None else None

        await eventually(lambda: serving() == 3, timeout=LONG)
        assert deploys(stage, pay) == ()
        quick = ("--update-monitor", "1s", "--update-delay", "1s", "--stop-grace-period", "1s")
        await docker("service", "update", "-d", "--no-resolve-image", *quick, "--image", "bb:2", name)
        going = await eventually(lambda: stands(stage, pay, Outcome.GOING), timeout=LONG)
        assert from_to(going) == "bb:1 → 2"
        done = await eventually(lambda: stands(stage, pay, Outcome.DONE), timeout=LONG)
        assert (done.made, done.wanted, len(done.steps)) == (3, 3, 3)
        assert done.ended is not None

        await docker("service", "rollback", "-d", name)
        back = await eventually(lambda: stands(stage, pay, Outcome.DONE, 2), timeout=LONG)
        assert (back.back, from_to(back)) == (True, "bb:2 → 1")
        assert deploys(stage, pay)[1].outcome is Outcome.ROLLED_BACK

        broken = ("--update-failure-action", "pause", "--update-monitor", "3s", "--args", "false")
        await docker("service", "update", "-d", "--no-resolve-image", *broken, name)
        paused = await eventually(lambda: stands(stage, pay, Outcome.HALFWAY, 3), timeout=LONG)
        assert "paused" in paused.note
        assert len(paused.behind) == 2
