"""Outages of services on real engines, beside a client that asks a published port from outside."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from fleettop.collectors.model import ServiceKey
from fleettop.collectors.outages.lapses import Lapse

from tests.fleet import Fleet
from tests.fleet.__main__ import config

from .stage import Eventually, Stage, ran, watching
from .test_record_real import EventuallySync, Recorder

STEP = 0.02
SHOP_WEB = ServiceKey("compose", "shop", "web")
PUBLISHED = {
    "ExposedPorts": {"8080/tcp": {}},
    "HostConfig": {"PortBindings": {"8080/tcp": [{"HostPort": "18080"}]}},
}


class Client:
    """Asks again and again, and remembers when it was answered."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = threading.Event()
        self.answered: list[float] = []
        self.refused = 0
        self.in_a_row = 0
        self._thread = threading.Thread(target=self._ask)

    def _ask(self) -> None:
        while not self._stop.wait(STEP):
            try:
                with urllib.request.urlopen(self._url, timeout=0.2):
                    self.answered.append(time.time())
                    self.in_a_row += 1
            except OSError:
                self.refused += 1
                self.in_a_row = 0

    def away(self) -> tuple[float, float]:
        """The longest time without an answer: from when, and how long."""
        pairs = zip(self.answered, self.answered[1:], strict=False)
        length, begin = max((after - before, before) for before, after in pairs)
        return begin, length

    @contextmanager
    def asking(self) -> Iterator[Client]:
        self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._thread.join()


def closed(stage: Stage) -> list[Lapse]:
    """Outages that are over."""
    stage.session.fleet.take_changes()
    return [lapse for lapse in stage.session.fleet.outages.past(SHOP_WEB) if lapse.end is not None]


def serving(stage: Stage) -> int | None:
    """How many of its replicas serve; None: it is not there."""
    stage.session.fleet.take_changes()
    service = stage.session.fleet.services.get(SHOP_WEB)
    return service.serving if service is not None else None


async def lasts(
    fleet: Fleet, stage: Stage, client: Client, eventually: Eventually, *commands: tuple[object, ...]
) -> None:
    """Run these, the last once the outside has been refused for a while, and wait until it is answered again."""
    await eventually(lambda: client.in_a_row > 10)
    for number, command in enumerate(commands):
        before = client.refused
        await asyncio.to_thread(fleet.docker, "h1", *command)
        if number < len(commands) - 1:
            await eventually(lambda before=before: serving(stage) == 0 and client.refused > before + 20, timeout=60)
    await eventually(lambda: client.in_a_row > 10, timeout=60)


@pytest.mark.parametrize("how", ["kill and start", "pause", "restart", "made anew"])
async def test_the_outside_and_fleettop_measure_the_same_outage_to_a_second(
    fleet: Fleet, eventually: Eventually, how: str
) -> None:
    """Beginning and length, whatever ended it: what is shown is the engine's clock, not when somebody looked."""
    address = fleet.address("h1")
    async with watching(address) as stage:
        key = await ran(fleet, "h1", "web", "web", **PUBLISHED)
        await eventually(lambda: closed(stage) == [] and serving(stage) == 1, timeout=60)
        client = Client(f"http://{fleet.state.hosts['h1'].address}:18080/")
        with client.asking():
            if how == "made anew":
                await eventually(lambda: client.in_a_row > 10)
                await asyncio.to_thread(fleet.docker, "h1", "rm", "-f", key.id)
                await ran(fleet, "h1", "web", "web", **PUBLISHED)
                await eventually(lambda: client.in_a_row > 10, timeout=60)
            else:
                commands = {
                    "kill and start": (("kill", key.id), ("start", key.id)),
                    "pause": (("pause", key.id), ("unpause", key.id)),
                    "restart": (("restart", key.id),),
                }[how]
                await lasts(fleet, stage, client, eventually, *commands)
            (outage,) = await eventually(lambda: closed(stage), timeout=60)
        begin, length = client.away()
        assert outage.end is not None
        assert abs((outage.end - outage.begin).total_seconds() - length) < 1
        assert abs(outage.begin.timestamp() - begin) < 1


