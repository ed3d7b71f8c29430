"""The terminal under the program: Textual's driver, and what it leaves undone when the terminal goes, or comes back."""

from __future__ import annotations

import codecs
import os
import select
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.events import InputEvent
from textual.message import Message

from .frames import Frames
from .keyboard import Keyboard

HUNG_UP = 128 + signal.SIGHUP
"""The exit code, as a shell has it for a program whose terminal was closed."""


class Ending(threading.Event):
    """An event that a `select` sees: who waits for keys need not look up every so often (a fifth of the CPU, idle)."""

    def __init__(self) -> None:
        super().__init__()
        self._out, self._in = os.pipe()

    def fileno(self) -> int:
        """Readable once it is set."""
        return self._out

    def set(self) -> None:
        """Wake whoever selects."""
        super().set()
        os.write(self._in, b"!")

    def clear(self) -> None:
        """As before it was set."""
        super().clear()
        while select.select([self._out], [], [], 0)[0]:
            os.read(self._out, 64)

    def __del__(self) -> None:
        os.close(self._out)
        os.close(self._in)


class TerminalDriver(LinuxDriver):
    """As Textual's, but a terminal that is gone ends the program, and one that comes back is drawn anew.

    Textual 8.2.8 by itself: a failed write ends its writing thread and the next thirty writes block the event loop for
    good; a failed read ends the app with a traceback and exit code 0; mode 1016 stays set where 2048 is known; on
    SIGCONT it starts a second time where it was not suspended before (`kill -STOP`), and draws only what changes; a
    lone Esc waits up to twice its delay (ESCDELAY), and a terminal that reads as ended keeps a core busy.
    """

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        assert self._file is not None
        self._file = cast("Any", TerminalFile(self._file, self._hung_up))
        self._ending = self.exit_event = Ending()
        self._queued = 0
        self.frames = Frames(app, self, self._loop)
        """The way for all that is drawn; `write` is for the rest."""
        chords = getattr(app, "chords", frozenset[str]())
        self._keyboard = Keyboard(debug, chords=chords, answered=self.frames.answered)
        self.lent = False
        """Whether somebody else has the terminal now: nothing is written to it, and no key is read."""

    @contextmanager
    def lend(self) -> Iterator[tuple[int, int]]:
        """Give the terminal away, as it was before fleettop came; where to read keys, and where to write.

        The app goes on meanwhile. Afterwards all of it is drawn anew; not where the app has ended by then.
        """
        self.suspend_application_mode()
        self.lent = True
        self._writer_thread = None
        self._in_band_window_resize = False
        try:
            yield self.fileno, cast("IO[str]", self._file).fileno()
        finally:
            if self.lent:
                self.lent = False
                self.resume_application_mode()
                self._app.call_later(self._app.refresh, layout=True)

    def write(self, data: str) -> None:
        """Write, unless the terminal is lent."""
        if not self.lent:
            self._queued += len(data)
            super().write(data)

    @property
    def drained(self) -> bool:
        """Whether the kernel has taken all that was written."""
        return cast("TerminalFile", self._file).passed_on >= self._queued

    def disable_input(self) -> None:
        """Read no keys any more; before, let answers that are on their way come in."""
        self.frames.end()
        super().disable_input()

    def process_message(self, message: Message) -> None:
        """Pass on what the terminal says; a key and the mouse want to see what they do."""
        if isinstance(message, InputEvent):
            self.frames.pressed()
        super().process_message(message)

    def close(self) -> None:
        """Let go of the terminal."""
        if not self.lent:
            super().close()

    def stop_application_mode(self) -> None:
        """Give the terminal back for good, or until it is taken again. Where it is lent it has been given back."""
        if self.lent:
            self.lent = False
            return
        super().stop_application_mode()  # type: ignore[no-untyped-call,unused-ignore]

    @property
    def tells_keys_apart(self) -> bool:
        """Whether ctrl+enter is another key than enter here: the terminal has said that it speaks kitty's protocol."""
        return self._keyboard.tells_keys_apart

    def start_application_mode(self) -> None:
        """Take the terminal, and ask which keyboard it has."""
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual has no types for it
        if self._writer_thread is not None:
            self.write("\x1b[?u")
            self.frames.begin()

    def stop_process(self) -> None:
        """Give the terminal back and stop, as Ctrl-Z does; returns when the process is continued."""
        self.suspend_application_mode()
        self._writer_thread = None
        self._in_band_window_resize = False  # until the terminal says again that it tells of its size by itself
        os.kill(os.getpid(), signal.SIGSTOP)

    def _sigtstp_application(self, *_: object) -> None:
        """Stopped from outside: the app does it, once it has let go of its engines."""
        if self.lent:
            return
        self._app.call_later(self._app.run_action, "command('app.suspend')")

    def _sigcont_application(self, *_: object) -> None:
        """Continued: take the terminal again where it was given back. What is on it is not known any more."""
        if self.lent:
            return
        if self._writer_thread is None:
            self.resume_application_mode()
        else:
            self._loop.call_soon_threadsafe(self.frames.begin)
        self._app.call_later(self._app.refresh, layout=True)

    def _hung_up(self) -> None:
        self.frames.lost()
        self._app.call_later(self._app.exit, HUNG_UP, HUNG_UP)

    def run_input_thread(self) -> None:
        """Read keys and what the terminal says, and pass them on, until told to stop."""
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        while not self.exit_event.is_set():
            patience = self._keyboard.patience  # None: for ever
            if self.fileno in select.select([self.fileno, self._ending], [], [], patience)[0]:
                read = os.read(self.fileno, 1 << 12)
                if not read:
                    self._hung_up()
                    return
                if text := decode(read):  # an empty text would end the parser
                    for message in self._keyboard.feed(text):
                        self.process_message(message)
            for message in self._keyboard.tick():
                self.process_message(message)

    def _run_input_thread(self) -> None:
        """Read keys until told to stop; a terminal that cannot be read is gone."""
        try:
            self.run_input_thread()
        except OSError:
            self._hung_up()
        except Exception as error:
            self._app.call_later(self._app._handle_exception, error)

    def _disable_mouse_support(self) -> None:
        super()._disable_mouse_support()
        if self._mouse_pixels:
            self.write("\x1b[?1016l")
            self._mouse_pixels = False


class TerminalFile:
    """A terminal to write to. When it is gone, says so once, and what is written goes nowhere from then on."""

    def __init__(self, file: IO[str], gone: Callable[[], None]) -> None:
        self._file = file
        self._gone = gone
        self._written = 0
        self.passed_on = 0
        """How many characters have gone to the terminal, and do not wait here."""

    def write(self, text: str) -> int:
        """Write, now or with the next flush."""
        self._written += len(text)
        try:
            return self._file.write(text)
        except OSError:
            self._lose()
            return len(text)

    def flush(self) -> None:
        """Write what is kept."""
        try:
            self._file.flush()
        except OSError:
            self._lose()
        self.passed_on = self._written

    def fileno(self) -> int:
        """The descriptor of the terminal."""
        return self._file.fileno()

    def _lose(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._file.fileno())  # else the interpreter fails to flush at its end: exit code 120
        os.close(nowhere)
        self._gone()
