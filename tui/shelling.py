"""`X`: a shell in a container, at the dashboard's own terminal; the dashboard watches on and comes back after."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fleettop.collectors.actions import (
    Outcome,
    Plan,
    ShellPlaces,
    StepResult,
    Verb,
    plan,
    run_at_terminal,
    shell_places,
)
from fleettop.collectors.errors import FleetError
from fleettop.collectors.journal import Journal
from fleettop.collectors.model import Container, ContainerKey

from .asking import question, targets
from .driver import TerminalDriver
from .passthrough import LEAVES, Passthrough, spoken
from .screens.confirm import ConfirmScreen
from .screens.prompt import Choice, ChoicePrompt
from .views.conditions import condition

if TYPE_CHECKING:
    from .app import FleetApp
    from .screens.dashboard import DashboardScreen


async def shell(screen: DashboardScreen) -> None:
    """`X`: asks which replica where there are several, and why, and gives the terminal to a shell there."""
    app, chosen = screen.app, targets(screen)
    if len(chosen) != 1:
        words = "A shell opens in one container: take the marks off." if chosen else "Nothing here to open a shell in."
        app.notify(words, severity="warning", markup=False)
        return
    places = shell_places(chosen[0], app.fleet)
    container = await _which(app, places)
    if container is None:
        return
    try:
        planned = plan(
            Verb.EXEC,
            [ContainerKey(container.engine, container.id)],
            app.fleet,
            protected=app.protected_groups,
            read_only=app.session.read_only,
        )
    except FleetError as error:
        app.notify(f"{error} {error.hint}", severity="error", markup=False)
        return
    asked = ConfirmScreen(question(planned, verb="Open"), key=app.confirming_key, glyphs=app.glyphs)
    confirmed = await app.push_screen_wait(asked)
    if confirmed is not None:
        await _open(app, planned, confirmed.reason)


async def _which(app: FleetApp, places: ShellPlaces) -> Container | None:
    if len(places.containers) < 2:
        for note in places.notes:
            app.notify(note, severity="warning", markup=False)
        return places.containers[0] if places.containers else None
    names = [c.name for c in places.containers]
    choices = [
        Choice(str(place), c.name if names.count(c.name) == 1 else f"{c.name} on {c.engine}", _about(c))
        for place, c in enumerate(places.containers)
    ]
    prompt = ChoicePrompt(f"A shell in which replica of {places.title}?", choices, places.notes, glyphs=app.glyphs)
    found = await app.push_screen_wait(prompt)
    return places.containers[int(found)] if found is not None else None


def _about(container: Container) -> str:
    return f"{condition(container)[0]}, on {container.engine}"


async def _open(app: FleetApp, planned: Plan, reason: str) -> None:
    driver = app._driver
    if not isinstance(driver, TerminalDriver) or driver.lent:
        app.notify("There is no terminal to open a shell at.", severity="warning", markup=False)
        return
    [step] = planned.steps
    try:
        with driver.lend() as (keyboard, screen):
            _say(screen, f"fleettop: {step.words}; {LEAVES} leaves it.")
            result = await run_at_terminal(
                planned,
                Passthrough(keyboard, screen, clock=app.clock),
                reach=app.reach,
                environment=spoken(app.environ),
                recorder=Journal(app.fleet, keep=app.session.kept),
                reason=reason,
                clock=app.clock,
            )
    except FleetError as error:
        app.notify(f"{error} {error.hint}", severity="error", markup=False)
        return
    well = result.outcome is Outcome.SUCCESS
    app.notify(ending(result), severity="information" if well else "warning", markup=False, timeout=10)


def ending(result: StepResult) -> str:
    """How it ended, in a sentence, and what to do next."""
    words = f"{result.step.object_name} on {result.step.engine}: {result.words}."
    return f"{words} {result.hint}".strip()


def _say(screen: int, words: str) -> None:
    os.write(screen, f"{words}\r\n".encode(errors="replace"))
