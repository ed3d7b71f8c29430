"""What is kept of the figures, and what may be spent on them."""

from __future__ import annotations

import sys

import pytest
from fleettop.collectors.clock import ManualClock
from fleettop.collectors.figures.budget import SAVED, Budget
from fleettop.collectors.figures.history import SLOT, SLOTS, History
from fleettop.collectors.model import Usage
from hypothesis import given
from hypothesis import strategies as st


def used(at: float, cpu: float | None = 1.0, memory: int | None = 100) -> Usage:
    """A sample."""
    return Usage(cpu=cpu, memory=memory, memory_limit=None, received=None, sent=None, at=at)


def test_samples_within_ten_seconds_are_one_point() -> None:
    """The mean of them; what is not known is left out of it."""
    history = History()
    for at, cpu in ((100.0, 10.0), (102.0, 20.0), (104.0, 60.0)):
        history.add(used(at, cpu))
    assert history.cpu(105.0)[-1] == pytest.approx(30.0)
    assert history.memory(105.0)[-1] == 100.0
    assert history.cpu(105.0)[:-1] == [None] * (SLOTS - 1)


def test_time_without_samples_is_a_hole_and_not_a_zero() -> None:
    """A graph shows where nothing was read."""
    history = History()
    history.add(used(100.0, 5.0))
    history.add(used(130.0, 7.0))
    assert history.cpu(130.0)[-5:] == [None, 5.0, None, None, 7.0]
    assert history.cpu(150.0)[-3:] == [7.0, None, None]
    assert history.cpu(100.0 + SLOT * SLOTS * 2) == [None] * SLOTS


def test_a_sample_from_before_the_newest_point_is_left_out() -> None:
    """Answers of two ways may overtake each other."""
    history = History()
    history.add(used(130.0, 7.0))
    history.add(used(100.0, 5.0))
    assert history.cpu(130.0)[-4:] == [None, None, None, 7.0]


@given(
    st.lists(
        st.tuples(st.floats(0, 10**6), st.none() | st.floats(0, 10**5), st.none() | st.integers(0, 2**40)), max_size=200
    ),
    st.floats(0, 2 * 10**6),
)
def test_it_never_grows_and_never_invents(samples: list[tuple[float, float | None, int | None]], now: float) -> None:
    """60 points at most, within what was told; the memory is that of the points that are known."""
    history = History()
    for at, cpu, memory in sorted(samples, key=lambda sample: sample[0]):
        history.add(used(at, cpu, memory))
    told = [cpu for _, cpu, _ in samples if cpu is not None]
    points = [point for point in history.cpu(now) if point is not None]
    assert len(history.cpu(now)) == len(history.memory(now)) == SLOTS
    assert all(min(told) * 0.999 - 1e-3 <= point <= max(told) * 1.001 + 1e-3 for point in points)
    known = len({int(at // SLOT) for at, _, _ in samples})
    assert sys.getsizeof(history._points) + sys.getsizeof(history) < 300 + 26 * min(known, SLOTS)


def test_a_budget_comes_in_evenly_and_is_saved_for_a_while() -> None:
    """1 % of a core: 10 ms a second, 40 s of it at once after a calm."""
    clock = ManualClock()
    budget = Budget(0.01, clock)
    assert budget.afford(0.004, 1000) == int(0.01 * SAVED / 0.004)
    budget.spend(0.01 * SAVED)
    assert budget.afford(0.004, 5) == 0
    assert budget.wait(0.004) == pytest.approx(0.4)
    clock.advance(1.0)
    assert budget.afford(0.004, 5) == 2
    assert budget.wait(0.004) == 0.0
    clock.advance(10 * SAVED)
    assert budget.afford(0.004, 10**6) == int(0.01 * SAVED / 0.004)


def test_without_a_budget_nothing_is_ever_afforded() -> None:
    """`0%`."""
    budget = Budget(0.0, ManualClock())
    assert budget.afford(0.004, 1) == 0
    assert budget.wait(0.004) is None
