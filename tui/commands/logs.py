"""`fleettop logs`: what the replicas of services write, on all hosts, as one stream in the order of time."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fleettop.collectors.config.tomlfile import nearest
from fleettop.collectors.errors import ConfigError, Unreachable

from ..output import Output, Text, as_json
from . import request as ending
from .events import parse_since
from .ls import add_timeout
from .patience import PatientWriter
from .request import Request
from .targets import find_services

if TYPE_CHECKING:
    from fleettop.collectors.logs import LogFeed, Member, Span, Wanted
    from fleettop.collectors.logs.find import Finder
    from fleettop.collectors.model.logs import LogLine
    from fleettop.collectors.session import Session

TAIL = 100
"""Lines of each replica's past with --follow, where neither --since nor --tail says otherwise."""
REPLICA_ROLES = 6
WIDEST_NAME = 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whose, from when to when, and how."""
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="api, pay/api, or a pattern: pay/*")
    parser.add_argument(
        "--container", action="append", default=[], metavar="NAME", help="a container by its name; repeatable"
    )
    parser.add_argument("-f", "--follow", action="store_true", help="go on until stopped")
    parser.add_argument("--since", default="", metavar="WHEN", help="a span (1h) or a time (2026-01-02T03:04)")
    parser.add_argument("--until", default="", metavar="WHEN", help="likewise; not with --follow")
    parser.add_argument(
        "-n", "--tail", type=int, metavar="N", help=f"the last N lines of each replica; with --follow {TAIL}, else all"
    )
    parser.add_argument("--grep", default="", metavar="RE", help="only lines in which the regular expression is found")
    parser.add_argument("-t", "--timestamps", action="store_true", help="the time of each line, on our clock")
    parser.add_argument("--no-names", action="store_true", help="the lines alone, without the replica's name")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    add_timeout(parser)


def run(request: Request) -> int:
    """Print them; 3 where an engine could not be reached, 4 where a log could not be read."""
    from fleettop.collectors.logs.find import Finder

    from .running import run_to_end

    args = request.args
    if not args.services and not args.container:
        raise ConfigError("`fleettop logs` wants a service or a container.", hint="`fleettop ls services` lists them.")
    if args.until and args.follow:
        raise ConfigError("--until and --follow exclude each other.", hint="Leave one of them out.")
    if args.tail is not None and args.tail < 0:
        raise ConfigError(f"--tail {args.tail} is no number of lines.", hint="Write --tail 100.")
    span = _span(args)
    return run_to_end(_logs(request, span, Finder(args.grep) if args.grep else None))


def _span(args: argparse.Namespace) -> Span:
    from fleettop.collectors.clock import nanoseconds
    from fleettop.collectors.logs import Span

    since, until = parse_since(args.since), parse_since(args.until, option="--until")
    tail: int | None = args.tail
    if tail is None and args.follow and since is None:
        tail = TAIL
    return Span(
        since=None if since is None else nanoseconds(since),
        until=None if until is None else nanoseconds(until),
        tail=tail,
    )


async def _logs(request: Request, span: Span, finder: Finder | None) -> int:
    from fleettop.collectors.logs import LogFeed, members_of

    args, out = request.args, request.out
    async with request.session() as session:
        if session is None:
            return ending.UNREACHABLE
        missing = request.say_unreachable(session)
        wanted = _wanted(session, args.services, args.container)
        writer = PatientWriter(
            out.stream, dropped=lambda n: out.note(f"{n} lines were left out: what reads this output is too slow.")
        )
        printer = Printer(out, writer, args, finder)
        fleet = session.fleet

        def who() -> Sequence[Member]:
            fleet.take_changes()  # nobody else does, and replicas are known from it
            return members_of(fleet, wanted)

        feed = LogFeed(session, who, printer.deliver, span=span, follow=args.follow)
        printer.feed = feed
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(writer.run()) if args.follow else None
            await feed.run()
            if writing is not None:
                writing.cancel()
        await writer.drain()
        for source, error in feed.errors:
            out.error(f"{source.member.full_name} on {source.member.key.engine}: {error}", hint=error.hint)
    if missing or any(isinstance(error, Unreachable) for _, error in feed.errors):
        return ending.UNREACHABLE
    return ending.FAILED if feed.errors else ending.FINE


def _wanted(session: Session, services: Sequence[str], containers: Sequence[str]) -> Wanted:
    """What the names mean. Raises ConfigError for one that means nothing, naming the nearest."""
    from fleettop.collectors.logs import Wanted

    fleet = session.fleet
    found: list[tuple[str, str]] = []
    for name in containers:
        fits = [(c.engine, c.name) for c in fleet.containers.values() if name in (c.name, c.id, c.id[:12])]
        if not fits:
            near = nearest(name, [c.name for c in fleet.containers.values()])
            raise ConfigError(
                f"There is no container {name!r}.",
                hint=f"Did you mean {near!r}?" if near else "`fleettop ls containers` lists them.",
            )
        found += fits
    return Wanted(find_services(services, fleet.services), tuple(dict.fromkeys(found)))


class Printer:
    """Writes lines to standard output; what fleettop has to say goes to standard error."""

    feed: LogFeed

    def __init__(self, out: Output, writer: PatientWriter, args: argparse.Namespace, finder: Finder | None) -> None:
        self._out = out
        self._writer = writer
        self._args = args
        self._finder = finder
        self._names: list[str] = []
        """Names as they are printed, by the numbers of their replicas."""
        self._second = (-1, "")

    async def deliver(self, lines: Sequence[LogLine]) -> None:
        """Print these; without following, wait until they are written."""
        from fleettop.collectors.model.logs import NOTE

        past = not self._args.follow or not all(source.read for source in self.feed.sources)
        for at, line in enumerate(lines):
            if line.source == NOTE:
                self._out.note(line.data.decode())
            elif (text := self._line(line)) is not None:
                self._writer.put(text, droppable=not past)
            if at % 500 == 499:
                await asyncio.sleep(0)
        if not self._args.follow:
            await self._writer.drain()

    def _line(self, line: LogLine) -> str | None:
        from fleettop.collectors.logs.colours import text_of

        text = text_of(line)
        if self._finder is not None and not self._finder.found(text):
            return None
        if self._args.json:
            return as_json(self._record(line, text))
        return self._prefix(line) + (self._coloured(line) if self._out.coloured else text) + _cut(line)

    def _record(self, line: LogLine, text: str) -> dict[str, object]:

        source = self.feed.sources[line.source]
        member, fleet = source.member, self.feed.session.fleet
        service = fleet.services.get(member.service) if member.service is not None else None
        return {
            "time": self._time(line.time),
            "engine": member.key.engine,
            "container": member.full_name,
            "id": member.key.id,
            "service": service.title if service is not None else None,
            "stream": "stderr" if line.stream == 2 else "stdout",
            "message": text,
            "cut": line.cut,
            "late": line.late,
        }

    def _prefix(self, line: LogLine) -> str:
        drawn = self._out.drawn
        time = drawn(Text(self._time(line.time), "dim"), " ") if self._args.timestamps else ""
        if self._args.no_names:
            return time
        if line.source >= len(self._names):
            labels = [source.label for source in self.feed.sources]
            width = min(WIDEST_NAME, max(map(len, labels)))
            self._names = [
                drawn(Text(label.ljust(width), f"replica-{number % REPLICA_ROLES}"))
                for number, label in enumerate(labels)
            ]
        return time + self._names[line.source] + (drawn(Text(" ! ", "error")) if line.stream == 2 else " | ")

    def _coloured(self, line: LogLine) -> str:
        from fleettop.collectors.logs.colours import runs_of

        parts = []
        for run in runs_of(line):
            sgr = run.look.sgr()
            parts.append(f"\x1b[{sgr}m{run.text}\x1b[0m" if sgr else run.text)
        return "".join(parts)

    def _time(self, nanoseconds: int) -> str:
        """As the engine writes it: UTC, with nanoseconds. The words of a second are made once."""
        seconds, rest = divmod(nanoseconds, 1_000_000_000)
        if self._second[0] != seconds:
            self._second = (seconds, f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}")
        return f"{self._second[1]}.{rest:09}Z"


def _cut(line: LogLine) -> str:
    return f" … {line.cut:,} bytes more" if line.cut else ""
