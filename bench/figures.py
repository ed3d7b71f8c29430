"""Measure what figures of containers cost, beside `docker stats`: ``python -m bench figures`` (as root; see --help).

CPU of the engine's host, CPU and memory of fleettop, and bytes on the way, all of the same containers in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from fleettop.collectors.address import EngineAddress
from fleettop.collectors.model import ContainerKey

from tests.fleet import Fleet, missing

from .engine import host_seconds
from .processes import cpu_seconds, load, machine_seconds, memory_mib, tree
from .programs import DOCKER_STATS, FLEETTOP, ROOT, TRAIL, Program
from .report import put_section
from .terminal import Terminal

SECTION = "figures"
HOST = "h1"
STEADY = 6.0
"""Seconds after the start of a program until it is taken to do what it does."""


@dataclass(frozen=True)
class Promise:
    """A budget, what was measured, and whether that keeps it."""

    words: str
    measured: str
    kept: bool


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench figures", description=__doc__)
    parser.add_argument("--id", type=int, default=18, help="number of the fleet that is brought up (see tests.fleet)")
    parser.add_argument("--seconds", type=float, default=40.0, help="of each measurement")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--out", type=Path, default=ROOT / "bench", help="folder of RESULTS.md and figures.json")
    parser.add_argument("--read", metavar="ADDRESS", help=argparse.SUPPRESS)
    parser.add_argument("--ssh-config", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def say(words: str) -> None:
    """Progress, on stderr."""
    print(words, file=sys.stderr, flush=True)


# -- the programs


async def read_all(address: str, ssh_config: Path | None) -> None:
    """What a screen would that has room for all containers: each read every 2 s, for ever."""
    import msgspec
    from fleettop.collectors.address import parse_address
    from fleettop.collectors.session import Session

    engine: EngineAddress = msgspec.structs.replace(parse_address(address, name=HOST), ssh_config=ssh_config)
    async with Session([engine], read_only=True) as session:
        await session.settled(30)
        told = 0
        while True:
            session.interest.look_at(key for key in session.fleet.containers if isinstance(key, ContainerKey))
            await asyncio.sleep(0.5)
            session.fleet.take_changes()
            known = sum(usage.cpu is not None for usage in session.fleet.usage.values())
            if known != told:
                told = known
                print(f"{known} {session.fleet.engines[HOST].figures}", flush=True)


@contextmanager
def reader(fleet: Fleet, count: int) -> Iterator[subprocess.Popen[str]]:
    """fleettop's collectors over SSH, once all containers have their figures."""
    address = fleet.address(HOST, "ssh")
    words = [sys.executable, "-m", "bench.figures", "--read", address.text, "--ssh-config", str(address.ssh_config)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            known, _, way = line.strip().partition(" ")
            if int(known) == count:
                if way != "read on the host over ssh":
                    raise RuntimeError(f"the figures are {way}")
                break
        time.sleep(STEADY)
        yield process
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def stats(fleet: Fleet, *, over_ssh: bool = False) -> Iterator[subprocess.Popen[bytes]]:
    """`docker stats`, written to nowhere; over SSH as a person would run it on the host."""
    command = ["docker", "stats"]
    surroundings = {**os.environ, "DOCKER_HOST": f"unix://{fleet.site.socket(HOST)}"}
    if over_ssh:
        config = fleet.address(HOST, "ssh").ssh_config
        command = ["ssh", "-C", "-F", str(config), HOST, shlex.join(command)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=surroundings)
    try:
        time.sleep(STEADY)
        yield process
    finally:
        process.terminate()
        process.wait(10)


# -- what is read off


def rate(count: Callable[[], float], seconds: float) -> float:
    """How much a second."""
    before, began = count(), time.monotonic()
    time.sleep(seconds)
    return (count() - before) / (time.monotonic() - began)


class Bench:
    """One engine with containers that do nothing."""

    def __init__(self, fleet: Fleet, seconds: float) -> None:
        self.fleet = fleet
        self.seconds = seconds
        self.count = 0
        self.values: dict[str, list[float]] = {}
        self.others: list[float] = []

    def fill(self, count: int) -> None:
        """Have so many containers run."""
        with ThreadPoolExecutor(4) as pool:
            names = (f"web-{number:03}" for number in range(self.count + 1, count + 1))
            list(pool.map(lambda name: self.fleet.run_plain(HOST, name, "sleep 86400"), names))
        self.count = count
        time.sleep(STEADY)

    def host_seconds(self) -> float:
        """CPU seconds of all on the engine's host so far."""
        return host_seconds(self.fleet, HOST)

    def wire_bytes(self) -> float:
        """Bytes on the host's cable so far, both ways, with all headers."""
        files = ("rx_bytes", "tx_bytes")
        folder = "/sys/class/net/eth0/statistics"
        return float(sum(int(self.fleet.on(HOST, "cat", f"{folder}/{name}")) for name in files))

    def note(self, what: str, value: float) -> float:
        """One more measurement."""
        self.values.setdefault(what, []).append(value)
        say(f"  {what}: {value:.4g}")
        return value

    def median(self, what: str) -> float:
        """Of all runs."""
        return statistics.median(self.values[what])

    def hosts_cpu(self) -> None:
        """Percent of a core on the engine's host: idle, under `docker stats`, under fleettop over SSH."""
        before, began = machine_seconds(), time.monotonic()
        idle = self.note("host idle, % of a core", 100 * rate(self.host_seconds, self.seconds / 2))
        with stats(self.fleet):
            used = 100 * rate(self.host_seconds, self.seconds) - idle
            self.note("host above idle, docker stats, % of a core", used)
        with reader(self.fleet, self.count) as process:
            used = 100 * rate(self.host_seconds, self.seconds) - idle
            self.note("host above idle, fleettop, % of a core", used)
            self.note("fleettop's collectors, MiB", memory_mib(process.pid))
        self.others.append((machine_seconds() - before) / (time.monotonic() - began))

    def bytes_on_the_way(self) -> None:
        """Bytes a second over one SSH link, compressed."""
        idle = rate(self.wire_bytes, self.seconds / 4)
        with stats(self.fleet, over_ssh=True):
            self.note("ssh -C docker stats, B/s", rate(self.wire_bytes, self.seconds) - idle)
        with reader(self.fleet, self.count):
            self.note("fleettop over ssh, B/s", rate(self.wire_bytes, self.seconds) - idle)

    def own_cpu(self, program: Program) -> None:
        """Percent of a core that a program takes with figures on its screen, of a local engine."""
        socket = self.fleet.site.socket(HOST)
        with tempfile.TemporaryDirectory(prefix="bench-") as home:
            terminal = Terminal(program.line(socket, Path()), program.environment(socket, Path(home)))
            try:
                terminal.pass_time(STEADY)
                if program.view:
                    terminal.press(program.view)
                terminal.pass_time(STEADY)
                before, began = cpu_seconds(tree(terminal.pid)), time.monotonic()
                terminal.pass_time(self.seconds)
                used = (cpu_seconds(tree(terminal.pid)) - before) / (time.monotonic() - began)
                shown = sum("%" in line and "web-" in line for line in terminal.lines())
            finally:
                terminal.close()
        self.note(f"{program.name} itself, local, % of a core", 100 * used)
        self.note(f"{program.name}, rows with figures", shown)

    # -- written down

    def promises(self) -> list[Promise]:
        """The budgets."""
        engine = self.median("host above idle, docker stats, % of a core")
        ours = self.median("host above idle, fleettop, % of a core")
        own, theirs = (self.median(f"{p.name} itself, local, % of a core") for p in (FLEETTOP, DOCKER_STATS))
        bare = self.median(f"{TRAIL.name} itself, local, % of a core")
        wire, stats_wire = self.median("fleettop over ssh, B/s"), self.median("ssh -C docker stats, B/s")
        return [
            Promise(
                "CPU of the engine's host above idle, 100 containers every 2 s over SSH: a tenth of `docker stats`'",
                f"{ours:.2f} against {engine:.1f} % of a core: 1/{engine / max(ours, 0.001):.0f}",
                ours <= engine / 10,
            ),
            Promise(
                "CPU of fleettop with figures of 30 local containers on screen: at most 0.6 of `docker stats`'",
                f"{own:.2f} against {theirs:.2f} % of a core: {own / theirs:.2f} × (without figures, in its Trail: "
                f"{bare:.2f})",
                own <= 0.6 * theirs,
            ),
            Promise(
                "bytes over one SSH link, figures of 50 idle containers every 2 s, compressed: at most 2 kB/s",
                f"{wire / 1000:.2f} kB/s (`ssh -C` with `docker stats`: {stats_wire / 1000:.2f})",
                wire <= 2000,
            ),
        ]


def markdown(bench: Bench, about: dict[str, str]) -> str:
    """The section of RESULTS.md."""
    rows = ["## Figures of containers", "", *(f"{key}: {value}  " for key, value in about.items()), ""]
    rows += ["| promise | measured | kept |", "|---|---|---|"]
    rows += [f"| {p.words} | {p.measured} | {'yes' if p.kept else '**no**'} |" for p in bench.promises()]
    rows += ["", "| measured | median | of all runs |", "|---|---:|---|"]
    for what, values in bench.values.items():
        rows.append(f"| {what} | {statistics.median(values):.2f} | {', '.join(f'{value:.2f}' for value in values)} |")
    return "\n".join(rows)


def main() -> int:
    """Measure, write, print. 0: kept; 1: cannot here; 2: a budget is missed."""
    options = arguments()
    if options.read:
        asyncio.run(read_all(options.read, options.ssh_config))
    if reasons := missing(podman=False):
        say(f"No real engine can run here: {'; '.join(reasons)}.")
        return 1
    about = {
        "Date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "Machine": f"{os.cpu_count()} cores, Linux {platform.release()}, Python {platform.python_version()}; "
        f"load before {load():.2f}",
        "How": "One dockerd with sshd in namespaces of their own, containers that do nothing. The host's CPU is that "
        "of all its processes, sshd and shells too, less what it uses idle; bytes are those on its cable, both ways, "
        f"headers too. Medians of {options.runs} runs of {options.seconds:g} s, taking turns.",
    }
    fleet = Fleet(options.id)
    try:
        fleet.up(hosts=1, tcp="none", disk="1g")
        bench = Bench(fleet, options.seconds)
        for count, parts in (
            (30, tuple(partial(bench.own_cpu, program) for program in (FLEETTOP, TRAIL, DOCKER_STATS))),
            (50, (bench.bytes_on_the_way,)),
            (100, (bench.hosts_cpu,)),
        ):
            say(f"{count} containers")
            bench.fill(count)
            for _ in range(options.runs):
                for part in parts:
                    part()
    finally:
        fleet.down()
    about["Cores in use meanwhile"] = ", ".join(f"{value:.2f}" for value in bench.others)
    text = markdown(bench, about)
    put_section(options.out, SECTION, text)
    (options.out / "figures.json").write_text(json.dumps({"about": about, "values": bench.values}, indent=1) + "\n")
    print(text)
    return 0 if all(promise.kept for promise in bench.promises()) else 2


if __name__ == "__main__":
    sys.exit(main())
