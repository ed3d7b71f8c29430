"""The contract: the same reads on a real engine and on a simulated one give answers of the same shape.

Keys and types are compared, not values. The real engine here is older (API 1.41) than any simulated one, so what Docker
dropped since is named, with the version that dropped it.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.demo import DemoFleet
from fleettop.collectors.engine.client import EngineClient
from fleettop.collectors.engine.stats import usage_between
from fleettop.collectors.links.base import UnixEndpoint
from fleettop.collectors.model import Container, ContainerState, Health

from tests.fleet import Fleet

from .demo_play import address_of, ask

FREE_KEYS = re.compile(
    r"(\.Labels|\.Attributes|\.Networks|\.Containers|\.Ports|\.ExposedPorts|\.PortBindings|\.Options|\.Runtimes"
    r"|\.LogConfig\.Config)\.[^[]+?(?=$|\[|\.(?:IPAMConfig|Links|Aliases|MacAddress|NetworkID|EndpointID|Gateway|IPAddress"
    r"|IPPrefixLen|IPv6Gateway|GlobalIPv6Address|GlobalIPv6PrefixLen|DriverOpts|Name|IPv4Address|IPv6Address|path)(?:$|\.))"
)
"""Maps whose keys are names of somebody's choice."""

GONE = {
    "KernelMemory": "1.42: the kernel limits memory no longer that way",
    "KernelMemoryTCP": "1.42",
    "VirtualSize": "1.44: the same as Size",
    "Container": "1.45: of an image",
    "ContainerConfig": "1.45: of an image",
    "BuilderSize": "1.42: in /system/df",
    "LogEntriesForSlowFollowers": "of the swarm's raft, not simulated",
    "DefaultAddressPools": "of the fleet's own configuration",
    "percpu_usage": "not told with cgroup v2",
    "max_usage": "not told with cgroup v2",
}
NOT_SIMULATED = re.compile(
    r"^\[\]\.NetworksAttachments\[\]\.Network\.(CreatedAt|UpdatedAt|DriverState|IPAMOptions|Spec\.IPAMOptions|Spec\.Ingress)"
    r"|^\[\]\.Spec(\.TaskTemplate)?\.ContainerSpec\.(Args|Command|DNSConfig|Init)"
    r"|^\.memory_stats\.stats\."
    r"|\.IPAMConfig\.IPv4Address$"
)
"""Parts that fleettop does not read, and counters that differ between cgroup versions."""

Shape = dict[str, set[str]]


def shape(value: object, path: str = "") -> Shape:
    """Every path in an answer, and the types that were found there."""
    kinds = {dict: "object", list: "array", str: "text", int: "number", float: "number", bool: "flag"}
    found: Shape = {FREE_KEYS.sub(r"\1.*", path): {"null" if value is None else kinds[type(value)]}}
    inner: list[tuple[str, object]] = []
    if isinstance(value, dict):
        inner = [(f"{path}.{key}", one) for key, one in value.items()]
    elif isinstance(value, list):
        inner = [(f"{path}[]", one) for one in value]
    for where, one in inner:
        for below, types in shape(one, where).items():
            found.setdefault(below, set()).update(types)
    return found


def missing(real: Shape, simulated: Shape) -> list[str]:
    """What the real engine tells and the simulated one does not."""
    return [
        path
        for path in real
        if path not in simulated
        and not NOT_SIMULATED.search(path)
        and not any(part in GONE for part in re.split(r"[.\[\]]+", path))
        and ".*" not in path[-3:]
    ]


def contradictions(real: Shape, simulated: Shape) -> list[str]:
    """Where the types differ; null goes with anything (an empty list is `null` or `[]`, as Go feels)."""
    return [
        f"{path}: {sorted(types)} and {sorted(simulated[path])}"
        for path, types in real.items()
        if path in simulated and "null" not in types | simulated[path] and not types & simulated[path]
    ]


class Pair:
    """A real engine and a simulated one with comparable things on them."""

    def __init__(
        self, real: EngineAddress, simulated: EngineAddress, swarm: EngineAddress, ids: tuple[str, str]
    ) -> None:
        self.real = real
        self.simulated = simulated
        self.swarm = swarm
        self.ids = ids

    async def compare(self, path: str, other: str | None = None, *, swarm: bool = False) -> None:
        """The same read on both."""
        _, real = await ask(self.real, f"/v1.41{path}")
        _, simulated = await ask(self.swarm if swarm else self.simulated, f"/v1.43{other or path}")
        one, two = shape(real), shape(simulated)
        assert (missing(one, two), contradictions(one, two)) == ([], []), path


