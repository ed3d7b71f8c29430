"""Images that are built, pushed to a registry and rolled out from there by tag and digest, on real engines."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from fleettop.collectors.deploys.deploy import Deploy, Outcome, from_to
from fleettop.collectors.model import Attribution, ServiceKey

from tests.conftest import REQUIRED
from tests.fleet import Fleet, registry

from .stage import Eventually, watching
from .test_deploys_real import HOSTS, LONG, build, deploys, stands

SOURCE = "https://git.example.org/shop"
Push = Callable[[str, str], str]


@pytest.fixture
def push(fleet: Fleet, tmp_path: Path) -> Push:
    """Build REPOSITORY:TAG on h1 and push it to a registry of the fleet: its name with the digest it has there."""
    if why := registry.lacking():
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(why, pytrace=False)
        pytest.skip(why)
    host = fleet.serve_registry()

    def build_and_push(repository: str, tag: str) -> str:
        image = f"{host}/{repository}:{tag}"
        build(fleet, tmp_path, "h1", image, revision=f"rev{tag}", version=f"{tag}.0", source=SOURCE)
        found = re.search(r"digest: (sha256:\w{64})", fleet.docker("h1", "push", image))
        assert found is not None
        return f"{image}@{found[1]}"

    return build_and_push


def said(deploy: Deploy) -> list[tuple[str, str, str, str, str]]:
    """What it goes from and to."""
    return [(v.image, v.digest, v.revision, v.version, v.source) for v in (deploy.before, deploy.after)]


def meant(*pushed: str) -> list[tuple[str, str, str, str, str]]:
    """The same as it was built and pushed."""
    found = []
    for image in pushed:
        name, _, digest = image.partition("@")
        tag = name.rpartition(":")[2]
        found.append((name, digest, f"rev{tag}", f"{tag}.0", SOURCE))
    return found


async def test_a_compose_service_is_seen_to_go_to_the_image_that_was_pushed(
    fleet: Fleet, push: Push, eventually: Eventually
) -> None:
    """Built, pushed, pulled and rolled out by tag and digest: from and to with both, and what the image says of it."""
    old, new = [await asyncio.to_thread(push, "shop/api", tag) for tag in "12"]
    # A name of its own each time: what the engines still tell of an earlier try is no deploy of this one.
    name = f"api-{secrets.token_hex(3)}"
    api = ServiceKey("compose", "shop", name)

    def run(host: str, number: int, image: str) -> str:
        fleet.docker(host, "pull", "-q", image)
        labels = {"com.acme.deployed-by": "alice"} if image == new else {}
        return fleet.run(host, "shop", name, "sleep 1000", number, Image=image, Labels=labels)

    async with watching(*(fleet.address(host, "ssh") for host in HOSTS)) as stage:
        made = [await asyncio.to_thread(run, host, number, old) for number, host in enumerate(HOSTS, 1)]

        def serving() -> int | None:
            stage.session.fleet.take_changes()
            service = stage.session.fleet.services.get(api)
            return service.serving if service is not None else None

        await eventually(lambda: serving() == 3, timeout=LONG)
        for number, (host, container) in enumerate(zip(HOSTS, made, strict=True), 1):
            await asyncio.to_thread(fleet.docker, host, "rm", "-f", container)
            await asyncio.to_thread(run, host, number, new)
        deploy = await eventually(lambda: stands(stage, api, Outcome.DONE), timeout=LONG)
        assert said(deploy) == meant(old, new)
        assert from_to(deploy) == "shop/api:1 → 2"
        assert (deploy.actor, deploy.attribution) == ("alice", Attribution.DECLARED)
        assert (deploy.made, deploy.wanted, [step.host for step in deploy.steps]) == (3, 3, list(HOSTS))


async def test_a_swarm_is_seen_to_roll_out_the_image_that_was_pushed(
    swarm_fleet: Fleet, push: Push, eventually: Eventually
) -> None:
    """The nodes pull it from the registry; from and to with tag and digest, and what the image says of itself."""
    fleet = swarm_fleet
    name = f"pay-{secrets.token_hex(3)}"
    old, new = [await asyncio.to_thread(push, "pay/api", tag) for tag in "12"]

    async def docker(*arguments: object) -> str:
        return await asyncio.to_thread(fleet.docker, "h1", *arguments)

    async with watching(*(fleet.address(host, "ssh") for host in HOSTS)) as stage:
        await eventually(lambda: stage.session.fleet.swarms, timeout=LONG)
        (cluster,) = stage.session.fleet.swarms
        pay = ServiceKey("swarm", cluster, name)
        quick = ("--update-monitor", "1s", "--stop-grace-period", "1s")
        tag_alone = old.partition("@")[0]
        await docker("service", "create", "-d", "--replicas", 3, *quick, "--name", name, tag_alone, "sleep", 1000)

        def serving() -> int | None:
            stage.session.fleet.take_changes()
            service = stage.session.fleet.services.get(pay)
            return service.serving if service is not None else None

        await eventually(lambda: serving() == 3, timeout=LONG)
        assert deploys(stage, pay) == ()
        by = ("--container-label-add", "com.acme.deployed-by=bob", "--label-add", "com.acme.deployed-by=bob")
        await docker("service", "update", "-d", *by, "--image", new, name)
        deploy = await eventually(lambda: stands(stage, pay, Outcome.DONE), timeout=LONG)
        assert said(deploy) == meant(old, new)
        assert from_to(deploy) == "pay/api:1 → 2"
        assert (deploy.made, deploy.wanted, len(deploy.steps)) == (3, 3, 3)
        assert (deploy.actor, deploy.attribution) == ("bob", Attribution.DECLARED)
