"""How the events of one container follow each other: each handler takes one event and writes or amends a record.

The sequences are those told of in `cause`. A handler decides by what is open about the container (its `Case`) and by
its life so far, never by waiting.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ..model import Attribution, Cause
from ..words import short_image, signal_name
from .desk import FOLLOWS, LONG_STOP, Draft, Step, attributed
from .endings import (
    AT_ONCE,
    FATAL,
    alone,
    asked_to_end,
    by_policy,
    code_words,
    comma_exit,
    distinct,
    exit_words,
    has_policy,
    labelled,
    may_be_policy,
    number,
    restart_policy,
    would_return,
)
from .history import LOOP_WINDOW, End, Life
from .inside import on_commit, on_copy, on_exec

MEMORY_NEAR = timedelta(seconds=5)
"""An `oom` and the end it led to are this close together."""
MEMORY_EVIDENCE = "the engine said `oom` of it"
ALONE_EVIDENCE = "it ended with no signal and no stop sent through the engine"
BY_SWARM: dict[str, Any] = {
    "cause": Cause.SWARM,
    "actor": "the swarm",
    "attribution": Attribution.DERIVED,
    "evidence": ("it is a task of a swarm, by its labels",),
}


def _on_kill(step: Step) -> None:
    life, name = step.life, signal_name(step.event.attributes.get("signal", ""))
    life.signals.append(name or "a signal")
    del life.signals[:-8]
    life.signalled_at = step.at
    draft = step.case.deed
    if draft is not None and (draft.record.action != "kill" or not FATAL.intersection(life.signals[:-1])):
        step.case.deed = None  # an older deed: this begins a new one
        del life.signals[:-1]
    step.deed(f"{' then '.join(distinct(life.signals))} sent by {{who}}")


def _on_die(step: Step) -> None:
    life, case = step.life, step.case
    life.exit_code = None if case.forged or labelled(step.container) else number(step.event.attributes.get("exitCode"))
    if case.restarting and case.deed is not None and step.at - case.deed.at <= LONG_STOP:
        life.ended_at = step.at
        step.deed(f"restarted by {{who}}{exit_words(life.exit_code)}", exit_code=life.exit_code)
        return
    if life.dying:
        life.dying, life.ended_at = False, step.at
        life.signals.clear()
        _stopped(msgspec.structs.replace(step, event=msgspec.structs.replace(step.event, action="stop")))
        return
    asked = asked_to_end(life, step.at)
    if life.memory_at is not None and step.at - life.memory_at <= MEMORY_NEAR and not asked:
        _died(step, End.MEMORY)
    elif asked:
        life.end, life.ended_at = End.KILLED, step.at
        life.calmed()
        case.crash = None
        if case.deed is not None and case.deed.record.action != "kill":
            case.deed = None
        signals = " then ".join(distinct(life.signals))
        word = "killed" if life.signals[-1] == "SIGKILL" and len(life.signals) == 1 else "ended"
        step.deed(
            f"{word} by {{who}} ({signals}{comma_exit(life.exit_code)})",
            cause=Cause.KILLED,
            exit_code=life.exit_code,
            time=step.event.time,
            trouble=True,
        )
    else:
        _died(step, End.EXITED)
    life.signals.clear()


def _died(step: Step, end: End) -> None:
    life, case = step.life, step.case
    life.died_alone(step.at, end)
    case.deed = None
    memory = end is End.MEMORY
    fields: dict[str, Any] = {
        "cause": Cause.OUT_OF_MEMORY if memory else Cause.EXITED,
        "actor": "the kernel" if memory else "the program",
        "attribution": Attribution.DERIVED,
        "exit_code": life.exit_code,
        "trouble": memory or life.exit_code != 0,
        "evidence": (MEMORY_EVIDENCE if memory else ALONE_EVIDENCE,),
    }
    crash = case.crash
    what = alone(life)
    after_memory = crash is not None and crash.record.action == "oom"
    if step.by_swarm and not after_memory:
        case.crash = step.write_folded(what, LOOP_WINDOW, **fields)
    elif crash is not None and _goes_on(crash, life, fields["cause"], step.at):
        count = crash.record.count + 1 if crash.record.action == "die" else 1
        first = crash.record.first or crash.record.time
        fields |= {"count": count, "first": first if count > 1 else None, "time": step.event.time, "action": "die"}
        step.amend(crash, what=what, **fields)
    else:
        case.crash = step.write(what, **fields)


def _goes_on(crash: Draft, life: Life, cause: Cause, at: datetime) -> bool:
    """Whether this end is one more of the same, or the end of the one whose `oom` came first."""
    record = crash.record
    if record.action == "oom":
        return at - crash.at <= MEMORY_NEAR
    same_code = record.exit_code == life.exit_code or None in (record.exit_code, life.exit_code)
    return record.cause is cause and same_code and at - crash.at <= LOOP_WINDOW


def _on_memory(step: Step) -> None:
    life, case = step.life, step.case
    life.memory_at = step.at
    fields: dict[str, Any] = {"cause": Cause.OUT_OF_MEMORY, "actor": "the kernel", "trouble": True}
    fields |= {"attribution": Attribution.DERIVED, "evidence": (MEMORY_EVIDENCE,)}
    dead = life.end is End.EXITED and life.ended_at is not None and step.at - life.ended_at <= MEMORY_NEAR
    if dead and case.crash is not None:
        life.end = End.MEMORY
        step.amend(case.crash, what=alone(life), **fields)
    elif case.crash is None or not _recent_memory(case.crash, step.at):
        case.crash = step.write("a process in it was killed for memory", **fields)


def _recent_memory(draft: Draft, at: datetime) -> bool:
    return draft.record.cause is Cause.OUT_OF_MEMORY and at - draft.at <= LOOP_WINDOW


def _on_stop(step: Step) -> None:
    life = step.life
    if asked_to_end(life, step.at):
        life.dying, life.ended_at, life.exit_code = True, step.at, None
    elif life.end in (End.NONE, End.EXITED, End.MEMORY) and life.ended_at is not None:
        step.case.deed = None  # it waited for its restart, and somebody ended that (seen: `stop` alone)
    elif life.ended_at is None:
        life.ended_at = step.at
    life.stop_seen = True
    # The engine brings back what has this policy: if it rests, somebody wanted that.
    life.end = End.ENGINE if step.dark and restart_policy(step.container) != "always" else End.STOPPED
    life.calmed()
    step.case.crash = None
    _stopped(step)


def _stopped(step: Step) -> None:
    life = step.life
    if step.by_swarm:
        _swarm_deed(step, "stopped", exit_code=life.exit_code, trouble=False)
        return
    step.deed(
        f"stopped by {{who}}{exit_words(life.exit_code)}", cause=Cause.STOPPED, exit_code=life.exit_code, trouble=False
    )


def _swarm_deed(step: Step, word: str, **fields: Any) -> None:
    """Of a swarm's task: the swarm's doing if its service was just changed, else that of someone or the swarm."""
    code = exit_words(step.life.exit_code) if "exit_code" in fields else ""
    if step.desk.swarm_did_it(step.event, step.at) or word == "started":
        fields |= BY_SWARM
        step.deed(f"{word} by the swarm{code}", **fields)
    else:
        step.deed(f"{word} by {{who}} or the swarm{code}", cause=Cause.UNKNOWN, **fields)


def _on_start(step: Step) -> None:
    life, case = step.life, step.case
    ended, end = life.ended_at, life.end
    life.started_at = step.at
    life.signals.clear()
    life.dying = False
    life.health, life.failing_since = "", None
    life.end = End.NONE
    draft, fresh = case.deed, case.fresh
    restarting, case.restarting = case.restarting, False
    case.fresh = False
    if restarting and draft is not None and step.at - draft.at <= LONG_STOP:
        return  # told with the `restart` before it
    if draft is not None and fresh and step.follows(draft):
        step.amend(draft, what=draft.record.what.replace("created", "started", 1), action="start", time=step.event.time)
    elif end in (End.EXITED, End.MEMORY) and ended is not None and by_policy(step, ended):
        life.returns.add(step.at)
        if case.crash is not None:
            text = "started again by its restart policy" if has_policy(step.container) else "started again"
            evidence = case.crash.record.evidence[:1] + _policy_evidence(step)
            step.amend(case.crash, what=f"{alone(life, end)}, {text}", evidence=evidence)
            case.crash.at = ended
    elif step.by_swarm:
        _swarm_deed(step, "started")
    elif step.dark:
        case.deed = step.write("started while its engine could not be reached", cause=Cause.UNKNOWN)
    elif draft is not None and end in (End.STOPPED, End.KILLED) and step.follows(draft):
        word = "stopped" if end is End.STOPPED else "killed"
        code = exit_words(life.exit_code)
        step.deed(f"{word}{code} and started again by {{who}}", cause=Cause.RESTARTED, trouble=False)
    elif ended is None and draft is None and may_be_policy(step.container) and step.intent() is None:
        # What it came after was before the first event that is known.
        case.deed = step.write("started by someone or its restart policy", cause=Cause.UNKNOWN)
    else:
        case.deed = None
        case.crash = None
        life.calmed()
        step.deed("started by {who}")


def _policy_evidence(step: Step) -> tuple[str, ...]:
    policy = restart_policy(step.container)
    return (f"its restart policy is {policy}",) if policy not in ("", "no") else ()


def _on_restart(step: Step) -> None:
    life, case = step.life, step.case
    ended = life.ended_at if life.end in (End.EXITED, End.MEMORY) else None
    if ended is not None and step.at - ended <= FOLLOWS and by_policy(step, ended):
        return  # Podman's word for what its restart policy does; its `start` follows
    docker = life.started_at is not None and step.at - life.started_at <= AT_ONCE
    case.restarting = not docker  # which says it last, Podman says it first
    code = exit_words(life.exit_code) if docker or life.end is not End.NONE else ""
    life.end = End.NONE
    life.calmed()
    case.crash = None
    step.deed(f"restarted by {{who}}{code}", cause=Cause.RESTARTED, trouble=False)


def _on_cleanup(step: Step) -> None:
    """Podman's last word of an end that no restart follows. Of a stop it says no more than of an exit."""
    life, case, crash = step.life, step.case, step.case.crash
    if life.end is not End.EXITED or life.ended_at is None or step.at - life.ended_at > FOLLOWS or crash is None:
        return
    if life.deaths and life.deaths[-1] == life.ended_at:
        life.deaths.pop()
    one = _apart(step, crash)
    asked = msgspec.structs.replace(step, event=msgspec.structs.replace(step.event, action="stop"))
    if would_return(step) or asked.intent() is not None:
        case.deed, life.end = one, End.KILLED
        _on_stop(asked)
        return
    life.end = End.NONE
    fields = {"cause": Cause.UNKNOWN, "actor": "", "attribution": Attribution.UNKNOWN}
    step.amend(one, what=f"{code_words(life.exit_code)}, by itself or stopped by someone", **fields)


