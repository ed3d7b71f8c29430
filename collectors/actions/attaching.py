"""Starting an exec and staying with it: the one request after which a connection carries a terminal's bytes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from ..engine import allowlist
from ..engine.failures import FOREIGN, explain, message_of
from ..engine.versions import at_least
from ..errors import ConnectionLost, EngineError, Malformed, NotAnswering, Permission, Refused, Rejected
from ..links.base import UnixEndpoint
from ..links.stream import Stream, open_stream
from .paths import segment
from .steps import Reach

Size = tuple[int, int]
"""Columns and lines."""
_HEAD = 64 * 1024
_BODY = 64 * 1024
_CHUNK = 64 * 1024


class Attached:
    """A running exec's terminal."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    async def read(self) -> bytes:
        """What it shows next; empty: the connection ended, one way or another."""
        try:
            return await self._stream.reader.read(_CHUNK)
        except OSError:
            return b""

    async def send(self, data: bytes) -> bool:
        """What was typed. False: the connection is gone."""
        try:
            await self._stream.send(data)
        except OSError:
            return False
        return True

    async def close(self) -> None:
        """Hang up."""
        await self._stream.close()


async def attach(way: Reach, exec_id: str, *, engine: str, size: Size, seconds: float) -> Attached:
    """Start the exec with a terminal of that size, and take over its connection.

    Raises ReadOnly before anything is sent; ConnectionLost or NotAnswering where it may have begun; Rejected and
    Permission where it was refused; another EngineError where nobody was reached.
    """
    target = f"/v{way.api}/exec/{segment(exec_id)}/start"
    allowlist.check("POST", target, read_only=way.read_only)
    what = f"POST /exec/{exec_id[:12]}/start"
    try:
        stream = await open_stream(way.endpoint, seconds=seconds)
    except TimeoutError as error:
        raise Refused(f"{engine} takes no connection, so nothing was sent.") from error
    except FOREIGN as error:
        raise explain(engine, way.endpoint, error, what) from error
    try:
        async with asyncio.timeout(seconds):
            await stream.send(_request(way, target, size))
            status, headers = await _head(stream)
            if status in (101, 200):  # 200: from engines, and proxies before them, that do not speak of upgrading
                return Attached(stream)
            raise _refused(engine, status, await _body(stream, headers))
    except BaseException as error:
        await stream.close()
        if isinstance(error, TimeoutError):
            raise NotAnswering(f"{engine} took the request and gave no answer.") from error
        if isinstance(error, OSError | EOFError):
            raise ConnectionLost(f"The connection to {engine} was lost before it answered.") from error
        if isinstance(error, ValueError | asyncio.LimitOverrunError):
            raise Malformed(f"{engine} answered {what} with something that is no HTTP.", where="HTTP") from error
        raise


def _request(way: Reach, target: str, size: Size) -> bytes:
    body: dict[str, object] = {"Detach": False, "Tty": True}
    if at_least(way.api, "1.42"):
        body["ConsoleSize"] = [size[1], size[0]]
    encoded = json.dumps(body).encode()
    endpoint = way.endpoint
    host = "docker" if isinstance(endpoint, UnixEndpoint) else f"{endpoint.host.split('%')[0]}:{endpoint.port}"
    lines = (
        f"POST {target} HTTP/1.1",
        f"Host: {host}",
        "User-Agent: fleettop",
        "Connection: Upgrade",
        "Upgrade: tcp",
        "Content-Type: application/json",
        f"Content-Length: {len(encoded)}",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + encoded


async def _head(stream: Stream) -> tuple[int, Mapping[str, str]]:
    """The status and the headers, by their names in lower case. Raises ValueError for what is none."""
    head = await stream.reader.readuntil(b"\r\n\r\n")
    first, *rest = head[:_HEAD].decode("latin-1").split("\r\n")
    version, _, status = first.partition(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(first[:80])
    pairs = (line.partition(":") for line in rest if line)
    return int(status[:3]), {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _body(stream: Stream, headers: Mapping[str, str]) -> bytes:
    """What a refusal says, as far as it is told."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        size = int((await stream.reader.readuntil(b"\r\n")).split(b";")[0], 16)
    else:
        size = int(headers.get("content-length") or 0)
    return await stream.reader.readexactly(min(size, _BODY)) if size > 0 else b""


def _refused(engine: str, status: int, body: bytes) -> EngineError:
    said = message_of(body) or f"status {status}"
    if status == 403:
        return Permission(
            f"Something in front of {engine} forbids this ({said}).",
            hint="Ask who runs its socket proxy or authorization plugin for the right to exec.",
        )
    return Rejected(f"{engine} refuses: {said}.", status=status)
