"""`fleettop prune`: what nothing uses goes, every object named before; and what that freed."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fleettop.collectors.config.durations import parse_duration
from fleettop.collectors.errors import ConfigError, ReadOnly

from . import request as ending
from .change import add_options, put_through
from .ls import add_timeout
from .request import Request, lost_engines

if TYPE_CHECKING:
    from fleettop.collectors.actions.steps import Plan
    from fleettop.collectors.model import DiskUse
    from fleettop.collectors.session import Session
    from fleettop.collectors.storage import Keep, Reading, Sorted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where, and what is to stay."""
    parser.add_argument("engines", nargs="*", metavar="ENGINE", help="the hosts to prune; all of them by default")
    parser.add_argument(
        "--keep-images", default="7d", metavar="SPAN", help="leave images that were made since (7d; 0s: none)"
    )
    parser.add_argument("--volumes", action="store_true", help="remove unused volumes that have a name, too")
    add_options(parser)
    add_timeout(parser)


def run(request: Request) -> int:
    """Do it, after every object was named; 4 where anything could not be removed, 5 in read-only mode."""
    if request.read_only and not request.args.dry_run:
        raise ReadOnly("To prune is a change, and fleettop runs read-only.")
    keep_of(request)
    from .running import run_to_end

    return run_to_end(_prune(request))


def keep_of(request: Request) -> Keep:
    """What is to stay, by the options. Raises ConfigError."""
    from fleettop.collectors.storage import Keep

    try:
        images = parse_duration(request.args.keep_images)
    except ConfigError as error:
        raise ConfigError(f"--keep-images: {error}.", hint=error.hint) from error
    return Keep(images=images, volumes=not request.args.volumes)


async def _prune(request: Request) -> int:
    async with request.session(record=not request.args.dry_run) as session:
        if session is None:
            return ending.UNREACHABLE
        from fleettop.collectors.actions import plan_prune
        from fleettop.collectors.storage import needs_of, sort_out

        from .onepass import complete

        await complete(session, every_detail=False, deadline=request.args.timeout)
        request.say_unreachable(session)
        lost = {engine.name: "it cannot be reached" for engine in lost_engines(session)}
        readings = await _read(session, [name for name in _engines(session) if name not in lost])
        unread = lost | {one.engine: str(one.error).rstrip(".") for one in readings if one.use is None}
        keep, now = keep_of(request), session.clock.now()
        disks = [sort_out(one.use, needs_of(session.fleet), keep, now) for one in readings if one.use is not None]
        planned = plan_prune(
            disks,
            keep=keep,
            groups={name: status.group for name, status in session.fleet.engines.items()},
            protected=[name for name, group in request.config.groups.items() if group.protected],
            unread=unread,
        )
        if not planned.possible and disks:
            for sentence in (*planned.blockers, "Nothing was changed."):
                request.out.note(sentence)
            return ending.UNREACHABLE if unread else ending.FINE
        code, results = await put_through(request, session, planned)
        if results:
            await _say_freed(request, session, planned, disks)
        return ending.UNREACHABLE if unread and code == ending.FINE else code


def _engines(session: Session) -> list[str]:
    """Each engine once, though it may be known under several names."""
    return [name for name, engine in session.fleet.engines.items() if not engine.same_as]


async def _read(session: Session, names: Sequence[str]) -> tuple[Reading, ...]:
    from fleettop.collectors.storage import read_disks

    return await read_disks({name: session.client(name) for name in names})


async def _say_freed(request: Request, session: Session, planned: Plan, disks: Sequence[Sorted]) -> None:
    """What the engines say now, less than before: host by host, and the sum."""
    from fleettop.collectors.words import bytes_words

    before = {disk.use.engine: disk for disk in disks}
    after: Mapping[str, DiskUse] = {
        one.engine: one.use for one in await _read(session, planned.hosts) if one.use is not None
    }
    freed = {engine: before[engine].use.total - use.total for engine, use in after.items()}
    if request.args.json:
        for engine in planned.hosts:
            request.out.json(
                {
                    "engine": engine,
                    "freed": freed.get(engine),
                    "expected_least": before[engine].least,
                    "expected_most": before[engine].most,
                    "left": after[engine].total if engine in after else None,
                }
            )
        return
    for engine in planned.hosts if len(planned.hosts) > 1 else ():
        words = bytes_words(freed[engine]) + " freed" if engine in freed else "what was freed is not known"
        request.out.line(f"{engine}: {words}")
    missing = f" on {len(freed)} of {len(planned.hosts)} hosts" if len(freed) < len(planned.hosts) else ""
    request.out.line(f"Freed {bytes_words(sum(freed.values()))}{missing}.")
