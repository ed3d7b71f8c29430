"""Starting an exec on engines, and things in front of them, that do not do as they should."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from fleettop.collectors.actions.attaching import Attached, attach
from fleettop.collectors.actions.steps import Reach
from fleettop.collectors.errors import (
    ConnectionLost,
    FleetError,
    Malformed,
    NotAnswering,
    Permission,
    ReadOnly,
    Rejected,
)
from fleettop.collectors.links.base import UnixEndpoint

from .raw_engine import RawEngine, ok, raw_engine

EXEC = "e" * 64
PATH = f"/exec/{EXEC}/start"


async def started(engine: RawEngine, *, read_only: bool = False, seconds: float = 10.0) -> Attached:
    way = Reach(endpoint=UnixEndpoint(str(engine.socket)), api="1.41", client=None, read_only=read_only)  # type: ignore[arg-type]
    return await attach(way, EXEC, engine="web-1", size=(80, 24), seconds=seconds)


async def silence(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n",
    ],
    ids=["upgraded", "not upgraded"],
)
async def test_what_comes_right_behind_the_answer_is_the_programs(tmp_path: Path, head: bytes) -> None:
    """The first words may arrive in one piece with it."""
    async with raw_engine(tmp_path) as engine:
        engine.answers[PATH] = head + b"/ # "
        attached = await started(engine)
        assert await attached.read() == b"/ # "
        await attached.close()
        assert engine.requests == [("POST", f"/v1.41{PATH}")]
        assert "Upgrade: tcp" in engine.heads[0]


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (ok(b'{"message":"no"}', status="403 Forbidden"), Permission, "forbids this (no)"),
        (ok(b'{"message":"it is paused"}', status="409 Conflict"), Rejected, "refuses: it is paused"),
        (
            b'HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{"message":"no"}\r\n0\r\n\r\n',
            Rejected,
            "refuses: no",
        ),
        (b"HTTP/1.1 500 X\r\n\r\n", Rejected, "refuses: status 500"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", Malformed, "no HTTP"),
        (b"HTTP/1.1 abc\r\n\r\n", Malformed, "no HTTP"),
        (hang_up, ConnectionLost, "lost before it answered"),
    ],
    ids=["forbidden", "conflict", "chunked", "bare", "ssh", "no status", "hung up"],
)
async def test_a_refusal_is_an_error_of_ours_with_the_engines_words(
    tmp_path: Path, answer: object, error: type[FleetError], says: str
) -> None:
    """Each in one sentence, and the connection is closed."""
    async with raw_engine(tmp_path) as engine:
        engine.answers[PATH] = answer  # type: ignore[assignment]
        with pytest.raises(error) as caught:
            await started(engine)
        assert says in str(caught.value)


async def test_an_engine_that_says_nothing_is_waited_for_and_no_longer(tmp_path: Path) -> None:
    """The deadline holds over all of it; whether it began is not known."""
    async with raw_engine(tmp_path) as engine:
        engine.answers[PATH] = silence
        with pytest.raises(NotAnswering):
            await started(engine, seconds=0.2)


async def test_in_read_only_mode_nothing_is_sent(tmp_path: Path) -> None:
    """The allow-list stands before the connection."""
    async with raw_engine(tmp_path) as engine:
        with pytest.raises(ReadOnly):
            await started(engine, read_only=True)
        assert engine.requests == []