def _apart(step: Step, crash: Draft) -> Draft:
    """The newest end, taken out of the record of the crash loop into which it was folded."""
    record = crash.record
    if record.count == 1:
        return crash
    again = f"{record.what}, started again by its restart policy"
    step.amend(crash, what=again, count=record.count - 1, first=record.first if record.count > 2 else None)
    return step.write(alone(step.life), exit_code=record.exit_code, action="die", trouble=record.trouble)


def _on_create(step: Step) -> None:
    image = short_image(step.event.attributes.get("image", ""))
    step.case.fresh = True
    what = f"created from {image}" if image else "created"
    before = step.desk.outside.image_before(step.event)
    if before:
        what += f" (before: {short_image(before)})"
    if step.by_swarm:
        what = f"{what.replace('created', 'started', 1)} by the swarm"
        step.case.deed = step.write_folded(what, LOOP_WINDOW, **BY_SWARM)
        return
    step.case.deed = None
    declared = step.desk.outside.declaring.fields(step.event.attributes) if step.intent() is None else {}
    draft = step.deed(what, **declared)
    replaced = step.desk.outside.predecessor(step.event)
    if replaced is not None:
        step.case.birth = (draft, replaced)


def _on_destroy(step: Step) -> None:
    life, case = step.life, step.case
    deed, crash = case.deed, case.crash
    if deed is not None and step.follows(deed) and life.end in (End.STOPPED, End.KILLED):
        code = exit_words(life.exit_code)
        if step.by_swarm:
            _swarm_deed(step, "stopped and removed", exit_code=life.exit_code, trouble=False)
        elif life.end is End.STOPPED:
            step.deed(f"stopped and removed by {{who}}{code}", cause=Cause.REMOVED, trouble=False)
        else:
            step.deed(f"removed by force by {{who}}{code}", cause=Cause.REMOVED, trouble=False)
    elif step.by_swarm:
        case.deed = None
        case.deed = step.write_folded("its old containers were removed by the swarm", LOOP_WINDOW, **BY_SWARM)
    elif crash is not None and life.end in (End.EXITED, End.MEMORY) and _removed_itself(step, crash):
        step.amend(crash, what=f"{crash.record.what}, then removed")
    else:
        case.deed = None
        step.deed("removed by {who}", cause=Cause.REMOVED)
    step.desk.lives.ended(step.key)


