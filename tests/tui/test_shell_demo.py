"""A shell in the simulated fleet: the same keys, screens and requests, and nothing really run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fleettop.collectors.clock import SystemClock
from fleettop.collectors.demo.machine import Machine
from fleettop.collectors.demo.prompt import Prompt
from fleettop.collectors.demo.world import World

from .terminal import ALTERNATE, Terminal

Start = Callable[..., Terminal]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    environ = {**kept, "HOME": str(tmp_path), "TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONWARNINGS": "error"}
    started: list[Terminal] = []

    def start(*arguments: str) -> Terminal:
        started.append(Terminal([sys.executable, "-m", "fleettop.tui", *arguments], environ))
        return started[-1]

    yield start
    for terminal in started:
        with terminal:
            pass


def test_a_shell_opens_in_a_simulated_container_from_the_command_line(start: Start) -> None:
    """No bash there, so sh; a line is put right with backspace, and the exit code is passed on."""
    terminal = start("shell", "shop/web", "--demo")
    terminal.until_shown("nothing is really run")
    terminal.until_shown("/ #")
    terminal.press(b"stty sizf\x7fe\r")
    terminal.until_shown("30 100")
    terminal.press(b"nonsense\r")
    terminal.until_shown("sh: nonsense: not found")
    terminal.press(b"exit 43\r")
    assert terminal.until_ended() == 43
    assert terminal.left_behind() == {}


def test_one_program_runs_in_a_simulated_container(start: Start) -> None:
    """What stands behind `--`; one that is not there is exit 127, in the engine's words."""
    terminal = start("shell", "shop/web", "--demo", "--", "cat", "/etc/alpine-release")
    assert terminal.until_ended() == 0
    assert terminal.shows("3.19.1")
    terminal = start("shell", "shop/web", "--demo", "--", "/bin/emacs")
    assert terminal.until_ended() == 127
    assert terminal.shows("no such file or directory")


def test_the_demo_s_dashboard_gives_its_terminal_to_a_shell_and_comes_back(start: Start) -> None:
    """By X, as with a real engine; ctrl+d ends it."""
    terminal = start("demo")
    terminal.until_shown("pay/api")
    terminal.press(b"2")
    terminal.until_shown("CONTAINER")
    terminal.press(b"G")  # the healthiest
    terminal.press(b"X")
    terminal.until_shown("Run a shell in")
    terminal.press(b"because")
    terminal.until_shown("because")
    terminal.press(b"\x1b[20~")
    terminal.until_shown("/ #")
    assert not terminal.modes[ALTERNATE]
    terminal.press(b"\x04")
    terminal.until(lambda: terminal.modes[ALTERNATE] and terminal.shows("CONTAINER") and terminal.shows("/bin/sh"))


@pytest.fixture
def prompt() -> Prompt:
    world = World(engines=3, containers=30, seed=1, clock=SystemClock())
    machine = next(one for one in world.machines if one.containers)
    assert isinstance(machine, Machine)
    return Prompt(machine, next(iter(machine.containers.values())), ("A=1",), size=lambda: (80, 24))


@pytest.mark.parametrize(
    ("typed", "shown", "ended"),
    [
        (b"echo a 'b  c'\r", b"echo a 'b  c'\r\na b  c\r\n/ # ", None),
        (b"false\recho $?\r", b"false\r\n/ # echo $?\r\n1\r\n/ # ", None),
        (b"ab\x7f\x7f\x7f", b"ab\b \b\b \b", None),
        (b"ab\x03", b"ab^C\r\n/ # ", None),
        (b"echo '\r", b"echo '\r\nsh: syntax error: unterminated quoted string\r\n/ # ", None),
        (b"\x1b\r", b"\r\n/ # ", None),
        (b"exit 300\rls\r", b"exit 300\r\n", 44),
        (b"true\r\x04", b"true\r\n/ # \r\n", 0),
        (b"ls /nowhere\r\x04", b"ls /nowhere\r\nls: /nowhere: No such file or directory\r\n/ # \r\n", 1),
    ],
)
def test_a_simulated_shell_answers_as_a_terminal_does(
    prompt: Prompt, typed: bytes, shown: bytes, ended: int | None
) -> None:
    """What is typed is shown, lines end with both signs, and the exit code is the last one's."""
    assert (prompt.feed(typed), prompt.ended) == (shown, ended)


def test_every_program_it_names_can_be_run(prompt: Prompt) -> None:
    """`help` promises no more than there is."""
    words, _ = prompt.run("help")
    listed = words.decode().partition("It knows ")[2].replace(".", "").replace(",", " ").split()
    for program in listed:
        if program != "exit":
            assert b"not found" not in prompt.run(program)[0]
            assert prompt.has(program)
    assert b"A=1" in prompt.run("env")[0]
