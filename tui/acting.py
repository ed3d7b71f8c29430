"""The commands that change something: what is asked, the confirmation with its effect in words, and how it went."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from fleettop.collectors.actions import Outcome, Plan, Step, StepResult, Verb, perform, plan, prepare, service_title
from fleettop.collectors.errors import FleetError
from fleettop.collectors.journal import Journal
from fleettop.collectors.model import ContainerState, ServiceKey, ServiceState

from .asking import Target, question, targets
from .screens.confirm import ConfirmScreen
from .screens.progress import ProgressScreen, ProgressStep
from .screens.prompt import SIGNALS, ChoicePrompt, NumberPrompt
from .shelling import shell

if TYPE_CHECKING:
    from .app import FleetApp
    from .screens.dashboard import DashboardScreen

Act = Callable[["DashboardScreen"], Awaitable[None]]


async def restart(screen: DashboardScreen) -> None:
    """`R`."""
    await _ask(screen, Verb.RESTART)


async def stop_or_start(screen: DashboardScreen) -> None:
    """`S`: start where everything chosen is stopped, else stop."""
    await _ask(screen, Verb.START if all(_is_stopped(screen.app, t) for t in targets(screen)) else Verb.STOP)


async def pause_or_resume(screen: DashboardScreen) -> None:
    """`P`: resume where everything chosen is paused, else pause."""
    await _ask(screen, Verb.UNPAUSE if all(_is_paused(screen.app, t) for t in targets(screen)) else Verb.PAUSE)


async def kill(screen: DashboardScreen) -> None:
    """`K`: asks which signal first."""
    app = screen.app
    if not targets(screen):
        return
    prompt = ChoicePrompt("Kill with which signal?", SIGNALS, chosen="SIGTERM", glyphs=app.glyphs)
    signal = await app.push_screen_wait(prompt)
    if signal is not None:
        await _ask(screen, Verb.KILL, signal=signal)


async def more(screen: DashboardScreen) -> None:
    """`+`."""
    await _ask(screen, Verb.SCALE, by=1)


async def fewer(screen: DashboardScreen) -> None:
    """`-`."""
    await _ask(screen, Verb.SCALE, by=-1)


async def scale(screen: DashboardScreen) -> None:
    """`=`: asks for the number first."""
    chosen = targets(screen)
    if not chosen:
        return
    app = screen.app
    service = app.fleet.services.get(chosen[0]) if isinstance(chosen[0], ServiceKey) else None
    now = service.wanted if service is not None and service.wanted is not None else 1
    title = (
        f"Replicas of {service_title(service)}" if service and len(chosen) == 1 else f"Replicas of {len(chosen)} rows"
    )
    number = await app.push_screen_wait(NumberPrompt(title, value=now, glyphs=app.glyphs))
    if number is not None:
        await _ask(screen, Verb.SCALE, to=number)


ACTS: Mapping[str, Act] = {
    "service.restart": restart,
    "service.stop": stop_or_start,
    "service.pause": pause_or_resume,
    "service.kill": kill,
    "service.more": more,
    "service.fewer": fewer,
    "service.scale": scale,
    "container.shell": shell,
}
"""By the ids of the command table."""


async def _ask(
    screen: DashboardScreen, verb: Verb, *, signal: str = "SIGKILL", to: int | None = None, by: int | None = None
) -> None:
    app, chosen = screen.app, targets(screen)
    if not chosen:
        app.notify("Nothing here to act on.", severity="warning", markup=False)
        return
    try:
        planned = plan(
            verb,
            chosen,
            app.fleet,
            signal=signal,
            to=to,
            by=by,
            protected=app.protected_groups,
            read_only=app.session.read_only,
        )
        planned = await prepare(planned, reach=app.reach)
    except FleetError as error:
        app.notify(f"{error} {error.hint}", severity="error", markup=False)
        return
    asked = ConfirmScreen(question(planned), key=app.confirming_key, glyphs=app.glyphs)
    confirmed = await app.push_screen_wait(asked)
    if confirmed is not None:
        screen.table.clear_marks()
        await _perform(app, planned, confirmed.reason)


async def _perform(app: FleetApp, planned: Plan, reason: str) -> None:
    stop = asyncio.Event()
    steps = [ProgressStep(place, step.engine, step.object_name) for place, step in enumerate(planned.steps)]
    places = {id(step): place for place, step in enumerate(planned.steps)}
    progress = ProgressScreen(planned.title, steps, on_stop=stop.set, glyphs=app.glyphs)
    await app.push_screen(progress)

    def begin(step: Step, words: str) -> None:
        progress.begin(places[id(step)])

    def report(result: StepResult) -> None:
        progress.report(places[id(result.step)], result.outcome.value, result.words, result.seconds)

    try:
        results = await perform(
            planned,
            reach=app.reach,
            reason=reason,
            recorder=Journal(app.fleet, keep=app.session.kept, loose_ends=app.loose_ends),
            on_result=report,
            on_progress=begin,
            stop=stop,
        )
    except FleetError as error:
        progress.finish(f"{error} {error.hint}")
        return
    progress.finish(summary(results))


def found_later(app: FleetApp, result: StepResult) -> None:
    """Say what became of a change whose outcome was unknown."""
    well = result.outcome is Outcome.SUCCESS
    app.notify(f"{result.step.words}: {result.words}", severity="information" if well else "warning", markup=False)


def summary(results: tuple[StepResult, ...]) -> str:
    """How it went, in one line: `3 done`, `2 done, 1 failed, 1 not begun`."""
    words = {"success": "done", "failure": "failed", "refused": "refused", "unknown": "unknown", "skipped": "not begun"}
    counts: dict[str, int] = {}
    for result in results:
        counts[result.outcome.value] = counts.get(result.outcome.value, 0) + 1
    return ", ".join(f"{counts[key]} {word}" for key, word in words.items() if key in counts)


def _is_stopped(app: FleetApp, target: Target) -> bool:
    if isinstance(target, ServiceKey):
        service = app.fleet.services.get(target)
        return service is not None and (service.state is ServiceState.STOPPED or service.running == 0)
    container = app.fleet.containers.get(target)
    ended = (ContainerState.EXITED, ContainerState.CREATED, ContainerState.DEAD)
    return container is not None and container.state in ended


def _is_paused(app: FleetApp, target: Target) -> bool:
    if isinstance(target, ServiceKey):
        members = app.fleet.members(target)
    else:
        found = app.fleet.containers.get(target)
        members = (found,) if found is not None else ()
    return bool(members) and all(container.state is ContainerState.PAUSED for container in members)
