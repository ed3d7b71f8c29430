"""What of a disk may go, and what stays and why, on made-up disks."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from fleettop.collectors.actions import Deed, plan_prune
from fleettop.collectors.clock import SystemClock
from fleettop.collectors.engine.decode_storage import decode_disk_use
from fleettop.collectors.errors import Malformed, ReadOnly
from fleettop.collectors.model import (
    CacheRecord,
    ContainerKey,
    ContainerState,
    DiskUse,
    StoredContainer,
    StoredImage,
    StoredVolume,
)
from fleettop.collectors.storage import DAY, Keep, Kind, Needs, Sorted, sort_out

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
MB = 1_000_000


def image(
    number: int, *, tag: str = "", own: int = 10, shared: int = 0, users: int | None = 0, days: float = 30
) -> Any:
    """An image of its own so many megabytes."""
    return StoredImage(
        id=f"sha256:{number:064x}",
        tags=(tag,) if tag else (),
        size=(own + shared) * MB,
        shared=shared * MB,
        users=users,
        created=NOW - timedelta(days=days),
    )


def container(number: int, name: str, state: ContainerState, **facts: Any) -> StoredContainer:
    """A container that has written 1 MB."""
    return StoredContainer(id=f"{number:064x}", name=name, state=state, written=MB, **facts)


def disk(**what: Any) -> DiskUse:
    """A disk with that on it."""
    return DiskUse(engine="web-1", at=0.0, taken=NOW, **what)


def whys(found: Sorted, *, goes: bool) -> dict[str, str]:
    """Why each goes, or stays."""
    return {one.name: one.why for one in found.objects if one.goes is goes}


def test_an_image_stays_while_anything_uses_it_or_it_is_young_or_that_is_not_told() -> None:
    """By a container here, a service elsewhere, a swarm by name; unknown is not unused."""
    use = disk(
        images=(
            image(1, tag="run:1"), image(2, tag="web:1"), image(3, tag="swarm:1"), image(4, tag="young:1", days=2),
            image(5, tag="counted:1", users=1), image(6, tag="unknown:1", users=None), image(7, tag="old:1"), image(8),
        ),
        containers=(container(1, "db", ContainerState.EXITED, image_id=f"sha256:{1:064x}"),),
    )  # fmt: skip
    needs = Needs(images={f"sha256:{2:064x}": "shop/web on web-2"}, names={"swarm:1": "the swarm's api"})
    found = sort_out(use, needs, Keep(), NOW)
    assert whys(found, goes=False) == {
        "run:1": "is used by db",
        "web:1": "is used by shop/web on web-2",
        "swarm:1": "is used by the swarm's api",
        "young:1": "was made 2d ago, which is too new",
        "counted:1": "is used by a container",
        "unknown:1": "whether it is used is not told",
    }
    assert set(whys(found, goes=True)) == {"db", "old:1", f"<none> {8:064x}"[:19]}
    assert "young:1" in whys(sort_out(use, needs, Keep(images=DAY), NOW), goes=True)


def test_a_stopped_replica_stays_and_so_does_what_was_just_made() -> None:
    """A service is not pruned away because it is stopped; a container between create and start is somebody's."""
    use = disk(
        containers=(
            container(1, "api-1", ContainerState.EXITED),
            container(2, "made", ContainerState.CREATED, created=NOW - timedelta(minutes=2)),
            container(3, "forgotten", ContainerState.CREATED, created=NOW - timedelta(days=2)),
            container(4, "up", ContainerState.RUNNING),
            container(5, "odd", ContainerState.UNKNOWN),
            container(6, "job", ContainerState.EXITED, status="Exited (0) 3 days ago"),
        )
    )
    found = sort_out(use, Needs(replicas={ContainerKey("web-1", f"{1:064x}"): "pay/api"}), Keep(), NOW)
    assert whys(found, goes=True) == {"forgotten": "created", "job": "exited (0) 3 days ago"}
    assert whys(found, goes=False)["api-1"] == "is a replica of pay/api, which may be started again"
    assert found.least == found.most == 2 * MB


