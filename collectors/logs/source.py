"""One replica's log: read to its end, then followed, through restarts and lost links, each line once."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import asynccontextmanager
from operator import attrgetter
from typing import TYPE_CHECKING

from ..engine.client import EngineClient
from ..engine.logs import LogDecoder
from ..errors import EngineError, NotAnswering, Rejected, Unreachable
from ..model import Container, ContainerState
from ..model.logs import LogLine
from .intake import Stream
from .members import Member
from .unreadable import is_unreadable, unreadable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .feed import LogFeed

OVERLAP = 50_000_000
"""Nanoseconds read again where a stream is taken up again; what is known of them is dropped."""
COARSE = 1_000_000_000
"""Nanoseconds that a line may be younger than its time says: Podman keeps nanoseconds and tells seconds."""
REMEMBERED = 1_024
"""Lines compared with what is read again. Where more were said in `OVERLAP`, less is read again."""
LOOK = 0.25
"""Seconds between two looks at whether a container runs, or its engine is back."""
SILENCE = 15.0
"""Seconds without a byte of the past after which its engine is given up."""
AGAIN, LONGEST = 0.5, 5.0
"""Seconds before a stream that ended at once is asked for again, doubling."""
TURN = 2.0
"""Seconds between two readings of a replica for which there is no stream."""

_time = attrgetter("time")


class Source:
    """Reads one container for a feed. `number` is what its lines carry."""

    def __init__(self, number: int, member: Member, feed: LogFeed, *, whole: bool) -> None:
        self.number = number
        self.member = member
        self.count = 0
        self.followed = False
        """A stream of its own brings its lines as they come."""
        self.opened = False
        """Its past is being read, or was."""
        self.read = False
        """Its past was read once."""
        self._feed = feed
        self._whole = whole
        """It came after the beginning: all of it is read, whatever was asked of the others."""
        self._known: deque[LogLine] = deque(maxlen=REMEMBERED)
        self._again_until = 0
        self._again: Counter[tuple[int, int, bytes]] = Counter()
        """Lines that may be sent again, and how often they were there."""
        self._newest: int | None = None
        self._ahead = 0
        self._pause = AGAIN
        self._ended = False
        """A stream of it ended: when it is followed again it was started again."""

    @property
    def label(self) -> str:
        """What stands in front of its lines."""
        return self.member.name

    @property
    def container(self) -> Container | None:
        """As the fleet knows it now."""
        return self._feed.session.fleet.containers.get(self.member.key)

    # -- lines

    def fresh(self, lines: Sequence[LogLine]) -> Sequence[LogLine]:
        """Those of the lines that were not there before."""
        if self._again:
            lines = [line for line in lines if not self._had(line)]
        head = self._feed.span.head
        if head is not None:
            lines = lines[: max(0, head - self.count)]
        if not lines:
            return lines
        self.count += len(lines)
        self._known.extend(lines)
        newest = max(map(_time, lines))
        self._newest = newest if self._newest is None else max(self._newest, newest)
        self._pause = AGAIN
        return lines

    def _had(self, line: LogLine) -> bool:
        what = (line.time, line.stream, line.data)
        if line.time > self._again_until or not self._again[what]:
            return False
        self._again[what] -= 1
        return True

    @property
    def full(self) -> bool:
        """As many lines were read as were asked for."""
        head = self._feed.span.head
        return head is not None and self.count >= head

    # -- life

    async def run(self) -> None:
        """Read until there is nothing more to come: it is gone, or nothing is followed."""
        feed = self._feed
        merge = feed.merge
        merge.begin(self.number)
        try:
            while True:
                try:
                    client = feed.session.client(self.member.key.engine)
                    if client is None:
                        raise Unreachable(f"{self.member.key.engine} cannot be reached.")
                    await self._past(client)
                    if not feed.follow:
                        return
                    await self._present(client)
                except Unreachable as error:  # the feed says that the engine is lost, once for all its replicas
                    if not feed.follow:
                        feed.failed(self, error)
                        return
                    merge.end(self.number)
                    await self._link_back()
                except EngineError as error:
                    feed.failed(self, await self._why(error))
                    if not feed.follow or not await self._next_life():
                        return
                if self._gone():
                    feed.say(f"{self.member.full_name} on {self.member.key.engine} is gone.")
                    return
                merge.begin(self.number)
        finally:
            self.followed = False
            self.read = True
            merge.end(self.number)

    async def _why(self, error: EngineError) -> EngineError:
        """The error, or what it comes to where the container's log driver is one that cannot be read."""
        client = self._feed.session.client(self.member.key.engine)
        if not isinstance(error, Rejected) or not is_unreadable(error) or client is None:
            return error
        try:
            return unreadable(await client.raw_inspect(self.member.key.id))
        except EngineError:
            return unreadable(None)

    async def _past(self, client: EngineClient) -> None:
        """Everything that is there now, from where it was left."""
        async with self._feed.slots(self.member.key.engine).past:
            self.opened = True
            async with self._output(client, follow=False) as (stream, chunks):
                await self._read_chunks(stream, chunks)
        self.read = True
        self._feed.merge.caught_up(self.number)

    async def _read_chunks(self, stream: Stream, chunks: AsyncIterator[bytes]) -> None:
        intake = self._feed.intake
        while True:
            await self._feed.turn(self.number)
            await intake.room()
            try:
                async with asyncio.timeout(SILENCE):
                    chunk = await anext(chunks, b"")
            except TimeoutError as error:
                engine = self.member.key.engine
                raise NotAnswering(f"{engine} stopped sending the log of {self.member.full_name}.") from error
            if not chunk or self.full:
                break
            intake.put(stream, chunk)
        await intake.finish(stream, whole=not self.full)

    async def _present(self, client: EngineClient) -> None:
        """What it says from now on, until it ends, or for a while where there is no stream for it."""
        if not self._runs():
            self._feed.stopped(self)
            await self._started()
            return
        slots = self._feed.slots(self.member.key.engine)
        if slots.live.locked():
            self._feed.not_followed(self)
            await asyncio.sleep(TURN)
            return
        async with slots.live, self._output(client, follow=True) as (stream, chunks):
            self.followed = True
            if self._ended:
                self._feed.say(f"{self.member.full_name} on {self.member.key.engine} runs again.")
                self._ended = False
            try:
                async for chunk in chunks:
                    self._feed.intake.put(stream, chunk)
            except EngineError:
                await self._feed.intake.finish(stream, whole=False)
                raise
            finally:
                self.followed = False
            await self._feed.intake.finish(stream, whole=True)
        self._ended = True
        await asyncio.sleep(self._pause)
        self._pause = min(LONGEST, self._pause * 2)

    @asynccontextmanager
    async def _output(
        self, client: EngineClient, *, follow: bool
    ) -> AsyncIterator[tuple[Stream, AsyncIterator[bytes]]]:
        span = self._feed.span
        before, self._ahead = self._ahead, self._feed.ahead(self.member.key.engine)
        since, tail = span.since, span.tail
        if self._whole:
            since, tail = None, self._feed.most
        if self._newest is not None:
            since, tail = self._take_up(self._newest, before - self._ahead), None
        async with client.logs(
            self.member.key.id,
            follow=follow,
            since=None if since is None else since + self._ahead,
            until=None if span.until is None or follow else span.until + self._ahead,
            tail=tail,
        ) as output:
            if output is None:
                raise Rejected(f"{self.member.full_name} is gone from {self.member.key.engine}.", status=404)
            decoder = LogDecoder(source=self.number, ahead=self._ahead, multiplexed=output.multiplexed)
            yield Stream(self.number, decoder, droppable=follow), output.chunks

    def _take_up(self, newest: int, shift: int) -> int:
        """From where to read again, remembering what is known from there on; all times are another by `shift` now."""
        known = self._known
        since = newest - OVERLAP
        if len(known) == REMEMBERED:
            since = max(since, known[0].time + 1)
        remembered = since - COARSE
        self._again = Counter((line.time + shift, line.stream, line.data) for line in known if line.time >= remembered)
        self._newest = self._again_until = newest + shift
        return since + shift

    # -- waiting

    def _runs(self) -> bool:
        container = self.container
        return container is not None and container.state in (ContainerState.RUNNING, ContainerState.PAUSED)

    def _gone(self) -> bool:
        """Its engine, which can be reached, has it no more."""
        return self.container is None and self._feed.session.client(self.member.key.engine) is not None

    async def _started(self) -> None:
        """Return when it runs again, or is gone, or its engine is."""
        self._feed.merge.end(self.number)
        self._ended = True
        while not self._runs() and not self._gone():  # noqa: ASYNC110 - the fleet has one listener, the bridge
            await asyncio.sleep(LOOK)

    async def _link_back(self) -> None:
        before = self._feed.session.client(self.member.key.engine)
        if before is not None:
            await asyncio.sleep(self._pause)
            self._pause = min(LONGEST, self._pause * 2)
            return
        while self._feed.session.client(self.member.key.engine) is None:  # noqa: ASYNC110
            await asyncio.sleep(LOOK)

    async def _next_life(self) -> bool:
        """After what trying again does not help: wait for it to start anew. False: it is gone."""
        self._feed.merge.end(self.number)
        life = _life(self.container)
        while not self._gone():
            await asyncio.sleep(LOOK)
            if _life(self.container) != life:
                return True
        return False


def _life(container: Container | None) -> object:
    if container is None:
        return None
    return (container.state, container.detail.started_at if container.detail else None)
