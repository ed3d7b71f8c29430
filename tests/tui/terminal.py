"""A terminal for tests: a real pty with a program in it, its screens by pyte, and the modes the program set.

pyte knows one screen and few modes. Here the alternate screen is another one, and what a program asks of its terminal
(mouse, paste, focus, keyboard) is kept, so that a test can see whether it was taken back.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyte

ALTERNATE, CURSOR, WRAP, RESIZES = 1049, 25, 7, 2048
AS_IT_WAS: Mapping[int, bool] = {
    ALTERNATE: False,
    CURSOR: True,
    WRAP: True,
    RESIZES: False,
    **dict.fromkeys((1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2004, 2026), False),
}
"""The private modes of a terminal (xterm's ctlseqs, and the extensions of others) before anything ran in it."""

_SEQUENCE = re.compile(
    r"\x1b\[(?P<prefix>[<=>?]?)(?P<numbers>[0-9;:]*)(?P<final>[ -/]*[@-~])"  # CSI
    r"|\x1b[P\]_^](?P<string>[^\x07\x1b]*)(?:\x07|\x1b\\)"  # DCS, OSC, APC, PM
)
_UNFINISHED = re.compile(r"\x1b(?:\[[ -?]*|[P\]_^][^\x07\x1b]*\x1b?)?\Z")
_COLOURLESS = {0, 1, 2, 3, 4, 7, 9, 21, 22, 23, 24, 27, 29, 39, 49}
_BASIC = {*range(30, 38), *range(40, 48), *range(90, 98), *range(100, 108)}


class Terminal:
    """One program in a terminal of its own; use it as a context, it never outlives that.

    `modern`: a terminal that knows resizes by its own words, synchronised output and kitty's keyboard protocol, and
    says so when asked.
    """

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        columns: int = 100,
        lines: int = 30,
        modern: bool = False,
    ) -> None:
        self.columns, self.rows = columns, lines
        self.modes = dict(AS_IT_WAS)
        self.keyboards = 0
        """How many keyboard protocols (kitty's) are pushed and not popped."""
        self.text = ""
        """All that was written, as it came."""
        self.answers = True
        """Whether it says how it is when asked; a terminal that does not is not of this century."""
        self._modern = modern
        self._main = self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.Stream(self._screen)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        self._gone = False
        self._home = environ.get("HOME", "/nowhere")
        self._master, self._slave = pty.openpty()
        self._set_size()
        self.settings_before = self.settings()
        # setsid makes the pty the program's own terminal (its session's), and then is the program.
        self._process = subprocess.Popen(
            ["setsid", "-c", *command], stdin=self._slave, stdout=self._slave, stderr=self._slave, env=dict(environ)
        )

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the program, whatever it thinks of that."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(10)
        self.hang_up()
        os.close(self._slave)

    # -- what it shows

    def lines(self, *, trailing: bool = False) -> list[str]:
        """The lines that are on the screen now, with or without the spaces at their ends."""
        return [line if trailing else line.rstrip() for line in self._screen.display]

    def shows(self, words: str) -> bool:
        """Whether these words stand somewhere on the screen, in one line."""
        return any(words in line for line in self._screen.display)

    def settings(self) -> list[Any]:
        """The terminal's settings in the kernel (termios)."""
        return termios.tcgetattr(self._slave)

    def left_behind(self) -> dict[str, object]:
        """What is not as it was before the program came: modes, keyboard protocols, settings."""
        found: dict[str, object] = {
            f"mode {mode}": on for mode, on in self.modes.items() if on != AS_IT_WAS.get(mode, False)
        }
        if self.keyboards:
            found["keyboard protocols"] = self.keyboards
        if not self._gone and (settings := self.settings()) != self.settings_before:
            found["settings"] = settings
        return found

    def colours(self) -> set[str]:
        """Every colour code that was written: `basic` for the sixteen, the code itself for any other."""
        found = set()
        for match in _SEQUENCE.finditer(self.text):
            if match["final"] != "m" or match["prefix"]:
                continue
            codes = [int(code or 0) for code in re.split("[;:]", match["numbers"])]
            odd = [code for code in codes if code not in _COLOURLESS]
            if odd:
                found.add("basic" if _BASIC.issuperset(odd) else match["numbers"])
        return found

    # -- waiting

    def until(self, condition: Callable[[], object], timeout: float = 60.0) -> None:
        """Take in what is written until the condition holds; AssertionError with the screen after `timeout` s."""
        end = time.monotonic() + timeout
        while not condition():
            over = self._process.poll() is not None  # asked before reading: nothing can come after
            if not self._take_in(0.05) and (over or time.monotonic() > end):
                why = f"ended with {self._process.returncode}" if over else f"not within {timeout:g} s"
                raise AssertionError(f"{why}; {self.left_behind()}; the screen:\n" + "\n".join(self.lines()))

    def until_shown(self, words: str, timeout: float = 60.0) -> None:
        """Until these words are on the screen."""
        self.until(lambda: self.shows(words), timeout)

    def until_ended(self, timeout: float = 30.0) -> int:
        """The exit code, once the program has ended and all it wrote is taken in; negative: the signal it died of."""
        self.until(lambda: self._process.poll() is not None, timeout)
        while self._take_in(0.0):
            pass
        self._show_crash()
        return self._process.returncode

    def _show_crash(self) -> None:
        """A report of a crash goes with what a failing test shows."""
        for report in Path(self._home).glob(".local/state/fleettop/crashes/*"):
            print(report.read_text())

    def until_stopped(self, timeout: float = 30.0) -> None:
        """Until the program is stopped, as by Ctrl-Z in a shell."""
        self.until(lambda: os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOHANG), timeout)
        while self._take_in(0.0):
            pass

    # -- what a person does

    @property
    def pid(self) -> int:
        """The program's process."""
        return self._process.pid

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self._master, keys)

    def send(self, number: signal.Signals) -> None:
        """Send the program a signal."""
        self._process.send_signal(number)

    def resize(self, columns: int, lines: int) -> None:
        """Drag the window's corner."""
        self.columns, self.rows = columns, lines
        self._set_size()
        for screen in {self._main, self._screen}:
            screen.resize(lines, columns)
        self._tell_size()

    def wipe(self) -> None:
        """Empty the screen, as a shell's `clear` would."""
        self._screen.reset()

    def unread(self) -> bytes:
        """What was typed, or answered, and not read by the program: the next one would get it."""
        settings = self.settings()
        settings[3] &= ~(termios.ICANON | termios.ECHO)
        termios.tcsetattr(self._slave, termios.TCSANOW, settings)
        return os.read(self._slave, 1 << 12) if select.select([self._slave], [], [], 0)[0] else b""

    def hang_up(self) -> None:
        """Close the window: the kernel tells the program, and whatever it reads or writes fails from now on."""
        if not self._gone:
            self._gone = True
            os.close(self._master)

    # -- how

    def _tell_size(self) -> None:
        if self.modes[RESIZES]:
            self.press(b"\x1b[48;%d;%d;0;0t" % (self.rows, self.columns))

    def _set_size(self) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.columns, 0, 0))

    def _take_in(self, timeout: float) -> bool:
        """Draw what the program wrote; False where nothing came in time."""
        if self._gone:
            select.select([], [], [], timeout)
            return False
        if not select.select([self._master], [], [], timeout)[0]:
            return False
        text = self._decode(os.read(self._master, 1 << 16))
        self.text += text
        text = self._rest + text
        unfinished = _UNFINISHED.search(text)
        cut = unfinished.start() if unfinished else len(text)
        text, self._rest = text[:cut], text[cut:]
        at = 0
        for match in _SEQUENCE.finditer(text):
            self._stream.feed(text[at : match.start()])
            at = match.end()
            if not self._understood(match):
                self._stream.feed(match[0])
        self._stream.feed(text[at:])
        return True

    def _understood(self, match: re.Match[str]) -> bool:
        """Do what pyte cannot; False where it can."""
        prefix, numbers, final = match["prefix"], match["numbers"], match["final"]
        if match["string"] is not None:
            return True
        if prefix == "?" and final in ("h", "l"):
            for number in numbers.split(";"):
                self._set_mode(int(number), on=final == "h")
            return numbers not in ("1", "7", "25")
        if final == "u" and prefix in ("<", ">"):
            self.keyboards += 1 if prefix == ">" else -int(numbers or 1)
        elif final == "u" and prefix == "?":
            if self._modern:
                self.press(b"\x1b[?%du" % bool(self.keyboards))
        elif final == "$p":
            mode = int(numbers)
            state = (1 if self.modes.get(mode) else 2) if self._modern else 0
            self.press(b"\x1b[?%d;%d$y" % (mode, state))
        elif final == "n" and numbers == "5" and self.answers:
            self.press(b"\x1b[0n")
        return bool(prefix) or final == "$p"

    def _set_mode(self, mode: int, *, on: bool) -> None:
        if mode == ALTERNATE and on is not self.modes[ALTERNATE]:
            self._screen = pyte.Screen(self.columns, self.rows) if on else self._main
            self._stream = pyte.Stream(self._screen)
        self.modes[mode] = on
        if mode == RESIZES:
            self._tell_size()  # at once when it is set, too
