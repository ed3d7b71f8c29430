"""What the containers of one engine use: read past the engine where that can be, asked of it within a budget else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from math import ceil

from ..clock import Clock
from ..engine.client import EngineClient
from ..engine.stats import StatsSample, usage_between
from ..engine.versions import at_least
from ..errors import EngineError
from ..figures.budget import Budget
from ..figures.target import HostFigures, Target, target_of
from ..model import Change, Container, ContainerState, FiguresWay, Usage, UsageSeen
from .asked import Rhythm, Turns
from .interest import Interest
from .listing import ContainerList
from .pace import STRETCH, Pacer

HOST = Rhythm(seen=2.0, unseen=10.0, second=0.6)
"""The host's clock tells hundredths of a second: half a second is the least from which a rate can be told."""
API = Rhythm(seen=3.0, unseen=30.0, second=0.3)
READ_COST, ANSWER_COST = 0.0001, 0.002
"""Seconds of the host's CPU for the counters of one container, and for an answer (measured: 0.1 ms, 1.5 ms)."""
SAMPLE_COST, LONG_SAMPLE_COST = 0.004, 0.021
"""Of the engine's for one sample; the second where its API knows no single ones (before 1.41)."""
AT_ONCE, HELD_AT_ONCE = 6, 16
"""Samples asked for at once; the second of an engine that holds each back until its collector's next tick, up to 1 s,
as dockerd 20.10 does (API 1.41). Each takes a connection of its own."""
INSPECTING = 0.2
DETAILED = 5.0
"""Seconds in which a new container is inspected, which tells where its counters lie."""
NOTHING_ELSE = 0.01
"""The budget where none is said: 1 % of one core."""


