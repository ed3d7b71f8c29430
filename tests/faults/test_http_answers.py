"""Answers that no engine should give: each ends in one error of ours, in time, and costs little."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import socket
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fleettop.collectors.engine import client as client_module
from fleettop.collectors.engine.client import EngineClient
from fleettop.collectors.errors import (
    Authentication,
    ConnectionLost,
    EngineError,
    Malformed,
    NoSocket,
    NotAnswering,
    Permission,
    ReadOnly,
    Refused,
    Rejected,
    Unsupported,
)

from tests.collectors.engine_samples import INSPECT, ROW

from .raw_engine import RawEngine, client_of, ok, pace, raw_engine

ID = "a" * 64
SHORT = 0.2


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[RawEngine]:
    async with raw_engine(tmp_path) as served:
        yield served


@pytest.fixture
async def client(engine: RawEngine) -> AsyncIterator[EngineClient]:
    async with client_of(engine) as reading:
        yield reading


@pytest.fixture
async def hasty(engine: RawEngine) -> AsyncIterator[EngineClient]:
    """A client with a deadline short enough to be waited for."""
    async with client_of(engine, deadline=SHORT) as reading:
        yield reading


async def drained(stream: AsyncIterator[object]) -> None:
    async for _ in stream:
        pass


# -- what HTTP itself can do -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
async def test_a_redirect_is_not_followed(engine: RawEngine, client: EngineClient, status: str) -> None:
    """It could lead off the host; it is a refusal that says so."""
    engine.answers["/containers/json"] = ok(b"", "Location: http://docker/elsewhere", status=status)
    engine.answers["/elsewhere"] = ok(b"[]")
    with pytest.raises(Rejected, match="redirects"):
        await client.list_containers()
    assert "/elsewhere" not in [target for _, target in engine.requests]


async def test_a_compressed_answer_is_not_unpacked(engine: RawEngine, client: EngineClient) -> None:
    """A gzip bomb of 100 MB is 100 kB on the wire: identity is asked for, and anything else refused unread."""
    bomb = gzip.compress(b"[" + b" " * 100_000_000 + b"]")
    engine.answers["/containers/json"] = ok(bomb, "Content-Encoding: gzip")
    with pytest.raises(Malformed, match="compressed") as error:
        await client.list_containers()
    assert error.value.where == "Content-Encoding"
    assert "Accept-Encoding: identity" in engine.heads[-1]


async def test_an_answer_read_to_be_sent_back_is_as_it_was_sent_and_guarded_like_any(
    engine: RawEngine, client: EngineClient
) -> None:
    """Nothing is cleaned out of it, since it would be another then; the allow-list stands before it all the same."""
    engine.answers["/networks"] = ok(b'[{"Name":"a\\u001b","PASSWORD":"x"}]')
    assert await client.uncleaned("/networks") == [{"Name": "a\x1b", "PASSWORD": "x"}]
    assert await client.uncleaned("/volumes") is None
    engine.answers["/networks"] = ok(b"[" * 100_000)
    with pytest.raises(Malformed, match="web-1"):
        await client.uncleaned("/networks")
    with pytest.raises(ReadOnly):
        await client.uncleaned("/swarm")


async def test_a_compressed_answer_that_does_not_say_so_is_no_json(engine: RawEngine, client: EngineClient) -> None:
    """Nothing is unpacked by guessing either."""
    engine.answers["/containers/json"] = ok(gzip.compress(b"[]"))
    with pytest.raises(Malformed):
        await client.list_containers()


async def test_a_drip_of_bytes_is_beaten_by_the_one_deadline(engine: RawEngine, hasty: EngineClient) -> None:
    """Bytes that go on coming keep no call alive."""

    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await pace(SHORT / 20)

    engine.answers["/containers/json"] = drip
    with pytest.raises(NotAnswering, match=r"did not answer GET /containers/json within 0\.2 s"):
        await hasty.list_containers()


async def test_a_slow_link_is_no_frozen_engine(engine: RawEngine, hasty: EngineClient) -> None:
    """F4: while an answer comes in steadily the deadline moves on; here it takes three of them."""

    async def steady(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6002\r\n\r\n[")
        for _ in range(30):
            writer.write(b" " * 200)
            await writer.drain()
            await pace(SHORT / 10)
        writer.write(b"]")

    engine.answers["/containers/json"] = steady
    assert (await hasty.list_containers()).containers == ()


async def test_a_drip_of_header_bytes_is_beaten_too(engine: RawEngine, hasty: EngineClient) -> None:
    """The deadline begins with the request, not with the body."""

    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-A: b\r\n")
            await writer.drain()
            await pace(SHORT / 20)

    engine.answers["/containers/json"] = drip
    with pytest.raises(NotAnswering):
        await hasty.list_containers()


async def test_a_frozen_engine_takes_the_connection_and_says_nothing(engine: RawEngine, hasty: EngineClient) -> None:
    """Every kind of call has its deadline; a tail and the beginning of a stream have one too."""

    async def silence(_: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    for path in ("/_ping", "/containers/json", f"/containers/{ID}/json", f"/containers/{ID}/logs", "/events"):
        engine.answers[path] = silence
    engine.answers[f"/containers/{ID}/stats"] = silence

    calls = (
        *(hasty.ping, hasty.negotiate, hasty.list_containers),
        *(
            lambda: hasty.inspect(ID),
            lambda: hasty.tail(ID, 5),
            lambda: hasty.sample(ID),
            lambda: drained(hasty.events()),
        ),
    )
    for call in calls:
        with pytest.raises(NotAnswering):
            await call()


async def test_an_answer_cut_off_is_a_connection_lost(engine: RawEngine, client: EngineClient) -> None:
    """By its length, or in the middle of a chunk."""

    async def cut(writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n[{"Id":')
        await writer.drain()
        raise ConnectionResetError

    async def cut_chunk(writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n[{"Id":')
        await writer.drain()
        raise ConnectionResetError

    for reply in (cut, cut_chunk):
        engine.answers["/containers/json"] = reply
        with pytest.raises(ConnectionLost):
            await client.list_containers()


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 abc OK\r\n\r\n", id="no status"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n", id="a header of 100 kB"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", id="a negative length"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", id="no chunk size"),
        pytest.param(b"", id="hung up at once"),
    ],
)
async def test_what_is_no_http_is_an_error_of_ours(engine: RawEngine, client: EngineClient, reply: bytes) -> None:
    """Nothing foreign comes out."""

    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(reply)
        await writer.drain()
        raise ConnectionResetError

    engine.answers["/containers/json"] = say
    with pytest.raises((Malformed, ConnectionLost)):
        await client.list_containers()


async def test_an_answer_that_is_too_large_is_not_read_to_its_end(
    engine: RawEngine, client: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cap on bytes; what came so far is let go."""
    monkeypatch.setattr(client_module, "LIST_CAP", 1 << 20)
    written = 0

    async def endless(writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
            await writer.drain()
            written += 0x10000

    engine.answers["/containers/json"] = endless
    with pytest.raises(Malformed, match="larger than 1 MiB"):
        await client.list_containers()
    await engine.hung_up.wait()
    assert written < 4 << 20


# -- statuses ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b'{"message":"the disk is full"}', b"the disk is full\n", b'"the disk is full"'])
async def test_an_error_is_told_in_the_engines_words(engine: RawEngine, client: EngineClient, body: bytes) -> None:
    """JSON or plain text, with the status kept."""
    engine.answers["/containers/json"] = ok(body, status="500 Internal Server Error")
    with pytest.raises(Rejected, match=r"web-1 answers GET /containers/json with 500: .*the disk is full") as error:
        await client.list_containers()
    assert error.value.status == 500


async def test_the_status_is_looked_at_before_the_body(engine: RawEngine, client: EngineClient) -> None:
    """A well-formed list under a 500 is no list."""
    engine.answers["/containers/json"] = ok(b"[]", status="500 Internal Server Error")
    with pytest.raises(Rejected):
        await client.list_containers()


async def test_an_error_body_is_cleaned_and_hides_secrets(engine: RawEngine, client: EngineClient) -> None:
    """It is foreign text like any other; a proxy's page says no more than the status."""
    engine.answers["/containers/json"] = ok(b'{"message":"\\u001b[31mno\\u202e --token=hunter2"}', status="500 X")
    with pytest.raises(Rejected) as error:
        await client.list_containers()
    assert str(error.value) == "web-1 answers GET /containers/json with 500: no --token=***."
    engine.answers["/containers/json"] = ok(b"<html><script>x</script></html>", status="502 Bad Gateway")
    with pytest.raises(Rejected, match=r"^web-1 answers GET /containers/json with 502\.$"):
        await client.list_containers()


async def test_an_endless_error_body_is_cut(engine: RawEngine, client: EngineClient) -> None:
    """Its first words are enough."""
    engine.answers["/containers/json"] = ok(b"x" * 5_000_000, status="500 X")
    with pytest.raises(Rejected) as error:
        await client.list_containers()
    assert len(str(error.value)) < 400


@pytest.mark.parametrize(
    ("call", "path", "right"),
    [
        ("list_containers", "/containers/json", "CONTAINERS"),
        ("info", "/info", "INFO"),
        ("swarm", "/tasks", "TASKS"),
        ("events", "/events", "EVENTS"),
    ],
)
async def test_a_socket_proxys_refusal_names_the_missing_right(
    engine: RawEngine, client: EngineClient, call: str, path: str, right: str
) -> None:
    """403 is a matter of permission, and the hint says which one."""
    engine.answers |= {"/version": ok(b"{}"), "/info": ok(b"{}"), "/tasks": ok(b"[]")}
    engine.answers[path] = ok(b"<html><body><h1>403 Forbidden</h1></body></html>", status="403 Forbidden")
    with pytest.raises(Permission, match=f"forbids GET {path}") as error:
        await (drained(client.events()) if call == "events" else getattr(client, call)())
    assert f"{right}=1" in error.value.hint


async def test_a_401_is_a_matter_of_who_we_are(engine: RawEngine, client: EngineClient) -> None:
    """Not of the request."""
    engine.answers["/containers/json"] = ok(b"", status="401 Unauthorized")
    with pytest.raises(Authentication):
        await client.list_containers()


async def test_what_has_vanished_is_none_and_no_error(engine: RawEngine, client: EngineClient) -> None:
    """A container may go between the list and the inspect."""
    assert engine.answers.keys() == {"/_ping"}
    assert await client.inspect(ID) is None
    assert await client.raw_inspect(ID) is None
    assert await client.sample(ID) is None
    assert await client.tail(ID, 10) == ()
    assert await client.raw_service("a" * 25) is None
    assert [sample async for sample in client.stream_stats(ID)] == []


async def test_a_missing_list_is_an_error(client: EngineClient) -> None:
    """404 for the list itself is no empty list."""
    with pytest.raises(Rejected) as error:
        await client.list_containers()
    assert error.value.status == 404


async def test_a_400_about_the_version_says_needed_and_offered(engine: RawEngine, client: EngineClient) -> None:
    """The engine may have been updated under us; "too old" comes as plain text."""
    words = b"client version 1.41 is too old. Minimum supported API version is 1.60, please upgrade your client"
    engine.answers["/containers/json"] = ok(words, status="400 Bad Request")
    with pytest.raises(Unsupported, match=r"needs API 1\.60 or newer; fleettop offers 1\.40 to 1\.51"):
        await client.list_containers()


# -- bodies ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{}", id="an object for a list"),
        pytest.param(b"7", id="a number"),
        pytest.param(b'[{"Id":', id="cut off, well framed"),
        pytest.param(b"[\x00]", id="NUL"),
        pytest.param(b'["\xff"', id="not UTF-8"),
        pytest.param(b"[" * 200_000, id="nested without end"),
        pytest.param(b"", id="nothing"),
    ],
)
async def test_a_list_that_makes_no_sense_is_refused_whole(
    engine: RawEngine, client: EngineClient, body: bytes
) -> None:
    """The old reading stays; it is not an empty fleet."""
    engine.answers["/containers/json"] = ok(body)
    with pytest.raises(Malformed, match="web-1"):
        await client.list_containers()


