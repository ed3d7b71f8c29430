"""A terminal at the far end of a slow line: what either side says arrives half a round trip later, at so many bits a
second, and what waits for that lies in buffers that never push back, as those of sshd and the kernel do."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Mapping, Sequence

from .terminal import Chunk, Terminal

PIECE = 80
"""Bytes that arrive at once: 10 ms of a line of 64 kbit/s."""


class SlowTerminal(Terminal):
    """As a terminal, but far away."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], *, bits: int = 64_000, round_trip: float = 0.3
    ) -> None:
        self._rate, self._delay = bits / 8, round_trip / 2
        self._line: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        self._typed: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        for work in (self._carry, self._carry_keys):
            threading.Thread(target=work, daemon=True).start()
        super().__init__(command, environment)

    def _read(self) -> None:
        free = 0.0
        while True:
            try:
                data = os.read(self._master, 1 << 16)
            except OSError:
                data = b""
            for at in range(0, len(data), PIECE):
                piece = data[at : at + PIECE]
                free = max(free, time.monotonic()) + len(piece) / self._rate
                self._line.put((free + self._delay, piece))
            if not data:
                self._line.put((free + self._delay, b""))
                return

    def _carry(self) -> None:
        rest = b""
        while True:
            when, piece = self._line.get()
            time.sleep(max(0.0, when - time.monotonic()))
            if not piece:
                self._chunks.put(None)
                return
            self._chunks.put(Chunk(piece, time.monotonic(), time.time()))
            rest = self._asked(rest + piece)[-16:]

    def _carry_keys(self) -> None:
        while True:
            when, keys = self._typed.get()
            time.sleep(max(0.0, when - time.monotonic()))
            try:
                os.write(self._master, keys)
            except OSError:
                return

    def _answer(self, answer: bytes) -> None:
        self._typed.put((time.monotonic() + self._delay, answer))

    def press(self, keys: bytes) -> float:
        """Type and return when; it arrives later."""
        now = time.monotonic()
        self._typed.put((now + self._delay, keys))
        return now
