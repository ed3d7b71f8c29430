"""`fleettop restart|stop|start|kill|pause|unpause|scale SERVICE…`: changes, said before they are done."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fleettop.collectors.config.settings import allowances
from fleettop.collectors.errors import ConfigError, ReadOnly

from ..output import Text
from . import request as ending
from .ls import add_timeout
from .request import Request

if TYPE_CHECKING:
    from fleettop.collectors.actions.rolling import Rolling
    from fleettop.collectors.actions.steps import Plan, Reach, StepResult
    from fleettop.collectors.model import ServiceKey
    from fleettop.collectors.session import Session

ROLLS = ("restart", "stop", "start")
"""The commands that can go over the replicas bit by bit."""
ROLES = {"success": "ok", "failure": "error", "refused": "error", "unknown": "warning", "skipped": "dim"}
"""How an outcome is drawn."""
FOUND_LATER = 30.0
"""Seconds that unknown outcomes are waited for, on top of what carrying out waits."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to change, and how surely."""
    verb = parser.get_default("command")
    parser.add_argument(
        "services", nargs="+", metavar="SERVICE", help="a name (api), with its stack (pay/api), or a pattern"
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; kept with the record of the change")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    parser.add_argument("--json", action="store_true", help="one JSON object for each result")
    if verb in ROLLS:
        parser.add_argument(
            "--rolling", action="store_true", help="one replica after the other, as a restart always is"
        )
        parser.add_argument(
            "--max-unavailable", metavar="N", help="so many replicas at once, as a number or a share (2, 25%%)"
        )
        parser.add_argument("--deadline", metavar="SPAN", help="how long each replica has to become healthy (60s)")
    if verb == "kill":
        parser.add_argument("--signal", default="SIGKILL", metavar="NAME", help="the signal (SIGKILL)")
    if verb == "scale":
        number = parser.add_mutually_exclusive_group(required=True)
        number.add_argument("--to", type=int, metavar="N", help="to this many replicas")
        number.add_argument("--by", type=int, metavar="N", help="by so many more, or fewer: --by=-1")
    add_timeout(parser)


def run(request: Request) -> int:
    """Do it, after saying what it comes to; 4 where anything of it failed, 5 in read-only mode."""
    if request.read_only:
        raise ReadOnly(f"To {request.command} is a change, and fleettop runs read-only.")
    if getattr(request.args, "to", None) is not None and request.args.to < 0:
        raise ConfigError("--to needs a number of at least 0.")
    rolling_of(request)
    from .running import run_to_end

    return run_to_end(_act(request))


def rolling_of(request: Request) -> Rolling:
    """How it is to go over the replicas, by the options and the config's groups. Raises ConfigError."""
    from fleettop.collectors.actions.rolling import Rolling
    from fleettop.collectors.config.allowances import parse_allowance
    from fleettop.collectors.config.durations import parse_duration

    written = getattr(request.args, "max_unavailable", None)
    span = getattr(request.args, "deadline", None)
    deadline = parse_duration(span) if span else None
    if deadline is not None and deadline <= 0:
        raise ConfigError("--deadline needs a span of time that is not over at once.")
    return Rolling(
        asked=getattr(request.args, "rolling", False),
        allowance=parse_allowance(written) if written else None,
        by_group=allowances(request.config),
        deadline=deadline,
    )


async def _act(request: Request) -> int:
    async with request.session(record=not request.args.dry_run) as session:
        if session is None:
            return ending.UNREACHABLE
        from .onepass import complete

        await complete(session, every_detail=True, deadline=request.args.timeout)
        unreachable = request.say_unreachable(session)
        targets = _targets(request, session, unreachable=unreachable)
        plan = await _plan(request, session, targets)
        if not plan.possible:
            for blocker in plan.blockers or ("There is nothing to do.",):
                request.out.error(f"{plan.title}: {blocker}")
            return ending.FAILED
        _say(request, plan)
        if request.args.dry_run:
            return ending.FINE
        if not await _agreed(request, plan):
            return ending.USAGE
        code = await _perform(request, session, plan)
        done = {step.service for step in plan.steps}
        left = [session.fleet.services[key].name for key in targets if key not in done]
        if left:
            request.out.note(f"Left as it was: {', '.join(left)}.")
        return ending.FAILED if left else code


def _targets(request: Request, session: Session, *, unreachable: bool) -> tuple[ServiceKey, ...]:
    from .targets import find_services

    try:
        return find_services(request.args.services, session.fleet.services)
    except ConfigError as error:
        if unreachable:
            raise ConfigError(f"{error} Not all engines could be reached.", hint=error.hint) from error
        raise


async def _plan(request: Request, session: Session, targets: Sequence[ServiceKey]) -> Plan:
    from fleettop.collectors.actions import plan, prepare
    from fleettop.collectors.actions.steps import Verb
    from fleettop.collectors.reach import reach_of

    drafted = plan(
        Verb(request.command),
        targets,
        session.fleet,
        signal=getattr(request.args, "signal", "SIGKILL"),
        to=getattr(request.args, "to", None),
        by=getattr(request.args, "by", None),
        protected=[name for name, group in request.config.groups.items() if group.protected],
        read_only=request.read_only,
        rolling=rolling_of(request),
    )
    return await prepare(drafted, reach=lambda engine: reach_of(session, engine))


def _say(request: Request, plan: Plan) -> None:
    """What it comes to: in words, or as a JSON object where that is all that is asked for."""
    if request.args.json and request.args.dry_run:
        request.out.json(
            {
                "plan": plan.title,
                "effect": list(plan.sentences),
                "warnings": list(plan.warnings),
                "hosts": list(plan.hosts),
                "steps": [step.words for step in plan.steps],
            }
        )
    elif request.args.json:
        for sentence in (plan.title, *plan.sentences, *plan.warnings):
            request.out.note(sentence)
    else:
        request.out.line(Text(plan.title, "strong"))
        for sentence in plan.sentences:
            request.out.line(f"  {sentence}")
        for warning in plan.warnings:
            request.out.line("  ", Text(warning, "warning"))


async def _agreed(request: Request, plan: Plan) -> bool:
    """Whether to go on: `--yes`, or a person's word; the name itself where the group is protected."""
    if request.args.yes:
        return True
    if not request.interactive:
        request.out.error("Nothing was changed: there is nobody to ask.", hint="Add --yes to do it without asking.")
        return False
    if plan.name_to_type:
        request.out.ask(f"Type {plan.name_to_type} to go on:")
        agreed = await _answer(request) == plan.name_to_type
    else:
        request.out.ask("Go on? [y/N]")
        agreed = (await _answer(request)).lower() in ("y", "yes")
    if not agreed:
        request.out.note("Nothing was changed.")
    return agreed


async def _answer(request: Request) -> str:
    """The line a person types; meanwhile the engines' events are still taken."""
    loop, typed = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(request.stdin, typed.set)
    try:
        await typed.wait()
    finally:
        loop.remove_reader(request.stdin)
    return request.stdin.readline().strip()


async def _perform(request: Request, session: Session, plan: Plan) -> int:
    from fleettop.collectors.actions import perform
    from fleettop.collectors.actions.steps import Outcome
    from fleettop.collectors.journal import Journal
    from fleettop.collectors.looseends import LooseEnds
    from fleettop.collectors.reach import reach_of

    def reach(engine: str) -> Reach | None:
        return reach_of(session, engine)

    def found(result: StepResult) -> None:
        later[id(result.step)] = result
        _show(request, result)

    later: dict[int, StepResult] = {}
    loose_ends = LooseEnds(session.fleet, reach, found)
    stop = asyncio.Event()

    def interrupted() -> None:
        if stop.is_set():  # the second time: leave, though calls are on their way
            raise KeyboardInterrupt
        stop.set()
        request.out.note("Stopping: what is on its way ends, the rest is left as it is. Ctrl-C again leaves at once.")

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, interrupted)
    try:
        async with asyncio.TaskGroup() as group:
            looking = group.create_task(loose_ends.watch())
            results = await perform(
                plan,
                reach=reach,
                reason=request.args.reason,
                recorder=Journal(session.fleet, keep=session.kept, loose_ends=loose_ends),
                on_result=lambda result: _show(request, result),
                stop=stop,
            )
            if loose_ends.open:
                request.out.note(f"Looking for up to {FOUND_LATER:.0f} s what became of what is unknown.")
                await loose_ends.tied(FOUND_LATER)
            looking.cancel()
    finally:
        loop.remove_signal_handler(signal.SIGINT)
    results = tuple(later.get(id(result.step), result) for result in results)
    bad = [result for result in results if result.outcome is not Outcome.SUCCESS]
    if bad and not request.args.json:
        request.out.note(f"{len(results) - len(bad)} of {len(results)} done.")
    untouched = [result.step for result in results if result.outcome is Outcome.SKIPPED]
    if untouched and not request.args.json:
        where = ", ".join(f"{step.object_name} on {step.engine}" for step in untouched)
        request.out.note(f"Halted; left as it was: {where}.")
    return ending.FAILED if bad else ending.FINE


def _show(request: Request, result: StepResult) -> None:
    step = result.step
    outcome = str(result.outcome)
    if request.args.json:
        request.out.json(
            {
                "engine": step.engine,
                "action": step.deed.value,
                "object": step.object_name,
                "id": result.object_id or step.object_id,
                "service": step.service_name or None,
                "outcome": outcome,
                "words": result.words,
                "seconds": round(result.seconds, 3),
                "reason": request.args.reason or None,
            }
        )
        return
    request.out.line(Text(f"{outcome:<8}", ROLES.get(outcome, "")), f"{step.words}: {result.words}")
