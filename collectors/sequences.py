"""How the events of one container follow each other: each handler takes one event and writes or amends a record.

The sequences are those told of in `cause`. A handler decides by what is open about the container (its `Case`) and by
its life so far, never by waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from .history import LOOP_WINDOW, End, Life, Lives
from .intents import Intent, Intents
from .model import Attribution, Cause, Container, ContainerKey, EngineEvent, Health, Record, RecordKind, ServiceKey
from .text import redact_text
from .words import short_image, signal_name

FATAL = frozenset(("SIGTERM", "SIGKILL", "SIGINT", "SIGQUIT"))
FOLLOWS = timedelta(seconds=30)
"""A `destroy` or `start` this soon after an end belongs to the same deed."""
LONG_STOP = timedelta(minutes=15)
"""How long a container may take to end after it was asked to."""
QUICK_END = timedelta(seconds=15)
"""After a signal that need not be fatal: an end this soon is taken to be its effect."""
MEMORY_NEAR = timedelta(seconds=5)
POLICY_PAUSE = timedelta(seconds=70)
"""The longest pause of a restart policy is a minute (moby: restartmanager, backoff 100 ms doubling to 1 min)."""
EXEC_FOLD = timedelta(minutes=10)
SWARM_DEED = timedelta(seconds=90)
"""Tasks that end or begin this soon after their service was changed did so for that."""


@dataclass(slots=True)
class Owner:
    """The service an event's object is of."""

    key: ServiceKey | None = None
    name: str = ""


@dataclass(slots=True)
class Draft:
    """The newest record of a container, that following events may amend."""

    record: Record
    at: datetime
    """Of the newest event in it, on our clock."""


@dataclass(slots=True)
class Case:
    """What is open about one container."""

    deed: Draft | None = None
    """The sequence that is under way."""
    crash: Draft | None = None
    execs: dict[str, Draft] = field(default_factory=dict)
    held: list[EngineEvent] = field(default_factory=list)
    """Execs that may be its health check: not known before it is inspected."""
    updated: tuple[Draft, Container] | None = None
    forged: bool = False
    """One of its labels is called `exitCode`, and so overwrites the engine's own word."""


class Outside:
    """What telling causes needs to know of the fleet. The fleet gives it; tests give a small one."""

    def __init__(
        self,
        *,
        number: Callable[[], int],
        now: Callable[[], datetime],
        ours: Callable[[str, datetime], datetime],
        container: Callable[[ContainerKey], Container | None],
        owner: Callable[[EngineEvent], Owner],
    ) -> None:
        self.number = number
        self.now = now
        self.ours = ours
        """An engine's time on our clock."""
        self.container = container
        self.owner = owner


class Desk:
    """Where records are written and amended, with all that this needs."""

    def __init__(self, outside: Outside, intents: Intents, lives: Lives) -> None:
        self.outside = outside
        self.intents = intents
        self.lives = lives
        self.swarm_changes: dict[str, datetime] = {}
        """When each swarm service was last changed, by its id."""
        self.dark: set[str] = set()
        """Engines whose events come late, from a time in which they could not be reached."""
        self._changed: dict[int, Record] = {}

    def write(self, record: Record) -> Record:
        """Put out a record."""
        self._changed[record.id] = record
        return record

    def amend(self, draft: Draft, at: datetime, **fields: Any) -> None:
        """More became known of a record."""
        draft.record = self.write(msgspec.structs.replace(draft.record, **fields))
        draft.at = at

    def take(self) -> tuple[Record, ...]:
        """The records written or amended since last asked, each once, as it is now."""
        changed = tuple(self._changed.values())
        self._changed.clear()
        return changed

    def swarm_did_it(self, event: EngineEvent, at: datetime) -> bool:
        """Whether this task's service was changed just before."""
        changed = self.swarm_changes.get(event.attributes.get("com.docker.swarm.service.id", ""))
        return changed is not None and timedelta(seconds=-2) <= at - changed <= SWARM_DEED


