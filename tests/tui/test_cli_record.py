"""`fleettop record`: what it says, how it ends, and what it leaves to be read."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fleettop.collectors.recording import Player, Recording

Eventually = Callable[..., Any]
PROGRAM = (sys.executable, "-m", "fleettop.tui")
DEADLINE = 60


class Running:
    """A `fleettop record` of its own."""

    def __init__(self, environ: dict[str, str], folder: Path, log: Path, *arguments: str) -> None:
        self.folder = folder
        self._log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [*PROGRAM, "record", "--trail", str(folder), *arguments],
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    @property
    def log(self) -> str:
        """What it said so far."""
        return self._log.read_text()

    def said(self, what: str) -> list[str]:
        """The lines of its log that tell of this."""
        return [line for line in self.log.splitlines() if line.split(" ")[2:3] == [what]]

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(DEADLINE)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A home of its own with nothing in it."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "PYTHONPATH", "TMPDIR")}
    return {**kept, "HOME": str(tmp_path), "TZ": "UTC", "PYTHONWARNINGS": "error"}


@pytest.fixture
def record(environ: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start one; it is killed when the test ends."""
    started: list[Running] = []

    def record(*arguments: str, **more: str) -> Running:
        log = tmp_path / f"log-{len(started)}"
        started.append(Running({**environ, **more}, tmp_path / "trail", log, *arguments))
        return started[-1]

    yield record
    for recording in started:
        recording.process.kill()
        recording.process.wait()


def trail(environ: dict[str, str], folder: Path, action: str, *options: str) -> tuple[int, str, str]:
    """`fleettop trail ACTION` on a folder: exit code, output, errors."""
    done = subprocess.run(
        [*PROGRAM, "trail", action, "--trail", str(folder), *options],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def records(environ: dict[str, str], folder: Path) -> list[dict[str, Any]]:
    """All records, oldest first."""
    _, out, _ = trail(environ, folder, "show", "--limit", "0", "--json")
    return [json.loads(line) for line in out.splitlines()]


def free_port() -> int:
    """A port that nobody listened to a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


# -- a simulated fleet


def test_it_says_what_begins_and_ends_in_lines_a_machine_can_read(record, environ, eventually_sync) -> None:
    """Time, level, what, key=value; without colours; SIGTERM ends it with 0 and a stop line in the trail."""
    recording = record("--demo")
    eventually_sync(lambda: len(recording.said("engine-up")) == 3, timeout=DEADLINE)
    eventually_sync(lambda: recording.said("gap"), timeout=DEADLINE)
    assert recording.end() == 0
    for line in recording.log.splitlines():
        assert re.fullmatch(
            r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z (info|warning|error) [a-z-]+( \S+?=(\S+|\"([^\"]|\\\")*\"))*", line
        ), line
    assert "\x1b" not in recording.log
    assert recording.said("start")
    assert "why=SIGTERM" in recording.said("end")[0]
    kept = records(environ, recording.folder)
    assert [one["kind"] for one in kept if one["kind"] in ("start", "stop")] == ["start", "stop"]
    assert any(one["kind"] == "event" for one in kept)


def test_the_log_can_be_json(record, eventually_sync) -> None:
    """One object a line with time, level and what."""
    recording = record("--demo", "--json")
    eventually_sync(lambda: recording.log.count('"engine-up"') == 3, timeout=DEADLINE)
    assert recording.end() == 0
    lines = [json.loads(line) for line in recording.log.splitlines()]
    assert all({"time", "level", "what"} <= line.keys() for line in lines)
    assert (lines[0]["what"], lines[0]["engines"], lines[-1]["what"]) == ("start", 3, "end")


def test_snapshots_are_kept_for_a_replay(record, tmp_path, eventually_sync) -> None:
    """0600, to the last moment; a file that is something else is no place for them."""
    path = tmp_path / "night.fleettop"
    recording = record("--demo", "--snapshots", str(path))
    eventually_sync(lambda: len(recording.said("engine-up")) == 3, timeout=DEADLINE)
    eventually_sync(lambda: path.read_bytes().count(b'"Listed"') == 3, timeout=DEADLINE)
    assert recording.end() == 0
    assert path.stat().st_mode & 0o777 == 0o600
    kept = Recording(path)
    player = Player(kept)
    player.jump(kept.end.timestamp())
    assert len(player.fleet.containers) == 30
    assert player.fleet.totals().hosts_up == 3
    other = tmp_path / "other"
    other.write_text("mine")
    assert record("--demo", "--snapshots", str(other)).process.wait(DEADLINE) == 2
    assert other.read_text() == "mine"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_with_everything_written(record, environ, eventually_sync, number, code) -> None:
    """0 for a service manager, 130 for Ctrl-C; both leave a stop behind."""
    recording = record("--demo")
    eventually_sync(lambda: len(recording.said("engine-up")) == 3, timeout=DEADLINE)
    assert recording.end(number) == code
    assert records(environ, recording.folder)[-1]["kind"] == "stop"


def test_a_hangup_is_noted_and_nothing_else(record, eventually_sync) -> None:
    """Without a terminal SIGHUP means: read the config again. It says that it does not, and goes on."""
    recording = record("--demo")
    eventually_sync(lambda: len(recording.said("engine-up")) == 3, timeout=DEADLINE)
    recording.process.send_signal(signal.SIGHUP)
    eventually_sync(lambda: recording.said("hangup"))
    assert recording.process.poll() is None
    assert recording.end() == 0


def test_the_service_manager_is_told_when_it_is_ready_and_when_it_ends(record, tmp_path) -> None:
    """sd_notify: READY=1 once the trail is open, STOPPING=1 when told to end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(str(tmp_path / "notify"))
        door.settimeout(DEADLINE)
        recording = record("--demo", NOTIFY_SOCKET=str(tmp_path / "notify"))
        assert door.recv(100) == b"READY=1"
        assert recording.folder.exists()
        recording.process.send_signal(signal.SIGTERM)
        assert door.recv(100) == b"STOPPING=1"
        assert recording.process.wait(DEADLINE) == 0


def test_an_engine_that_cannot_be_reached_does_not_end_it(record, environ, eventually_sync) -> None:
    """It says so once, and goes on trying; the trail tells it too."""
    recording = record("unix:///nowhere/docker.sock")
    eventually_sync(lambda: recording.said("engine-down"), timeout=DEADLINE)
    eventually_sync(lambda: recording.said("trouble"), timeout=DEADLINE)
    assert recording.end() == 0
    assert len(recording.said("engine-down")) == 1
    assert any("cannot be reached" in one["what"] for one in records(environ, recording.folder))


def test_the_head_is_anchored_at_the_start_and_at_the_end(record, environ, tmp_path, eventually_sync) -> None:
    """And every hour between; `trail verify --anchored` finds all of them on the chain."""
    heads = tmp_path / "heads"
    recording = record("--demo", "--anchor", str(heads))
    eventually_sync(heads.exists, timeout=DEADLINE)
    eventually_sync(lambda: len(recording.said("engine-up")) == 3, timeout=DEADLINE)
    assert recording.end() == 0
    assert len(heads.read_text().splitlines()) == 2
    assert heads.read_text().splitlines()[-1].split()[0] == trail(environ, recording.folder, "head")[1].split()[0]
    code, out, err = trail(environ, recording.folder, "verify", "--anchored", str(heads))
    assert (code, err) == (0, "")
    assert "on the chain are 2 heads" in out


def test_an_anchor_that_fails_does_not_end_it(record, tmp_path, eventually_sync) -> None:
    """An error in the log, and what to do."""
    recording = record("--demo", "--anchor", str(tmp_path / "no" / "folder"))
    eventually_sync(lambda: recording.said("head-not-anchored"), timeout=DEADLINE)
    assert recording.process.poll() is None
    assert recording.end() == 0


def test_figures_are_served_for_prometheus_to_this_machine(record, eventually_sync) -> None:
    """In its text format, on the address that was named, for as long as it runs."""
    port = free_port()
    recording = record("--demo", "--metrics", f"127.0.0.1:{port}")
    eventually_sync(lambda: len(recording.said("engine-up")) == 3, timeout=DEADLINE)
    eventually_sync(lambda: recording.said("gap"), timeout=DEADLINE)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=DEADLINE) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        text = answer.read().decode()
    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert figures['fleettop_engine_up{engine="web-1"}'] == "1.0"
    assert figures['fleettop_containers{engine="web-1",state="running"}'] != "0.0"
    assert float(figures['fleettop_records_total{kind="gap"}']) >= 1
    assert float(figures["fleettop_trail_size_bytes"]) > 0
    assert figures["fleettop_trail_writable"] == "1.0"
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    assert all(f"`{name.partition('{')[0]}`" in readme for name in figures)
    assert recording.end() == 0


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("0.0.0.0:9323", "other machines could read it there"),
        ("[::]:9323", "other machines could read it there"),
        ("192.0.2.1:9323", "other machines could read it there"),
        ("9323", "is no address with a port"),
        ("127.0.0.1:0", "is no address with a port"),
        ("example.org:80", "is no address with a port"),
    ],
)
def test_figures_are_served_to_nobody_else_unless_that_is_wanted(record, where, words) -> None:
    """Exit 2 before anything is watched."""
    recording = record("--demo", "--metrics", where)
    assert recording.process.wait(DEADLINE) == 2
    assert words in recording.log


