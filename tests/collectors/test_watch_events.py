"""How an engine's events are followed, and how it is known whether any were lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest
from fleettop.collectors.clock import ManualClock, nanoseconds
from fleettop.collectors.errors import ConnectionLost
from fleettop.collectors.model import EngineEvent, EventsSeen, GapSeen
from fleettop.collectors.watch import events as module
from fleettop.collectors.watch.events import FILTERS, OVERLAP_NS, PAST, EventStream

from .watching import START, FakeClient, Told, event


def _stream() -> tuple[EventStream, Told, FakeClient]:
    told = Told()
    return EventStream("web-1", told, ManualClock(wall=START)), told, FakeClient()


def _seen(told: Told) -> list[EngineEvent]:
    return [one for change in told.of(EventsSeen) for one in change.events]  # type: ignore[union-attr]


async def _follow(stream: EventStream, client: FakeClient, until: Callable[[], bool]) -> list[EngineEvent]:
    named: list[EngineEvent] = []
    tasks = [
        asyncio.ensure_future(stream.read(client)),
        asyncio.ensure_future(stream.deliver(named.append, named.append, lambda: None)),
    ]
    while not until():
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return named


async def test_the_past_the_engine_remembers_is_taken_in_on_the_first_connection() -> None:
    """Everything in the ring, marked as from before we looked, and no gap: there was nothing to lose yet."""
    stream, told, client = _stream()
    client.ring = [event(1, "die"), event(2, "start")]
    assert await stream.replay(client, until=START)
    (change,) = told.of(EventsSeen)
    assert isinstance(change, EventsSeen)
    assert change.replayed
    assert [one.action for one in change.events] == ["die", "start"]
    assert client.filters == [None]


async def test_an_event_that_comes_twice_is_told_once() -> None:
    """F6: resuming overlaps, and duplicates are dropped by their identity."""
    stream, told, client = _stream()
    client.ring = [event(1, "die"), event(2, "start")]
    await stream.replay(client, until=START)
    client.live = [event(2, "start"), event(3, "die")]
    await _follow(stream, client, lambda: len(told.changes) == 2)
    assert [one.action for one in _seen(told)] == ["die", "start", "die"]


async def test_nothing_is_lost_while_the_ring_still_holds_the_last_event() -> None:
    """After a short cut the engine remembers what we had last: the replay is complete."""
    stream, _, client = _stream()
    client.ring = [event(1, "die")]
    await stream.replay(client, until=START)
    client.ring = [event(1, "die"), event(2, "start")]
    assert await stream.replay(client, until=START)


async def test_a_ring_without_the_last_event_means_that_some_were_lost() -> None:
    """F5: a restarted daemon remembers nothing, an overrun ring only what came later."""
    stream, _, client = _stream()
    client.ring = [event(1, "die")]
    await stream.replay(client, until=START)
    client.ring = [event(9, "start")]
    assert not await stream.replay(client, until=START)


@pytest.mark.parametrize(
    ("count", "seconds", "took", "emptied"),
    [
        (0, 0, 0.01, True),
        (3, 5, 0.01, True),
        (120, 60, 0.01, True),
        (256, 60, 0.01, False),
        (250, 60, 0.01, False),
        (3, 5, 2.0, False),
        (100, 0.05, 0.01, False),
    ],
)
async def test_a_ring_that_is_too_short_to_be_overrun_is_that_of_a_daemon_started_anew(
    count: int, seconds: float, took: float, emptied: bool
) -> None:
    """An overrun ring is full but for what came while it was read; where that may have been much, it is not known."""
    clock, client = ManualClock(wall=START), FakeClient()
    stream = EventStream("web-1", Told(), clock)
    client.ring = [event(1, "die")]
    await stream.replay(client, until=START)
    assert not stream.emptied
    begin = START - timedelta(seconds=seconds)
    step = timedelta(seconds=seconds / count if count else 0)
    client.ring = [msgspec.structs.replace(event(100 + n, "start"), time=begin + step * n) for n in range(count)]
    client.on_events = lambda: clock.advance(took)
    assert not await stream.replay(client, until=START)
    assert stream.emptied is emptied


async def test_health_check_noise_is_left_out_of_an_unfiltered_replay() -> None:
    """The filter of the live stream holds for the ring too."""
    stream, told, client = _stream()
    client.ring = [event(1, "exec_start"), event(2, "exec_die"), event(3, "attach"), event(4, "die")]
    await stream.replay(client, until=START)
    assert [one.action for one in _seen(told)] == ["die"]


async def test_the_live_stream_is_filtered_by_the_engine() -> None:
    """exec_start and exec_die never cross the wire."""
    stream, told, client = _stream()
    client.live = [event(1, "die")]
    await _follow(stream, client, lambda: bool(told.changes))
    assert client.filters == [FILTERS]
    assert not any("exec_start".startswith(name) for name in FILTERS["event"])


async def test_events_that_change_a_container_name_it() -> None:
    """die and health_status are looked into; an exec or a network's events are not."""
    stream, told, client = _stream()
    client.live = [
        event(1, "die", "api"),
        event(2, "exec_create", "db"),
        event(3, "connect", "net", type="network"),
        event(4, "health_status", "web", argument="unhealthy"),
    ]
    named = await _follow(stream, client, lambda: bool(told.changes))
    assert [one.name for one in named] == ["api", "web"]


