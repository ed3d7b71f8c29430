"""Uncleaned answers of an engine, for what is sent back to it: a swarm's spec, the container a clone is made from.

The engine client's answers are cleaned and hide secrets, so they would change what they describe. What is read here
is never shown and never kept.
"""

from __future__ import annotations

import asyncio
import json
from urllib.parse import quote

import aiohttp

from ..engine import allowlist
from ..errors import ConnectionLost, EngineError, Malformed, NotAnswering, Refused, Rejected
from ..links.base import UnixEndpoint
from ..text import plain, redact_text
from .steps import Reach

MOST_BYTES = 16 << 20
DEADLINE = 5.0


async def read_json(reach: Reach, path: str, *, engine: str, deadline: float = DEADLINE) -> object | None:
    """The JSON that `GET path` answers; None where that is 404. One deadline for all of it; redirects are refused.

    Raises ReadOnly for what read-only mode forbids, and an EngineError otherwise.
    """
    allowlist.check("GET", path, read_only=reach.read_only)
    try:
        async with asyncio.timeout(deadline):
            return await _read(reach, path, engine)
    except TimeoutError as error:
        raise NotAnswering(f"{engine} did not answer in {deadline:.0f} s.") from error
    except aiohttp.ClientConnectorError as error:
        raise Refused(f"{engine} takes no connection: {error.strerror or 'refused'}.") from error
    except (aiohttp.ClientError, OSError) as error:
        raise ConnectionLost(f"The connection to {engine} was lost in the middle.") from error
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{engine} answered something that is no JSON.", where=path) from error


async def _read(reach: Reach, path: str, engine: str) -> object | None:
    endpoint = reach.endpoint
    connector: aiohttp.BaseConnector
    if isinstance(endpoint, UnixEndpoint):
        connector, base = aiohttp.UnixConnector(endpoint.path, force_close=True), "http://engine"
    else:
        tls = endpoint.tls
        connector = aiohttp.TCPConnector(force_close=True, ssl=tls if tls is not None else True)
        host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        base = f"{'https' if tls is not None else 'http'}://{host}:{endpoint.port}"
    headers = {"Accept-Encoding": "identity"}
    async with (
        aiohttp.ClientSession(connector=connector, auto_decompress=False, headers=headers, trust_env=False) as session,
        session.get(f"{base}/v{reach.api}{path}", allow_redirects=False) as answer,
    ):
        body = bytearray()
        async for piece in answer.content.iter_any():
            body += piece
            if len(body) > MOST_BYTES:
                raise Malformed(f"The answer of {engine} is longer than {MOST_BYTES >> 20} MiB.", where=path)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise rejected(engine, answer.status, bytes(body))
        return json.loads(body)  # type: ignore[no-any-return]


def rejected(engine: str, status: int, body: bytes) -> EngineError:
    """What an engine answered with an error status, in its own words, cleaned."""
    try:
        found = json.loads(body)
        message = found.get("message") if isinstance(found, dict) else None
    except (ValueError, RecursionError):
        message = None
    words = message if isinstance(message, str) else body[:512].decode(errors="replace")
    words = redact_text(plain(words, 512)).strip() or f"status {status}"
    return Rejected(f"{engine} refused: {words}", status=status)


def segment(value: str) -> str:
    """One part of a path, quoted so that it can be nothing else (images have slashes, names anything)."""
    return quote(value, safe=":@")


def image_path(image: str) -> str:
    """The path that tells of an image; the slashes of its name belong there."""
    return f"/images/{quote(image, safe=':@/')}/json"
