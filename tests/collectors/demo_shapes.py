"""What answers of real engines and of simulated ones have in common: keys and types, not values."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.demo import DemoFleet
from fleettop.collectors.demo.world import PROJECT
from fleettop.collectors.engine.client import EngineClient
from fleettop.collectors.links.base import UnixEndpoint

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
    r"|^\.CDISpecDirs$|^\[\]\.Volumes$"  # of /info; of tasks
    r"|\.(Args|Config\.Cmd)\[\]$"  # there are programs without arguments
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
        self,
        real: EngineAddress,
        simulated: EngineAddress,
        swarm: EngineAddress,
        ids: tuple[str, str],
        versions: tuple[str, str],
    ) -> None:
        self.real = real
        self.simulated = simulated
        self.swarm = swarm
        self.ids = ids
        self.versions = versions
        """Of the API: what is asked of the real ones, and of the simulated ones."""

    async def differences(self, path: str, other: str | None = None, *, swarm: bool = False) -> list[str]:
        """What the same read on both tells otherwise: what only the real one has, and what is of another type."""
        _, real = await ask(self.real, f"/v{self.versions[0]}{path}")
        _, simulated = await ask(self.swarm if swarm else self.simulated, f"/v{self.versions[1]}{other or path}")
        one, two = shape(real), shape(simulated)
        return [f"{path}: {what}" for what in (*missing(one, two), *contradictions(one, two))]


@asynccontextmanager
async def a_pair(fleet: Fleet, host: str, versions: tuple[str, str], api: str = "") -> AsyncIterator[Pair]:
    """Both with a checked container of compose and a swarm service; the simulated one is of this `api`, if any."""
    check = {"Healthcheck": {"Test": ["CMD-SHELL", "true"], "Interval": 1_000_000_000}}
    real = fleet.run(host, "shop", "web", "sleep 1000", **check)
    fleet.run_service("front", "sleep 1000", 2)
    async with DemoFleet(containers=200, moving=False) as demo:
        machine, container = next(
            (machine, container)
            for machine, container in demo.world.containers()
            if container.labels.get(PROJECT) and container.health and api in ("", machine.api)
        )
        simulated = address_of(demo, machine.name)
        yield Pair(fleet.address(host), simulated, address_of(demo, "swm-1"), (real, container.id), versions)


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


async def opened(address: EngineAddress) -> EngineClient:
    """A client that has agreed on a version."""
    client = EngineClient(UnixEndpoint(address.socket), engine=address.name)
    await client.negotiate()
    return client


def filled(value: msgspec.Struct) -> set[str]:
    """The fields in which something stands."""
    return {name for name in value.__struct_fields__ if getattr(value, name) not in (None, "", (), {})}