async def test_an_outage_that_goes_on_has_the_clock_of_the_outside(fleet: Fleet, eventually: Eventually) -> None:
    """The header's clock runs from the last moment that somebody was served."""
    async with watching(fleet.address("h1")) as stage:
        key = await ran(fleet, "h1", "web", "web", **PUBLISHED)
        await eventually(lambda: serving(stage) == 1, timeout=60)
        client = Client(f"http://{fleet.state.hosts['h1'].address}:18080/")
        with client.asking():
            await eventually(lambda: client.in_a_row > 10, timeout=60)
            await asyncio.to_thread(fleet.docker, "h1", "kill", key.id)
            await eventually(lambda: serving(stage) == 0 and client.refused > 20, timeout=60)
        since = stage.session.fleet.totals().oldest_outage
        assert since is not None
        assert abs(since.timestamp() - client.answered[-1]) < 1


class Hooks(BaseHTTPRequestHandler):
    """A receiver that keeps what it gets, and refuses the first."""

    got: list[dict[str, Any]] = []  # noqa: RUF012
    refuse = 1

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if type(self).refuse:
            type(self).refuse -= 1
            self.send_response(503)
        else:
            self.got.append(body)
            self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def hooks() -> Iterator[str]:
    """Where a receiver listens."""
    Hooks.got, Hooks.refuse = [], 1
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hooks)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/s3cr3t"
    server.shutdown()
    thread.join()
    server.server_close()


def test_recording_tells_a_webhook_goes_on_after_a_kill_and_says_when_it_is_back(
    fleet: Fleet, tmp_path: Path, eventually_sync: EventuallySync, hooks: str
) -> None:
    """One outage over two lives of fleettop: warned by the first, paged and ended by the second, with one clock."""
    recorder = Recorder(fleet, tmp_path)
    file = tmp_path / "fleettop.toml"
    alarms = f'[alarms]\ndowntime_warn = "3s"\ndowntime_page = "20s"\nsteady = "3s"\nwebhook = "{hooks}"\n'
    file.write_text(alarms + config(fleet))
    web = fleet.run("h1", "shop", "web", "web")
    fleet.run("h1", "shop", "db", "sleep 1000")
    recorder.start()
    try:
        eventually_sync(lambda: recorder.said("engine-up", "h1"), timeout=60)
        killed = datetime.now(UTC)
        fleet.docker("h1", "kill", web)
        eventually_sync(lambda: Hooks.got, timeout=60)
        eventually_sync(lambda: "told: warn" in str(outages(recorder)), timeout=60)
        recorder.end(9)  # type: ignore[arg-type]
        recorder.start()
        eventually_sync(lambda: len(Hooks.got) == 2, timeout=60)
        fleet.docker("h1", "start", web)
        up = datetime.now(UTC)
        eventually_sync(lambda: len(Hooks.got) == 3, timeout=60)
    finally:
        assert recorder.process is not None
        recorder.process.terminate()
        recorder.process.wait(60)
    assert [hook["level"] for hook in Hooks.got] == ["warn", "page", "recovered"]
    assert {hook["service"] for hook in Hooks.got} == {"shop/web"}
    assert len({hook["id"] for hook in Hooks.got}) == 1
    assert abs(Hooks.got[2]["down_seconds"] - (up - killed).total_seconds()) < 2
    (outage,) = outages(recorder)
    assert "did not serve for" in outage["what"]
    assert "s3cr3t" not in (tmp_path / "log").read_text()
    assert "answered 503" in (tmp_path / "log").read_text()


def outages(recorder: Recorder) -> list[dict[str, Any]]:
    """The records of outages of shop/web."""
    return [one for one in recorder.records("--filter", "kind:note") if one["action"] == "outage"]
