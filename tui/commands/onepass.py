"""What a single pass needs beyond the first listing: details of containers, and the swarms' own pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from fleettop.collectors.errors import EngineError
from fleettop.collectors.model import Container, ContainerKey, ContainersSeen, Health, LinkPhase
from fleettop.collectors.watch.listing import in_trouble

if TYPE_CHECKING:
    from fleettop.collectors.actions import StepResult
    from fleettop.collectors.fleet import Fleet
    from fleettop.collectors.session import Session

AT_ONCE = 4
"""Inspects under way on one engine."""
POLL = 0.02


async def complete(session: Session, *, every_detail: bool, deadline: float) -> None:
    """Fill the session's fleet with what one pass shows, within `deadline` seconds; what comes later stays unknown.

    Inspected is what is in trouble (its exit code tells why) or has a health that only an inspect tells (Podman); with
    `every_detail` every container.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(deadline), asyncio.TaskGroup() as group:
            for name, engine in session.fleet.engines.items():
                if engine.link.phase is LinkPhase.UP and not engine.same_as:
                    group.create_task(_inspect(session, name, every_detail=every_detail))
            group.create_task(_see_swarms(session.fleet))
    session.fleet.take_changes()


async def look_again(session: Session, results: Sequence[StepResult], *, deadline: float) -> None:
    """Read the containers of these results anew: what follows is planned on how they are, not on how they were."""
    steps = [result.step for result in results if result.step.kind == "container"]
    by_engine: dict[str, list[Container]] = {}
    for key in dict.fromkeys(ContainerKey(step.engine, step.object_id) for step in steps):
        if (container := session.fleet.containers.get(key)) is not None:
            by_engine.setdefault(key.engine, []).append(container)
    with suppress(TimeoutError):
        async with asyncio.timeout(deadline), asyncio.TaskGroup() as group:
            for engine, wanted in by_engine.items():
                group.create_task(_read(session, engine, wanted))
    session.fleet.take_changes()


async def _inspect(session: Session, engine: str, *, every_detail: bool) -> None:
    wanted = [c for c in session.fleet.containers.values() if c.engine == engine and _lacks(c, every_detail)]
    await _read(session, engine, wanted)


async def _read(session: Session, engine: str, wanted: Sequence[Container]) -> None:
    client = session.client(engine)
    if client is None:
        return
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(container: Container) -> Container | None:
        async with turn:
            return await client.inspect(container.id)

    with suppress(EngineError):  # its link says so itself
        read = await asyncio.gather(*(one(container) for container in wanted))
        session.fleet.apply(
            ContainersSeen(
                engine=engine,
                containers=tuple(found for found in read if found is not None),
                gone=tuple(before.id for before, found in zip(wanted, read, strict=True) if found is None),
                at=session.clock.monotonic(),
            )
        )


def _lacks(container: Container, every_detail: bool) -> bool:
    return container.detail is None and (every_detail or in_trouble(container) or container.health is Health.UNKNOWN)


async def _see_swarms(fleet: Fleet) -> None:
    """Wait until every swarm that has a manager here was read."""
    while any(cluster not in fleet.swarms for cluster in _clusters(fleet)):  # noqa: ASYNC110 - bounded by the caller
        await asyncio.sleep(POLL)


def _clusters(fleet: Fleet) -> set[str]:
    found = set()
    for engine in fleet.engines.values():
        swarm = engine.info.swarm if engine.info else None
        if engine.link.phase is LinkPhase.UP and swarm and swarm.manager and swarm.cluster_id:
            found.add(swarm.cluster_id)
    return found