def test_a_volume_with_a_name_stays_unless_told_and_with_a_foreign_driver_always() -> None:
    """Anonymous ones that nothing mounts go; what a swarm's service mounts stays even when told."""
    use = disk(
        volumes=(
            StoredVolume(name="a" * 64, anonymous=True, size=MB, users=0),
            StoredVolume(name="b" * 64, anonymous=True, size=MB, users=1),
            StoredVolume(name="data", size=5 * MB, users=0),
            StoredVolume(name="swarmed", size=MB, users=0),
            StoredVolume(name="far", driver="nfs", size=None, users=0),
            StoredVolume(name="unknown", users=None),
        )
    )
    needs = Needs(volumes={"swarmed": "the swarm's db"})
    assert set(whys(sort_out(use, needs, Keep(), NOW), goes=True)) == {"a" * 12}
    told = sort_out(use, needs, Keep(volumes=False), NOW)
    assert set(whys(told, goes=True)) == {"a" * 12, "data"}
    assert told.most == 6 * MB


def test_where_layers_are_shared_the_least_and_the_most_are_said() -> None:
    """Own bytes are free in any case; what is shared perhaps with what stays is not promised."""
    use = disk(layers=60 * MB, images=(image(1, own=10, shared=20), image(2, tag="in:use", own=5, shared=20, users=1)))
    found = sort_out(use, Needs(), Keep(), NOW)
    assert (found.least, found.most) == (10 * MB, 35 * MB)
    plan = plan_prune([found], keep=Keep())
    assert "frees 10MB to 35MB" in plan.sentences[0]


def test_of_the_build_cache_goes_what_no_build_uses() -> None:
    """What an image has as well frees nothing by itself, and is listed where its image may be one that goes."""
    use = disk(
        layers=9 * MB,
        images=(image(1, own=9),),
        cache=(
            CacheRecord(id="a" * 25, description="RUN make", size=3 * MB),
            CacheRecord(id="b" * 25, in_use=True, size=MB),
            CacheRecord(id="c" * 25, shared=True, size=9 * MB),
        ),
    )
    found = sort_out(use, Needs(), Keep(), NOW)
    assert found.most == 9 * MB + 3 * MB
    [_image, step] = plan_prune([found], keep=Keep()).steps
    assert (step.deed, step.kind, set(step.parts)) == (Deed.PRUNE, Kind.CACHE.value, {"a" * 25, "c" * 25})
    stays = sort_out(use, Needs(), Keep(images=60 * DAY), NOW)
    assert {one.id for one in stays.going} == {"a" * 25}
    assert "is also an image's, and none goes" in whys(stays, goes=False).values()


def test_where_not_all_of_the_answer_made_sense_nothing_goes() -> None:
    """A container that could not be read may be the one that uses an image."""
    found = sort_out(disk(images=(image(1),), refused=1), Needs(), Keep(), NOW)
    assert found.going == ()
    plan = plan_prune([found], keep=Keep())
    assert not plan.possible
    assert "made sense" in plan.blockers[0]


def test_every_object_of_a_plan_is_named_and_a_host_that_was_not_read_is_said() -> None:
    """What is not in the sentences is not in the steps."""
    found = sort_out(disk(images=(image(1, tag="a:1"), image(2, tag="b:1"))), Needs(), Keep(), NOW)
    plan = plan_prune(
        [found], keep=Keep(), groups={"web-1": "prod"}, protected=["prod"], unread={"web-2": "not answering"}
    )
    said = "\n".join(plan.sentences)
    assert all(step.object_name in said for step in plan.steps)
    assert plan.warnings == ("Left as it is, since its disk could not be read: web-2 (not answering).",)
    assert plan.name_to_type == "web-1"
    with pytest.raises(ReadOnly):
        plan_prune([found], keep=Keep(), read_only=True)