class UsageReader:
    """Samples what is looked at, the rest rarely, and nothing while nobody looks at anything."""

    def __init__(
        self,
        engine: str,
        interest: Interest,
        containers: ContainerList,
        publish: Callable[[Change], None],
        clock: Clock,
        budget: float = NOTHING_ELSE,
    ) -> None:
        self._engine = engine
        self._interest = interest
        self._containers = containers
        self._publish = publish
        self._clock = clock
        self._budget = Budget(budget, clock)
        self._words = ""
        self._wanted: dict[str, float] = {}
        """Since when a container that was not inspected yet is waited for."""

    async def read(self, client: EngineClient, at_once: int | None = None, host: HostFigures | None = None) -> None:
        """Sample for ever: at the host what it shows; the rest is asked of the engine, so many containers at once."""
        try:
            async with asyncio.TaskGroup() as group:
                if host is not None:
                    group.create_task(self._read_host(host))
                group.create_task(self._ask_engine(client, at_once, host))
        finally:
            for who in ("host", "engine"):
                self._interest.slower(self._engine, who, 0.0, 0.0)
            if host is not None:
                host.close()

    def _running(self) -> tuple[dict[str, Container], dict[str, Container]]:
        """The containers that run: those that are looked at, and while anybody looks at anything the others."""
        looked = self._interest.of(self._engine)
        running = [c for c in self._containers.known.values() if c.state is ContainerState.RUNNING]
        others = {c.id: c for c in running if c.id not in looked} if self._interest.anybody else {}
        return {c.id: c for c in running if c.id in looked}, others

    # -- of the host

    async def _read_host(self, host: HostFigures) -> None:
        pacer, turns = Pacer(0.0, self._clock), Turns(HOST, self._clock)
        samples = _Samples()
        while True:
            await self._containers.way.free()
            running = self._running()
            seen, unseen = (self._at_host(some, host) for some in running)
            rates = bool(seen) / HOST.seen, bool(unseen and not seen) / HOST.unseen  # one answer for all of a host
            turns.slower = self._interest.slower(self._engine, "host", *rates)
            shown, rest = turns.due(seen, unseen)
            rest = self._some_of(rest, len(unseen))
            pacer.begin()
            if shown or rest:
                known = frozenset(self._containers.known)
                host.forget(known)
                turns.forget(known)
                targets = [seen[i] for i in shown] + [unseen[i] for i in rest]
                found = await host.read(targets)
                self._budget.spend(READ_COST * len(rest))
                turns.asked(target.id for target in targets)
                self._tell(samples.used(found, known))
                self._say(host.words)
            await self._interest.more(self._engine, self._host_pause(turns, seen, unseen, running[0], pacer), "host")

    def _at_host(self, some: dict[str, Container], host: HostFigures) -> dict[str, Target]:
        """Those to be read there. One that is not inspected yet is waited for: that tells where its counters lie."""
        found = {}
        for container in some.values():
            target = target_of(container)
            if target is not None and host.serves(target) and not self._awaits_detail(container):
                found[container.id] = target
        return found

    def _host_pause(
        self,
        turns: Turns,
        seen: dict[str, Target],
        unseen: dict[str, Target],
        shown: dict[str, Container],
        pacer: Pacer,
    ) -> float | None:
        if any(self._awaits_detail(container) for container in shown.values()):
            return max(INSPECTING, pacer.pause)
        due = turns.until_next(seen, unseen)
        if due is None:
            return HOST.seen * turns.slower.seen if self._interest.anybody else None
        return max(due, HOST.second, pacer.pause)

    def _some_of(self, due: list[str], all_unseen: int) -> list[str]:
        """Of those nobody sees as many as keep their rhythm evenly, within the budget."""
        even = ceil(all_unseen * HOST.seen / HOST.unseen)
        return due[: self._budget.afford(READ_COST, min(even, len(due)))]

    # -- of the engine

    async def _ask_engine(self, client: EngineClient, most: int | None, host: HostFigures | None) -> None:
        pacer, turns = Pacer(0.0, self._clock), Turns(API, self._clock)
        at_once = most or (AT_ONCE if at_least(client.api, "1.42") else HELD_AT_ONCE)
        several, one = asyncio.Semaphore(at_once), asyncio.Semaphore(1)
        samples = _Samples()
        if host is None:
            self._say("asked of the engine")
        while True:
            way = self._containers.way
            await way.free()
            seen, unseen = (self._left_to_engine(some, host) for some in self._running())
            rates = len(seen) / API.seen, len(unseen) / API.unseen
            turns.slower = self._interest.slower(self._engine, "engine", *rates)
            cost = SAMPLE_COST if at_least(client.api, "1.41") else LONG_SAMPLE_COST
            ids = turns.in_one_row(seen, () if way.narrow else unseen)
            ids = ids[: self._budget.afford(cost, min(len(ids), at_once))]
            pacer.begin()
            if ids:
                known = frozenset(self._containers.known)
                turns.forget(known)
                self._budget.spend(cost * len(ids))
                found = await _sample(client, ids, one if way.narrow else several)
                turns.asked(ids)
                self._tell(samples.used(found, known))
            await self._interest.more(self._engine, self._engine_pause(turns, seen, unseen, cost, pacer), "engine")

    def _left_to_engine(self, some: dict[str, Container], host: HostFigures | None) -> list[str]:
        if host is None:
            return list(some)
        left = []
        for container in some.values():
            target = target_of(container)
            if target is not None and (host.serves(target) or self._awaits_detail(container)):
                continue
            left.append(container.id)
        return left

    def _awaits_detail(self, container: Container) -> bool:
        if container.detail is not None:
            self._wanted.pop(container.id, None)
            return False
        now = self._clock.monotonic()
        return now - self._wanted.setdefault(container.id, now) < DETAILED

    def _engine_pause(
        self, turns: Turns, seen: list[str], unseen: list[str], cost: float, pacer: Pacer
    ) -> float | None:
        due = turns.until_next(seen, () if self._containers.way.narrow else unseen)
        if due is None:  # what is looked at may be started, or the host may fail: nothing comes into sight then
            looked = self._interest.of(self._engine) or self._interest.anybody
            return API.seen * turns.slower.seen if looked else None
        wait = self._budget.wait(cost)
        # The budget is the limit; an engine that holds samples back for a second (20.10) is not slow for that.
        took = pacer.soonest if self._containers.way.narrow else pacer.soonest / STRETCH
        return max(due, API.seen if wait is None else wait, took)

    # -- telling

    def _tell(self, usage: dict[str, Usage]) -> None:
        if usage:
            self._publish(UsageSeen(engine=self._engine, usage=usage))

    def _say(self, words: str) -> None:
        if words != self._words:
            self._words = words
            self._publish(FiguresWay(engine=self._engine, words=words))


class _Samples:
    """The samples before, of one way: two clocks are never mixed."""

    def __init__(self) -> None:
        self._before: dict[str, StatsSample] = {}

    def used(self, found: dict[str, StatsSample], known: frozenset[str]) -> dict[str, Usage]:
        """What was used since the samples before; without one, what a single one tells: its memory, and no rate."""
        usage = {i: used for i, sample in found.items() if (used := self._used(i, sample)) is not None}
        self._before = {i: s for i, s in self._before.items() if i in known} | found
        return usage

    def _used(self, container_id: str, sample: StatsSample) -> Usage | None:
        before = self._before.get(container_id)
        if before is not None:
            return usage_between(before, sample)
        limit = sample.memory_limit
        return Usage(cpu=None, memory=sample.memory, memory_limit=limit, received=None, sent=None, at=sample.at)


async def _sample(client: EngineClient, ids: Iterable[str], turn: asyncio.Semaphore) -> dict[str, StatsSample]:
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
    return found
