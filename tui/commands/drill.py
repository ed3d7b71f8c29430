"""`fleettop drill [SERVICE] [--container NAME] [--node NODE]`: something is lost on purpose, and what that comes to.

A replica is killed, or a swarm's node drained. What should survive is said first; afterwards how long it took to know
of the loss, how long until as many served as before, and whether a service went below the number it is allowed.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from fleettop.collectors.config.durations import parse_duration
from fleettop.collectors.config.settings import allowances
from fleettop.collectors.errors import ConfigError, ReadOnly
from fleettop.collectors.model import ContainerKey, ContainerState

from ..output import Text
from . import request as ending
from .change import add_options, perform_plan, put_through
from .ls import add_timeout
from .request import Request

if TYPE_CHECKING:
    from fleettop.collectors.actions.drilling import Subject, Times
    from fleettop.collectors.actions.steps import Plan
    from fleettop.collectors.actions.whatif import Loss
    from fleettop.collectors.fleet import Fleet
    from fleettop.collectors.model import Told
    from fleettop.collectors.session import Session

    from .change import Results

POLL = 0.05
GONE_WITHIN = 15.0
"""Seconds in which a killed container has to be seen to be gone."""
RECORDS = 200


class Drill(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be lost."""

    title: str
    plan: Plan
    losses: tuple[Loss, ...]
    container: ContainerKey | None = None
    alone: bool = False
    """Nobody starts the container again by himself: what is killed through an engine counts as stopped by hand."""
    node: tuple[str, str] | None = None


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
        from fleettop.collectors.actions import Outcome, drilling

        from .onepass import complete

        await complete(session, every_detail=True, deadline=request.args.timeout)
        request.say_unreachable(session)
        drill = await _planned(request, session)
        why = drilling.refusal(drill.losses)
        if why and not request.args.even_if_down:
            request.out.error(f"{drill.title}: {why}", hint="--even-if-down does it nevertheless.")
            return ending.FAILED
        watched = drilling.subjects(session.fleet, drill.losses, allowances(request.config))
        async with _watching(session.fleet, watched) as told:
            done: Results = ()
            try:
                code, done = await put_through(request, session, drill.plan)
                if not done or all(result.outcome is Outcome.REFUSED for result in done):
                    return code
                found = await _until_over(request, session, drill, watched, told, wait)
            finally:
                if drill.node is not None and await _drained(session, *drill.node, sure=bool(done)):
                    await _activate(request, session, *drill.node)
        _tell(request, drill, watched, found)
        session.fleet.note(f"{drill.title}: {_in_words(watched, found)}", trouble=_bad(watched))
        if code != ending.FINE:
            return code
        return ending.WRONG if _bad(watched) else ending.FINE


# -- what is lost ------------------------------------------------------------------------------------------------------


async def _planned(request: Request, session: Session) -> Drill:
    from fleettop.collectors.actions import drilling, prepare
    from fleettop.collectors.reach import reach_of

    drill = _node_drill(request, session) if request.args.node else _replica_drill(request, session)
    plan = await prepare(drill.plan, reach=lambda engine: reach_of(session, engine))
    told = drilling.forecast(drill.losses, drill.title)
    more = ("Nothing starts again what was killed: fleettop starts it, at once.",) if drill.alone else ()
    more = ("Afterwards the node is made active again.",) if drill.node is not None else more
    plan = msgspec.structs.replace(plan, title=drill.title, sentences=(*told, *plan.sentences, *more))
    return msgspec.structs.replace(drill, plan=plan)


def _replica_drill(request: Request, session: Session) -> Drill:
    from fleettop.collectors.actions import Verb, plan
    from fleettop.collectors.actions.picture import owner_of
    from fleettop.collectors.actions.whatif import what_if_replica

    fleet = session.fleet
    key = _replica(request, fleet)
    container, loss = fleet.containers[key], what_if_replica(fleet, key)
    if loss is None:
        raise ConfigError(f"{container.name} on {container.engine} does not serve now: there is nothing to lose.")
    planned = plan(Verb.KILL, (key,), fleet, signal="SIGKILL", protected=_protected(request))
    return Drill(
        title=f"Drill: kill {container.name} on {container.engine}, of {loss.title}",
        plan=planned,
        losses=(loss,),
        container=key,
        alone=not owner_of(container),
    )


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


def _node_drill(request: Request, session: Session) -> Drill:
    from fleettop.collectors.actions import plan_node, what_if_node

    from .node import find_node

    cluster, node = find_node(request.args.node, session.fleet)
    lost = what_if_node(session.fleet, cluster, node)
    losses = (*lost.down, *lost.unknown, *lost.degraded) if lost is not None else ()
    return Drill(
        title=f"Drill: drain the node {lost.subject if lost is not None else request.args.node}",
        plan=plan_node(session.fleet, cluster, node, "drain", protected=_protected(request)),
        losses=tuple(loss for loss in losses if loss.service.source == "swarm"),
        node=(cluster, node),
    )


def _protected(request: Request) -> list[str]:
    return [name for name, group in request.config.groups.items() if group.protected]


# -- meanwhile ---------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _watching(fleet: Fleet, watched: list[Subject]) -> AsyncIterator[list[Told]]:
    """Take down how many replicas serve, and all that is written into the trail, as long as this is open."""
    from fleettop.collectors.actions.drilling import look

    async def watch() -> None:
        while True:
            fleet.take_changes()
            look(fleet, watched)
            await asyncio.sleep(POLL)

    told: list[Told] = []
    keep = fleet.on_told

    def listen(more: Sequence[Told]) -> None:
        told.extend(more)
        if keep is not None:
            keep(more)

    fleet.on_told = listen
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch())
        try:
            yield told
        finally:
            fleet.on_told = keep
            watching.cancel()


