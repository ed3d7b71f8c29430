"""From the engine's events to records a person can read: what happened to a container, and by whose doing.

An event holds no person and no reason; the cause is read from the order of events (seen on dockerd 20.10, moby:
daemon/{stop,kill,restart,delete,monitor}.go)::

    stop     kill(15) [kill(9)] die stop          restart  kill… die stop start restart
    kill     kill die                             rm -f    kill die destroy
    crash    die start (its restart policy)       memory   oom die(137)
    stopping one that waits for its restart       stop alone, after the die

Podman 4.3 (seen) says less, and in another order::

    restart  restart die init start               crash    die restart init start (its restart policy)
    stop     die cleanup                          kill     kill die cleanup
    exit     die cleanup (where no policy brings it back)

So its `restart` just after a `die` that nobody asked for is the policy's, any other somebody's. A `cleanup` where the
policy would have brought it back means that somebody stopped it; where it would not, nothing tells a stop from an exit.

A record is written with the first event of such a sequence and amended (same id) by the ones that follow, so nothing
waits. What is not known stays `someone` and `unknown`.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from ..model import Cause, Container, ContainerDetail, ContainerKey, ContainerState, EngineEvent, Record, Told
from ..words import clock_time, ordinal
from .desk import Case, Desk, Outside, Step
from .endings import QUICK_END, alone, exit_words
from .history import End, Life, Lives
from .intents import Intents
from .sequences import HANDLERS, MEMORY_NEAR, tell_exec

__all__ = ("Chronicle", "Outside", "told")

MAY_BE_NOISE = frozenset(("exec_create",))
"""Those of health checks are left out: nine of ten events of a container that has one."""


class Chronicle:
    """Folds the events of containers into records, and keeps their lives."""

    def __init__(self, outside: Outside, intents: Intents, lives: Lives) -> None:
        self.lives = lives
        self.desk = Desk(outside, intents, lives)
        self._outside = outside
        self._cases: dict[ContainerKey, Case] = {}

    def fold(self, event: EngineEvent) -> None:
        """Take in one event of a container."""
        handler = HANDLERS.get(event.action)
        if handler is None or not event.id:
            return
        key = ContainerKey(event.engine, event.id)
        case = self._cases.get(key)
        if case is None:
            case = self._cases[key] = Case()
        if event.action != "die" and "exitCode" in event.attributes:
            case.forged = True
        if event.action == "destroy":
            self._tell_held(key, case)
        step = self._step(event, key, case)
        with self.desk.hearing(event) as told:
            handler(step)
            if not told() and event.action not in MAY_BE_NOISE:
                _keep(step)
        if event.action == "destroy":
            self._cases.pop(key, None)  # nothing follows

    def _step(self, event: EngineEvent, key: ContainerKey, case: Case) -> Step:
        return Step(self.desk, event, key, case, self.lives.of(key), self._outside.ours(event.engine, event.time))

    def _tell_held(self, key: ContainerKey, case: Case) -> None:
        """It goes before it was inspected: whether its execs were its health check is not known, so they are told."""
        held, case.held = case.held, []
        for event in held:
            with self.desk.hearing(event):
                tell_exec(self._step(event, key, case))

    def observe(self, container: Container) -> None:
        """An inspect told more: amend what was written from events alone."""
        detail = container.detail
        if detail is None:
            return
        life = self.lives.get(container.key)
        if detail.restart_count:
            life = life or self.lives.of(container.key)
        if detail.restart_count is not None and life is not None:
            life.saw_restart_count(detail.restart_count, self._outside.now())
        case = self._cases.get(container.key)
        if case is None or life is None:
            return
        self._true_exit(container, detail, case, life)
        self._settle_execs(case)
        self._settle_update(container, case)

    def swarm_service_changed(self, service_id: str, at: datetime) -> None:
        """Somebody changed a swarm service: what its tasks do next is the swarm's doing."""
        self.desk.swarm_changes[service_id] = at

    def engine_dark(self, engine: str, dark: bool) -> None:
        """Whether the engine's next events are from a time in which it could not be reached."""
        if dark:
            self.desk.dark.add(engine)
        else:
            self.desk.dark.discard(engine)

    def engine_moved(self, old: str, new: str) -> None:
        """The engine goes on under another name: what comes late comes under that."""
        if old in self.desk.dark:
            self.engine_dark(old, False)
            self.engine_dark(new, True)

    def engine_lost(self, engine: str, at: datetime) -> list[ContainerKey]:
        """The way to the engine broke: stops just before it may be the daemon's own, as it shut down.

        Returns the containers of which that is now told.
        """
        told: list[ContainerKey] = []
        for key, case in self._cases.items():
            life = self.lives.get(key)
            if key.engine != engine or life is None or life.end is not End.STOPPED or life.by_own:
                continue
            if life.ended_at is None or at - life.ended_at > QUICK_END or case.deed is None:
                continue
            life.end = End.ENGINE
            what = f"stopped{exit_words(life.exit_code)} just before the way to its engine was lost"
            self.desk.amend(case.deed, case.deed.at, what=what, cause=Cause.UNKNOWN, trouble=True)
            told.append(key)
        return told

    def engine_stayed(self, engine: str) -> list[ContainerKey]:
        """The daemon was there all the time that we could not reach it: stops meanwhile were somebody's.

        Returns the containers of which that is now told.
        """
        told = [k for k in self.lives if k.engine == engine and (life := self.lives.get(k)) and life.end is End.ENGINE]
        for key in told:
            life, case = self.lives.of(key), self._cases.get(key)
            if not life.stop_seen:
                continue
            life.end = End.STOPPED
            if case is not None and case.deed is not None:
                what = f"stopped by someone{exit_words(life.exit_code)}"
                self.desk.amend(case.deed, case.deed.at, what=what, cause=Cause.STOPPED, trouble=False)
        return told

    def gone(self, key: ContainerKey) -> None:
        """The container is no longer there."""
        case = self._cases.pop(key, None)
        if case is not None:
            self._tell_held(key, case)
        self.lives.ended(key)

    def move(self, old: ContainerKey, new: ContainerKey) -> None:
        """The same container is now known under another engine's name."""
        if old in self._cases:
            self._cases[new] = self._cases.pop(old)
        self.lives.move(old, new)

    def take(self) -> tuple[Told, ...]:
        """What was written or amended since last asked: once for each event that did so, in their order."""
        return self.desk.take()

    # -- inspects

    def _true_exit(self, container: Container, detail: ContainerDetail, case: Case, life: Life) -> None:
        finished = detail.finished_at
        if finished is None or life.ended_at is None or container.state is ContainerState.RUNNING:
            return
        if abs(self._outside.ours(container.engine, finished) - life.ended_at) > MEMORY_NEAR:
            return  # that is another end than the one we saw
        memory = bool(detail.oom_killed) and life.end is End.EXITED
        if detail.exit_code == life.exit_code and not memory:
            return
        old, life.exit_code = life.exit_code, detail.exit_code
        if memory:
            life.end = End.MEMORY
        if life.end in (End.EXITED, End.MEMORY):
            self._amend_crash(case, life)
        elif case.deed is not None:
            what = _with_exit(case.deed.record.what, old, life.exit_code)
            self.desk.amend(case.deed, case.deed.at, what=what, exit_code=life.exit_code)

    def _amend_crash(self, case: Case, life: Life) -> None:
        if case.crash is None:
            return
        memory = life.end is End.MEMORY
        _, comma, rest = case.crash.record.what.partition(", ")
        fields: dict[str, Any] = {"what": f"{alone(life)}{comma}{rest}", "exit_code": life.exit_code}
        fields["trouble"] = memory or life.exit_code != 0
        if memory:
            fields |= {"cause": Cause.OUT_OF_MEMORY, "actor": "the kernel"}
        self.desk.amend(case.crash, case.crash.at, **fields)

    def _settle_execs(self, case: Case) -> None:
        held, case.held = case.held, []
        for event in held:
            self.fold(event)

    def _settle_update(self, container: Container, case: Case) -> None:
        if case.updated is None:
            return
        draft, before = case.updated
        words = _differences(before, container)
        if words:
            case.updated = None
            self.desk.amend(draft, draft.at, what=f"changed by {draft.record.actor or 'someone'}: {words}")