# -- the steps of a container's life -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Step:
    """One event, with all that its handler needs."""

    desk: Desk
    event: EngineEvent
    key: ContainerKey
    case: Case
    life: Life
    at: datetime
    """The event's time on our clock."""

    @property
    def container(self) -> Container | None:
        """It, as last read."""
        return self.desk.outside.container(self.key)

    @property
    def by_swarm(self) -> bool:
        """It is a swarm's task."""
        return "com.docker.swarm.task.id" in self.event.attributes

    def intent(self) -> Intent | None:
        """What of ours this event came of."""
        event = self.event
        return self.desk.intents.behind(
            engine=event.engine, object_id=event.id, name=event.name, action=event.action, at=self.at
        )

    def write(self, what: str, **fields: Any) -> Draft:
        """A new record of this event; `what` may hold `{who}`."""
        event, outside = self.event, self.desk.outside
        owner = outside.owner(event)
        record = Record(
            id=outside.number(),
            time=event.time,
            seen=outside.now(),
            engine=event.engine,
            kind=RecordKind.EVENT,
            what=what,
            object_type="container",
            object_id=event.id,
            object_name=event.name,
            service=owner.key,
            service_name=owner.name,
            action=event.action,
        )
        record = msgspec.structs.replace(record, **fields)
        draft = Draft(record, self.at)
        self.desk.write(record)
        return draft

    def amend(self, draft: Draft, **fields: Any) -> None:
        """This event tells more of a record."""
        self.desk.amend(draft, self.at, **fields)

    def deed(self, what: str, **fields: Any) -> None:
        """Something somebody did: ours where we said so before, else unknown. Begins or goes on with the open deed."""
        intent = self.intent()
        fields = attributed(intent) | fields
        draft = self.case.deed
        text = what.replace("{who}", intent.actor if intent is not None else "someone")
        if draft is not None and self.follows(draft):
            if draft.record.attribution is Attribution.OWN and intent is None:
                text = what.replace("{who}", draft.record.actor)
                for name in ("actor", "attribution", "reason"):
                    fields.pop(name, None)
            self.amend(draft, what=text, action=self.event.action, **fields)
        else:
            self.case.deed = self.write(text, **fields)
        self.life.by_own = self.case.deed is not None and self.case.deed.record.attribution is Attribution.OWN

    def follows(self, draft: Draft) -> bool:
        """Whether this event comes soon enough to belong to that record."""
        waited = LONG_STOP if draft.record.action == "kill" else FOLLOWS
        return self.at - draft.at <= waited


def attributed(intent: Intent | None) -> dict[str, Any]:
    """Who did it, and how that is known, as fields of a record."""
    if intent is None:
        return {"actor": "", "attribution": Attribution.UNKNOWN}
    return {"actor": intent.actor, "attribution": Attribution.OWN, "reason": intent.reason}


def _on_kill(step: Step) -> None:
    life, name = step.life, signal_name(step.event.attributes.get("signal", ""))
    life.signals.append(name or "a signal")
    del life.signals[:-8]
    life.signalled_at = step.at
    draft = step.case.deed
    if draft is not None and (draft.record.action != "kill" or not FATAL.intersection(life.signals[:-1])):
        step.case.deed = None  # an older deed: this begins a new one
        del life.signals[:-1]
    step.deed(f"{' then '.join(_distinct(life.signals))} sent by {{who}}")


def _on_die(step: Step) -> None:
    life, case = step.life, step.case
    life.exit_code = (
        None if case.forged or _labelled(step.container) else _number(step.event.attributes.get("exitCode"))
    )
    asked = _asked(life, step.at)
    if life.memory_at is not None and step.at - life.memory_at <= MEMORY_NEAR and not asked:
        _died(step, End.MEMORY)
    elif asked:
        life.end, life.ended_at = End.KILLED, step.at
        life.calmed()
        case.crash = None
        if case.deed is not None and case.deed.record.action != "kill":
            case.deed = None
        signals = " then ".join(_distinct(life.signals))
        word = "killed" if life.signals[-1] == "SIGKILL" and len(life.signals) == 1 else "ended"
        step.deed(
            f"{word} by {{who}} ({signals}{_comma_exit(life.exit_code)})",
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
    }
    crash = case.crash
    what = alone(life)
    if crash is not None and _goes_on(crash, life, fields["cause"], step.at):
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
    fields["attribution"] = Attribution.DERIVED
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
    if life.end in (End.NONE, End.EXITED, End.MEMORY) and life.ended_at is not None:
        step.case.deed = None  # it waited for its restart, and somebody ended that (seen: `stop` alone)
    elif life.ended_at is None:
        life.ended_at = step.at
    life.end = End.STOPPED
    life.calmed()
    step.case.crash = None
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
        fields |= {"cause": Cause.SWARM, "actor": "the swarm", "attribution": Attribution.DERIVED}
        step.deed(f"{word} by the swarm{code}", **fields)
    else:
        step.deed(f"{word} by {{who}} or the swarm{code}", cause=Cause.UNKNOWN, **fields)


def _on_start(step: Step) -> None:
    life, case = step.life, step.case
    ended, end = life.ended_at, life.end
    life.started_at = step.at
    life.signals.clear()
    life.health, life.failing_since = "", None
    life.end = End.NONE
    draft = case.deed
    if draft is not None and draft.record.action == "create" and step.follows(draft):
        step.amend(draft, what=draft.record.what.replace("created", "started", 1), action="start", time=step.event.time)
    elif end in (End.EXITED, End.MEMORY) and ended is not None and _by_policy(step, ended):
        life.returns.append(step.at)
        if case.crash is not None:
            text = "started again by its restart policy" if _has_policy(step.container) else "started again"
            step.amend(case.crash, what=f"{alone(life, end)}, {text}")
            case.crash.at = ended
    elif step.by_swarm:
        _swarm_deed(step, "started")
    elif _dark(step):
        case.deed = step.write("started while its engine could not be reached")
    elif draft is not None and end in (End.STOPPED, End.KILLED) and step.follows(draft):
        word = "stopped" if end is End.STOPPED else "killed"
        code = exit_words(life.exit_code)
        step.deed(f"{word}{code} and started again by {{who}}", cause=Cause.RESTARTED, trouble=False)
    else:
        case.deed = None
        case.crash = None
        life.calmed()
        step.deed("started by {who}")


