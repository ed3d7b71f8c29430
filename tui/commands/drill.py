"""`fleettop drill [SERVICE] [--container NAME] [--node NODE]`: something is lost on purpose, and what that comes to.

A replica is killed, or a swarm's node drained. What should survive is said first; afterwards how long it took to know
of the loss, how long until as many served as before, and whether a service went below the number it is allowed.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
from datetime import datetime
from typing import TYPE_CHECKING

from fleettop.collectors.config.durations import parse_duration
from fleettop.collectors.config.settings import allowances
from fleettop.collectors.errors import ConfigError, ReadOnly
from fleettop.collectors.model import ContainerKey

from ..output import Text
from . import request as ending
from .change import add_options, perform_plan, put_through
from .ls import add_timeout
from .request import Request

if TYPE_CHECKING:
    from fleettop.collectors.actions.drilling import Subject, Times
    from fleettop.collectors.actions.steps import Plan, Reach
    from fleettop.collectors.drills import Drill, Drilling
    from fleettop.collectors.fleet import Fleet
    from fleettop.collectors.session import Session

    from .change import Results


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is lost, and how surely."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "service", nargs="?", metavar="SERVICE", help="one of its replicas is killed (any service that keeps serving)"
    )
    what.add_argument("--container", metavar="NAME", help="this replica is killed; NAME@ENGINE where there are several")
    what.add_argument("--node", metavar="NODE", help="this node of a swarm is drained, and made active again")
    parser.add_argument("--even-if-down", action="store_true", help="also where nothing of a service would serve")
    parser.add_argument("--wait", default="2m", metavar="SPAN", help="how long recovery is watched for (2m)")
    add_options(parser)
    add_timeout(parser)


def run(request: Request) -> int:
    """Do it, after saying what should survive; 1 where a service went below its number, or did not recover."""
    if request.read_only:
        raise ReadOnly("A drill changes something, and fleettop runs read-only.")
    wait = parse_duration(request.args.wait)
    if wait <= 0:
        raise ConfigError("--wait needs a span of time that is not over at once.")
    request.args.reason = f"drill: {request.args.reason}" if request.args.reason else "drill"
    from .running import run_to_end

    return run_to_end(_drill(request, wait))


async def _drill(request: Request, wait: float) -> int:
    async with request.session(record=not request.args.dry_run) as session:
        if session is None:
            return ending.UNREACHABLE
        from fleettop.collectors.drills import Drilling
        from fleettop.collectors.reach import reach_of

        from .onepass import complete

        def reach(engine: str) -> Reach | None:
            return reach_of(session, engine)

        await complete(session, every_detail=True, deadline=request.args.timeout)
        request.say_unreachable(session)
        drill = _planned(request, session)
        if drill.refusal and not request.args.even_if_down:
            request.out.error(f"{drill.title}: {drill.refusal}", hint="--even-if-down does it nevertheless.")
            return ending.FAILED
        allowed = allowances(request.config)
        course = Drilling(drill, session.fleet, allowed=allowed, reach=reach, clock=session.clock, wait=wait, take=True)
        code = await _run(request, session, course)
        if course.found is None:
            return code
        _tell(request, drill, course, course.found)
        if code != ending.FINE:
            return code
        return ending.WRONG if course.bad else ending.FINE


async def _run(request: Request, session: Session, course: Drilling) -> int:
    """Put it through: the exit code of the loss itself. Ctrl-C ends the watching, and what was changed is put right."""
    loop, codes = asyncio.get_running_loop(), list[int]()

    async def carry_out(planned: Plan) -> Results:
        if not codes:
            code, done = await put_through(request, session, planned)
        elif planned.possible:
            code, done = await perform_plan(request, session, planned)
        else:
            code, done = ending.FAILED, ()
            request.out.error(f"{planned.title}: {' '.join(planned.blockers)}")
        codes.append(code)
        loop.add_signal_handler(signal.SIGINT, course.stop.set)
        return done

    try:
        await course.run(carry_out)
    finally:
        loop.remove_signal_handler(signal.SIGINT)
    if course.drill.node is not None and len(codes) > 1 and codes[-1] != ending.FINE:
        request.out.error("The node is still drained.", hint=f"fleettop node {request.args.node} --to active")
    return codes[0]


# -- what is lost ------------------------------------------------------------------------------------------------------


def _planned(request: Request, session: Session) -> Drill:
    from fleettop.collectors.drills import node_drill, replica_drill

    from .node import find_node

    protected = [name for name, group in request.config.groups.items() if group.protected]
    if request.args.node:
        cluster, node = find_node(request.args.node, session.fleet)
        return node_drill(session.fleet, cluster, node, protected=protected)
    return replica_drill(session.fleet, _replica(request, session.fleet), protected=protected)


def _replica(request: Request, fleet: Fleet) -> ContainerKey:
    from fleettop.collectors.actions.drilling import candidates

    from .targets import container_named, find_services

    if request.args.container:
        return container_named(request.args.container, fleet)
    named = find_services([request.args.service], fleet.services) if request.args.service else None
    found = candidates(fleet, named)
    if not found:
        what = f"No replica of {request.args.service} serves" if named else "No service has a replica to spare"
        raise ConfigError(f"{what}: there is nothing to lose.", hint="`fleettop ls services` shows how they are.")
    return random.choice(found)  # noqa: S311 - a drill, not a lock


# -- what it came to ---------------------------------------------------------------------------------------------------


def _tell(request: Request, drill: Drill, course: Drilling, found: Times) -> None:
    from fleettop.collectors.drills import served

    if request.args.json:
        request.out.json(record(drill.title, course.watched, found))
        return
    request.out.line(Text(f"{course.words.capitalize()}.", "warning" if course.bad else "ok"))
    for subject in course.watched:
        request.out.line(f"  {subject.title}: served {served(subject)}.")


def record(title: str, watched: list[Subject], found: Times) -> dict[str, object]:
    """What it came to, as `--json` prints it."""

    def stamp(moment: datetime | None) -> str | None:
        return moment.isoformat() if moment is not None else None

    return {
        "drill": title,
        "detect_seconds": found.detect,
        "recover_seconds": found.recover,
        "begun": stamp(found.begun),
        "lost": stamp(found.lost),
        "seen": stamp(found.seen),
        "back": stamp(found.back),
        "services": [
            {
                "service": subject.title,
                "before": subject.before,
                "allowed": subject.needed,
                "least": subject.least,
                "now": subject.now,
                "below": subject.below,
                "recovered": subject.back,
            }
            for subject in watched
        ],
    }
