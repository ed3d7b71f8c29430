"""What a change would be about, and the question that a person is asked before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleettop.collectors.actions import Plan
from fleettop.collectors.model import ContainerKey, ServiceKey

from .screens.confirm import Question

if TYPE_CHECKING:
    from .screens.dashboard import DashboardScreen

Target = ServiceKey | ContainerKey


def targets(screen: DashboardScreen) -> tuple[Target, ...]:
    """The services and containers that a change would be about: all marked rows, or the one under the cursor."""
    return tuple(key for key in screen.selected() if isinstance(key, ServiceKey | ContainerKey))


def question(planned: Plan, *, verb: str = "") -> Question:
    """What a person is asked; `verb` is the word on the button where it is not the plan's."""
    return Question(
        title=planned.title,
        sentences=planned.sentences,
        warnings=planned.warnings,
        blockers=planned.blockers,
        verb=verb or planned.verb.value.capitalize(),
        name_to_type=planned.name_to_type,
    )
