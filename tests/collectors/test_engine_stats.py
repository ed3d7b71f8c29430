"""Two samples of a container's counters make its usage, as `docker stats` would show it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from fleettop.collectors.engine.stats import StatsSample, decode_stats, usage_between
from fleettop.collectors.errors import Malformed
from hypothesis import given
from hypothesis import strategies as st

from .engine_samples import STATS


def sample(podman: bool = False, host_memory: int | None = None, **changes: Any) -> StatsSample:
    found = decode_stats(msgspec.json.encode({**STATS, **changes}), at=5.0, podman=podman, host_memory=host_memory)
    assert found is not None
    return found


def later(before: StatsSample, seconds: float = 2.0, **changes: Any) -> StatsSample:
    return msgspec.structs.replace(
        before, at=before.at + seconds, read=before.read + timedelta(seconds=seconds), **changes
    )


def test_a_sample_holds_the_counters() -> None:
    """Networks are summed; memory is less the inactive file cache."""
    found = sample()
    assert (found.cpu, found.system, found.cpus) == (106249763, 2638800000000, 2)
    assert (found.memory, found.received, found.sent) == (600000, 1050, 8)
    assert found.at == 5.0


@pytest.mark.parametrize(
    ("stats", "memory"),
    [
        ({"inactive_file": 304}, 610000),
        ({"inactive_file": 1, "total_inactive_file": 304}, 610000),
        ({"inactive_file": 999_999_999}, 610304),
        ({"inactive_file": "what"}, 610304),
        ({}, 610304),
        (None, 610304),
    ],
)
def test_memory_is_less_the_inactive_file_cache_of_either_cgroup_version(stats: Any, memory: int) -> None:
    """Never negative; without that figure it is the usage as told."""
    assert sample(memory_stats={"usage": 610304, "stats": stats}).memory == memory


@pytest.mark.parametrize("limit", [None, 0, -1, 2**63 - 4096, 2**64 - 1, 25276514304])
def test_the_hosts_memory_is_no_limit(limit: int | None) -> None:
    """Nor is 0, nor what a cgroup says for "none"."""
    assert sample(memory_stats={"usage": 1, "limit": limit}, host_memory=25276514304).memory_limit is None
    assert sample(memory_stats={"usage": 1, "limit": 1 << 28}, host_memory=25276514304).memory_limit == 1 << 28


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="Podman's empty answer"),
        pytest.param(b"\n", id="an empty line"),
        pytest.param(
            b'{"read":"0001-01-01T00:00:00Z","cpu_stats":{"cpu_usage":{"total_usage":0}}}', id="Docker's zeros"
        ),
        pytest.param(b'{"read":"2026-11-23T16:04:30Z","memory_stats":{}}', id="no counters"),
    ],
)
def test_a_container_that_does_not_run_has_no_sample(body: bytes) -> None:
    """Missing is not zero."""
    assert decode_stats(body, at=0.0) is None


def test_a_sample_of_wrong_types_is_refused() -> None:
    """That reading is refused whole."""
    with pytest.raises(Malformed):
        decode_stats(b'{"read": 5}', at=0.0)


def test_cpu_is_in_percent_of_one_core_by_the_hosts_cpu_clock() -> None:
    """Three quarters of two cores' time are 150 %, whatever the wall clock did meanwhile."""
    before = sample()
    after = later(before, seconds=60, cpu=before.cpu + 1_500_000_000, system=(before.system or 0) + 2_000_000_000)
    used = usage_between(before, after)
    assert used is not None
    assert used.cpu == pytest.approx(150.0)


def test_without_the_hosts_cpu_clock_the_wall_clock_of_the_engine_is_used() -> None:
    """Podman tells something else in its place."""
    before = sample(podman=True)
    assert before.system is None
    used = usage_between(before, later(before, seconds=2.0, cpu=before.cpu + 500_000_000))
    assert used is not None
    assert used.cpu == pytest.approx(25.0)


def test_the_network_is_told_in_bytes_a_second() -> None:
    """Over all networks together."""
    before = sample()
    used = usage_between(before, later(before, seconds=2.0, received=3050, sent=8))
    assert used is not None
    assert (used.received, used.sent) == (1000.0, 0.0)
    assert (used.memory, used.at) == (600000, 7.0)


def test_without_a_network_of_its_own_the_rates_are_not_known() -> None:
    """A container on the host's network has no counters: that is not 0."""
    before = sample(networks=None)
    used = usage_between(before, later(before))
    assert used is not None
    assert (used.received, used.sent) == (None, None)


def test_counters_that_went_backwards_mean_a_restart_in_between() -> None:
    """Nothing can be told of that span."""
    before = sample()
    assert usage_between(before, later(before, cpu=before.cpu - 1)) is None
    assert usage_between(before, before) is None
    assert usage_between(later(before), before) is None
    used = usage_between(before, later(before, received=0))
    assert used is not None
    assert (used.received, used.sent) == (None, 0.0)


COUNTER = st.one_of(st.none(), st.integers(0, 2**64))


@given(st.integers(0, 2**64), st.integers(0, 2**64), COUNTER, COUNTER, COUNTER, COUNTER, st.floats(-5, 1e6))
def test_usage_is_never_negative(
    cpu: int,
    cpu_later: int,
    system: int | None,
    system_later: int | None,
    net: int | None,
    net_later: int | None,
    gap: float,
) -> None:
    """Whatever the counters did."""
    before = msgspec.structs.replace(sample(), cpu=cpu, system=system, received=net)
    used = usage_between(before, later(before, gap, cpu=cpu_later, system=system_later, received=net_later))
    if used is not None:
        assert used.cpu is not None
        assert used.cpu >= 0
        assert used.received is None or used.received >= 0
