"""`fleettop events`: each event once, in order, through engines that go and come back."""

from __future__ import annotations

import asyncio
import io
import json
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import msgspec
import pytest
from fleettop.collectors.clock import ManualClock
from fleettop.collectors.errors import ConnectionLost
from fleettop.collectors.model import (
    Container,
    ContainerDetail,
    ContainerKey,
    ContainerState,
    EngineEvent,
    EngineInfo,
    EngineStatus,
    Health,
    LinkPhase,
    LinkStatus,
    Service,
    ServiceKey,
    ServiceState,
)
from fleettop.tui.commands import events
from fleettop.tui.commands.events import EventFeed
from fleettop.tui.commands.patience import PatientWriter
from fleettop.tui.output import Output

BEGIN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
API = ServiceKey("compose", "pay", "api")


def event(
    seconds: float, action: str = "die", *, engine: str = "h1", kind: str = "container", **more: object
) -> EngineEvent:
    time = BEGIN + timedelta(seconds=seconds)
    nano = round((BEGIN.timestamp() + seconds) * 1_000_000_000)
    values = {"id": "c" * 64, "name": "pay-api-1", **more}
    return EngineEvent(engine=engine, time=time, time_nano=nano, type=kind, action=action, **values)


class Client:
    """An engine's events: what it remembers, and what it says from then on."""

    def __init__(self, remembered: Sequence[EngineEvent] = (), live: Sequence[EngineEvent | Exception] = ()) -> None:
        self.remembered = remembered
        self.live = list(live)
        self.asked: list[tuple[int | None, Mapping[str, Sequence[str]] | None]] = []

    async def events(
        self,
        *,
        since: int | None = None,
        until: int | None = None,
        filters: Mapping[str, Sequence[str]] | None = None,
    ) -> AsyncIterator[EngineEvent]:
        self.asked.append((since, filters))
        if until is not None:
            for one in self.remembered:
                yield one
            return
        while self.live:
            one = self.live.pop(0)
            if isinstance(one, Exception):
                raise one
            yield one
        await asyncio.Event().wait()


class Fleet(SimpleNamespace):
    def service_of(self, key: ContainerKey) -> ServiceKey | None:
        return API if key in self.containers else None

    def take_changes(self) -> None:
        return None


def session(**clients: Client) -> SimpleNamespace:
    """A session whose engines are these."""
    detail = ContainerDetail(health_check=("CMD-SHELL", "curl -f localhost"))
    containers = [
        Container(
            engine=name,
            id="c" * 64,
            name="pay-api-1",
            image="x",
            image_id="y",
            state=ContainerState.RUNNING,
            health=Health.HEALTHY,
            detail=detail,
        )
        for name in clients
    ]
    service = Service(key=API, name="api", stack="pay", state=ServiceState.HEALTHY, wanted=1, running=1, serving=1)
    up = LinkStatus(phase=LinkPhase.UP)
    info = EngineInfo(kind="docker", version="20.10", api="1.41")
    return SimpleNamespace(
        clock=ManualClock(wall=BEGIN),
        fleet=Fleet(
            engines={name: EngineStatus(name=name, address="unix:///x", link=up, info=info) for name in clients},
            containers={c.key: c for c in containers},
            services={API: service},
        ),
        client=lambda name: clients[name],
    )


@pytest.fixture
def printer() -> tuple[Output, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    return Output(out, err, color=False, error_color=False), out, err


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "RETRY", 0.001)


def feed_of(output: Output, fleet: SimpleNamespace, **options: bool) -> EventFeed:
    return EventFeed(output, fleet, PatientWriter(output.stream, dropped=lambda n: None), **options)


async def replay(feed: EventFeed, since: datetime | None = None) -> None:
    """Replay, and wait for it to be written."""
    await feed.replay(since)
    await feed.writer.drain()


