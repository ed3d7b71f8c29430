"""The trail that is kept beside what the engine itself says happened: nothing is missing but the documented noise."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from fleettop.collectors.cause.noise import NOISE
from fleettop.collectors.model import Record, RecordKind
from fleettop.collectors.session import Session
from fleettop.collectors.trail import TrailFolder
from fleettop.collectors.trail.entry import nanos, stamp_of
from fleettop.collectors.trail.segments import SegmentStore

from tests.fleet import Fleet
from tests.fleet.load import HEALTH

from .stage import Eventually

LOAD = 60.0
"""Seconds of load."""
DEEDS = 120
"""Done at least, however slow the machine is."""
CHECK = " ".join(HEALTH["Test"][1:])
ACTIONS = {
    *("create", "start", "kill", "die", "restart", "pause", "unpause", "rename", "update", "destroy"),
    *("health_status", "exec_create"),
}
Identity = tuple[str, str, str, str]
"""timeNano, type, action without its argument, id of the object."""


def less_noise(events: dict[Identity, str]) -> set[Identity]:
    """Without what the product documents as left out; what it leaves out only sometimes is looked at more closely."""
    expected: set[Identity] = set()
    health: dict[str, str] = {}
    for event in sorted(events, key=lambda event: int(event[0])):
        _, kind, action, object_id = event
        argument = events[event]
        if (kind, action) not in NOISE or (action == "exec_create" and argument != CHECK):
            expected.add(event)
        elif action == "health_status":
            if argument not in ("starting", health.get(object_id)):
                expected.add(event)
            health[object_id] = argument
    return expected


@contextmanager
def docker_events(fleet: Fleet, host: str, into: Path) -> Iterator[subprocess.Popen[bytes]]:
    """What docker itself prints of an engine's events, meanwhile."""
    command = ("docker", "-H", f"unix://{fleet.site.socket(host)}", "events", "--format", "{{json .}}")
    with into.open("wb") as file:
        process = subprocess.Popen(command, stdout=file)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(10)


def said(file: Path) -> dict[Identity, str]:
    """The events that docker printed, with the exec's command or the health."""
    found = {}
    for line in file.read_text().splitlines():
        with suppress(json.JSONDecodeError):  # the last one may not be written to its end
            event = json.loads(line)
            action, _, argument = event["Action"].partition(":")
            found[str(event["timeNano"]), event["Type"], action, event["Actor"]["ID"]] = argument.strip()
    return found


def kept(folder: Path) -> set[Identity]:
    """The events in the lines of a trail."""
    with closing(SegmentStore(folder, read_only=True)) as store:
        lines = [line.entry for line in store.lines()]
    return {
        (str(nanos(entry.event.time)), entry.event.type, entry.event.action, entry.id)
        for entry in lines
        if entry.event is not None
    }


class Load:
    """Creates, kills, health flips, updates, renames, execs and removals, one after the other, as fast as they go."""

    def __init__(self, fleet: Fleet, host: str, *, deeds: int = DEEDS) -> None:
        self._fleet, self._host, self._least = fleet, host, deeds
        self._dice = random.Random(1)
        self._here: list[str] = []
        self._number = 0

    def run(self, seconds: float) -> None:
        """For so long, and until enough was done."""
        deeds = (
            self._kill, self._sicken, self._heal, self._update, self._rename, self._restart, self._freeze, self._remove,
            self._job, self._glance,
        )  # fmt: skip
        end = time.monotonic() + seconds
        while time.monotonic() < end or self._number < self._least:
            self._number += 1
            if len(self._here) < 6:
                health = {"Healthcheck": HEALTH} if self._number % 2 else {}
                self._here.append(self._fleet.run(self._host, "load", f"web{self._number}", "web", **health))
            self._dice.choice(deeds)(self._dice.choice(self._here))

    def _docker(self, *words: str) -> None:
        self._fleet.docker(self._host, *words, check=False)

    def _post(self, target: str, body: object = None) -> None:
        self._fleet.api(self._host, "POST", target, body, timeout=30)

    def _kill(self, container: str) -> None:
        self._post(f"/containers/{container}/kill?signal=KILL")
        self._post(f"/containers/{container}/start")

    def _sicken(self, container: str) -> None:
        self._docker("exec", container, "rm", "-f", "/tmp/ok")

    def _heal(self, container: str) -> None:
        self._docker("exec", container, "touch", "/tmp/ok")

    def _update(self, container: str) -> None:
        self._docker("update", "--restart", self._dice.choice(("no", "on-failure:2")), container)

    def _rename(self, container: str) -> None:
        self._docker("rename", container, f"renamed-{self._number}")

    def _restart(self, container: str) -> None:
        self._post(f"/containers/{container}/restart?t=0")

    def _freeze(self, container: str) -> None:
        self._docker("pause", container)
        self._docker("unpause", container)

    def _remove(self, container: str) -> None:
        self._here.remove(container)
        self._fleet.api(self._host, "DELETE", f"/containers/{container}?force=1", timeout=30)

    def _job(self, _: str) -> None:
        self._docker("run", "--rm", "bb:1", "true")

    def _glance(self, _: str) -> None:
        """Made, asked something and gone before anybody can look at it."""
        short = self._fleet.run(self._host, "load", f"short{self._number}", "web", Healthcheck=HEALTH)
        for word in ("one", "two"):
            self._post(f"/containers/{short}/exec", {"Cmd": ["echo", word]})
        self._fleet.api(self._host, "DELETE", f"/containers/{short}?force=1", timeout=30)


