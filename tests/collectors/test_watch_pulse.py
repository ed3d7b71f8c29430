"""When an engine is asked whether it is still there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from fleettop.collectors.address import parse_address
from fleettop.collectors.clock import ManualClock
from fleettop.collectors.errors import EngineError, NotAnswering
from fleettop.collectors.model import Confirmed
from fleettop.collectors.watch.events import EventStream
from fleettop.collectors.watch.gaps import Gaps
from fleettop.collectors.watch.listing import ContainerList
from fleettop.collectors.watch.pulse import MEASURE, PING, Pulse

from .watching import FakeClient, Told


class _Over(Exception):
    pass


class Watched:
    """An engine of whose seconds a test decides."""

    def __init__(self, address: str = "ssh://web-1") -> None:
        self.clock, self.told, self.client = ManualClock(), Told(), FakeClient()
        self.events = EventStream("web-1", self.told, self.clock)
        self.list = ContainerList("web-1", self.told, self.clock)
        self._address = parse_address(address, name="web-1")

    async def follow(self, seconds: float, says: Callable[[float], bool] = lambda _: False) -> list[float]:
        """Watch for so long; `says`: in which seconds it says something by itself. When it was asked."""
        asked: list[float] = []
        began = self.clock.monotonic()

        async def sleep(pause: float) -> None:
            until = self.clock.monotonic() + pause
            while self.clock.monotonic() < until:
                self.clock.advance(min(1.0, until - self.clock.monotonic()))
                if says(self.clock.monotonic() - began):
                    self.events.heard_at = self.clock.monotonic()
            if self.clock.monotonic() - began > seconds:
                raise _Over

        def confirmed() -> None:
            if self.client.asked:
                asked.append(self.clock.monotonic() - began)
                self.client.asked.clear()

        gaps = Gaps("web-1", self.events, self.told, self.clock, None)
        pulse = Pulse(self._address, self.list, self.events, gaps, self.told, self.clock, sleep)
        with suppress(_Over):
            await pulse.follow(self.client, confirmed)
        return asked

    @property
    def confirmed_at(self) -> list[float]:
        """The moments at which it is known to have been there."""
        return [change.at for change in self.told.of(Confirmed)]  # type: ignore[union-attr]


async def test_a_silent_engine_is_asked_every_eight_seconds() -> None:
    """Nothing else tells that it is there."""
    assert await Watched().follow(4 * PING) == [PING, 2 * PING, 3 * PING, 4 * PING]


async def test_an_engine_that_speaks_is_not_asked() -> None:
    """What it says by itself confirms it; an engine in a storm of events has no use for more requests."""
    watched = Watched()
    assert await watched.follow(MEASURE - 1, says=lambda second: True) == []
    assert watched.confirmed_at


async def test_it_is_asked_eight_seconds_after_its_last_word() -> None:
    """Silence is noticed as soon as where nothing was ever said."""
    assert await Watched().follow(2 * PING, says=lambda second: second == 5.0) == [5.0 + PING]


async def test_it_is_confirmed_as_of_its_last_word() -> None:
    """And not as of when we looked: that word may be seconds old."""
    watched = Watched()
    began = watched.clock.monotonic()
    await watched.follow(PING, says=lambda second: second == 5.0)
    assert watched.confirmed_at == [began + 5.0]


async def test_how_long_the_way_takes_is_measured_every_half_minute() -> None:
    """Only an answer tells, so one that speaks all the time is asked, too, now and then."""
    asked = await Watched().follow(3 * MEASURE, says=lambda second: True)
    assert asked
    assert max(later - one for one, later in zip([0.0, *asked], asked, strict=False)) <= MEASURE + PING


async def test_one_that_does_not_answer_is_given_up() -> None:
    """Through an open connection it cannot be told whether it is the engine alone or its host."""
    watched = Watched()
    watched.client.silent = NotAnswering("web-1 did not answer.")
    with pytest.raises(EngineError, match="did not answer") as told:
        await watched.follow(PING)
    assert "the next attempt will tell" in told.value.hint


async def test_a_socket_of_this_machine_that_is_silent_is_no_riddle() -> None:
    """There is no cable to be pulled."""
    watched = Watched("unix:///run/docker.sock")
    watched.client.silent = NotAnswering("web-1 did not answer.")
    with pytest.raises(NotAnswering) as told:
        await watched.follow(PING)
    assert "its engine is silent" in told.value.hint


async def test_a_late_answer_is_no_end_where_something_else_was_answered() -> None:
    """The way is narrow then, and not broken; how long it takes is not known."""
    watched = Watched()
    watched.client.silent = NotAnswering("web-1 did not answer.")
    watched.list.answered_at = float("inf")
    await watched.follow(PING)
    assert [change.latency for change in watched.told.of(Confirmed)] == [None]  # type: ignore[union-attr]
