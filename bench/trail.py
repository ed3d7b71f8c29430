"""Measure the trail's store, beside plain SQLite inserts of the same bodies: ``python -m bench.trail`` (see --help)."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from fleettop.collectors.trail.entry import Entry, RawEvent, canonical, nanos, stamp
from fleettop.collectors.trail.segments import SegmentStore
from fleettop.collectors.trail.store import Line, Place, Query
from fleettop.collectors.trail.verify import verify

from .processes import load, machine_seconds
from .report import TOO_LOADED, put_section

FOLDER = Path(__file__).parent
SECTION = "trail"
T0 = 1_700_000_000_000_000_000
APART = 50_000_000
"""Nanoseconds between two events: 20 a second."""
PAGE = 100
TIMES = 7
SERVICES, ENGINES, CONTAINERS = 300, 40, 3000
ACTIONS = (("start", "started"), ("die", "exited 1 by itself"), ("health_status", "healthy"), ("stop", "stopped"))


@dataclass(frozen=True)
class Measured:
    """One number, and what the machine did meanwhile."""

    what: str
    value: float
    unit: str
    cpu: float | None = None
    """Microseconds of CPU for each line."""
    others: float | None = None
    """Cores that something else used meanwhile."""


def entry(number: int) -> Entry:
    """What an engine's event becomes, one in twenty of it trouble, one in two hundred a line of our own."""
    at = stamp(T0 + number * APART)
    seen = stamp(T0 + number * APART + 20_000_000)
    if number % 200 == 199:
        return Entry(
            thread=f"bench-{number}", kind="outcome", at=at, seen=seen, instance="bench", engine=f"h{number % ENGINES}",
            service_key=f"compose:shop/s{number % SERVICES}", action="restart", what="restarted", actor="ann@ops",
            attribution="own", reason="a new certificate",
        )  # fmt: skip
    key = sha256(b"%d" % number).hexdigest()[:32]
    container = sha256(b"c%d" % (number % CONTAINERS)).hexdigest()
    action, what = ACTIONS[number % 4]
    name = f"shop-s{number % SERVICES}-{number % 10}"
    return Entry(
        thread=key, key=key, kind="event", at=at, seen=seen, instance="bench", engine=f"h{number % ENGINES}",
        event=RawEvent(type="container", action=action, time=at, attributes={"image": "shop/api:1.4", "name": name}),
        skew_ms=3, type="container", id=container, name=name, service=f"shop/s{number % SERVICES}",
        service_key=f"compose:shop/s{number % SERVICES}", image="shop/api:1.4", action=action, what=what,
        attribution="unknown", trouble=number % 20 == 1,
    )  # fmt: skip


def say(words: str) -> None:
    """Progress, on stderr."""
    print(words, file=sys.stderr, flush=True)


def rate(what: str, unit: str, count: int, work: Callable[[], object]) -> Measured:
    """How many a second, and at what CPU."""
    began, cpu, machine = time.monotonic(), time.process_time(), machine_seconds()
    work()
    took, used = time.monotonic() - began, time.process_time() - cpu
    others = max(0.0, machine_seconds() - machine - used) / took
    done = Measured(what, count / took, unit, used / count * 1e6, others)
    say(f"  {what}: {done.value:,.0f} {unit}, {done.cpu:.1f} µs of CPU each; others used {others:.2f} cores")
    return done


def pieces(first: int, count: int, size: int) -> Iterator[list[Entry]]:
    """Entries in batches."""
    for start in range(first, first + count, size):
        yield [entry(number) for number in range(start, min(start + size, first + count))]


