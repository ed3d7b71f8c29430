"""`test_engine`, against engines in the test process that answer as each test says."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fleettop.collectors import probe
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.errors import NoSocket, NotAnswering, Permission, Unsupported, Untrusted
from fleettop.collectors.links.ssh import make_folder
from fleettop.collectors.links.tcp import TcpLink
from fleettop.collectors.probe import ProbeReport, ProbeStep, StepState

from .servers import serve_at

OK, WARNED, FAILED, NOT_TRIED = StepState.OK, StepState.WARNED, StepState.FAILED, StepState.NOT_TRIED


@pytest.fixture
def path() -> Iterator[Path]:
    """Where an engine's socket may be."""
    folder = make_folder()
    yield folder / "docker.sock"
    shutil.rmtree(folder)


GOOD: dict[str, object] = {
    "/_ping": "OK",
    "/version": {"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12"},
    "/info": {"ID": "x", "Name": "web-1", "ServerVersion": "20.10.24", "Swarm": {"LocalNodeState": "inactive"}},
    "/containers/json": [],
    "/events": "",
}


def engine(path: Path, answers: Mapping[str, object], *, api: str = "1.41") -> AbstractAsyncContextManager[Path]:
    """An engine with these answers by path; an int is a status with an empty message, None is silence."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                return
            target = head.split()[1].decode().partition("?")[0]
            if target.startswith("/v"):
                target = target if target == "/version" else "/" + target.split("/", 2)[2]
            found = answers.get(target, 404)
            if found is None:
                await reader.read()
                return
            status = found if isinstance(found, int) else 200
            text = "" if isinstance(found, int) else found if isinstance(found, str) else json.dumps(found)
            lines = (f"HTTP/1.1 {status} X", f"Api-Version: {api}", f"Content-Length: {len(text)}", "", text)
            writer.write("\r\n".join(lines).encode())
            await writer.drain()

    return serve_at(path, answer)


async def report(path: Path) -> ProbeReport:
    """What trying the engine at `path` finds."""
    return await probe.test_engine(EngineAddress(name="web-1", scheme="unix", socket=str(path)))


def steps(found: ProbeReport) -> dict[str, ProbeStep]:
    """The steps by name; each name once."""
    by_name = {step.name: step for step in found.steps}
    assert len(by_name) == len(found.steps)
    return by_name


async def test_a_good_engine_is_good_in_every_step(path: Path) -> None:
    """Nothing failed, nothing warned, and each step says what is the case."""
    async with engine(path, GOOD):
        found = await report(path)
    assert found.ok
    assert not found.warned
    assert found.route == "local socket"
    assert [step.name for step in found.steps] == [
        "socket",
        "engine",
        "API",
        "permissions",
        "events",
        "figures",
        "swarm",
    ]
    assert all(step.state is OK and step.words for step in found.steps)
    assert "20.10.24, API 1.41" in steps(found)["API"].words


async def test_an_engine_whose_api_is_too_old_is_told_what_is_needed(path: Path) -> None:
    """Docker 1.13 speaks 1.25; the rest is not tried, and the socket was fine."""
    old = {**GOOD, "/version": {"Version": "1.13.1", "ApiVersion": "1.25", "MinAPIVersion": "1.12"}}
    async with engine(path, old, api="1.25"):
        found = await report(path)
    assert isinstance(found.error, Unsupported)
    by_name = steps(found)
    assert (by_name["socket"].state, by_name["engine"].state, by_name["API"].state) == (OK, OK, FAILED)
    assert "1.25" in by_name["API"].words
    assert "1.40" in by_name["API"].words
    assert by_name["events"].state is NOT_TRIED


async def test_an_engine_whose_api_is_too_new_is_told_what_is_offered(path: Path) -> None:
    """One day engines will refuse 1.51."""
    new = {**GOOD, "/version": {"Version": "40.0.0", "ApiVersion": "1.70", "MinAPIVersion": "1.60"}}
    async with engine(path, new, api="1.70"):
        found = await report(path)
    assert isinstance(found.error, Unsupported)
    assert "1.60" in steps(found)["API"].words


async def test_a_frozen_engine_is_not_answering(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its socket takes the connection, and then says nothing."""
    monkeypatch.setattr(probe, "ANSWER", 0.2)
    async with engine(path, {"/_ping": None}):
        found = await report(path)
    assert isinstance(found.error, NotAnswering)
    by_name = steps(found)
    assert (by_name["socket"].state, by_name["engine"].state) == (OK, FAILED)
    assert by_name["API"].state is NOT_TRIED


