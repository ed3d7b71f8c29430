"""What a host answers is understood whole or refused, and turned into what the engine would have told."""

from __future__ import annotations

import pytest
from fleettop.collectors.engine.stats import usage_between
from fleettop.collectors.figures.answer import Answer, Counters, sample_of, understood
from hypothesis import given
from hypothesis import strategies as st

NUMBERS = st.none() | st.integers(0, 10**19)
COUNTERS = st.builds(Counters, cpu=NUMBERS, memory=NUMBERS, inactive_file=NUMBERS, received=NUMBERS, sent=NUMBERS)


def line(place: int, counters: Counters) -> str:
    """As the command prints it."""
    values = (counters.cpu, counters.memory, counters.inactive_file, counters.received, counters.sent)
    return f"{place} " + " ".join("-" if value is None else str(value) for value in values)


@given(st.dictionaries(st.integers(1, 10**5), COUNTERS, max_size=20), st.integers(1, 10**6), st.integers(0, 10**9))
def test_every_answer_is_understood_as_it_was_meant(
    counters: dict[int, Counters], number: int, hundredths: int
) -> None:
    """Each counter by itself may be unknown, which is not 0."""
    uptime = f"{hundredths // 100}.{hundredths % 100:02}"
    lines = [f"at {number} {uptime}", *(line(place, one) for place, one in counters.items())]
    assert understood(lines, number) == Answer(float(uptime), counters)
    assert understood(lines, number + 1) is None


@given(st.lists(st.text(max_size=40), max_size=5))
def test_anything_else_is_refused_and_raises_nothing(lines: list[str]) -> None:
    """What a host prints is foreign: only lines of numbers count."""
    answer = understood(lines, 1)
    assert answer is None or lines[0].startswith("at 1 ")


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["at 1"],
        ["1 2 3 4 5 6"],
        ["at 1 5.00", "1 2 3 4 5"],
        ["at 1 5.00", "1 2 3 4 5 6", "1 2 3 4 5 6"],
        ["at 1 5.00", "1 -2 3 4 5 6"],
        ["at 1 5.00", "1 2 3 4 5 6 "],
        ["at 1 5.00", "1 ٢ 3 4 5 6"],
        ["at 1 5.00", "1 " + "9" * 21 + " 3 4 5 6"],
    ],
)
def test_half_an_answer_is_none(lines: list[str]) -> None:
    """Cut, doubled, negative, or no number: the whole answer is refused."""
    assert understood(lines, 1) is None


def test_cpu_is_by_the_hosts_own_clock() -> None:
    """However long the answer was on its way: 1 s of CPU within 2 s there is 50 % of a core."""
    before = sample_of(Counters(cpu=10**9), at=7.0, since_boot=100.0, limit=None)
    after = sample_of(Counters(cpu=2 * 10**9), at=60.0, since_boot=102.0, limit=None)
    assert before is not None
    assert after is not None
    used = usage_between(before, after)
    assert used is not None
    assert used.cpu == pytest.approx(50.0)
    assert used.at == 60.0


def test_without_a_counter_of_cpu_there_is_no_sample() -> None:
    """It does not run, or cannot be read."""
    assert sample_of(Counters(cpu=None, memory=5), at=0, since_boot=0, limit=None) is None


@pytest.mark.parametrize(
    ("memory", "inactive", "shown"),
    [(100, 30, 70), (100, 100, 100), (100, 130, 100), (100, None, 100), (None, 3, None)],
)
def test_memory_is_counted_as_docker_stats_does(memory: int | None, inactive: int | None, shown: int | None) -> None:
    """Less the inactive file cache, where that is less than all of it."""
    found = sample_of(Counters(cpu=1, memory=memory, inactive_file=inactive), at=0, since_boot=0, limit=1 << 20)
    assert found is not None
    assert (found.memory, found.memory_limit) == (shown, 1 << 20)
