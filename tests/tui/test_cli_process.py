"""The command line as a process of its own: exit codes, what is imported, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROGRAM = (sys.executable, "-m", "fleettop.tui")
DEADLINE = 30


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A home of its own with nothing in it."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "PYTHONPATH", "TMPDIR")}
    return {**kept, "HOME": str(tmp_path), "TERM": "xterm-256color", "PYTHONWARNINGS": "error"}


@pytest.fixture
def run(environ: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, *arguments],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )

    return run


@pytest.fixture
def start(environ: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*PROGRAM, *arguments],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def imported(environ: dict[str, str], *arguments: str) -> set[str]:
    """The modules in a fresh interpreter after running fleettop with these arguments."""
    code = (
        "import sys, json\n"
        "from fleettop.tui.cli import main\n"
        f"main({list(arguments)!r})\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=DEADLINE, check=True
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    ("arguments", "also"),
    [
        (("--version",), {"rich", "aiohttp", "asyncio"}),
        (("--help",), {"rich", "aiohttp"}),
        (("ls", "--help"), {"rich", "aiohttp"}),
        (("--read-only", "restart", "x"), {"rich", "aiohttp"}),
        (("ls", "--json", "--engine", "unix:///nowhere"), set()),
        (("ls", "containers", "--engine", "unix:///nowhere"), set()),
        (("ls", "--json", "--demo"), set()),
        (("events", "--json", "--demo"), set()),
    ],
)
def test_what_prints_never_imports_the_terminal_interface(environ, arguments, also):
    """textual costs half of the start, docker and asyncssh the rest: none of them without need."""
    found = {name.partition(".")[0] for name in imported(environ, *arguments)}
    assert found.isdisjoint({"textual", "docker", "asyncssh", *also})


def test_exit_code_0_is_for_what_went_well(run):
    """One pass over a fleet where every engine answers; nothing on standard error."""
    done = run("ls", "--json", "--demo")
    assert (done.returncode, done.stderr) == (0, "")
    services = [json.loads(line) for line in done.stdout.splitlines()]
    assert services
    assert all(service["service"] and service["state"] and service["hosts"] for service in services)


def test_exit_code_2_is_for_usage_and_config(run, tmp_path):
    """A config with an unknown key, and a command line that makes no sense."""
    config = tmp_path / "fleettop.toml"
    config.write_text("[[engines]]\nadress = 'x'\n")
    for arguments in (("--config", str(config), "ls"), ("ls", "--nonsense")):
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("fleettop: ")


def test_exit_code_3_is_for_an_engine_that_cannot_be_reached(run):
    """What can be reached is printed all the same; why the other cannot be is on standard error."""
    done = run("ls", "engines", "--json", "--engine", "unix:///nowhere/docker.sock")
    assert done.returncode == 3
    (engine,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (engine["link"], engine["version"]) == ("down", None)
    assert engine["error"]
    assert done.stderr.startswith("fleettop: ")
    assert "Traceback" not in done.stderr


def test_exit_code_4_is_for_an_action_that_cannot_be_done(run):
    """Nothing of a healthy service is paused, so there is nothing to resume."""
    name = next(s["service"] for s in services_of(run) if s["state"] == "healthy")
    done = run("unpause", name, "--yes", "--demo")
    assert done.returncode == 4, done.stderr
    assert "paused" in done.stderr


def test_exit_code_5_is_for_a_change_in_read_only_mode(run):
    """Refused before anything is connected to."""
    done = run("restart", "api", "--yes", "--read-only")
    assert (done.returncode, done.stdout) == (5, "")
    assert "read-only" in done.stderr


def test_a_change_is_not_made_without_a_word_where_nobody_can_be_asked(run):
    """No terminal and no --yes: exit 2, and nothing sent."""
    name = next(s["service"] for s in services_of(run) if s["state"] == "healthy")
    done = run("restart", name, "--demo")
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert done.stdout.startswith("Restart ")


def test_a_dry_run_says_the_effect_and_changes_nothing(run):
    """Exit 0, and the plan's sentences."""
    name = next(s["service"] for s in services_of(run) if s["state"] == "healthy")
    done = run("stop", name, "--dry-run", "--demo")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Stops" in done.stdout


def services_of(run) -> list[dict[str, object]]:
    return [json.loads(line) for line in run("ls", "services", "--json", "--demo").stdout.splitlines()]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_following_ends_quietly_when_told_to(start, number, code):
    """Ctrl-C, a service manager's SIGTERM, a closed terminal: no traceback."""
    process = start("events", "--follow", "--engine", "unix:///nowhere/docker.sock", "--timeout", "5")
    first = process.stderr.readline()  # says that the engine cannot be reached, and goes on
    assert first.startswith("fleettop: ")
    process.send_signal(number)
    out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == code
    assert out == ""
    assert "Traceback" not in err


def test_a_reader_that_leaves_is_no_error(environ):
    """`fleettop ls | head -1`: quiet, and ended as any program whose pipe breaks."""
    done = subprocess.run(
        [
            "bash",
            "-c",
            '"$0" -m fleettop.tui ls containers --demo | head -c 1 >/dev/null; echo "${PIPESTATUS[0]}"',
            PROGRAM[0],
        ],
        env=environ,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout.strip() in ("0", "141")


def test_a_reader_that_leaves_ends_following(start):
    """The first event nobody takes ends it, quietly."""
    process = start("events", "--follow", "--json", "--since", "100d", "--demo")
    assert json.loads(process.stdout.readline())["engine"]
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, err) == (141, "")


def test_an_environment_without_utf_8_stops_nothing(environ, tmp_path):
    """Letters that the terminal lacks are shown by number."""
    (tmp_path / "ü.toml").write_text("x = 1\n")
    done = subprocess.run(
        [*PROGRAM, "--config", str(tmp_path / "ü.toml"), "ls"],
        env={**environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
