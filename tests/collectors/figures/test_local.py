"""Counters on this machine: the same as the command for hosts reads there."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from fleettop.collectors.clock import ManualClock
from fleettop.collectors.engine.stats import StatsSample
from fleettop.collectors.figures import local as module
from fleettop.collectors.figures.local import AGAIN, SEARCH, LocalFigures, OpenFiles, field, named_id, number, traffic
from fleettop.collectors.figures.target import Target, target_of
from fleettop.collectors.model import ContainerDetail
from hypothesis import given
from hypothesis import strategies as st

from ..watching import container, detailed
from . import trees
from .trees import ID, KINDS, OTHER, PID, Kind, plant

GROUPS = Path("/sys/fs/cgroup")
TARGET = Target(ID, PID, True, 1 << 28)


def reader(tmp_path: Path, clock: ManualClock | None = None) -> LocalFigures:
    """For the tree that was planted there. A plain file that is open outlives its folder, which no group's does."""
    folders = {"groups": str(tmp_path / "cgroup"), "processes": str(tmp_path / "proc")}
    return LocalFigures(clock or ManualClock(), most_open=0, **folders)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
async def test_counters_are_read_as_the_command_for_hosts_reads_them(tmp_path: Path, kind: Kind) -> None:
    """On the same trees the same numbers; where processes are hidden, they are found by the id all the same."""
    plant(tmp_path, kind)
    found = (await reader(tmp_path).read([TARGET]))[ID]
    network = (trees.READ.received, trees.READ.sent) if kind.told else (None, None)
    assert (found.cpu, found.memory, found.memory_limit) == (trees.READ.cpu, trees.MEMORY - 81797120, 1 << 28)
    assert (found.received, found.sent) == network


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.told and not kind.below])
async def test_where_the_engine_counts_processes_anew_they_are_found_by_the_id(tmp_path: Path, kind: Kind) -> None:
    """An engine in a container has other numbers for its processes than we do: the group names them as we see them."""
    plant(tmp_path, kind)
    found = (await reader(tmp_path).read([Target(ID, 1, True)]))[ID]
    assert (found.cpu, found.received) == (trees.READ.cpu, trees.READ.received)


async def test_a_container_on_its_hosts_network_has_no_traffic_of_its_own(tmp_path: Path) -> None:
    """What is counted for its processes is that of the host."""
    plant(tmp_path, KINDS["v2 systemd"])
    found = (await reader(tmp_path).read([TARGET._replace(own_network=False)]))[ID]
    assert (found.received, found.sent) == (None, None)


async def test_what_is_not_found_is_left_to_the_engine_for_a_while(tmp_path: Path) -> None:
    """And looked for again when its process is another one, or time has passed."""
    clock = ManualClock()
    plant(tmp_path, KINDS["v1 cgroupfs"], OTHER, PID + 10)
    figures = reader(tmp_path, clock)
    assert await figures.read([TARGET]) == {}
    assert not figures.serves(TARGET)
    assert "not found on this machine" in figures.words
    assert figures.serves(TARGET._replace(pid=PID + 1))
    clock.advance(AGAIN + SEARCH)
    plant(tmp_path, KINDS["v1 cgroupfs"])
    assert figures.serves(TARGET)
    assert ID in await figures.read([TARGET])
    assert figures.serves(TARGET)
    assert figures.words == "read on this machine"


async def test_a_container_that_ended_is_not_shown_with_its_last_counters(tmp_path: Path) -> None:
    """Its group is gone with it; started again, it has a new one."""
    plant(tmp_path, KINDS["v2 cgroupfs"])
    figures = reader(tmp_path)
    assert ID in await figures.read([TARGET])
    shutil.rmtree(tmp_path / "cgroup/docker")
    assert await figures.read([TARGET]) == {}
    plant(tmp_path, KINDS["v2 cgroupfs"], pid=PID + 5)
    assert ID in await figures.read([TARGET._replace(pid=PID + 5)])


