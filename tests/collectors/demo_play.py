"""Simulated fleets for tests: one whose clock stands still until it is moved, and requests to one that is open."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.clock import ManualClock
from fleettop.collectors.demo import DemoFleet
from fleettop.collectors.demo.machine import Machine
from fleettop.collectors.demo.ring import SimEvent
from fleettop.collectors.demo.scenario import Scenario
from fleettop.collectors.demo.things import Container
from fleettop.collectors.demo.world import World


class Play:
    """A world without doors, in which time passes when a test says so."""

    def __init__(self, *, engines: int = 12, containers: int = 150, seed: int = 1) -> None:
        self.clock = ManualClock()
        self.world = World(engines=engines, containers=containers, seed=seed, clock=self.clock)
        self.world.catch_up()

    def begin(self, incident: str | None = None) -> None:
        """A new world with a story in it, at the moment the doors open."""
        count = len(self.world.machines)
        self.world = World(engines=count, containers=300, seed=self.world.seed, clock=self.clock)
        Scenario(self.world, incident)
        self.world.catch_up()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)
        self.world.catch_up()

    def one(self, stack: str, service: str) -> tuple[Machine, Container]:
        """The first replica of a compose service."""
        return self.world.replicas(stack, service)[0]


def told(machine: Machine, container: Container | None = None, since: int = 1) -> list[SimEvent]:
    """What an engine remembers, of one container or of all containers."""
    return [
        event
        for event in machine.ring.past(since, None, {})
        if event.type == "container" and (container is None or event.id == container.id)
    ]


def actions(machine: Machine, container: Container) -> list[str]:
    """What happened to a container, in words: `kill 15`, `die 137`."""
    found = []
    for event in told(machine, container):
        extra = event.attributes.get({"kill": "signal", "die": "exitCode"}.get(event.action, ""), "")
        found.append(f"{event.action} {extra}".strip())
    return found


async def ask(address: EngineAddress, path: str, method: str = "GET", body: object = None) -> tuple[int, Any]:
    """One request to an engine: its status and its JSON, or its text."""
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(address.socket)) as session,
        session.request(method, f"http://engine{path}", json=body) as answer,
    ):
        raw = await answer.read()
        if not raw:
            return answer.status, None
        return answer.status, json.loads(raw) if answer.content_type == "application/json" else raw.decode()


def address_of(fleet: DemoFleet, name: str) -> EngineAddress:
    """The address of one engine of an open fleet."""
    return next(address for address in fleet.addresses if address.name == name)