async def test_every_right_that_is_missing_is_named(path: Path) -> None:
    """A socket proxy forbids some endpoints: who must allow them wants the whole list at once."""
    async with engine(path, {**GOOD, "/info": 403, "/containers/json": 403, "/events": 403}):
        found = await report(path)
    assert isinstance(found.error, Permission)
    by_name = steps(found)
    assert by_name["permissions"].state is FAILED
    assert "/info" in by_name["permissions"].words
    assert "/containers/json" in by_name["permissions"].words
    assert by_name["events"].state is FAILED
    assert "EVENTS=1" in by_name["events"].hint


async def test_events_that_never_come_are_a_failure(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something between swallows streams: without events nothing is live."""
    monkeypatch.setattr(probe, "ANSWER", 0.2)
    async with engine(path, {**GOOD, "/events": None}):
        found = await report(path)
    assert isinstance(found.error, NotAnswering)
    assert steps(found)["events"].state is FAILED


async def test_a_clock_that_is_wrong_is_a_warning(path: Path) -> None:
    """Over 2 s the order of events across hosts cannot be trusted."""
    wrong = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    async with engine(path, {**GOOD, "/info": {"ID": "x", "Name": "w", "SystemTime": wrong}}):
        found = await report(path)
    assert found.ok
    assert found.warned
    assert "s ahead of" in steps(found)["clock"].words


async def test_a_worker_and_a_swarm_without_quorum_are_told_apart(path: Path) -> None:
    """Neither is an engine that cannot be watched."""
    worker = {"LocalNodeState": "active", "NodeID": "n", "ControlAvailable": False}
    async with engine(path, {**GOOD, "/info": {"ID": "x", "Swarm": worker}}):
        found = await report(path)
    assert found.ok
    assert steps(found)["swarm"].state is OK
    manager = {"LocalNodeState": "active", "NodeID": "n", "ControlAvailable": True, "Cluster": {"ID": "c"}}
    path = path.with_name("other.sock")
    without = {"/tasks": 503, "/nodes": 503, "/services": 503}
    async with engine(path, {**GOOD, **without, "/info": {"ID": "x", "Swarm": manager}}):
        found = await report(path)
    assert found.ok
    assert steps(found)["swarm"].state is WARNED


async def test_what_cannot_be_reached_fails_at_the_step_it_fails_at(path: Path) -> None:
    """Steps before it went well, those after it were not tried."""
    found = await report(path)
    assert isinstance(found.error, NoSocket)
    assert found.route == ""
    assert {step.name: step.state for step in found.steps} == {
        "socket": FAILED,
        "engine": NOT_TRIED,
        "API": NOT_TRIED,
        "permissions": NOT_TRIED,
        "events": NOT_TRIED,
        "figures": NOT_TRIED,
        "swarm": NOT_TRIED,
    }
    plain = await probe.test_engine(EngineAddress(name="edge", scheme="tcp", host="192.0.2.1"))
    assert isinstance(plain.error, Untrusted)
    assert [step.state for step in plain.steps[:3]] == [FAILED, NOT_TRIED, NOT_TRIED]


@pytest.mark.parametrize(("days", "state"), [(13, WARNED), (15, OK)])
async def test_a_certificate_that_ends_soon_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, days: int, state: StepState, path: Path
) -> None:
    """Fourteen days ahead, ours and the engine's."""
    from fleettop.collectors.address import TlsFiles
    from fleettop.collectors.links import UnixEndpoint

    async def opened(self: TcpLink) -> UnixEndpoint:
        self.expires = self.own_expires = datetime.now(UTC) + timedelta(days=days)
        return UnixEndpoint(str(path))

    monkeypatch.setattr(TcpLink, "open", opened)
    async with engine(path, GOOD):
        found = await probe.test_engine(EngineAddress(name="edge", scheme="tcp", host="edge", tls=TlsFiles()))
    assert found.ok
    by_name = steps(found)
    assert (by_name["certificate"].state, by_name["client certificate"].state) == (state, state)
    assert found.warned is (state is WARNED)
