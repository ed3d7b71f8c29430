"""A unix socket in front of an engine's that counts the requests going through it, by kind."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any

_REQUEST = re.compile(rb"(?:^|\n)(GET|POST|PUT|DELETE|HEAD) (\S+) HTTP/1\.[01]\r\n")
_OBJECT = re.compile(r"/(containers|exec|images|services|tasks|nodes)/(?!json$|create$|prune$)[^/]+")
_TELLING = ("stream=false", "stream=0", "one-shot", "filters", "size=1")
_LONGEST_HEAD = 8192
_READING = b'"read":"'
"""Once in every reading of a container's CPU and memory, asked for or streamed."""


class Proxy:
    """Passes on what is said between programs and one engine, in a thread of its own, while it is entered."""

    def __init__(self, listen: Path, engine: Path) -> None:
        self.socket = listen
        self._engine = engine
        self._requests: Counter[str] = Counter()
        self._bytes = 0
        self._readings = 0
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[Any] | None] = set()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="proxy", daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        if not self._ready.wait(5):
            raise RuntimeError(f"no proxy on {self.socket}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    @property
    def requests(self) -> Counter[str]:
        """Requests so far, by method and path without ids and version."""
        return Counter(self._requests)

    @property
    def received(self) -> int:
        """Bytes the engine has sent so far."""
        return self._bytes

    @property
    def readings(self) -> int:
        """Readings of a container's CPU and memory the engine has sent so far, streamed ones too."""
        return self._readings

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        await asyncio.start_unix_server(self._connected, self.socket)
        self._ready.set()
        await self._stop.wait()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # asyncio holds readers of open connections weakly: without this a waiting task may be collected.
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            from_engine, to_engine = await asyncio.open_unix_connection(self._engine)
            try:
                await _first_of(self._pass_requests(reader, to_engine), self._pass_answers(from_engine, writer))
            finally:
                to_engine.close()
        except OSError:
            pass  # one side hung up in the middle; the program's own affair
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _pass_requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen = b""
        while data := await reader.read(1 << 16):
            seen += data
            end = 0
            for match in _REQUEST.finditer(seen):
                self._requests[kind(match[1].decode(), match[2].decode("latin1"))] += 1
                end = match.end()
            seen = seen[end:][-_LONGEST_HEAD:]
            writer.write(data)
            await writer.drain()

    async def _pass_answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        rest = b""
        while data := await reader.read(1 << 16):
            self._bytes += len(data)
            self._readings += (rest + data).count(_READING)
            rest = data[1 - len(_READING) :]
            writer.write(data)
            await writer.drain()


async def _first_of(*ways: Coroutine[Any, Any, None]) -> None:
    """Until one of them has ended; the others are cancelled. Raises what it raised."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def kind(method: str, target: str) -> str:
    """A request without its ids and version, so that calls add up: `GET /containers/ID/stats (stream=false)`."""
    path, _, query = target.partition("?")
    path = _OBJECT.sub(r"/\1/ID", re.sub(r"^/v\d[\d.]*", "", path))
    words = [word for word in _TELLING if word in query]
    return f"{method} {path}" + (f" ({' '.join(words)})" if words else "")
