"""Changes: each goes on whether or not it is watched, and can be asked for again."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence

import msgspec
from fleettop.collectors.actions import Outcome, Plan, Rolling, Step, StepResult, Target, Verb
from fleettop.collectors.model import ContainerKey

from .course import Course, FollowUp, ProgressStep

NOT_WELL = (Outcome.FAILURE, Outcome.REFUSED, Outcome.UNKNOWN)
UNDOES = {Verb.STOP: Verb.START, Verb.START: Verb.STOP, Verb.PAUSE: Verb.UNPAUSE}
"""What takes a change back, where something does."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asked for, so that it can be asked for again."""

    verb: Verb
    targets: tuple[Target, ...]
    signal: str = "SIGKILL"
    to: int | None = None
    by: int | None = None
    image: str = ""
    rolling: Rolling = Rolling()


class Change:
    """One change, from the yes of a person to its end."""

    def __init__(self, wish: Wish, plan: Plan, reason: str) -> None:
        self.wish, self.plan, self.reason = wish, plan, reason
        self.stop = asyncio.Event()
        self.results: tuple[StepResult, ...] = ()
        self.watched = False
        steps = [ProgressStep(place, step.engine, step.object_name) for place, step in enumerate(plan.steps)]
        self.course = Course(steps, on_stop=self.stop.set)
        self._places: dict[int, Hashable] = {id(step): place for place, step in enumerate(plan.steps)}

    def begin(self, step: Step, words: str) -> None:
        """A step is at this now."""
        self.course.begin(self._places[id(step)], words)

    def report(self, result: StepResult) -> None:
        """A step ended."""
        self.course.report(self._places[id(result.step)], result.outcome.value, result.words, result.seconds)

    def finish(self, results: Sequence[StepResult], words: str) -> None:
        """All of it ended."""
        self.results = tuple(results)
        self.course.finish(words, follow_ups(self.wish, self.results))


def follow_ups(wish: Wish, results: Sequence[StepResult]) -> tuple[FollowUp, ...]:
    """What can be asked for after these results."""
    found = []
    bad = sum(result.outcome in NOT_WELL for result in results)
    rest = sum(result.outcome is Outcome.SKIPPED for result in results)
    if bad and again("retry", wish, results) is not None:
        found.append(FollowUp("R", "retry", f"tries the {bad} that did not end well again."))
    if rest and again("rest", wish, results) is not None:
        found.append(FollowUp("G", "rest", f"goes on with the {rest} not begun."))
    if back := again("back", wish, results):
        words = {Verb.START: "starts again what was stopped", Verb.STOP: "stops again what was started"}
        found.append(FollowUp("B", "back", f"{words.get(back.verb, 'resumes what was paused')}."))
    return tuple(found)


def again(what: str, wish: Wish, results: Sequence[StepResult]) -> Wish | None:
    """The wish for only those that failed (`retry`), those not begun (`rest`), or to go `back`; None: there is none.

    It is planned and asked anew: what was true a minute ago is not taken to be so now.
    """
    if what == "back":
        done = [
            result.step for result in results if result.outcome is Outcome.SUCCESS and "already" not in result.words
        ]
        verb = UNDOES.get(wish.verb)
        if verb is None or not done or any(step.kind != "container" for step in done):
            return None
        return msgspec.structs.replace(wish, verb=verb, targets=_containers(done))
    outcomes = NOT_WELL if what == "retry" else (Outcome.SKIPPED,)
    steps = [result.step for result in results if result.outcome in outcomes]
    if not steps:
        return None
    if wish.verb is Verb.PRUNE or any(step.kind == "node" for step in steps):
        return None
    if wish.verb is Verb.SCALE:
        return _scale(wish, steps)
    services = dict.fromkeys(step.service for step in steps if step.kind == "service" and step.service is not None)
    containers = _containers([step for step in steps if step.kind == "container"])
    return msgspec.structs.replace(wish, targets=(*services, *containers))


def _scale(wish: Wish, steps: Sequence[Step]) -> Wish | None:
    """To the same number; or by as many as are missing, where that is the same number for every service."""
    missing: dict[Target, int] = {}
    for step in steps:
        if step.service is None:
            return None
        missing[step.service] = missing.get(step.service, 0) + 1
    if wish.to is not None:
        return msgspec.structs.replace(wish, targets=tuple(missing))
    if any(step.kind == "service" for step in steps):
        same = {wish.by} if all(step.kind == "service" for step in steps) else set()
    else:
        same = {number if (wish.by or 0) > 0 else -number for number in missing.values()}
    if len(same) != 1:
        return None
    return msgspec.structs.replace(wish, targets=tuple(missing), by=same.pop())


def _containers(steps: Sequence[Step]) -> tuple[ContainerKey, ...]:
    return tuple(ContainerKey(step.engine, step.object_id) for step in steps)
