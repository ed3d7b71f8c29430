"""A shell in a container of a real engine, in a real terminal: by every way there is, and however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fleettop.collectors.trail.entry import Entry
from fleettop.collectors.trail.segments import SegmentStore

from tests.fleet import Fleet

from .terminal import ALTERNATE, Terminal

Start = Callable[..., Terminal]
SLEEP = "sh -c 'trap exit TERM; while :; do sleep 0.1; done'"
PATCHED = "import sys\nfrom fleettop.tui import cli\n{patch}\nsys.exit(cli.main(sys.argv[1:]))\n"
"""The program with something in it replaced."""
LEAVE = b"\x1d\x1d\x1d"
WAYS = [("h1", "unix"), ("h1", "tls"), ("h1", "ssh"), ("h2", "ssh")]
"""h2's sshd forwards no sockets: there it goes through `docker system dial-stdio`."""


@pytest.fixture
def start(fleet: Fleet, tmp_path: Path) -> Iterator[Start]:
    """Start fleettop in a terminal, with one engine of the fleet in its config, reached that way."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    environ = {**kept, "HOME": str(tmp_path), "TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONWARNINGS": "error"}
    started: list[Terminal] = []

    def start(host: str, way: str, *arguments: str, modern: bool = False, patch: str = "") -> Terminal:
        config = tmp_path / "fleettop.toml"
        config.write_text(config_for(fleet, host, way))
        program = ("-c", PATCHED.format(patch=patch)) if patch else ("-m", "fleettop.tui")
        command = [sys.executable, *program, "--config", str(config), "--trail", str(tmp_path / "trail")]
        started.append(Terminal([*command, *arguments], environ, modern=modern))
        return started[-1]

    yield start
    for terminal in started:
        with terminal:
            pass


def config_for(fleet: Fleet, host: str, way: str) -> str:
    if " " in host:  # several, each by its way
        pairs = [config_for(fleet, one, by) for one, by in zip(host.split(), way.split(), strict=True)]
        return "".join(sorted(pairs, key=lambda text: not text.startswith("ssh_config")))
    address = fleet.address(host, way)
    if way == "unix":
        return f'[[engines]]\nname = "{host}"\naddress = "unix://{address.socket}"\n'
    if way == "tls":
        files = ", ".join(f'{name} = "{getattr(address.tls, name)}"' for name in ("ca", "cert", "key"))
        return f'[[engines]]\nname = "{host}"\naddress = "tcp://{address.host}:2376"\ntls = {{ {files} }}\n'
    return f'ssh_config = "{address.ssh_config}"\n[[engines]]\nname = "{host}"\naddress = "ssh://{host}"\n'


def own_lines(tmp_path: Path) -> list[Entry]:
    """What the trail keeps of our own deeds, in order."""
    store = SegmentStore(tmp_path / "trail")
    try:
        return [line.entry for line in store.lines() if line.entry.kind in ("intent", "outcome")]
    finally:
        store.close()


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


def test_podmans_containers_have_shells_too(fleet: Fleet, start: Start) -> None:
    """The same requests, of another engine."""
    fleet.run_plain("pod1", "db", SLEEP)
    terminal = start("pod1", "unix", "shell", "db")
    terminal.until_shown("/ #")
    terminal.press(b"stty size; exit 5\r")
    assert terminal.until_ended() == 5
    assert terminal.shows("30 100")
    assert terminal.left_behind() == {}


# -- what is run, and how it ends --------------------------------------------------------------------------------------


def test_a_command_runs_in_the_newest_healthy_replica_and_is_on_record_without_what_was_typed(
    fleet: Fleet, start: Start, tmp_path: Path
) -> None:
    """By the service's name; the intent with the reason before, the outcome with the exit code after."""
    fleet.run("h1", "pay", "api", SLEEP)
    newest = fleet.run("h1", "pay", "api", SLEEP, 2)
    terminal = start("h1", "unix", "shell", "pay/api", "--reason", "FT-7", "--", "sh", "-c", "hostname; read x; exit 7")
    terminal.until_shown(newest[:12])
    terminal.press(b"typed-secret\r")
    assert terminal.until_ended() == 7
    assert terminal.left_behind() == {}
    intent, outcome = own_lines(tmp_path)
    assert (intent.kind, intent.action, intent.name, intent.reason) == ("intent", "exec", "pay-api-2", "FT-7")
    assert intent.what == "about to run in it, at a terminal: sh -c hostname; read x; exit 7"
    assert (outcome.kind, outcome.of) == ("outcome", intent.thread)
    assert "sh -c hostname; read x; exit 7 ended with exit code 7 after" in outcome.what
    assert b"typed-secret" not in b"".join(f.read_bytes() for f in (tmp_path / "trail").rglob("*") if f.is_file())


