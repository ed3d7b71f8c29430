"""What a fleet's engine is asked when it is met, and in which order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.model import LinkPhase
from fleettop.collectors.session import Session
from fleettop.collectors.watch import supervisor
from fleettop.collectors.watch.supervisor import NEAR

from tests.collectors.engine_samples import ROW

from .raw_engine import RawEngine, ok, pace, raw_engine

INFO = ok(json.dumps({"ID": "one", "Name": "web-1", "ServerVersion": "20.10.24"}).encode())
VERSION = ok(json.dumps({"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12"}).encode())
LIST = ok(json.dumps([ROW]).encode())


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[RawEngine]:
    async with raw_engine(tmp_path) as served:
        served.answers |= {"/info": INFO, "/version": VERSION, "/containers/json": LIST, "/events": ok(b"")}
        yield served


def session_of(engine: RawEngine) -> Session:
    return Session(
        [EngineAddress(name="web-1", scheme="unix", socket=str(engine.socket), origin="test")], read_only=True
    )


def paths(engine: RawEngine) -> list[str]:
    return [target.removeprefix("/v1.41").partition("?")[0] for _, target in engine.requests]


async def test_an_engine_that_is_near_lists_while_it_says_who_it_is(engine: RawEngine) -> None:
    """The containers are on screen a round trip earlier."""
    listed = asyncio.Event()

    async def hold(writer: asyncio.StreamWriter) -> None:
        await listed.wait()  # for ever, if the list came after this answer
        writer.write(INFO)
        await writer.drain()

    async def tell(writer: asyncio.StreamWriter) -> None:
        listed.set()
        writer.write(LIST)
        await writer.drain()

    engine.answers |= {"/info": hold, "/containers/json": tell}
    async with session_of(engine) as session:
        await session.settled(10)
        assert [container.name for container in session.fleet.containers.values()]
        assert paths(engine).count("/containers/json") == 1


async def test_on_a_slow_way_small_answers_come_before_the_list(engine: RawEngine) -> None:
    """Behind a list that fills the way they would come too late, and the engine be taken for a frozen one."""

    async def slowly(writer: asyncio.StreamWriter) -> None:
        await pace(NEAR * 2)
        writer.write(ok(b"OK"))
        await writer.drain()

    engine.answers["/_ping"] = slowly
    async with session_of(engine) as session:
        await session.settled(10)
        assert [container.name for container in session.fleet.containers.values()]
    order = paths(engine)
    assert order.index("/info") < order.index("/containers/json")
    assert order.index("/containers/json") > [at for at, path in enumerate(order) if path == "/_ping"][1]


async def test_what_comes_too_late_behind_an_early_list_is_asked_again_after_it(
    engine: RawEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A near engine behind a narrow way is not taken for a frozen one, and its list is not asked for twice."""
    monkeypatch.setattr(supervisor, "DEADLINE", 0.3)
    listed = asyncio.Event()

    async def behind(writer: asyncio.StreamWriter) -> None:
        await listed.wait()
        if paths(engine).count("/info") > 1:
            writer.write(INFO)
            await writer.drain()

    async def narrow(writer: asyncio.StreamWriter) -> None:
        writer.write(LIST[:-10])
        await writer.drain()
        await pace(3 * supervisor.DEADLINE)
        listed.set()
        writer.write(LIST[-10:])
        await writer.drain()

    engine.answers |= {"/info": behind, "/containers/json": narrow}
    async with session_of(engine) as session:
        await session.settled(10)
        assert session.fleet.engines["web-1"].link.phase is LinkPhase.UP
        assert [container.name for container in session.fleet.containers.values()]
        assert paths(engine).count("/containers/json") == 1


async def test_a_list_that_fails_early_fails_as_it_would_later(engine: RawEngine) -> None:
    """The engine is down, in the list's words; nothing is left waiting."""
    engine.answers["/containers/json"] = ok(b'{"message":"no space left on device"}', status="500 Oops")
    async with session_of(engine) as session:
        await session.settled(10)
        error = session.fleet.engines["web-1"].link.error
        assert error is not None
        assert "no space left" in str(error)