def _dark(step: Step) -> bool:
    """Whether this happened while the engine could not be reached, perhaps as its daemon came back."""
    return step.event.engine in step.desk.dark


def _on_restart(step: Step) -> None:
    step.life.end = End.NONE
    step.life.calmed()
    step.case.crash = None
    code = exit_words(step.life.exit_code)
    step.deed(f"restarted by {{who}}{code}", cause=Cause.RESTARTED, trouble=False)


def _on_create(step: Step) -> None:
    image = short_image(step.event.attributes.get("image", ""))
    what = f"created from {image}" if image else "created"
    if step.by_swarm:
        fields = {"cause": Cause.SWARM, "actor": "the swarm", "attribution": Attribution.DERIVED}
        step.case.deed = step.write(f"{what} by the swarm", **fields)
        return
    step.case.deed = None
    step.deed(what)


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
    elif crash is not None and life.end in (End.EXITED, End.MEMORY) and _removed_itself(step, crash):
        step.amend(crash, what=f"{crash.record.what}, then removed")
    elif step.by_swarm:
        case.deed = None
        fields = {"cause": Cause.SWARM, "actor": "the swarm", "attribution": Attribution.DERIVED}
        case.deed = step.write("its old container was removed by the swarm", **fields)
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
        step.write(f"renamed from {old}" if old else "renamed", **attributed(intent))


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
        trouble=status == "unhealthy",
    )


def _on_exec(step: Step) -> None:
    container, command = step.container, step.event.argument
    if container is None or container.detail is None:
        if container is None or container.health is not Health.NONE:
            if len(step.case.held) < 32:
                step.case.held.append(step.event)
            return
    elif is_health_check(command, container.detail.health_check):
        return
    draft = step.case.execs.get(command)
    if draft is not None and step.at - draft.at <= EXEC_FOLD:
        first = draft.record.first or draft.record.time
        step.amend(draft, count=draft.record.count + 1, first=first, time=step.event.time)
        return
    if len(step.case.execs) >= 64:
        step.case.execs.clear()
    intent = step.intent()
    step.case.execs[command] = step.write(f"exec “{redact_text(command)}”", **attributed(intent))


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
    "pause": _on_pause,
    "unpause": _on_pause,
    "rename": _on_rename,
    "update": _on_update,
    "health_status": _on_health,
    "exec_create": _on_exec,
}


# -- words -------------------------------------------------------------------------------------------------------------


def exit_words(code: int | None) -> str:
    """` (exit 143)`, or nothing where the code is not known."""
    return "" if code is None else f" (exit {code})"


def code_words(code: int | None) -> str:
    """`exited 1`; `exited` where the code is not known."""
    return "exited" if code is None else f"exited {code}"


def alone(life: Life, end: End | None = None) -> str:
    """How a container ended that nobody asked to."""
    if (end or life.end) is End.MEMORY:
        if life.exit_code in (137, None):
            return f"killed for memory{exit_words(life.exit_code)}"
        return f"ran out of memory and {code_words(life.exit_code)}"
    return f"{code_words(life.exit_code)} by itself"


def _comma_exit(code: int | None) -> str:
    return "" if code is None else f", exit {code}"


def _distinct(signals: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(signals))


# -- what the sequences are told by ------------------------------------------------------------------------------------


def _asked(life: Life, at: datetime) -> bool:
    """Whether this end comes of a signal somebody sent."""
    if not life.signals or life.signalled_at is None:
        return False
    longest = LONG_STOP if FATAL.intersection(life.signals) else QUICK_END
    return at - life.signalled_at <= longest


def _labelled(container: Container | None) -> bool:
    """A label named `exitCode` overwrites the engine's word in its events (seen on 20.10)."""
    return container is not None and "exitCode" in container.labels


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.removeprefix("-").isdigit() and len(text) < 7 else None


def _has_policy(container: Container | None) -> bool:
    return container is not None and container.detail is not None and container.detail.restart_policy not in ("", "no")


def _by_policy(step: Step, ended: datetime) -> bool:
    """Whether the engine started it again by itself, as far as the policy and the pause allow to say."""
    container, life = step.container, step.life
    if step.at - ended > POLICY_PAUSE:
        return False
    if container is None or container.detail is None or not container.detail.restart_policy:
        return not step.by_swarm
    policy = container.detail.restart_policy
    return policy in ("always", "unless-stopped") or (policy == "on-failure" and life.exit_code != 0)


def is_health_check(command: str, check: tuple[str, ...]) -> bool:
    """Whether an exec's command (the engine joins its words by spaces) is the container's own health check."""
    if not check or check[0] == "NONE":
        return False
    spoken = " ".join(command.split())
    if check[0] == "CMD-SHELL":
        # The shell in front is the image's SHELL, `/bin/sh -c` by default, `cmd /S /C` on Windows.
        return spoken.endswith(" ".join(" ".join(check[1:]).split()))
    words = check[1:] if check[0] == "CMD" else check
    return spoken == " ".join(" ".join(words).split())
