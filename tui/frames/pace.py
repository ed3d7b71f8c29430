"""When the next frame may go: the terminal is asked after each one, and its answer says that it has taken it in.

Between a program and a screen there are buffers that hold seconds of frames where the line is slow. A frame that waits
here is no frame yet: what has changed since is in it when it goes.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress

QUESTION = "\x1b[5n"
"""Device status report: what every terminal answers, in two bytes of content."""
ANSWER = "\x1b[0n"
FIRST = 1.0
"""Seconds in which a terminal answers its first question, or is taken for one that never does."""
PATIENCE = 5.0
"""Seconds after which an answer is taken for lost, from a terminal that has answered before."""
PAUSE = 0.05
"""Seconds between two frames where no answers tell."""
HURRY = 0.15
"""Seconds after a key in which what it did is in the next frame."""
HURRIED = 2048
"""Bytes that may be on their way and a frame that a person waits for still goes: less than a third of a second of a
line of 64 kbit/s. Waiting for the answer would add a whole round trip to each key."""


class Pace:
    """The questions that are open. `answered` and `pressed` may be called from another thread."""

    def __init__(self) -> None:
        self.speaks: bool | None = None
        """Whether the terminal answers; None: not known yet."""
        self._open: deque[tuple[float, int]] = deque()
        """When each was asked, and the bytes that went with it."""
        self._pressed = self._sent = float("-inf")
        self._quiet = threading.Event()
        self._quiet.set()

    def begin(self, now: float) -> str:
        """A terminal that may be another one: what to write to learn whether it answers."""
        self.speaks = None
        self._open.clear()
        return self._ask(now, 0)

    def sent(self, now: float, size: int) -> str:
        """A frame goes; what to write after it."""
        self._sent = now
        if self.speaks is False:
            return ""
        return self._ask(now, size)

    def _ask(self, now: float, size: int) -> str:
        self._quiet.clear()
        self._open.append((now, size))
        return QUESTION

    def answered(self) -> None:
        """The terminal has taken in what went before its oldest open question."""
        self.speaks = True
        with suppress(IndexError):  # none was open, or it was taken for lost just now
            self._open.popleft()
        if not self._open:
            self._quiet.set()

    def pressed(self, now: float) -> None:
        """A person waits for something now."""
        self._pressed = now

    def wait(self, now: float, *, drained: bool) -> float:
        """Seconds until it is worth asking again; 0: a frame may go now. `drained`: nothing waits to be written."""
        if self.speaks is False:
            return max(0.0, self._sent + PAUSE - now) if drained else PAUSE
        questions = tuple(self._open)  # as they are now: an answer may arrive meanwhile, in its thread
        under_way = sum(size for _, size in questions)
        if not under_way or (now - self._pressed < HURRY and under_way <= HURRIED):
            return 0.0
        since, _ = questions[0]
        patience = since + (FIRST if self.speaks is None else PATIENCE) - now
        if patience > 0:
            return patience
        if not drained:
            return PAUSE  # it is not the answer that is missing: the line takes nothing in
        self._open.clear()
        self._quiet.set()
        self.speaks = None if self.speaks else False
        return 0.0

    def settle(self, timeout: float) -> None:
        """Block until each question is answered, so that no answer arrives at whoever has the terminal next."""
        if self.speaks:
            self._quiet.wait(timeout)
