"""`L`: a drill from the dashboard. Something is lost on purpose, and how it goes and what it came to is told."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from fleettop.collectors.actions import Plan, StepResult, perform
from fleettop.collectors.actions.drilling import candidates
from fleettop.collectors.drills import Drill, Drilling, node_drill, replica_drill, served
from fleettop.collectors.errors import ConfigError, FleetError
from fleettop.collectors.journal import Journal
from fleettop.collectors.model import ContainerKey, ServiceKey

from .acting import Act, ask_for, ended
from .changes import Change, Wish
from .course import Course, ProgressStep
from .screens.prompt import Choice, ChoicePrompt
from .views.swarm import NodeKey, TaskKey, service_of_task

if TYPE_CHECKING:
    from .app import FleetApp
    from .screens.dashboard import DashboardScreen

ANY = "any"
AGAIN = "again"
"""The step that puts right what the drill did."""


class DrillChange(Change):
    """A drill under way: what is done, what puts it right, and what becomes of each service that loses something."""

    def __init__(self, drill: Drilling, wish: Wish, plan: Plan, reason: str) -> None:
        super().__init__(wish, plan, f"drill: {reason}" if reason else "drill")
        self.drill = drill
        steps = list(self.course.steps.values())
        lost = plan.steps[0]
        if drill.drill.alone:
            steps.append(ProgressStep(AGAIN, lost.engine, "started again"))
        elif drill.drill.node is not None:
            steps.append(ProgressStep(AGAIN, lost.engine, "active again"))
        steps += [ProgressStep(subject.key, "", subject.title) for subject in drill.watched]
        self.course = Course(steps, on_stop=self._stop)
        drill.on_look = self._looked

    def _stop(self) -> None:
        self.stop.set()
        self.drill.stop.set()

    def _looked(self) -> None:
        for subject in self.drill.watched:
            words = f"{subject.now} of {subject.before} serve now"
            if not self.course.done and self.course.states[subject.key].words != words:
                self.course.begin(subject.key, words)

    def puts_right(self, plan: Plan) -> None:
        """What comes of these steps is told beside the step that stands for them."""
        self._places.update((id(step), AGAIN) for step in plan.steps)

    def finish(self, results: Sequence[StepResult], words: str) -> None:
        """All of it ended; a drill is not tried again by a key."""
        self.results = tuple(results)
        found = self.drill.found
        for subject in self.drill.watched if found is not None else ():
            well = subject.back and not subject.below
            seconds = found.recover if found is not None else None
            self.course.report(subject.key, "success" if well else "failure", served(subject), seconds)
        for key, state in self.course.states.items():
            if state.outcome in ("waiting", "running"):
                self.course.report(key, "skipped")
        self.course.finish(words)


async def drill(screen: DashboardScreen) -> None:
    """`L`: of the service, replica or node under the cursor."""
    app, key = screen.app, screen.table.cursor_key
    if any(isinstance(change, DrillChange) for change in app.changes.under_way):
        app.notify(f"One drill at a time: {app.keys.label('changes.show')} shows the one under way.", markup=False)
        return
    try:
        found = await _drill_of(app, key)
    except FleetError as error:
        app.notify(f"{error} {error.hint}", severity="warning", markup=False)
        return
    if found is None:
        return
    course = Drilling(found, app.fleet, allowed=app.allowances, reach=app.reach, clock=app.clock)
    wish = Wish(verb=found.plan.verb, targets=())
    await ask_for(
        screen,
        lambda: _asked(found),
        wish,
        button="Drain it" if found.node is not None else "Kill it",
        change_of=partial(DrillChange, course),
        carry_out=_carry_out,
    )


async def _drill_of(app: FleetApp, key: object) -> Drill | None:
    protected, read_only = app.protected_groups, app.session.read_only
    if isinstance(key, NodeKey):
        return node_drill(app.fleet, key.cluster, key.node, protected=protected, read_only=read_only)
    if isinstance(key, TaskKey):
        key = service_of_task(app.fleet, key)
    replica = await _which(app, key) if isinstance(key, ServiceKey) else key
    if not isinstance(replica, ContainerKey):
        if not isinstance(key, ServiceKey):
            app.notify("Ask this of a service, a replica of one, or a node of a swarm.", markup=False)
        return None
    return replica_drill(app.fleet, replica, protected=protected, read_only=read_only)


async def _which(app: FleetApp, key: ServiceKey) -> ContainerKey | None:
    service = app.fleet.services.get(key)
    found = candidates(app.fleet, [key]) if service is not None else ()
    if service is None or not found:
        raise ConfigError(f"No replica of {service.title if service else 'it'} serves: there is nothing to lose.")
    if len(found) == 1:
        return found[0]
    containers = [app.fleet.containers[one] for one in found]
    choices = [Choice(ANY, "any of them", "picked at random, as they die")]
    choices += [Choice(str(place), one.name, f"on {one.engine}") for place, one in enumerate(containers)]
    title = f"Drill: lose which replica of {service.title}?"
    chosen = await app.push_screen_wait(ChoicePrompt(title, choices, glyphs=app.glyphs))
    if chosen is None:
        return None
    return random.choice(found) if chosen == ANY else found[int(chosen)]  # noqa: S311 - a drill, not a lock


def _asked(drill: Drill) -> Plan:
    """The plan as it is asked for: what would be down has to be typed."""
    plan = drill.plan
    if not drill.refusal or not plan.possible:
        return plan
    down = next(loss.title for loss in drill.losses if not loss.left)
    return msgspec.structs.replace(
        plan, warnings=(drill.refusal, *plan.warnings), name_to_type=plan.name_to_type or down
    )


async def _carry_out(app: FleetApp, change: Change) -> None:
    """To its end, whether it is watched or not."""
    assert isinstance(change, DrillChange)

    async def carry_out(planned: Plan) -> tuple[StepResult, ...]:
        first = planned is change.drill.drill.plan
        if not first:
            change.puts_right(planned)
        if not planned.possible:
            change.course.report(AGAIN, "refused", " ".join(planned.blockers))
            return ()
        return await perform(
            planned,
            reach=app.reach,
            reason=change.reason,
            recorder=Journal(app.fleet, keep=app.session.kept, loose_ends=app.loose_ends),
            on_result=change.report,
            on_progress=change.begin,
            stop=change.stop if first else asyncio.Event(),
        )

    results: tuple[StepResult, ...] = ()
    try:
        results = await change.drill.run(carry_out)
        found = change.drill.found
        words = f"{change.drill.words.capitalize()}." if found is not None else "Nothing was lost."
    except FleetError as error:
        words = f"{error} {error.hint}"
    ended(app, change, results, words, bad=change.drill.found is None or change.drill.bad)


DRILLS: Mapping[str, Act] = {"drill": drill}
"""By the ids of the command table."""
