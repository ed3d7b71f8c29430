"""Logs of real engines: merged over all ways there are, followed through what happens to containers and links."""

from __future__ import annotations

import asyncio
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fleettop.collectors.engine.logs import stamp
from fleettop.collectors.logs import LogFeed, Span, Wanted, members_of
from fleettop.collectors.logs.colours import text_of
from fleettop.collectors.model import ServiceKey
from fleettop.collectors.model.logs import NOTE, LogLine

from tests.fleet import Fleet

from .stage import Stage, fault, heal, ran, watching

Eventually = Callable[..., Any]
PATIENCE = 60.0
TALK = "sh -c 'i=0; while [ $i -lt 25 ]; do i=$((i+1)); echo out $i; echo err $i >&2; sleep 0.02; done; sleep 1000'"
SAID = 50
"""Lines that it comes to, on both of its streams."""
LOGGER = "logger"
OFTEN = {"Env": ["EVERY=0.2", "PATH=/app:/bin"]}

Said = Counter[tuple[int, str]]


def as_docker_has_it(fleet: Fleet, host: str, container: str) -> Said:
    """What `docker logs -t` prints: times and lines."""
    done = subprocess.run(
        ["docker", "-H", f"unix://{fleet.site.socket(host)}", "logs", "-t", container],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        check=True,
    )
    found: Said = Counter()
    for raw in done.stdout.splitlines():
        time, start = stamp(raw)
        assert time is not None, raw
        found[time, raw[start:].decode().rstrip("\r")] += 1
    return found


def as_read(feed: LogFeed, lines: Sequence[LogLine], container: str) -> Said:
    """What the feed brought of a container, by the engine's own clock."""
    numbers = {source.number: source._ahead for source in feed.sources if source.member.key.id == container}
    return Counter((line.time + numbers[line.source], text_of(line)) for line in lines if line.source in numbers)


def words(lines: Sequence[LogLine]) -> str:
    """What fleettop itself said."""
    return "\n".join(text_of(line) for line in lines if line.source == NOTE)


@asynccontextmanager
async def following(stage: Stage, service: str) -> AsyncIterator[tuple[LogFeed, list[LogLine]]]:
    """A feed of a service that is followed."""
    lines: list[LogLine] = []
    fleet, key = stage.session.fleet, stage.service(service).key

    async def deliver(some: Sequence[LogLine]) -> None:
        lines.extend(some)

    def who() -> Any:
        fleet.take_changes()
        return members_of(fleet, Wanted((key,)))

    feed = LogFeed(stage.session, who, deliver, span=Span())
    task = asyncio.create_task(feed.run())
    try:
        yield feed, lines
        assert not task.done(), task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_logs_of_thirty_containers_on_three_hosts_are_complete_and_in_the_order_of_time(
    fleet: Fleet, eventually: Eventually
) -> None:
    """Over TLS, over docker commands of an sshd that forwards nothing, and behind a jump host; some have a TTY."""
    hosts = {"h1": "tls", "h2": "ssh", "h3": "ssh"}
    made = []
    for host in hosts:
        for number in range(10):
            key = await ran(fleet, host, "chat", TALK, number=1 + number, Tty=number % 5 == 0)
            made.append(key)
    for key in made:
        await eventually(lambda key=key: as_docker_has_it(fleet, key.engine, key.id).total() >= SAID, timeout=30)
    async with watching(*(fleet.address(host, way) for host, way in hosts.items())) as stage:
        service = stage.service("chat")
        lines: list[LogLine] = []

        async def deliver(some: Sequence[LogLine]) -> None:
            lines.extend(some)

        fleet_now = stage.session.fleet
        feed = LogFeed(
            stage.session,
            lambda: members_of(fleet_now, Wanted((ServiceKey(*service.key),))),
            deliver,
            span=Span(),
            follow=False,
        )
        async with asyncio.timeout(PATIENCE):
            await feed.run()
    assert not feed.errors
    assert len(feed.sources) == 30
    assert len({source.label for source in feed.sources}) == 30
    said = [line for line in lines if line.source != NOTE]
    assert [line.time for line in said] == sorted(line.time for line in said)
    for key in made:
        expected = as_docker_has_it(fleet, key.engine, key.id)
        got = as_read(feed, lines, key.id)
        assert got.total() == SAID
        assert got == expected


async def test_a_restarted_container_goes_on_and_nothing_is_told_twice(fleet: Fleet, eventually: Eventually) -> None:
    """Its stream ends with the process; what it said around that comes all the same, and a line says so."""
    key = await ran(fleet, "h1", "talk", LOGGER, **OFTEN)
    async with watching(fleet.address("h1", "tls")) as stage, following(stage, "talk") as (feed, lines):
        await eventually(lambda: as_read(feed, lines, key.id).total() > 4, timeout=PATIENCE)
        for _ in range(2):
            await asyncio.to_thread(fleet.docker, "h1", "restart", "-t", "1", key.id)
        await eventually(lambda: "runs again" in words(lines), timeout=PATIENCE)
        count = len(lines)
        await eventually(lambda: len(lines) > count + 4, timeout=PATIENCE)
        await asyncio.to_thread(fleet.docker, "h1", "stop", "-t", "1", key.id)
        expected = await asyncio.to_thread(as_docker_has_it, fleet, "h1", key.id)
        await eventually(lambda: as_read(feed, lines, key.id) == expected, timeout=PATIENCE)
        await eventually(lambda: "does not run (exited" in words(lines), timeout=PATIENCE)