@contextmanager
def _interrupted() -> Iterator[asyncio.Event]:
    """Set by Ctrl-C: what is watched is left, and what was changed put right."""
    event, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, event.set)
    try:
        yield event
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def _begun(fleet: Fleet, drill: Drill) -> datetime:
    """When the change was about to be made: the time of its intent."""
    from fleettop.collectors.model import RecordKind

    step = drill.plan.steps[0]
    records = fleet.records(object_id=step.record_id, limit=RECORDS)
    return next(record.time for record in records if record.kind is RecordKind.INTENT)


async def _until_over(
    request: Request, session: Session, drill: Drill, watched: list[Subject], told: list[Told], wait: float
) -> Times:
    """Until as many serve as before and the records tell of it, or the time is over."""
    begun, end = _begun(session.fleet, drill), session.clock.monotonic() + wait
    with _interrupted() as stop:
        if drill.alone and await _gone(session, drill, stop):
            await _start(request, session, drill)
        while True:
            over = all(subject.back for subject in watched)
            found = _times(told, drill, watched, begun, over=over)
            known = found.back is not None or (drill.node is not None and found.lost is None)
            if (over and known) or stop.is_set() or session.clock.monotonic() >= end:
                return found
            await asyncio.sleep(POLL)


def _times(told: list[Told], drill: Drill, watched: list[Subject], begun: datetime, *, over: bool) -> Times:
    from fleettop.collectors.actions.drilling import times

    found = times(told, begun=begun, services={subject.key for subject in watched}, over=over)
    if found.lost is not None and drill.container is not None:
        for subject in watched:  # it may have been there again before anybody looked
            subject.least = min(subject.least, subject.before - 1)
    return found


async def _gone(session: Session, drill: Drill, stop: asyncio.Event) -> bool:
    """Wait until the container is seen to be gone. False: it is not, or it runs again."""
    assert drill.container is not None
    end = session.clock.monotonic() + GONE_WITHIN
    while session.clock.monotonic() < end and not stop.is_set():
        container = session.fleet.containers.get(drill.container)
        if container is not None and container.state is ContainerState.EXITED:
            return True
        await asyncio.sleep(POLL)
    return False


async def _start(request: Request, session: Session, drill: Drill) -> None:
    from fleettop.collectors.actions import Verb, plan, prepare
    from fleettop.collectors.reach import reach_of

    assert drill.container is not None
    planned = plan(Verb.START, (drill.container,), session.fleet)
    prepared = await prepare(planned, reach=lambda engine: reach_of(session, engine))
    await _perform(request, session, prepared)


async def _drained(session: Session, cluster: str, node_id: str, *, sure: bool) -> bool:
    """Whether the node is drained, as the swarm is seen; `sure`: it was told to be, so that it is waited for."""
    end = session.clock.monotonic() + (GONE_WITHIN if sure else 0)
    while True:
        picture = session.fleet.swarms.get(cluster)
        if picture is not None and any(n.id == node_id and n.availability == "drain" for n in picture.nodes):
            return True
        if session.clock.monotonic() >= end:
            return False
        await asyncio.sleep(POLL)


async def _activate(request: Request, session: Session, cluster: str, node: str) -> None:
    from fleettop.collectors.actions import plan_node, prepare
    from fleettop.collectors.reach import reach_of

    planned = plan_node(session.fleet, cluster, node, "active")
    prepared = await prepare(planned, reach=lambda engine: reach_of(session, engine))
    code = await _perform(request, session, prepared)
    if code != ending.FINE:
        request.out.error("The node is still drained.", hint=f"fleettop node {request.args.node} --to active")


async def _perform(request: Request, session: Session, prepared: Plan) -> int:
    if not prepared.possible:
        for blocker in prepared.blockers:
            request.out.error(f"{prepared.title}: {blocker}")
        return ending.FAILED
    code, _ = await perform_plan(request, session, prepared)
    return code


# -- what it came to ---------------------------------------------------------------------------------------------------


def _bad(watched: list[Subject]) -> bool:
    return any(subject.below or not subject.back for subject in watched)


def _seconds(value: float | None) -> str:
    return "not known" if value is None else f"{value:.1f} s"


def _in_words(watched: list[Subject], found: Times) -> str:
    words = [f"known after {_seconds(found.detect)}"]
    if all(subject.back for subject in watched):
        words.append(f"recovered after {_seconds(found.recover)}" if found.lost is not None else "nothing was lost")
    else:
        words.append("not recovered")
    below = [subject.title for subject in watched if subject.below]
    words.append(f"below the allowed number: {', '.join(below)}" if below else "none below its allowed number")
    return "; ".join(words)


def _tell(request: Request, drill: Drill, watched: list[Subject], found: Times) -> None:
    if request.args.json:
        request.out.json(record(drill.title, watched, found))
        return
    request.out.line(Text(f"{_in_words(watched, found).capitalize()}.", "warning" if _bad(watched) else "ok"))
    for subject in watched:
        words = f"{subject.title}: {subject.least} served at the least, {subject.needed} are allowed"
        request.out.line(f"  {words}; {subject.now} of {subject.before} serve now.")


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
