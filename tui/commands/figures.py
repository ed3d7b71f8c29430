"""What containers use, for one pass: two samples of each, a moment apart, since one tells no rate."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from fleettop.collectors.errors import EngineError
from fleettop.collectors.model import ContainerKey, ContainerState, UsageSeen

from .request import lost_engines

if TYPE_CHECKING:
    from fleettop.collectors.engine.stats import StatsSample
    from fleettop.collectors.session import Session

FIGURES = frozenset(("cpu", "mem"))
"""The fields of the filter that only samples tell."""
APART = 0.3
"""Seconds between the two samples."""


async def take_figures(session: Session, keys: Iterable[ContainerKey], *, deadline: float) -> tuple[str, ...]:
    """Fill the session's fleet with what these containers use, within `deadline` seconds.

    Returns a sentence for each engine that gave no figures for some that run. Engines that cannot be reached are not
    among them: that is said anyway.
    """
    fleet = session.fleet
    lost = {engine.name for engine in lost_engines(session)}
    running: dict[str, list[str]] = {}
    for key in dict.fromkeys(keys):
        container = fleet.containers.get(key)
        if container is not None and container.state is ContainerState.RUNNING and key.engine not in lost:
            running.setdefault(key.engine, []).append(key.id)
    with suppress(TimeoutError):
        async with asyncio.timeout(deadline), asyncio.TaskGroup() as group:
            for engine, ids in running.items():
                group.create_task(_sample(session, engine, ids))
    fleet.take_changes()
    sentences = []
    for engine, ids in sorted(running.items()):
        missing = sum(not _known(session, ContainerKey(engine, container_id)) for container_id in ids)
        if missing:
            of = "its containers" if missing == len(ids) else f"{missing} of {len(ids)} containers"
            sentences.append(f"{engine} gave no figures of CPU and memory for {of} within {deadline:g} s.")
    return tuple(sentences)


def _known(session: Session, key: ContainerKey) -> bool:
    """Whether it was sampled; one that has ended meanwhile uses nothing."""
    container = session.fleet.containers.get(key)
    return key in session.fleet.usage or container is None or container.state is not ContainerState.RUNNING


async def _sample(session: Session, engine: str, ids: list[str]) -> None:
    """Each container by itself, so that what is told in time counts."""
    from fleettop.collectors.engine.stats import usage_between
    from fleettop.collectors.watch.supervisor import samples_at_once
    from fleettop.collectors.watch.usage import HELD_AT_ONCE

    client = session.client(engine)
    if client is None:
        return
    turn = asyncio.Semaphore(samples_at_once(session.endpoint(engine)) or HELD_AT_ONCE)

    async def sample(container_id: str) -> StatsSample | None:
        with suppress(EngineError):  # no figure is not a failure of the link
            async with turn:
                return await client.sample(container_id)
        return None

    async def one(container_id: str) -> None:
        before = await sample(container_id)
        await asyncio.sleep(APART)
        after = await sample(container_id)
        used = usage_between(before, after) if before is not None and after is not None else None
        if used is not None:
            session.fleet.apply(UsageSeen(engine=engine, usage={container_id: used}))

    async with asyncio.TaskGroup() as group:
        for container_id in ids:
            group.create_task(one(container_id))
