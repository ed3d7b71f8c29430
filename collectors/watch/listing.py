"""Keeping the list of one engine's containers true: list once, then follow what the events name."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple, TypeVar

import msgspec

from ..clock import Clock
from ..engine.client import EngineClient
from ..engine.decode import Listing
from ..errors import EngineError, Malformed, NotAnswering, Rejected
from ..model import Change, Container, ContainersSeen, ContainerState, EngineEvent, EngineInfo, Health, Listed
from ..model.parts import with_parts_of
from .pace import Coalescer, Way

COALESCE = 0.05
INSPECTS_AT_ONCE = 4
BACKGROUND_BATCH = 10
BACKGROUND_PAUSE = 0.2

T = TypeVar("T")


class Early(NamedTuple):
    """A list that was asked for before it was known whose it is."""

    now: datetime
    at: float
    """The same moment, monotonic."""
    answer: asyncio.Task[Listing | EngineError]

    async def listing(self) -> Listing:
        """The list. Raises an EngineError."""
        told = await self.answer
        if isinstance(told, EngineError):
            raise told
        return told


class ContainerList:
    """The containers of one engine, as last read. Survives reconnects, so that what changed meanwhile can be told."""

    def __init__(self, engine: str, publish: Callable[[Change], None], clock: Clock) -> None:
        self.engine = engine
        self.known: dict[str, Container] = {}
        self.way = Way(clock)
        self.early: Early | None = None
        """A list that was asked for and not taken yet."""
        self.answered_at = float("-inf")
        """Monotonic time of the last answer to any of the questions here."""
        self._publish = publish
        self._clock = clock
        self._dirty = Coalescer(COALESCE, clock)
        self._doubted: set[str] = set()
        self._refused: set[str] = set()
        """Their last inspect made no sense, or was not answered."""
        self._given_up: set[str] = set()
        """Of those, the ones not asked for again before the next list."""
        self._meanwhile: set[str] = set()
        self._asking: frozenset[str] = frozenset()
        """Those that events named and that are being inspected."""
        self._turns = {False: asyncio.Semaphore(INSPECTS_AT_ONCE), True: asyncio.Semaphore(1)}

    @property
    def in_trouble(self) -> bool:
        """Whether any container was unhealthy, in a loop of restarts or failed, as far as is known."""
        return any(map(_in_trouble, self.known.values()))

    def changed(self, container_id: str) -> None:
        """An event names this container: read it again soon."""
        self._dirty.add(container_id)

    def named(self, event: EngineEvent) -> None:
        """An event of whenever: what it names is read again soon, where that is a container."""
        if event.type == "container" or event.id in self.known:  # a swarm connects more than containers
            self.changed(event.id)

    def heard(self, event: EngineEvent) -> None:
        """An event of now, in its order: what it does not tell itself is read again soon."""
        known = self.known.get(event.id)
        after = None if known is None or self.waits(event.id) else told_whole(known, event)
        if after is None:
            self.named(event)
            return
        self.known[event.id] = after
        self._meanwhile.add(event.id)
        at = self._clock.monotonic()
        self._publish(ContainersSeen(engine=self.engine, containers=(after,), gone=(), refused=(), at=at))

    def waits(self, container_id: str) -> bool:
        """Whether it is to be read again, or being read."""
        return container_id in self._asking or container_id in self._dirty

    def inherit(self, other: ContainerList) -> None:
        """Go on with what was read of the same engine over another address."""
        self.known = {i: msgspec.structs.replace(c, engine=self.engine) for i, c in other.known.items()}
        self._refused = set(other._refused)

    def doubt(self) -> None:
        """Events were missed: details are read again even where the list shows nothing new (a restart looks so)."""
        self._doubted = set(self.known)

    async def read_all(self, client: EngineClient) -> tuple[str, ...]:
        """List everything, publish it, and tell in words what differs from the list before."""
        early, self.early = self.early, None
        at = self._clock.monotonic() if early is None else early.at
        if early is None:
            self._meanwhile.clear()
        listing = await (self._ask(client) if early is None else early.listing())
        before = self.known
        self.answered_at = self._clock.monotonic()
        self._given_up.clear()
        refused = frozenset(listing.refused)
        fresh = {row.id: _renewed(row, before.get(row.id)) for row in listing.containers}
        for container_id in self._meanwhile:
            # Inspected while the list was on its way: which of the two is older is not known, so it is read once more.
            fresh.pop(container_id, None)
            if container_id in before:
                fresh[container_id] = before[container_id]
            self.changed(container_id)
        self.known = {**{i: c for i, c in before.items() if i in refused}, **fresh}
        self._refused &= self.known.keys()
        doubtful = (*listing.refused, *sorted(self._refused - refused))
        self._publish(Listed(engine=self.engine, containers=tuple(fresh.values()), refused=doubtful, at=at))
        return differences(before, self.known) if before else ()

    def ask_early(self, client: EngineClient, group: asyncio.TaskGroup) -> None:
        """Ask for the list now; the next `read_all` takes it."""
        self._meanwhile.clear()
        self.early = Early(self._clock.now(), self._clock.monotonic(), group.create_task(self._told(client)))

    async def beside(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer to what is asked while a list that was asked for early comes in.

        Over a narrow way all of that list can stand before it (an SSH connection carries its bytes in order), for
        longer than the deadline: it is asked again then, once the list is here. Raises an EngineError.
        """
        try:
            return await ask()
        except NotAnswering:
            if self.early is None or self.early.answer.done():
                raise
            await self.early.listing()
            return await ask()

    async def _told(self, client: EngineClient) -> Listing | EngineError:
        try:
            return await self._ask(client)
        except EngineError as error:
            return error

    async def _ask(self, client: EngineClient) -> Listing:
        async with self.way.alone():
            return await client.list_containers()

    async def inspect(self, client: EngineClient, ids: Iterable[str]) -> None:
        """Inspect these, a few at a time, and publish what was found. One that vanished is simply gone (no error).

        One whose answer makes no sense keeps its old reading, which is stale then, and hides none of the others. So
        does one of which the engine says nothing while it answers a ping: it holds a container while it starts it, and
        an inspect waits for that (seen on Docker 26: 10 s and more on a host that had much to do).
        """
        at = self._clock.monotonic()
        ids = tuple(ids)
        found: dict[str, Container | None] = {}
        refused: list[str] = []

        async def one(container_id: str) -> None:
            async with self._turns[self.way.narrow]:
                await self.way.free()
                try:
                    found[container_id] = await client.inspect(container_id)
                except (Malformed, Rejected):
                    refused.append(container_id)
                except NotAnswering:
                    await client.ping()  # raises where it is the engine that is silent
                    refused.append(container_id)
                self.answered_at = self._clock.monotonic()

        if len(ids) == 1:
            await one(ids[0])
        else:
            async with asyncio.TaskGroup() as group:
                for container_id in ids:
                    group.create_task(one(container_id))
        self._meanwhile.update(found)
        self._doubted.difference_update(found)
        self._refused.difference_update(found)
        self._refused.update(refused)
        self._given_up.difference_update(found)
        self._given_up.update(refused)
        seen = tuple(with_parts_of(self.known.get(c.id), c) for c in found.values() if c is not None)
        gone = tuple(container_id for container_id, container in found.items() if container is None)
        for container in seen:
            self.known[container.id] = container
        for container_id in gone:
            self.known.pop(container_id, None)
        if seen or gone or refused:
            told = ContainersSeen(engine=self.engine, containers=seen, gone=gone, refused=tuple(refused), at=at)
            self._publish(told)

    async def follow(self, client: EngineClient) -> None:
        """Read again what the events name, for ever.

        An inspect and not a filtered listing: it costs the engine the same (0.4 ms), and the list can lie after a
        failed restart while inspect does not (seen on dockerd 20.10 with a full disk).
        """
        while True:
            self._asking = await self._dirty.take()
            await self.inspect(client, self._asking)
            self._asking = frozenset()

    async def fill_in(self, client: EngineClient) -> None:
        """Inspect what was only listed so far: trouble at once, the rest spread out."""
        await self.inspect(client, self._uninspected(in_trouble))
        while rest := self._uninspected(lambda _: True)[:BACKGROUND_BATCH]:
            await self.inspect(client, rest)
            await asyncio.sleep(BACKGROUND_PAUSE)

    def contradicts(self, info: EngineInfo) -> bool:
        """Whether `/info` counts other containers than the list shows (moby: a restarting one counts as stopped)."""
        if info.kind != "docker" or info.running is None or info.paused is None:
            return False
        states = [container.state for container in self.known.values()]
        return (states.count(ContainerState.RUNNING), states.count(ContainerState.PAUSED)) != (
            info.running,
            info.paused,
        )

    def _uninspected(self, wanted: Callable[[Container], bool]) -> list[str]:
        doubted = self._doubted | self._refused
        return [
            i
            for i, c in self.known.items()
            if (c.detail is None or i in doubted) and i not in self._given_up and wanted(c)
        ]


