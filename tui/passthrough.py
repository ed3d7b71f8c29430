"""The terminal given to a program in a container: keys go there as they are, what it shows comes here as it is.

Ctrl+] pressed three times within a second leaves it. Not ssh's own `Enter ~ .`: who sits here over ssh would cut that.
What the program left set (the alternate screen, mouse, keyboard) is put back, also where its connection broke off.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import termios
import tty
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from fleettop.collectors.clock import Clock, SystemClock

LEAVES = "ctrl+] three times"
"""The detach key, in words."""
_LEAVE = re.compile(rb"\x1d|\x1b\[93;5u")
"""Ctrl+], and the same where the program has asked for kitty's keyboard protocol."""
_TIMES, _WITHIN = 3, 1.0
_CHUNK = 1 << 16
_USUAL = {7: True, 25: True}
"""The private modes that are set in a terminal by itself (line wrap, the cursor); all others are not."""
_MODES = re.compile(rb"\x1b\[\?([0-9;]+)([hl])|\x1b\[([<>])([0-9]*)u")
_BEGUN = re.compile(rb"\x1b(?:\[[<>?]?[0-9;]{0,32})?\Z")
_TIDY = b"\x1b[0m\x1b[4l\x1b(B\x0f\x1b>\x1b7\x1b[r\x1b8"
"""Plain text, no insert mode, the usual letters and keypad, and all lines scroll; harmless where it is so already."""


def spoken(environ: Mapping[str, str]) -> dict[str, str]:
    """What a program in a container is told of this terminal: its kind, and nothing else of this machine."""
    kind = environ.get("TERM", "")
    return {"TERM": kind} if re.fullmatch(r"[\w.+-]{1,40}", kind, re.ASCII) else {}


class DetachKey:
    """Looks through what is typed for the detach key."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._times: list[float] = []

    def pressed(self, typed: bytes) -> bool:
        """Whether these bytes complete it. Pressed once or twice it is the program's."""
        rest = _LEAVE.sub(b"", typed)
        if rest:
            self._times.clear()
            return False
        now = self._clock.monotonic()
        self._times += [now] * len(_LEAVE.findall(typed))
        self._times = [at for at in self._times if now - at <= _WITHIN]
        return len(self._times) >= _TIMES


class Leftovers:
    """What a program sets in the terminal and does not take back."""

    def __init__(self) -> None:
        self._modes: dict[int, bool] = {}
        self._keyboards = 0
        self._rest = b""

    def saw(self, data: bytes) -> None:
        """It wrote that."""
        text = self._rest + data
        for match in _MODES.finditer(text):
            if match[1]:
                on = match[2] == b"h"
                self._modes |= {int(number): on for number in match[1].split(b";") if number}
            elif match[3] == b">":
                self._keyboards += 1
            else:
                self._keyboards = max(0, self._keyboards - int(match[4] or 1))
        begun = _BEGUN.search(text)
        self._rest = text[begun.start() :] if begun else b""

    def undone(self) -> bytes:
        """What puts all of it back."""
        wrong = {number: on for number, on in self._modes.items() if on is not _USUAL.get(number, False)}
        back = b"".join(b"\x1b[?%d%s" % (number, b"l" if on else b"h") for number, on in sorted(wrong.items()))
        keyboards = b"\x1b[<%du" % self._keyboards if self._keyboards else b""
        return b"\x18" + keyboards + back + _TIDY  # CAN: ends a sequence that was cut off in its midst


class Passthrough:
    """A terminal, as `run_at_terminal` wants one."""

    def __init__(self, keyboard: int, screen: int, *, clock: Clock | None = None) -> None:
        """Read keys from one file descriptor and write to the other."""
        self._keyboard = keyboard
        self._screen = screen
        self._clock = clock or SystemClock()
        self._changed = asyncio.Event()
        self._detach = DetachKey(self._clock)
        self._leftovers = Leftovers()

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines."""
        with suppress(OSError):
            found = os.get_terminal_size(self._screen)
            if found.columns and found.lines:
                return found.columns, found.lines
        return 80, 24

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Raw while it is inside; afterwards as it was, whatever happened."""
        before = None
        with suppress(termios.error):
            before = termios.tcgetattr(self._keyboard)
        handler = signal.getsignal(signal.SIGWINCH)
        loop = asyncio.get_running_loop()
        self._leftovers = Leftovers()
        try:
            loop.add_signal_handler(signal.SIGWINCH, self._changed.set)
            if before is not None:
                tty.setraw(self._keyboard, termios.TCSANOW)
            yield
        finally:
            loop.remove_signal_handler(signal.SIGWINCH)
            signal.signal(signal.SIGWINCH, handler if handler is not None else signal.SIG_DFL)
            with suppress(OSError):
                _write(self._screen, self._leftovers.undone())
            if before is not None:
                with suppress(termios.error):
                    termios.tcsetattr(self._keyboard, termios.TCSANOW, before)

    async def keys(self) -> bytes:
        """What was typed next; empty: the detach key, or the terminal is gone."""
        await _readable(self._keyboard)
        try:
            typed = os.read(self._keyboard, _CHUNK)
        except OSError:
            return b""
        return b"" if self._detach.pressed(typed) else typed

    async def show(self, data: bytes) -> None:
        """Write it, in a thread: a slow terminal must not keep the events of the engines waiting."""
        self._leftovers.saw(data)
        with suppress(OSError):
            await asyncio.to_thread(_write, self._screen, data)

    async def resized(self) -> None:
        """Return when the window's size has changed."""
        await self._changed.wait()
        self._changed.clear()


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