def lines(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.fixture
async def follow() -> AsyncIterator[Callable[[EventFeed], None]]:
    """Follow a feed beside the test, until the test ends."""
    tasks: list[asyncio.Task[None]] = []
    yield lambda feed: tasks.append(asyncio.ensure_future(feed.follow()))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_what_several_engines_remember_comes_in_the_order_of_time(printer):
    """Merged by time over the engines, each event once."""
    output, out, _ = printer
    twice = event(1)
    fleet = session(h1=Client([twice, event(3), twice]), h2=Client([event(2, engine="h2")]))
    await replay(feed_of(output, fleet, json=True))
    assert [(line["engine"], line["time"]) for line in lines(out)] == [
        ("h1", "2026-01-02T03:04:06Z"),
        ("h2", "2026-01-02T03:04:07Z"),
        ("h1", "2026-01-02T03:04:08Z"),
    ]


async def test_an_event_is_printed_with_its_documented_fields(printer):
    """Labels are left out of the attributes, unknown is null, and the service stands beside it."""
    output, out, _ = printer
    attributes = {"exitCode": "1", "image": "x", "com.example.secret": "y", "maintainer": "z"}
    await replay(feed_of(output, session(h1=Client([event(0, attributes=attributes)])), json=True))
    assert lines(out) == [
        {
            "time": "2026-01-02T03:04:05Z",
            "engine": "h1",
            "type": "container",
            "action": "die",
            "argument": None,
            "id": "c" * 64,
            "name": "pay-api-1",
            "service": "pay/api",
            "attributes": {"exitCode": "1", "image": "x"},
        }
    ]


async def test_a_container_that_is_gone_is_still_told_by_its_service(printer):
    """Its events carry its labels; a one-off is nobody's replica."""
    output, out, _ = printer
    compose = {"com.docker.compose.project": "pay", "com.docker.compose.service": "api"}
    gone = [
        event(1, "destroy", id="d" * 64, attributes=compose),
        event(2, "destroy", id="e" * 64, attributes={**compose, "com.docker.compose.oneoff": "True"}),
        event(3, "create", kind="network", id="f" * 64, attributes=compose),
    ]
    await replay(feed_of(output, session(h1=Client(gone)), json=True))
    assert [line["service"] for line in lines(out)] == ["pay/api", None, None]


NOISE = [
    event(1, "exec_create", argument="/bin/sh -c curl -f localhost"),
    event(2, "exec_die"),
    event(3, "resize"),
    event(4, "exec_create", argument="psql -c 'drop table x'"),
]


async def test_health_checks_are_noise_and_other_commands_are_not(printer):
    """A command that is not the container's health check is a person or a script."""
    output, out, _ = printer
    await replay(feed_of(output, session(h1=Client(NOISE)), json=True))
    assert [line["argument"] for line in lines(out)] == ["psql -c 'drop table x'"]


async def test_all_means_all(printer, follow, eventually):
    """--all leaves nothing out, and asks without a filter."""
    output, out, _ = printer
    client = Client(NOISE, live=[event(5, "top")])
    feed = feed_of(output, session(h1=client), json=True, everything=True)
    await replay(feed)
    assert len(lines(out)) == 4
    follow(feed)
    await eventually(lambda: len(lines(out)) == 5)
    assert client.asked[-1][1] is None


async def test_a_full_memory_younger_than_asked_for_is_said(printer):
    """The engine remembers 256 events: what was before them is lost, and that is no secret."""
    output, _, err = printer
    full = Client([event(n) for n in range(256)])
    await replay(feed_of(output, session(h1=full), json=True), BEGIN - timedelta(hours=1))
    assert "h1 remembers its last 256 events only" in err.getvalue()


async def test_following_goes_on_where_it_was_when_an_engine_comes_back(printer, follow, eventually):
    """Asked again from the last event on; what comes twice is printed once."""
    output, out, _ = printer
    client = Client(live=[event(1), event(2), ConnectionLost("gone"), event(2), event(3)])
    fleet = session(h1=client, h2=Client(live=[event(9, engine="h2")]))
    follow(feed_of(output, fleet, json=True))
    await eventually(lambda: len(lines(out)) == 4)
    assert sorted((str(line["engine"]), str(line["time"])[-3:-1]) for line in lines(out)) == [
        ("h1", "06"),
        ("h1", "07"),
        ("h1", "08"),
        ("h2", "14"),
    ]
    assert [since for since, _ in client.asked] == [event(0).time_nano, event(2).time_nano]
    assert client.asked[0][1] is not None


async def test_an_engine_that_goes_and_returns_is_said_once_each(printer, follow, eventually):
    """On standard error, so that a program reading the JSON is not disturbed."""
    output, out, err = printer
    client = Client(live=[event(1)])
    fleet = session(h1=client)
    follow(feed_of(output, fleet, json=True))
    await eventually(lambda: len(lines(out)) == 1)
    engine = fleet.fleet.engines["h1"]
    down = LinkStatus(phase=LinkPhase.DOWN, error=ConnectionLost("it broke"))
    for link, words in ((down, "h1 is gone: it broke"), (engine.link, "h1 is back")):
        fleet.fleet.engines["h1"] = msgspec.structs.replace(engine, link=link)
        await eventually(lambda words=words: words in err.getvalue())
    assert len(err.getvalue().splitlines()) == 2
    assert len(out.getvalue().splitlines()) == 1


async def test_a_line_for_people_says_when_where_what_and_of_what(printer):
    """One line an event, the service in brackets."""
    output, out, _ = printer
    unhealthy = event(0, "health_status", argument="unhealthy", attributes={"image": "x"})
    await replay(feed_of(output, session(h1=Client([unhealthy]))))
    assert out.getvalue().rstrip().endswith(".000  h1  container health_status unhealthy  pay-api-1 (pay/api)  image=x")


# -- a reader that is slow ---------------------------------------------------------------------------------------------


async def test_a_reader_that_stops_reading_makes_nobody_wait(eventually):
    """What does not fit waits, what is too much is counted, and all that waited comes once it reads again."""
    reading, writing = os.pipe()
    dropped: list[int] = []
    with os.fdopen(writing, "w") as stream, os.fdopen(reading, "rb", buffering=0) as reader:
        writer = PatientWriter(stream, dropped=dropped.append, limit=2_000)
        task = asyncio.ensure_future(writer.run())
        try:
            for number in range(3_000):
                writer.put(f"{number:0>99}")
            turns = 0
            while turns < 100:  # the loop goes on though the pipe (64 KiB) is full
                await asyncio.sleep(0)
                turns += 1
            assert dropped == []
            os.set_blocking(reader.fileno(), False)
            read = bytearray()

            def all_read() -> bool:
                read.extend(reader.read(65536) or b"")
                return len(read) >= 200_000

            await eventually(all_read)
            await eventually(lambda: dropped)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    assert [int(line) for line in read.splitlines()] == list(range(2_000))
    assert dropped == [1_000]


async def test_a_reader_that_left_is_told_by_a_broken_pipe():
    """So that following ends instead of going on for nobody."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        writer = PatientWriter(stream, dropped=lambda n: None)
        writer.put("x")
        with pytest.raises(BrokenPipeError):
            await writer.run()


async def test_a_file_is_written_as_it_is(tmp_path):
    """A regular file cannot be waited for, and need not be."""
    with (tmp_path / "out").open("w") as stream:
        writer = PatientWriter(stream, dropped=lambda n: None)
        writer.put("ä" * 1_000)
        await writer.drain()
    assert (tmp_path / "out").read_text() == "ä" * 1_000 + "\n"
