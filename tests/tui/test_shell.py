"""A shell in a container of a real engine, in a real terminal: by every way there is, and however it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fleet import Fleet

from .terminal import ALTERNATE, Terminal

Start = Callable[..., Terminal]
SLEEP = "sh -c 'trap exit TERM; while :; do sleep 0.1; done'"
LEAVE = b"\x1d\x1d\x1d"
WAYS = [("h1", "unix"), ("h1", "tls"), ("h1", "ssh"), ("h2", "ssh")]
"""h2's sshd forwards no sockets: there it goes through `docker system dial-stdio`."""


@pytest.fixture
def start(fleet: Fleet, tmp_path: Path) -> Iterator[Start]:
    """Start fleettop in a terminal, with one engine of the fleet in its config, reached that way."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    environ = {**kept, "HOME": str(tmp_path), "TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONWARNINGS": "error"}
    started: list[Terminal] = []

    def start(host: str, way: str, *arguments: str, modern: bool = False) -> Terminal:
        config = tmp_path / "fleettop.toml"
        config.write_text(config_for(fleet, host, way))
        command = [sys.executable, "-m", "fleettop.tui", "--config", str(config), "--trail", str(tmp_path / "trail")]
        started.append(Terminal([*command, *arguments], environ, modern=modern))
        return started[-1]

    yield start
    for terminal in started:
        with terminal:
            pass


def config_for(fleet: Fleet, host: str, way: str) -> str:
    address = fleet.address(host, way)
    if way == "unix":
        return f'[[engines]]\nname = "{host}"\naddress = "unix://{address.socket}"\n'
    if way == "tls":
        files = ", ".join(f'{name} = "{getattr(address.tls, name)}"' for name in ("ca", "cert", "key"))
        return f'[[engines]]\nname = "{host}"\naddress = "tcp://{address.host}:2376"\ntls = {{ {files} }}\n'
    return f'ssh_config = "{address.ssh_config}"\n[[engines]]\nname = "{host}"\naddress = "ssh://{host}"\n'


def trail(tmp_path: Path) -> str:
    return "\n".join(file.read_text(errors="replace") for file in sorted((tmp_path / "trail").rglob("*.jsonl*")))


def fills(terminal: Terminal) -> bool:
    """Whether vi's tildes go down to the last line but its own."""
    return terminal.lines()[terminal.rows - 2].startswith("~")


# -- by every way ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("host", "way"), WAYS, ids=lambda value: value)
def test_a_full_screen_program_fills_the_window_and_follows_its_size(
    fleet: Fleet, start: Start, host: str, way: str
) -> None:
    """The first shell there is, its size as the window's, also after that changed; its exit code is passed on."""
    fleet.run_plain(host, "db", SLEEP)
    terminal = start(host, way, "shell", "db")
    terminal.until_shown("/ #")
    terminal.press(b"stty size; echo $TERM\r")
    terminal.until_shown("30 100")
    terminal.until_shown("xterm-256color")
    terminal.press(b"vi /tmp/x\r")
    terminal.until(lambda: fills(terminal))
    terminal.resize(120, 40)
    terminal.until(lambda: fills(terminal))
    terminal.press(b"ityped in vi")
    terminal.until_shown("typed in vi")
    terminal.press(b"\x1b")
    terminal.until_shown("- /tmp/x")
    terminal.press(b":wq\r")
    terminal.until(lambda: not terminal.modes[ALTERNATE])
    terminal.press(b"stty size; grep -c typed /tmp/x\r")
    terminal.until_shown("40 120")
    terminal.press(b"exit 43\r")
    assert terminal.until_ended() == 43
    assert terminal.left_behind() == {}
