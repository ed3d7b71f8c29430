"""A fleet being watched: what the dashboard and the command line open, look at, and close."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cached_property, partial
from types import TracebackType
from typing import TYPE_CHECKING

from .address import EngineAddress
from .clock import Clock, SystemClock
from .errors import EngineError, Unreachable
from .fleet.fleet import Fleet
from .instance import VERSION, this_instance
from .keeping import Keeping
from .model import Change, Confirmed, ContainerKey, UsageSeen, WordsSeen
from .services.places import ServiceRule
from .trail import OpenTrail
from .trail.keeper import Keeper
from .watch.interest import Interest

if TYPE_CHECKING:
    from .engine.client import EngineClient
    from .links.base import Endpoint
    from .watch.supervisor import EngineWatch

WORDS = 12
"""Lines read of a dead container's log."""
WORDS_EVERY = 0.25
WORDS_AGAIN = 5.0


class Session:
    """Watches every engine while it is open: `async with Session(addresses) as session: … session.fleet …`."""

    def __init__(
        self,
        addresses: Sequence[EngineAddress],
        *,
        rules: Sequence[ServiceRule] = (),
        read_only: bool = False,
        declared_by: Sequence[str] = (),
        clock: Clock | None = None,
        open_trail: OpenTrail | None = None,
    ) -> None:
        self.clock = clock or SystemClock()
        self.read_only = read_only
        self.instance = this_instance()
        self.fleet = Fleet(
            addresses, rules=rules, clock=self.clock, instance=self.instance.name, declared_by=declared_by
        )
        self.on_told: Callable[[Change], None] | None = None
        """Called with all that the engines' watchers tell, in its order."""
        self.keeping: Keeping | None = None
        """The trail that lasts; None: what is recorded is forgotten with this session."""
        if open_trail is not None:
            opened = partial(open_trail, self.instance.name)
            keeper = Keeper(opened, instance=self.instance.name, clock=self.clock, tidy=open_trail.tidy)
            self.keeping = Keeping(keeper, self.fleet, instance=self.instance, clock=self.clock)
        self.interest = Interest()
        self._addresses = tuple(addresses)
        self._stirred = asyncio.Event()
        """Something was told since last words were looked for."""
        self._stirred.set()
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[None]] = []
        self._keeping: list[asyncio.Task[None]] = []

    @cached_property
    def _watches(self) -> Mapping[str, EngineWatch]:
        """Who watches each engine. What that takes is loaded here: the dashboard's first screen stands without it."""
        from .links import HandshakeGate
        from .watch.supervisor import EngineWatch
        from .watch.swarm import Clusters

        gate, clusters = HandshakeGate(), Clusters()
        return {
            address.name: EngineWatch(
                address,
                publish=self._take,
                first_address=lambda name=address.name: self._watches.get(self.fleet.engines[name].same_as),  # type: ignore[misc]
                other_addresses=lambda name=address.name: self._other_addresses(name),  # type: ignore[misc]
                gate=gate,
                clusters=clusters,
                interest=self.interest,
                read_only=self.read_only,
                clock=self.clock,
                past=self.keeping,
            )
            for address in self._addresses
        }

    def _other_addresses(self, name: str) -> list[EngineWatch]:
        """The second addresses of the engine that is counted under this name."""
        return [watch for other, watch in self._watches.items() if self.fleet.engines[other].same_as == name]

    async def __aenter__(self) -> Session:
        """Start watching; returns at once."""
        await self._group.__aenter__()
        if self.keeping is not None:
            self._keeping = [
                self._group.create_task(self._open_trail(self.keeping)),
                self._group.create_task(self.keeping.keeper.run()),
            ]
        self.resume()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop watching and let go of every link."""
        await self.suspend()
        if self.keeping is not None:
            self.keeping.end()
        for task in self._keeping:
            task.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)
        if self.keeping is not None:
            await self.keeping.keeper.close()
        await self._group.__aexit__(kind, error, trace)

    async def _open_trail(self, keeping: Keeping) -> None:
        await keeping.read_past()
        keeping.begin(VERSION)

    async def kept(self) -> None:
        """Return when all that was recorded so far survives a power cut. Raises TrailError where it does not."""
        if self.keeping is not None:
            await self.keeping.keeper.flush()

    async def suspend(self) -> None:
        """Let go of every engine, so that none has to wait for a stopped process to take its events."""
        tasks, self._tasks = self._tasks, []
        if tasks and self.keeping is not None:
            self.keeping.mark(self._watches.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def resume(self) -> None:
        """Watch (again); what happened meanwhile is told as a gap."""
        if not self._tasks:
            self._tasks = [self._group.create_task(watch.run()) for watch in self._watches.values()]
            self._tasks.append(self._group.create_task(self._read_words()))
            if self.keeping is not None:
                self._tasks.append(self._group.create_task(self.keeping.keep_marks(self._watches)))
                self._tasks.append(self._group.create_task(self.keeping.downtimes.keep()))
            if any(address.correlate for address in self._addresses):
                from .watch.logins import read_logins

                self._tasks.append(self._group.create_task(read_logins(self.fleet, self._watches)))

    async def settled(self, deadline: float) -> None:
        """Return when every engine has answered or failed, or after `deadline` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(deadline):
                for watch in self._watches.values():
                    await watch.answered.wait()

    def client(self, engine: str) -> EngineClient | None:
        """The way to ask an engine; None while it cannot be reached."""
        watch = self._watches.get(engine)
        return watch.client if watch else None

    def endpoint(self, engine: str) -> Endpoint | None:
        """Where an engine can be dialled; None while it cannot be reached."""
        watch = self._watches.get(engine)
        return watch.endpoint if watch else None

    async def log_sizes(self, engine: str, ids: Sequence[str]) -> Mapping[str, int]:
        """Bytes of the logs of these containers, by id, where its host can be read; never raises for that host."""
        watch = self._watches.get(engine)
        return await watch.log_sizes(ids) if watch else {}

    def certificates(self, engine: str) -> tuple[datetime | None, datetime | None]:
        """When the engine's certificate and ours end; None: none was shown."""
        watch = self._watches.get(engine)
        return watch.certificates if watch else (None, None)

    def retry(self, engines: Iterable[str] | None = None) -> None:
        """Try these engines (all, by default) now instead of when their wait is over."""
        for name in self._watches if engines is None else engines:
            self._watches[name].retry()

    def refresh(self, key: ContainerKey) -> None:
        """Read one container again soon, since a person looks at it."""
        watch = self._watches.get(key.engine)
        if watch is not None:
            watch.refresh(key.id)

    def _take(self, change: Change) -> None:
        self.fleet.apply(change)
        if not isinstance(change, UsageSeen | Confirmed):
            self._stirred.set()
        if self.on_told is not None:
            self.on_told(change)

    async def _read_words(self) -> None:
        """Fetch the last words of dead replicas that the stories ask for."""
        reading: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while True:
                await self._stirred.wait()
                self._stirred.clear()
                await asyncio.sleep(WORDS_EVERY)
                by_engine: defaultdict[str, list[ContainerKey]] = defaultdict(list)
                for key in self.fleet.wanted_words:
                    if self.client(key.engine) is not None:
                        by_engine[key.engine].append(key)
                for engine, keys in by_engine.items():
                    if engine not in reading or reading[engine].done():  # a frozen engine holds up no other's
                        reading[engine] = group.create_task(self._read_words_of(engine, keys))

    async def _read_words_of(self, engine: str, keys: Sequence[ContainerKey]) -> None:
        for key in keys:
            watch = self._watches[engine]
            await watch.way.free()
            client = watch.client
            if client is None:
                return
            lines: tuple[str, ...] = ()
            try:
                lines = await client.tail(key.id, WORDS)
            except Unreachable:
                await asyncio.sleep(WORDS_AGAIN)
                self._stirred.set()
                return  # asked for again
            except EngineError:
                pass  # no words is an answer too: they are not asked for again
            self._take(WordsSeen(engine=engine, id=key.id, lines=lines))
