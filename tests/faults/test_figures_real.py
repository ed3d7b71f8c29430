"""Figures of real containers, past real engines: over a real sshd and on this machine, as `docker stats` has them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from fleettop.collectors import probe
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.clock import SystemClock
from fleettop.collectors.engine.client import EngineClient
from fleettop.collectors.engine.stats import StatsSample, usage_between
from fleettop.collectors.figures.source import host_figures
from fleettop.collectors.figures.target import HostFigures, target_of
from fleettop.collectors.links import HandshakeGate, link_to
from fleettop.collectors.model import ContainerKey, Usage
from fleettop.collectors.session import Session

from tests.fleet import Fleet

Eventually = Callable[..., Any]
BUSY = 'sh -c "dd if=/dev/zero of=/tmp/file bs=1024k count=8; while :; do :; done"'
"""Uses a core, and has 8 MiB of files in its cache."""


@asynccontextmanager
async def watching(*addresses: EngineAddress) -> AsyncIterator[Session]:
    """A session in which all containers are looked at."""
    async with Session(addresses, read_only=True) as session:
        await session.settled(30)
        look(session)
        yield session


def look(session: Session) -> None:
    """At all of them."""
    session.interest.look_at(tuple(session.fleet.containers))


def figures(session: Session, key: ContainerKey) -> Usage | None:
    """What is known of one container; only with a rate it counts."""
    session.fleet.take_changes()
    look(session)
    usage = session.fleet.usage.get(key)
    return usage if usage is not None and usage.cpu is not None else None


def way(session: Session, engine: str) -> str:
    """How its figures are read."""
    return session.fleet.engines[engine].figures


@asynccontextmanager
async def both(fleet: Fleet, host: str, scheme: str) -> AsyncIterator[tuple[EngineClient, HostFigures]]:
    """The engine's own client and the reader past it, over one link."""
    link = link_to(fleet.address(host, scheme), gate=HandshakeGate())
    try:
        client = EngineClient(await link.open(), engine=host)
        reader = host_figures(link, SystemClock())
        assert reader is not None
        try:
            await client.negotiate()
            yield client, reader
        finally:
            reader.close()
            await client.close()
    finally:
        await link.close()


@pytest.mark.parametrize(("host", "scheme"), [("h1", "ssh"), ("h1", "unix"), ("h3", "ssh"), ("pod1", "ssh")])
async def test_counters_read_past_the_engine_are_those_the_engine_tells(
    fleet: Fleet, eventually: Eventually, host: str, scheme: str
) -> None:
    """CPU over the same span, memory and network: within 2 % of what Docker's API says."""
    made = await asyncio.to_thread(fleet.run_plain, host, "busy", BUSY)
    async with both(fleet, host, scheme) as (client, reader):
        container = await client.inspect(made)
        assert container is not None
        target = target_of(container)
        assert target is not None

        async def pair() -> tuple[StatsSample, StatsSample]:
            told = await client.sample(made)
            read = (await reader.read([target]))[made]
            assert told is not None
            return told, read

        def network_of(told: StatsSample) -> tuple[int | None, int | None]:
            # Podman 4.3 counts at the host's end of the cable, where what comes in is what the container sent (seen).
            return (told.sent, told.received) if host == "pod1" else (told.received, told.sent)

        async def within_two_percent() -> bool:
            """The two are never asked at the same moment: on a machine that does much else it takes a few tries."""
            (told_before, read_before), (told_after, read_after) = before, await pair()
            if (told_after.read - told_before.read).total_seconds() < 4:
                return False
            # Counters of CPU only grow: what we read lies between what the engine told before and what it tells after.
            assert told_before.cpu <= read_before.cpu <= told_after.cpu <= read_after.cpu
            told, read = usage_between(told_before, told_after), usage_between(read_before, read_after)
            assert told is not None
            assert read is not None
            assert told.cpu
            return (
                read.cpu == pytest.approx(told.cpu, rel=0.02)
                and read.memory == pytest.approx(told.memory, rel=0.02, abs=8192)
                and (read_after.received, read_after.sent) == network_of(told_after)
            )

        await pair()  # what is started and found once
        before = await pair()
        await eventually(within_two_percent, timeout=60, every=0.5)


async def test_the_figures_on_screen_are_those_of_docker_stats(fleet: Fleet, eventually: Eventually) -> None:
    """Memory, its limit, and CPU: within 2 % of what `docker stats` prints."""
    limits = {"Memory": 64 << 20, "NanoCpus": 300_000_000}  # a steady 30 % of a core
    made = await asyncio.to_thread(fleet.run_plain, "h1", "busy", BUSY, HostConfig=limits)
    key = ContainerKey("h1", made)
    async with watching(fleet.address("h1", "ssh")) as session:
        await eventually(lambda: figures(session, key), timeout=30)
        assert way(session, "h1") == "read on the host over ssh"

        async def alike() -> bool:
            words = ("stats", "--no-stream", "--format", "{{.MemUsage}}|{{.CPUPerc}}", made)
            printed = (await asyncio.to_thread(fleet.docker, "h1", *words)).strip()
            found = re.fullmatch(r"([\d.]+)MiB / ([\d.]+)MiB\|([\d.]+)%", printed)
            shown = figures(session, key)
            assert found is not None, printed
            assert shown is not None
            assert shown.memory_limit == float(found[2]) * (1 << 20)
            return (
                shown.memory is not None
                and shown.memory / (1 << 20) == pytest.approx(float(found[1]), rel=0.02)
                and shown.cpu == pytest.approx(float(found[3]), rel=0.02)
            )

        await eventually(alike, timeout=60)
        assert session.fleet.histories[key].memory(session.clock.monotonic())[-1] is not None


