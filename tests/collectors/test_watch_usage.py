"""What is sampled, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fleettop.collectors.clock import ManualClock
from fleettop.collectors.model import ContainerKey, ContainerState
from fleettop.collectors.watch import usage as module
from fleettop.collectors.watch.interest import Interest
from fleettop.collectors.watch.listing import ContainerList
from fleettop.collectors.watch.usage import UsageReader

from .watching import FakeClient, Told, container

Eventually = Callable[..., Any]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INTERVAL", 0.0)
    monkeypatch.setattr(module, "FIRST", 0.0)


@asynccontextmanager
async def reading(client: FakeClient, *looked_at: str) -> AsyncIterator[ContainerList]:
    """A reader of these containers, at work."""
    told, interest, clock = Told(), Interest(), ManualClock()
    containers = ContainerList("web-1", told, clock)
    await containers.read_all(client)
    interest.look_at(ContainerKey("web-1", container(name).id) for name in looked_at)
    task = asyncio.ensure_future(UsageReader("web-1", interest, containers, told, clock).read(client))
    try:
        yield containers
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_container_without_figures_does_not_hold_up_the_others(eventually: Eventually) -> None:
    """One that never answers with a sample is not asked for alone, for ever."""
    client = FakeClient()
    client.rows = [container("mute"), container("well")]
    async with reading(client, "mute", "well"):
        await eventually(lambda: client.asked.count("sample well") >= 3)


async def test_a_container_that_is_started_while_it_is_looked_at_is_sampled(eventually: Eventually) -> None:
    """Nothing new comes into sight then: the same row begins to run."""
    client = FakeClient()
    client.rows = [container("api", state=ContainerState.EXITED)]
    async with reading(client, "api") as containers:
        client.rows = [container("api")]
        await containers.read_all(client)
        await eventually(lambda: "sample api" in client.asked)


async def test_what_nobody_looks_at_is_not_sampled(eventually: Eventually) -> None:
    """A sample costs the engine 4 ms."""
    client = FakeClient()
    client.rows = [container("api"), container("web")]
    async with reading(client, "web"):
        await eventually(lambda: client.asked.count("sample web") >= 3)
        assert "sample api" not in client.asked
