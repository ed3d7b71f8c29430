"""Disks of Docker 26, with the image store of old and with containerd's: what is planned is what goes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fleettop.collectors.actions import Outcome, plan_prune
from fleettop.collectors.storage import Keep, Kind

from tests.collectors.actions_stage import stage_on
from tests.collectors.disk_stage import ALL, Builder, build, build_with_buildx, filled, names, pruned, sorted_disk
from tests.fleet import Fleet

STORES = {"overlay2": False, "overlayfs": True}
"""By what an engine calls it: whether it is containerd's."""


@pytest.fixture(params=STORES)
def store(newer_fleet: Fleet, request: pytest.FixtureRequest) -> Iterator[str]:
    """An engine with one of the stores on `bare`, whose own image is in use."""
    with newer_fleet.engine(features={"containerd-snapshotter": STORES[request.param]}):
        assert newer_fleet.get("bare", "/info")["Driver"] == request.param
        newer_fleet.run_plain("bare", "runs", "sleep 600")
        yield request.param


def used_bytes(fleet: Fleet) -> int:
    """What all of the engine's files take, whatever it says of them."""
    return int(
        fleet.on("bare", "du", "--summarize", "--block-size=1", fleet.site.home("bare") / "disk/spare").split()[0]
    )


@pytest.mark.parametrize("builder", [build, build_with_buildx])
async def test_a_prune_frees_what_the_engine_said_it_would(newer_fleet: Fleet, store: str, builder: Builder) -> None:
    """Containers, images, volumes: what files take less is what was planned; a second is empty; what is used stays."""
    filled(newer_fleet, "bare", builder)
    async with stage_on(newer_fleet, ["bare"]) as stage:
        disk = await sorted_disk(stage, "bare")
        assert disk.use.containerd is STORES[store]
        assert names(disk, Kind.CONTAINER) == {"old"}
        assert {"unused:1, unused:also", "dangling:1"} <= names(disk, Kind.IMAGE)
        assert len(names(disk, Kind.VOLUME)) == 1
        before = used_bytes(newer_fleet)
        freed = await pruned(stage, disk)
        assert disk.least <= freed <= disk.most
        assert freed > 14_000_000
        if builder is build:  # after a build by BuildKit containerd collects garbage of its own for a while
            assert abs(before - used_bytes(newer_fleet) - freed) < 1_000_000
        if store == "overlay2" and builder is build_with_buildx:
            assert disk.least == freed == disk.most
        again = await sorted_disk(stage, "bare")
        assert not again.going
    left = {volume["Name"] for volume in newer_fleet.get("bare", "/volumes")["Volumes"]}
    assert left == {"used", "data"}
    assert [image["RepoTags"] for image in newer_fleet.get("bare", "/images/json")] == [["bb:1"]]
    assert stage.inspect("bare", "runs")["State"]["Running"]


async def test_a_named_volume_goes_only_when_told(newer_fleet: Fleet, store: str) -> None:
    """And one that a stopped container mounts not even then, as long as that container is there."""
    filled(newer_fleet, "bare")
    keep = Keep(images=0, volumes=False)
    async with stage_on(newer_fleet, ["bare"]) as stage:
        disk = await sorted_disk(stage, "bare", keep)
        assert "data" in names(disk, Kind.VOLUME)
        assert "used" not in names(disk, Kind.VOLUME)
        freed = await pruned(stage, disk, keep)
        assert disk.least <= freed <= disk.most
    assert {volume["Name"] for volume in newer_fleet.get("bare", "/volumes")["Volumes"]} == {"used"}


async def test_the_build_cache_goes_record_by_record(newer_fleet: Fleet, store: str) -> None:
    """With the images that were built from it all of it is free; what is built meanwhile stays."""
    build_with_buildx(newer_fleet, "bare", "built:1", 3)
    async with stage_on(newer_fleet, ["bare"]) as stage:
        disk = await sorted_disk(stage, "bare")
        assert "built:1" in names(disk, Kind.IMAGE)
        records = {one.id for one in disk.going if one.kind is Kind.CACHE}
        assert records
        build_with_buildx(newer_fleet, "bare", "later:1", 1)
        results = await stage.do(plan_prune([disk], keep=ALL))
        assert results[-1].outcome is Outcome.SUCCESS, results
        cache = newer_fleet.get("bare", "/system/df")["BuildCache"]
        now = {record["ID"] for record in cache if not record["Shared"]}
        assert now
        assert not now & records
    assert any(image["RepoTags"] == ["later:1"] for image in newer_fleet.get("bare", "/images/json"))
