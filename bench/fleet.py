"""Measure a real fleet of ten engines: ``python -m bench fleet`` (as root; see --help).

Ten unmodified dockerd with sshd, each in namespaces of its own; fleettop reaches them by SSH, by TCP with TLS and by
their sockets. Beside it, in the same run: one `docker stats` and one `docker events` for each engine, by its socket.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tests.fleet import Fleet, missing
from tests.fleet.__main__ import config

from .engine import IDLE, host_seconds, run_numbered
from .processes import cpu_seconds, load, memory_mib, tree
from .programs import ROOT
from .report import Spread, put_section
from .scale import configured, keys, probes, shows

SECTION = "fleet"
WAYS = ("ssh", "tls", "ssh", "unix", "ssh")
"""How the hosts are reached, repeated: six of ten by SSH, two by TLS, two by their sockets."""
STEADY = 8.0
"""Seconds after which a program that was started is taken to do what it does."""
CONNECTED = 60.0


@dataclass
class Run:
    """What one run of fleettop showed; None: it never came."""

    first_frame: float | None = None
    connected: float | None = None
    events: list[float] = field(default_factory=list)
    """Milliseconds."""
    keys: list[float] = field(default_factory=list)
    memory: float = 0.0


@dataclass(frozen=True)
class Cost:
    """What watching costs, in percent of one core."""

    programs: float
    """Of all programs that watch."""
    hosts: float
    """Of all hosts with all that runs on them."""


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench fleet", description=__doc__)
    parser.add_argument("--id", type=int, default=18, help="number of the fleet that is brought up (see tests.fleet)")
    parser.add_argument("--hosts", type=int, default=10)
    parser.add_argument("--each", type=int, default=5, help="containers on each of them")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement of CPU")
    parser.add_argument("--out", type=Path, default=ROOT / "bench", help="folder of RESULTS.md")
    return parser.parse_args()


def say(words: str) -> None:
    """Progress, on stderr."""
    print(words, file=sys.stderr, flush=True)


@contextmanager
def real(number: int, hosts: int, each: int) -> Iterator[Fleet]:
    """Such a fleet; one in ten of its containers has a health check. Taken away without a trace."""
    fleet = Fleet(number)
    fleet.up(hosts=hosts, disk="256m")
    try:
        with ThreadPoolExecutor(4) as pool:
            numbers = range(1, hosts * each + 1)
            list(pool.map(lambda one: run_numbered(fleet, f"h{(one - 1) % hosts + 1}", one, IDLE), numbers))
        yield fleet
    finally:
        fleet.down()


def cost(fleet: Fleet, pids: Sequence[int], wait: Callable[[float], object], seconds: float) -> Cost:
    """Over so long, of these programs and of the hosts. `wait` lets time pass."""

    used = partial(host_seconds, fleet)

    def now() -> tuple[float, float, float]:
        return time.monotonic(), sum(cpu_seconds(tree(pid)) for pid in pids), sum(map(used, fleet.state.hosts))

    began, programs, hosts = now()
    wait(seconds)
    ended, programs_then, hosts_then = now()
    took = (ended - began) / 100
    return Cost((programs_then - programs) / took, (hosts_then - hosts) / took)


def watch(fleet: Fleet, containers: int, seconds: float) -> tuple[Run, Cost]:
    """fleettop, once: start, nothing, keys, and what happens."""
    run, names = Run(), list(fleet.state.hosts)
    with (
        tempfile.TemporaryDirectory(prefix="fleet-bench-") as home,
        configured(config(fleet, WAYS), Path(home)) as terminal,
    ):
        run.first_frame = shows(terminal, "Services", CONNECTED)
        run.connected = shows(terminal, rf"\b{containers}\b.{{0,9}} containers", CONNECTED)
        terminal.pass_time(STEADY)
        idle = cost(fleet, [terminal.pid], terminal.pass_time, seconds)
        run.keys = keys(terminal, 40)
        for host in (names[0], names[1], names[3]):  # one of each way
            run.events += probes(terminal, fleet.site.socket(host), host, 8)
            terminal.press(b"\x1b")
            terminal.pass_time(0.3)
            terminal.press(b"1")
            terminal.pass_time(0.5)
        run.memory = memory_mib(terminal.pid)
    return run, idle


def beside(fleet: Fleet, command: Sequence[str], seconds: float) -> Cost:
    """One such program for each engine, writing to nowhere."""
    started = []
    try:
        for name in fleet.state.hosts:
            surroundings = {**os.environ, "DOCKER_HOST": f"unix://{fleet.site.socket(name)}"}
            started.append(
                subprocess.Popen(command, env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            )
        time.sleep(STEADY)
        return cost(fleet, [one.pid for one in started], time.sleep, seconds)
    finally:
        for one in started:
            one.terminate()
        for one in started:
            one.wait(10)


# -- what is written


def _cell(values: Iterable[float | None], digits: int = 0, *, tail: bool = False) -> str:
    """The median, with the ninth tenth behind it where that is asked for."""
    spread = Spread.of(values)
    if spread.median is None or spread.p90 is None:
        return "never"
    return f"{spread.median:.{digits}f}" + (f" / {spread.p90:.0f}" if tail else "")


def markdown(
    options: argparse.Namespace, runs: Sequence[tuple[Run, Cost]], costs: dict[str, list[Cost]], before: float
) -> str:
    """The section of RESULTS.md."""
    found = [run for run, _ in runs]
    events, pressed = [ms for run in found for ms in run.events], [ms for run in found for ms in run.keys]
    nothing = statistics.median(one.hosts for one in costs["nothing"])
    version = subprocess.run(("docker", "--version"), capture_output=True, text=True, check=False).stdout.strip()
    text = [
        f"## A real fleet of {options.hosts} engines",
        "",
        f"Date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC  ",
        f"Machine: {os.cpu_count()} cores, Linux {platform.release()}, Python {platform.python_version()}; "
        f"load before {before:.2f}  ",
        f"Programs: fleettop; {version}  ",
        f"How: {options.hosts} dockerd with sshd in namespaces of their own, {options.each} containers on each, "
        f"reached by {', '.join(WAYS)} in turn; a terminal of 200×50. Runs: {len(runs)}, programs taking turns; "
        "numbers are medians. The others are one process an engine, by its socket. What hosts use is that of all their "
        "processes, sshd too, above what they use with nobody watching.",
        "",
        "| fleettop | |",
        "|---|---:|",
        f"| first frame, s | {_cell((run.first_frame for run in found), 2)} |",
        f"| all {options.hosts * options.each} containers of all engines on screen, s "
        f"| {_cell((run.connected for run in found), 2)} |",
        f"| engine's answer to screen, p50 / p90 of {len(events)}, ms | {_cell(events, tail=True)} |",
        f"| key to screen, p50 / p90 of {len(pressed)}, ms | {_cell(pressed, 1, tail=True)} |",
        f"| memory, MiB | {_cell(run.memory for run in found)} |",
        "",
        "| idle, % of a core | the programs | the hosts, above nobody watching |",
        "|---|---:|---:|",
    ]
    for name, all_of in costs.items():
        programs = statistics.median(one.programs for one in all_of)
        hosts = statistics.median(one.hosts for one in all_of)
        above = f"{hosts - nothing:.2f}" if name != "nothing" else f"0 ({hosts:.2f})"
        text.append(f"| {name} | {programs:.2f} | {above} |")
    return "\n".join(text)


def main() -> int:
    """Measure, write, print."""
    options = arguments()
    if reasons := missing(podman=False):
        say(f"No real engine can run here: {'; '.join(reasons)}.")
        return 1
    before, runs = load(), []
    kinds: dict[str, Sequence[str]] = {
        f"{options.hosts} `docker stats`": ("docker", "stats"),
        f"{options.hosts} `docker events`": ("docker", "events"),
    }
    costs: dict[str, list[Cost]] = {"fleettop": [], **{name: [] for name in kinds}, "nothing": []}
    with real(options.id, options.hosts, options.each) as fleet:
        time.sleep(STEADY)
        for number in range(1, options.runs + 1):
            costs["nothing"].append(cost(fleet, [], time.sleep, options.seconds))
            run, idle = watch(fleet, options.hosts * options.each, options.seconds)
            runs.append((run, idle))
            costs["fleettop"].append(idle)
            for name, command in kinds.items():
                costs[name].append(beside(fleet, command, options.seconds))
            say(f"  run {number}: {run}; {idle}")
    text = markdown(options, runs, costs, before)
    put_section(options.out, SECTION, text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