def in_trouble(container: Container) -> bool:
    """Not plainly running and well: its details matter at once."""
    return container.state is not ContainerState.RUNNING or container.health in (Health.UNHEALTHY, Health.STARTING)


def told_whole(before: Container, event: EngineEvent) -> Container | None:
    """The container after an event that tells all that an inspect would: half a millisecond less for both sides.

    None: it does not, or what was known does not go with it. Whether one with a health check is healthy after a pause
    is not told.
    """
    if event.type != "container" or before.detail is None:
        return None
    if event.action == "pause" and before.state is ContainerState.RUNNING:
        return msgspec.structs.replace(before, state=ContainerState.PAUSED, health=Health.NONE, status="")
    unchecked = not before.detail.health_check
    if event.action == "unpause" and before.state is ContainerState.PAUSED and unchecked:
        return msgspec.structs.replace(before, state=ContainerState.RUNNING, health=Health.NONE, status="")
    return None


def _renewed(row: Container, before: Container | None) -> Container:
    return with_parts_of(before, _with_detail(row, before))


def _with_detail(row: Container, before: Container | None) -> Container:
    """The listed row with the details known from before, where it still is in the same state; that of before where
    nothing is new, so that a list a minute changes nothing in a calm fleet."""
    if before is None or before.detail is None:
        return row
    if (row.state, row.name) != (before.state, before.name) or _restarted(row, before):
        return row
    if before.health is not row.health and row.health is not Health.UNKNOWN:
        return row
    now = msgspec.structs.replace(row, detail=before.detail, health=before.health, mounts=before.mounts or row.mounts)
    return before if _only_older(now, before) else now