async def test_a_replica_made_anew_joins_by_itself(fleet: Fleet, eventually: Eventually) -> None:
    """As compose does with a new image: the old container is removed, another takes its place; all its lines come."""
    old = await ran(fleet, "h1", "talk", LOGGER, **OFTEN)
    async with watching(fleet.address("h1", "tls")) as stage, following(stage, "talk") as (feed, lines):
        await eventually(lambda: as_read(feed, lines, old.id).total() > 2, timeout=PATIENCE)
        await asyncio.to_thread(fleet.docker, "h1", "rm", "-f", old.id)
        new = await ran(fleet, "h1", "talk", LOGGER, **OFTEN)
        await eventually(lambda: as_read(feed, lines, new.id).total() > 2, timeout=PATIENCE)
        said = words(lines)
        assert f"shop-talk-1 ({new.id[:12]}) on h1 joins" in said
        await eventually(lambda: "shop-talk-1 on h1 is gone" in words(lines), timeout=PATIENCE)
        assert (1, "line 1") in {(1, text) for _, text in as_read(feed, lines, new.id)}


async def test_after_a_lost_link_the_logs_go_on_where_they_were(fleet: Fleet, eventually: Eventually) -> None:
    """A line says that the link is lost and one that it is back; what was said meanwhile comes, each line once."""
    key = await ran(fleet, "h3", "talk", LOGGER, **OFTEN)
    other = await ran(fleet, "h1", "talk", LOGGER, number=2, **OFTEN)
    async with (
        watching(fleet.address("h3", "ssh"), fleet.address("h1", "tls")) as stage,
        following(stage, "talk") as (feed, lines),
    ):
        await eventually(lambda: as_read(feed, lines, key.id).total() > 2, timeout=PATIENCE)
        await fault(fleet, "h3", "drop")
        await eventually(lambda: "h3 is lost" in words(lines), timeout=PATIENCE)
        count = as_read(feed, lines, other.id).total()
        await eventually(lambda: as_read(feed, lines, other.id).total() > count + 2, timeout=PATIENCE)
        await heal(fleet, "h3")
        stage.session.retry()
        await eventually(lambda: "h3 is back" in words(lines), timeout=PATIENCE)
        await asyncio.to_thread(fleet.docker, "h3", "stop", "-t", "1", key.id)
        expected = await asyncio.to_thread(as_docker_has_it, fleet, "h3", key.id)
        await eventually(lambda: as_read(feed, lines, key.id) == expected, timeout=PATIENCE)


async def test_replicas_for_which_there_is_no_stream_are_read_all_the_same(
    fleet: Fleet, eventually: Eventually
) -> None:
    """Over docker commands there are few connections: who is not followed is said, and nothing of it is lost."""
    made = [await ran(fleet, "h2", "talk", LOGGER, number=number, **OFTEN) for number in range(1, 6)]
    async with watching(fleet.address("h2", "ssh")) as stage, following(stage, "talk") as (feed, lines):
        await eventually(
            lambda: all(as_read(feed, lines, key.id).total() > 20 for key in made) and "is read every" in words(lines),
            timeout=PATIENCE,
        )
        assert 0 < sum(source.followed for source in feed.sources) < len(made)
        for key in made:
            await asyncio.to_thread(fleet.docker, "h2", "stop", "-t", "1", key.id)
        for key in made:
            expected = await asyncio.to_thread(as_docker_has_it, fleet, "h2", key.id)
            await eventually(lambda key=key, said=expected: as_read(feed, lines, key.id) == said, timeout=PATIENCE)


# -- Podman, and logs that go elsewhere


@pytest.mark.parametrize("kind", ["none", "syslog"])
async def test_a_log_that_cannot_be_read_is_said_once_in_one_sentence(
    fleet: Fleet, eventually: Eventually, kind: str
) -> None:
    """With the driver's name; the logs of its neighbours are read all the same."""
    elsewhere = {"syslog-address": "udp://127.0.0.1:514", "cache-disabled": "true"}
    driver = {"Type": kind, "Config": elsewhere if kind == "syslog" else {}}
    fleet.run("h1", "shop", "talk", TALK, 1, HostConfig={"LogConfig": driver})
    good = fleet.run("h1", "shop", "talk", TALK, 2)
    async with watching(fleet.address("h1")) as stage, following(stage, "talk") as (feed, lines):
        await eventually(lambda: as_read(feed, lines, good).total() == SAID, timeout=PATIENCE)
        await eventually(lambda: feed.errors, timeout=PATIENCE)
        said = words(lines)
    assert said.startswith(f"shop-talk-1 on h1: its log driver is {kind}: ")
    assert said.count("log driver") == 1
    assert len(feed.errors) == 1


async def test_podmans_logs_are_followed_through_a_restart_and_nothing_is_told_twice(
    fleet: Fleet, eventually: Eventually
) -> None:
    """Its times are whole seconds, so that many lines have the same; what keeps no log is said in one sentence."""
    one = fleet.run("pod1", "shop", "talk", TALK)
    fleet.run("pod1", "shop", "talk", TALK, 2, HostConfig={"LogConfig": {"Type": "none", "Config": {}}})
    async with watching(fleet.address("pod1")) as stage, following(stage, "talk") as (feed, lines):
        await eventually(lambda: as_read(feed, lines, one).total() == SAID, timeout=PATIENCE)
        await asyncio.to_thread(fleet.docker, "pod1", "restart", "-t", "1", one)
        await eventually(lambda: as_read(feed, lines, one).total() == 2 * SAID, timeout=PATIENCE)
        assert as_read(feed, lines, one) == as_docker_has_it(fleet, "pod1", one)
        assert "shop-talk-2 on pod1: its log driver is none: nothing of what it writes is kept." in words(lines)
