"""Connections to one engine: what is kept open between requests, and what an engine can do to it meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fleettop.collectors.engine import pool as pool_module
from fleettop.collectors.engine.connection import CHUNK, HEAD
from fleettop.collectors.engine.http import Requests
from fleettop.collectors.errors import ConnectionLost, Malformed
from fleettop.collectors.links.base import UnixEndpoint

from .raw_engine import RawEngine, ok, pace, raw_engine


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[RawEngine]:
    async with raw_engine(tmp_path) as served:
        yield served


@pytest.fixture
async def requests(engine: RawEngine) -> AsyncIterator[Requests]:
    made = Requests(UnixEndpoint(str(engine.socket)), engine="web-1", read_only=True, deadline=5.0)
    yield made
    await made.close()


async def test_requests_in_turn_use_one_connection(engine: RawEngine, requests: Requests) -> None:
    """A link through ssh pays a round trip for every connection."""
    for _ in range(5):
        assert await requests.body("/_ping") == b"OK"
    assert engine.connections == 1


async def test_no_more_connections_than_the_endpoint_allows(engine: RawEngine) -> None:
    """An engine behind `dial-stdio` starts a process for each; who comes too late waits."""
    most = 0
    now = 0

    async def slow(writer: asyncio.StreamWriter) -> None:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await pace(0.01)
        writer.write(ok(b"OK"))
        await writer.drain()
        now -= 1

    engine.answers["/_ping"] = slow
    requests = Requests(UnixEndpoint(str(engine.socket), connections=2), engine="web-1", read_only=True, deadline=5.0)
    try:
        await asyncio.gather(*(requests.body("/_ping") for _ in range(20)))
    finally:
        await requests.close()
    assert (most, engine.connections) == (2, 2)


async def test_a_connection_that_nobody_uses_is_closed(
    engine: RawEngine, requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand engines are a thousand open files otherwise."""
    monkeypatch.setattr(pool_module, "KEEPALIVE", 0.01)
    await requests.body("/_ping")
    async with asyncio.timeout(10):
        await engine.hung_up.wait()
    assert await requests.body("/_ping") == b"OK"
    assert engine.connections == 2


async def test_a_second_answer_behind_the_first_answers_nothing(engine: RawEngine, requests: Requests) -> None:
    """A list smuggled in behind another answer would be taken for that of the next request."""
    engine.answers["/_ping"] = ok(b"OK") + ok(b"smuggled")
    engine.answers["/version"] = ok(b"honest")
    assert await requests.body("/_ping") == b"OK"
    assert await requests.body("/version") == b"honest"
    assert engine.connections == 2


async def test_bytes_that_nobody_asked_for_end_the_connection(engine: RawEngine, requests: Requests) -> None:
    """They come after the answer, while the connection lies idle."""
    go = asyncio.Event()

    async def more(writer: asyncio.StreamWriter) -> None:
        writer.write(ok(b"OK"))
        await writer.drain()
        await go.wait()
        writer.write(ok(b"smuggled"))

    engine.answers["/_ping"] = more
    engine.answers["/version"] = ok(b"honest")
    assert await requests.body("/_ping") == b"OK"
    go.set()
    async with asyncio.timeout(10):
        await engine.hung_up.wait()
    assert await requests.body("/version") == b"honest"


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X-Endless: 1\r\n" * (HEAD // 8),
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nOK",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nOK",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n",
    ],
    ids=["endless headers", "another protocol", "two lengths", "differing lengths", "no length", "no chunk"],
)
async def test_an_answer_of_doubtful_shape_is_refused(engine: RawEngine, requests: Requests, head: bytes) -> None:
    """Two readings of one answer are how answers are mixed up (RFC 9112, section 6.3)."""
    engine.answers["/_ping"] = head
    with pytest.raises(Malformed, match="HTTP"):
        await requests.body("/_ping")


async def test_what_comes_before_the_answer_is_passed_over(engine: RawEngine, requests: Requests) -> None:
    """1xx are no answers yet (RFC 9110, section 15.2); their headers are not the answer's."""
    engine.answers["/_ping"] = b"HTTP/1.1 103 Early Hints\r\nApi-Version: 9.9\r\n\r\n" + ok(b"OK")
    answer, body = await requests.answer("/_ping")
    assert (answer.status, answer.headers["API-VERSION"], body) == (200, "1.41", b"OK")


async def test_a_body_without_a_length_ends_with_the_connection(engine: RawEngine, requests: Requests) -> None:
    """As old proxies send it."""

    async def until_the_end(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nO")
        await writer.drain()
        writer.write(b"K")
        writer.close()

    engine.answers["/_ping"] = until_the_end
    assert await requests.body("/_ping") == b"OK"


async def test_a_connection_closed_before_any_answer_is_a_connection_lost(
    engine: RawEngine, requests: Requests
) -> None:
    """A new connection is no idle one: asking again would ask for ever."""

    async def close(writer: asyncio.StreamWriter) -> None:
        writer.close()

    engine.answers["/_ping"] = close
    with pytest.raises(ConnectionLost):
        await requests.body("/_ping")
    assert len(engine.requests) == 1


async def test_an_engine_is_read_no_faster_than_it_is_taken(engine: RawEngine, requests: Requests) -> None:
    """What waits here is bounded; the rest waits in the engine, whose writer blocks."""
    written = 0
    full = asyncio.Event()

    async def flood(writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while written < 64 * CHUNK:
            writer.write(b"x" * CHUNK)
            try:
                async with asyncio.timeout(0.5):
                    await writer.drain()
            except TimeoutError:
                full.set()
                await writer.drain()
            written += CHUNK
        writer.close()

    engine.answers["/_ping"] = flood
    size = 0
    async with requests.stream("/_ping") as answer:
        assert answer is not None
        async with asyncio.timeout(30):
            await full.wait()
        assert written < 16 * CHUNK
        async for chunk in answer[1]:
            assert len(chunk) <= 2 * CHUNK
            size += len(chunk)
    assert size == 64 * CHUNK


@pytest.mark.parametrize("target", ["/a b", "/a\r\nHost: elsewhere", "/ä", "a"])
async def test_what_is_no_path_is_not_sent(
    engine: RawEngine, requests: Requests, target: str, monkeypatch: Any
) -> None:
    """A line break in a path would be a request of its own."""
    monkeypatch.setattr("fleettop.collectors.engine.allowlist.check", lambda *_, **__: None)
    with pytest.raises(Malformed):
        await requests.body(target)
    assert engine.requests == []
