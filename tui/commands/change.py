"""A plan put through at the command line: said, agreed to, carried out, told step by step."""

from __future__ import annotations

import argparse
import asyncio
import signal
from typing import TYPE_CHECKING

from ..output import Text
from . import request as ending
from .request import Request

if TYPE_CHECKING:
    from fleettop.collectors.actions.steps import Plan, Reach, StepResult
    from fleettop.collectors.session import Session

    Results = tuple[StepResult, ...]

ROLES = {"success": "ok", "failure": "error", "refused": "error", "unknown": "warning", "skipped": "dim"}
"""How an outcome is drawn."""
FOUND_LATER = 30.0
"""Seconds that unknown outcomes are waited for, on top of what carrying out waits."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Why, how surely, and in which form it is told."""
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; kept with the record of the change")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    parser.add_argument("--json", action="store_true", help="one JSON object for each result")


async def put_through(
    request: Request, session: Session, plan: Plan, *, stop: asyncio.Event | None = None
) -> tuple[int, Results]:
    """Say it, ask, and do it: the exit code, and what became of its steps; `stop` is set where Ctrl-C ended it."""
    if not plan.possible:
        for blocker in plan.blockers or ("There is nothing to do.",):
            request.out.error(f"{plan.title}: {blocker}")
        return ending.FAILED, ()
    _say(request, plan)
    if request.args.dry_run:
        return ending.FINE, ()
    if not await _agreed(request, plan):
        return ending.USAGE, ()
    return await perform_plan(request, session, plan, stop=stop)


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
        agreed = await answer(request) == plan.name_to_type
    else:
        request.out.ask("Go on? [y/N]")
        agreed = (await answer(request)).lower() in ("y", "yes")
    if not agreed:
        request.out.note("Nothing was changed.")
    return agreed


async def answer(request: Request) -> str:
    """The line a person types; meanwhile the engines' events are still taken."""
    loop, typed = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(request.stdin, typed.set)
    try:
        await typed.wait()
    finally:
        loop.remove_reader(request.stdin)
    return request.stdin.readline().strip()


async def perform_plan(
    request: Request, session: Session, plan: Plan, *, stop: asyncio.Event | None = None
) -> tuple[int, Results]:
    """Do it; Ctrl-C sets `stop`, and begins nothing more."""
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
    stop = stop or asyncio.Event()

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
        request.out.note(f"Halted; not begun: {where}.")
    return (ending.FAILED if bad else ending.FINE), results


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