def writing(folder: Path, lines: int, singles: int) -> list[Measured]:
    """Records a second, ours and the floor's by turns."""
    batches, one_by_one = list(pieces(0, lines, 100)), list(pieces(lines, singles, 1))
    bodies = [[(nanos(one.at), canonical(one)) for one in batch] for batch in batches]
    few = [[(nanos(one.at), canonical(one)) for one in batch] for batch in one_by_one]
    found = []
    with closing(SegmentStore(folder / "ours")) as store, closing(floor(folder / "floor.sqlite")) as sql:
        found.append(rate("floor, batches of 100", "records/s", lines, lambda: insert(sql, bodies)))
        found.append(rate("fleettop, batches of 100", "records/s", lines, lambda: append(store, batches)))
        found.append(rate("floor, singly", "records/s", singles, lambda: insert(sql, few)))
        found.append(rate("fleettop, singly", "records/s", singles, lambda: append(store, one_by_one)))
        again = [batches[0]] * 50
        found.append(rate("fleettop, duplicates in batches of 100", "records/s", 5000, lambda: append(store, again)))
    return found


def floor(path: Path) -> sqlite3.Connection:
    """A table of bodies with a number, and nothing else: what SQLite itself takes."""
    sql = sqlite3.connect(path, isolation_level=None)
    sql.execute("PRAGMA journal_mode = WAL")
    sql.execute("PRAGMA synchronous = FULL")
    sql.execute("CREATE TABLE line (seq INTEGER PRIMARY KEY, at INTEGER, body BLOB)")
    return sql


def insert(sql: sqlite3.Connection, batches: Sequence[Sequence[tuple[int, bytes]]]) -> None:
    """Each batch in a transaction."""
    for batch in batches:
        sql.execute("BEGIN IMMEDIATE")
        sql.executemany("INSERT INTO line (at, body) VALUES (?, ?)", batch)
        sql.execute("COMMIT")


def append(store: SegmentStore, batches: Sequence[Sequence[Entry]]) -> None:
    """Each batch in a call."""
    for batch in batches:
        store.append(batch)


def build(folder: Path, lines: int) -> Measured:
    """A big trail, in batches of 5,000."""

    def work() -> None:
        began = time.monotonic()
        with closing(SegmentStore(folder)) as store:
            for number, batch in enumerate(pieces(0, lines, 5000), 1):
                store.append(batch)
                if number % 100 == 0:
                    say(f"    {number * 5000:,} lines, {time.monotonic() - began:.0f} s")

    return rate("fleettop, batches of 5,000, making the entries included", "records/s", lines, work)


def timed(what: str, work: Callable[[], Sequence[Line]], *, times: int = TIMES) -> Measured:
    """Milliseconds, the median; the first time counts too where it is the only one."""
    took, found = [], 0
    for _ in range(times):
        began = time.perf_counter()
        found = len(work())
        took.append((time.perf_counter() - began) * 1000)
    done = Measured(f"{what} ({found} lines)", statistics.median(took), "ms")
    say(f"  {done.what}: {done.value:.1f} ms")
    return done