async def test_a_container_without_a_network_of_its_own_shows_none(fleet: Fleet, eventually: Eventually) -> None:
    """Of `--network host` what is counted is the host's, of `none` there is nothing: unknown, which is not 0."""
    ids = [
        await asyncio.to_thread(fleet.run_plain, "h1", mode, "sleep 600", HostConfig={"NetworkMode": mode})
        for mode in ("host", "none", "bridge")
    ]
    async with watching(fleet.address("h1", "ssh")) as session:
        found = await eventually(
            lambda: all(seen := [figures(session, ContainerKey("h1", i)) for i in ids]) and seen, timeout=30
        )
        assert [usage.received is None for usage in found] == [True, True, False]


async def test_a_restarted_container_has_its_figures_again(fleet: Fleet, eventually: Eventually) -> None:
    """Its processes are others then, and its counters begin anew."""
    made = await asyncio.to_thread(fleet.run_plain, "h1", "web", "sleep 600")
    key = ContainerKey("h1", made)
    async with watching(fleet.address("h1", "ssh")) as session:
        before = await eventually(lambda: figures(session, key), timeout=30)
        await asyncio.to_thread(fleet.docker, "h1", "restart", "-t", "0", made)
        restarted = session.clock.monotonic()
        after = await eventually(
            lambda: (
                (usage := figures(session, key)) is not None and usage.at > restarted and usage.received is not None
            ),
            timeout=30,
        )
        assert before
        assert after
        assert way(session, "h1") == "read on the host over ssh"


async def test_where_the_host_runs_no_commands_the_engine_is_asked(fleet: Fleet, eventually: Eventually) -> None:
    """A forced command answers something else: Docker's API is the fallback, and the engine's page says why."""
    made = await asyncio.to_thread(fleet.run_plain, "h1", "web", "sleep 600")
    await asyncio.to_thread(fleet.reconfigure_sshd, "h1", ForceCommand="echo no commands here")
    async with watching(fleet.address("h1", "ssh")) as session:
        await eventually(lambda: figures(session, ContainerKey("h1", made)), timeout=60)
        assert way(session, "h1").startswith("asked of the engine, since on the host they cannot be read")


async def test_a_shell_that_is_killed_is_fallen_back_from(fleet: Fleet, eventually: Eventually) -> None:
    """The figures go on, and the link with them."""
    made = await asyncio.to_thread(fleet.run_plain, "h1", "web", "sleep 600")
    key = ContainerKey("h1", made)
    async with watching(fleet.address("h1", "ssh")) as session:
        await eventually(lambda: figures(session, key), timeout=30)
        await asyncio.to_thread(
            fleet.on, "h1", "sh", "-c", "for p in $(pgrep -u ops -f fleettop:ready); do kill -9 $p; done; true"
        )
        await eventually(lambda: "has ended" in way(session, "h1"), timeout=30)
        killed = session.clock.monotonic()
        await eventually(lambda: (usage := figures(session, key)) is not None and usage.at > killed, timeout=30)
        assert session.fleet.engines["h1"].link.error is None


async def test_no_shell_is_started_where_the_config_forbids_it(fleet: Fleet, eventually: Eventually) -> None:
    """`remote_shell = false`: nothing is run on the host but what finding its socket takes."""
    made = await asyncio.to_thread(fleet.run_plain, "h1", "web", "sleep 600")
    address = msgspec.structs.replace(fleet.address("h1", "ssh"), remote_shell=False)
    async with watching(address) as session:
        await eventually(lambda: figures(session, ContainerKey("h1", made)), timeout=60)
        assert way(session, "h1") == "asked of the engine"
        assert await asyncio.to_thread(fleet.on, "h1", "pgrep", "-u", "ops", "-f", "fleettop:ready", check=False) == ""


async def test_the_shell_ends_with_its_session(fleet: Fleet, eventually: Eventually) -> None:
    """Nothing of ours stays on a host."""
    made = await asyncio.to_thread(fleet.run_plain, "h1", "web", "sleep 600")

    async def shells() -> str:
        return await asyncio.to_thread(fleet.on, "h1", "pgrep", "-u", "ops", "-f", "fleettop:ready", check=False)

    async with watching(fleet.address("h1", "ssh")) as session:
        await eventually(lambda: figures(session, ContainerKey("h1", made)), timeout=30)
        assert await shells() != ""

    async def gone() -> bool:
        return await shells() == ""

    await eventually(gone, timeout=15)


@pytest.mark.parametrize(("host", "scheme"), [("h1", "ssh"), ("h1", "unix"), ("h1", "tls")])
async def test_engines_test_says_how_figures_are_read(fleet: Fleet, host: str, scheme: str) -> None:
    """One container's figures are tried: `fleettop engines test` says which way it took, and why not the other."""
    await asyncio.to_thread(fleet.run_plain, host, "web", "sleep 600")
    report = await probe.test_engine(fleet.address(host, scheme))
    words = {step.name: step.words for step in report.steps}["figures"]
    assert {"ssh": "read on the host", "unix": "read on this machine", "tls": "asked of the engine"}[scheme] in words