async def test_the_trail_holds_every_event_that_docker_prints_less_the_documented_noise(
    fleet: Fleet, eventually: Eventually, tmp_path: Path
) -> None:
    """A minute of load: the events in the trail are those of `docker events`, none more, none less but noise."""
    folder, printed = tmp_path / "trail", tmp_path / "events"
    with docker_events(fleet, "h1", printed):
        await eventually(lambda: fleet.get("h1", "/info")["NEventsListener"] >= 1)
        async with Session([fleet.address("h1", "ssh")], open_trail=TrailFolder(folder)) as session:
            await session.settled(30)
            await eventually(lambda: fleet.get("h1", "/info")["NEventsListener"] >= 2)
            await asyncio.to_thread(fleet.docker, "h1", "network", "create", "begin")
            await asyncio.to_thread(Load(fleet, "h1").run, LOAD)
            await asyncio.to_thread(fleet.docker, "h1", "network", "create", "end")
            await eventually(lambda: any(r.object_name == "end" for r in session.fleet.trail.newest(50)), timeout=60)
            await eventually(lambda: '"name":"end"' in printed.read_text(), timeout=60)
            await session.kept()
    events = said(printed)
    begin = min(int(time) for time, kind, action, _ in events if (kind, action) == ("network", "create"))
    expected = less_noise({event: argument for event, argument in events.items() if int(event[0]) >= begin})
    trail = kept(folder)
    assert len(expected) > 256, "more than an engine remembers: the trail heard it live"
    assert {action for _, _, action, _ in expected} >= ACTIONS
    assert sorted(expected - trail) == []
    assert sorted(event for event in trail if int(event[0]) >= begin and event not in events) == []


async def test_a_cut_link_among_health_checks_is_a_gap_and_nothing_else_is_missing(
    fleet: Fleet, eventually: Eventually, tmp_path: Path
) -> None:
    """Twenty checks a second overrun the engine's memory in seconds: what it forgot meanwhile lies in the gap, all else
    is in the trail."""
    folder, printed = tmp_path / "trail", tmp_path / "events"
    load = Load(fleet, "h1", deeds=1)
    with docker_events(fleet, "h1", printed):
        for number in range(20):
            await asyncio.to_thread(fleet.run, "h1", "checked", f"c{number}", "web", Healthcheck=HEALTH)
        async with Session([fleet.address("h1", "ssh")], open_trail=TrailFolder(folder)) as session:
            await session.settled(30)
            await eventually(lambda: fleet.get("h1", "/info")["NEventsListener"] >= 2)
            await asyncio.to_thread(fleet.docker, "h1", "network", "create", "begin")
            await asyncio.to_thread(load.run, 5.0)
            fleet.fault("h1", "drop")
            await asyncio.to_thread(load.run, 10.0)
            fleet.heal("h1")
            await eventually(lambda: session.client("h1") is not None and _closed_gaps(session), timeout=90)
            await asyncio.to_thread(load.run, 5.0)
            await asyncio.to_thread(fleet.docker, "h1", "network", "create", "end")
            await eventually(lambda: any(r.object_name == "end" for r in session.fleet.trail.newest(50)), timeout=60)
            await eventually(lambda: '"name":"end"' in printed.read_text(), timeout=60)
            await session.kept()
            gaps = _closed_gaps(session)
    events = said(printed)
    begin = min(int(time) for time, kind, action, _ in events if (kind, action) == ("network", "create"))
    expected = less_noise({event: argument for event, argument in events.items() if int(event[0]) >= begin})
    missing = [int(event[0]) for event in expected - kept(folder)]
    spans = [(nanos(stamp_of(gap.time)), nanos(stamp_of(gap.until))) for gap in gaps if gap.until is not None]
    assert any(gap.certain for gap in gaps)
    assert missing, "the engine's memory was overrun: else this tests nothing"
    assert [time for time in missing if not any(first <= time <= last for first, last in spans)] == []


def _closed_gaps(session: Session) -> list[Record]:
    """The gaps that are told to their end, without that of the time before."""
    gaps = [r for r in session.fleet.trail.newest(2000) if r.kind is RecordKind.GAP and r.until is not None]
    return [gap for gap in gaps if "had not been watched" not in gap.what]
