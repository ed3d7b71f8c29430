"""A program in a pseudo-terminal of its own, watched byte by byte.

A thread does nothing but read and stamp, so that the time of an output is known to a millisecond, however long the
emulation of the screen (pyte) takes after it. Questions a program asks its terminal are answered as a modern one would.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import queue
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import pyte

from .processes import tree

COLUMNS, LINES = 200, 50
APPLICATION_KEYS = 1 << 5  # DECCKM (private mode 1), as pyte counts private modes
THREAD_SWITCH = 0.0005
"""Seconds after which the emulation lets the reading thread go first; Python's own are ten times that."""

# What pyte would misunderstand: sequences with < > = (keyboards, modifiers), questions about modes, DCS, APC.
_UNSPOKEN = re.compile(
    r"\x1b\[[<>=][0-9;]*[@-~]|\x1b\[\?[0-9;]*\$p|\x1b\[\?[0-9;]*u|\x1b[P_^][^\x1b\x07]*(?:\x1b\\|\x07)"
)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-9;:<>=? $]*|[P_^\]][^\x1b\x07]*\x1b?)?\Z")
_ANSWERS = (
    (re.compile(rb"\x1b\[0?c"), b"\x1b[?62;22c"),
    (re.compile(rb"\x1b\[\?2026\$p"), b"\x1b[?2026;2$y"),
    (re.compile(rb"\x1b\[\?2048\$p"), b"\x1b[?2048;0$y"),
    (re.compile(rb"\x1b\[5n"), b"\x1b[0n"),
    (re.compile(rb"\x1b\[6n"), b"\x1b[1;1R"),
    (re.compile(rb"\x1b\]11;\?(?:\x07|\x1b\\)"), b"\x1b]11;rgb:0000/0000/0000\x1b\\"),
    (re.compile(rb"\x1b\]10;\?(?:\x07|\x1b\\)"), b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\"),
)

Cells = list[dict[int, pyte.screens.Char]]


class Chunk(NamedTuple):
    """What one read brought."""

    data: bytes
    monotonic: float
    wall: float


class Terminal:
    """One program, started at once; `started` is when. Close it, whatever happens."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        sys.setswitchinterval(THREAD_SWITCH)
        self._screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.Stream(self._screen)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        self._chunks: queue.SimpleQueue[Chunk | None] = queue.SimpleQueue()
        self.ended = False
        self.written = 0
        """Bytes the program has written."""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self.started = time.monotonic()
        # setsid makes the terminal the program's own, and then is the program.
        self._process = subprocess.Popen(
            ["setsid", "-c", *command], stdin=slave, stdout=slave, stderr=slave, env=dict(environment), close_fds=True
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, name="terminal", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The program's process."""
        return self._process.pid

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 1 << 16)
            except OSError:  # Linux says EIO where the other end is closed
                data = b""
            stamp = Chunk(data, time.monotonic(), time.time())
            if not data:
                self._chunks.put(None)
                return
            self._chunks.put(stamp)
            self._asked(data)

    def _asked(self, data: bytes) -> bytes:
        """Answer each question in it; what follows the last."""
        end = 0
        for question, answer in _ANSWERS:
            for match in question.finditer(data):
                self._answer(answer)
                end = max(end, match.end())
        return data[end:]

    def _answer(self, answer: bytes) -> None:
        os.write(self._master, answer)

    # -- the screen

    def next_chunk(self, timeout: float) -> Chunk | None:
        """The next output, not yet drawn; None where none came in time."""
        if self.ended:
            return None
        try:
            chunk = self._chunks.get(timeout=max(0.0, timeout))
        except queue.Empty:
            return None
        if chunk is None:
            self.ended = True
        return chunk

    def draw(self, chunk: Chunk) -> None:
        """Let the emulated screen take an output in."""
        self.written += len(chunk.data)
        text = self._rest + self._decode(chunk.data)
        unfinished = _UNFINISHED.search(text)
        cut = unfinished.start() if unfinished else len(text)
        self._rest = text[cut:]
        self._stream.feed(_UNSPOKEN.sub("", text[:cut]))

    def lines(self) -> list[str]:
        """The text on the screen."""
        buffer = self._screen.buffer
        return ["".join(buffer[y][x].data for x in range(COLUMNS)).rstrip() for y in range(LINES)]

    def ground(self, x: int, y: int) -> str:
        """The background of a cell; where it is reversed, its ink."""
        char = self._screen.buffer[y][x]
        return char.fg if char.reverse else char.bg

    def cells(self) -> Cells:
        """Text, colours and attributes of every cell, to compare with later."""
        self._screen.dirty.clear()
        return [dict(self._screen.buffer[y]) for y in range(LINES)]

    def differs(self, before: Cells) -> bool:
        """Whether any cell is other than it was."""
        blank = self._screen.default_char
        for y in self._screen.dirty:
            now, then = self._screen.buffer[y], before[y]
            if any(now.get(x, blank) != then.get(x, blank) for x in range(COLUMNS)):
                return True
        return False

    # -- waiting

    def pass_time(self, seconds: float) -> None:
        """Draw what comes, for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self.ended:
            if chunk := self.next_chunk(left):
                self.draw(chunk)

    def settle(self, quiet: float, timeout: float) -> bool:
        """Draw what comes until nothing has come for `quiet` seconds; False where that never was."""
        end = time.monotonic() + timeout
        while time.monotonic() < end and not self.ended:
            chunk = self.next_chunk(quiet)
            if chunk is None:
                return True
            self.draw(chunk)
        return False

    def until(self, condition: Callable[[], bool], timeout: float) -> Chunk | None:
        """Draw until the condition holds and return the output that made it so; None where it never did."""
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0 and not self.ended:
            if chunk := self.next_chunk(left):
                self.draw(chunk)
                if condition():
                    return chunk
        return None

    # -- keys, and the end

    def arrow(self, *, up: bool = False) -> float:
        """Press an arrow key, as the program asked its terminal to spell it, and return when."""
        before = b"\x1bO" if APPLICATION_KEYS in self._screen.mode else b"\x1b["
        return self.press(before + (b"A" if up else b"B"))

    def press(self, keys: bytes) -> float:
        """Type and return when."""
        now = time.monotonic()
        os.write(self._master, keys)
        return now

    def close(self) -> None:
        """End the program and those it started: politely, then for good."""
        for number, patience in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 2.0)):
            for pid in reversed(tree(self.pid)):
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    continue
            try:
                self._process.wait(patience)
                break
            except subprocess.TimeoutExpired:
                continue
        self._reader.join(1)
        os.close(self._master)
