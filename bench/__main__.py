"""Measure fleettop beside other programs, on a real engine: ``python -m bench`` (as root; see --help).

``python -m bench NAME`` measures one thing instead: `fleet` (a real fleet of ten engines; as root), `trail` (its
store), `trailview` (view 4 on millions of records), `screen` (bytes, CPU and keys with 10,000 rows that change, and
over a slow line), `figures` (what figures of containers cost, of all who are concerned; as root), `logs` (a storm),
`scale` (fleets of up to 1,000 engines), `profiles` (where its time goes), and `soak` (an hour of storm in which nothing
may grow). ``python -m bench all`` measures everything but the soak, one after the other.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.fleet import missing

from . import programs
from .engine import Engine
from .measures import Bench, Effort
from .processes import load
from .programs import Program
from .report import METHOD, TOO_LOADED, Results

PARTS = ("fleet", "scale", "screen", "figures", "profiles", "logs", "trail", "trailview")
"""What is measured beside the main table, in this order."""
OTHERS = (*PARTS, "soak")
QUICK = Effort(keys=8, events=1, watch=6.0, requests=15.0, starts=False)
FULL = Effort()
PATIENCE = 60.0
"""Seconds to wait before each session for a machine that does something else."""


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--id", type=int, default=18, help="number of the fleet that is brought up (see tests.fleet)")
    parser.add_argument("--containers", type=int, nargs="+", default=[30, 120])
    parser.add_argument("--runs", type=int, help="3, or 1 where quick")
    parser.add_argument("--quick", action="store_true", help="once, and little of everything: to see that it works")
    parser.add_argument("--only", nargs="+", metavar="PROGRAM", help="fleettop, dtop, stats, ps, events, less")
    parser.add_argument("--no-requests", action="store_true", help="leave out the counting of requests")
    parser.add_argument("--loaded", action="store_true", help="measure beside whatever else the machine does")
    parser.add_argument("--out", type=Path, help="folder for RESULTS.md and results.json")
    return parser.parse_args()


def chosen(only: list[str] | None) -> tuple[dict[str, Program], list[str]]:
    """The programs to measure, by the short names of the command line, and what had to be left out and why."""
    gaps = []
    known = {
        "fleettop": programs.FLEETTOP,
        "stats": programs.DOCKER_STATS,
        "ps": programs.PS_LOOP,
        "events": programs.DOCKER_EVENTS,
        "less": programs.LESS,
    }
    if not only or "dtop" in only:
        installed = programs.install_dtop()
        if isinstance(installed, str):
            gaps.append(installed)
        else:
            known["dtop"] = programs.dtop(installed)
    order = [name for name in ("fleettop", "stats", "dtop", "ps", "events", "less") if name in known]
    return {name: known[name] for name in order if not only or name in only}, gaps


def await_quiet(bench: Bench, patience: float) -> bool:
    """Wait until nothing else uses the machine; False where that did not come."""
    end = time.monotonic() + patience
    while bench.other_cores() > TOO_LOADED:
        if time.monotonic() > end:
            return False
        time.sleep(3)
    return True


def about(engine: Engine, measured: dict[str, Program], runs: int) -> dict[str, Any]:
    """The machine, the versions, the date."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)
    return {
        "Date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "Machine": f"{os.cpu_count()} cores ({model[1] if model else platform.machine()}), {memory:.0f} GiB, "
        f"Linux {platform.release()}, Python {platform.python_version()}",
        "Engine": f"Docker {engine.version}",
        "Programs": "; ".join(version for program in measured.values() if (version := program.told_version())),
        "Runs": f"{runs}, load before the first {load():.2f}",
        "How": METHOD,
    }


def measure(bench: Bench, measured: dict[str, Program], options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Everything, programs taking turns. Returns what they asked the engine for, by kind."""
    patience = 0.0 if options.loaded else PATIENCE
    listing = [program for program in measured.values() if program.lists]
    floors = [program for program in measured.values() if not program.lists]
    for size in options.containers:
        first = size == options.containers[0]
        say(f"{size} containers")
        bench.engine.fill(size)
        if first:
            for program in measured.values():
                bench.warm(program)
        for run in range(1, options.runs + 1):
            for program in listing:
                take_turn(bench, program, run, patience, watched=first and program.figures)
            for program in floors if first and run == 1 else []:
                take_turn(bench, program, run, patience, watched=False)
    if options.no_requests:
        return {}
    await_quiet(bench, patience)
    say("requests, all side by side")
    if "fleettop" in measured:
        listing.insert(1, programs.TRAIL)
    return bench.requests(listing)


def take_turn(bench: Bench, program: Program, run: int, patience: float, *, watched: bool) -> None:
    """One program, once: start, keys and events, idle."""
    await_quiet(bench, patience)
    if program.lists and (bench.effort.starts or not (program.keys or program.events)):
        bench.start(program, run)
    if program.keys or program.events:
        bench.session(program, run)
        bench.engine.start_all()
        say(f"  run {run}, {program.name}: others use {bench.loads[-1]['other_cores']} of a core")
    if watched:
        await_quiet(bench, patience)
        bench.watch(program, run)
        say(f"  run {run}, {program.name}, idle: others use {bench.loads[-1]['other_cores']} of a core")


def say(words: str) -> None:
    """Progress, on stderr."""
    print(words, file=sys.stderr, flush=True)


def everything(names: Sequence[str]) -> int:
    """The main table and all parts, or those of these names, each in a process of its own. The worst of their codes."""
    codes = []
    for name in names or ("main", *PARTS):
        say(f"== {name}")
        which = [] if name == "main" else [name]
        codes.append(subprocess.run([sys.executable, "-m", "bench", *which], check=False).returncode)
        if codes[-1]:
            say(f"== {name} ended with {codes[-1]}; the others go on")
    return max(codes)


def main() -> int:
    """Measure, write, and print. 0: measured; 1: cannot here; 2: disturbed, so not written where it is published."""
    if sys.argv[1:2] == ["all"]:
        return everything(sys.argv[2:])
    if sys.argv[1:2] and sys.argv[1] in OTHERS:
        name = sys.argv.pop(1)
        return int(importlib.import_module(f".{name}", __package__).main() or 0)
    options = arguments()
    if reasons := missing(podman=False):
        say(f"No real engine can run here: {'; '.join(reasons)}.")
        return 1
    options.runs = options.runs or (1 if options.quick else 3)
    measured, gaps = chosen(options.only)
    began = time.monotonic()
    with Engine(options.id) as engine:
        bench = Bench(engine, QUICK if options.quick else FULL)
        if not options.loaded and not await_quiet(bench, PATIENCE):
            say(f"Something else uses more than {TOO_LOADED} of a core. End it, or say --loaded (nothing to quote).")
            return 2
        told = about(engine, measured, options.runs)
        kinds = measure(bench, measured, options)
        told["Took"] = f"{(time.monotonic() - began) / 60:.1f} minutes"
    results = Results(bench.records, about=told, loads=bench.loads, kinds=kinds, gaps=gaps)
    whole = not (options.quick or options.only or options.no_requests or results.disturbed)
    folder = options.out or (programs.ROOT / "bench" if whole else programs.ROOT / "build/bench")
    results.write(folder)
    print(results.markdown())
    say(f"written to {folder}")
    return 2 if results.disturbed else 0


if __name__ == "__main__":
    sys.exit(main())
