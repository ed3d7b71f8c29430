"""From records to what is read: medians, ratios to fleettop in the same run, budgets met or not."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .engine import HEALTH_INTERVAL
from .measures import Record

OURS = "fleettop"
TOO_LOADED = 0.5
"""Cores in use by something else from which on a session's numbers are not to be trusted."""


@dataclass(frozen=True)
class Spread:
    """What several measurements of one thing came to."""

    median: float | None
    p90: float | None
    count: int
    missed: int

    @classmethod
    def of(cls, values: Iterable[float | None]) -> Spread:
        """The median and the ninth tenth of what came; what did not come is counted."""
        everything = list(values)
        good = sorted(value for value in everything if value is not None)
        missed = len(everything) - len(good)
        if not good:
            return cls(None, None, 0, missed)
        return cls(statistics.median(good), good[min(len(good) - 1, int(len(good) * 0.9))], len(good), missed)


@dataclass(frozen=True)
class Measure:
    """One thing that is measured, as it is written."""

    what: str
    title: str
    unit: str
    note: str = ""
    digits: int = 0
    tail: bool = False
    """Whether its ninth tenth is told too."""


MEASURES = (
    Measure("start", "Start: exec to the first ten containers on screen", "s", digits=2),
    Measure("event", "Engine event to screen", "ms", "A container is killed or started.", tail=True),
    Measure("key", "Arrow key to a changed screen", "ms", digits=1, tail=True),
    Measure("cpu", "CPU of the program, watching idle with figures on screen", "s a minute", digits=2),
    Measure("engine cpu", "CPU of dockerd, containerd and shims meanwhile", "s a minute", digits=2),
    Measure("reading", "Between two readings of a row meanwhile", "s", "How old the figures get.", digits=1),
    Measure("terminal", "Written to the terminal meanwhile", "kB/s", digits=1),
    Measure("rows with figures", "Rows with figures on the screen meanwhile", "rows"),
    Measure("memory", "Memory, resident", "MiB"),
    Measure(
        "requests",
        "API requests to the engine",
        "a minute",
        "Counted in between, all programs side by side. Streams that were open before are none.",
    ),
    Measure("received", "Sent by the engine", "kB a minute", "In the same minute."),
    Measure("cpu side by side", "CPU of the program", "s a minute", "In the same minute, all side by side.", digits=2),
)


@dataclass(frozen=True)
class Budget:
    """What was promised, what was measured, and whether that is kept; None: not measured."""

    promise: str
    measured: str
    met: bool | None


