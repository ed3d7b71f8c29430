"""Reading the disks of many engines at once; only when somebody asks, since it costs an engine much."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from ..errors import EngineError
from ..model import DiskUse

if TYPE_CHECKING:
    from ..engine.client import EngineClient

DEADLINE = 60.0
"""Seconds one engine has to add up its files."""
AT_ONCE = 32
"""Engines asked at a time."""
LogSizes = Callable[[str, Sequence[str]], Awaitable[Mapping[str, int]]]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What reading one engine's disk came to."""

    engine: str
    use: DiskUse | None = None
    error: EngineError | None = None


async def read_disks(
    clients: Mapping[str, EngineClient | None],
    *,
    deadline: float = DEADLINE,
    on_read: Callable[[Reading], None] | None = None,
    logs: LogSizes | None = None,
) -> tuple[Reading, ...]:
    """Each engine's disk, or why it cannot be read; `on_read` gets each as it comes. None: there is no way to it.

    `logs` tells the sizes of containers' logs of an engine, as far as they can be read on its host.
    """
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(engine: str, client: EngineClient | None) -> Reading:
        async with turns:
            found = await _read(engine, client, deadline)
            if logs is not None and found.use is not None:
                sizes = await logs(engine, [container.id for container in found.use.containers])
                found = msgspec.structs.replace(found, use=msgspec.structs.replace(found.use, logs=sizes))
        if on_read is not None:
            on_read(found)
        return found

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(engine, client)) for engine, client in clients.items()]
    return tuple(task.result() for task in tasks)


async def _read(engine: str, client: EngineClient | None, deadline: float) -> Reading:
    if client is None:
        return Reading(engine=engine)
    try:
        use = await client.disk_use(deadline=deadline)
        return Reading(engine=engine, use=await _named(use, client) if client.podman else use)
    except EngineError as error:
        return Reading(engine=engine, error=error)


async def _named(use: DiskUse, client: EngineClient) -> DiskUse:
    """Podman 4.3 tells only the tags of images there, without their names: those are in the list of images."""
    names = {image.id: image.names for image in await client.images()}
    images = tuple(
        msgspec.structs.replace(
            image,
            tags=tuple(name for name in names.get(image.id, ()) if "@" not in name),
            digests=tuple(name for name in names.get(image.id, ()) if "@" in name),
        )
        for image in use.images
    )
    return msgspec.structs.replace(use, images=images)
