"""The client against real engines: Docker, a swarm's manager and worker, Podman."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from fleettop.collectors.engine.client import EngineClient
from fleettop.collectors.engine.stats import usage_between
from fleettop.collectors.errors import CertificateExpired, CertificateRefused, ConnectionLost, EngineError, NotAnswering
from fleettop.collectors.links import link_to
from fleettop.collectors.links.base import UnixEndpoint
from fleettop.collectors.model import Container, ContainerState, EngineEvent, Health

from tests.fleet import Fleet
from tests.fleet.load import HEALTH

Eventually = Callable[..., Awaitable[Any]]
SAME = ("name", "image", "image_id", "state", "command", "labels", "ports", "networks", "mounts", "created")
LIFE = ["create", "start", "die", "destroy"]
SECRETS = {"Env": ["DB_PASSWORD=hunter2", "MODE=fast"], "Labels": {"team": "pay", "com.example.token": "hunter2"}}


@asynccontextmanager
async def client_of(fleet: Fleet, host: str, *, deadline: float = 5.0) -> AsyncIterator[EngineClient]:
    """A read-only client of a host's engine at its local socket."""
    endpoint = UnixEndpoint(fleet.address(host, "unix").socket)
    client = EngineClient(endpoint, engine=host, read_only=True, deadline=deadline)
    try:
        await client.negotiate()
        yield client
    finally:
        await client.close()


