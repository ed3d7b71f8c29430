"""Real engines as acting meets them: looked at once, planned on, acted on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fleettop.collectors.actions import Pace, Plan, Reach, StepResult, Target, Verb, perform, plan, prepare
from fleettop.collectors.engine.client import EngineClient
from fleettop.collectors.fleet import Fleet as Picture
from fleettop.collectors.links import link_to
from fleettop.collectors.links.base import Link
from fleettop.collectors.model import (
    ContainerKey,
    ContainersSeen,
    EngineSeen,
    LinkChanged,
    LinkPhase,
    LinkStatus,
    Listed,
    ServiceKey,
    SwarmSeen,
)

from tests.fleet import Fleet

QUICK = Pace(healthy=20, settle=0.3, poll=0.05, answer=5, found=3)
"""As in earnest, and not as patient."""


class Stage:
    """A fleet that was looked at, and what is done on it."""

    def __init__(
        self, fleet: Fleet, clients: dict[str, EngineClient], links: dict[str, Link], reaches: dict[str, Reach]
    ):
        self.fleet = fleet
        self.clients = clients
        self.reaches = reaches
        self._links = links
        self.picture = Picture([link.address for link in links.values()])
        self.phases: list[str] = []

    async def look(self) -> None:
        """List everything, as the watchers do when they connect; what is running is inspected."""
        for name, client in self.clients.items():
            self.picture.apply(LinkChanged(engine=name, link=LinkStatus(phase=LinkPhase.UP)))
            self.picture.apply(EngineSeen(engine=name, info=await client.info()))
            listing = await client.list_containers()
            now = self.picture.clock.monotonic()
            self.picture.apply(Listed(engine=name, containers=listing.containers, at=now))
            whole = [found for c in listing.containers if (found := await client.inspect(c.id)) is not None]
            self.picture.apply(ContainersSeen(engine=name, containers=tuple(whole), at=now))
            info = self.picture.engines[name].info
            if info is not None and info.swarm is not None and info.swarm.manager:
                self.picture.apply(SwarmSeen(engine=name, picture=await client.swarm()))
        self.picture.take_changes()

    async def plan(self, verb: Verb, *targets: Target, **how: Any) -> Plan:
        """Look, plan and prepare."""
        await self.look()
        return await prepare(plan(verb, targets, self.picture, pace=QUICK, **how), reach=self.reaches.get)

    async def do(self, made: Plan, **how: Any) -> tuple[StepResult, ...]:
        """Carry a plan out."""
        how = {"pace": QUICK, "on_progress": lambda _step, words: self.phases.append(words), **how}
        return await perform(made, reach=self.reaches.get, **how)

    async def act(self, verb: Verb, *targets: Target, **how: Any) -> tuple[StepResult, ...]:
        """All of it."""
        made = await self.plan(verb, *targets, **how)
        assert made.possible, made.blockers
        return await self.do(made)

    def service(self, name: str) -> ServiceKey:
        """The one service of that name."""
        [key] = [key for key, service in self.picture.services.items() if name in (service.name, key.name)]
        return key

    async def key(self, host: str, container: str) -> ContainerKey:
        """A container after another look."""
        await self.look()
        return ContainerKey(host, container)

    def inspect(self, host: str, container: str) -> Any:
        """What the engine says of a container, past all of ours."""
        return self.fleet.get(host, f"/containers/{container}/json")

    def names(self, host: str) -> list[str]:
        """Names of all containers of a host."""
        return sorted(c["Names"][0][1:] for c in self.fleet.get(host, "/containers/json?all=1"))


@asynccontextmanager
async def stage_on(
    fleet: Fleet, hosts: Sequence[str] = ("h1", "h2", "h3"), *, way: str = "unix", read_only: bool = False
) -> AsyncIterator[Stage]:
    """Links and clients to some hosts of a fleet, by `unix`, `tls` or `ssh`."""
    links = {host: link_to(fleet.address(host, way)) for host in hosts}
    clients: dict[str, EngineClient] = {}
    reaches: dict[str, Reach] = {}
    try:
        for host, link in links.items():
            endpoint = await link.open()
            clients[host] = client = EngineClient(endpoint, engine=host, deadline=3, read_only=read_only)
            api = await client.negotiate()
            reaches[host] = Reach(endpoint=endpoint, api=api, client=client, read_only=read_only)
        yield Stage(fleet, clients, links, reaches)
    finally:
        for client in clients.values():
            await client.close()
        for link in links.values():
            await link.close()


async def off_loop(work: Callable[..., Any], *arguments: Any) -> Any:
    """Something of the fleet that blocks, beside the running loop."""
    return await asyncio.to_thread(work, *arguments)
