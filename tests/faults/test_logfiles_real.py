"""Log sizes of real containers: over a real sshd and from the files themselves, as the host has them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fleettop.collectors.checks.catalogue import CHECKS
from fleettop.collectors.checks.finding import report
from fleettop.collectors.checks.gathering import Sources, gather
from fleettop.collectors.figures.logfiles import on_this_machine
from fleettop.collectors.session import Session
from fleettop.collectors.storage import read_disks
from fleettop.collectors.words import bytes_words

from tests.fleet import Fleet

Eventually = Callable[..., Any]


def file_size(fleet: Fleet, host: str, container: str) -> int:
    """Of its log, as the host itself says."""
    path = fleet.get(host, f"/containers/{container}/json")["LogPath"]
    return int(fleet.on(host, "stat", "-c", "%s", path))


def spoken(fleet: Fleet, host: str) -> str:
    """A container that has written a log and ended."""
    made = fleet.run_plain(host, "talker", "sh -c 'for i in 1 2 3 4 5 6 7 8; do echo a line of a log; done'")
    assert fleet.api(host, "POST", f"/containers/{made}/wait", timeout=30)[0] == 200
    return made


@pytest.mark.parametrize("host", ["h1", "h2", "h3"])
async def test_over_ssh_the_sizes_are_those_of_the_files(fleet: Fleet, host: str) -> None:
    """Also through a jump host and where no socket is forwarded; another driver has no file and is not known."""
    made = await asyncio.to_thread(spoken, fleet, host)
    silent = await asyncio.to_thread(
        fleet.run_plain, host, "silent", "sleep 600", HostConfig={"LogConfig": {"Type": "none"}}
    )
    size = await asyncio.to_thread(file_size, fleet, host, made)
    assert size > 100
    async with Session([fleet.address(host, "ssh", user="root")], read_only=True) as session:
        await session.settled(30)
        assert await session.log_sizes(host, [made, silent, "f" * 64]) == {made: size}
        [reading] = await read_disks({host: session.client(host)}, logs=session.log_sizes)
        assert reading.use is not None
        assert reading.use.logs_size == size


async def test_where_it_is_not_allowed_or_not_to_be_read_it_is_not_known(fleet: Fleet) -> None:
    """A user who may not look into the folder, a config that forbids the shell, an engine of another machine."""
    made = await asyncio.to_thread(spoken, fleet, "h1")
    forbidden = fleet.address("h1", "ssh", user="root", remote_shell=False)
    for address in (fleet.address("h1", "ssh"), forbidden, fleet.address("h1", "unix")):
        async with Session([address], read_only=True) as session:
            await session.settled(30)
            [reading] = await read_disks({"h1": session.client("h1")}, logs=session.log_sizes)
            assert reading.use is not None, reading.error
            assert [container.id for container in reading.use.containers] == [made]
            assert reading.use.logs == {}
            assert reading.use.logs_size is None


async def test_on_this_machine_the_sizes_are_those_of_the_files(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a local socket the engine's folder is read as it is told."""
    made = await asyncio.to_thread(spoken, fleet, "h1")
    size = await asyncio.to_thread(file_size, fleet, "h1", made)
    seen_from_here = f"/proc/{fleet.hosts.first_process('h1')}/root"  # its mounts are its own
    monkeypatch.setattr(
        "fleettop.collectors.figures.logfiles.on_this_machine",
        lambda folder, ids: on_this_machine(f"{seen_from_here}{folder}", ids),
    )
    async with Session([fleet.address("h1", "unix")], read_only=True) as session:
        await session.settled(30)
        assert await session.log_sizes("h1", [made]) == {made: size}


async def test_the_check_of_logs_without_a_limit_shows_how_large_they_are(fleet: Fleet, eventually: Eventually) -> None:
    """The largest first; where the size is not known the name stands alone."""
    made = await asyncio.to_thread(spoken, fleet, "h1")
    size = await asyncio.to_thread(file_size, fleet, "h1", made)
    for user, words in (("root", f"talker ({bytes_words(size)})"), ("ops", "talker")):
        async with Session([fleet.address("h1", "ssh", user=user)], read_only=True) as session:
            await session.settled(30)
            await eventually(lambda session=session: session.fleet.containers_on("h1"))
            sources = Sources(session.fleet, session.client, session.certificates, session.log_sizes)
            found = report([CHECKS["E03"]], await gather(sources, lambda _read, _of: None))
            [finding] = found.findings
            assert finding.evidence == f"LogConfig.Config.max-size is not set: {words}"
