"""`fleettop restart|stop|start|kill|pause|unpause|scale|… SERVICE…`: changes, said before they are done."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

from fleettop.collectors.config.settings import allowances
from fleettop.collectors.errors import ConfigError, ReadOnly

from . import request as ending
from .change import add_options, put_through
from .ls import add_timeout
from .request import Request

if TYPE_CHECKING:
    from fleettop.collectors.actions import Target
    from fleettop.collectors.actions.rolling import Rolling
    from fleettop.collectors.actions.steps import Plan
    from fleettop.collectors.session import Session

    from ..changes import Wish

ROLLS = ("restart", "stop", "start")
"""The commands that can go over the replicas bit by bit."""
HALTS = {verb: ("leave", "go-on") if verb == "restart" else ("leave", "back", "go-on") for verb in ROLLS}
"""What can be said beforehand of a halt (`OnHalt`): no restart can be taken back."""
ON_CONTAINERS = (*ROLLS, "kill", "pause", "unpause")
"""The commands that can be for some of the replicas."""
VERBS = {"set-image": "set image", "pause-update": "pause update", "resume-update": "go on with update"}
"""Commands that are called otherwise than what they ask for (`Verb`)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to change, and how surely."""
    verb = parser.get_default("command")
    several = "*" if verb in ON_CONTAINERS else "+"
    parser.add_argument(
        "services", nargs=several, metavar="SERVICE", help="a name (api), with its stack (pay/api), or a pattern"
    )
    if verb in ON_CONTAINERS:
        parser.add_argument(
            "--container",
            action="append",
            default=[],
            metavar="NAME",
            help="a container, or NAME@ENGINE, beside or in place of a service; repeatable",
        )
    add_options(parser)
    if verb in ROLLS:
        parser.add_argument(
            "--rolling", action="store_true", help="one replica after the other, as a restart always is"
        )
        parser.add_argument(
            "--max-unavailable", metavar="N", help="so many replicas at once, as a number or a share (2, 25%%)"
        )
        parser.add_argument("--deadline", metavar="SPAN", help="how long each replica has to become healthy (60s)")
        parser.add_argument(
            "--on-halt",
            choices=HALTS[verb],
            help="where it halts: leave the rest as it is (a person is asked where this is not said), "
            + ("take back what was done, " if "back" in HALTS[verb] else "")
            + "or go on without those that failed",
        )
    if verb == "kill":
        parser.add_argument("--signal", default="SIGKILL", metavar="NAME", help="the signal (SIGKILL)")
    if verb == "set-image":
        parser.add_argument("--to", dest="image", required=True, metavar="IMAGE", help="name:tag, or name:tag@sha256:…")
    if verb == "scale":
        number = parser.add_mutually_exclusive_group(required=True)
        number.add_argument("--to", type=int, metavar="N", help="to this many replicas")
        number.add_argument("--by", type=int, metavar="N", help="by so many more, or fewer: --by=-1")
    add_timeout(parser)


def run(request: Request) -> int:
    """Do it, after saying what it comes to; 4 where anything of it failed, 5 in read-only mode."""
    if request.read_only:
        what = VERBS.get(request.command, request.command)
        raise ReadOnly(f"To {what} is a change, and fleettop runs read-only.")
    if not request.args.services and not getattr(request.args, "container", ()):
        raise ConfigError(
            "The following arguments are required: SERVICE, or --container NAME.",
            hint="`fleettop ls services` lists them.",
        )
    if getattr(request.args, "to", None) is not None and request.args.to < 0:
        raise ConfigError("--to needs a number of at least 0.")
    rolling_of(request)
    from .running import run_to_end

    return run_to_end(_act(request))


def rolling_of(request: Request) -> Rolling:
    """How it is to go over the replicas, by the options and the config's groups. Raises ConfigError."""
    from fleettop.collectors.actions.rolling import OnHalt, Rolling
    from fleettop.collectors.config.allowances import parse_allowance
    from fleettop.collectors.config.durations import parse_duration

    written = getattr(request.args, "max_unavailable", None)
    span = getattr(request.args, "deadline", None)
    on_halt = getattr(request.args, "on_halt", None)
    deadline = parse_duration(span) if span else None
    if deadline is not None and deadline <= 0:
        raise ConfigError("--deadline needs a span of time that is not over at once.")
    return Rolling(
        asked=getattr(request.args, "rolling", False),
        allowance=parse_allowance(written) if written else None,
        by_group=allowances(request.config),
        deadline=deadline,
        on_halt=OnHalt(on_halt) if on_halt else None,
    )


async def _act(request: Request) -> int:
    async with request.session(record=not request.args.dry_run) as session:
        if session is None:
            return ending.UNREACHABLE
        from fleettop.collectors.actions.steps import Verb

        from ..changes import Wish
        from .followups import FollowUps
        from .onepass import complete

        await complete(session, every_detail=True, deadline=request.args.timeout)
        unreachable = request.say_unreachable(session)
        targets = _targets(request, session, unreachable=unreachable)
        wish: Wish | None = Wish(
            verb=Verb(VERBS.get(request.command, request.command)),
            targets=targets,
            signal=getattr(request.args, "signal", "SIGKILL"),
            to=getattr(request.args, "to", None),
            by=getattr(request.args, "by", None),
            image=getattr(request.args, "image", ""),
            rolling=rolling_of(request),
        )
        code, following = ending.FINE, FollowUps(request, session)
        while wish is not None:
            stop = asyncio.Event()
            plan = await _plan(request, session, wish)
            code, results = await put_through(request, session, plan, stop=stop)
            if results and _left(request, session, plan, wish):
                code = ending.FAILED
            wish = await following.next_wish(wish, results, stopped=stop.is_set())
        return ending.FAILED if following.halted else code


def _targets(request: Request, session: Session, *, unreachable: bool) -> tuple[Target, ...]:
    from .targets import container_named, find_services

    fleet, containers = session.fleet, getattr(request.args, "container", ())
    try:
        return (
            *find_services(request.args.services, fleet.services),
            *(container_named(name, fleet) for name in containers),
        )
    except ConfigError as error:
        if unreachable:
            raise ConfigError(f"{error} Not all engines could be reached.", hint=error.hint) from error
        raise


async def _plan(request: Request, session: Session, wish: Wish) -> Plan:
    from fleettop.collectors.actions import plan, prepare
    from fleettop.collectors.reach import reach_of

    drafted = plan(
        wish.verb,
        wish.targets,
        session.fleet,
        signal=wish.signal,
        to=wish.to,
        by=wish.by,
        image=wish.image,
        protected=[name for name, group in request.config.groups.items() if group.protected],
        read_only=request.read_only,
        rolling=wish.rolling,
    )
    return await prepare(drafted, reach=lambda engine: reach_of(session, engine))


def _left(request: Request, session: Session, plan: Plan, wish: Wish) -> bool:
    """Whether something that was asked for is no part of the plan; says so."""
    from fleettop.collectors.model import ServiceKey

    services = {step.service for step in plan.steps}
    objects = {step.object_id for step in plan.steps}
    left = [
        session.fleet.services[target].name if isinstance(target, ServiceKey) else target.id[:12]
        for target in wish.targets
        if (target not in services if isinstance(target, ServiceKey) else target.id not in objects)
    ]
    if left:
        request.out.note(f"Left as it was: {', '.join(left)}.")
    return bool(left)
