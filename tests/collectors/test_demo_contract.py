"""The contract: the same reads on a real engine and on a simulated one give answers of the same shape.

Keys and types are compared, not values. The real engine here is older (API 1.41) than any simulated one, so what Docker
dropped since is named, with the version that dropped it; `test_demo_newer` has the same tests with API 1.45 on both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from fleettop.collectors.engine.stats import usage_between
from fleettop.collectors.model import Container, ContainerState, Health

from tests.fleet import Fleet

from .demo_play import ask
from .demo_shapes import Pair, a_pair, filled, opened, restart_events


@pytest.fixture
async def pair(fleet: Fleet) -> AsyncIterator[Pair]:
    """The real engine is of API 1.41."""
    async with a_pair(fleet, "h1", ("1.41", "1.43")) as pair:
        yield pair


async def test_answers_have_the_same_shape(pair: Pair) -> None:
    """List, inspect, engine, images, networks, volumes and swarm: every key of the real ones, and of the same type."""
    real, simulated = pair.ids
    _, rows = await ask(pair.simulated, f"/v{pair.versions[1]}/images/json")
    found = [
        await pair.differences("/containers/json?all=1"),
        await pair.differences(f"/containers/{real}/json", f"/containers/{simulated}/json"),
        await pair.differences("/version"),
        await pair.differences("/info", swarm=True),
        await pair.differences("/images/json"),
        await pair.differences("/images/bb:1/json", f"/images/{rows[0]['RepoTags'][0]}/json"),
        await pair.differences("/networks"),
        await pair.differences("/volumes"),
        await pair.differences("/system/df"),
        await pair.differences(f"/containers/{real}/stats?stream=false", f"/containers/{simulated}/stats?stream=false"),
        *[await pair.differences(path, swarm=True) for path in ("/nodes", "/services?status=true", "/tasks")],
    ]
    assert [line for lines in found for line in lines] == []


async def test_errors_have_the_same_words(pair: Pair) -> None:
    """Status and message, apart from the name."""
    of_real, of_simulated = (f"/v{version}" for version in pair.versions)
    paths = ("/containers/nope/json", "/containers/nope/stats?stream=false", "/networks/nope", "/nothing")
    for path in paths:
        assert await ask(pair.real, f"{of_real}{path}") == await ask(pair.simulated, f"{of_simulated}{path}"), path
    for address, version in ((pair.real, of_real), (pair.simulated, of_simulated)):
        status, told = await ask(address, f"{version}/images/nope:1/json")  # 20.10 says it twice in one sentence
        assert (status, told["message"].endswith("No such image: nope:1")) == (404, True)
    real, simulated = pair.ids
    for verb in ("start", "unpause"):
        statuses = [
            (await ask(address, f"{version}/containers/{one}/{verb}", "POST"))[0]
            for address, version, one in ((pair.real, of_real, real), (pair.simulated, of_simulated, simulated))
        ]
        assert statuses[0] == statuses[1], verb


async def test_a_restart_is_told_by_the_same_events(pair: Pair) -> None:
    """The same actions in the same order (a real one that ignores SIGTERM is killed with 9 besides)."""
    real = await restart_events(pair.real, pair.ids[0])
    simulated = await restart_events(pair.simulated, pair.ids[1])
    assert [e.action for e in simulated] == ["kill", "die", "stop", "start", "restart"]
    told = list(dict.fromkeys(e.action for e in real))
    if told[1:3] == ["stop", "die"]:  # from Docker 23 on the two race
        told[1:3] = ["die", "stop"]
    assert told == [e.action for e in simulated]
    for event in simulated:
        model = next(e for e in real if e.action == event.action)
        own = {k for k in model.attributes if "." not in k}
        assert own <= set(event.attributes), event.action


async def test_our_client_reads_both_alike(pair: Pair) -> None:
    """What EngineClient makes of a real engine's answers it makes of a simulated one's, field for field."""
    clients = [await opened(pair.real), await opened(pair.simulated)]
    try:
        found: list[Container] = []
        for client, one in zip(clients, pair.ids, strict=True):
            listing = await client.list_containers()
            assert listing.refused == ()
            row = next(container for container in listing.containers if container.id == one)
            whole = await client.inspect(one)
            assert whole is not None
            assert (row.state, whole.state) == (ContainerState.RUNNING, ContainerState.RUNNING)
            assert whole.health in (Health.HEALTHY, Health.STARTING)
            found.append(whole)
            assert await client.inspect("f" * 64) is None
            assert await client.ping() < 5
        real, simulated = found
        assert real.detail is not None
        assert simulated.detail is not None
        assert filled(real) - {"command"} <= filled(simulated)
        assert filled(real.detail) - {"health_log"} <= filled(simulated.detail)
        infos = [await client.info() for client in clients]
        assert filled(infos[0]) - {"swarm"} <= filled(infos[1]) | {"paused", "stopped", "rootless"}
    finally:
        for client in clients:
            await client.close()


async def test_our_client_reads_usage_and_swarm_alike(pair: Pair) -> None:
    """Two samples give a usage; a swarm gives nodes, services and tasks."""
    for address, swarm, one in ((pair.real, pair.real, pair.ids[0]), (pair.simulated, pair.swarm, pair.ids[1])):
        client, manager = await opened(address), await opened(swarm)
        try:
            before = await client.sample(one)
            after = await client.sample(one)
            assert before is not None
            assert after is not None
            usage = usage_between(before, after)
            assert usage is None or usage.memory is not None
            picture = await manager.swarm()
            assert picture.error == ""
            assert picture.nodes
            assert all(service.wanted is not None for service in picture.services)
            # tasks of a service that another test removed stay listed until their containers are gone
            kept = {task.service_id for task in picture.tasks if task.desired != "remove"}
            assert kept == {service.id for service in picture.services}
        finally:
            await client.close()
            await manager.close()
