"""A session: what it lets others ask, and that it can be left at any time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fleettop.collectors import session as module
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.errors import ConnectionLost, NoSocket, Rejected
from fleettop.collectors.model import ContainerKey, LinkPhase
from fleettop.collectors.session import Session

Eventually = Callable[..., Any]


def _nowhere(folder: Path, *names: str) -> list[EngineAddress]:
    return [EngineAddress(name=name, scheme="unix", socket=str(folder / name)) for name in names]


async def test_a_session_is_settled_when_every_engine_has_failed(tmp_path: Path) -> None:
    """Nothing to wait for: all have said why they cannot be reached."""
    async with Session(_nowhere(tmp_path, "a", "b")) as session:
        await session.settled(20)
        for status in session.fleet.engines.values():
            assert isinstance(status.link.error, NoSocket)
        assert session.client("a") is None
        assert session.endpoint("a") is None
        assert session.client("unknown") is None


async def test_settling_ends_with_its_deadline(tmp_path: Path) -> None:
    """Whoever waits is not held up by an engine that says nothing."""
    async with Session(_nowhere(tmp_path, "a")) as session:
        await session.settled(0)
        assert session.fleet.engines["a"].link.error is None


async def test_an_engine_is_tried_at_once_when_asked(tmp_path: Path, eventually: Eventually) -> None:
    """And the count of attempts begins anew."""
    async with Session(_nowhere(tmp_path, "a")) as session:
        await eventually(lambda: session.fleet.engines["a"].link.attempts >= 2)
        session.retry()
        await eventually(lambda: session.fleet.engines["a"].link.attempts == 1)


async def test_leaving_lets_go_of_everything(tmp_path: Path) -> None:
    """Right after the start, stopped, or going on again: no task is left, and the links say that they are closed."""
    before = asyncio.all_tasks()
    async with Session(_nowhere(tmp_path, "a")):
        pass
    async with Session(_nowhere(tmp_path, "a")) as session:
        await session.suspend()
    async with Session(_nowhere(tmp_path, "a")) as session:
        await session.suspend()
        session.resume()
        await session.settled(20)
    assert asyncio.all_tasks() == before
    assert session.fleet.engines["a"].link.phase is LinkPhase.CLOSED


class _Talker:
    """Answers with last words, or as told."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def tail(self, *_: object) -> tuple[str, ...]:
        """The next answer; silence after the last."""
        self.asked += 1
        if not self.answers:
            await asyncio.Event().wait()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, tuple)
        return answer


class _Listener:
    """Takes the place of the fleet: wants the words of one container of each engine until it has heard them."""

    def __init__(self, *engines: str) -> None:
        self.heard: dict[str, tuple[str, ...]] = {}
        self._engines = engines

    @property
    def wanted_words(self) -> frozenset[ContainerKey]:
        """Those not heard yet."""
        return frozenset(ContainerKey(engine, "c") for engine in self._engines if engine not in self.heard)

    def apply(self, change: Any) -> None:
        """The words, when they come."""
        if hasattr(change, "lines"):
            self.heard[change.engine] = change.lines


async def test_last_words_are_asked_for_again_where_the_link_broke(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    """A broken link says nothing about a log; an engine that refuses does. A silent one holds up no other."""
    monkeypatch.setattr(module, "WORDS_EVERY", 0.0)
    monkeypatch.setattr(module, "WORDS_AGAIN", 0.0)
    talkers = {
        "silent": _Talker(),
        "cut": _Talker(ConnectionLost("gone"), ("panic",)),
        "odd": _Talker(Rejected("no log", status=501)),
    }
    session = Session(_nowhere(tmp_path, *talkers))
    listener = _Listener(*talkers)
    monkeypatch.setattr(session, "fleet", listener)
    monkeypatch.setattr(session, "client", talkers.get)
    for name, watch in session._watches.items():
        monkeypatch.setattr(watch, "client", talkers[name])
    reading = asyncio.ensure_future(session._read_words())
    try:
        await eventually(lambda: len(listener.heard) == 2)
        assert listener.heard == {"cut": ("panic",), "odd": ()}
        assert talkers["silent"].asked == 1
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
