"""What a change would be about, and the question that a person is asked before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleettop.collectors.actions import Plan, Target, Verb
from fleettop.collectors.model import ContainerKey, ContainerState, ServiceKey

from .screens.confirm import Question

if TYPE_CHECKING:
    from .screens.dashboard import DashboardScreen

UP = (ContainerState.RUNNING, ContainerState.RESTARTING)


def targets(screen: DashboardScreen) -> tuple[Target, ...]:
    """What a change would be about: all marked rows, or the one under the cursor; of a host all that runs there."""
    found: list[Target] = []
    for key in screen.selected():
        if isinstance(key, ServiceKey | ContainerKey):
            found.append(key)
        elif screen.view.id == "hosts":
            fleet = screen.app.fleet
            found += [one for one in fleet.containers_on(str(key)) if fleet.containers[one].state in UP]
    return tuple(found)


_BUTTONS = {Verb.IMAGE: "Set", Verb.ROLLBACK: "Roll back", Verb.HOLD: "Pause", Verb.GO_ON: "Go on"}


def _button(planned: Plan) -> str:
    if planned.verb is Verb.AVAILABILITY:
        return planned.title.partition(" ")[0]
    return _BUTTONS.get(planned.verb) or planned.verb.value.capitalize()


def question(planned: Plan, *, verb: str = "", at_once: str | None = None, reason: str = "") -> Question:
    """What a person is asked; `verb` is the word on the button where it is not the plan's."""
    return Question(
        title=planned.title,
        sentences=planned.sentences,
        warnings=planned.warnings,
        blockers=planned.blockers,
        verb=verb or _button(planned),
        name_to_type=planned.name_to_type,
        at_once=at_once,
        reason=reason,
    )
