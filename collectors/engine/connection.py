"""One HTTP/1.1 connection to an engine: a request goes out, its answer comes in, then the next.

Made of an asyncio transport and httptools (llhttp): loading aiohttp took a fifth of the start, and an engine is asked
without cookies, redirects, compression or proxies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import cast

import httptools

CHUNK = 256 * 1024
"""Bytes of an answer that wait at most to be read; the transport reads as much at once."""
HEAD = 64 * 1024
"""Bytes of a status line and headers, at most."""


class NoHttp(ValueError):
    """What came in is no HTTP/1.1."""


class Cut(EOFError):
    """The connection ended within an answer."""


class Untouched(ConnectionResetError):
    """The connection ended before a byte of the answer: as one does that the engine had given up while it lay idle."""


class Headers(Mapping[str, str]):
    """The headers of an answer; case makes no difference (RFC 9110, section 5.1)."""

    __slots__ = ("_fields",)

    def __init__(self) -> None:
        self._fields: dict[bytes, bytes] = {}
        """As they were sent, names in lower case: an answer has ten, of which one or two are looked at."""

    def add(self, name: bytes, value: bytes) -> None:
        """One line of them. What comes twice is one list (RFC 9110, section 5.2)."""
        name = name.lower()
        self._fields[name] = b"%b, %b" % (self._fields[name], value.strip()) if name in self._fields else value

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower().encode("latin-1")].decode("latin-1").strip()

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self._fields)

    def __len__(self) -> int:
        return len(self._fields)


class Reply:
    """An answer whose status and headers are known, while its body is on the way."""

    def __init__(self, connection: Connection) -> None:
        self.status = 0
        self.headers = Headers()
        self.complete = False
        """All of it has come in; it may not have been read yet."""
        self._connection = connection
        self._pending: list[bytes] = []
        self._size = 0
        self.error: Exception | None = None
        """Why no more will come."""
        self._waiting: asyncio.Future[None] | None = None

    @property
    def at_end(self) -> bool:
        """All of it has been read."""
        return self.complete and not self._pending

    async def read(self) -> bytes:
        """What has come since; empty: that was all. Raises Cut, NoHttp or an OSError, after what came before it."""
        while not self._pending:
            if self.complete:
                return b""
            if self.error is not None:
                raise self.error
            await self.wait()
        taken = self._pending[0] if len(self._pending) == 1 else b"".join(self._pending)
        self._pending.clear()
        self._size = 0
        self._connection.resume()
        return taken

    async def wait(self) -> None:
        """Return when more has become known."""
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None

    def take(self, data: bytes) -> bool:
        """A part of the body. Whether that is enough for now."""
        self._pending.append(data)
        self._size += len(data)
        self.wake()
        return self._size > CHUNK

    def fail(self, error: Exception) -> None:
        """No more will come."""
        if self.error is None and not self.complete:
            self.error = error
        self.wake()

    def wake(self) -> None:
        """Let whoever waits look again."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class Connection(asyncio.Protocol):
    """A connection that carries one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._reply: Reply | None = None
        self._headed = False
        """Status and headers of the answer are in."""
        self._until_close = False
        """The connection ends with this answer: nothing tells its length, or the engine says so."""
        self._seen = 0
        """Bytes of this answer, until its headers are in."""
        self._paused = False
        self._ended = False
        self._gone: asyncio.Future[None] | None = None

    @property
    def usable(self) -> bool:
        """Nothing speaks against another request."""
        return self._reply is None and not self._ended and self._transport is not None

    async def get(self, request: bytes) -> Reply:
        """Send a GET; its answer, as soon as the headers are in. Raises NoHttp, Untouched or an OSError."""
        if not self.usable or self._transport is None or self._transport.is_closing():
            raise Untouched("the connection has ended")
        reply = self._reply = Reply(self)
        self._headed = self._until_close = False
        self._seen = 0
        try:
            self._transport.write(request)
            while not self._headed:
                if reply.error is not None:
                    raise reply.error
                await reply.wait()
        except BaseException:
            self.abort()
            raise
        return reply

    def finish(self, reply: Reply) -> bool:
        """That answer is done with. Whether another request may follow; if not, the connection is closed.

        Without reading on: more of a stream may be waiting than fits into memory.
        """
        if self._reply is not reply:
            return False
        self._reply = None
        if reply.at_end and self.usable and not self._until_close:
            return True
        self.abort()
        return False

    def abort(self, error: Exception | None = None) -> None:
        """Close it at once. Whoever reads from it gets the error, or hears that it was closed."""
        self._end(error or ConnectionAbortedError("closed"))
        if self._transport is not None:
            self._transport.abort()

    def resume(self) -> None:
        """There is room again for what comes."""
        if self._paused and self._transport is not None and not self._ended:
            self._paused = False
            self._transport.resume_reading()

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It stands."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Some bytes of an answer. Bytes that nobody asked for end the connection."""
        if self._ended:
            return
        if self._reply is None:
            self.abort()
            return
        self._seen += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.abort(NoHttp("it changes to another protocol"))
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            self.abort(cause if isinstance(cause, NoHttp) else NoHttp(str(error)))
        except httptools.HttpParserError as error:
            self.abort(NoHttp(str(error)))
        else:
            if not self._headed and self._seen > HEAD:
                self.abort(NoHttp("its headers have no end"))

    def eof_received(self) -> bool:
        """The engine says no more; the transport closes itself."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended."""
        reply = self._reply
        if exc is None and reply is not None and self._headed and self._until_close:
            reply.complete = True
            reply.wake()
        if self._seen:
            self._end(exc or Cut("closed by the engine"))
        elif exc is None or isinstance(exc, ConnectionError):
            self._end(Untouched(str(exc or "closed by the engine")))
        else:
            self._end(exc)
        self._transport = None
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)

    async def gone(self) -> None:
        """Return when it is closed and its socket let go of, which with TLS takes some rounds of the loop."""
        if self._transport is not None:
            self._gone = asyncio.get_running_loop().create_future()
            await self._gone

    def _end(self, error: Exception) -> None:
        self._ended = True
        if self._reply is not None:
            self._reply.fail(error)

    # -- httptools

    def on_message_begin(self) -> None:
        """A status line begins."""
        if self._reply is None or self._reply.complete:
            raise NoHttp("it answers what was not asked")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, or one behind a body, which is of no use."""
        if self._reply is not None and not self._headed:
            self._reply.headers.add(name, value)

    def on_headers_complete(self) -> None:
        """The status is known."""
        reply = self._reply
        if reply is None:
            return
        reply.status = self._parser.get_status_code()
        if reply.status < 200:  # what comes before the answer itself (RFC 9110, section 15.2)
            reply.headers = Headers()
            return
        headers = reply.headers
        told = "content-length" in headers or "transfer-encoding" in headers or reply.status in (204, 304)
        self._until_close = not told
        self._headed = True
        reply.wake()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        if self._reply is not None and self._reply.take(body) and self._transport is not None and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """The body has ended."""
        if self._reply is None or not self._headed:
            return
        self._reply.complete = True
        if not self._parser.should_keep_alive():
            self._until_close = True
        self._reply.wake()