def test_a_shell_opens_in_a_swarm_s_task_on_another_node_over_the_link_to_that(
    swarm_fleet: Fleet, start: Start, tmp_path: Path, eventually_sync: Callable[..., object]
) -> None:
    """By the service's name; its task is on h3, which is reached through a jump host, and only h1 manages the swarm."""
    task = a_task_on(swarm_fleet, "h3", eventually_sync)
    terminal = start("h3 h1", "ssh unix", "shell", "web", "--reason", "FT-7")
    terminal.until_shown("/ #")
    terminal.press(b"hostname; exit 9\r")
    assert terminal.until_ended() == 9
    assert terminal.shows(task[:12])
    assert terminal.left_behind() == {}
    intent, _ = own_lines(tmp_path)
    assert (intent.engine, intent.id, intent.reason) == ("h3", task, "FT-7")


def test_of_a_swarm_s_task_without_a_link_to_its_node_that_is_said(
    swarm_fleet: Fleet, start: Start, eventually_sync: Callable[..., object]
) -> None:
    """A manager knows the task, but only its own engine can run something in it."""
    a_task_on(swarm_fleet, "h2", eventually_sync)
    terminal = start("h1", "unix", "shell", "web")
    assert terminal.until_ended() == 2
    assert "1 task of web on h2: fleettop has no link to there." in " ".join(" ".join(terminal.lines()).split())


def a_task_on(fleet: Fleet, host: str, eventually_sync: Callable[..., object]) -> str:
    """A swarm's service of one task on that host, running; the id of its container."""
    template = {"ContainerSpec": {"Image": "bb:1", "Command": ["sleep", "1000"], "StopGracePeriod": 1_000_000_000}}
    bound = {**template, "Placement": {"Constraints": [f"node.hostname=={host}"]}}
    fleet.run_service("web", "sleep 1000", 1, TaskTemplate=bound)
    return str(eventually_sync(lambda: fleet.docker(host, "ps", "-q", "--no-trunc"), timeout=60)).strip()


def test_a_container_without_a_shell_says_so_and_what_to_do(fleet: Fleet, start: Start, tmp_path: Path) -> None:
    """Exit 4; each shell was tried, nothing of the engine's own words is on the screen."""
    fleet.run_plain("h1", "bare", "tail -f /dev/null")
    fleet.docker("h1", "exec", "bare", "rm", "-rf", "/bin")
    terminal = start("h1", "unix", "shell", "bare")
    assert terminal.until_ended(60) == 4
    said = " ".join(terminal.lines())
    assert "it has no shell" in said
    assert "fleettop shell NAME -- COMMAND" in said
    assert "OCI runtime" not in said
    assert terminal.left_behind() == {}
    assert [line.kind for line in own_lines(tmp_path)] == ["intent", "outcome"]
    assert "failure" in own_lines(tmp_path)[1].what


def test_ctrl_p_arrives_at_once_and_the_detach_key_leaves_all_as_it_was(fleet: Fleet, start: Start) -> None:
    """An engine's own detach key would hold ctrl+p back; once or twice ctrl+] is the program's."""
    fleet.run_plain("h1", "db", SLEEP)
    terminal = start("h1", "unix", "shell", "db")
    terminal.until_shown("/ #")
    terminal.press(b"echo on'ce'\r")
    terminal.until(lambda: terminal.lines().count("once") == 1)
    terminal.press(b"\x10")
    terminal.until(lambda: sum("echo on'ce'" in line for line in terminal.lines()) == 2)
    terminal.press(b"\r")
    terminal.until(lambda: terminal.lines().count("once") == 2)
    terminal.press(b"vi\r")
    terminal.until(lambda: fills(terminal))
    terminal.press(LEAVE)
    assert terminal.until_ended() == 0
    assert terminal.shows("what runs there may go on")
    assert terminal.left_behind() == {}


