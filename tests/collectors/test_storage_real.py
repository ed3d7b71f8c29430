"""Disks of real engines: what is planned is what `docker system df` says, and goes; nothing else goes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fleettop.collectors.actions import Outcome, plan_prune
from fleettop.collectors.storage import Keep, Kind, Needs

from tests.collectors.actions_stage import stage_on
from tests.collectors.disk_stage import ALL, BIG, build, context, ended, filled, names, pruned, sorted_disk
from tests.fleet import Fleet


@pytest.fixture
def disks(fleet: Fleet) -> Iterator[Fleet]:
    """The fleet, whose own image is in use; what tests made of images is gone afterwards."""
    for host in ("h1", "pod1"):
        fleet.run_plain(host, "runs", "sleep 600")
    yield fleet
    fleet.wipe()
    for image in fleet.get("h1", "/images/json"):
        if image["RepoTags"] != ["bb:1"]:
            fleet.api("h1", "DELETE", f"/images/{image['Id']}?force=1")


@pytest.mark.parametrize("way", ["unix", "ssh"])
async def test_a_prune_frees_what_the_engine_said_it_would(disks: Fleet, way: str) -> None:
    """Containers, images, volumes: the plan's sum is the difference of two `docker system df`; a second is empty."""
    filled(disks, "h1")
    async with stage_on(disks, ["h1"], way=way) as stage:
        disk = await sorted_disk(stage, "h1")
        assert names(disk, Kind.CONTAINER) == {"old"}
        assert len(names(disk, Kind.IMAGE)) == 3
        assert "unused:1, unused:also" in names(disk, Kind.IMAGE) or "unused:also, unused:1" in names(disk, Kind.IMAGE)
        assert len(names(disk, Kind.VOLUME)) == 1
        freed = await pruned(stage, disk)
        assert disk.least <= freed <= disk.most
        assert disk.least == disk.most == freed > 15_000_000
        again = await sorted_disk(stage, "h1")
        assert not again.going
    left = {volume["Name"] for volume in disks.get("h1", "/volumes")["Volumes"]}
    assert left == {"used", "data"}
    assert [image["RepoTags"] for image in disks.get("h1", "/images/json")] == [["bb:1"]]
    assert stage.inspect("h1", "runs")["State"]["Running"]


async def test_a_named_volume_goes_only_when_told(disks: Fleet) -> None:
    """And one that a stopped container mounts not even then, as long as that container is there."""
    filled(disks, "h1")
    keep = Keep(images=0, volumes=False)
    async with stage_on(disks, ["h1"]) as stage:
        disk = await sorted_disk(stage, "h1", keep)
        assert "data" in names(disk, Kind.VOLUME)
        assert "used" not in names(disk, Kind.VOLUME)
        freed = await pruned(stage, disk, keep)
        assert freed == disk.most
    assert {volume["Name"] for volume in disks.get("h1", "/volumes")["Volumes"]} == {"used"}


async def test_the_build_cache_goes_record_by_record(disks: Fleet) -> None:
    """With the images that were built from it all of it is free; what is built meanwhile stays."""
    build(disks, "h1", "built:1", 3, buildkit=True)
    async with stage_on(disks, ["h1"]) as stage:
        disk = await sorted_disk(stage, "h1")
        assert "built:1" in names(disk, Kind.IMAGE)
        records = {one.id for one in disk.going if one.kind is Kind.CACHE}
        assert records
        body = context(f"FROM bb:1\nRUN {BIG.format(1)} && echo later\n")
        assert disks.api("h1", "POST", "/build?t=later:1&version=2", body, timeout=60)[0] == 200
        results = await stage.do(plan_prune([disk], keep=ALL))
        assert results[-1].outcome is Outcome.SUCCESS, results
        now = {record["ID"] for record in disks.get("h1", "/system/df")["BuildCache"] if not record["Shared"]}
        assert now
        assert not now & records
    assert any(image["RepoTags"] == ["later:1"] for image in disks.get("h1", "/images/json"))


async def test_what_came_into_use_meanwhile_is_left(disks: Fleet) -> None:
    """Each is looked at again just before: a tag that moved, a container that was started, a volume that is mounted."""
    filled(disks, "h1")
    async with stage_on(disks, ["h1"]) as stage:
        disk = await sorted_disk(stage, "h1")
        made = plan_prune([disk], keep=ALL)
        disks.docker("h1", "tag", "unused:1", "new:1")
        disks.run_plain("h1", "user", "sleep 600", Image="dangling:1")
        results = {result.step.object_name: result for result in await stage.do(made)}
    refused = {name: result.words for name, result in results.items() if result.outcome is Outcome.REFUSED}
    assert refused["dangling:1"] == "left as it is: user uses it now"
    assert any("its tags were changed meanwhile" in words for words in refused.values())
    assert len(refused) == 2
    assert results["old"].outcome is Outcome.SUCCESS


async def test_what_another_host_runs_stays_on_this_one(disks: Fleet) -> None:
    """An image that a service of the fleet uses elsewhere may be needed here next."""
    build(disks, "h1", "app:1", 1)
    archive = disks.api("h1", "GET", "/images/app:1/json")[1]
    needs = Needs(images={archive["Id"]: "shop/web on h2"})
    async with stage_on(disks, ["h1"]) as stage:
        disk = await sorted_disk(stage, "h1", needs=needs)
    [app] = [one for one in disk.objects if one.name == "app:1"]
    assert (app.goes, app.why) == (False, "is used by shop/web on h2")


async def test_podman_is_pruned_too(disks: Fleet) -> None:
    """Podman 4.3 tells of its disk otherwise: no layers, no names of images, no times of volumes."""
    container = ended(disks, "pod1", "old", "sh -c 'dd if=/dev/zero of=/x bs=1M count=3'")
    async with stage_on(disks, ["pod1"]) as stage:
        disk = await sorted_disk(stage, "pod1")
        assert names(disk, Kind.CONTAINER) == {"old"}
        assert any(one.name.startswith("localhost/bb:1") for one in disk.objects), disk.objects
        freed = await pruned(stage, disk)
        assert freed == disk.most
    assert disks.api("pod1", "GET", f"/containers/{container}/json")[0] == 404
