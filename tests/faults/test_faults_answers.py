"""Answers that make no sense, and what a session shows of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.errors import Malformed
from fleettop.collectors.model import ContainerKey, Freshness
from fleettop.collectors.watch import supervisor

from .raw_engine import RawEngine, ok, raw_engine
from .stage import Eventually, watching

GOOD, BAD = "a" * 64, "b" * 64
INSPECTED = msgspec.json.encode({"Id": GOOD, "Name": "/a", "State": {"Status": "running"}})


def row(container_id: str, **changed: object) -> dict[str, object]:
    """A row of a listing."""
    known = {"Id": container_id, "Names": [f"/{container_id[0]}"], "Image": "bb:1", "State": "running", "Status": "Up"}
    return {**known, **changed}


def answers(engine: RawEngine, *rows: object) -> None:
    """Let it answer as an engine with these containers."""

    async def events(writer: asyncio.StreamWriter) -> None:
        if "until=" in engine.requests[-1][1]:
            writer.write(ok(b""))
            return
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await asyncio.Event().wait()

    engine.answers |= {
        "/version": ok(b'{"Version":"20.10","ApiVersion":"1.41"}'),
        "/info": ok(b'{"ID":"x","Name":"odd"}'),
        "/events": events,
        f"/containers/{GOOD}/json": ok(INSPECTED),
        "/containers/json": ok(msgspec.json.encode(rows)),
    }


def listings(engine: RawEngine) -> int:
    """How often it was asked for its list."""
    return sum("/containers/json" in target for _, target in engine.requests)


async def test_a_row_that_makes_no_sense_hides_no_other_and_is_stale(
    tmp_path: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F10: in a list and in an inspect; its old reading stays, and is well again with the next good one."""
    monkeypatch.setattr(supervisor, "RELIST", 0.05)
    good, bad = ContainerKey("odd", GOOD), ContainerKey("odd", BAD)
    async with raw_engine(tmp_path) as engine:
        answers(engine, row(GOOD), row(BAD))
        inspected = f"/containers/{BAD}/json"
        engine.answers[inspected] = ok(INSPECTED.replace(GOOD.encode(), BAD.encode()).replace(b"/a", b"/b"))
        odd = EngineAddress(name="odd", scheme="unix", socket=str(engine.socket))
        async with watching(odd) as stage:
            fleet = stage.session.fleet
            await eventually(lambda: stage.container(good).detail is not None)
            answers(engine, row(GOOD), row(BAD, Labels=[1, 2]))
            await eventually(lambda: fleet.container_freshness(bad) is Freshness.STALE)
            assert fleet.container_freshness(good) is Freshness.LIVE
            assert stage.container(bad).name == "b"
            assert stage.live("odd")
            answers(engine, row(GOOD), row(BAD))
            await eventually(lambda: fleet.container_freshness(bad) is Freshness.LIVE)
            well, engine.answers[inspected] = engine.answers[inspected], ok(b'{"Id":["\\u0000"]}')
            stage.session.refresh(bad)
            await eventually(lambda: fleet.container_freshness(bad) is Freshness.STALE)
            assert fleet.container_freshness(good) is Freshness.LIVE
            before = listings(engine)
            await eventually(lambda: listings(engine) > before + 2)
            assert fleet.container_freshness(bad) is Freshness.STALE
            engine.answers[inspected] = well
            await eventually(lambda: fleet.container_freshness(bad) is Freshness.LIVE)
            assert not stage.gaps("odd")


async def test_a_list_that_makes_no_sense_at_all_keeps_what_was_there(
    tmp_path: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F10: refused whole, in words; what is shown is old and says so."""
    monkeypatch.setattr(supervisor, "RELIST", 0.05)
    key = ContainerKey("odd", GOOD)
    async with raw_engine(tmp_path) as engine:
        answers(engine, row(GOOD))
        odd = EngineAddress(name="odd", scheme="unix", socket=str(engine.socket))
        async with watching(odd) as stage:
            engine.answers["/containers/json"] = ok(b'[{"Id":"')
            await eventually(lambda: isinstance(stage.down("odd"), Malformed))
            assert stage.container(key).name == "a"
            assert stage.session.fleet.container_freshness(key) is Freshness.STALE
            answers(engine, row(GOOD))
            await eventually(lambda: stage.live("odd"), timeout=20)
