"""The commands that change something: what is asked, the confirmation with its effect in words, and how it went."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from fleettop.collectors.actions import (
    Outcome,
    Plan,
    Rolling,
    StepResult,
    Target,
    Verb,
    perform,
    plan,
    prepare,
)
from fleettop.collectors.config.allowances import parse_allowance
from fleettop.collectors.errors import FleetError
from fleettop.collectors.journal import Journal
from fleettop.collectors.model import ContainerState, ServiceKey, ServiceState

from .asking import question, targets
from .changes import Change, Wish, again
from .screens.confirm import ConfirmScreen, Question
from .screens.progress import ProgressScreen
from .screens.prompt import SIGNALS, Choice, ChoicePrompt, NumberPrompt
from .shelling import shell
from .views.headline import trail_trouble

if TYPE_CHECKING:
    from .app import FleetApp
    from .screens.dashboard import DashboardScreen

Act = Callable[["DashboardScreen"], Awaitable[None]]
CarryOut = Callable[["FleetApp", Change], Coroutine[Any, Any, None]]


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
    await scale_of(screen, targets(screen))


async def scale_of(screen: DashboardScreen, chosen: tuple[Target, ...]) -> None:
    """Ask for the number of replicas of these, and then whether."""
    if not chosen:
        return
    app = screen.app
    service = app.fleet.services.get(chosen[0]) if isinstance(chosen[0], ServiceKey) else None
    now = service.wanted if service is not None and service.wanted is not None else 1
    title = f"Replicas of {service.title}" if service and len(chosen) == 1 else f"Replicas of {len(chosen)} rows"
    number = await app.push_screen_wait(NumberPrompt(title, value=now, glyphs=app.glyphs))
    if number is not None:
        rolling = Rolling(by_group=app.allowances)
        await ask(screen, Wish(verb=Verb.SCALE, targets=chosen, to=number, rolling=rolling))


async def show_changes(screen: DashboardScreen) -> None:
    """`A`: the change that is under way, or which of several."""
    app = screen.app
    if not app.changes:
        app.notify("No change is under way.", markup=False)
        return
    chosen = app.changes[0]
    if len(app.changes) > 1:
        choices = [
            Choice(str(place), one.plan.title, f"{one.course.ended} of {len(one.plan.steps)} ended")
            for place, one in enumerate(app.changes)
        ]
        place = await app.push_screen_wait(ChoicePrompt("Changes", choices, glyphs=app.glyphs))
        if place is None:
            return
        chosen = app.changes[int(place)]
    await _watch(screen, chosen)


ACTS: Mapping[str, Act] = {
    "service.restart": restart,
    "service.stop": stop_or_start,
    "service.pause": pause_or_resume,
    "service.kill": kill,
    "service.more": more,
    "service.fewer": fewer,
    "service.scale": scale,
    "changes.show": show_changes,
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
    rolling = Rolling(by_group=app.allowances)
    await ask(screen, Wish(verb=verb, targets=chosen, signal=signal, to=to, by=by, rolling=rolling))


async def ask(screen: DashboardScreen, wish: Wish, *, reason: str = "") -> None:
    """Plan it, ask for it, and do it; `reason` is what the reason begins as."""
    await ask_for(screen, lambda: _plan(screen.app, wish), wish, reason=reason)


async def ask_for(
    screen: DashboardScreen,
    make: Callable[[], Plan],
    wish: Wish,
    *,
    reason: str = "",
    on_begin: Callable[[Change], None] | None = None,
    button: str = "",
    change_of: Callable[[Wish, Plan, str], Change] = Change,
    carry_out: CarryOut | None = None,
) -> None:
    """The same with a plan that is made so; `on_begin` is told of the change when a person has said yes to it.

    `change_of` makes the change, and `carry_out` does it, where it is more than its plan.
    """
    app, trouble = screen.app, screen.trail_trouble
    if trouble is not None:
        words = trail_trouble(trouble)
        app.notify(f"Nothing is changed while the trail cannot be written: {words}.", severity="error", markup=False)
        return
    try:
        first = make()
        asked = _Asked(app, wish, first, await prepare(first, reach=app.reach))
    except FleetError as error:
        app.notify(f"{error} {error.hint}", severity="error", markup=False)
        return
    confirm = ConfirmScreen(
        question(asked.plan, verb=button, at_once=asked.at_once, reason=reason),
        key=app.confirming_key,
        replan=asked.again,
        glyphs=app.glyphs,
    )
    confirmed = await app.push_screen_wait(confirm)
    if confirmed is not None:
        screen.table.clear_marks()
        change = change_of(asked.wish, asked.plan, confirmed.reason)
        app.changes.append(change)
        app.run_worker((carry_out or _carry_out)(app, change), group="change", exclusive=False)
        app.changes.told()
        if on_begin is not None:
            on_begin(change)
        await _watch(screen, change)


def _plan(app: FleetApp, wish: Wish) -> Plan:
    return plan(
        wish.verb,
        wish.targets,
        app.fleet,
        signal=wish.signal,
        to=wish.to,
        by=wish.by,
        image=wish.image,
        protected=app.protected_groups,
        read_only=app.session.read_only,
        rolling=wish.rolling,
    )


class _Asked:
    """What is being asked for: planned anew when another number of replicas is to be away at once."""

    def __init__(self, app: FleetApp, wish: Wish, first: Plan, prepared: Plan) -> None:
        self._app = app
        self.wish, self.plan = wish, prepared
        # Only what needs no engine to be asked can be planned anew while a person types.
        self.asks = prepared is first and wish.verb in (Verb.RESTART, Verb.STOP, Verb.START) and len(first.steps) > 1

    @property
    def at_once(self) -> str | None:
        """What the field begins as; None: there is none."""
        if not self.asks:
            return None
        return str(max(self.plan.widths.values(), default=1)) if self.plan.halts else ""

    def again(self, written: str) -> Question:
        """The question with so many at once; empty: what is usual."""
        allowance = parse_allowance(written) if written else None
        rolling = msgspec.structs.replace(self.wish.rolling, allowance=allowance)
        wish = msgspec.structs.replace(self.wish, rolling=rolling)
        made = _plan(self._app, wish)
        self.wish, self.plan = wish, made
        return question(made)


async def _carry_out(app: FleetApp, change: Change) -> None:
    """To its end, whether it is watched or not."""
    results: tuple[StepResult, ...] = ()
    try:
        results = await perform(
            change.plan,
            reach=app.reach,
            reason=change.reason,
            recorder=Journal(app.fleet, keep=app.session.kept, loose_ends=app.loose_ends),
            on_result=change.report,
            on_progress=change.begin,
            stop=change.stop,
        )
        words = f"{summary(results)}."
    except FleetError as error:
        words = f"{error} {error.hint}"
    ended(app, change, results, words)


def ended(app: FleetApp, change: Change, results: tuple[StepResult, ...], words: str, *, bad: bool = False) -> None:
    """A change is over: on its screen, or in a word where nobody looks at that; `bad`: its steps do not tell all."""
    change.finish(results, words)
    if not change.watched:
        well = all(result.outcome is Outcome.SUCCESS for result in results) and bool(results) and not bad
        shown = app.keys.label("changes.show")
        app.notify(
            f"{change.plan.title}: {words} {shown} shows it.", severity="information" if well else "error", markup=False
        )
    app.changes.told()


async def _watch(screen: DashboardScreen, change: Change) -> None:
    """Look at a change until it is left; once it is over it is forgotten, or something follows of it."""
    app = screen.app
    change.watched = True
    progress = ProgressScreen(change.plan.title, course=change.course, can_leave=True, glyphs=app.glyphs)
    answer = await app.push_screen_wait(progress)
    change.watched = False
    if change.course.done and change in app.changes:
        app.changes.remove(change)
    app.changes.told()
    wish = again(answer, change.wish, change.results) if answer is not None else None
    if wish is not None:
        await ask(screen, wish, reason=change.reason)


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
