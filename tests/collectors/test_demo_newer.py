"""The contract of simulated engines once more, with Docker 26 beside a simulated engine of the same version."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.fleet import Fleet

from .demo_shapes import Pair, a_pair
from .test_demo_contract import (
    test_a_restart_is_told_by_the_same_events,
    test_answers_have_the_same_shape,
    test_errors_have_the_same_words,
    test_our_client_reads_both_alike,
    test_our_client_reads_usage_and_swarm_alike,
)

__all__ = [
    "test_a_restart_is_told_by_the_same_events",
    "test_answers_have_the_same_shape",
    "test_errors_have_the_same_words",
    "test_our_client_reads_both_alike",
    "test_our_client_reads_usage_and_swarm_alike",
]
"""With the pair of this module."""


@pytest.fixture
async def pair(newer_fleet: Fleet) -> AsyncIterator[Pair]:
    """Both speak API 1.45."""
    async with a_pair(newer_fleet, "n1", ("1.45", "1.45"), "1.45") as pair:
        yield pair
