"""What the looked-at containers of one engine use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from ..clock import Clock
from ..engine.client import EngineClient
from ..engine.stats import StatsSample, usage_between
from ..errors import EngineError
from ..model import Change, ContainerState, Usage, UsageSeen
from .interest import Interest
from .listing import ContainerList
from .pace import Pacer

INTERVAL = 3.0
FIRST = 0.3
"""Seconds from a first sample, which tells no rate yet, to the second."""
AT_ONCE = 16
"""dockerd 20.10 holds a one-shot sample back until its collector's next tick, up to 1 s: few at once would be slow."""


class UsageReader:
    """Samples what is looked at, and nothing while nothing is: a sample costs the engine 4 ms of CPU."""

    def __init__(
        self,
        engine: str,
        interest: Interest,
        containers: ContainerList,
        publish: Callable[[Change], None],
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._interest = interest
        self._containers = containers
        self._publish = publish
        self._clock = clock
        self._before: dict[str, StatsSample] = {}
        self._asked: set[str] = set()

    async def read(self, client: EngineClient, at_once: int = AT_ONCE) -> None:
        """Sample for ever, so many containers at once."""
        pacer = Pacer(INTERVAL, self._clock)
        turn, one = asyncio.Semaphore(at_once), asyncio.Semaphore(1)
        while True:
            await self._containers.way.free()
            ids = self._looked_at()
            first = [i for i in ids if i not in self._asked]
            self._asked.intersection_update(self._containers.known)
            self._asked.update(first)
            pacer.begin()
            await self._sample(client, first or ids, one if self._containers.way.narrow else turn)
            # What is looked at and does not run may be started: then nothing new comes into sight.
            pause = pacer.pause if self._interest.of(self._engine) else None
            await self._interest.more(self._engine, max(FIRST, pacer.pause - INTERVAL) if first else pause)

    def _looked_at(self) -> list[str]:
        known = self._containers.known
        return [i for i in self._interest.of(self._engine) if i in known and known[i].state is ContainerState.RUNNING]

    async def _sample(self, client: EngineClient, ids: list[str], turn: asyncio.Semaphore) -> None:
        found: dict[str, StatsSample] = {}

        async def one(container_id: str) -> None:
            with suppress(EngineError):  # no figure is not a failure of the link: the ping tells that
                async with turn:
                    sample = await client.sample(container_id)
                if sample is not None:
                    found[container_id] = sample

        async with asyncio.TaskGroup() as group:
            for container_id in ids:
                group.create_task(one(container_id))
        usage = {i: used for i, sample in found.items() if (used := self._used(i, sample)) is not None}
        self._before = {i: s for i, s in self._before.items() if i in self._containers.known} | found
        if usage:
            self._publish(UsageSeen(engine=self._engine, usage=usage))

    def _used(self, container_id: str, sample: StatsSample) -> Usage | None:
        """Against the sample before; without one, what a single sample tells: its memory, and no rate."""
        before = self._before.get(container_id)
        if before is not None:
            return usage_between(before, sample)
        limit = sample.memory_limit
        return Usage(cpu=None, memory=sample.memory, memory_limit=limit, received=None, sent=None, at=sample.at)
