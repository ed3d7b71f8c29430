"""From the engine's events to records a person can read: what happened to a container, and by whose doing.

An event holds no person and no reason; the cause is read from the order of events (seen on dockerd 20.10, moby:
daemon/{stop,kill,restart,delete,monitor}.go)::

    stop     kill(15) [kill(9)] die stop          restart  kill… die stop start restart
    kill     kill die                             rm -f    kill die destroy
    crash    die start (its restart policy)       memory   oom die(137)
    stopping one that waits for its restart       stop alone, after the die

From Docker 23 on (seen on 26.1) `stop` and `die` come in either order.

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

from collections import OrderedDict
from datetime import datetime, tzinfo
from typing import Any

from ..model import (
    Attribution,
    Cause,
    Container,
    ContainerDetail,
    ContainerKey,
    ContainerState,
    EngineEvent,
    ExecSeen,
    ImageSeen,
    Record,
    Told,
)
from ..words import clock_time, ordinal, short_id, short_image
from .comparison import recreate_words, update_words
from .desk import Case, Desk, Draft, Outside, Step, doer
from .endings import AT_ONCE, QUICK_END, alone, exit_words
from .history import End, Life, Lives
from .inside import exec_seen, in_the_engines_word, settle_more, tell_exec
from .intents import Intents
from .joining import ALIVE, ENDS, RUNS, joined_container, on_join
from .noise import NOISE
from .provenance import digest
from .sequences import HANDLERS, MEMORY_NEAR

__all__ = ("Chronicle", "Outside", "told")

PARTING = 256
"""Containers that are no longer there by an inspect or a list, and whose last event may still come."""
UNDIGESTED = 64
"""Records of one image that wait for its digest."""


class Chronicle:
    """Folds the events of containers into records, and keeps their lives."""

    def __init__(self, outside: Outside, intents: Intents, lives: Lives) -> None:
        self.lives = lives
        self.desk = Desk(outside, intents, lives)
        self._outside = outside
        self._cases: dict[ContainerKey, Case] = {}
        self._parting: OrderedDict[ContainerKey, None] = OrderedDict()
        self._undigested: dict[tuple[str, str], list[Draft]] = {}
        """Records that have but the id of their image, by engine and that."""

    def fold(self, event: EngineEvent) -> None:
        """Take in one event of a container."""
        handler = HANDLERS.get(event.action, in_the_engines_word)
        if not event.id or ((event.type, event.action) in NOISE and event.action not in HANDLERS):
            return
        key = ContainerKey(event.engine, event.id)
        case = self._cases.get(key)
        if case is None:
            case = self._cases[key] = Case()
        if event.action != "die" and "exitCode" in event.attributes:
            case.forged = True
        if event.action in ENDS:
            self._tell_parted(key, case, ended=self._outside.ours(event.engine, event.time))
        elif event.action in ALIVE:
            self._tell_parted(key, case)
        if event.action == "destroy":
            self._tell_held(key, case)
        step = self._step(event, key, case)
        with self.desk.hearing(event) as told:
            handler(step)
            if not told() and (event.type, event.action) not in NOISE:
                _keep(step)
        if event.action == "create" and (container := self._outside.container(key)) is not None:
            self.observe(container)  # a list was quicker than the event
        if event.action == "destroy":
            self._cases.pop(key, None)  # nothing follows
            self._parting.pop(key, None)

    def _step(self, event: EngineEvent, key: ContainerKey, case: Case) -> Step:
        return Step(self.desk, event, key, case, self.lives.of(key), self._outside.ours(event.engine, event.time))

    def _tell_parted(self, key: ContainerKey, case: Case, ended: datetime | None = None) -> None:
        """What it was disconnected from is told, less what was its end."""
        parted, case.parted = case.parted, []
        for event in parted:
            if ended is None or ended - self._outside.ours(event.engine, event.time) > AT_ONCE:
                self._join(event, settled=True)

    def _tell_held(self, key: ContainerKey, case: Case) -> None:
        """It goes before it was inspected: whether its execs were its health check is not known, so they are told."""
        held, case.held = case.held, []
        for event in held:
            with self.desk.hearing(event):
                if event.argument:  # Podman's have none, and most are the check
                    tell_exec(self._step(event, key, case))
        settle_more(self.desk, case)

    def observe(self, container: Container) -> None:
        """An inspect told more: amend what was written from events alone."""
        self._parting.pop(container.key, None)
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
        if container.state in RUNS and not any(event.name in container.networks for event in case.parted):
            self._tell_parted(container.key, case)
        self._settle_execs(case)
        self._settle_update(container, case)
        self._settle_birth(container, case)
        self._settle_image(container, case)

    def exec_seen(self, seen: ExecSeen) -> None:
        """The engine told more of an exec."""
        key = ContainerKey(seen.engine, seen.container)
        case = self._cases.get(key)
        if case is not None:
            exec_seen(self.desk, case, seen, self._outside.container(key))

    def image_seen(self, seen: ImageSeen) -> None:
        """The digests of an image are known: records that only had its id say more."""
        for draft in self._undigested.pop((seen.engine, seen.id), ()):
            found = digest(draft.record.image, seen.id, seen.digests)
            if draft.record.digest != found:
                self.desk.amend(draft, draft.at, digest=found)

    def joined(self, event: EngineEvent) -> bool:
        """Take in a network's event; True: it was somebody's deed on a running container, and is told."""
        found = joined_container(event)
        if found is not None and event.action == "connect":
            key = ContainerKey(found.engine, found.id)
            self._tell_parted(key, self._cases.setdefault(key, Case()))
        return self._join(event)

    def _join(self, event: EngineEvent, *, settled: bool = False) -> bool:
        found = joined_container(event)
        if found is None:
            return False
        key = ContainerKey(found.engine, found.id)
        case = self._cases.setdefault(key, Case())
        at = self._outside.ours(event.engine, event.time)
        step = Step(self.desk, found, key, case, self.lives.of(key), at)
        with self.desk.hearing(event) as told:
            deed = on_join(step, event, settled=settled)
            if deed and not told():
                _keep(step)
        return deed

    def correlated(self, record: int, evidence: tuple[str, ...], *, one: bool) -> None:
        """Who was logged in on the host when that was done. It stays unknown who it was."""
        draft = self.desk.drafted(record)
        if draft is None or draft.record.attribution is not Attribution.UNKNOWN:
            return
        fields: dict[str, Any] = {"evidence": (*draft.record.evidence, *evidence)}
        if one:
            fields |= {"attribution": Attribution.CORRELATED, "actor": "unknown"}
        self.desk.amend(draft, draft.at, **fields)

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
        """The container is no longer there. An inspect may say so before the event of its removal is heard."""
        case = self._cases.get(key)
        if case is not None:
            self._tell_held(key, case)
            self._parting[key] = None
            if len(self._parting) > PARTING:
                self._cases.pop(self._parting.popitem(last=False)[0], None)
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
        memory = detail.ended_for_memory and life.end is End.EXITED
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
        settle_more(self.desk, case)

    def _settle_update(self, container: Container, case: Case) -> None:
        if case.updated is None:
            return
        draft, before = case.updated
        words = update_words(before, container)
        if words:
            case.updated = None
            evidence = (*draft.record.evidence, "its inspects before and after compared")
            self.desk.amend(draft, draft.at, what=f"changed by {doer(draft.record)}: {words}", evidence=evidence)

    def _settle_birth(self, container: Container, case: Case) -> None:
        if case.birth is None:
            return
        (draft, replaced), case.birth = case.birth, None
        begun, _, rest = draft.record.what.partition(" ")
        if not rest.startswith("from "):
            return  # it has gone again meanwhile
        words = recreate_words(replaced, container)
        told = f"recreated: {words}" if words else "recreated with the same configuration"
        evidence = (*draft.record.evidence, f"compared with the inspect of {short_id(replaced.id)}, which it replaces")
        what = f"{begun} from {short_image(container.image)}, {told}"
        self.desk.amend(draft, draft.at, what=what, evidence=evidence)

    def _settle_image(self, container: Container, case: Case) -> None:
        """Its making is told before it could be read, so without its image's digest."""
        for draft in (case.deed, case.crash):
            if draft is None or draft.record.object_id != container.id:
                continue
            digests = self._outside.digests(container.engine, container.image_id)
            found = digest(container.image, container.image_id, digests or ())
            if digests is None and found == container.image_id:
                waiting = self._undigested.setdefault((container.engine, container.image_id), [])
                if draft not in waiting and len(waiting) < UNDIGESTED:
                    waiting.append(draft)
            if draft.record.digest != found:
                self.desk.amend(draft, draft.at, digest=found)


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