def test_a_port_that_is_taken_is_said_in_a_sentence(record) -> None:
    """Exit 2."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        recording = record("--demo", "--metrics", f"127.0.0.1:{server.getsockname()[1]}")
        assert recording.process.wait(DEADLINE) == 2
    assert "cannot be had: Address already in use." in recording.log


@pytest.mark.parametrize("what", ["a config", "an engine", "a folder", "an anchor"])
def test_what_can_never_work_ends_it_with_a_sentence(record, tmp_path, what) -> None:
    """Exit 2: a service manager shows it, and a person mends it."""
    (tmp_path / "f.toml").write_text("trial = 1\n")
    (tmp_path / "file").write_text("x")
    arguments = {
        "a config": ("--config", str(tmp_path / "f.toml")),
        "an engine": ("nosuchengine",),
        "a folder": ("--demo", "--trail", str(tmp_path / "file")),
        "an anchor": ("--demo", "--anchor", "journal"),
    }[what]
    recording = record(*arguments, PATH=str(tmp_path))
    assert recording.process.wait(DEADLINE) == 2
    assert recording.log.startswith("fleettop: ")
    assert "Traceback" not in recording.log


def test_a_log_that_nobody_takes_any_more_does_not_end_it(environ, tmp_path, eventually_sync) -> None:
    """The trail is what it is for."""
    process = subprocess.Popen(
        [*PROGRAM, "record", "--demo", "--trail", str(tmp_path / "trail")],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        eventually_sync(lambda: len(records(environ, tmp_path / "trail")) > 3, timeout=DEADLINE)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
        process.stderr.close()
    finally:
        process.kill()
        process.wait()
