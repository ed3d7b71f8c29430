"""Between the readers, which never wait, and the decoding, which goes on in small slices."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable

from ..engine.logs import LogDecoder
from ..errors import Malformed
from ..model.logs import LogLine

SLICE = 64 * 1024
"""Bytes decoded at a time, about 2 ms of work: keys and drawing come between."""
REST = 0.03
"""Seconds for which lines stand back after a key: what it does comes first. Half of the time at most."""
BACKLOG = 8 << 20
"""Bytes that may wait to be decoded; what is more is passed over, oldest first, and counted."""


class Stream:
    """One answer of an engine on its way through the intake."""

    def __init__(self, source: int, decoder: LogDecoder, *, droppable: bool) -> None:
        self.source = source
        self.decoder = decoder
        self.droppable = droppable
        self.broken: Malformed | None = None
        self.whole = True
        self.ended = asyncio.Event()
        """All that came of it was decoded."""


class Intake:
    """Chunks of all streams in the order of their arrival, decoded one slice at a time.

    `lines` gets what a slice completes; `skipped` how many lines of a replica were passed over since it was last told.
    `courteous`: a person waits for keys, so that it works half of the time at most, as the machine is loaded now; lines
    that come faster are passed over rather than that the screen stands still.
    """

    def __init__(
        self,
        lines: Callable[[int, list[LogLine]], None],
        skipped: Callable[[int, int], None],
        *,
        backlog: int = BACKLOG,
        courteous: bool = False,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._lines = lines
        self._tell_skipped = skipped
        self._most = backlog
        self._queue: deque[tuple[Stream, bytes | None]] = deque()
        self._some = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._skipped: dict[int, int] = {}
        self._courteous = courteous
        self._now, self._sleep = now, sleep
        self._rests_until = -math.inf
        self.bytes = 0

    def put(self, stream: Stream, chunk: bytes) -> None:
        """More of a stream; never waits."""
        self._queue.append((stream, chunk))
        self.bytes += len(chunk)
        self._some.set()
        if self.bytes > self._most // 2:
            self._room.clear()

    async def room(self) -> None:
        """Return when not much waits: for readers of the past, which can let an engine wait."""
        await self._room.wait()

    async def finish(self, stream: Stream, *, whole: bool) -> None:
        """Return when all of this stream is decoded. Raises Malformed.

        `whole`: it came to its end, so that a last line without a newline is one; else it is a piece of one.
        """
        stream.whole = whole
        self._queue.append((stream, None))
        self._some.set()
        await stream.ended.wait()
        if stream.broken is not None:
            raise stream.broken

    def stand_back(self) -> None:
        """A person waits for something: for a moment, neither decode nor hand over."""
        now = self._now()
        if now >= self._rests_until + REST:
            self._rests_until = now + REST

    async def turn(self, worked: float = 0.0) -> None:
        """Return when lines have their turn again: others have had theirs, for as long as was `worked`."""
        await self._sleep(max(worked if self._courteous else 0.0, self._rests_until - self._now()))

    async def run(self) -> None:
        """Decode for ever."""
        while True:
            await self._some.wait()
            self._some.clear()
            while self._queue:
                await self._one(*self._queue.popleft())
            self._tell()

    async def _one(self, stream: Stream, chunk: bytes | None) -> None:
        if chunk is None:
            if stream.broken is None and stream.whole:
                self._lines(stream.source, stream.decoder.end())
            stream.ended.set()
            return
        for at in range(0, len(chunk), SLICE):
            began = self._now()
            self._decode(stream, chunk[at : at + SLICE] if len(chunk) > SLICE else chunk)
            await self.turn(self._now() - began)
        self.bytes -= len(chunk)
        if self.bytes <= self._most // 2:
            self._room.set()
            self._tell()

    def _decode(self, stream: Stream, piece: bytes) -> None:
        if stream.broken is not None:
            return
        if stream.droppable and self.bytes > self._most:
            self._skipped[stream.source] = self._skipped.get(stream.source, 0) + stream.decoder.skip(piece)
            return
        try:
            self._lines(stream.source, stream.decoder.feed(piece))
        except Malformed as error:
            stream.broken = error

    def _tell(self) -> None:
        skipped, self._skipped = self._skipped, {}
        for source, count in skipped.items():
            self._tell_skipped(source, count)
