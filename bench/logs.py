"""Logs: `python -m bench.logs`. Lines a second beside `docker logs`, and how quick keys are in a storm of lines.

Merged: the same containers of one real engine (root, as `make bench`), read by `fleettop logs` and by one
`docker logs -f` for each of them, each written to a pipe that is read at once. Keys: the dashboard's log screen on a
simulated engine whose containers write 50,000 lines a second; down and up, until the screen changes.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fleet import Fleet

from .processes import cpu_seconds, memory_mib, tree
from .report import put_section
from .terminal import Terminal

CONTAINERS, LINES = 10, 20_000
WRITE = (
    f"sh -c 'yes \"GET /v1/items/977 200 in 89 ms, as it was asked for by somebody\" | head -n {LINES}; sleep 86400'"
)
FLEETTOP = (sys.executable, "-m", "fleettop.tui")
STORM = Path(__file__).with_name("log_storm.py")
RATE, SECONDS, WAIT = 50_000, 70, 12
PRESSES = 100


class Reading:
    """Programs that write lines into pipes, until all are there."""

    def __init__(self, commands: Sequence[Sequence[str]], wanted: int) -> None:
        self.lines = 0
        self._wanted = wanted
        self._all = threading.Event()
        self._lock = threading.Lock()
        began = time.monotonic()
        self.processes = [subprocess.Popen(words, stdout=subprocess.PIPE) for words in commands]
        threads = [threading.Thread(target=self._read, args=(one,), daemon=True) for one in self.processes]
        for thread in threads:
            thread.start()
        self.complete = self._all.wait(300)
        self.seconds = time.monotonic() - began
        pids = [pid for one in self.processes for pid in tree(one.pid)]
        self.memory = sum(memory_mib(one.pid) for one in self.processes)
        self.cpu = cpu_seconds(pids)
        for one in self.processes:
            one.terminate()
            one.wait()

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        while data := os.read(process.stdout.fileno(), 1 << 16):
            with self._lock:
                self.lines += data.count(b"\n")
                if self.lines >= self._wanted:
                    self._all.set()

    def plain(self) -> dict[str, object]:
        """The numbers."""
        return {
            "lines": self.lines,
            "complete": self.complete,
            "seconds": round(self.seconds, 2),
            "lines_per_second": round(self.lines / self.seconds),
            "cpu_seconds": round(self.cpu, 2),
            "memory_mib": round(self.memory, 1),
        }


def merged() -> dict[str, dict[str, object]]:
    """The same lines by fleettop and by docker, at once from the past and then followed."""
    fleet = Fleet(29)
    fleet.up(hosts=1, tcp="none", disk="1g")
    try:
        ids = [fleet.run("h1", "bench", "talk", WRITE, number) for number in range(1, CONTAINERS + 1)]
        socket = f"unix://{fleet.site.socket('h1')}"
        total = CONTAINERS * LINES
        while any(int(fleet.docker("h1", "logs", "--tail", "1", one) != "") == 0 for one in ids):
            time.sleep(0.2)
        time.sleep(5)
        docker = Reading([("docker", "-H", socket, "logs", "-f", "-t", one) for one in ids], total)
        words = (*FLEETTOP, "logs", "bench/talk", "-e", socket, "--timestamps")
        past = Reading([words], total)
        followed = Reading([(*words, "--follow", "--since", "1h")], total)
        return {
            "docker logs -f, one for each": docker.plain(),
            "fleettop logs": past.plain(),
            "fleettop logs --follow": followed.plain(),
        }
    finally:
        fleet.down()


def keys() -> dict[str, object]:
    """Milliseconds from a key to the changed screen, calm and while lines storm in."""
    with TemporaryDirectory(prefix="ft-") as folder:
        socket = f"{folder}/s"
        words = (sys.executable, str(STORM), socket, str(RATE), str(SECONDS), "10", str(WAIT))
        engine = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert engine.stdin is not None
        assert engine.stdout is not None
        engine.stdout.readline()
        surroundings = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "HOME": folder}
        terminal = Terminal((*FLEETTOP, "--trail", f"{folder}/trail", "-e", f"unix://{socket}"), surroundings)
        try:
            terminal.until(lambda: any("talk" in line for line in terminal.lines()), 20)
            terminal.settle(0.5, 5)
            terminal.press(b"l")
            opened = time.monotonic()
            terminal.until(lambda: any("autoscroll" in line for line in terminal.lines()), 20)
            calm = _turn_keys(terminal)
            time.sleep(max(0.0, WAIT + 2 - (time.monotonic() - opened)))
            cpu, began = cpu_seconds(tree(terminal.pid)), time.monotonic()
            turning = _turn_keys(terminal)
            terminal.press(b"k")
            marking = _mark_keys(terminal)
            span = time.monotonic() - began
            return {
                "calm, s": _told(calm),
                "storm, s": _told(turning),
                "storm, m while it stands still": _told(marking),
                "cpu_percent": round(100 * (cpu_seconds(tree(terminal.pid)) - cpu) / span),
                "memory_mib": round(memory_mib(terminal.pid), 1),
            }
        finally:
            terminal.close()
            engine.kill()
            engine.wait()


def _turn_keys(terminal: Terminal) -> list[float]:
    """The key that lets the lines scroll or stand still: the first line says which."""
    return [
        _until_written(terminal, b"s", (b"autoscroll", b"standing still")[1 - press % 2]) for press in range(PRESSES)
    ]


def _mark_keys(terminal: Terminal) -> list[float]:
    """The key that marks a line: a sign appears, and with the next press goes."""
    taken = []
    for _ in range(PRESSES // 2):
        taken.append(_until_written(terminal, b"m", "✓".encode()))
        terminal.press(b"m")
        _drain(terminal, 0.15)
    return taken


def _until_written(terminal: Terminal, key: bytes, wanted: bytes) -> float:
    """Milliseconds from the key to those bytes. Not from the emulated screen: that is slower than the storm."""
    _drain(terminal, 0.1)
    began, seen = terminal.press(key), b""
    while chunk := terminal.next_chunk(5):
        seen = seen[-64:] + chunk.data
        if chunk.monotonic >= began and wanted in seen:
            return (chunk.monotonic - began) * 1000
        if chunk.monotonic > began + 5:
            break
    return 5_000.0


def _drain(terminal: Terminal, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        terminal.next_chunk(left)


def _told(taken: list[float]) -> str:
    ordered = sorted(taken)
    return (
        f"p50 {statistics.median(ordered):.0f} ms, p95 {ordered[int(len(ordered) * 0.95)]:.0f} ms, "
        f"max {ordered[-1]:.0f} ms"
    )


def markdown(typed: dict[str, object] | None, read: dict[str, dict[str, object]] | None, load: float) -> str:
    """The section of RESULTS.md."""
    text = [
        "## Logs",
        "",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, Linux {platform.release()}, Python "
        f"{platform.python_version()}; load before {load:.2f}.",
    ]
    if typed is not None:
        text += ["", f"A key to the changed log screen, while {RATE:,} lines a second arrive from 10 containers:", ""]
        text += ["| | measured |", "|---|---:|", *(f"| {what} | {value} |" for what, value in typed.items())]
    if read is not None:
        text += [
            "",
            f"{CONTAINERS} containers of {LINES:,} lines on one real engine, merged and written to a pipe:",
            "",
        ]
        text += [
            "| program | lines | complete | lines a second | CPU, s | memory, MiB |",
            "|---|---:|---|---:|---:|---:|",
        ]
        for program, one in read.items():
            cells = (one[name] for name in ("lines", "complete", "lines_per_second", "cpu_seconds", "memory_mib"))
            text.append(f"| {program} | " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(text)


def main() -> None:
    """Measure both, write them into RESULTS.md, print them."""
    chosen, load = sys.argv[1:] or ["keys", "merged"], os.getloadavg()[0]
    typed = keys() if "keys" in chosen else None
    read = merged() if "merged" in chosen else None
    text = markdown(typed, read, load)
    put_section(Path(__file__).parent, "logs", text)
    print(text)


if __name__ == "__main__":
    main()
