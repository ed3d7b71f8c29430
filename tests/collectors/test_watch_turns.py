"""When the watch of an engine gets its place among the logins at a jump host."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.clock import SystemClock
from fleettop.collectors.errors import TimedOut
from fleettop.collectors.links import HandshakeGate, Turn
from fleettop.collectors.links.handshakes import FIRST_TURN
from fleettop.collectors.links.sshoptions import Hop
from fleettop.collectors.model import Health
from fleettop.collectors.watch import backoff
from fleettop.collectors.watch.interest import Interest
from fleettop.collectors.watch.supervisor import EngineWatch
from fleettop.collectors.watch.swarm import Clusters

from .watching import container


class Silence(HandshakeGate):
    """Behind it nobody answers; it notes who came with which turn."""

    def __init__(self) -> None:
        super().__init__()
        self.turns: list[Turn] = []

    @asynccontextmanager
    async def slot(self, hop: Hop, turn: Turn = FIRST_TURN) -> AsyncIterator[None]:
        self.turns.append(turn)
        raise TimedOut(f"{hop.host} does not answer.")
        yield


@pytest.fixture
async def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Silence, EngineWatch]]:
    """A watch that tries again at once."""
    monkeypatch.setattr(backoff, "FIRST", 0.0)
    (tmp_path / "config").write_text("")
    gate, clock = Silence(), SystemClock()
    watch = EngineWatch(
        EngineAddress(name="web-1", scheme="ssh", host="web-1.invalid", ssh_config=tmp_path / "config"),
        publish=lambda _: None,
        first_address=lambda: None,
        other_addresses=lambda: (),
        gate=gate,
        clusters=Clusters(),
        interest=Interest(),
        read_only=True,
        clock=clock,
    )
    task = asyncio.create_task(watch.run())
    yield gate, watch
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_an_engine_that_does_not_answer_lets_others_go_first(
    gate: tuple[Silence, EngineWatch], eventually: Any
) -> None:
    """From the fourth attempt on; until a person asks for it."""
    silence, watch = gate
    await eventually(lambda: len(silence.turns) > 5)
    assert [turn.silent for turn in silence.turns[:6]] == [False, False, False, True, True, True]
    watch.retry()
    tried = len(silence.turns)
    await eventually(lambda: any(not turn.silent for turn in silence.turns[tried - 1 :]))


async def test_an_engine_in_trouble_goes_before_calm_ones(gate: tuple[Silence, EngineWatch], eventually: Any) -> None:
    """What was known of it when it was lost decides."""
    silence, watch = gate
    await eventually(lambda: silence.turns)
    assert silence.turns[0].calm
    api = container("api", health=Health.UNHEALTHY)
    watch._list.known = {api.id: api}
    await eventually(lambda: not silence.turns[-1].calm)