@pytest.fixture
async def pair(fleet: Fleet) -> AsyncIterator[Pair]:
    """Both with a checked container of compose and a swarm service."""
    check = {"Healthcheck": {"Test": ["CMD-SHELL", "true"], "Interval": 1_000_000_000}}
    real = fleet.run("h1", "shop", "web", "sleep 1000", **check)
    fleet.run_service("front", "sleep 1000", 2)
    async with DemoFleet(containers=200, moving=False) as demo:
        _, container = demo.world.replicas("shop", "cart")[0]
        engine = next(m.name for m in demo.world.machines if container.id in m.containers)
        yield Pair(fleet.address("h1"), address_of(demo, engine), address_of(demo, "swm-1"), (real, container.id))


async def test_answers_have_the_same_shape(pair: Pair) -> None:
    """List, inspect, engine, images, networks, volumes and swarm: every key of the real ones, and of the same type."""
    real, simulated = pair.ids
    await pair.compare("/containers/json?all=1")
    await pair.compare(f"/containers/{real}/json", f"/containers/{simulated}/json")
    await pair.compare("/version")
    await pair.compare("/info", swarm=True)
    await pair.compare("/images/json")
    _, rows = await ask(pair.simulated, "/v1.43/images/json")
    await pair.compare("/images/bb:1/json", f"/images/{rows[0]['RepoTags'][0]}/json")
    await pair.compare("/networks")
    await pair.compare("/volumes")
    await pair.compare("/system/df")
    await pair.compare(f"/containers/{real}/stats?stream=false", f"/containers/{simulated}/stats?stream=false")
    for path in ("/nodes", "/services?status=true", "/tasks"):
        await pair.compare(path, swarm=True)


async def test_errors_have_the_same_words(pair: Pair) -> None:
    """Status and message, apart from the name."""
    paths = ("/containers/nope/json", "/containers/nope/stats?stream=false", "/networks/nope", "/nothing")
    for path in paths:
        assert await ask(pair.real, f"/v1.41{path}") == await ask(pair.simulated, f"/v1.43{path}"), path
    for address, path in ((pair.real, "/v1.41/images/nope:1/json"), (pair.simulated, "/v1.43/images/nope:1/json")):
        status, told = await ask(address, path)  # 20.10 says it twice in one sentence
        assert (status, told["message"].endswith("No such image: nope:1")) == (404, True)
    real, simulated = pair.ids
    for verb in ("start", "unpause"):
        statuses = [
            (await ask(address, f"/v1.{minor}/containers/{one}/{verb}", "POST"))[0]
            for address, minor, one in ((pair.real, 41, real), (pair.simulated, 43, simulated))
        ]
        assert statuses[0] == statuses[1], verb


async def restart_events(address: EngineAddress, one: str) -> list[Any]:
    """Restart a container and read what the engine tells of it."""
    since = int(time.time())
    status, _ = await ask(address, f"/containers/{one}/restart?t=1", "POST")
    assert status == 204
    client = await opened(address)
    try:
        events = [event async for event in client.events(since=since * 1_000_000_000, until=time.time_ns())]
    finally:
        await client.close()
    wanted = ("kill", "die", "stop", "start", "restart")
    found = [event for event in events if event.id == one and event.action in wanted]
    first = next(number for number, event in enumerate(found) if event.action == "kill")
    return found[first:]  # `since` counts whole seconds: its first start may be among them


async def test_a_restart_is_told_by_the_same_events(pair: Pair) -> None:
    """The same actions in the same order (a real one that ignores SIGTERM is killed with 9 besides)."""
    real = await restart_events(pair.real, pair.ids[0])
    simulated = await restart_events(pair.simulated, pair.ids[1])
    assert [e.action for e in simulated] == ["kill", "die", "stop", "start", "restart"]
    assert list(dict.fromkeys(e.action for e in real)) == [e.action for e in simulated]
    for event in simulated:
        model = next(e for e in real if e.action == event.action)
        own = {k for k in model.attributes if "." not in k}
        assert own <= set(event.attributes), event.action


async def opened(address: EngineAddress) -> EngineClient:
    """A client that has agreed on a version."""
    client = EngineClient(UnixEndpoint(address.socket), engine=address.name)
    await client.negotiate()
    return client


def filled(value: msgspec.Struct) -> set[str]:
    """The fields in which something stands."""
    return {name for name in value.__struct_fields__ if getattr(value, name) not in (None, "", (), {})}


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
