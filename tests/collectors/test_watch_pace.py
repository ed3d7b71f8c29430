"""When an engine is asked again, and when a broken link is tried again."""

from __future__ import annotations

import random

import pytest
from fleettop.collectors.clock import ManualClock
from fleettop.collectors.errors import Authentication, EngineError, HostKeyUnknown, Refused
from fleettop.collectors.model import ContainerKey
from fleettop.collectors.watch.backoff import AFTER_DENIAL, LONGEST, Backoff
from fleettop.collectors.watch.interest import Interest
from fleettop.collectors.watch.pace import Coalescer, Pacer


def test_attempts_wait_longer_each_time_up_to_thirty_seconds() -> None:
    """1 s doubling to 30 s, each with jitter downwards."""
    backoff = Backoff(random.Random(1))
    waits = [backoff.next(Refused("no")) for _ in range(8)]
    for wait, full in zip(waits, [1, 2, 4, 8, 16, 30, 30, 30], strict=True):
        assert full / 2 <= wait <= min(full, LONGEST)


def test_an_answer_ends_the_backoff() -> None:
    """After a success the next failure waits a second again."""
    backoff = Backoff(random.Random(1))
    for _ in range(5):
        backoff.next(Refused("no"))
    backoff.reset()
    assert backoff.next(Refused("no")) <= 1.0


@pytest.mark.parametrize("error", [Authentication("no"), HostKeyUnknown("no")])
def test_a_refusal_is_not_hammered(error: EngineError) -> None:
    """F14: what is denied or not trusted is tried again after a minute at the earliest."""
    assert Backoff(random.Random(1)).next(error) >= AFTER_DENIAL


def test_a_poll_waits_three_times_what_its_answer_took() -> None:
    """F4: polls never pile up on a slow link."""
    clock = ManualClock()
    pacer = Pacer(8.0, clock)
    pacer.begin()
    clock.advance(1.0)
    assert pacer.pause == 8.0
    clock.advance(9.0)
    assert pacer.pause == 30.0


async def test_the_first_of_a_burst_is_handed_over_at_once() -> None:
    """After a quiet time nobody waits for the window."""
    clock = ManualClock()
    changes = Coalescer(0.05, clock)
    changes.add("a")
    changes.add("b")
    assert await changes.take() == {"a", "b"}
    assert clock.seconds == ManualClock().seconds


async def test_only_what_newly_comes_into_sight_wakes_the_sampler() -> None:
    """Looking at the same rows again, or at fewer, is no news."""
    interest = Interest()
    interest.look_at([ContainerKey("web-1", "a")])
    await interest.more("web-1", timeout=0)
    interest.look_at([ContainerKey("web-1", "a"), ContainerKey("web-2", "b")])
    assert interest.of("web-1") == {"a"}
    assert interest.of("web-2") == {"b"}
    interest.look_at([ContainerKey("web-1", "a"), ContainerKey("web-1", "c")])
    await interest.more("web-1", timeout=None)
    assert interest.of("web-2") == frozenset()
