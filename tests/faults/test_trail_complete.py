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

from fleettop.collectors.cause.noise import HEALTH_CHECK, NOISE
from fleettop.collectors.session import Session
from fleettop.collectors.trail import trail_in
from fleettop.collectors.trail.entry import nanos
from fleettop.collectors.trail.segments import SegmentStore

from tests.fleet import Fleet
from tests.fleet.load import HEALTH

from .stage import Eventually

LOAD = 60.0
"""Seconds of load."""
ACTIONS = {
    *("create", "start", "kill", "die", "restart", "pause", "unpause", "rename", "update", "destroy"),
    *("health_status", "exec_create"),
}
Identity = tuple[str, str, str, str]
"""timeNano, type, action without its argument, id of the object."""


def is_noise(event: Identity, argument: str) -> bool:
    """What the product documents as left out."""
    _, kind, action, _ = event
    return (kind, action) in NOISE or (action == HEALTH_CHECK and argument == " ".join(HEALTH["Test"][1:]))


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


def work(fleet: Fleet, host: str, seconds: float) -> None:
    """Creates, kills, health flips, updates, renames, execs and removals, one after the other, as fast as they go."""
    dice, end, number = random.Random(1), time.monotonic() + seconds, 0
    here: list[str] = []
    while time.monotonic() < end:
        number += 1
        if len(here) < 6:
            health = {"Healthcheck": HEALTH} if number % 2 else {}
            here.append(fleet.run(host, "load", f"web{number}", "web", **health))
        container = dice.choice(here)
        match dice.randrange(10):
            case 0:
                fleet.api(host, "POST", f"/containers/{container}/kill?signal=KILL", timeout=30)
                fleet.api(host, "POST", f"/containers/{container}/start", timeout=30)
            case 1:
                fleet.docker(host, "exec", container, "rm", "-f", "/tmp/ok", check=False)
            case 2:
                fleet.docker(host, "exec", container, "touch", "/tmp/ok", check=False)
            case 3:
                fleet.docker(host, "update", "--memory", f"{dice.randrange(20, 60)}m", container, check=False)
            case 4:
                fleet.docker(host, "rename", container, f"renamed-{number}", check=False)
            case 5:
                fleet.api(host, "POST", f"/containers/{container}/restart?t=0", timeout=30)
            case 6:
                fleet.docker(host, "pause", container, check=False)
                fleet.docker(host, "unpause", container, check=False)
            case 7:
                here.remove(container)
                fleet.api(host, "DELETE", f"/containers/{container}?force=1", timeout=30)
            case 8:
                fleet.docker(host, "run", "--rm", "bb:1", "true", check=False)
            case 9:  # made, asked something and gone before anybody can look at it
                short = fleet.run(host, "load", f"short{number}", "web", Healthcheck=HEALTH)
                for _ in range(2):
                    ask = {"Cmd": ["echo", str(number)]}
                    fleet.api(host, "POST", f"/containers/{short}/exec", ask)
                fleet.api(host, "DELETE", f"/containers/{short}?force=1", timeout=30)


async def test_the_trail_holds_every_event_that_docker_prints_less_the_documented_noise(
    fleet: Fleet, eventually: Eventually, tmp_path: Path
) -> None:
    """A minute of load: the events in the trail are those of `docker events`, none more, none less but noise."""
    folder, printed = tmp_path / "trail", tmp_path / "events"
    with docker_events(fleet, "h1", printed):
        await eventually(lambda: fleet.get("h1", "/info")["NEventsListener"] >= 1)
        async with Session([fleet.address("h1", "ssh")], open_trail=trail_in(folder)) as session:
            await session.settled(30)
            await eventually(lambda: fleet.get("h1", "/info")["NEventsListener"] >= 2)
            await asyncio.to_thread(fleet.docker, "h1", "network", "create", "begin")
            await asyncio.to_thread(work, fleet, "h1", LOAD)
            await asyncio.to_thread(fleet.docker, "h1", "network", "create", "end")
            await eventually(lambda: any(r.object_name == "end" for r in session.fleet.trail.newest(50)), timeout=60)
            await eventually(lambda: '"name":"end"' in printed.read_text(), timeout=60)
            await session.kept()
    events = said(printed)
    begin = min(int(time) for time, kind, action, _ in events if (kind, action) == ("network", "create"))
    expected = {event for event in events if int(event[0]) >= begin and not is_noise(event, events[event])}
    trail = kept(folder)
    assert len(expected) > 256, "more than an engine remembers: the trail heard it live"
    assert {action for _, _, action, _ in expected} >= ACTIONS
    assert sorted(expected - trail) == []
    assert sorted(event for event in trail if int(event[0]) >= begin and event not in events) == []
