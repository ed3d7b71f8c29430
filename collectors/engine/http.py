"""Requests to one engine: every one passes the allow-list, has one deadline over all of it, and a cap on its bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

import yarl

from ..errors import ConnectionLost, EngineError, Malformed, NotAnswering
from ..links.base import Endpoint, UnixEndpoint
from . import allowlist
from .failures import FOREIGN, explain, refused
from .fields import BIG
from .quick_aiohttp import aiohttp

MIB = 1 << 20
CAP = 16 * MIB
"""Bytes of an answer, at most."""
LIST_CAP = 64 * MIB
ERROR_CAP = 64 * 1024
SLOWEST = 256
"""Bytes a second at which an answer may come in: less is as good as silence."""
PATIENCE = 60.0
"""Seconds for which a slow answer is waited for on top of the deadline."""
KEEPALIVE = 30.0
CHUNK = 256 * 1024

T = TypeVar("T")


class Answer:
    """The status and headers of an answer, while its body is on the way."""

    __slots__ = ("headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        self.status = status
        self.headers = headers


class Requests:
    """The connections to one engine. Redirects are not followed, nothing is decompressed, no cookies, no proxies.

    `version` is put in front of every path once it is known.
    """

    def __init__(self, endpoint: Endpoint, *, engine: str, read_only: bool, deadline: float) -> None:
        self.engine = engine
        self.version = ""
        self._endpoint = endpoint
        self._read_only = read_only
        self._deadline = deadline
        self._session: aiohttp.ClientSession | None = None
        self._opening: set[asyncio.Timeout] = set()
        self._reading: set[aiohttp.ClientResponse] = set()
        self._closed = False
        if isinstance(endpoint, UnixEndpoint):
            self._base = "http://docker"
        else:
            host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
            self._base = f"{'http' if endpoint.tls is None else 'https'}://{host}:{endpoint.port}"

    async def body(
        self, path: str, query: str = "", *, cap: int = CAP, versioned: bool = True, deadline: float | None = None
    ) -> bytes | None:
        """The body of a GET; None where the engine answers 404. Raises an EngineError otherwise."""
        return (await self.answer(path, query, cap=cap, versioned=versioned, deadline=deadline))[1]

    async def answer(
        self, path: str, query: str = "", *, cap: int = CAP, versioned: bool = True, deadline: float | None = None
    ) -> tuple[Answer, bytes | None]:
        """The headers and the body of a GET, likewise. `deadline` is in place of the usual one.

        The deadline moves on while an answer comes in at `SLOWEST` or faster, for a slow link is not a frozen engine;
        never by more than `PATIENCE`, and a drip of a byte a second moves it by nothing.
        """
        try:
            async with asyncio.timeout(deadline or self._deadline) as limit:
                return await self._get(path, query, cap, versioned, limit)
        except TimeoutError as error:
            raise self._silent(path, error, deadline) from error

    async def decoded(
        self, path: str, query: str, decode: Callable[[bytes], T], *, cap: int = CAP, deadline: float | None = None
    ) -> T | None:
        """The body of a GET, decoded, off the event loop where it is big; None where the engine answers 404."""
        body = await self.body(path, query, cap=cap, deadline=deadline)
        if body is None:
            return None
        try:
            return decode(body) if len(body) <= BIG else await asyncio.to_thread(decode, body)
        except Malformed as error:
            raise Malformed(f"{self.engine}: {error}", where=error.where) from error

    @asynccontextmanager
    async def stream(self, path: str, query: str = "") -> AsyncIterator[tuple[Answer, AsyncIterator[bytes]] | None]:
        """A GET whose body comes for as long as it comes: only its headers have a deadline. None: answered 404."""
        async with self._open(path, query, versioned=True, deadline=self._deadline) as response:
            if response.status == 404:
                yield None
                return
            if response.status != 200:
                raise refused(self.engine, "GET", path, response.status, await self._error_body(path, response))
            yield Answer(response.status, response.headers), self._chunks(path, response)

    async def close(self) -> None:
        """Let go of every connection, for good: what is under way ends with ConnectionLost, and so does what comes."""
        self._closed = True
        for opening in self._opening:  # aiohttp itself closes what is connected, and not what is connecting
            if not opening.expired():
                opening.reschedule(0.0)
        for response in self._reading:  # aiohttp lets whoever reads one wait for ever when its session is closed
            response.content.set_exception(aiohttp.ClientConnectionError("closed"))
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    # -- below the allow-list

    async def _get(
        self, path: str, query: str, cap: int, versioned: bool, limit: asyncio.Timeout
    ) -> tuple[Answer, bytes | None]:
        async with self._open(path, query, versioned=versioned) as response:
            answer = Answer(response.status, response.headers)
            if response.status == 200:
                return answer, await self._whole(path, response, cap, limit)
            body = await self._whole(path, response, ERROR_CAP, cut=True)
            if response.status == 404:
                return answer, None
            raise refused(self.engine, "GET", path, response.status, body)

    @asynccontextmanager
    async def _open(
        self, path: str, query: str, *, versioned: bool, deadline: float | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The one place where a request leaves."""
        target = f"/v{self.version}{path}" if versioned and self.version else path
        allowlist.check("GET", target, read_only=self._read_only)
        if self._closed:
            raise ConnectionLost(f"The connection to {self.engine} was closed.")
        url = yarl.URL(f"{self._base}{target}{'?' + query if query else ''}", encoded=True)
        response: aiohttp.ClientResponse | None = None
        try:
            async with self._until_closed(deadline, path):
                response = await self._connected().get(url, allow_redirects=False)
        except TimeoutError as error:
            if deadline is not None and not isinstance(error, aiohttp.ClientError):
                raise self._silent(path, error) from error
            raise explain(self.engine, self._endpoint, error, f"GET {path}") from error
        except FOREIGN as error:
            raise explain(self.engine, self._endpoint, error, f"GET {path}") from error
        try:
            encoding = response.headers.get("Content-Encoding", "identity")
            if encoding.lower() != "identity":
                raise Malformed(
                    f"{self.engine} sends a compressed answer, which was not asked for (GET {path}).",
                    where="Content-Encoding",
                )
            self._reading.add(response)
            yield response
        finally:
            self._reading.discard(response)
            # Gives the connection back where the body was read to its end, and closes it where it was not.
            if response.content.at_eof():
                response.release()
            else:
                _hang_up(response)

    @asynccontextmanager
    async def _until_closed(self, deadline: float | None, path: str) -> AsyncIterator[None]:
        """Raises TimeoutError after the deadline, if there is one, and ConnectionLost once all of this is closed."""
        if self._closed:
            raise self._left(path)
        try:
            async with asyncio.timeout(deadline) as limit:
                self._opening.add(limit)
                try:
                    yield
                finally:
                    self._opening.discard(limit)
        except TimeoutError as error:
            if self._closed:
                raise self._left(path) from error
            raise

    def _left(self, path: str) -> EngineError:
        return ConnectionLost(f"The connection to {self.engine} was closed before GET {path} was answered.")

    def _connected(self) -> aiohttp.ClientSession:
        """Opened with the first request, since a session belongs to the loop that runs then."""
        if self._session is None:
            endpoint = self._endpoint
            connector: aiohttp.BaseConnector
            if isinstance(endpoint, UnixEndpoint):
                connector = aiohttp.UnixConnector(
                    endpoint.path, limit=endpoint.connections, keepalive_timeout=KEEPALIVE
                )
            else:
                connector = aiohttp.TCPConnector(
                    ssl=endpoint.tls if endpoint.tls is not None else False, limit=0, keepalive_timeout=KEEPALIVE
                )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Accept-Encoding": "identity", "User-Agent": "fleettop"},
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._deadline * 0.9),
                auto_decompress=False,
                trust_env=False,
                read_bufsize=CHUNK,
            )
        return self._session

    async def _whole(
        self,
        path: str,
        response: aiohttp.ClientResponse,
        cap: int,
        limit: asyncio.Timeout | None = None,
        *,
        cut: bool = False,
    ) -> bytes:
        """The body, up to `cap` bytes; more is an error, or with `cut` is left unread. Moves the `limit` on."""
        chunks: list[bytes] = []
        size = 0
        first = limit.when() if limit is not None else None
        async for chunk in self._chunks(path, response):
            size += len(chunk)
            chunks.append(chunk)
            if limit is not None and first is not None:
                limit.reschedule(first + min(size / SLOWEST, PATIENCE))
            if size > cap:
                if cut:
                    break
                raise Malformed(
                    f"{self.engine}'s answer to GET {path} is larger than {cap // MIB} MiB.", where="size of the answer"
                )
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def _chunks(self, path: str, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        content = response.content
        try:
            while chunk := await content.readany():
                yield chunk
        except FOREIGN as error:
            if self._closed:
                raise self._left(path) from error
            raise explain(self.engine, self._endpoint, error, f"GET {path}") from error

    async def _error_body(self, path: str, response: aiohttp.ClientResponse) -> bytes:
        try:
            async with asyncio.timeout(self._deadline):
                return await self._whole(path, response, ERROR_CAP, cut=True)
        except TimeoutError:
            return b""

    def _silent(self, path: str, error: Exception, deadline: float | None = None) -> EngineError:
        if isinstance(error, aiohttp.ClientError):
            return explain(self.engine, self._endpoint, error, f"GET {path}")
        return NotAnswering(f"{self.engine} did not answer GET {path} within {deadline or self._deadline:g} s.")


def _hang_up(response: aiohttp.ClientResponse) -> None:
    """Close the connection without reading on: more of a stream may be waiting than fits into memory."""
    transport = response.connection.transport if response.connection is not None else None
    if transport is not None:
        transport.abort()
    response.close()
