"""An engine of a few lines on a unix socket, for answers that no real engine gives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from fleettop.collectors.engine.client import EngineClient
from fleettop.collectors.links.base import UnixEndpoint

Reply = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]
"""The whole answer, or something that writes it as it likes."""


def ok(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """An answer with a length."""
    lines = [f"HTTP/1.1 {status}", "Api-Version: 1.41", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


async def pace(seconds: float) -> None:
    """What a slow engine does between two bytes; for servers, since tests do not wait for a time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()


class RawEngine:
    """Answers by path, and keeps what it was asked (`requests`: method and target; `heads`: all header lines)."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.answers: dict[str, Reply] = {"/_ping": ok(b"OK")}
        self.requests: list[tuple[str, str]] = []
        self.heads: list[list[str]] = []
        self.connections = 0
        self.hung_up = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, request after request."""
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *headers = head.decode().split("\r\n")
                method, target, _ = first.split(" ")
                self.requests.append((method, target))
                self.heads.append([line for line in headers if line])
                await self._answer(target.removeprefix("/v1.41").partition("?")[0], writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.hung_up.set()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, path: str, writer: asyncio.StreamWriter) -> None:
        reply = self.answers.get(path, ok(b'{"message":"page not found"}', status="404 Not Found"))
        if isinstance(reply, bytes):
            writer.write(reply)
            await writer.drain()
        else:
            await reply(writer)


@asynccontextmanager
async def raw_engine(folder: Path) -> AsyncIterator[RawEngine]:
    """The engine, listening; gone with all of its connections afterwards."""
    engine = RawEngine(folder / "s")
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await engine.serve(reader, writer)
        except asyncio.CancelledError:
            return  # asyncio's own callback would report the cancelling of a connection as an error
        finally:
            tasks.discard(task)

    server = await asyncio.start_unix_server(connected, engine.socket, limit=1 << 20)
    try:
        yield engine
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


@asynccontextmanager
async def client_of(
    engine: RawEngine, *, deadline: float = 5.0, read_only: bool = True, negotiate: bool = True
) -> AsyncIterator[EngineClient]:
    """A client of it, closed afterwards."""
    client = EngineClient(UnixEndpoint(str(engine.socket)), engine="web-1", read_only=read_only, deadline=deadline)
    try:
        if negotiate:
            await client.negotiate()
        yield client
    finally:
        await client.close()
