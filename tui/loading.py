"""The garbage collector, kept out of the way while the program is loaded."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """What is made meanwhile lives as long as the program: collecting it is in vain, now (a tenth of the start) and
    later (a full collection took 70 to 120 ms with it, a frame of the screen each)."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