def _removed_itself(step: Step, crash: Draft) -> bool:
    container = step.container
    if container is not None and container.detail is not None:
        return container.detail.auto_remove
    return step.at - crash.at <= timedelta(seconds=2)


def _on_pause(step: Step) -> None:
    step.case.deed = None
    step.life.paused_at = step.at if step.event.action == "pause" else None
    step.deed("paused by {who}" if step.event.action == "pause" else "unpaused by {who}")


def _on_rename(step: Step) -> None:
    old = step.event.attributes.get("oldName", "").removeprefix("/")
    step.case.deed = step.case.deed if step.case.deed and step.case.deed.record.action == "create" else None
    if step.case.deed is None:
        intent = step.intent()
        who = intent.actor if intent is not None else "someone"
        step.write(f"renamed from {old} by {who}" if old else f"renamed by {who}", **attributed(intent))
    else:
        step.amend(step.case.deed, object_name=step.event.name)  # compose makes it under another name first


def _on_update(step: Step) -> None:
    before = step.container
    intent = step.intent()
    who = intent.actor if intent is not None else "someone"
    draft = step.write(f"limits or restart policy changed by {who}", **attributed(intent))
    if before is not None and before.detail is not None:
        step.case.updated = (draft, before)


def _on_health(step: Step) -> None:
    status, life = step.event.argument, step.life
    if status not in ("healthy", "unhealthy") or status == life.health:
        return
    before, life.health, life.health_at = life.health, status, step.at
    if status == "healthy":
        life.failing_since = None
    first = status == "healthy" and before == ""
    step.write(
        "health: healthy" if first else "health: healthy again" if status == "healthy" else "health: unhealthy",
        cause=Cause.UNHEALTHY if status == "unhealthy" else Cause.NONE,
        actor="its health check",
        attribution=Attribution.DERIVED,
        evidence=("the engine said so of its health check",),
        trouble=status == "unhealthy",
    )


Handler = Callable[[Step], None]

HANDLERS: dict[str, Handler] = {
    "kill": _on_kill,
    "die": _on_die,
    "oom": _on_memory,
    "stop": _on_stop,
    "start": _on_start,
    "restart": _on_restart,
    "create": _on_create,
    "destroy": _on_destroy,
    "cleanup": _on_cleanup,
    "pause": _on_pause,
    "unpause": _on_pause,
    "rename": _on_rename,
    "update": _on_update,
    "health_status": _on_health,
    "exec_create": on_exec,
    "extract-to-dir": on_copy,
    "archive-path": on_copy,
    "export": on_copy,
    "commit": on_commit,
}
