"""The garbage collector, kept out of the way while the program is loaded, its first screen made, and the fleet met.

What is made meanwhile lives as long as the program: collecting it is in vain, now (a tenth of the start) and later (a
full collection took 70 to 120 ms with it, a frame of the screen each).
"""

from __future__ import annotations

import gc

YOUNG = 10_000
"""New objects between two collections (CPython: 700). Most of ours are freed by their counts; 2 MiB are not much."""


def begin() -> None:
    """A dashboard is to be opened."""
    gc.disable()


def done() -> None:
    """Its first frame stands. Nothing happens where nothing began, as in a test."""
    if not gc.isenabled():
        gc.freeze()
        gc.set_threshold(YOUNG)
        gc.enable()


def met() -> None:
    """The whole fleet is met: its tasks, links and sockets stay, too. Nothing happens where nothing began.

    A full collection took 0.15 to 0.4 s with a thousand engines, each time; a screen that stands still that long.
    """
    if gc.get_threshold()[0] == YOUNG:
        gc.freeze()
