"""One engine, watched: connect, read, follow, and come back by itself when the way breaks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from ..address import EngineAddress
from ..clock import Clock, nanoseconds
from ..engine.client import EngineClient
from ..errors import ConnectionLost, EngineError, Malformed, NotAnswering, Rejected, Unsupported
from ..figures.logfiles import log_sizes
from ..figures.source import host_figures
from ..links import HandshakeGate, Logins, Turn, link_to, logins_over
from ..links.base import Endpoint, Link, UnixEndpoint
from ..links.tcp import TcpLink
from ..model import (
    Change,
    Container,
    EngineEvent,
    EngineInfo,
    EngineSeen,
    LinkChanged,
    LinkPhase,
    LinkStatus,
)
from .backoff import SILENT, Backoff
from .events import OVERLAP_NS, EventStream
from .gaps import Gaps
from .interest import Interest
from .listing import ContainerList
from .pace import Pacer, Way
from .past import Past
from .pulse import Pulse
from .questions import Questions
from .swarm import CALM, Clusters, SwarmReader
from .usage import UsageReader

_log = logging.getLogger(__name__)

RELIST = 60.0
DEADLINE, LONGEST_DEADLINE = 5.0, 20.0
"""Seconds for an answer to begin. Longer after a list that did not come in while smaller answers did: over SSH the
first 8 kB arrive all at once (`PACKET`), which at 1 kB/s takes 8 s."""
NEAR = 0.05
"""An engine that is greeted in so many seconds is asked for its list and for who it is in one breath. On a slower way
the list might fill it, and the answer behind it come too late."""
STAND_BY = 0.5
"""Seconds in which a second address notices that it is needed."""


class _SecondAddressError(Exception):
    """What is being read is found to be read over another address already."""


class EngineWatch:
    """The supervisor of one engine. Everything it learns goes out through `publish`; it never raises for an engine."""

    def __init__(
        self,
        address: EngineAddress,
        *,
        publish: Callable[[Change], None],
        first_address: Callable[[], EngineWatch | None],
        other_addresses: Callable[[], Iterable[EngineWatch]],
        gate: HandshakeGate,
        clusters: Clusters,
        interest: Interest,
        read_only: bool,
        clock: Clock,
        past: Past | None = None,
    ) -> None:
        self.address = address
        self.client: EngineClient | None = None
        self.endpoint: Endpoint | None = None
        self._link: Link | None = None
        self.answered = asyncio.Event()
        """Set once the engine has been listed, or has failed."""
        self._publish = publish
        self._first_address = first_address
        self._other_addresses = other_addresses
        self._gate = gate
        self._read_only = read_only
        self._clock = clock
        self._backoff = Backoff()
        self._retry = asyncio.Event()
        self._second = asyncio.Event()
        """This is a second address: nothing needs to be read over it."""
        self._status = LinkStatus(since=clock.monotonic())
        self._info: EngineInfo | None = None
        self._members = asyncio.Event()
        """What the engine says of its place in a swarm is another than before."""
        self._deadline = DEADLINE
        self._questions = Questions(address.name, self._known, publish, clock)
        self._list = ContainerList(address.name, self._questions.passing(publish), clock)
        self._events = EventStream(address.name, publish, clock)
        self._gaps = Gaps(address.name, self._events, publish, clock, past)
        self._pulse = Pulse(address, self._list, self._events, self._gaps, publish, clock)
        self._swarm = SwarmReader(address.name, clusters, publish, clock)
        self._usage = UsageReader(address.name, interest, self._list, publish, clock, address.figures_budget)

    @property
    def way(self) -> Way:
        """Who asks what of this engine at the moment."""
        return self._list.way

    async def run(self) -> None:
        """Watch until cancelled. May be called again: what was missed since is a gap then."""
        try:
            if self._gaps.open is not None:
                self._gaps.tell("fleettop was stopped for a while")
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

    @property
    def heard(self) -> datetime | None:
        """Everything said before this moment, on our clock, was heard; None: it is not followed."""
        return self._gaps.heard

    @property
    def newest(self) -> tuple[EngineEvent, ...]:
        """The last events that were heard, newest last."""
        return self._events.newest

    @property
    def certificates(self) -> tuple[datetime | None, datetime | None]:
        """When the engine's certificate and ours end, as they were shown when it was reached; None: there is none."""
        link = self._link
        return (link.expires, link.own_expires) if isinstance(link, TcpLink) else (None, None)

    async def logins(self) -> Logins | None:
        """Who is logged in on the engine's host now; None: not reached over SSH, or nobody asked for that."""
        link = self._link
        return await logins_over(link) if link is not None and self.address.correlate else None

    async def log_sizes(self, ids: Sequence[str]) -> Mapping[str, int]:
        """Bytes of the logs of these containers, as far as they can be read."""
        link, info = self._link, self._info
        return await log_sizes(link, info, ids) if link is not None and info is not None else {}

    def _known(self, container_id: str) -> Container | None:
        return self._list.known.get(container_id)

    # -- one attempt

    async def _attempt(self) -> EngineError:
        self._say(phase=LinkPhase.CONNECTING, retry_at=None)
        turn = Turn(silent=self._backoff.attempts >= SILENT, calm=not self._list.in_trouble)
        link = link_to(self.address, gate=self._gate, turn=turn)
        try:
            await self._serve(link)
        except EngineError as error:
            return error
        except Exception as error:
            return self._explain(error)
        finally:
            self.client = self.endpoint = self._link = None
            self._gaps.end()
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
        endpoint = await link.open()  # each of its steps has a deadline; waiting for its turn at a jump host has none
        client = EngineClient(
            endpoint,
            engine=self.address.name,
            read_only=self._read_only,
            deadline=self._deadline,
            clock=self._clock,
        )
        try:
            began = self._clock.monotonic()
            await client.negotiate()
            async with asyncio.TaskGroup() as group:
                if self._clock.monotonic() - began < NEAR and self._first_address() is None:
                    self._list.ask_early(client, group)
                self._info = await self._who(client)
                self._say(
                    phase=LinkPhase.UP,
                    route=link.route,
                    insecure=link.insecure,
                    error=None,
                    latency=await self._list.beside(client.ping),
                )
                self._publish(EngineSeen(engine=self.address.name, info=self._info))
                self.client, self.endpoint, self._link = client, endpoint, link
                group.create_task(self._end_with(link))
                group.create_task(self._pulse.follow(client, self._notice_second))
                while True:
                    await self._stand_by()
                    await self._read_alone(client, self._info)
        finally:
            self._list.early = None
            await client.close()

    async def _who(self, client: EngineClient) -> EngineInfo:
        """Who the engine is. `/info` alone hangs, for 20 s, when a manager loses its quorum: as it was before, then."""
        try:
            return await self._list.beside(client.info)
        except NotAnswering:
            if self._info is None:
                raise
            await client.ping()
            return self._info

    async def _read_alone(self, client: EngineClient, info: EngineInfo) -> None:
        """Read and follow until this is found to be a second address: by a container that both have, with Podman."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._end_as_second())
                await self._read(client, info, group)
        except* _SecondAddressError:
            self._gaps.stand_by()
            self.answered.set()

    async def _end_as_second(self) -> None:
        self._second.clear()
        await self._second.wait()
        raise _SecondAddressError

    async def _read(self, client: EngineClient, info: EngineInfo, group: asyncio.TaskGroup) -> None:
        skew = timedelta(seconds=info.skew or 0)
        early = self._list.early
        listed = nanoseconds((early.now if early is not None else self._clock.now()) + skew) - OVERLAP_NS
        again = bool(self._list.known)
        heard = early.at if early is not None else self._clock.monotonic()
        try:
            differences = await self._list.read_all(client)
        except NotAnswering:
            self._deadline = min(LONGEST_DEADLINE, 2 * self._deadline)
            raise
        if self._first_address() is not None:
            raise _SecondAddressError
        self._deadline = self._deadline if self._list.way.narrow else DEADLINE
        self._gaps.heard_until(heard)
        self.answered.set()

        def happened(event: EngineEvent) -> None:
            if again or event.time_nano >= listed:  # maybe after the list was made
                self._list.named(event)

        await self._gaps.take_up(info)  # not before the list: what is there now is shown first
        async with self._list.way.alone():  # the past can be long too
            until = self._clock.now() + skew
            heard = self._clock.monotonic()
            complete = await self._events.replay(
                client, until=until, on_container=happened, recall=self._gaps.recall(info)
            )
        if not complete:
            self._list.doubt()
        self._gaps.heard_until(heard)
        self._backoff.reset()
        self._gaps.close(complete, differences, self._list.known)
        self._events.taken_up()
        group.create_task(self._follow_events(client, filtered=info.kind == "docker"))
        group.create_task(self._events.deliver(self._list.heard, self._list.named, self._swarm.changed, self._on_exec))
        group.create_task(self._list.follow(client))
        group.create_task(self._keep(client))
        group.create_task(self._questions.ask(client, self._list.way))
        host = host_figures(self._link, self._clock) if self._link is not None else None
        group.create_task(self._usage.read(client, samples_at_once(self.endpoint), host))
        group.create_task(self._read_swarm(client))

    async def _stand_by(self) -> None:
        """While this is a second address of an engine that is read already: keep the way open, ask for nothing.

        Goes on where another one ended when that is gone.
        """
        while self._first_address() is not None:
            self._list.early = None
            self._backoff.reset()
            self.answered.set()
            await asyncio.sleep(STAND_BY)
        for other in self._other_addresses():
            if other._gaps.open is not None:  # who has it was the last to read the engine
                self._list.inherit(other._list)
                self._events.inherit(other._events)
                self._gaps.open, other._gaps.open = other._gaps.open, None
                self._gaps.tell(f"{other.address.name} lost, this is its second address")

    async def _end_with(self, link: Link) -> None:
        await link.lost()
        raise ConnectionLost(f"The connection to {self.address.name} broke.")

    def _notice_second(self) -> None:
        if self._first_address() is not None:
            self._second.set()

    async def _keep(self, client: EngineClient) -> None:
        """Details first, then everything again every minute: the safety net under the events."""
        await self._list.fill_in(client)
        pacer = Pacer(RELIST, self._clock)
        while True:
            await asyncio.sleep(pacer.pause)
            pacer.begin()
            await self._list.read_all(client)
            info = await self._who(client)
            if self._info is None or info.swarm != self._info.swarm:
                self._members.set()
            self._info = info
            self._publish(EngineSeen(engine=self.address.name, info=info))
            if self._list.contradicts(info):
                await self._list.inspect(client, tuple(self._list.known))
            else:
                await self._list.fill_in(client)

    async def _follow_events(self, client: EngineClient, *, filtered: bool) -> None:
        try:
            await self._events.read(client, filtered=filtered)
        except ConnectionLost:
            if self.address.scheme != "ssh":  # there it is our own end that hangs up, maybe after a long silence
                self._gaps.heard_until(self._clock.monotonic())
            raise

    async def _read_swarm(self, client: EngineClient) -> None:
        """While this is a manager, also from later on."""
        while True:
            self._members.clear()
            swarm = self._info.swarm if self._info is not None else None
            if swarm is None or not swarm.manager:
                await self._members.wait()
                continue
            try:
                await self._swarm.read(client, swarm.cluster_id, self._list.way, self._is_manager)
            except (Rejected, Unsupported, Malformed) as error:  # containers are unaffected
                _log.info("the swarm of %s cannot be read: %s", self.address.name, error)
                await asyncio.sleep(CALM)

    def _is_manager(self) -> bool:
        return self._info is not None and self._info.swarm is not None and self._info.swarm.manager

    def _on_exec(self, event: EngineEvent) -> None:
        container = self._list.known.get(event.id)
        if container is not None and container.detail is None:
            self._list.changed(event.id)  # only an inspect tells whether it is the health check
        self._questions.exec_begun(event)

    # -- between attempts

    async def _wait(self, error: EngineError) -> None:
        pause = self._backoff.next(error)
        now = self._clock.monotonic()
        if self._gaps.open is not None and not self._gaps.open.cause:
            self._gaps.tell(f"link lost, {error.word}")
        self._say(phase=LinkPhase.DOWN, error=error, retry_at=now + pause, attempts=self._backoff.attempts)
        self._retry.clear()
        try:
            async with asyncio.timeout(pause):
                await self._retry.wait()
        except TimeoutError:
            pass

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


def samples_at_once(endpoint: Endpoint | None) -> int | None:
    """None: as many as the sampler likes; where connections are few, half of them: nothing else waits for samples."""
    few = endpoint.connections if isinstance(endpoint, UnixEndpoint) else 0
    return max(1, few // 2) if few else None


def first_engine_error(error: BaseException) -> EngineError | None:
    """The error to show of those that ended an attempt: the first one found in the group, depth first."""
    if isinstance(error, EngineError):
        return error
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            if (found := first_engine_error(inner)) is not None:
                return found
    return None
