"""Slow ways: what is asked over them, and that they stay up."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from typing import Any

import msgspec
import pytest
from fleettop.collectors.engine.http import Requests

from tests.fleet import Fleet
from tests.fleet.engine_api import ask
from tests.fleet.image import IMAGE
from tests.fleet.load import compose_labels

from .stage import Eventually, fault, heal, ran, watching


def kind_of(path: str) -> str:
    """What kind of question this is."""
    if path.startswith("/containers/") and path != "/containers/json":
        return path.rsplit("/", 1)[1]
    return path


class Counted:
    """How many questions of each kind are under way, and how many were at most."""

    def __init__(self) -> None:
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """Counts what is asked with a GET that is not a stream."""
    counted = Counted()
    real = Requests.answer

    async def answer(self: Requests, path: str, *given: Any, **named: Any) -> Any:
        kind = kind_of(path)
        counted.now[kind] += 1
        counted.asked[kind] += 1
        counted.most[kind] = max(counted.most[kind], counted.now[kind])
        try:
            return await real(self, path, *given, **named)
        finally:
            counted.now[kind] -= 1

    monkeypatch.setattr(Requests, "answer", answer)
    return counted


async def test_on_a_slow_link_polls_do_not_pile_up(fleet: Fleet, eventually: Eventually, counted: Counted) -> None:
    """F4: 800 ms each way: one question of a kind at a time, an honest latency, and the link stays up."""
    key = await ran(fleet, "h1", "web", "web")
    asked_of_the_engine = msgspec.structs.replace(fleet.address("h1", "ssh"), remote_shell=False, figures_budget=1.0)
    async with watching(asked_of_the_engine) as stage:
        await fault(fleet, "h1", "delay", 800)
        stage.session.interest.look_at([key])
        counted.most.clear()
        counted.asked.clear()
        await eventually(lambda: (stage.engine("h1").link.latency or 0) > 0.7, timeout=30)
        await eventually(lambda: counted.asked["stats"] >= 3, timeout=30)
        assert set(counted.most.values()) == {1}, counted.most
        assert stage.live("h1")
        await asyncio.to_thread(fleet.docker, "h1", "pause", key.id)
        await eventually(lambda: stage.container(key).state == "paused", timeout=20)
        assert not stage.gaps("h1")
        await heal(fleet, "h1")


async def test_a_list_that_takes_longer_than_the_deadline_comes_in(
    fleet: Fleet, eventually: Eventually, counted: Counted
) -> None:
    """F4: 100 kB at 6 kB/s: they are waited for, nothing else is asked behind them, and the link is kept."""
    for number in range(12):
        labels = {f"label-{key}": secrets.token_urlsafe(750) for key in range(8)}  # ssh compresses what is not random
        body = {"Image": IMAGE, "Cmd": ["true"], "Labels": {**compose_labels("shop", "big"), **labels}}
        ask(fleet.site.socket("h1"), "POST", f"/containers/create?name=shop-big-{number + 1}", body)
    await fault(fleet, "h1", "rate", 48)
    try:
        async with watching(fleet.address("h1", "ssh"), live=False) as stage:
            await eventually(lambda: len(stage.session.fleet.containers) == 12, timeout=60)
            # Ping, inspects and events follow: all of it goes through.
            await eventually(lambda: stage.engine("h1").link.latency is not None and stage.live("h1"), timeout=60)
            assert counted.asked["/containers/json"] == 1
            assert not stage.gaps("h1")
    finally:
        await heal(fleet, "h1")
