"""`fleettop shell CONTAINER [-- COMMAND…]`: a shell, or another command, in a container, at this terminal."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from fleettop.collectors.errors import ConfigError, ReadOnly

from . import request as ending
from .ls import add_timeout
from .request import Request

if TYPE_CHECKING:
    from fleettop.collectors.actions import Plan
    from fleettop.collectors.session import Session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where, and what."""
    parser.usage = "%(prog)s [option ...] CONTAINER [-- COMMAND ...]"
    parser.add_argument(
        "container",
        metavar="CONTAINER",
        help="a container's name or the first digits of its id, or a service: its newest healthy replica",
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; kept with the record of it")
    add_timeout(parser)


def run(request: Request) -> int:
    """Run it; its own exit code, 4 where it could not be run or its connection broke, 5 in read-only mode."""
    if request.read_only:
        raise ReadOnly("To run something in a container is a change, and fleettop runs read-only.")
    if not request.screen:
        raise ConfigError(
            "A shell needs a terminal, for what is typed and for what is shown.",
            hint="Run it where neither its input nor its output is redirected.",
        )
    from .running import run_to_end

    return run_to_end(_shell(request))


async def _shell(request: Request) -> int:
    async with request.session(record=True) as session:
        if session is None:
            return ending.UNREACHABLE
        from fleettop.collectors.actions import Verb, plan

        from .onepass import complete
        from .targets import find_container, means_something

        unreachable = request.say_unreachable(session)
        if not means_something(request.args.container, session.fleet):
            # A service of which no task is here is known from its swarm's manager alone.
            await complete(session, every_detail=False, deadline=request.args.timeout)
        try:
            container = find_container(request.args.container, session.fleet)
        except ConfigError:
            if unreachable:
                request.out.note("Not all engines could be reached.")
            raise
        planned = plan(
            Verb.EXEC,
            [container],
            session.fleet,
            command=request.args.program,
            protected=[name for name, group in request.config.groups.items() if group.protected],
            read_only=request.read_only,
        )
        if not planned.possible:
            for blocker in planned.blockers:
                request.out.error(f"{planned.title}: {blocker}")
            return ending.FAILED
        return await _run(request, session, planned)


async def _run(request: Request, session: Session, planned: Plan) -> int:
    from fleettop.collectors.actions import Outcome, run_at_terminal
    from fleettop.collectors.journal import Journal
    from fleettop.collectors.reach import reach_of

    from ..passthrough import LEAVES, Passthrough, spoken

    for warning in planned.warnings:
        request.out.note(warning)
    request.out.note(f"{planned.title}; {LEAVES} leaves it.")
    result = await run_at_terminal(
        planned,
        Passthrough(request.stdin.fileno(), request.out.descriptor),
        reach=lambda engine: reach_of(session, engine),
        environment=spoken(request.environ),
        recorder=Journal(session.fleet, keep=session.kept),
        reason=request.args.reason,
    )
    if result.outcome is Outcome.SUCCESS:
        if result.exit_code is None:
            request.out.note(f"{result.words[:1].upper()}{result.words[1:]}.")
        return result.exit_code or ending.FINE
    step = result.step
    request.out.error(f"{step.object_name} on {step.engine}: {result.words}.", hint=result.hint)
    return ending.FAILED
