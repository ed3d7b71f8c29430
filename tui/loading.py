"""The garbage collector, kept out of the way of what lives as long as the program."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG = 10_000
"""New objects between two collections (CPython: 700). Most of ours are freed by their counts; 2 MiB are not much."""


@contextmanager
def loading() -> Iterator[None]:
    """What is made meanwhile lives as long as the program: collecting it is in vain, now (a tenth of the start) and
    later (a full collection took 70 to 120 ms with it, a frame of the screen each)."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(YOUNG)
        gc.enable()


def met() -> None:
    """The whole fleet is met: its tasks, links and sockets stay. They are no longer gone through again and again.

    A full collection took 0.15 to 0.4 s with a thousand engines, each time; a screen that stands still that long.
    """
    gc.freeze()