class Results:
    """Everything of one run of the bench."""

    def __init__(
        self,
        records: Sequence[Record],
        *,
        about: Mapping[str, Any],
        loads: Sequence[Mapping[str, Any]],
        kinds: Mapping[str, Mapping[str, float]],
        gaps: Sequence[str],
    ) -> None:
        self.records = records
        self.about = about
        self.loads = loads
        self.kinds = kinds
        self.gaps = gaps

    @property
    def disturbed(self) -> list[Mapping[str, Any]]:
        """The sessions beside which the machine did something else."""
        return [load for load in self.loads if load["other_cores"] > TOO_LOADED]

    def spread(self, what: str, program: str, containers: int) -> Spread | None:
        """What was measured of a program; None where it was not."""
        values = [
            record.value
            for record in self.records
            if (record.what, record.program, record.containers) == (what, program, containers)
        ]
        return Spread.of(values) if values else None

    def median(self, what: str, program: str, containers: int) -> float | None:
        """The median alone."""
        spread = self.spread(what, program, containers)
        return spread.median if spread else None

    @property
    def sizes(self) -> list[int]:
        """The numbers of containers measured with."""
        return sorted({record.containers for record in self.records})

    def programs(self, what: str) -> list[str]:
        """Those of which this was measured, fleettop first."""
        return list(dict.fromkeys(record.program for record in self.records if record.what == what))

    # -- budgets

    def budgets(self) -> list[Budget]:
        """The promises, each with each number of containers it was made for."""
        found = []
        for size in self.sizes:
            found += [
                self._limit("start", size, 0.6, "start to containers on screen under 0.6 s"),
                self._limit("event", size, 100, "engine event to screen under 100 ms"),
                self._limit("key", size, 16, "key to changed screen under 16 ms"),
            ]
        if 30 in self.sizes:
            found += [
                self._ratio("cpu", 30, "docker stats", 1.0, "CPU idle with figures: no more than `docker stats`"),
                self._ratio("cpu", 30, "dtop", 1 / 3, "CPU idle with figures: at most a third of dtop's"),
            ]
        if 120 in self.sizes:
            found.append(
                self._limit("requests", 120, 60, "requests, idle without figures, under 60 a minute", "fleettop, Trail")
            )
        return found

    def _limit(self, what: str, size: int, limit: float, words: str, program: str = OURS) -> Budget:
        promise = f"{words} ({size} containers)"
        spread = self.spread(what, program, size)
        if spread is None:
            return Budget(promise, "not measured", None)
        if spread.median is None:
            return Budget(promise, "never seen", False)
        missed = f", {spread.missed} never seen" if spread.missed else ""
        # What is not seen at all is later than any limit: more misses than hits are no median.
        met = spread.median < limit and spread.missed < spread.count
        return Budget(promise, f"{number(spread.median, measure(what).digits)} {measure(what).unit}{missed}", met)

    def _ratio(self, what: str, size: int, peer: str, most: float, words: str) -> Budget:
        promise = f"{words} ({size} containers)"
        ours, theirs = self.median(what, OURS, size), self.median(what, peer, size)
        if ours is None or not theirs:
            return Budget(promise, "not measured", None)
        words = f"{ours:.2f} against {theirs:.2f} s a minute: {ours / theirs:.2f} ×"
        often = [self.median("reading", program, size) for program in (OURS, peer)]
        if often[0] and often[1]:
            words += f" (with a reading of each row every {often[0]:.1f} s against {often[1]:.1f} s)"
        return Budget(promise, words, ours <= theirs * most)

    # -- written down

    def markdown(self) -> str:
        """RESULTS.md."""
        lines = ["# What fleettop costs, and how quickly it answers", "", *self._about(), "", "## Budgets", ""]
        lines += ["| promise | measured | kept |", "|---|---|---|"]
        lines += [f"| {b.promise} | {b.measured} | {_kept(b.met)} |" for b in self.budgets()]
        for each in MEASURES:
            if self.programs(each.what):
                lines += ["", *self._table(each)]
        if self.kinds:
            lines += ["", *self._kinds()]
        lines += ["", "## What else the machine did", "", *self._loads(), ""]
        return "\n".join(lines)

    def _about(self) -> list[str]:
        lines = [f"{key}: {value}  " for key, value in self.about.items()]
        if self.disturbed:
            lines += [
                "",
                f"**Not to be quoted:** in {len(self.disturbed)} of {len(self.loads)} sessions something else used "
                f"more than {TOO_LOADED} of a core.",
            ]
        lines += ["", *(f"- Left out: {gap}" for gap in self.gaps)]
        return lines

    def _table(self, each: Measure) -> list[str]:
        sizes = sorted({record.containers for record in self.records if record.what == each.what})
        head = "".join(f" {size} containers | × fleettop |" for size in sizes)
        lines = [f"## {each.title}, {each.unit}", "", *([each.note, ""] if each.note else [])]
        lines += [f"| program |{head}", "|---|" + "---:|---:|" * len(sizes)]
        for program in self.programs(each.what):
            lines.append(f"| {program} |" + "".join(self._cell(each, program, size) for size in sizes))
        return lines

    def _cell(self, each: Measure, program: str, size: int) -> str:
        spread = self.spread(each.what, program, size)
        if spread is None:
            return " – | – |"
        if spread.median is None:
            return f" never in {spread.missed} | – |"
        text = number(spread.median, each.digits)
        if each.tail and spread.p90 is not None:
            text += f" (p90 {number(spread.p90, each.digits)})"
        if spread.missed:
            text += f", {spread.missed} of {spread.missed + spread.count} never seen"
        ours = self.median(each.what, OURS, size)
        ratio = f"{spread.median / ours:.2f}" if ours else "–"
        return f" {text} | {'' if program == OURS else ratio} |"

    def _kinds(self) -> list[str]:
        lines = ["## What they ask for, requests a minute", ""]
        for program, kinds in self.kinds.items():
            asked = ", ".join(f"{count:g} `{kind}`" for kind, count in list(kinds.items())[:8]) or "nothing"
            lines.append(f"- {program}: {asked}")
        return lines

    def _loads(self) -> list[str]:
        others = [float(load["other_cores"]) for load in self.loads]
        averages = [float(load["load_1_min"]) for load in self.loads]
        if not others:
            return ["Not measured."]
        return [
            "Cores used by neither the program, nor the engine, nor the bench, over the sessions: "
            f"median {statistics.median(others):.2f}, most {max(others):.2f}. "
            f"Load average (all of these included): {min(averages):.2f} to {max(averages):.2f}."
        ]

    def write(self, folder: Path) -> None:
        """RESULTS.md and results.json."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "RESULTS.md"
        kept = {name: section(path, name) for name in (SECTION, FIGURES)}
        path.write_text(self.markdown())
        for name, text in kept.items():
            if text:
                put_section(folder, name, text)
        everything = {
            "about": self.about,
            "budgets": [vars(budget) for budget in self.budgets()],
            "gaps": self.gaps,
            "kinds": self.kinds,
            "loads": self.loads,
            "records": [record.plain() for record in self.records],
        }
        text = json.dumps(everything, indent=1)
        (folder / "results.json").write_text(text + "\n")


FIGURES = "figures"
"""What `bench.figures` writes into the same file, likewise."""
SECTION = "trail"
"""What `bench.trail` writes into the same file; a run of the rest leaves it alone."""


def section(path: Path, name: str) -> str:
    """A section that another bench wrote, between its markers; empty where there is none."""
    text = path.read_text() if path.exists() else ""
    return text.partition(f"<!-- {name} -->\n")[2].partition(f"<!-- end of {name} -->")[0].strip("\n")


def put_section(folder: Path, name: str, text: str) -> None:
    """Write such a section into RESULTS.md, in place of the one before, else at its end."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "RESULTS.md"
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    whole = path.read_text() if path.exists() else ""
    before, found, rest = whole.partition(begin)
    after = rest.partition(end)[2].strip("\n") if found else ""
    parts = [before.rstrip("\n"), f"{begin}\n{text.strip()}\n\n{end}", after]
    path.write_text("\n\n".join(part for part in parts if part) + "\n")


def measure(what: str) -> Measure:
    """How this is written."""
    return next(each for each in MEASURES if each.what == what)


def number(value: float, digits: int) -> str:
    """With so many digits."""
    return f"{value:.{digits}f}"


def _kept(met: bool | None) -> str:
    return "–" if met is None else "yes" if met else "**no**"


METHOD = (
    f"One dockerd in namespaces of its own; one container in ten has a health check every {HEALTH_INTERVAL} s, "
    "one in three uses some milliseconds of CPU a second; a terminal of 200×50. "
    "Programs take turns; numbers are medians over all runs."
)
