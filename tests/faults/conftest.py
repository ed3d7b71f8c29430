"""What the tests of faults share: what one of them loses is found in it, and not in a test long after it."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _what_is_lost_warns_here() -> Iterator[None]:
    """A socket, transport or task that was not closed warns when it is collected, and warnings are errors."""
    yield
    gc.collect()