async def in_thread(call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """The fleet's own calls block."""
    return await asyncio.to_thread(call, *arguments, **options)


@pytest.mark.parametrize(("host", "kind"), [("h1", "docker"), ("pod1", "podman")])
async def test_an_engine_says_who_it_is(fleet: Fleet, host: str, kind: str) -> None:
    """Kind, version, spoken API, and a clock that is this machine's."""
    async with client_of(fleet, host) as client:
        info = await client.info()
        assert (info.kind, info.hostname, info.api) == (kind, host, client.api)
        assert client.podman is (kind == "podman")
        assert info.version
        assert info.cpus
        assert info.memory
        assert info.skew is not None
        assert abs(info.skew) < 1
        assert 0 < await client.ping() < 5


@pytest.mark.parametrize("host", ["h1", "pod1"])
async def test_the_list_and_the_inspect_agree(fleet: Fleet, host: str) -> None:
    """Running, exited and with secrets; the two readings differ only in what just one of them tells."""
    running = await in_thread(fleet.run, host, "pay", "api", "sleep 1000", **SECRETS)
    ended = await in_thread(fleet.run_plain, host, "ended", "sh -c 'exit 7'")
    async with client_of(fleet, host) as client:
        exited = await _inspected(client, ended, ContainerState.EXITED)
        listing = await client.list_containers()
        assert listing.refused == ()
        rows = {row.id: row for row in listing.containers}
        assert rows.keys() == {running, ended}
        for row in rows.values():
            inspected = await client.inspect(row.id)
            assert inspected is not None
            for field in SAME:
                assert getattr(row, field) == getattr(inspected, field), field
        row = rows[running]
        assert (row.name, row.labels["com.docker.compose.service"]) == ("pay-api-1", "api")
        assert row.health is (Health.UNKNOWN if host == "pod1" else Health.NONE)
        assert exited.detail is not None
        assert exited.detail.exit_code == 7
        raw = await client.raw_inspect(running)
        assert "hunter2" not in repr((rows, await client.inspect(running), raw))
        assert "DB_PASSWORD=***" in repr(raw)
        assert [c.id for c in (await client.list_containers([ended, "0" * 64])).containers] == [ended]


async def _inspected(client: EngineClient, container_id: str, state: ContainerState) -> Container:
    """Wait on the event stream, and not on the clock, until the container is in that state."""
    async with asyncio.timeout(10), aclosing(client.events(since=1)) as events:
        async for event in events:
            found = await client.inspect(container_id) if event.id == container_id else None
            if found is not None and found.state is state:
                return found
    raise AssertionError("the stream ended")


async def test_health_is_the_same_in_list_inspect_and_events(fleet: Fleet, eventually: Eventually) -> None:
    """From starting to healthy to unhealthy."""
    container_id = await in_thread(fleet.run, "h1", "pay", "api", "web", Healthcheck=HEALTH)
    async with client_of(fleet, "h1") as client:

        async def both(health: Health) -> bool:
            row = (await client.list_containers([container_id])).containers[0]
            inspected = await client.inspect(container_id)
            return inspected is not None and row.health is inspected.health is health

        await eventually(lambda: both(Health.HEALTHY), timeout=60)
        await in_thread(fleet.docker, "h1", "exec", container_id, "rm", "/tmp/ok")
        await eventually(lambda: both(Health.UNHEALTHY), timeout=60)
        found = await client.inspect(container_id)
        assert found is not None
        assert found.detail is not None
        assert found.detail.failing_streak
        assert found.detail.health_log[-1].exit_code == 1
        told = [e.argument for e in await _past(client) if e.action == "health_status" and e.id == container_id]
        assert told == ["healthy", "unhealthy"]


async def _past(client: EngineClient) -> list[EngineEvent]:
    until = int((datetime.now(UTC).timestamp() + 0.001) * 1e9)
    async with aclosing(client.events(since=1, until=until)) as events:
        return [event async for event in events]


@pytest.mark.parametrize("host", ["h1", "pod1"])
async def test_events_come_as_they_happen_with_dockers_names(fleet: Fleet, host: str) -> None:
    """A life from create to destroy, an exec's command included; `since` resumes without losing one."""
    async with client_of(fleet, host) as client, asyncio.timeout(30):
        begin = int(datetime.now(UTC).timestamp() * 1e9)
        async with asyncio.TaskGroup() as group:
            following = group.create_task(_until_destroyed(client, begin))
            container_id = await in_thread(fleet.run_plain, host, "brief", "sleep 1000")
            if host == "h1":
                await in_thread(fleet.docker, host, "exec", "brief", "echo", "--password=hunter2")
            await in_thread(fleet.docker, host, "rm", "-f", "brief")
        seen = [event for event in following.result() if event.type == "container"]
        assert {event.id for event in seen} == {container_id}
        assert {event.name for event in seen} == {"brief"}
        actions = [event.action for event in seen]
        assert [a for a in actions if a in LIFE] == LIFE
        if host == "h1":
            assert [event.argument for event in seen if event.action == "exec_create"] == ["echo --password=***"]
        again = [event for event in await _since(client, seen[0].time_nano) if event.id == container_id]
        assert [event.identity for event in seen] == [event.identity for event in again]
        assert client.bad_lines == 0


async def _until_destroyed(client: EngineClient, since: int) -> list[EngineEvent]:
    seen: list[EngineEvent] = []
    async with aclosing(client.events(since=since)) as events:
        async for event in events:
            seen.append(event)
            if event.action == "destroy":
                break
    return seen


async def _since(client: EngineClient, since: int) -> list[EngineEvent]:
    until = int((datetime.now(UTC).timestamp() + 0.001) * 1e9)
    async with aclosing(client.events(since=since, until=until)) as events:
        return [event async for event in events]


async def _until(events: AsyncIterator[EngineEvent], name: str) -> AsyncIterator[EngineEvent]:
    """Events up to the first of that name; the engine also remembers those of former tests."""
    async for event in events:
        yield event
        if event.name == name:
            return


@pytest.mark.parametrize("host", ["h1", "pod1"])
async def test_a_filter_lets_through_the_same_events_of_either_engine(fleet: Fleet, host: str) -> None:
    """Podman's own filter would deliver no `die`."""
    await in_thread(fleet.run_plain, host, "ended", "true")
    async with client_of(fleet, host) as client, asyncio.timeout(10):
        async with aclosing(client.events(since=1, filters={"type": ["container"], "event": ["die"]})) as events:
            told = [event async for event in _until(events, "ended")]
        assert {event.action for event in told} == {"die"}


@pytest.mark.parametrize("host", ["h1", "pod1"])
async def test_two_samples_tell_what_a_busy_container_uses(fleet: Fleet, host: str) -> None:
    """About one core for a busy loop, about none for a sleeper; none at all for what has ended."""
    busy = await in_thread(fleet.run_plain, host, "busy", "sh -c 'while :; do :; done'")
    calm = await in_thread(fleet.run_plain, host, "calm", "sleep 1000", HostConfig={"Memory": 64 << 20})
    ended = await in_thread(fleet.run_plain, host, "ended", "true")
    async with client_of(fleet, host) as client:
        await client.info()
        await _inspected(client, ended, ContainerState.EXITED)
        first = {i: await client.sample(i) for i in (busy, calm, ended)}
        async with aclosing(client.stream_stats(busy)) as ticks:
            await anext(ticks)
            await anext(ticks)
        second = {i: await client.sample(i) for i in (busy, calm, ended)}
        assert first[ended] is second[ended] is None
        used = {}
        for container_id in (busy, calm):
            before, after = first[container_id], second[container_id]
            assert before is not None
            assert after is not None
            used[container_id] = usage_between(before, after)
        hungry, idle = used[busy], used[calm]
        assert hungry is not None
        assert idle is not None
        assert hungry.cpu is not None
        assert idle.cpu is not None
        assert 5 < hungry.cpu <= 110
        assert idle.cpu < 5
        assert hungry.memory is not None
        assert 0 < hungry.memory < 64 << 20
        assert hungry.memory_limit is None
        assert idle.memory_limit == 64 << 20
        assert await client.sample("0" * 64) is None


@pytest.mark.parametrize("host", ["h1", "pod1"])
@pytest.mark.parametrize("tty", [False, True])
async def test_the_last_words_of_a_container_are_read_in_both_framings(fleet: Fleet, host: str, tty: bool) -> None:
    """In order, clean, and only so many."""
    script = "sh -c 'for i in 1 2 3 4 5; do echo line $i; done; printf \"\\033[31mlast --token=hunter2\\033[0m\\n\"'"
    container_id = await in_thread(fleet.run_plain, host, "words", script, Tty=tty)
    async with client_of(fleet, host) as client:
        await _inspected(client, container_id, ContainerState.EXITED)
        assert await client.tail(container_id, 3) == ("line 4", "line 5", "last --token=***")
        assert len(await client.tail(container_id, 100)) == 6
        assert await client.tail("0" * 64, 3) == ()


async def test_a_swarm_is_read_from_its_manager(swarm_fleet: Fleet, eventually: Eventually) -> None:
    """Nodes, services with their counts, tasks with their containers; the raw spec comes with its version."""
    service_id = await in_thread(swarm_fleet.run_service, "web", "sleep 1000", 3)
    async with client_of(swarm_fleet, "h1") as client:

        async def running() -> bool:
            picture = await client.swarm()
            return [service.running for service in picture.services] == [3]

        await eventually(running, timeout=30)
        picture = await client.swarm()
        info = await client.info()
        assert info.swarm is not None
        assert (picture.cluster_id, picture.error) == (info.swarm.cluster_id, "")
        assert {node.hostname for node in picture.nodes} == {"h1", "h2", "h3"}
        (service,) = picture.services
        assert (service.id, service.name, service.mode, service.wanted) == (service_id, "web", "replicated", 3)
        live = [task for task in picture.tasks if task.state == "running"]
        assert {task.slot for task in live} == {1, 2, 3}
        assert all(len(task.container_id) == 64 for task in live)
        raw = await client.raw_service(service_id)
        assert raw is not None
        assert (raw.version, raw.spec["Name"]) == (service.version, "web")
        assert await client.raw_service("0" * 25) is None


@pytest.mark.parametrize(("host", "words"), [("h2", "not a swarm manager"), ("pod1", "knows no swarm")])
async def test_a_worker_and_podman_know_no_swarm_and_say_so(swarm_fleet: Fleet, host: str, words: str) -> None:
    """That is "not knowable from here", and no empty swarm."""
    async with client_of(swarm_fleet, host) as client:
        picture = await client.swarm()
        assert words in picture.error


async def test_a_frozen_daemon_is_not_answering(fleet: Fleet) -> None:
    """It takes connections and says nothing: each call ends by its deadline, a warm connection or not."""
    async with client_of(fleet, "h1", deadline=0.5) as client:
        await client.list_containers()
        await in_thread(fleet.fault, "h1", "freeze")
        try:
            for call in (client.ping, client.list_containers, client.info):
                with pytest.raises(NotAnswering):
                    await call()
        finally:
            await in_thread(fleet.heal, "h1")
        assert await client.ping() > 0


async def test_a_daemon_that_is_killed_ends_its_event_stream(fleet: Fleet) -> None:
    """The stream ends or breaks at once; nothing waits for more."""
    async with client_of(fleet, "h1") as client, asyncio.timeout(20):
        events = client.events(since=1)
        await in_thread(fleet.run_plain, "h1", "brief", "true")
        await anext(events)
        await in_thread(fleet.fault, "h1", "kill")
        try:
            with suppress(ConnectionLost):
                async for _ in events:
                    pass
            with pytest.raises(EngineError):
                await client.ping()
        finally:
            await in_thread(fleet.heal, "h1")


@pytest.mark.parametrize(("fault", "error"), [("cert-expired", CertificateExpired), ("cert-name", CertificateRefused)])
async def test_a_certificate_that_changed_under_way_is_refused_by_the_client_too(
    fleet: Fleet, fault: str, error: type[EngineError]
) -> None:
    """The link looked at it once; every new connection looks again."""
    link = link_to(fleet.address("h1", "tls"))
    client = EngineClient(await link.open(), engine="h1")
    try:
        await client.negotiate()
        await in_thread(fleet.fault, "h1", fault)
        with pytest.raises(error):
            await client.ping()
    finally:
        await client.close()
        await link.close()
        await in_thread(fleet.heal, "h1")
