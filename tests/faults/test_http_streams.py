"""Streams that misbehave: every whole line gets through, at once, and nothing else does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fleettop.collectors.engine.client import EngineClient
from fleettop.collectors.errors import ConnectionLost, Rejected
from fleettop.collectors.model import EngineEvent
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.collectors.engine_samples import EVENT, ID, NODE, SERVICE, STATS, TASK

from .raw_engine import RawEngine, client_of, ok, raw_engine

CHUNKED = b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[RawEngine]:
    async with raw_engine(tmp_path) as served:
        yield served


@pytest.fixture
async def client(engine: RawEngine) -> AsyncIterator[EngineClient]:
    async with client_of(engine) as reading:
        yield reading


def line(number: int, **changes: Any) -> bytes:
    return json.dumps({**EVENT, "Action": "die", "timeNano": 10**18 + number, **changes}).encode() + b"\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data) if data else b""


def stream_of(*chunks: bytes, end: bool = True) -> Any:
    """A stream in these chunks; without `end` it stays open."""

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED)
        for data in chunks:
            writer.write(chunk(data))
            await writer.drain()
        if end:
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        else:
            await asyncio.get_running_loop().create_future()

    return write


def numbers(events: list[EngineEvent]) -> list[int]:
    return [event.time_nano - 10**18 for event in events]


async def test_all_lines_of_a_chunk_are_handed_on_before_more_is_read(engine: RawEngine, client: EngineClient) -> None:
    """Nothing waits for the next event to come."""
    engine.answers["/events"] = stream_of(line(1) + line(2) + line(3), end=False)
    seen = []
    async with asyncio.timeout(5), aclosing(client.events()) as events:
        async for event in events:
            seen.append(event)
            if len(seen) == 3:
                break
    assert numbers(seen) == [1, 2, 3]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 2000), max_size=6))
async def test_lines_are_put_together_however_the_bytes_are_cut(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    """A chunk may end anywhere, within a character too."""
    body = line(1, Actor={"ID": ID, "Attributes": {"name": "日本"}}) + line(2) + line(3)
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    pieces = [body[begin:end] for begin, end in pairwise(edges)]
    async with raw_engine(tmp_path_factory.mktemp("s")) as engine, client_of(engine) as client:
        engine.answers["/events"] = stream_of(*pieces)
        assert numbers([event async for event in client.events()]) == [1, 2, 3]
        assert client.bad_lines == 0


async def test_after_a_bad_line_the_stream_goes_on_at_the_next_newline(engine: RawEngine, client: EngineClient) -> None:
    """Each is counted; empty lines are nothing."""
    bad = (b"{not json}\n", b"\xff\xfe\n", b"[" * 200_000 + b"\n", b'{"Type":"container"}\n', b"null\n", b"\r\n", b"\n")
    engine.answers["/events"] = stream_of(line(1), *bad, line(2))
    assert numbers([event async for event in client.events()]) == [1, 2]
    assert client.bad_lines == 5


@pytest.mark.parametrize("size", [1_100_000, 3_000_000])
async def test_a_line_without_end_is_dropped_and_not_kept(engine: RawEngine, client: EngineClient, size: int) -> None:
    """Over 1 MiB a line is not kept; what follows its newline is read."""
    huge = b'{"Type":"' + b"x" * size
    pieces = [huge[begin : begin + 60_000] for begin in range(0, len(huge), 60_000)]
    engine.answers["/events"] = stream_of(line(1), *pieces, b'"}\n' + line(2))
    assert numbers([event async for event in client.events()]) == [1, 2]
    assert client.bad_lines == 1


async def test_a_stream_that_ends_ends_and_one_that_breaks_is_a_connection_lost(
    engine: RawEngine, client: EngineClient
) -> None:
    """The caller lists again in both cases; only one of them is an error."""
    engine.answers["/events"] = stream_of(line(1), line(2).rstrip(b"\n"))
    assert numbers([event async for event in client.events()]) == [1, 2]

    async def breaks(writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED + chunk(line(1)))
        await writer.drain()
        raise ConnectionResetError

    engine.answers["/events"] = breaks
    events = client.events()
    assert numbers([await anext(events)]) == [1]
    with pytest.raises(ConnectionLost):
        await anext(events)


async def test_a_stream_has_no_deadline_once_it_has_begun(engine: RawEngine) -> None:
    """An hour without an event is a calm hour; here three deadlines long."""
    goes_on = asyncio.Event()

    async def late(writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED)
        await writer.drain()
        await goes_on.wait()
        writer.write(chunk(line(1)) + b"0\r\n\r\n")

    engine.answers["/events"] = late
    async with client_of(engine, deadline=0.1) as client, asyncio.TaskGroup() as group:
        task = group.create_task(_all(client.events()))
        for _ in range(3):
            engine.answers["/containers/json"] = stream_of(end=False)
            with pytest.raises(Exception, match="did not answer"):
                await client.list_containers()
        goes_on.set()
        assert numbers(await task) == [1]


async def _all(events: AsyncIterator[EngineEvent]) -> list[EngineEvent]:
    return [event async for event in events]


async def test_an_event_stream_that_is_refused_says_why(engine: RawEngine, client: EngineClient) -> None:
    """The status comes before the lines."""
    engine.answers["/events"] = ok(b'{"message":"invalid filter"}', status="400 Bad Request")
    with pytest.raises(Rejected, match="invalid filter"):
        await _all(client.events(filters={"type": ["container"]}))
    engine.answers.pop("/events")
    with pytest.raises(Rejected, match="404"):
        await _all(client.events())


async def test_times_are_asked_for_in_seconds_with_nanoseconds(engine: RawEngine, client: EngineClient) -> None:
    """As Docker and Podman both read them; filters are JSON."""
    engine.answers["/events"] = stream_of()
    await _all(client.events(since=1795449865_000000007, until=1795449866_500000000, filters={"type": ["container"]}))
    assert engine.requests[-1] == (
        "GET",
        "/v1.41/events?since=1795449865.000000007&until=1795449866.500000000"
        "&filters=%7B%22type%22%3A%5B%22container%22%5D%7D",
    )


async def test_podmans_events_are_filtered_here(engine: RawEngine) -> None:
    """Its own filter by event delivers nothing for Docker's names (seen on 4.3)."""
    engine.answers["/_ping"] = ok(b"OK", "Libpod-Api-Version: 4.3.1")
    engine.answers["/events"] = stream_of(line(1), line(2, Action="died"), line(3, Action="cleanup"))
    async with client_of(engine) as client:
        assert client.podman
        found = await _all(client.events(filters={"event": ["die"], "type": ["container"]}))
    assert numbers(found) == [1, 2]
    assert "event" not in engine.requests[-1][1].replace("/events", "")