async def test_events_beyond_the_queue_are_counted_in_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """F21: the reader never waits; what does not fit is a gap that says how many."""
    monkeypatch.setattr(module, "QUEUE", 10)
    stream, told, client = _stream()
    client.live = [event(number / 10, "die", f"c{number}") for number in range(15)]
    await _follow(stream, client, lambda: bool(told.of(GapSeen)))
    (gap,) = told.of(GapSeen)
    assert isinstance(gap, GapSeen)
    assert gap.cause.startswith("5 events")
    assert len(_seen(told)) == 10


async def test_a_stream_that_the_engine_ends_is_a_lost_connection() -> None:
    """F5: a daemon that is shut down in order ends its streams properly; nothing would ever be heard again."""
    stream, told, client = _stream()
    client.live, client.ends = [event(1, "die")], True
    with pytest.raises(ConnectionLost):
        await stream.read(client)
    assert not told.changes  # what came before the end is delivered with the next connection


async def test_what_follows_an_empty_past_is_asked_for_by_the_engines_clock() -> None:
    """F8: an engine an hour behind ours has no events yet: the live stream begins where its past was read to."""
    stream, _, client = _stream()
    client.ends = True
    until = START - timedelta(hours=1)
    await stream.replay(client, until=until)
    with pytest.raises(ConnectionLost):
        await stream.read(client)
    assert client.since == [1, nanoseconds(until) - OVERLAP_NS]


async def test_the_clock_of_another_manager_does_not_hide_what_comes_next() -> None:
    """F7: an event of the swarm may carry a time that is ahead: the stream is resumed before that."""
    stream, _, client = _stream()
    client.ring, client.ends = [event(3600, "update", type="service")], True
    await stream.replay(client, until=START)
    with pytest.raises(ConnectionLost):
        await stream.read(client)
    assert client.since[1] == nanoseconds(START) - OVERLAP_NS


async def test_an_empty_past_that_was_empty_before_proves_nothing() -> None:
    """F5: a daemon without events that was restarted looks as before: nobody can say that nothing was lost."""
    stream, _, client = _stream()
    assert await stream.replay(client, until=START)
    assert not await stream.replay(client, until=START)


async def test_any_event_that_we_had_proves_the_ring_whole() -> None:
    """F7: the ring loses its oldest first, whatever the times in it say."""
    stream, _, client = _stream()
    client.ring = [event(1, "die"), event(2, "start")]
    await stream.replay(client, until=START)
    client.ring = [event(1, "die"), event(9, "kill")]
    assert await stream.replay(client, until=START)


async def test_what_happened_to_containers_in_the_past_is_handed_over() -> None:
    """An event between the list and the replay is no news to the live stream: its container is read again here."""
    stream, _, client = _stream()
    client.ring = [event(1, "exec_create", "api"), event(2, "die", "web")]
    named: list[EngineEvent] = []
    await stream.replay(client, until=START, on_container=named.append)
    assert [one.name for one in named] == ["web"]


async def test_podman_is_not_asked_for_weeks() -> None:
    """It keeps its events in a file: at first the last hour, then what came since."""
    stream, _, client = _stream()
    client.podman = True
    client.ring = [event(-60, "die")]
    await stream.replay(client, until=START)
    await stream.replay(client, until=START)
    assert client.since == [nanoseconds(START - PAST), event(-60, "die").time_nano - OVERLAP_NS]


async def test_a_stream_that_is_silent_for_long_is_opened_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """F2: only this connection has no question on it that would tell that it was dropped on the way."""
    monkeypatch.setattr(module, "SILENCE", 0.01)
    stream, told, client = _stream()
    task = asyncio.ensure_future(_follow(stream, client, lambda: len(told.changes) == 1))
    while len(client.since) < 2:
        await asyncio.sleep(0)
    client.live = [event(5, "die")]
    await task
    assert [one.action for one in _seen(told)] == ["die"]


async def test_containers_of_events_beyond_the_queue_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """F21: what does not fit is not told, but its container is looked at."""
    monkeypatch.setattr(module, "QUEUE", 1)
    stream, told, client = _stream()
    client.live = [event(1, "die", "api"), event(2, "die", "web")]
    named = await _follow(stream, client, lambda: bool(told.of(GapSeen)))
    assert [one.name for one in named] == ["api", "web"]


async def test_a_second_address_goes_on_where_the_first_one_ended() -> None:
    """F22: what the first had is not told again, and the ring shows that nothing was missed in between."""
    first, _, client = _stream()
    client.ring = [event(1, "die")]
    await first.replay(client, until=START)
    second, told, _ = _stream()
    second.inherit(first)
    client.ring.append(event(2, "start"))
    assert await second.replay(client, until=START)
    assert [one.action for one in _seen(told)] == ["start"]


async def test_a_signal_alone_is_no_reason_to_read_its_container() -> None:
    """What a `kill` does, its `die` tells: a restart is read when it has ended and when it has begun, not before."""
    stream, told, client = _stream()
    client.live = [event(1, "kill", "api"), event(2, "die", "web")]
    named = await _follow(stream, client, lambda: len(_seen(told)) == 2)
    assert [one.name for one in named] == ["web"]
