"""What became of a change whose answer was lost: told from how the container was before and how it is found now."""

from __future__ import annotations

from datetime import datetime

from ..model import Container, ContainerState
from ..words import clock_time
from .steps import Deed, Mark, Outcome, Step

_UP = (ContainerState.RUNNING, ContainerState.PAUSED, ContainerState.RESTARTING)
_ENDING = ("SIGKILL", "9")


def judge(step: Step, before: Mark | None, found: Container | None, now: datetime) -> tuple[Outcome, str]:
    """The outcome as far as what was found proves it, and the words for it.

    `unknown` stays where it does not: the engine may still do what it was asked. Nothing is ever asked again.
    """
    if found is None:
        if step.deed in (Deed.REMOVE, Deed.PRUNE):
            return Outcome.SUCCESS, "it is gone: done"
        return Outcome.UNKNOWN, "it is gone, by whom is not known"
    after = Mark.of(found)
    how = _how(after, now)
    if _proven(step, before, after):
        return Outcome.SUCCESS, f"{how}: done"
    if before is not None and after.started_at == before.started_at and after.state is before.state:
        return Outcome.UNKNOWN, f"{how} as before: not done so far"
    return Outcome.UNKNOWN, f"{how}: whether that is this change's doing is not known"


def _proven(step: Step, before: Mark | None, after: Mark) -> bool:
    up = after.state in _UP
    match step.deed:
        case Deed.STOP:
            return not up
        case Deed.START | Deed.CLONE:
            return up
        case Deed.PAUSE:
            return after.state is ContainerState.PAUSED
        case Deed.UNPAUSE:
            return after.state is ContainerState.RUNNING
    new_run = before is not None and after.started_at is not None and after.started_at != before.started_at
    if step.deed is Deed.RESTART:
        return up and new_run
    return step.deed is Deed.KILL and step.signal in _ENDING and (not up or new_run)


def _how(mark: Mark, now: datetime) -> str:
    if mark.state is ContainerState.RUNNING and mark.started_at is not None:
        return f"it runs since {clock_time(mark.started_at, now)}"
    if mark.state is ContainerState.EXITED and mark.finished_at is not None:
        return f"it ended at {clock_time(mark.finished_at, now)}"
    return f"it is {mark.state.value}"
