"""What became of a change whose answer was lost: found later, recorded, told, and never sent again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from fleettop.collectors import looseends as module
from fleettop.collectors.actions import Deed, Mark, Outcome, Reach, Step, StepResult
from fleettop.collectors.errors import EngineError, NotAnswering
from fleettop.collectors.journal import Journal
from fleettop.collectors.links.base import UnixEndpoint
from fleettop.collectors.looseends import LooseEnds
from fleettop.collectors.model import (
    Attribution,
    Container,
    ContainerDetail,
    ContainerState,
    EventsSeen,
    Record,
    RecordKind,
)

from .watched import NOON, Watched, compose, container

API = container("h1", "api", labels=compose("pay", "api"))
BEFORE = Mark(state=ContainerState.RUNNING, started_at=NOON - timedelta(hours=1), stop_timeout=1)
RESTART = Step(engine="h1", deed=Deed.RESTART, object_id=API.id, object_name="api")
UNKNOWN = StepResult(step=RESTART, outcome=Outcome.UNKNOWN, words="h1 was lost", before=BEFORE)


class Looked:
    """An engine that can be looked at: `way` says whether there is a way to it, `found` what an inspect gives."""

    def __init__(self, watched: Watched, *, names: tuple[str, ...] = ("h1",)) -> None:
        self.watched = watched
        self.way = False
        self.names = names
        self.found: Container | EngineError | None = _run(NOON - timedelta(hours=1))
        self.asked = 0
        self.told: list[StepResult] = []
        self.ends = LooseEnds(watched.fleet, self.reach, self.told.append)
        self.journal = Journal(watched.fleet, actor="ops1@bastion", loose_ends=self.ends)

    def reach(self, engine: str) -> Reach | None:
        """The way."""
        if not self.way or engine not in self.names:
            return None
        return Reach(endpoint=UnixEndpoint("/nowhere"), api="1.41", client=self)

    async def inspect(self, container_id: str, /) -> Container | None:
        """What was found."""
        assert container_id == API.id
        self.asked += 1
        if isinstance(self.found, EngineError):
            raise self.found
        return self.found

    def lose(self, result: StepResult = UNKNOWN) -> None:
        """A change of which no answer came."""
        self.journal.record_outcome(self.journal.record_intent(result.step, reason="FT-1"), result)

    @property
    def outcomes(self) -> list[Record]:
        """What is on record of how it went."""
        return [record for record in self.watched.records() if record.kind is RecordKind.OUTCOME]


def _run(started: Any, state: ContainerState = ContainerState.RUNNING) -> Container:
    return msgspec.structs.replace(API, state=state, detail=ContainerDetail(started_at=started))


@asynccontextmanager
async def looking(looked: Looked) -> AsyncIterator[Looked]:
    """The watch over loose ends, running."""
    task = asyncio.ensure_future(looked.ends.watch())
    try:
        yield looked
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY", 0.0)


async def test_an_unknown_outcome_is_found_when_the_engine_answers_again(eventually: Any) -> None:
    """F23: what was found is a record of its own after that which said unknown, with who and why."""
    async with looking(Looked(Watched())) as looked:
        looked.lose()
        assert [record.what for record in looked.outcomes] == ["restart: unknown, h1 was lost"]
        looked.way, looked.found = True, NotAnswering("h1 is silent")
        await eventually(lambda: looked.asked > 2)
        assert len(looked.outcomes) == 1
        looked.found = _run(NOON + timedelta(seconds=4))
        await eventually(lambda: not looked.ends.open)
        unknown, found = looked.outcomes
        assert unknown.trouble
        assert not found.trouble
        assert found.what.startswith("restart: success, unknown at first; looked again at ")
        assert found.what.endswith(": done")
        assert (found.actor, found.reason) == ("ops1@bastion", "FT-1")
        assert [result.outcome for result in looked.told] == [Outcome.SUCCESS]
        asked = looked.asked
        await asyncio.sleep(0)
        assert looked.asked == asked


async def test_what_the_engine_does_after_the_answer_was_lost_is_ours_until_it_was_found(eventually: Any) -> None:
    """The trail does not say that someone else did what we asked for."""
    watched = Watched()
    watched.list("h1", API)
    async with looking(Looked(watched)) as looked:
        looked.lose()
        watched.clock.advance(60)
        watched.play("kill(15) die(143) stop start restart", API)
        (record,) = [r for r in watched.records() if r.kind is RecordKind.EVENT]
        assert (record.actor, record.attribution) == ("ops1@bastion", Attribution.OWN)
        looked.way, looked.found = True, _run(watched.clock.now())
        await eventually(lambda: not looked.ends.open)
    watched.clock.advance(60)
    watched.play("kill(15) die(143) stop start restart", API)
    assert watched.records()[-1].attribution is Attribution.UNKNOWN


async def test_an_engine_that_is_back_may_still_be_at_it_for_a_while(eventually: Any) -> None:
    """Not done so far is looked at again, until the time to stop and some more are over: then it is told as it is."""
    watched = Watched()
    async with looking(Looked(watched)) as looked:
        looked.lose()
        looked.way = True
        await eventually(lambda: looked.asked > 2)
        assert len(looked.outcomes) == 1
        watched.clock.advance(BEFORE.stop_timeout + module.STILL_AT_IT)
        await eventually(lambda: not looked.ends.open)
    found = looked.outcomes[-1]
    assert found.what.startswith("restart: unknown, unknown at first; looked again at ")
    assert found.what.endswith("as before: not done so far")
    assert found.trouble


async def test_what_nothing_can_tell_of_is_not_kept() -> None:
    """A known outcome, a service of a swarm, a clone whose id did not come back: the record says all there is."""
    looked = Looked(Watched())
    service = msgspec.structs.replace(RESTART, kind="service", deed=Deed.REPLACE)
    clone = msgspec.structs.replace(RESTART, deed=Deed.CLONE)
    for step, outcome in ((service, Outcome.UNKNOWN), (clone, Outcome.UNKNOWN), (RESTART, Outcome.FAILURE)):
        looked.lose(StepResult(step=step, outcome=outcome, words="lost"))
    assert looked.ends.open == 0
    looked.watched.fleet.apply(EventsSeen(engine="h1", events=()))
    assert len(looked.outcomes) == 3


async def test_it_is_looked_for_over_another_address_of_the_engine_too(eventually: Any) -> None:
    """The one it was sent over may never come back."""
    watched = Watched("h1", "two", empty=False)
    for name in ("h1", "two"):
        watched.up(name, identifier="SAME", hostname="web-1")
    async with looking(Looked(watched, names=("two",))) as looked:
        looked.lose()
        watched.down("h1")
        looked.way, looked.found = True, _run(NOON + timedelta(seconds=4))
        await eventually(lambda: looked.told)
    assert looked.told[0].outcome is Outcome.SUCCESS


async def test_whoever_waits_for_them_is_let_go_when_there_are_none_or_in_time(eventually: Any) -> None:
    """The command line waits a little before it leaves."""
    async with looking(Looked(Watched())) as looked:
        await looked.ends.tied(20)
        looked.lose()
        await looked.ends.tied(0)
        assert looked.ends.open == 1
        looked.way, looked.found = True, _run(NOON + timedelta(seconds=4))
        await looked.ends.tied(20)
        assert looked.ends.open == 0
