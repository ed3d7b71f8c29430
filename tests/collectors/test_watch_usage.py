"""What is sampled, when, and from where."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fleettop.collectors.clock import ManualClock
from fleettop.collectors.engine.stats import StatsSample
from fleettop.collectors.figures.target import Target
from fleettop.collectors.model import ContainerKey, ContainerState, FiguresWay, UsageSeen
from fleettop.collectors.watch import interest as interest_module
from fleettop.collectors.watch import usage as module
from fleettop.collectors.watch.asked import Rhythm, Slower, Turns
from fleettop.collectors.watch.interest import Interest
from fleettop.collectors.watch.listing import ContainerList
from fleettop.collectors.watch.usage import UsageReader

from .watching import START, FakeClient, Told, container, detailed

Eventually = Callable[..., Any]
AT_ONCE = Rhythm(seen=1e-20, unseen=1e-20, second=0.0)
UNLIMITED = 1e9


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "API", AT_ONCE)
    monkeypatch.setattr(module, "HOST", AT_ONCE)
    monkeypatch.setattr(module, "INSPECTING", 0.0)
    monkeypatch.setattr(interest_module, "MOST", float("inf"))


class FakeHost:
    """Shows the counters of some containers; `fails` once a test says so."""

    def __init__(self, *shown: str) -> None:
        self.shown = {container(name).id for name in shown}
        self.fails = False
        self.asked: list[tuple[str, ...]] = []
        self.closed = False
        self._lost: set[str] = set()

    @property
    def words(self) -> str:
        """How."""
        return "broken" if self.fails else "read there"

    def serves(self, target: Target) -> bool:
        """Yes, until it was looked for in vain."""
        return not self.fails and target.id not in self._lost

    async def read(self, targets: Sequence[Target]) -> dict[str, StatsSample]:
        """A sample of each that is shown."""
        await asyncio.sleep(0)
        self.asked.append(tuple(bytes.fromhex(t.id).rstrip(bytes(1)).decode() for t in targets))
        if self.fails:
            return {}
        self._lost.update(t.id for t in targets if t.id not in self.shown)
        return {t.id: StatsSample(at=1000.0, read=START, cpu=1, memory=7) for t in targets if t.id in self.shown}

    def forget(self, known: frozenset[str]) -> None:
        """Nothing."""

    def close(self) -> None:
        """Told."""
        self.closed = True


class Reading:
    """A reader at work, with all around it."""

    def __init__(self, client: FakeClient, budget: float) -> None:
        self.client, self.told, self.interest, self.clock = client, Told(), Interest(), ManualClock()
        self.containers = ContainerList("web-1", self.told, self.clock)
        self.reader = UsageReader("web-1", self.interest, self.containers, self.told, self.clock, budget)

    def look_at(self, *names: str) -> None:
        """These are on a screen."""
        self.interest.look_at(ContainerKey("web-1", container(name).id) for name in names)

    @property
    def memory(self) -> dict[str, int | None]:
        """The memory that was told, by container id."""
        seen = [change for change in self.told.changes if isinstance(change, UsageSeen)]
        return {i: used.memory for change in seen for i, used in change.usage.items()}


@asynccontextmanager
async def reading(
    client: FakeClient,
    *looked_at: str,
    host: FakeHost | None = None,
    budget: float = UNLIMITED,
    open_screen: bool = True,
) -> AsyncIterator[Reading]:
    """A reader of these containers, at work."""
    stage = Reading(client, budget)
    await stage.containers.read_all(client)
    if open_screen:
        stage.look_at(*looked_at)
    task = asyncio.ensure_future(stage.reader.read(client, host=host))
    try:
        yield stage
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


# -- of the engine


async def test_a_container_without_figures_does_not_hold_up_the_others(eventually: Eventually) -> None:
    """One that never answers with a sample is not asked for alone, for ever."""
    client = FakeClient()
    client.rows = [container("mute"), container("well")]
    async with reading(client, "mute", "well"):
        await eventually(lambda: client.asked.count("sample well") >= 3)


async def test_a_container_that_is_started_while_it_is_looked_at_is_sampled(eventually: Eventually) -> None:
    """Nothing new comes into sight then: the same row begins to run."""
    client = FakeClient()
    client.rows = [container("api", state=ContainerState.EXITED)]
    async with reading(client, "api") as stage:
        client.rows = [container("api")]
        await stage.containers.read_all(client)
        await eventually(lambda: "sample api" in client.asked)


async def test_while_no_screen_is_open_nothing_is_sampled(eventually: Eventually) -> None:
    """What only records or prints has no use for figures: the first sample comes with the first look."""
    client = FakeClient()
    client.rows = [container("api"), container("web")]
    async with reading(client, open_screen=False) as stage:
        await eventually(lambda: ("web-1", "engine") in stage.interest._more)  # it has looked, and waits
        assert "sample api" not in client.asked
        stage.look_at("api")
        await eventually(lambda: "sample api" in client.asked)


async def test_what_is_not_on_screen_is_sampled_too_while_one_is_open(eventually: Eventually) -> None:
    """Sums and the order of rows need all of them."""
    client = FakeClient()
    client.rows = [container("api"), container("web")]
    async with reading(client, "web"):
        await eventually(lambda: "sample api" in client.asked)


async def test_an_engine_is_asked_for_no_more_than_its_budget_allows(eventually: Eventually) -> None:
    """1 % of a core with samples of 4 ms: 100 at once after a calm, and 5 more in 2 s."""
    client = FakeClient()
    client.rows = [container(f"c{number}") for number in range(150)]

    def samples() -> int:
        return sum(asked.startswith("sample") for asked in client.asked)

    async with reading(client, budget=0.01) as stage:
        await eventually(lambda: samples() == 100)
        stage.clock.advance(2.0)
        stage.look_at("c149")
        await eventually(lambda: samples() == 105)


async def test_no_budget_is_no_sample(eventually: Eventually) -> None:
    """`budget = "0%"`: such an engine is not asked for figures at all."""
    client = FakeClient()
    client.rows = [container("api")]
    async with reading(client, "api", budget=0.0) as stage:
        await eventually(lambda: ("web-1", "engine") in stage.interest._more)
        assert "sample api" not in client.asked


# -- of the host


def inspected(name: str, pid: int = 7) -> Any:
    """A container of which it is known where to look."""
    return detailed(container(name), pid=pid)


async def test_what_the_host_shows_is_not_asked_of_the_engine(eventually: Eventually) -> None:
    """A sample costs the engine 4 ms; the counters of the host cost it nothing."""
    client, host = FakeClient(), FakeHost("api", "web")
    client.rows = [inspected("api"), inspected("web")]
    async with reading(client, "web", host=host) as stage:
        await eventually(lambda: len(host.asked) >= 3 and len(stage.memory) == 2)
        assert set(stage.memory.values()) == {7}
        assert not any(asked.startswith("sample") for asked in client.asked)
    assert host.closed


async def test_what_the_host_does_not_show_is_asked_of_the_engine(eventually: Eventually) -> None:
    """Container by container: one that is not found spoils none of the others."""
    client, host = FakeClient(), FakeHost("api")
    client.rows = [inspected("api"), inspected("strange")]
    async with reading(client, "api", "strange", host=host) as stage:
        await eventually(lambda: "sample strange" in client.asked and stage.memory)
        assert "sample api" not in client.asked


async def test_when_the_host_fails_the_engine_is_asked_and_the_reason_is_told(
    eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Docker's API is the fallback, and a person can see which way is taken."""
    client, host = FakeClient(), FakeHost("api")
    client.rows = [inspected("api")]
    async with reading(client, "api", host=host) as stage:
        await eventually(lambda: host.asked)
        host.fails = True
        await eventually(lambda: "sample api" in client.asked)
        ways = [change.words for change in stage.told.changes if isinstance(change, FiguresWay)]
        assert ways[0] == "read there"


