"""`fleettop record`: keeps the audit trail day and night, with no screen, for a service manager.

It never ends because of an engine. SIGTERM ends it with 0, SIGINT with 130, both after what was heard is written.
SIGHUP is only noted, since the config is read at the start and at no other time; at a terminal, which it says is gone,
it ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from fleettop.collectors.errors import ConfigError, StoreFull, StoreLocked, TrailError

from . import request as ending
from .anchor import Anchor
from .loglines import LogLines
from .notify import notify
from .patience import PatientWriter
from .request import Request

if TYPE_CHECKING:
    from fleettop.collectors.address import EngineAddress
    from fleettop.collectors.recording import SnapshotFile
    from fleettop.collectors.session import Session
    from fleettop.collectors.trail import OpenTrail

    from .metrics import Listen
    from .recorder import Recorder

ENDINGS: Mapping[signal.Signals, int] = {signal.SIGTERM: ending.FINE, signal.SIGINT: 130, signal.SIGHUP: 129}
"""The exit code after each signal. A service manager asks with SIGTERM, and that it ended as asked is no failure."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of which engines, and what is told meanwhile."""
    parser.add_argument("engines", nargs="*", metavar="ENGINE", help="only of these engines")
    parser.add_argument("--json", action="store_true", help="the log as JSON, one object a line")
    parser.add_argument(
        "--anchor", metavar="FILE|journal", help="every hour, append the trail's head there, out of the trail's reach"
    )
    parser.add_argument(
        "--snapshots",
        type=Path,
        metavar="FILE",
        help="also keep there all that is seen, for `fleettop replay`; half of its size full, it becomes FILE.1",
    )
    parser.add_argument("--snapshots-size", default="512M", metavar="SIZE", help="what --snapshots may take (512M)")
    parser.add_argument("--metrics", metavar="ADDRESS:PORT", help="serve figures for Prometheus there: 127.0.0.1:9323")
    parser.add_argument(
        "--metrics-insecure", action="store_true", help="--metrics may listen where other machines can read it"
    )


def run(request: Request) -> int:
    """Record until told to end; 2 where the config is wrong or no trail can be kept there."""
    with asyncio.Runner() as runner:
        return runner.run(_record(request))


async def _record(request: Request) -> int:
    open_trail = request.open_trail
    if open_trail is None:
        raise ConfigError("The trail of a simulated fleet is not kept.", hint="--trail DIR keeps it there.")
    anchor = Anchor.named(request.args.anchor, request.environ) if request.args.anchor else None
    listen = _listen(request)
    async with request.addresses() as addresses:
        if not addresses:
            return ending.UNREACHABLE
        await asyncio.to_thread(_try, open_trail)
        return await _watch(request, addresses, open_trail, anchor, listen)


def _listen(request: Request) -> Listen | None:
    if not request.args.metrics:
        return None
    from .metrics import parse_listen

    return parse_listen(request.args.metrics, anywhere=request.args.metrics_insecure)


def _try(open_trail: OpenTrail) -> None:
    """See that a trail can be kept there. What may pass (a full disk, another that writes) is waited for later."""
    try:
        with closing(open_trail("")):
            pass
    except (StoreFull, StoreLocked):
        pass
    except TrailError as error:
        raise ConfigError(f"{str(error).removesuffix('.')}.", hint=error.hint) from error


async def _watch(
    request: Request,
    addresses: Sequence[EngineAddress],
    open_trail: OpenTrail,
    anchor: Anchor | None,
    listen: Listen | None,
) -> int:
    from fleettop.collectors.alarms.watchman import Watchman
    from fleettop.collectors.session import Session

    from ..owncommands import environment_of
    from .metrics import MetricsServer
    from .recorder import Recorder

    out, door = request.out, request.environ.get("NOTIFY_SOCKET", "")
    session = Session(
        addresses,
        rules=request.config.rules,
        read_only=request.read_only,
        declared_by=request.config.declared_by,
        open_trail=open_trail,
    )
    writer = PatientWriter(out.stream, dropped=lambda n: log.say("warning", "log-lines-lost", count=n))
    log = LogLines(out, writer.put, session.clock.now, json=request.args.json)
    recorder = Recorder(session, log, request.trail_folder, anchor)
    environment = environment_of(request.environ)
    watchman = Watchman(session.fleet, request.config, session.clock, environment=environment)
    recorder.tell_alarms(watchman)
    snapshots = _snapshots(request, addresses, session, recorder)
    metrics = MetricsServer(listen, recorder.figures) if listen is not None else nullcontext()
    with metrics, _signals(log, at_terminal=request.interactive) as told:
        recorder.begin(listen)
        async with session, asyncio.TaskGroup() as group:
            work = (_write_log(writer), *recorder.work(), watchman.run(), *(one.run() for one in snapshots))
            tasks = [group.create_task(one) for one in work]
            await recorder.trail_opened()
            notify(door, "READY=1")
            number = await told
            session.on_told = None  # that we let go of every engine is nothing that happened to the fleet
            notify(door, "STOPPING=1")
            for task in tasks:
                task.cancel()
        for one in snapshots:
            await one.write()
        await recorder.end(number.name)
    await _write_rest(writer)
    return ENDINGS[number]


def _snapshots(
    request: Request, addresses: Sequence[EngineAddress], session: Session, recorder: Recorder
) -> tuple[SnapshotFile, ...]:
    """The recording that is asked for; none, or one."""
    if request.args.snapshots is None:
        return ()
    from fleettop.collectors.config.durations import parse_size
    from fleettop.collectors.recording import SnapshotFile

    most = parse_size(request.args.snapshots_size)
    rules, declared_by = request.config.rules, request.config.declared_by
    file = SnapshotFile(
        request.args.snapshots.expanduser(),
        addresses,
        rules=rules,
        declared_by=declared_by,
        clock=session.clock,
        most=most,
    )
    recorder.tell_snapshots(file)
    session.on_told = file.take
    if session.keeping is not None:
        session.keeping.on_recalled, session.keeping.on_taken_up = file.remember, file.take_up
    session.interest.anybody = True  # figures of what runs are part of it, as seldom as those that are not on a screen
    return (file,)


async def _write_log(writer: PatientWriter) -> None:
    """Where nobody takes the log any more, the trail goes on without."""
    try:
        await writer.run()
    except OSError:
        writer.close()


async def _write_rest(writer: PatientWriter) -> None:
    try:
        async with asyncio.timeout(1):
            await writer.drain()
    except (OSError, TimeoutError):
        pass


@contextmanager
def _signals(log: LogLines, *, at_terminal: bool) -> Iterator[asyncio.Future[signal.Signals]]:
    """Done with the signal that ends it."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[signal.Signals] = loop.create_future()

    def hear(number: signal.Signals) -> None:
        if number is signal.SIGHUP and not at_terminal:
            log.say("info", "hangup", note="ignored: restart it to read the config again")
        elif not told.done():
            told.set_result(number)

    for number in ENDINGS:
        loop.add_signal_handler(number, hear, number)
    try:
        yield told
    finally:
        for number in ENDINGS:
            loop.remove_signal_handler(number)
