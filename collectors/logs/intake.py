"""Between the readers, which never wait, and the decoding, which goes on in small slices."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from ..engine.logs import LogDecoder
from ..errors import Malformed
from ..model.logs import LogLine

SLICE = 64 * 1024
"""Bytes decoded at a time, about 2 ms of work: keys and drawing come between."""
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
    """

    def __init__(
        self,
        lines: Callable[[int, list[LogLine]], None],
        skipped: Callable[[int, int], None],
        *,
        backlog: int = BACKLOG,
    ) -> None:
        self._lines = lines
        self._tell_skipped = skipped
        self._most = backlog
        self._queue: deque[tuple[Stream, bytes | None]] = deque()
        self._some = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._skipped: dict[int, int] = {}
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
            self._decode(stream, chunk[at : at + SLICE] if len(chunk) > SLICE else chunk)
            await asyncio.sleep(0)
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