async def test_a_container_that_is_not_inspected_yet_is_waited_for(eventually: Eventually) -> None:
    """Only an inspect tells its first process, and with that where its counters lie."""
    client, host = FakeClient(), FakeHost("api")
    client.rows = [container("api")]
    async with reading(client, "api", host=host) as stage:
        await eventually(lambda: ("web-1", "host") in stage.interest._more)
        assert host.asked == []
        client.rows = [inspected("api")]
        await stage.containers.read_all(client)
        await eventually(lambda: stage.memory)
        assert "sample api" not in client.asked


# -- turns


def test_what_is_on_screen_without_a_figure_comes_first_then_one_of_the_rest_after_four() -> None:
    """Rows that come into sight fill first; after that the rest is not left out for ever."""
    clock = ManualClock()
    turns = Turns(Rhythm(seen=3.0, unseen=30.0, second=0.3), clock)
    shown, rest = [f"s{n}" for n in range(5)], [f"r{n}" for n in range(3)]
    assert turns.in_one_row(shown, rest) == shown
    turns.asked(shown)
    clock.advance(0.5)
    assert turns.in_one_row(shown, rest) == shown  # the second sample tells a rate
    turns.asked(shown)
    assert turns.in_one_row(shown, rest) == rest
    clock.advance(3.0)
    assert turns.in_one_row(shown, rest) == ["s0", "s1", "s2", "s3", "r0", "s4", "r1", "r2"]


def test_the_longest_not_asked_for_is_next() -> None:
    """So each gets its turn, however few can be asked for at a time."""
    clock = ManualClock()
    turns = Turns(Rhythm(seen=1.0, unseen=10.0, second=0.5), clock)
    for name in ("b", "a", "c"):
        turns.asked([name])
        clock.advance(1.0)
    assert turns.due(["a", "b", "c"], [])[0] == ["b", "a", "c"]
    assert turns.until_next([], ["a", "b"]) == 7.0
    turns.forget(frozenset({"a"}))
    assert turns.until_next([], ["b"]) == 0.0
    assert turns.until_next([], []) is None


def test_a_large_fleet_is_sampled_slower_and_what_nobody_sees_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """All engines share what we spend on figures; what an engine no longer wants is the others'."""
    monkeypatch.setattr(interest_module, "MOST", 60.0)
    interest = Interest()
    assert interest.slower("web-1", "engine", 20.0, 30.0) == Slower(1.0, 1.0)
    assert interest.slower("web-2", "engine", 20.0, 30.0) == Slower(1.0, 3.0)
    assert interest.slower("web-3", "host", 80.0, 0.0) == Slower(2.0, 4.0)
    assert interest.slower("web-3", "host", 0.0, 0.0) == Slower(1.0, 3.0)
    interest.slower("web-2", "engine", 0.0, 0.0)
    assert interest.slower("web-1", "engine", 20.0, 30.0) == Slower(1.0, 1.0)


def test_turns_are_stretched_by_how_large_the_fleet_is() -> None:
    """The first two samples of what comes on screen, which make its first figure, are not."""
    clock = ManualClock()
    turns = Turns(Rhythm(seen=3.0, unseen=30.0, second=0.3), clock)
    turns.slower = Slower(4.0, 2.0)
    turns.asked(["a", "b"])
    assert turns.until_next(["a"], ()) == pytest.approx(0.3)
    clock.advance(0.3)
    turns.asked(["a", "b"])
    assert turns.until_next(["a"], ()) == pytest.approx(12.0)
    assert turns.until_next((), ["b"]) == pytest.approx(60.0)
