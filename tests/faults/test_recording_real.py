"""A recording of real engines: an incident, and the same incident replayed with the engines out of reach."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fleettop.collectors.model import LinkPhase, ServiceState
from fleettop.collectors.recording import Player, Recording, SnapshotFile
from fleettop.collectors.session import Session

from tests.fleet import Fleet

Eventually = Callable[..., Any]
SECRET = "hunter2-sEcReT-42"


def states(fleet: Any) -> Mapping[Any, Any]:
    """Each service's state, note, numbers, and since when it is down."""
    fleet.take_changes()
    return {
        key: (one.state, one.note, one.wanted, one.serving, one.down_since, one.restarts)
        for key, one in fleet.services.items()
    }


async def test_an_incident_of_real_engines_is_replayed_as_it_was(
    fleet: Fleet, eventually: Eventually, tmp_path: Path
) -> None:
    """A replica killed and a host cut off: states, reasons and hosts are the same, and no secret is in the file."""
    made = [
        await asyncio.to_thread(fleet.run, host, "pay", "api", "sleep 600", number, Env=[f"PLAIN={SECRET}"])
        for number, host in enumerate(("h1", "h2"), 1)
    ]
    addresses = [fleet.address(host, "ssh") for host in ("h1", "h2")]
    path = tmp_path / "night.fleettop"
    async with Session(addresses, read_only=True) as session:
        file = SnapshotFile(path, addresses, clock=session.clock)
        session.on_told = file.take
        await session.settled(30)

        def state() -> ServiceState | None:
            found = states(session.fleet)
            return next(iter(found.values()))[0] if len(found) == 1 else None

        async def moment() -> tuple[float, Mapping[Any, Any]]:
            t, found = session.clock.now().timestamp(), states(session.fleet)
            await file.write()
            return t, found

        await eventually(lambda: state() is ServiceState.HEALTHY, 30)
        well = await moment()
        await asyncio.to_thread(fleet.docker, "h1", "kill", made[0])
        await eventually(lambda: state() is ServiceState.DEGRADED, 30)
        killed = await moment()
        await asyncio.to_thread(fleet.fault, "h2", "drop")
        try:
            await eventually(lambda: session.fleet.engines["h2"].link.phase is LinkPhase.DOWN, 60)
            lost = await moment()
        finally:
            await asyncio.to_thread(fleet.heal, "h2")
    await file.write()
    player = Player(Recording(path))
    for t, found in (well, killed, lost, killed, well):
        player.jump(t)
        assert states(player.fleet) == found
    player.jump(lost[0])
    assert player.fleet.engines["h2"].link.phase is LinkPhase.DOWN
    assert player.fleet.engines["h1"].link.phase is LinkPhase.UP
    assert SECRET.encode() not in path.read_bytes()
