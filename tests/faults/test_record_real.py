"""`fleettop record` on real engines: what it could not hear it tells, what it heard can be proved."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fleet import Fleet
from tests.fleet.__main__ import config
from tests.fleet.syslog import cannot_keep

PROGRAM = (sys.executable, "-m", "fleettop.tui")
DEADLINE = 60
README = Path(__file__).parents[2] / "README.md"
EventuallySync = Callable[..., Any]


class Recorder:
    """Runs `fleettop record` on the fleet again and again, into the same trail."""

    def __init__(self, fleet: Fleet, folder: Path) -> None:
        self.trail, self._config, self._log = folder / "trail", folder / "fleettop.toml", folder / "log"
        self._config.write_text(config(fleet))
        self._environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONWARNINGS": "error"}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin to record."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command("record", "--read-only", "--json"),
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def end(self, number: signal.Signals) -> int:
        """With a signal; the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(DEADLINE)

    def said(self, what: str, engine: str) -> list[dict[str, Any]]:
        """The lines of its log that tell of this, of an engine, in all its lives."""
        lines = [json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if (line["what"], line.get("engine")) == (what, engine)]

    def ask(self, action: str, *options: str) -> subprocess.CompletedProcess[str]:
        """`fleettop trail ACTION`."""
        return subprocess.run(
            self._command("trail", action, *options),
            env=self._environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )

    def records(self, *options: str) -> list[dict[str, Any]]:
        """Its records, oldest first."""
        done = self.ask("show", "--limit", "0", "--json", *options)
        assert (done.returncode, done.stderr) == (0, "")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def gaps(self, engine: str, about: str) -> list[dict[str, Any]]:
        """The gaps of an engine that have an end and this in their cause."""
        return [
            one for one in self.records("--filter", f"kind:gap host={engine}") if about in one["what"] and one["until"]
        ]

    def _command(self, *words: str) -> list[str]:
        return [*PROGRAM, "--config", str(self._config), "--trail", str(self.trail), *words]


@pytest.fixture
def recorder(fleet: Fleet, tmp_path: Path) -> Iterator[Recorder]:
    """One that records nothing yet."""
    recorder = Recorder(fleet, tmp_path)
    yield recorder
    if recorder.process is not None:
        recorder.process.kill()
        recorder.process.wait()


def test_what_recording_could_not_hear_is_told_and_what_it_heard_can_be_proved(
    fleet: Fleet, recorder: Recorder, eventually_sync: EventuallySync, tmp_path: Path
) -> None:
    """Through a daemon's restart, a cut link and its own kill -9: gaps with their causes, and the chain is whole."""
    recorder.start()
    engines = ("h1", "h2", "h3", "pod1")
    eventually_sync(lambda: all(recorder.said("engine-up", name) for name in engines), timeout=DEADLINE)
    head = eventually_sync(lambda: recorder.ask("head").stdout.split()[0], timeout=DEADLINE)

    web = fleet.run("h1", "shop", "web", "web")
    fleet.docker("h1", "stop", web)
    eventually_sync(lambda: named(recorder, "shop-web-1", "stopped by someone"), timeout=DEADLINE)

    fleet.fault("h1", "kill")
    eventually_sync(lambda: recorder.said("engine-down", "h1"), timeout=DEADLINE)
    fleet.heal("h1")
    eventually_sync(lambda: recorder.gaps("h1", "nothing known for "), timeout=2 * DEADLINE)

    fleet.fault("h3", "cut-ssh")
    eventually_sync(lambda: recorder.gaps("h3", "nothing missed: link lost"), timeout=2 * DEADLINE)

    assert recorder.end(signal.SIGKILL) == -signal.SIGKILL
    fleet.run("h1", "shop", "late", "sleep 1000")  # which its engine remembers
    fleet.run("h2", "shop", "db", "sleep 1000")
    fleet.fault("h2", "kill")  # and with that, all that its engine remembered
    fleet.heal("h2")
    recorder.start()
    eventually_sync(lambda: named(recorder, "shop-late-1", "started from"), timeout=DEADLINE)
    (gap,) = eventually_sync(lambda: recorder.gaps("h2", "fleettop was not running"), timeout=DEADLINE)
    assert gap["certain"]
    assert "shop-db-1 is new" in gap["reason"]
    assert recorder.end(signal.SIGTERM) == 0

    assert recorder.gaps("h1", "fleettop was not running") == []
    stops = recorder.records("--filter", "kind:stop")
    assert [("without saying so" in one["what"]) for one in stops] == [True, False]
    proof = recorder.ask("verify", "--head", head)
    assert (proof.returncode, proof.stderr) == (0, ""), proof.stdout
    file = tmp_path / "trail.jsonl"
    assert recorder.ask("export", "--output", str(file)).returncode == 0
    (script,) = re.findall(r"```python\n(import hashlib.*?)```", README.read_text(), re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script, str(file)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split()[-1] == recorder.ask("head").stdout.split()[0]


def test_the_head_is_kept_in_a_real_journal_and_compared_with_it_later(
    fleet: Fleet, recorder: Recorder, eventually_sync: EventuallySync
) -> None:
    """`--anchor journal` on a host with journald: what stands there is still in the chain."""
    if why := cannot_keep("journal"):
        pytest.skip(why)
    recorder.start()
    eventually_sync(lambda: recorder.said("engine-up", "h1"), timeout=DEADLINE)
    head = eventually_sync(lambda: recorder.ask("head").stdout.split()[0], timeout=DEADLINE)
    fleet.keep_log("h1", "journal")
    fleet.on("h1", *PROGRAM, "--trail", recorder.trail, "trail", "head", "--anchor", "journal")
    written = eventually_sync(lambda: fleet.on("h1", "journalctl", "-q", "-o", "cat", "-t", "fleettop-trail"))
    (kept,) = re.findall(r"\b\d+:[0-9a-f]{64}\b", written)
    assert int(kept.partition(":")[0]) >= int(head.partition(":")[0])
    assert recorder.end(signal.SIGTERM) == 0
    proof = recorder.ask("verify", "--head", kept)
    assert (proof.returncode, proof.stderr) == (0, ""), proof.stdout


def named(recorder: Recorder, name: str, what: str) -> list[dict[str, Any]]:
    """Records of an object that say this."""
    return [one for one in recorder.records("--filter", f"object={name}") if what in one["what"]]