def _only_older(now: Container, before: Container) -> bool:
    """Nothing but how long ago its state began, in words: `Up 4 minutes`, `Exited (1) 4 minutes ago`."""
    if now.state is not ContainerState.RUNNING and now.status.partition(")")[0] != before.status.partition(")")[0]:
        return False
    return msgspec.structs.replace(now, status=before.status) == before


def _restarted(row: Container, before: Container) -> bool:
    """The list holds no start time, only `Up 3 seconds`: young words on an old container mean it was started again."""
    return row.status.startswith(("Up Less than", "Up About a minute")) or (
        row.status.startswith("Up ") and " second" in row.status and row.status != before.status
    )


def differences(before: Mapping[str, Container], after: Mapping[str, Container]) -> tuple[str, ...]:
    """What changed between two lists, in words, for the record of a gap."""
    words = [f"{c.name} is gone" for i, c in before.items() if i not in after]
    words += [f"{c.name} is new ({c.state})" for i, c in after.items() if i not in before]
    for container_id, now in after.items():
        then = before.get(container_id)
        if then is None:
            continue
        if then.state is not now.state:
            words.append(f"{now.name}: {then.state} → {now.state}")
        elif then.health is not now.health and Health.UNKNOWN not in (then.health, now.health):
            words.append(f"{now.name}: {then.health} → {now.health}")
    return tuple(words)


def _in_trouble(container: Container) -> bool:
    if container.state is ContainerState.EXITED:
        return bool(container.detail and container.detail.exit_code)
    return container.health is Health.UNHEALTHY or container.state in (ContainerState.RESTARTING, ContainerState.DEAD)
