"""fleettop's own actions on a simulated fleet: what one can do in the demo."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from fleettop.collectors.actions import Outcome, Reach, Verb, perform, plan, prepare
from fleettop.collectors.demo import DemoFleet
from fleettop.collectors.model import Service, ServiceState
from fleettop.collectors.session import Session


class Stage:
    """An open demo, and a session that watches it."""

    def __init__(self, demo: DemoFleet, session: Session) -> None:
        self.demo = demo
        self.session = session

    def service(self, stack: str, name: str) -> Service | None:
        """A service as the session knows it."""
        self.session.fleet.take_changes()
        return next((s for s in self.session.fleet.services.values() if (s.stack, s.name) == (stack, name)), None)

    def reach(self, engine: str) -> Reach | None:
        """The way to an engine."""
        client, endpoint = self.session.client(engine), self.session.endpoint(engine)
        if client is None or endpoint is None:
            return None
        return Reach(endpoint=endpoint, api=client.api, client=client)

    async def act(self, verb: Verb, stack: str, name: str, **more: Any) -> list[tuple[Outcome, str]]:
        """Plan, prepare and do it; the outcomes in words."""
        service = self.service(stack, name)
        assert service is not None
        made = plan(verb, [service.key], self.session.fleet, **more)
        made = await prepare(made, reach=self.reach)
        assert made.blockers == ()
        results = await perform(made, reach=self.reach, reason="a test")
        return [(result.outcome, result.words) for result in results]


@pytest.fixture
async def stage(eventually: Callable[..., Any]) -> AsyncIterator[Stage]:
    """A demo in which nothing happens by itself, watched and known."""
    async with DemoFleet(containers=180, moving=False) as demo, Session(demo.addresses) as session:
        stage = Stage(demo, session)

        def known() -> bool:
            found = (stage.service("pay", "ledger"), stage.service("geo", "api"))
            return all(one is not None and one.state is ServiceState.HEALTHY for one in found)

        await eventually(known, timeout=10)
        yield stage


async def test_a_service_is_restarted_one_replica_after_the_other(stage: Stage) -> None:
    """Each waits for its health; all of them succeed."""
    results = await stage.act(Verb.RESTART, "pay", "ledger")
    assert {outcome for outcome, _ in results} == {Outcome.SUCCESS}, results


async def test_a_compose_service_is_scaled_up_and_down(stage: Stage, eventually: Callable[..., Any]) -> None:
    """A clone comes up on a host, and goes again."""
    before = len(stage.demo.world.replicas("shop", "pricing"))
    results = await stage.act(Verb.SCALE, "shop", "pricing", by=1)
    assert {outcome for outcome, _ in results} == {Outcome.SUCCESS}, results
    assert len(stage.demo.world.replicas("shop", "pricing")) == before + 1

    def seen() -> bool:
        service = stage.service("shop", "pricing")
        return service is not None and service.serving == before + 1

    await eventually(seen, timeout=10)
    results = await stage.act(Verb.SCALE, "shop", "pricing", by=-1)
    assert {outcome for outcome, _ in results} == {Outcome.SUCCESS}, results
    assert len(stage.demo.world.replicas("shop", "pricing")) == before


async def test_a_swarm_service_is_scaled_and_replaced(stage: Stage, eventually: Callable[..., Any]) -> None:
    """By its spec, told to a manager; the swarm does the rest."""
    service = stage.service("geo", "tiles")
    assert service is not None
    assert service.wanted is not None
    results = await stage.act(Verb.SCALE, "geo", "tiles", by=1)
    assert results[0][0] is Outcome.SUCCESS, results
    results = await stage.act(Verb.RESTART, "notify", "sms")
    assert results[0][0] is Outcome.SUCCESS, results