def test_rows_that_make_no_sense_are_counted_and_unknown_numbers_stay_unknown() -> None:
    """Docker writes -1 for what it did not work out; what is not told of a cache record counts as in use."""
    body = json.dumps(
        {
            "LayersSize": 7,
            "Images": [
                {
                    "Id": f"sha256:{1:064x}",
                    "Size": 7,
                    "SharedSize": -1,
                    "Containers": -1,
                    "RepoTags": ["<none>:<none>"],
                },
                {"Id": 5},
            ],
            "Containers": [{"Id": "../evil"}],
            "Volumes": [{"Name": "v\u001b[2J"}, {"Name": "ok", "UsageData": {"Size": -1, "RefCount": -1}}],
            "BuildCache": [{"ID": "a" * 25, "Size": 3}, {"ID": "x|.*"}],
        }
    ).encode()
    use = decode_disk_use(body, engine="e", clock=SystemClock())
    assert use.refused == 4
    assert (use.images[0].shared, use.images[0].users, use.images[0].tags) == (None, None, ())
    assert (use.volumes[0].size, use.volumes[0].users) == (None, None)
    assert use.cache[0].in_use
    with pytest.raises(Malformed):
        decode_disk_use(b"[]", engine="e", clock=SystemClock())


INDEX = f"sha256:{9:064x}"
CONTAINERD: dict[str, Any] = {
    "LayersSize": 11 * MB,
    "Images": [
        {
            "Id": INDEX,
            "ParentId": "",
            "RepoTags": ["registry.example.org:5000/shop/web:2"],
            "RepoDigests": [f"registry.example.org:5000/shop/web@{INDEX}"],
            "Created": int((NOW - timedelta(days=30)).timestamp()),
            "Size": 8 * MB,
            "SharedSize": -1,
            "Labels": None,
            "Containers": 1,
            "Descriptor": {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": INDEX, "size": 856},
            "Manifests": [{"ID": f"sha256:{8:064x}", "Available": True, "Kind": "image"}],
        },
        {"Id": f"sha256:{7:064x}", "RepoTags": [], "RepoDigests": [], "Created": 0, "Size": MB, "Containers": -1},
    ],
    "Containers": [
        {
            "Id": "c" * 64, "Names": ["/shop-web-1"], "Image": "shop/web:2", "ImageID": INDEX, "Created": 1,
            "State": "running", "Status": "Up 2 days", "Labels": {}, "SizeRw": 4096, "Mounts": [],
            "ImageManifestDescriptor": {"digest": f"sha256:{8:064x}", "platform": {"architecture": "amd64"}},
        }
    ],
    "Volumes": [
        {
            "Name": "f" * 64, "Driver": "local", "CreatedAt": "2026-10-01T00:00:00Z", "Scope": "local", "Options": None,
            "Labels": {"com.docker.volume.anonymous": ""}, "UsageData": {"RefCount": 0, "Size": 2 * MB},
        }
    ],
    "BuildCache": [
        {
            "ID": "ntlqj3c1yrqrx1ns9ps2tkqcd", "Parents": ["x1c2v3b4n5m6q7w8e9r0t1y2u"], "Type": "regular",
            "Description": "mount / from exec /bin/sh -c make", "InUse": False, "Shared": False, "Size": 5 * MB,
            "CreatedAt": "2026-10-01T00:00:00Z", "LastUsedAt": None, "UsageCount": 1,
        }
    ],
}  # fmt: skip
"""As Docker 25 to 28 with containerd's image store answer by API 1.44 to 1.51: no VirtualSize, `Parents`, an image's
id is the digest of its index, and what is shared may not be worked out (26.1 does)."""


def test_of_containerds_store_only_what_is_sure_is_promised() -> None:
    """As 26.1 told of three builds on one image: it counts the pulled base as each one's own, and what a container
    wrote as a layer. 13.7 MB were free afterwards."""
    sizes = {"run:1": (4152088, 2), "a:1": (6256457, 0), "b:1": (9405248, 0), "c:1": (10454840, 0)}
    use = disk(
        layers=18800640,
        images=tuple(
            StoredImage(id=f"sha256:{n:064x}", tags=(tag,), digests=(f"{tag[:-2]}@sha256:{n:064x}",), size=size,
                        shared=2011136, users=users, created=NOW)
            for n, (tag, (size, users)) in enumerate(sizes.items())
        ),
        containers=(StoredContainer(id="c" * 64, name="up", state=ContainerState.RUNNING, written=3145728),),
    )  # fmt: skip
    assert use.containerd
    assert (use.images_size, use.total) == (18800640 - 3145728, 18800640)
    found = sort_out(use, Needs(), Keep(images=0), NOW)
    assert set(whys(found, goes=True)) == {"a:1", "b:1", "c:1"}
    assert (found.least, found.most) == (11502824, 22094273)
    assert found.least < 13_700_000 < found.most
    assert not msgspec.structs.replace(use, images=(image(1),)).containerd


def test_of_containerds_store_all_that_goes_with_nothing_left_is_sure() -> None:
    """Nothing stays: all layers are free, and what was pulled besides at most."""
    named = StoredImage(id="sha256:1", tags=("a:1",), digests=("a@sha256:1",), size=10 * MB, shared=0, users=0)
    use = disk(layers=7 * MB, images=(named,))
    found = sort_out(use, Needs(), Keep(images=0), NOW)
    assert (found.least, found.most) == (7 * MB, 10 * MB)


def test_what_was_built_into_containerds_store_lies_there_twice() -> None:
    """As 26.1 told after builds: a layer that the build cache shares is an image's besides, and both go, or stay."""
    images = tuple(
        StoredImage(id=f"sha256:{n}", tags=(f"{n}:1",), digests=(f"{n}@sha256:{n}",), size=10 * MB, shared=2 * MB,
                    users=users)
        for n, users in enumerate((0, 1))
    )  # fmt: skip
    cache = (CacheRecord(id="b" * 25, shared=True, size=8 * MB), CacheRecord(id="c" * 25, size=3 * MB))
    use = disk(layers=25 * MB, images=images, cache=cache)
    assert (use.images_size, use.total) == (22 * MB, 25 * MB)
    found = sort_out(use, Needs(), Keep(images=0), NOW)
    assert (found.least, found.most) == (4 * MB + 3 * MB, 8 * MB + 20 * MB + 3 * MB)


def test_a_containerd_image_store_is_read_and_what_it_does_not_work_out_is_not_known() -> None:
    """The image that runs is found by its index; of the other nobody tells whether it is used, so it stays."""
    use = decode_disk_use(json.dumps(CONTAINERD).encode(), engine="web-1", clock=SystemClock())
    assert use.refused == 0
    used, other = use.images
    assert (used.id, used.digests, used.shared, used.users) == (
        INDEX, (f"registry.example.org:5000/shop/web@{INDEX}",), None, 1,
    )  # fmt: skip
    assert (other.users, other.created) == (None, None)
    assert use.containers[0].image_id == INDEX
    found = sort_out(use, Needs(), Keep(images=0), NOW)
    assert whys(found, goes=False)[other.id[:19].replace("sha256:", "<none> ")] == "whether it is used is not told"
    assert {one.kind for one in found.objects if one.goes} == {Kind.VOLUME, Kind.CACHE}
    assert found.most == 7 * MB


def test_an_answer_of_sums_alone_is_no_empty_disk() -> None:
    """API 1.52 has `ImageUsage` and the like in place of lists: missing is not nothing."""
    usage = {"ActiveCount": 1, "TotalCount": 4, "Reclaimable": 12345678, "TotalSize": 98765432}
    kinds = ("ImageUsage", "ContainerUsage", "VolumeUsage", "BuildCacheUsage")
    with pytest.raises(Malformed, match="neither images nor containers nor volumes"):
        decode_disk_use(json.dumps(dict.fromkeys(kinds, usage)).encode(), engine="e", clock=SystemClock())
    null = dict.fromkeys(("Images", "Containers", "Volumes", "BuildCache"))
    assert decode_disk_use(json.dumps(null).encode(), engine="e", clock=SystemClock()).images == ()
