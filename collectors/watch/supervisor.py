"""One engine, watched: connect, read, follow, and come back by itself when the way breaks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

from ..address import EngineAddress
from ..clock import Clock
from ..engine.client import EngineClient
from ..errors import ConnectionLost, EngineError, Rejected, TimedOut, Unsupported
from ..links import HandshakeGate, link_to
from ..links.base import Endpoint, Link, UnixEndpoint
from ..model import (
    Change,
    Confirmed,
    EngineEvent,
    EngineInfo,
    EngineSeen,
    GapSeen,
    LinkChanged,
    LinkPhase,
    LinkStatus,
)
from .backoff import Backoff
from .events import EventStream
from .interest import Interest
from .listing import ContainerList
from .pace import Pacer
from .swarm import Clusters, SwarmReader
from .usage import AT_ONCE, UsageReader

_log = logging.getLogger(__name__)

PING = 8.0
RELIST = 60.0
OPEN_DEADLINE = 30.0
"""Seconds for a whole SSH way with its jumps; every single step has its own, shorter one."""


class EngineWatch:
    """The supervisor of one engine. Everything it learns goes out through `publish`; it never raises for an engine."""

    def __init__(
        self,
        address: EngineAddress,
        *,
        publish: Callable[[Change], None],
        second_address: Callable[[], bool],
        gate: HandshakeGate,
        clusters: Clusters,
        interest: Interest,
        read_only: bool,
        clock: Clock,
    ) -> None:
        self.address = address
        self.client: EngineClient | None = None
        self.endpoint: Endpoint | None = None
        self.answered = asyncio.Event()
        """Set once the engine has been listed, or has failed."""
        self._publish = publish
        self._second_address = second_address
        self._gate = gate
        self._read_only = read_only
        self._clock = clock
        self._backoff = Backoff()
        self._retry = asyncio.Event()
        self._status = LinkStatus(since=clock.monotonic())
        self._info: EngineInfo | None = None
        self._lost_at: float | None = None
        self._list = ContainerList(address.name, publish, clock)
        self._events = EventStream(address.name, publish, clock)
        self._swarm = SwarmReader(address.name, clusters, publish, clock)
        self._usage = UsageReader(address.name, interest, self._list, publish, clock)

    async def run(self) -> None:
        """Watch until cancelled."""
        try:
            while True:
                error = await self._attempt()
                await self._wait(error)
        finally:
            self._say(phase=LinkPhase.CLOSED, error=None, retry_at=None)

    def retry(self) -> None:
        """Do not wait for the next attempt: try now."""
        self._backoff.reset()
        self._retry.set()

    def refresh(self, container_id: str) -> None:
        """Read one container again now, where the engine can be reached."""
        if self.client is not None:
            self._list.changed(container_id)

    # -- one attempt

    async def _attempt(self) -> EngineError:
        self._say(phase=LinkPhase.CONNECTING, retry_at=None)
        link = link_to(self.address, gate=self._gate)
        try:
            await self._serve(link)
        except EngineError as error:
            return error
        except Exception as error:
            return self._explain(error)
        finally:
            self.client = self.endpoint = None
            self.answered.set()
            await link.close()
        return ConnectionLost(f"The way to {self.address.name} ended.")

    def _explain(self, error: Exception) -> EngineError:
        """The engine's error inside a group; what is none is a fault of ours, which must not stop the other engines."""
        found = first_engine_error(error)
        if found is not None:
            return found
        _log.error("watching %s stumbled", self.address.name, exc_info=error)
        return EngineError(
            f"fleettop itself stumbled over {self.address.name}: {type(error).__name__}.",
            hint="The other engines go on and this one is tried again; please report it with the log.",
        )

    async def _serve(self, link: Link) -> None:
        endpoint = await self._open(link)
        client = EngineClient(endpoint, engine=self.address.name, read_only=self._read_only, clock=self._clock)
        try:
            await client.negotiate()
            self._info = await client.info()
            self._say(
                phase=LinkPhase.UP, route=link.route, insecure=link.insecure, error=None, latency=await client.ping()
            )
            self._publish(EngineSeen(engine=self.address.name, info=self._info))
            self.client, self.endpoint = client, endpoint
            self._backoff.reset()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._end_with(link))
                group.create_task(self._ping(client))
                if self._second_address():
                    await self._stand_by()
                else:
                    await self._read(client, self._info, group)
        finally:
            await client.close()

    async def _open(self, link: Link) -> Endpoint:
        try:
            async with asyncio.timeout(OPEN_DEADLINE):
                return await link.open()
        except TimeoutError as error:
            raise TimedOut(f"No way to {self.address.name} within {OPEN_DEADLINE:.0f} s.") from error

    async def _read(self, client: EngineClient, info: EngineInfo, group: asyncio.TaskGroup) -> None:
        differences = await self._list.read_all(client)
        self.answered.set()
        complete = await self._events.replay(client, until=self._clock.now() + timedelta(seconds=info.skew or 0))
        self._close_gap(complete, differences)
        group.create_task(self._events.read(client, filtered=info.kind == "docker"))
        group.create_task(self._events.deliver(self._on_container, self._swarm.changed))
        group.create_task(self._list.follow(client))
        group.create_task(self._keep(client))
        group.create_task(self._usage.read(client, samples_at_once(self.endpoint)))
        if info.swarm is not None and info.swarm.manager:
            group.create_task(self._read_swarm(client, info.swarm.cluster_id))

    async def _stand_by(self) -> None:
        """This is a second address of an engine that is read already: keep the way open, ask for nothing."""
        self.answered.set()
        while self._second_address():  # noqa: ASYNC110 - as rarely as the pings that keep this way open
            await asyncio.sleep(PING)
        raise ConnectionLost(f"The first address of {self.address.name} is gone: this one takes over.")

    async def _end_with(self, link: Link) -> None:
        await link.lost()
        raise ConnectionLost(f"The connection to {self.address.name} broke.")

    async def _ping(self, client: EngineClient) -> None:
        pacer = Pacer(PING, self._clock)
        while True:
            await asyncio.sleep(pacer.pause)
            pacer.begin()
            latency = await client.ping()
            self._publish(Confirmed(engine=self.address.name, at=self._clock.monotonic(), latency=latency))

    async def _keep(self, client: EngineClient) -> None:
        """Details first, then everything again every minute: the safety net under the events."""
        await self._list.fill_in(client)
        pacer = Pacer(RELIST, self._clock)
        while True:
            await asyncio.sleep(pacer.pause)
            pacer.begin()
            await self._list.read_all(client)
            info = await client.info()
            self._publish(EngineSeen(engine=self.address.name, info=info))
            if self._list.contradicts(info):
                await self._list.inspect(client, tuple(self._list.known))
            else:
                await self._list.fill_in(client)

    async def _read_swarm(self, client: EngineClient, cluster_id: str) -> None:
        try:
            await self._swarm.read(client, cluster_id)
        except (Rejected, Unsupported):
            return  # no longer a manager: the next `/info` says so, and containers are unaffected

    def _on_container(self, event: EngineEvent) -> None:
        self._list.changed(event.id)

    # -- between attempts

    async def _wait(self, error: EngineError) -> None:
        pause = self._backoff.next(error)
        now = self._clock.monotonic()
        if self._status.phase is LinkPhase.UP and self._lost_at is None:
            self._open_gap(error)
        self._say(phase=LinkPhase.DOWN, error=error, retry_at=now + pause, attempts=self._backoff.attempts)
        self._retry.clear()
        try:
            async with asyncio.timeout(pause):
                await self._retry.wait()
        except TimeoutError:
            pass

    def _open_gap(self, error: EngineError) -> None:
        self._lost_at = self._clock.monotonic()
        self._gap_begin = self._clock.now()
        self._gap_cause = f"link lost, {error.word}"
        self._publish(
            GapSeen(engine=self.address.name, begin=self._gap_begin, end=None, cause=self._gap_cause, certain=True)
        )

    def _close_gap(self, complete: bool, differences: tuple[str, ...]) -> None:
        if self._lost_at is None:
            return
        self._lost_at = None
        cause = self._gap_cause
        if complete:
            cause += "; the engine remembered all of it"
        self._publish(
            GapSeen(
                engine=self.address.name,
                begin=self._gap_begin,
                end=self._gap_begin if complete else self._clock.now(),
                cause=cause,
                certain=not complete,
                differences=differences,
            )
        )

    def _say(
        self,
        *,
        phase: LinkPhase,
        route: str | None = None,
        insecure: bool | None = None,
        error: EngineError | None = None,
        latency: float | None = None,
        attempts: int | None = None,
        retry_at: float | None = None,
    ) -> None:
        before = self._status
        still_down = before.phase in (LinkPhase.DOWN, LinkPhase.CONNECTING) and phase is not LinkPhase.UP
        self._status = LinkStatus(
            phase=phase,
            since=before.since if still_down else self._clock.monotonic(),
            route=before.route if route is None else route,
            insecure=before.insecure if insecure is None else insecure,
            error=error or (before.error if phase is LinkPhase.CONNECTING else None),
            latency=latency,
            attempts=before.attempts if attempts is None else attempts,
            retry_at=retry_at,
        )
        self._publish(LinkChanged(engine=self.address.name, link=self._status))


def samples_at_once(endpoint: Endpoint | None) -> int:
    """As many as the sampler likes; where connections are few, half of them, so that nothing else waits for samples."""
    few = endpoint.connections if isinstance(endpoint, UnixEndpoint) else 0
    return max(1, few // 2) if few else AT_ONCE


def first_engine_error(error: BaseException) -> EngineError | None:
    """The error to show of those that ended an attempt: the first one found in the group, depth first."""
    if isinstance(error, EngineError):
        return error
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            if (found := first_engine_error(inner)) is not None:
                return found
    return None
