"""The simulated fleet as a whole: it opens, answers as an engine does, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from fleettop.collectors.demo import DemoFleet
from fleettop.collectors.errors import ConfigError

from .demo_play import ask


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


async def test_what_a_killed_fleet_left_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one removes the folders whose lock nobody holds, and no others."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left = tmp_path / "fleettop-demo-left"
    left.mkdir()
    (left / "lock").touch()
    strange = tmp_path / "fleettop-demo-strange"
    strange.mkdir()
    async with DemoFleet(engines=1, containers=1) as first:
        assert (left.exists(), strange.exists()) == (False, True)
        async with DemoFleet(engines=1, containers=1):
            assert (await ask(first.addresses[0], "/_ping"))[0] == 200


async def test_a_given_folder_is_kept_and_used_once(tmp_path: Path) -> None:
    """Its sockets go, itself stays; a second fleet in it, or a path too long for a socket, is refused."""
    folder = tmp_path / "d"
    async with DemoFleet(engines=1, containers=1, folder=folder):
        assert sorted(file.name for file in folder.iterdir()) == ["lock", "web-1.sock"]
        with pytest.raises(ConfigError, match="Another demo"):
            async with DemoFleet(engines=1, containers=1, folder=folder):
                pass
        with pytest.raises(ConfigError, match="too long"):
            async with DemoFleet(engines=1, containers=1, folder=folder / ("x" * 100)):
                pass
    assert list(folder.iterdir()) == []


async def test_a_dead_machine_refuses_and_is_back(eventually: Callable[..., Any]) -> None:
    """Its socket's file stays and nobody listens; open streams break; then it answers again."""
    async with DemoFleet(engines=2, containers=10, moving=False) as fleet:
        address, machine = fleet.addresses[0], fleet.world.machines[0]
        connector = aiohttp.UnixConnector(address.socket)
        async with aiohttp.ClientSession(connector=connector) as session:
            stream = await session.get("http://engine/v1.43/events")
            fleet.world.power(machine, on=False)
            fleet.world.agenda.after(0.0, lambda: None)
            async with asyncio.timeout(5):
                with contextlib.suppress(aiohttp.ClientError):
                    assert await stream.content.read() == b""
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.get("http://engine/_ping")
        fleet.world.power(machine, on=True)
        fleet.world.agenda.after(0.0, lambda: None)

        async def answers() -> bool:
            try:
                return (await ask(address, "/_ping"))[0] == 200
            except aiohttp.ClientError:
                return False

        await eventually(answers, timeout=5)


async def test_a_silent_daemon_takes_connections_and_says_nothing() -> None:
    """Frozen is not dead: connecting works, the answer does not come."""
    async with DemoFleet(engines=1, containers=2, moving=False) as fleet:
        fleet.world.machines[0].silent = True
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await ask(fleet.addresses[0], "/_ping")
        fleet.world.machines[0].silent = False
        assert (await ask(fleet.addresses[0], "/_ping"))[0] == 200


async def test_a_thousand_engines_open_within_seconds() -> None:
    """One host each for two containers, and ten hosts with a thousand each."""
    for engines, containers in ((1_000, 2_000), (10, 10_000)):
        async with asyncio.timeout(15), DemoFleet(engines=engines, containers=containers, moving=False) as fleet:
            assert len({address.socket for address in fleet.addresses}) == engines
            assert (await ask(fleet.addresses[-1], "/_ping"))[1] == "OK"
