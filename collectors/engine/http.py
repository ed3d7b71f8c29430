"""Requests to one engine: every one passes the allow-list, has one deadline over all of it, and a cap on its bytes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

from ..errors import ConnectionLost, EngineError, Malformed, NotAnswering
from ..links.base import Endpoint, UnixEndpoint
from . import allowlist
from .connection import Reply
from .failures import FOREIGN, explain, refused
from .fields import BIG
from .pool import Held, Pool

MIB = 1 << 20
CAP = 16 * MIB
"""Bytes of an answer, at most."""
LIST_CAP = 64 * MIB
ERROR_CAP = 64 * 1024
SLOWEST = 256
"""Bytes a second at which an answer may come in: less is as good as silence."""
PATIENCE = 60.0
"""Seconds for which a slow answer is waited for on top of the deadline."""
_TARGET = re.compile(r"/[!-~]*")

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
        self._pool: Pool | None = None
        self._opening: set[asyncio.Timeout] = set()
        self._closed = False
        if isinstance(endpoint, UnixEndpoint):
            self._host = "docker"
        else:
            host = endpoint.host.partition("%")[0]  # a zone is for this machine alone (RFC 6874, section 4)
            self._host = f"[{host}]:{endpoint.port}" if ":" in host else f"{host}:{endpoint.port}"

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
            raise self._late(path, deadline) from error

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
        try:
            async with asyncio.timeout(self._deadline) as limit:
                held = await self._ask(path, query, versioned=True, limit=limit)
        except TimeoutError as error:
            raise self._late(path) from error
        response = held.reply
        try:
            if response.status == 404:
                yield None
                return
            if response.status != 200:
                raise refused(self.engine, "GET", path, response.status, await self._error_body(path, response))
            yield Answer(response.status, response.headers), self._chunks(path, response)
        finally:
            self._connections().give_back(held)

    async def close(self) -> None:
        """Let go of every connection, for good: what is under way ends with ConnectionLost, and so does what comes."""
        self._closed = True
        for opening in self._opening:
            if not opening.expired():
                opening.reschedule(0.0)
        if self._pool is not None:
            await self._pool.close()

    # -- below the allow-list

    async def _get(
        self, path: str, query: str, cap: int, versioned: bool, limit: asyncio.Timeout
    ) -> tuple[Answer, bytes | None]:
        held = await self._ask(path, query, versioned=versioned, limit=limit)
        response = held.reply
        try:
            answer = Answer(response.status, response.headers)
            if response.status == 200:
                return answer, await self._whole(path, response, cap, limit)
            body = await self._whole(path, response, ERROR_CAP, cut=True)
            if response.status == 404:
                return answer, None
            raise refused(self.engine, "GET", path, response.status, body)
        finally:
            self._connections().give_back(held)

    async def _ask(self, path: str, query: str, *, versioned: bool, limit: asyncio.Timeout) -> Held:
        """The one place where a request leaves. Its answer, once the headers are in, is to be given back.

        Raises an EngineError. The `limit` is the caller's: it is reached at once where all of this is closed meanwhile.
        """
        target = f"/v{self.version}{path}" if versioned and self.version else path
        allowlist.check("GET", target, read_only=self._read_only)
        if self._closed:
            raise ConnectionLost(f"The connection to {self.engine} was closed.")
        self._opening.add(limit)
        try:
            held = await self._connections().get(self._request(f"{target}?{query}" if query else target))
        except FOREIGN as error:
            raise explain(self.engine, self._endpoint, error, f"GET {path}") from error
        finally:
            self._opening.discard(limit)
        encoding = held.reply.headers.get("Content-Encoding", "identity")
        if encoding.lower() != "identity":
            self._connections().give_back(held)
            raise Malformed(
                f"{self.engine} sends a compressed answer, which was not asked for (GET {path}).",
                where="Content-Encoding",
            )
        return held

    def _request(self, target: str) -> bytes:
        """Raises ValueError for what cannot stand in a request line."""
        if not _TARGET.fullmatch(target):
            raise ValueError(f"{target[:80]!r} is no path of a request")
        return (
            f"GET {target} HTTP/1.1\r\nHost: {self._host}\r\nAccept: */*\r\n"
            "Accept-Encoding: identity\r\nUser-Agent: fleettop\r\n\r\n"
        ).encode("ascii")

    def _left(self, path: str) -> EngineError:
        return ConnectionLost(f"The connection to {self.engine} was closed before GET {path} was answered.")

    def _connections(self) -> Pool:
        """Made with the first request, since connections belong to the loop that runs then."""
        if self._pool is None:
            self._pool = Pool(self._endpoint, connect=self._deadline * 0.9)
        return self._pool

    async def _whole(
        self,
        path: str,
        response: Reply,
        cap: int,
        limit: asyncio.Timeout | None = None,
        *,
        cut: bool = False,
    ) -> bytes:
        """The body, up to `cap` bytes; more is an error, or with `cut` is left unread. Moves the `limit` on."""
        chunks: list[bytes] = []
        size = 0
        first = limit.when() if limit is not None else None
        while chunk := await self._read(path, response):
            size += len(chunk)
            chunks.append(chunk)
            if limit is not None and first is not None and not response.at_end:
                limit.reschedule(first + min(size / SLOWEST, PATIENCE))
            if size > cap:
                if cut:
                    break
                raise Malformed(
                    f"{self.engine}'s answer to GET {path} is larger than {cap // MIB} MiB.", where="size of the answer"
                )
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def _chunks(self, path: str, response: Reply) -> AsyncIterator[bytes]:
        while chunk := await self._read(path, response):
            yield chunk

    async def _read(self, path: str, response: Reply) -> bytes:
        """What has come of the body since; empty: that was all."""
        try:
            return await response.read()
        except FOREIGN as error:
            if self._closed:
                raise self._left(path) from error
            raise explain(self.engine, self._endpoint, error, f"GET {path}") from error

    async def _error_body(self, path: str, response: Reply) -> bytes:
        try:
            async with asyncio.timeout(self._deadline):
                return await self._whole(path, response, ERROR_CAP, cut=True)
        except TimeoutError:
            return b""

    def _late(self, path: str, deadline: float | None = None) -> EngineError:
        """Why there is no answer in time."""
        if self._closed:
            return self._left(path)
        return NotAnswering(f"{self.engine} did not answer GET {path} within {deadline or self._deadline:g} s.")