async def test_podman_is_asked_for_what_it_has_instead_of_until(engine: RawEngine) -> None:
    """With `until` it forgets its newest events, and it reads times as floats (seen on 4.3): sorted out here."""
    engine.answers["/_ping"] = ok(b"OK", "Libpod-Api-Version: 4.3.1")
    engine.answers["/events"] = stream_of(*(line(number) for number in range(5)))
    async with client_of(engine) as client:
        assert numbers(await _all(client.events(since=10**18 + 1, until=10**18 + 3))) == [1, 2, 3]
    assert engine.requests[-1] == ("GET", "/v1.41/events?since=999999999.999000001&stream=false")


async def test_samples_stream_until_the_container_is_gone(engine: RawEngine, client: EngineClient) -> None:
    """A sample that makes no sense is left out."""
    good = json.dumps(STATS).encode() + b"\n"
    engine.answers[f"/containers/{ID}/stats"] = stream_of(good, b"{bad\n", good)
    assert len([sample async for sample in client.stream_stats(ID)]) == 2


# -- a swarm that cannot be known --------------------------------------------------------------------------------------


def with_swarm(engine: RawEngine) -> None:
    engine.answers |= {
        "/version": ok(b"{}"),
        "/info": ok(b'{"Swarm":{"LocalNodeState":"active","Cluster":{"ID":"rdnrtfqfkwexa7bmdd9xakde9"}}}'),
        "/nodes": ok(json.dumps([NODE]).encode()),
        "/services": ok(json.dumps([SERVICE]).encode()),
        "/tasks": ok(json.dumps([TASK]).encode()),
    }


async def test_a_swarm_is_one_picture(engine: RawEngine, client: EngineClient) -> None:
    """With the cluster's id, so that its managers are one."""
    with_swarm(engine)
    picture = await client.swarm()
    assert (picture.cluster_id, picture.manager, picture.error) == ("rdnrtfqfkwexa7bmdd9xakde9", "web-1", "")
    assert (len(picture.nodes), len(picture.services), len(picture.tasks)) == (1, 1, 1)
    assert ("GET", "/v1.41/services?status=true") in engine.requests


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (
            "503 X",
            b'{"message":"This node is not a swarm manager. Worker nodes can\'t be used."}',
            "not a swarm manager",
        ),
        (
            "503 X",
            b'{"message":"rpc error: code = Unknown desc = The swarm does not have a leader"}',
            "not have a leader",
        ),
        ("404 X", b"Not Found", "knows no swarm"),
    ],
)
async def test_a_swarm_not_knowable_from_here_says_why_and_is_not_empty(
    engine: RawEngine, client: EngineClient, status: str, body: bytes, words: str
) -> None:
    """A worker, a manager without a leader, Podman: the error is set, and it is not "0 services"."""
    with_swarm(engine)
    engine.answers["/tasks"] = ok(body, status=status)
    picture = await client.swarm()
    assert words in picture.error
    assert picture.cluster_id == "rdnrtfqfkwexa7bmdd9xakde9"


async def test_a_swarm_without_quorum_does_not_hold_us_up(engine: RawEngine) -> None:
    """Its calls hang for 20 s on the server's side, while `/info` says that all is well (seen)."""
    with_swarm(engine)
    engine.answers["/nodes"] = stream_of(end=False)
    async with client_of(engine, deadline=0.1) as client:
        picture = await client.swarm()
    assert "quorum" in picture.error


async def test_a_service_that_makes_no_sense_is_told(engine: RawEngine, client: EngineClient) -> None:
    """The others are there, and the picture says that it is not whole."""
    with_swarm(engine)
    engine.answers["/services"] = ok(json.dumps([SERVICE, {**SERVICE, "Spec": 7}]).encode())
    picture = await client.swarm()
    assert len(picture.services) == 1
    assert picture.error == "1 services made no sense"


async def test_closing_the_client_ends_a_stream_that_is_being_read(engine: RawEngine, eventually: Any) -> None:
    """Its reader is no task of the client's: it would wait for ever for a stream that nothing feeds any more."""
    engine.answers[f"/containers/{ID}/logs"] = stream_of(b"raw text\n", end=False)
    async with client_of(engine) as client:
        read: list[bytes] = []

        async def reading() -> None:
            async with client.logs(ID, follow=True) as output:
                assert output is not None
                async for piece in output.chunks:
                    read.append(piece)

        task = asyncio.create_task(reading())
        await eventually(lambda: read)
        await client.close()
        with pytest.raises(ConnectionLost, match="closed"):
            await asyncio.wait_for(task, 10)