async def test_one_bad_container_hides_none_of_the_others(engine: RawEngine, client: EngineClient) -> None:
    """Its id is told, so that its old reading can be kept."""
    rows: list[Any] = [{**ROW, "Id": f"{n:064x}"} for n in range(500)]
    rows[7] = {**rows[7], "Labels": {"a": 1}}
    engine.answers["/containers/json"] = ok(json.dumps(rows).encode())
    listing = await client.list_containers()
    assert len(listing.containers) == 499
    assert listing.refused == (rows[7]["Id"],)


async def test_big_answers_are_decoded_off_the_event_loop(
    engine: RawEngine, client: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """10,000 containers; an inspect of 10 MB. Small ones stay where they are: a thread costs more than they do."""
    threads: dict[str, threading.Thread] = {}

    def spy(name: str) -> None:
        real = getattr(client_module, name)

        def spied(*args: Any, **options: Any) -> Any:
            threads[name] = threading.current_thread()
            return real(*args, **options)

        monkeypatch.setattr(client_module, name, spied)

    spy("decode_listing")
    spy("decode_inspect")
    rows = [{**ROW, "Id": f"{n:064x}"} for n in range(10_000)]
    engine.answers["/containers/json"] = ok(json.dumps(rows).encode())
    big = {**INSPECT, "Config": {**INSPECT["Config"], "Labels": {"big": "x" * 10_000_000}}}
    engine.answers[f"/containers/{ID}/json"] = ok(json.dumps(big).encode())
    assert len((await client.list_containers()).containers) == 10_000
    container = await client.inspect(ID)
    assert container is not None
    assert len(container.labels["big"]) == 1024
    assert threading.main_thread() not in threads.values()
    engine.answers["/containers/json"] = ok(json.dumps(rows[:10]).encode())
    await client.list_containers()
    assert threads["decode_listing"] is threading.main_thread()


async def test_a_huge_log_line_is_cut(engine: RawEngine, client: EngineClient) -> None:
    """And the lines after it are there."""
    engine.answers[f"/containers/{ID}/logs"] = ok(b"x" * 3_000_000 + b"\n\x1b[31mlast words\x1b[0m\n")
    first, last = await client.tail(ID, 2)
    assert len(first) == 4096
    assert last == "last words"


# -- the way there -----------------------------------------------------------------------------------------------------


async def test_no_socket_there_is_told_as_such(tmp_path: Path) -> None:
    """The path is named."""
    async with client_of(RawEngine(tmp_path / "none"), negotiate=False) as client:
        with pytest.raises(NoSocket, match=str(tmp_path)):
            await client.ping()


async def test_a_socket_we_may_not_open_names_the_user_and_the_group(tmp_path: Path) -> None:
    """Not in group docker: the most common first obstacle."""
    async with raw_engine(tmp_path) as engine, client_of(engine, negotiate=False) as client:
        engine.socket.chmod(0)
        if (root := os.geteuid()) == 0:
            os.seteuid(65534)
        try:
            with pytest.raises(Permission, match=r"User \w+ may not open .*/s: \w+ is not in group docker") as error:
                await client.ping()
        finally:
            if root == 0:
                os.seteuid(root)
        assert "usermod -aG docker" in error.value.hint


async def test_a_socket_nobody_listens_at_is_told_as_such(tmp_path: Path) -> None:
    """As after a crash of the daemon: the file is there."""
    async with raw_engine(tmp_path) as gone:
        pass
    if not gone.socket.exists():
        with socket.socket(socket.AF_UNIX) as left_behind:
            left_behind.bind(str(gone.socket))
    async with client_of(gone, negotiate=False) as client:
        with pytest.raises(Refused, match="Nobody listens"):
            await client.ping()


async def test_a_connection_kept_open_and_closed_by_the_engine_is_opened_again(engine: RawEngine) -> None:
    """A daemon that restarts closes what was idle: the next call goes through."""

    async def once(writer: asyncio.StreamWriter) -> None:
        writer.write(ok(b"OK"))
        await writer.drain()
        raise ConnectionResetError

    engine.answers["/_ping"] = once
    async with client_of(engine) as client:
        for _ in range(5):
            assert await client.ping() > 0
    assert len(engine.requests) == 6


async def test_an_engine_that_goes_in_the_middle_is_a_connection_lost(engine: RawEngine, client: EngineClient) -> None:
    """It was there."""

    async def leave(_: asyncio.StreamWriter) -> None:
        raise ConnectionResetError

    engine.answers["/containers/json"] = leave
    with pytest.raises(ConnectionLost):
        await client.list_containers()


async def test_a_client_that_was_closed_opens_nothing_again(engine: RawEngine, client: EngineClient) -> None:
    """Who still has it, as an action does whose link broke, would leave connections open for ever."""
    await client.close()
    engine.requests.clear()
    with pytest.raises(ConnectionLost):
        await client.inspect("a" * 64)
    assert engine.requests == []


async def test_a_cancelled_call_hangs_up(engine: RawEngine, client: EngineClient) -> None:
    """Cancelling is how things stop, on the engine's side too."""
    asked = asyncio.Event()

    async def silence(writer: asyncio.StreamWriter) -> None:
        asked.set()
        await asyncio.get_running_loop().create_future()

    engine.answers["/containers/json"] = silence
    task = asyncio.create_task(client.list_containers())
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# -- what leaves -------------------------------------------------------------------------------------------------------


async def test_every_request_passes_the_allow_list(
    engine: RawEngine, client: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the list refuses never leaves, for every call the client has."""

    def refuse(method: str, path: str, *, read_only: bool) -> None:
        raise ReadOnly(f"{method} {path} {read_only}")

    engine.requests.clear()
    monkeypatch.setattr("fleettop.collectors.engine.allowlist.check", refuse)

    calls = (
        *(client.negotiate(), client.ping(), client.info(), client.list_containers(), client.list_containers([ID])),
        *(client.inspect(ID), client.raw_inspect(ID), client.sample(ID), client.tail(ID, 1), client.swarm()),
        *(client.raw_service("a" * 25), drained(client.events()), drained(client.stream_stats(ID))),
    )
    for call in calls:
        with pytest.raises(ReadOnly, match="True"):
            await call
    assert engine.requests == []


BAD_IDS = ("", "web", "../../swarm", "a" * 65, f"{ID}/export", f"{ID}?x", f"{ID}\n", "-v", "$(reboot)")


@pytest.mark.parametrize("bad", BAD_IDS)
async def test_what_is_no_id_never_becomes_part_of_a_path(engine: RawEngine, client: EngineClient, bad: str) -> None:
    """Ids are checked before anything is asked."""
    engine.requests.clear()
    calls = (client.inspect(bad), client.raw_inspect(bad), client.sample(bad), client.tail(bad, 1))
    for call in (*calls, client.list_containers([bad]), client.raw_service(bad)):
        with pytest.raises(EngineError):
            await call
    assert engine.requests == []


async def test_no_proxy_cookie_or_name_of_ours_goes_along(engine: RawEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's proxies are not asked, and a cookie set by an engine does not come back."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    engine.answers["/_ping"] = ok(b"OK", "Set-Cookie: a=b")
    async with client_of(engine) as client:
        await client.ping()
    heads = [line.partition(":")[0].lower() for line in engine.heads[-1]]
    assert sorted(heads) == ["accept", "accept-encoding", "host", "user-agent"]
