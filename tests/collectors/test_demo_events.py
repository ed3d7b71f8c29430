"""The events of simulated engines: replay, live stream, and the filters as dockerd applies them."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import quote

import aiohttp
import pytest
from fleettop.collectors.demo import DemoFleet
from fleettop.collectors.demo.ring import REMEMBERED, Ring
from fleettop.collectors.errors import Rejected

from .demo_play import ask


def ring_of(*happenings: tuple[str, str]) -> Ring:
    """A ring that holds these types and actions."""
    ring = Ring()
    for number, (kind, action) in enumerate(happenings):
        ring.add(1_000.0 + number, kind, action, "id", {"name": "n", "image": "i:1", "team": "pay"}, "local")
    return ring


ALL = ring_of(
    ("container", "exec_create: sh -c true"),
    ("container", "exec_start: sh -c true"),
    ("container", "exec_die"),
    ("container", "health_status: healthy"),
    ("container", "start"),
    ("container", "stop"),
    ("network", "connect"),
)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"event": ["start"]}, ["start"]),
        ({"event": ["health_status"]}, ["health_status: healthy"]),
        ({"event": ["exec_create", "st"]}, ["exec_create: sh -c true", "start", "stop"]),
        ({"event": ["st"]}, []),
        ({"type": ["network"]}, ["connect"]),
        ({"type": ["container"], "event": ["exec_die", "stop"]}, ["exec_die", "stop"]),
        ({"label": ["team=pay"], "event": ["stop"]}, ["stop"]),
        ({"label": ["team=shop"]}, []),
        ({"container": ["n"], "event": ["stop"]}, ["stop"]),
        ({"image": ["other:1"], "type": ["container"]}, []),
    ],
)
def test_filters_match_as_dockerd_does(filters: dict[str, list[str]], expected: list[str]) -> None:
    """Once exec_create, exec_start or health_status is asked for, all values match as prefixes; else exactly."""
    assert [event.action for event in ALL.past(1, None, filters)] == expected


def test_an_engine_remembers_256_events() -> None:
    """The oldest go first, and both ends of the span are included."""
    ring = ring_of(*[("container", f"a{number}") for number in range(300)])
    past = list(ring.past(1, None, {}))
    assert len(past) == REMEMBERED
    assert past[0].action == "a44"
    assert [event.action for event in ring.past(past[3].nano, past[5].nano, {})] == ["a47", "a48", "a49"]
    assert list(ring.past(None, None, {})) == []


def test_no_two_events_have_the_same_time() -> None:
    """Also where they happen in the same moment."""
    ring = Ring()
    for _ in range(50):
        ring.add(1_000.0, "container", "start", "id", {}, "local")
    times = [event.nano for event in ring.past(1, None, {})]
    assert times == sorted(set(times))


async def test_the_stream_begins_with_what_was_and_goes_on_with_what_comes() -> None:
    """`since` replays, then every event comes as a line of its own, filtered on the server."""
    async with DemoFleet(engines=1, containers=5, moving=False) as fleet:
        machine = fleet.world.machines[0]
        container = next(machine.running())
        machine.tell_of(container, "start")
        wanted = quote(json.dumps({"type": ["container"], "event": ["start", "pause"]}))
        connector = aiohttp.UnixConnector(fleet.addresses[0].socket)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(f"http://engine/v1.43/events?since=1&filters={wanted}") as answer,
            asyncio.timeout(5),
        ):
            first = json.loads(await answer.content.readline())
            machine.tell_of(container, "unpause")
            await ask(fleet.addresses[0], f"/v1.43/containers/{container.id}/pause", "POST")
            second = json.loads(await answer.content.readline())
    assert (first["Action"], second["Action"]) == ("start", "pause")
    assert second["Actor"]["ID"] == container.id
    assert second["status"] == "pause"
    assert second["timeNano"] > first["timeNano"]


async def test_a_stream_with_an_end_ends() -> None:
    """`until` in the past: the replay, and that is all."""
    async with DemoFleet(engines=1, containers=5, moving=False) as fleet:
        machine = fleet.world.machines[0]
        machine.tell_of(next(machine.running()), "start")
        async with asyncio.timeout(5):
            status, text = await ask(fleet.addresses[0], f"/v1.43/events?since=1&until={fleet.world.now + 0.1:.3f}")
    assert status == 200
    assert text["Action"] == "start"


async def test_an_unknown_filter_is_refused() -> None:
    """400, with the filter's name."""
    async with DemoFleet(engines=1, containers=1, moving=False) as fleet:
        wanted = quote(json.dumps({"colour": ["red"]}))
        status, told = await ask(fleet.addresses[0], f"/v1.43/events?filters={wanted}")
    assert (status, told) == (400, {"message": "invalid filter 'colour'"})
    assert issubclass(Rejected, Exception)