def reading(folder: Path, lines: int) -> list[Measured]:
    """Pages of a big trail."""
    middle, low = Place(T0 + lines // 2 * APART, 1 << 60), Place(T0 + lines // 50 * APART, 1 << 60)

    def first() -> Sequence[Line]:
        with closing(SegmentStore(folder)) as store:
            return store.read(Query(), PAGE)

    found = [timed("open the trail and read its newest page", first)]
    with closing(SegmentStore(folder, read_only=True)) as store:
        asked: list[tuple[str, Query, dict[str, Place]]] = [
            ("the newest page again", Query(), {}),
            ("a page in the middle", Query(), {"before": middle}),
            ("a page near the begin", Query(), {"before": low}),
            ("the page on the newer side of the middle", Query(), {"after": middle}),
            ("one service", Query(service="compose:shop/s7"), {}),
            ("one service, in the middle", Query(service="compose:shop/s7"), {"before": middle}),
            ("trouble", Query(trouble=True), {}),
            ("one container", Query(object_id=sha256(b"c7").hexdigest()), {}),
            ("one engine and trouble", Query(engine="h1", trouble=True), {}),
            ("one actor", Query(actor="ann@ops"), {}),
            ("outcomes", Query(kinds=("outcome",)), {}),
            ("gaps, of which there are none", Query(kinds=("gap",)), {}),
            ("an actor who does not occur", Query(actor="nobody"), {}),
        ]
        for what, query, place in asked:
            found.append(timed(what, lambda q=query, p=place: store.read(q, PAGE, **p)))  # type: ignore[misc]
        for what, number in (("the lines of a new record", lines - 2), ("the lines of an old record", lines // 50)):
            found.append(timed(what, lambda n=number: store.thread(entry(n).thread)))  # type: ignore[misc]
    return found


def sizes(folder: Path, lines: int) -> dict[str, float]:
    """Bytes a record, and what of it the lines' own bodies are."""
    total = sum(file.stat().st_size for file in folder.iterdir())
    sample = [len(canonical(entry(number))) for number in range(0, lines, max(1, lines // 2000))]
    return {"bytes a record": total / lines, "its body": statistics.mean(sample)}


def markdown(found: Sequence[Measured], size: dict[str, float], about: dict[str, str], lines: int) -> str:
    """The section of RESULTS.md."""
    rows = ["## The trail's store", "", *(f"{key}: {value}  " for key, value in about.items()), ""]
    loud = [one for one in found if one.others is not None and one.others > TOO_LOADED]
    if loud:
        rows += [
            f"**Not to be quoted as rates:** beside {len(loud)} of these measurements something else used more than "
            f"{TOO_LOADED} of a core (up to {max(one.others or 0 for one in loud):.1f} of {os.cpu_count()}). "
            "The CPU a line takes is less touched by that.",
            "",
        ]
    rows += ["| writing and verifying | a second | CPU each, µs | others' cores |", "|---|---:|---:|---:|"]
    rows += [f"| {m.what} | {m.value:,.0f} | {m.cpu:.1f} | {m.others:.1f} |" for m in found if m.cpu is not None]
    rows += ["", f"| reading pages of {PAGE}, {lines:,} lines | ms |", "|---|---:|"]
    rows += [f"| {m.what} | {m.value:.1f} |" for m in found if m.cpu is None]
    rows += ["", "A record takes " + ", ".join(f"{name} {value:.0f}" for name, value in size.items()) + "."]
    return "\n".join(rows).replace("takes bytes a record", "takes in bytes: all told")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.trail", description=__doc__)
    parser.add_argument("--lines", type=int, default=5_000_000, help="of the big trail")
    parser.add_argument("--batched", type=int, default=30_000, help="lines written in batches of 100")
    parser.add_argument("--singles", type=int, default=1000)
    parser.add_argument("--folder", type=Path, help="where the trails are made, and left; else they are removed")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of RESULTS.md and trail.json")
    return parser.parse_args()


def main() -> int:
    """Measure, write, print."""
    options = arguments()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="fleettop-bench-", dir="/var/tmp"))
    folder.mkdir(parents=True, exist_ok=True)
    about = {
        "Date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "Machine": f"{os.cpu_count()} cores, Linux {platform.release()}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}; load before {load():.2f}",
    }
    try:
        say("writing")
        found = writing(folder, options.batched, options.singles)
        big = folder / "big"
        if not big.exists():
            say(f"a trail of {options.lines:,} lines")
            found.append(build(big, options.lines))
        size = sizes(big, options.lines)
        found += reading(big, options.lines)
        found.append(rate("verify, lines", "lines/s", options.lines, lambda: verify(big, indexes=False)))
        found.append(rate("verify, lines and indexes", "lines/s", options.lines, lambda: verify(big)))
    finally:
        if not options.folder:
            shutil.rmtree(folder, ignore_errors=True)
    text = markdown(found, size, about, options.lines)
    put_section(options.out, SECTION, text)
    everything: dict[str, Any] = {"about": about, "size": size, "measured": [vars(one) for one in found]}
    (options.out / "trail.json").write_text(json.dumps(everything, indent=1) + "\n")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
