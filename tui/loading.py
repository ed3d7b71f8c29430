"""The garbage collector, kept out of the way while the program is loaded and its first screen is made.

What is made meanwhile lives as long as the program: collecting it is in vain, now (a tenth of the start) and later (a
full collection took 70 to 120 ms with it, a frame of the screen each).
"""

from __future__ import annotations

import gc


def begin() -> None:
    """A dashboard is to be opened."""
    gc.disable()


def done() -> None:
    """Its first frame stands. Nothing happens where nothing began, as in a test."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