async def test_what_no_longer_exists_is_forgotten(tmp_path: Path) -> None:
    """A machine on which containers come and go does not fill fleettop's memory."""
    plant(tmp_path, KINDS["v2 cgroupfs"])
    figures = reader(tmp_path)
    await figures.read([TARGET, Target(OTHER, 1, True)])
    figures.forget(frozenset())
    assert (figures._homes, figures._lost) == ({}, {})


async def test_many_containers_do_not_hold_up_the_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After each few others get their turn."""
    monkeypatch.setattr(module, "AT_ONCE", 2)
    targets = [Target(f"{n:064x}", PID + 2 * n, True) for n in range(8)]
    for target in targets:
        plant(tmp_path, KINDS["v2 cgroupfs"], target.id, target.pid)
    figures = reader(tmp_path)
    await figures.read(targets)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    task = asyncio.ensure_future(others())
    found: dict[str, StatsSample] = await figures.read(targets)
    task.cancel()
    assert len(found) == 8
    assert turns >= 2


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (ID, ID),
        (f"docker-{ID}.scope", ID),
        (f"libpod-{ID}", ID),
        (f"libpod-conmon-{ID}.scope", ""),
        (f"crio-{ID}.scope", ID),
        (ID[1:], ""),
        (ID.upper(), ""),
        ("system.slice", ""),
        ("", ""),
    ],
)
def test_the_groups_of_containers_are_told_by_their_names(name: str, found: str) -> None:
    """64 hex digits, alone or behind an engine's word; Podman's monitor is not the container."""
    assert named_id(name) == found


def test_a_target_is_only_what_has_a_whole_id() -> None:
    """The id is part of the names of files: anything but 64 hex digits goes nowhere."""
    assert target_of(container("api", id="../../etc/passwd")) is None
    assert target_of(container("api", id=ID[:12])) is None
    assert target_of(container("api", id=ID + "\n")) is None
    api = container("api", networks=("bridge",), detail=ContainerDetail(pid=7, memory_limit=5))
    assert target_of(api) == Target(api.id, 7, True, 5)
    assert target_of(detailed(container("api", networks=("host",)), pid=-7)) == Target(api.id, 0, False)


@given(st.text(max_size=200))
def test_no_text_of_a_file_raises(text: str) -> None:
    """A file that is not what was expected has no number."""
    assert number(text) is None or text.split("\n")[0].isdigit()
    assert field(text, "usage_usec ") is None or "usage_usec" in text
    received, sent = traffic(text)
    assert (received is None) == (sent is None)


def test_a_file_that_cannot_be_read_is_empty(tmp_path: Path) -> None:
    """A folder, a missing file."""
    assert module.read(str(tmp_path)) == ""
    assert module.read(str(tmp_path / "missing")) == ""


@pytest.fixture
def group() -> Iterator[Path]:
    """A real control group of this machine, without a process in it."""
    root = next((root for root in (GROUPS / "memory", GROUPS) if (root / "cgroup.procs").exists()), None)
    if root is None or not os.access(root, os.W_OK):
        pytest.skip("no control group can be made here")
    made = root / f"fleettop-test-{os.getpid()}"
    made.mkdir()
    yield made
    with suppress(FileNotFoundError):
        made.rmdir()


def test_a_group_can_be_removed_while_its_files_are_open_and_is_another_when_it_is_back(group: Path) -> None:
    """Files are kept open between two readings; an engine that removes a container must not notice."""
    name = "memory.stat"
    files = OpenFiles(10)
    assert files.read(str(group), name)
    assert files.read(str(group), name)
    assert len(files) == 1
    group.rmdir()
    assert files.read(str(group), name) == ""
    assert len(files) == 0
    group.mkdir()
    assert files.read(str(group), name)
    files.close()
    assert len(files) == 0


def test_no_more_files_are_kept_open_than_are_allowed(tmp_path: Path) -> None:
    """The rest is opened for each reading."""
    files = OpenFiles(2)
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name)
        assert files.read(str(tmp_path), name) == name
    assert len(files) == 2
    (tmp_path / "c").write_text("d")
    assert files.read(str(tmp_path), "c") == "d"
    files.leave(str(tmp_path))
    assert len(files) == 0