def test_without_a_terminal_there_is_no_shell(fleet: Fleet, tmp_path: Path) -> None:
    """Exit 2, before any engine is asked."""
    done = subprocess.run(
        [sys.executable, "-m", "fleettop.tui", "shell", "db"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, "HOME": str(tmp_path)},
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "needs a terminal" in done.stderr


# -- from the dashboard ------------------------------------------------------------------------------------------------


def in_a_shell_of_the_dashboard(start: Start, host: str, way: str, *, modern: bool = False) -> Terminal:
    """The dashboard, with a shell open in its container."""
    terminal = start(host, way, modern=modern)
    terminal.until_shown("db")
    terminal.press(b"2")
    terminal.until_shown("CONTAINER")
    terminal.press(b"X")
    terminal.until_shown("Run a shell in db")
    terminal.press(b"because")
    terminal.until_shown("because")
    terminal.press(b"\x1b[13;5u" if modern else b"\x1b[20~")
    terminal.until_shown("/ #")
    return terminal


@pytest.mark.parametrize("modern", [False, True], ids=["plain", "modern"])
def test_the_dashboard_gives_its_terminal_and_comes_back(
    fleet: Fleet, start: Start, tmp_path: Path, modern: bool
) -> None:
    """While the shell has it nothing of the dashboard is written; after, all stands there in its size by then."""
    fleet.run_plain("h1", "db", SLEEP)
    terminal = in_a_shell_of_the_dashboard(start, "h1", "unix", modern=modern)
    assert not terminal.modes[ALTERNATE]
    terminal.press(b"vi\r")
    terminal.until(lambda: fills(terminal))
    terminal.resize(110, 32)
    terminal.until(lambda: fills(terminal))
    fleet.run_plain("h1", "other", SLEEP)
    terminal.press(b":q\r")
    terminal.until(lambda: not terminal.modes[ALTERNATE])
    assert not terminal.shows("CONTAINER")
    terminal.press(b"exit\r")
    for words in ("CONTAINER", "other", "/bin/sh ended with exit code 0", "? help"):
        terminal.until_shown(words)
    terminal.press(b"q")
    assert terminal.until_ended() == 0
    assert terminal.left_behind() == {}
    assert next((line.kind, line.reason) for line in own_lines(tmp_path)) == ("intent", "because")


@pytest.mark.parametrize(("host", "way"), [("h1", "ssh"), ("h2", "ssh")], ids=["forwarding", "dial-stdio"])
def test_a_link_that_breaks_in_the_midst_of_a_full_screen_program_leads_back(
    fleet: Fleet, start: Start, tmp_path: Path, host: str, way: str
) -> None:
    """A sentence, the dashboard, the terminal as it was; the outcome is unknown, not guessed."""
    fleet.run_plain(host, "db", SLEEP)
    terminal = in_a_shell_of_the_dashboard(start, host, way)
    terminal.press(b"vi\r")
    terminal.until(lambda: fills(terminal))
    fleet.fault(host, "cut-ssh")
    terminal.until_shown("the connection was lost")
    terminal.until_shown("CONTAINER")
    terminal.press(b"\x03")
    assert terminal.until_ended() == 0
    assert terminal.left_behind() == {}
    assert "unknown" in own_lines(tmp_path)[1].what


def test_a_link_cut_under_the_command_line_s_shell_is_exit_4(fleet: Fleet, start: Start) -> None:
    """The terminal is as it was, and what is not known is said."""
    fleet.run_plain("h1", "db", SLEEP)
    terminal = start("h1", "ssh", "shell", "db")
    terminal.until_shown("/ #")
    terminal.press(b"vi\r")
    terminal.until(lambda: fills(terminal))
    fleet.fault("h1", "cut-ssh")
    assert terminal.until_ended(60) == 4
    assert terminal.shows("the connection was lost")
    assert terminal.left_behind() == {}


def test_a_network_that_swallows_everything_ends_the_shell(fleet: Fleet, start: Start) -> None:
    """Nobody types and nothing comes: over TLS only probing the connection tells that from a quiet shell."""
    fleet.run_plain("h1", "db", SLEEP)
    sooner = "from fleettop.collectors.links import stream\nstream.IDLE = stream.EVERY = stream.LOST = 1"
    terminal = start("h1", "tls", "shell", "db", patch=sooner)
    terminal.until_shown("/ #")
    fleet.fault("h1", "drop")
    assert terminal.until_ended(90) == 4
    assert terminal.shows("the connection was lost")
    assert terminal.left_behind() == {}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_that_ends_the_dashboard_ends_the_shell_and_restores_the_terminal(
    fleet: Fleet, start: Start, number: signal.Signals
) -> None:
    """Raw mode and the alternate screen of what ran there are undone."""
    fleet.run_plain("h1", "db", SLEEP)
    terminal = in_a_shell_of_the_dashboard(start, "h1", "unix")
    terminal.press(b"vi\r")
    terminal.until(lambda: fills(terminal))
    terminal.send(number)
    assert terminal.until_ended() == 128 + number
    assert terminal.left_behind() == {}
