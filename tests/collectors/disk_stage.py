"""Disks of real engines as tests fill, read and prune them."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from fleettop.collectors.actions import Outcome, plan_prune
from fleettop.collectors.storage import Keep, Kind, Needs, Sorted, needs_of, read_disks, sort_out

from tests.fleet import Fleet

from .actions_stage import Stage

ALL = Keep(images=0)
Builder = Callable[[Fleet, str, str, int], None]
BIG = "dd if=/dev/zero of=/big bs=1M count={}"


def context(dockerfile: str) -> bytes:
    """What is sent to a builder."""
    data = dockerfile.encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        info = tarfile.TarInfo("Dockerfile")
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def build(fleet: Fleet, host: str, tag: str, megabytes: int, *, buildkit: bool = False) -> None:
    """An image of so many megabytes more than the usual one."""
    body = context(f"FROM bb:1\nRUN {BIG.format(megabytes)}\nRUN echo {tag} > /tag\n")
    status, said = fleet.api(host, "POST", f"/build?t={tag}&rm=1{'&version=2' if buildkit else ''}", body, timeout=60)
    assert status == 200, said
    fleet.get(host, f"/images/{tag}/json")


def build_with_buildx(fleet: Fleet, host: str, tag: str, megabytes: int) -> None:
    """The same by the host's own docker command, which builds with BuildKit from Docker 23 on."""
    dockerfile = f"FROM bb:1\nRUN {BIG.format(megabytes)}\nRUN echo {tag} > /tag\n"
    fleet.on(host, "sh", "-c", f'printf %s "$0" | docker build -t {tag} -', dockerfile)
    fleet.get(host, f"/images/{tag}/json")


def ended(fleet: Fleet, host: str, name: str, command: str, **config: Any) -> str:
    """A container that has ended."""
    container = fleet.run_plain(host, name, command, **config)
    assert fleet.api(host, "POST", f"/containers/{container}/wait", timeout=30)[0] == 200
    return container


def filled(fleet: Fleet, host: str, build: Builder = build) -> None:
    """Something of everything: used, unused, named, anonymous, dangling."""
    ended(
        fleet, host, "old", "sh -c 'dd if=/dev/zero of=/x bs=1M count=3; echo x > /named/file'",
        HostConfig={"Mounts": [{"Type": "volume", "Source": "used", "Target": "/named"}]},
    )  # fmt: skip
    ended(
        fleet, host, "gone", "sh -c 'dd if=/dev/zero of=/v/x bs=1M count=4; dd if=/dev/zero of=/n/x bs=1M count=1'",
        Volumes={"/v": {}}, HostConfig={"Mounts": [{"Type": "volume", "Source": "data", "Target": "/n"}]},
    )  # fmt: skip
    assert fleet.api(host, "DELETE", "/containers/gone")[0] == 204  # leaves both volumes, of which one has no name
    build(fleet, host, "unused:1", 2)
    fleet.docker(host, "tag", "unused:1", "unused:also")
    build(fleet, host, "dangling:1", 5)
    build(fleet, host, "dangling:1", 6)


async def sorted_disk(stage: Stage, host: str, keep: Keep = ALL, needs: Needs | None = None) -> Sorted:
    """A host's disk as it is now."""
    await stage.look()
    [reading] = await read_disks({host: stage.clients[host]})
    assert reading.use is not None, reading.error
    return sort_out(reading.use, needs or needs_of(stage.picture), keep, datetime.now(UTC))


async def pruned(stage: Stage, disk: Sorted, keep: Keep = ALL) -> int:
    """Carry it out: the bytes by which what the engine itself adds up became less."""
    host = disk.use.engine
    made = plan_prune([disk], keep=keep)
    results = await stage.do(made)
    assert {result.outcome for result in results} == {Outcome.SUCCESS}, results
    after = await sorted_disk(stage, host, keep)
    return disk.use.total - after.use.total


def names(disk: Sorted, kind: Kind) -> set[str]:
    """What of a kind may go."""
    return {one.name for one in disk.going if one.kind is kind}
