"""What the tests of faults share: what one of them loses is found in it, and not in a test long after it."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def _modules_are_no_garbage() -> Iterator[None]:
    """What is there before is not looked through again and again: it makes collecting twenty times as fast."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def _what_is_lost_warns_here(_modules_are_no_garbage: None) -> Iterator[None]:
    """A socket, transport or task that was not closed warns when it is collected, and warnings are errors."""
    yield
    gc.collect()
