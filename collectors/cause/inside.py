"""What somebody did inside a container: commands run in it, files copied into it and out of it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from ..model import Container, ExecSeen, Health
from ..text import redact_text
from .desk import Case, Desk, Draft, Step, attributed
from .endings import is_health_check

FOLD = timedelta(minutes=10)
"""The same within this is told as one, with how often."""
LATE = timedelta(seconds=30)
"""Of an exec that is told later than this after it began, the engine is not asked as whom it ran."""
HELD = 32
"""Execs of a container that wait for its first inspect; what finds no room is told."""
KEPT = 64
"""Of one container: different commands that are told with how often, and execs that can still be told more of."""

_COPIES = {
    "extract-to-dir": "files copied into it",
    "archive-path": "files copied out of it",
    "export": "its whole file system copied out",
}


def on_exec(step: Step) -> None:
    """A command was run in it; that of its health check is noise."""
    container, command, case = step.container, step.event.argument, step.case
    if container is None or container.detail is None:
        may_be_check = container is None or container.health is not Health.NONE
        if may_be_check and len(case.held) < HELD:
            case.held.append(step.event)
            return
        if may_be_check and any(event.argument == command for event in case.held):
            case.more[command] += 1
            return
    elif is_health_check(command, container.detail.health_check):
        return
    if not command and (container is None or container.health is not Health.NONE):
        return  # Podman does not say which command, and it may be the check
    tell_exec(step)


def settle_more(desk: Desk, case: Case) -> None:
    """What was run again while it was not known whether it is the health check: it is not, if it has a record now."""
    more, case.more = case.more, Counter()
    for command, times in more.items():
        draft = case.execs.get(command)
        if draft is not None:
            first = draft.record.first or draft.record.time
            desk.amend(draft, draft.at, count=draft.record.count + times, first=first)


def tell_exec(step: Step) -> None:
    """A command that is no health check, or of which nobody can say any more whether it is."""
    container, command, case = step.container, step.event.argument, step.case
    exec_id = step.event.attributes.get("execID", "")
    draft = _again(step, case.execs.get(command))
    if draft is None:
        _make_room(case.execs)
        what = f"exec “{redact_text(command)}”" if command else "exec of a command that its engine does not tell"
        fields = attributed(step.intent())
        if step.desk.outside.now() - step.at > LATE:
            fields["evidence"] = (*fields.get("evidence", ()), "user not known: it ran before fleettop looked")
        draft = case.execs[command] = step.write(what, **fields)
    if exec_id:
        _make_room(case.by_exec)
        case.by_exec[exec_id] = draft
        if (seen := case.asked.pop(exec_id, None)) is not None:
            _tell(step.desk, draft, seen, container)


def exec_seen(desk: Desk, case: Case, seen: ExecSeen, container: Container | None) -> None:
    """The engine said as whom an exec was asked to run, or we could not learn it."""
    draft = case.by_exec.pop(seen.id, None)
    if draft is not None:
        _tell(desk, draft, seen, container)
    elif any(event.attributes.get("execID") == seen.id for event in case.held):
        _make_room(case.asked)
        case.asked[seen.id] = seen


def _tell(desk: Desk, draft: Draft, seen: ExecSeen, container: Container | None) -> None:
    evidence = _who_it_ran_as(seen, container)
    record = draft.record
    if evidence in record.evidence or (seen.user is None and any("ran as" in known for known in record.evidence)):
        return
    fields: dict[str, Any] = {"evidence": (*record.evidence, evidence)[-4:]}
    if seen.user is not None and record.what.endswith("”"):
        privileged = ", privileged" if seen.privileged else ""
        fields["what"] = f"{record.what} as {_user(seen.user, container)}{privileged}"
    desk.amend(draft, draft.at, **fields)


def _who_it_ran_as(seen: ExecSeen, container: Container | None) -> str:
    if seen.user is None:
        return f"user not known: {seen.why}"
    given = "asked for" if seen.user else "the container's own user"
    privileged = ", with all privileges" if seen.privileged else ""
    return f"ran as {_user(seen.user, container)} ({given}){privileged}, by the engine's entry of the exec"


def _user(asked: str, container: Container | None) -> str:
    own = container.detail.user if container is not None and container.detail is not None else ""
    return asked or own or "root"


def on_copy(step: Step) -> None:
    """Files were copied, with `docker cp`, or all of them, with `docker export`."""
    draft = _again(step, step.case.copied.get(step.event.action))
    if draft is None:
        intent = step.intent()
        who = intent.actor if intent is not None else "someone"
        what = f"{_COPIES[step.event.action]} by {who}"
        step.case.copied[step.event.action] = step.write(what, **attributed(intent))


def on_commit(step: Step) -> None:
    """An image was made of it as it stands."""
    intent = step.intent()
    who = intent.actor if intent is not None else "someone"
    image = step.event.attributes.get("imageRef", "")
    step.write(f"made into an image{f' {image}' if image else ''} by {who}", **attributed(intent))


def in_the_engines_word(step: Step) -> None:
    """Something of which no more is known than what the engine calls it."""
    intent = step.intent()
    who = intent.actor if intent is not None else "someone"
    step.write(f"{step.event.action.replace('_', ' ')}, by {who}", **attributed(intent))


def _again(step: Step, draft: Draft | None) -> Draft | None:
    """The record of the same not long ago, which tells of this too."""
    if draft is None or step.at - draft.at > FOLD:
        return None
    first = draft.record.first or draft.record.time
    step.amend(draft, count=draft.record.count + 1, first=first, time=step.event.time)
    return draft


def _make_room(kept: dict[str, Any]) -> None:
    while len(kept) >= KEPT:
        kept.pop(next(iter(kept)))