def _keep(step: Step) -> None:
    """An event that says nothing new belongs to the record before it; none is lost."""
    if step.case.last is not None:
        step.desk.add(step.case.last)
    else:
        step.write(f"{step.event.action} {step.event.argument}".strip())


def told(record: Record, now: datetime, zone: tzinfo | None = None) -> str:
    """What a record says, with how often and since when where it stands for several (`zone` None: this machine's)."""
    if record.count <= 1 or record.first is None:
        return record.what
    times = f"({ordinal(record.count)} since {clock_time(record.first, now, zone)})"
    head, comma, rest = record.what.partition(", ")
    return f"{head} {times}{comma}{rest}"


def _with_exit(what: str, old: int | None, new: int | None) -> str:
    """The same words with another exit code."""
    if new is None:
        return what
    if old is not None:
        return what.replace(f"exit {old})", f"exit {new})", 1)
    return f"{what[:-1]}, exit {new})" if what.endswith(")") else f"{what}{exit_words(new)}"


def _differences(before: Container, after: Container) -> str:
    """What an `update` changed, as far as an inspect tells."""
    old, new = before.detail, after.detail
    if old is None or new is None:
        return ""
    words = []
    if old.memory_limit != new.memory_limit:
        words.append(f"memory limit {_size(old.memory_limit)} → {_size(new.memory_limit)}")
    if (old.restart_policy, old.restart_retries) != (new.restart_policy, new.restart_retries):
        words.append(f"restart policy {_policy(old)} → {_policy(new)}")
    return ", ".join(words)


def _policy(detail: ContainerDetail) -> str:
    retries = f":{detail.restart_retries}" if detail.restart_retries else ""
    return (detail.restart_policy or "no") + retries


def _size(count: int | None) -> str:
    if not count:
        return "none"
    for unit, letter in ((1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")):
        if count >= unit:
            return f"{count / unit:.3g}{letter}"
    return f"{count}"
