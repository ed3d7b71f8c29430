"""Writing lines for a reader that may be slow, without ever making an engine wait for it.

An engine suffers from a reader that stops taking its events (seen on dockerd 20.10: its other calls slowed fifty-fold),
and a pipe into a pager that nobody scrolls stops whoever writes to it. So nothing is written that the stream would not
take at once.
"""

from __future__ import annotations

import asyncio
import os
import select
import stat
from collections import deque
from collections.abc import Callable
from typing import TextIO

AT_ONCE = 512
"""Bytes that a stream which says it can be written to takes without waiting (POSIX: PIPE_BUF is at least this)."""
TO_A_FILE = 64 * 1024
"""Bytes written to a file at a time: that never waits for a reader."""
LIMIT = 10_000
TOGETHER = 100
"""Lines handed to the stream in one go."""


class PatientWriter:
    """Lines on their way to a stream. `put` never waits; `run` writes as fast as the stream takes them."""

    def __init__(self, stream: TextIO, *, dropped: Callable[[int], None], limit: int = LIMIT) -> None:
        self._stream = stream
        self._tell_dropped = dropped
        self._limit = limit
        self._lines: deque[str] = deque()
        self._dropped = 0
        self._wake = asyncio.Event()
        self._closed = False

    def close(self) -> None:
        """Nobody reads any more: what waits and what comes is let go."""
        self._closed = True
        self._lines.clear()

    def put(self, line: str, *, droppable: bool = True) -> None:
        """Write this line when its turn comes; where too many wait already, a droppable one is counted instead."""
        if self._closed:
            return
        if droppable and len(self._lines) >= self._limit:
            self._dropped += 1
            return
        self._lines.append(line)
        self._wake.set()

    async def run(self) -> None:
        """Write for ever. Raises BrokenPipeError when nobody reads any more."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self.drain()

    async def drain(self) -> None:
        """Write all that waits."""
        while self._lines:
            some = [self._lines.popleft() + "\n" for _ in range(min(TOGETHER, len(self._lines)))]
            await self._write("".join(some))
            if self._dropped and not self._lines:
                dropped, self._dropped = self._dropped, 0
                self._tell_dropped(dropped)

    async def _write(self, text: str) -> None:
        try:
            descriptor = self._stream.fileno()
        except (OSError, ValueError):  # held in memory
            self._stream.write(text)
            return
        data = memoryview(text.encode(self._stream.encoding or "utf-8", "backslashreplace"))
        at_once = _at_once(descriptor)
        while data:
            await _writable(descriptor)
            try:
                data = data[os.write(descriptor, data[:at_once]) :]
            except BlockingIOError:
                continue


def _at_once(descriptor: int) -> int:
    """How much it takes without waiting, once it says that it takes something."""
    kind = os.fstat(descriptor).st_mode
    if stat.S_ISREG(kind):
        return TO_A_FILE
    return select.PIPE_BUF if stat.S_ISFIFO(kind) else AT_ONCE


async def _writable(descriptor: int) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    if poll.poll(0):
        return
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_writer(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_writer(descriptor)
