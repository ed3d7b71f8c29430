"""The simulated fleet as a whole: it opens, answers as an engine does, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import aiohttp
import pytest
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.demo import DemoFleet
from fleettop.collectors.errors import ConfigError


async def ask(address: EngineAddress, path: str, method: str = "GET", **more) -> tuple[int, object]:
    """One request to an engine: its status and its JSON."""
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(address.socket)) as session,
        session.request(method, f"http://engine{path}", **more) as answer,
    ):
        body = await answer.read()
        return answer.status, (await answer.json() if body and answer.content_type == "application/json" else None)


async def test_it_has_as_many_engines_and_containers_as_asked() -> None:
    """`engines` and `containers` are exact."""
    async with DemoFleet(engines=12, containers=300, moving=False) as fleet:
        rows = [await ask(address, "/v1.43/containers/json?all=1") for address in fleet.addresses]
    assert len(rows) == 12
    assert sum(len(found) for _, found in rows) == 300


@pytest.mark.parametrize(("engines", "containers"), [(1, 0), (1, 5), (3, 30), (200, 400), (2, 1000)])
async def test_any_size_can_be_had(engines: int, containers: int) -> None:
    """A fleet may be small, wide or deep."""
    async with DemoFleet(engines=engines, containers=containers, moving=False) as fleet:
        assert len(fleet.addresses) == engines
        assert sum(len(machine.containers) for machine in fleet.world.machines) == containers


async def test_nothing_is_left_when_it_closes() -> None:
    """Folder, sockets and tasks go with the fleet, also where somebody still listens to events."""
    before = asyncio.all_tasks()
    async with aiohttp.ClientSession() as outer:
        async with DemoFleet(engines=2, containers=10) as fleet:
            folder = Path(fleet.addresses[0].socket).parent
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            connector = aiohttp.UnixConnector(fleet.addresses[0].socket)
            session = aiohttp.ClientSession(connector=connector)
            answer = await session.get("http://engine/v1.43/events")
        assert not folder.exists()
        answer.close()
        await session.close()
        del outer
    assert asyncio.all_tasks() == before


def test_an_unknown_incident_names_the_right_ones() -> None:
    """A wrong name is a ConfigError whose hint lists the incidents there are."""
    with pytest.raises(ConfigError) as caught:
        DemoFleet(incident="flood")
    assert "crash-loop" in caught.value.hint


async def test_the_same_seed_gives_the_same_fleet() -> None:
    """Names and ids follow from the seed alone."""
    one, other, third = DemoFleet(seed=5), DemoFleet(seed=5), DemoFleet(seed=6)
    ids = [[list(m.containers) for m in fleet.world.machines] for fleet in (one, other, third)]
    assert ids[0] == ids[1]
    assert ids[0] != ids[2]


async def test_errors_are_in_the_words_of_the_engine() -> None:
    """404, 400 for versions and filters: status and message as dockerd gives them."""
    async with DemoFleet(engines=1, containers=3) as fleet:
        address = fleet.addresses[0]
        assert await ask(address, "/v1.43/containers/nope/json") == (404, {"message": "No such container: nope"})
        assert (await ask(address, "/v1.99/info"))[0] == 400
        assert (await ask(address, "/v1.5/info"))[0] == 400
        assert (await ask(address, "/v1.43/nothing")) == (404, {"message": "page not found"})
        assert (await ask(address, '/v1.43/containers/json?filters={"colour":["red"]}'))[0] == 400
