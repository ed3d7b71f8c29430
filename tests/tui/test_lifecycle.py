"""The dashboard as a process in a real terminal: how it comes, is stopped, goes on, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from fleettop.collectors.demo import DemoFleet

from .recording import Recorder
from .terminal import Terminal

Eventually = Callable[..., object]
Start = Callable[..., Terminal]

DEMO = ("demo", "--engines", "2", "--containers", "6")
PATCHED = "import sys\nfrom fleettop.tui import app, cli\n{patch}\nsys.exit(cli.main(sys.argv[1:]))\n"
"""The program with something in it replaced."""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A home with nothing in it, a terminal of 256 colours, UTF-8."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    return {**kept, "HOME": str(tmp_path), "TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONWARNINGS": "error"}


@pytest.fixture
def start(environ: dict[str, str]) -> Iterator[Start]:
    """Start fleettop in a terminal; with `patch`, lines that are run before."""
    started: list[Terminal] = []

    def start(*arguments: str, patch: str = "", modern: bool = False, **more: str) -> Terminal:
        program = ("-c", PATCHED.format(patch=patch)) if patch else ("-m", "fleettop.tui")
        terminal = Terminal([sys.executable, *program, *arguments], {**environ, **more}, modern=modern)
        started.append(terminal)
        return terminal

    yield start
    for terminal in started:
        with terminal:
            pass


def demo(start: Start, **how: object) -> Terminal:
    """The dashboard on a small simulated fleet, with its services on the screen."""
    terminal = start(*DEMO, **how)
    terminal.until_shown("pay/api")
    return terminal


# -- leaving -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("modern", [False, True], ids=["plain", "modern"])
def test_q_leaves_the_terminal_as_it_was(start: Start, modern: bool) -> None:
    """Exit 0; screen, cursor, mouse, paste, focus, keyboard and settings as before, on old and new terminals."""
    terminal = demo(start, modern=modern)
    assert terminal.left_behind()
    terminal.press(b"q")
    assert terminal.until_ended() == 0
    assert terminal.left_behind() == {}
    assert terminal.lines() == [""] * terminal.rows


@pytest.mark.parametrize(
    ("key", "shown"),
    [(b"1", r" ✖ pay/api"), (b"/", r" / "), (b"?", r".*─ Keys ─"), (b"R", r".* Cancel ")],
    ids=["table", "filter", "help", "question"],
)
def test_ctrl_c_leaves_from_everywhere(start: Start, key: bytes, shown: str) -> None:
    """In a field, on a page and in a dialog as in the table: exit 0, terminal as it was."""
    terminal = demo(start)
    terminal.press(key)
    terminal.until(lambda: any(re.match(shown, line) for line in terminal.lines(trailing=True)))
    terminal.press(b"\x03")
    assert terminal.until_ended() == 0
    assert terminal.left_behind() == {}


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=lambda v: str(v)
)
def test_a_signal_that_ends_it_leaves_the_terminal_as_it_was(start: Start, number: signal.Signals, code: int) -> None:
    """Exit 128 + the signal, as a shell has it; nothing left behind, nothing printed."""
    terminal = demo(start)
    terminal.send(number)
    assert terminal.until_ended() == code
    assert terminal.left_behind() == {}
    assert terminal.lines() == [""] * terminal.rows


def test_a_closed_window_ends_it_at_once(start: Start) -> None:
    """Reads and writes fail from then on: it ends all the same, within a second or two, as by SIGHUP."""
    terminal = demo(start)
    terminal.hang_up()
    assert terminal.until_ended(5) == 129


def test_a_closed_window_ends_it_without_being_told(start: Start) -> None:
    """Where no SIGHUP comes (another session's leader has the terminal), failing writes are enough."""
    terminal = demo(start, patch="app.FleetApp.end_by = lambda *_: None")
    terminal.hang_up()
    assert terminal.until_ended(10) == 129


def test_a_crash_says_where_the_report_lies(start: Start, tmp_path: Path) -> None:
    """Exit 70, the terminal as it was, two lines instead of a traceback, and the traceback in a private file."""
    terminal = start(*DEMO, patch="app.FleetApp._tick = lambda self, changed: 1 / 0")
    assert terminal.until_ended(60) == 70
    assert terminal.left_behind() == {}
    said = "".join(terminal.lines())
    assert "fleettop itself failed (ZeroDivisionError: division by zero)" in said
    assert "Traceback" not in said
    report = Path(re.search(r"report to send along is (\S+\.txt)\.", said)[1])
    assert report.is_relative_to(tmp_path)
    assert report.stat().st_mode & 0o777 == 0o600
    assert "ZeroDivisionError" in report.read_text()


# -- being stopped -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("modern", [False, True], ids=["plain", "modern"])
def test_ctrl_z_gives_the_terminal_back_and_fg_draws_all_again(start: Start, modern: bool) -> None:
    """Stopped, the terminal is as it was; continued, everything stands there again, in the size it has now."""
    terminal = demo(start, modern=modern)
    terminal.press(b"\x1a")
    terminal.until_stopped()
    assert terminal.left_behind() == {}
    terminal.resize(110, 26)
    terminal.send(signal.SIGCONT)
    for words in ("fleettop   2 hosts", "1 Services", "LAST CHANGE", "pay/api", "? help"):
        terminal.until_shown(words)
    terminal.until(lambda: len(terminal.lines()[0]) > 100)
    terminal.press(b"q")
    assert terminal.until_ended() == 0
    assert terminal.left_behind() == {}


def test_sigtstp_stops_it_as_ctrl_z_does(start: Start) -> None:
    """Sent by another program, the terminal is given back just so, and in a dialog too."""
    terminal = demo(start)
    terminal.press(b"?")
    terminal.until_shown("Keys")
    terminal.send(signal.SIGTSTP)
    terminal.until_stopped()
    assert terminal.left_behind() == {}
    terminal.send(signal.SIGCONT)
    terminal.until_shown("Keys")
    terminal.until_shown("1│")


def test_stopped_from_outside_it_comes_back_once(start: Start) -> None:
    """After SIGSTOP and SIGCONT, of which it learns too late, it is drawn anew and still leaves nothing behind."""
    terminal = demo(start)
    terminal.send(signal.SIGSTOP)
    terminal.until_stopped()
    terminal.wipe()
    terminal.send(signal.SIGCONT)
    for words in ("1 Services", "LAST CHANGE", "? help"):
        terminal.until_shown(words)
    terminal.press(b"q")
    assert terminal.until_ended() == 0
    assert terminal.left_behind() == {}


def test_ctrl_l_draws_the_screen_anew(start: Start) -> None:
    """What something else wrote over it is gone; by itself nobody would know of it."""
    terminal = demo(start)
    terminal.wipe()
    terminal.press(b"\x0c")
    terminal.until_shown("pay/api")
    for words in ("1 Services", "LAST CHANGE", "? help"):
        terminal.until_shown(words)
    assert terminal.shows("pay/worker")


def test_a_terminal_that_answers_no_question_gets_its_frames(start: Start) -> None:
    """They are paced by time then; keys do what they do."""
    terminal = start(*DEMO)
    terminal.answers = False
    terminal.until_shown("pay/api")
    for key, words in ((b"2", "CONTAINER"), (b"?", "Keys"), (b"\x1b", "CONTAINER"), (b"1", "LAST CHANGE")):
        terminal.press(key)
        terminal.until_shown(words)
    terminal.press(b"q")
    assert terminal.until_ended() == 0


def test_no_answer_of_the_terminal_is_left_to_the_shell(start: Start) -> None:
    """Leaving, it takes in what the terminal still has to say: else that would stand at the prompt."""
    terminal = demo(start)
    terminal.press(b"2\x1b[B\x1b[Bq")
    assert terminal.until_ended() == 0
    assert terminal.unread() == b""


async def test_event_streams_are_closed_before_it_stops(start: Start, eventually: Eventually) -> None:
    """No engine waits for a stopped process to take its events; continued, it lists anew and the gap is on record."""
    recorder = Recorder()
    async with AsyncExitStack() as stack:
        fleet = await stack.enter_async_context(DemoFleet(engines=2, containers=6))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ft-")))
        addresses = [
            await stack.enter_async_context(recorder.before(address.socket, folder / f"{address.name}.sock"))
            for address in fleet.addresses
        ]
        terminal = start(*(f"unix://{address}" for address in addresses))
        await eventually(lambda: len(recorder.streams) == len(addresses), timeout=60)
        await asyncio.to_thread(terminal.until_shown, "pay/api")
        terminal.press(b"\x1a")
        await asyncio.to_thread(terminal.until_stopped)
        await eventually(lambda: recorder.streams == [])
        before = len(recorder.requests)
        terminal.send(signal.SIGCONT)
        await eventually(lambda: len(recorder.streams) == len(addresses), timeout=60)
        assert any("/containers/json" in path for _, path in recorder.requests[before:])
        terminal.press(b"4")
        await asyncio.to_thread(terminal.until_shown, "fleettop was stopped")
        terminal.press(b"q")
        assert await asyncio.to_thread(terminal.until_ended) == 0


# -- what is typed -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("modern", [False, True], ids=["plain", "modern"])
def test_esc_counts_whatever_arrives_with_it(start: Start, modern: bool) -> None:
    """Over a slow line Esc comes in one piece with the next key, another Esc, or a word of the terminal's own."""
    terminal = demo(start, modern=modern)
    for company, shown in (
        (b"", "LAST CHANGE"),
        (b"2", "CONTAINER"),
        (b"1", "LAST CHANGE"),
        (b"\x1b3", "local socket"),
        (b"\x1b[?2026;2$y", "local socket"),
        (b"\x1b[I1", "LAST CHANGE"),
        (b"\x1b[?1u", "LAST CHANGE"),
        (b"\x1b[B3", "local socket"),
    ):
        terminal.press(b"?")
        terminal.until_shown("─ Keys ─")
        terminal.press(b"\x1b" + company)
        terminal.until(lambda shown=shown: terminal.shows(shown) and not terminal.shows("─ Keys ─"))
    terminal.press(b"\x03")
    assert terminal.until_ended() == 0
    assert terminal.left_behind() == {}


def test_esc_counts_when_the_program_is_too_busy_to_look(start: Start) -> None:
    """Esc and the next key, pressed while it is stopped and longer apart than Esc waits, are read at once."""
    terminal = demo(start)
    terminal.press(b"?")
    terminal.until_shown("─ Keys ─")
    terminal.send(signal.SIGSTOP)
    terminal.until_stopped()
    terminal.press(b"\x1b")
    terminal.press(b"3")
    terminal.send(signal.SIGCONT)
    terminal.until_shown("local socket")
    terminal.press(b"\x03")
    assert terminal.until_ended() == 0
    assert terminal.left_behind() == {}


@pytest.mark.parametrize(("modern", "key"), [(False, "F9"), (True, "ctrl+Enter")])
def test_the_question_shows_the_key_that_this_terminal_has(start: Start, modern: bool, key: str) -> None:
    """Where ctrl+enter arrives as enter, the button does not name it; F9 says yes on every terminal."""
    terminal = demo(start, modern=modern)
    terminal.press(b"R")
    terminal.until_shown(f"({key})")
    terminal.press(b"\x1b\r")  # alt+enter: Esc, Enter
    terminal.until(lambda: not terminal.shows("Cancel"))
    terminal.press(b"R")
    terminal.until_shown(f"({key})")
    terminal.press(b"\x1b[13;5u" if modern else b"\x1b[20~")
    terminal.until(lambda: any(re.search("[0-9] of [0-9] ended", line) for line in terminal.lines()))
    terminal.press(b"\x03\x03")
    assert terminal.until_ended() == 0
    assert terminal.left_behind() == {}


# -- what is drawn -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("modern", [False, True], ids=["plain", "modern"])
def test_a_window_made_too_small_says_so_and_comes_back(start: Start, modern: bool) -> None:
    """At 20x5 one line says it; larger again, the dashboard stands as before."""
    terminal = demo(start, modern=modern)
    terminal.resize(20, 5)
    terminal.until_shown("too small: 20×5")
    assert not terminal.shows("pay/api")
    terminal.resize(100, 30)
    for words in ("1 Services", "LAST CHANGE", "pay/api", "? help"):
        terminal.until_shown(words)


@pytest.mark.parametrize(
    ("more", "allowed"),
    [
        ({"NO_COLOR": "1"}, None),
        ({"NO_COLOR": "1", "COLORTERM": "truecolor"}, None),
        ({"TERM": "dumb"}, None),
        ({"TERM": "linux"}, r"basic"),
        ({"TERM": "xterm-256color"}, r"((\d|2\d|[34]9|[34]8;5;\d+)(;|\Z))+"),
        ({"COLORTERM": "truecolor"}, r"((\d|2\d|[34]9|[34]8;2;\d+;\d+;\d+)(;|\Z))+"),
    ],
    ids=lambda value: " ".join(value.values()) if isinstance(value, dict) else "",
)
def test_only_colours_that_the_terminal_has_are_written(
    start: Start, more: dict[str, str], allowed: str | None
) -> None:
    """None where NO_COLOR is set or none can be shown, the sixteen on a console, else those it says it has."""
    terminal = demo(start, **more)
    for key, words in ((b"2", "CONTAINER"), (b"4", "WHO"), (b"?", "Keys"), (b"\x1b", "WHO"), (b"1", "LAST CHANGE")):
        terminal.press(key)
        terminal.until_shown(words)
    terminal.press(b"R")
    terminal.until_shown("Cancel")
    terminal.press(b"\x03")
    assert terminal.until_ended() == 0
    assert bool(terminal.colours()) is (allowed is not None)
    assert [code for code in terminal.colours() if not re.fullmatch(allowed or "", code)] == []


def test_the_first_frame_stands_before_any_engine_has_answered(start: Start, tmp_path: Path) -> None:
    """An engine that takes the connection and never says a word delays nothing."""
    with tempfile.TemporaryDirectory(prefix="ft-") as folder, socket.socket(socket.AF_UNIX) as silent:
        silent.bind(f"{folder}/docker.sock")
        silent.listen()
        terminal = start(f"unix://{folder}/docker.sock")
        terminal.until_shown("Connecting to 1 host")
        terminal.until_shown("1 Services")
        terminal.until_shown("? help")
        terminal.press(b"q")
        assert terminal.until_ended() == 0


def test_without_config_and_docker_there_is_one_calm_screen(start: Start) -> None:
    """It names what was tried and why that led nowhere, and two ways on; `q` leaves."""
    nowhere = (
        "from fleettop.collectors.config import resolve\nresolve.local_sockets = lambda *_: ('/nowhere/docker.sock',)"
    )
    terminal = start(patch=nowhere)
    for words in (
        "There is no fleettop.toml.",
        "DOCKER_HOST is not set, and no docker context is chosen.",
        "/nowhere/docker.sock: there is no socket.",
        "write fleettop.toml",
        "fleettop demo",
    ):
        terminal.until_shown(words)
    terminal.press(b"q")
    assert terminal.until_ended() == 0
    assert terminal.left_behind() == {}
