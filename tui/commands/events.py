"""`fleettop events`: what the engines say happens, merged."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from fleettop.collectors.errors import EngineError
from fleettop.collectors.remembered import Remembered

from ..output import Output, Text, as_json
from . import request as ending
from .ls import add_timeout
from .patience import PatientWriter
from .request import Request
from .when import parse_when

if TYPE_CHECKING:
    from fleettop.collectors.engine.client import EngineClient
    from fleettop.collectors.model import EngineEvent
    from fleettop.collectors.services import ServiceRule
    from fleettop.collectors.session import Session

RETRY = 0.5
"""Seconds between two looks at whether an engine is back."""
REMEMBERED = 2_048
TROUBLE = frozenset(("die", "oom", "kill"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """From when, until when, and how."""
    parser.add_argument("engines", nargs="*", metavar="ENGINE", help="only of these engines")
    parser.add_argument("-f", "--follow", action="store_true", help="go on until stopped")
    parser.add_argument(
        "--since", default="", metavar="WHEN", help="a span (1h) or a time (2026-01-02T03:04); the engines remember 256"
    )
    parser.add_argument(
        "--all", action="store_true", help="also what is left out as noise: health checks, attach, resize"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    add_timeout(parser)


def run(request: Request) -> int:
    """Print them; 3 where an engine could not be reached."""
    from .running import run_to_end

    return run_to_end(_events(request, parse_since(request.args.since)))


def parse_since(text: str, now: datetime | None = None, *, option: str = "--since") -> datetime | None:
    """The moment meant by `--since`, or by another option. Raises ConfigError."""
    return parse_when(text, option=option, now=now)


async def _events(request: Request, since: datetime | None) -> int:
    out = request.out
    writer = PatientWriter(
        out.stream, dropped=lambda n: out.note(f"{n} events were left out: what reads this output is too slow.")
    )
    async with request.session() as session:
        if session is None:
            return ending.UNREACHABLE
        missing = request.say_unreachable(session)
        feed = EventFeed(
            out, session, writer, rules=request.config.rules, json=request.args.json, everything=request.args.all
        )
        if since is not None or not request.args.follow:
            await feed.replay(since)
        if request.args.follow:
            await feed.follow()
    await writer.drain()
    return ending.UNREACHABLE if missing else ending.FINE


class EventFeed:
    """The events of all engines of one session, each printed once."""

    def __init__(
        self,
        out: Output,
        session: Session,
        writer: PatientWriter,
        *,
        rules: Sequence[ServiceRule] = (),
        json: bool = False,
        everything: bool = False,
    ) -> None:
        self._rules = rules
        self._out = out
        self._session = session
        self.writer = writer
        self._json = json
        self._all = everything
        self._begin = session.clock.now()
        self._seen = Remembered(REMEMBERED * len(session.fleet.engines))

    async def replay(self, since: datetime | None) -> None:
        """What the engines remember, in the order of time."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._remembered(name, since)) for name in self._session.fleet.engines]
        events = [event for task in tasks for event in task.result()]
        for event in sorted(events, key=lambda event: event.time_nano):
            self._print(event, droppable=False)

    async def follow(self) -> None:
        """What happens from now on, for ever; an engine that went away is taken up again where it was left."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.writer.run())
            for name in self._session.fleet.engines:
                group.create_task(self._follow(name))
            group.create_task(self._tell_of_links())

    async def _remembered(self, name: str, since: datetime | None) -> list[EngineEvent]:
        from fleettop.collectors.clock import nanoseconds
        from fleettop.collectors.watch.events import RING

        client = self._session.client(name)
        if client is None or self._session.fleet.engines[name].same_as:
            return []
        start = 1 if since is None else nanoseconds(since)
        until = nanoseconds(self._session.clock.now() + self._skew(name))
        try:
            # Without a filter: only then is it known whether the engine remembers as far back as asked for.
            events = [event async for event in client.events(since=max(1, start), until=until)]
        except EngineError as error:
            self._out.error(f"{name}: {error}", hint=error.hint)
            return []
        if since is not None and len(events) >= RING:
            first = events[0].time.astimezone()
            self._out.note(f"{name} remembers its last {RING} events only: what was before {first:%H:%M:%S} is lost.")
        return events

    async def _follow(self, name: str) -> None:
        from fleettop.collectors.clock import nanoseconds

        last = nanoseconds(self._begin + self._skew(name))
        while True:
            client = self._session.client(name)
            if client is not None and not self._session.fleet.engines[name].same_as:
                try:
                    async with aclosing(self._live(name, client, last)) as events:
                        async for event in events:
                            last = max(last, event.time_nano)
                            self._print(event)
                except EngineError:
                    pass  # the session says so, and comes back
            await asyncio.sleep(RETRY)

    def _live(self, name: str, client: EngineClient, since: int) -> AsyncGenerator[EngineEvent]:
        from fleettop.collectors.watch.events import FILTERS

        info = self._session.fleet.engines[name].info
        filtered = not self._all and info is not None and info.kind == "docker"
        return client.events(since=since, filters=FILTERS if filtered else None)

    async def _tell_of_links(self) -> None:
        """On standard error, that an engine went away or came back: between the two its events may be missing."""
        from fleettop.collectors.model import LinkPhase

        up = {name: self._up(name) for name in self._session.fleet.engines}
        while True:
            await asyncio.sleep(RETRY)
            self._session.fleet.take_changes()  # nobody else does, and services are named from it
            for name, engine in self._session.fleet.engines.items():
                if engine.link.phase is LinkPhase.UP and not up[name]:
                    up[name] = True
                    self._out.note(f"{name} is back; its events from while it was away may be incomplete.")
                elif engine.link.phase is LinkPhase.DOWN and up[name]:
                    up[name] = False
                    self._out.note(f"{name} is gone: {engine.link.error}")

    def _up(self, name: str) -> bool:
        from fleettop.collectors.model import LinkPhase

        return self._session.fleet.engines[name].link.phase is LinkPhase.UP

    def _skew(self, name: str) -> timedelta:
        info = self._session.fleet.engines[name].info
        return timedelta(seconds=(info.skew or 0.0) if info else 0.0)

    def _print(self, event: EngineEvent, *, droppable: bool = True) -> None:
        from .records import event_record

        if not (self._all or self._worth(event)) or not self._seen.first_time(hash((event.engine, event.identity))):
            return
        record = event_record(event, self._service(event))
        line = as_json(record) if self._json else self._out.drawn(*event_line(event, record))
        self.writer.put(line, droppable=droppable)

    def _worth(self, event: EngineEvent) -> bool:
        from fleettop.collectors.watch.events import wanted

        return wanted(event) and not self._is_health_check(event)

    def _is_health_check(self, event: EngineEvent) -> bool:
        from fleettop.collectors.model import ContainerKey

        if event.action != "exec_create":
            return False
        container = self._session.fleet.containers.get(ContainerKey(event.engine, event.id))
        check = container.detail.health_check if container and container.detail else ()
        return len(check) > 1 and event.argument.strip().endswith(" ".join(check[1:]))

    def _service(self, event: EngineEvent) -> str | None:
        from fleettop.collectors.model import ContainerKey

        if event.type != "container":
            return None
        fleet = self._session.fleet
        service = fleet.services.get(key) if (key := fleet.service_of(ContainerKey(event.engine, event.id))) else None
        return service.title if service else service_by_labels(event, self._rules)


def service_by_labels(event: EngineEvent, rules: Sequence[ServiceRule]) -> str | None:
    """The service of a container that is no more, by the labels that its events carry; None: it is no replica."""
    from fleettop.collectors.model import titled
    from fleettop.collectors.services import as_container, place_of

    place = place_of(as_container(event), rules)
    return titled(place.stack, place.name) if place.service is not None else None


def event_line(event: EngineEvent, record: Mapping[str, object]) -> tuple[Text | str, ...]:
    """An event as a line for people: when, where, what, of what."""
    attributes = record["attributes"]
    assert isinstance(attributes, dict)
    role = "down" if event.action in TROUBLE or event.argument == "unhealthy" else ""
    said = " ".join(f"{key}={value}" for key, value in sorted(attributes.items()) if key not in ("execID", "container"))
    service = record["service"]
    return (
        Text(f"{event.time.astimezone():%Y-%m-%d %H:%M:%S.}{event.time.microsecond // 1000:03}", "dim"),
        f"  {event.engine}  {event.type} ",
        Text(event.action, role),
        f" {event.argument}" if event.argument else "",
        f"  {event.name or event.id[:12]}",
        f" ({service})" if service and service != event.name else "",
        Text(f"  {said}" if said else "", "dim"),
    )
