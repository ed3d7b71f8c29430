"""Where records of containers are written and amended, and what is open about each container meanwhile."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from ..model import (
    Attribution,
    Cause,
    Container,
    ContainerKey,
    EngineEvent,
    ExecSeen,
    Record,
    RecordKind,
    ServiceKey,
    Told,
)
from . import provenance
from .declared import Declaring
from .history import Life, Lives
from .intents import Intent, Intents

FOLLOWS = timedelta(seconds=10)
"""A `destroy` or `start` this soon after an end belongs to the same deed."""
LONG_STOP = timedelta(minutes=15)
"""How long a container may take to end after it was asked to."""
REPEATED = 2_000
"""Records kept to tell others like them by."""
KEPT_DRAFTS = 2_000
"""Records of which more may become known from elsewhere: who was logged in, the digest of the image."""
SWARM_DEED = timedelta(seconds=90)
"""Tasks that end or begin this soon after their service was changed did so for that."""


class Owner(msgspec.Struct):
    """The service an event's object is of."""

    key: ServiceKey | None = None
    name: str = ""


class Draft(msgspec.Struct):
    """The newest record of a container, that following events may amend."""

    record: Record
    at: datetime
    """Of the newest event in it, on our clock."""


class Case(msgspec.Struct):
    """What is open about one container."""

    deed: Draft | None = None
    """The sequence that is under way."""
    crash: Draft | None = None
    restarting: bool = False
    """Podman said `restart`, and has not started it again yet."""
    fresh: bool = False
    """It was made, and has not been started yet."""
    birth: tuple[Draft, Container] | None = None
    """Of one that was made in place of another: its record, and that other as last read."""
    execs: dict[str, Draft] = msgspec.field(default_factory=dict)
    by_exec: dict[str, Draft] = msgspec.field(default_factory=dict)
    """Records of execs by the engine's id of the exec."""
    asked: dict[str, ExecSeen] = msgspec.field(default_factory=dict)
    """What the engine said of execs that have no record yet."""
    copied: dict[str, Draft] = msgspec.field(default_factory=dict)
    """Records of files copied into it or out of it."""
    joined: dict[tuple[str, str], datetime] = msgspec.field(default_factory=dict)
    """When it was last connected to or disconnected from a network by somebody."""
    parted: list[EngineEvent] = msgspec.field(default_factory=list)
    """When it was disconnected from a network, until it is known whether it ended just then."""
    held: list[EngineEvent] = msgspec.field(default_factory=list)
    more: Counter[str] = msgspec.field(default_factory=Counter)
    """How often each of the held commands was run again, beyond those held."""
    """Execs that may be its health check: not known before it is inspected."""
    updated: tuple[Draft, Container] | None = None
    forged: bool = False
    """One of its labels is called `exitCode`, and so overwrites the engine's own word."""
    last: Draft | None = None
    """What was written or amended last."""


class Hearing(NamedTuple):
    """The event that is taken in just now."""

    event: EngineEvent
    key: str
    known: Record | None
    """The record it was written into before, where it is one of the past."""


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
        image_before: Callable[[EngineEvent], str],
        key: Callable[[EngineEvent], str],
        recalled: Callable[[str], Record | None],
        predecessor: Callable[[EngineEvent], Container | None] = lambda event: None,
        digests: Callable[[str, str], Sequence[str] | None] = lambda engine, image_id: None,
        cluster: Callable[[str], str] = lambda engine: "",
        declaring: Declaring | None = None,
    ) -> None:
        self.number = number
        self.now = now
        self.ours = ours
        """An engine's time on our clock."""
        self.container = container
        self.owner = owner
        self.image_before = image_before
        """What the newest container of its service was made from, where that is another image than its own."""
        self.key = key
        """What makes an event the same for whoever hears it."""
        self.recalled = recalled
        """The record that an event of the past was written into before, by this key."""
        self.predecessor = predecessor
        """The container that this new one replaces, as last read."""
        self.digests = digests
        """The digests of an image by its id on an engine; None: not known (yet)."""
        self.cluster = cluster
        """The swarm an engine is of."""
        self.declaring = declaring or Declaring()


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
        self._told: dict[tuple[int, str], Told] = {}
        self._hearing: Hearing | None = None
        self._repeated: OrderedDict[tuple[ServiceKey | None, str], Draft] = OrderedDict()
        self._drafts: OrderedDict[int, Draft] = OrderedDict()

    @contextmanager
    def hearing(self, event: EngineEvent) -> Iterator[Callable[[], bool]]:
        """While what is written and amended comes of this event. Yields whether something was told of it yet."""
        before, said = self._hearing, len(self._told)
        key = self.outside.key(event)
        known = self.outside.recalled(key)
        self._hearing = Hearing(event, key, known)
        try:
            yield lambda: known is not None or len(self._told) > said
        finally:
            self._hearing = before

    def write(self, record: Record, at: datetime) -> Draft:
        """Put out a record; where its event is one of the past that was written down before, that record goes on."""
        hearing = self._hearing
        if hearing is not None and hearing.known is not None:
            return Draft(hearing.known, at)
        if not record.key and hearing is not None:
            record = msgspec.structs.replace(record, key=hearing.key)
        return Draft(self._tell(record), at)

    def draft(self, record: Record, at: datetime) -> Draft:
        """Put out a record of which more may become known."""
        draft = self.write(record, at)
        self._drafts[draft.record.id] = draft
        if len(self._drafts) > KEPT_DRAFTS:
            self._drafts.popitem(last=False)
        return draft

    def drafted(self, record: int) -> Draft | None:
        """A record that can still be amended."""
        return self._drafts.get(record)

    def amend(self, draft: Draft, at: datetime, **fields: Any) -> None:
        """More became known of a record. Nothing new where its event is one that was written down before."""
        draft.at = at
        if self._hearing is not None and self._hearing.known is not None:
            draft.record = self._hearing.known
        else:
            draft.record = self._tell(msgspec.structs.replace(draft.record, **fields))

    def add(self, draft: Draft) -> None:
        """The event heard belongs to this record too, and changes nothing about it."""
        self._tell(draft.record)

    def _tell(self, record: Record) -> Record:
        hearing = self._hearing
        which = (record.id, hearing.key if hearing is not None else "")
        self._told.pop(which, None)
        self._told[which] = (
            Told(record=record, event=hearing.event, key=hearing.key) if hearing is not None else Told(record=record)
        )
        return record

    def repeated(self, service: ServiceKey | None, what: str, at: datetime, window: timedelta) -> Draft | None:
        """The record that said the same of the same service not long ago."""
        draft = self._repeated.get((service, what))
        return draft if draft is not None and at - draft.at <= window else None

    def may_repeat(self, draft: Draft) -> None:
        """The like of this record is told by it, too."""
        self._repeated[draft.record.service, draft.record.what] = draft
        if len(self._repeated) > REPEATED:
            self._repeated.popitem(last=False)

    def take(self) -> tuple[Told, ...]:
        """What was written or amended since last asked: once for each event that did so, in their order."""
        told = tuple(self._told.values())
        self._told.clear()
        return told

    def swarm_did_it(self, event: EngineEvent, at: datetime) -> bool:
        """Whether this task's service was changed just before."""
        changed = self.swarm_changes.get(event.attributes.get("com.docker.swarm.service.id", ""))
        return changed is not None and timedelta(seconds=-2) <= at - changed <= SWARM_DEED


class Step(msgspec.Struct):
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

    @property
    def dark(self) -> bool:
        """It happened while the engine could not be reached, perhaps as its daemon went or came back."""
        return self.event.engine in self.desk.dark

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
        container = self.container
        digests = outside.digests(event.engine, container.image_id) if container is not None else None
        made = provenance.of_container(event.attributes.get("image", ""), event.attributes, container, digests or ())
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
            swarm=outside.cluster(event.engine) if self.by_swarm else "",
            **made,
        )
        draft = self.case.last = self.desk.draft(msgspec.structs.replace(record, **fields), self.at)
        return draft

    def amend(self, draft: Draft, **fields: Any) -> None:
        """This event tells more of a record."""
        self.desk.amend(draft, self.at, **fields)
        self.case.last = draft

    def write_folded(self, what: str, window: timedelta, **fields: Any) -> Draft:
        """A record of what a swarm does to a service again and again, with ever new containers: one for all."""
        owner, event = self.desk.outside.owner(self.event), self.event
        draft = self.desk.repeated(owner.key, what, self.at, window)
        if draft is None:
            draft = self.write(what, **fields)
            self.desk.may_repeat(draft)
            return draft
        first = draft.record.first or draft.record.time
        counted = {"count": draft.record.count + 1, "first": first, "time": event.time, "engine": event.engine}
        self.amend(draft, object_id=event.id, object_name=event.name, **(counted | fields))
        return draft

    def deed(self, what: str, **fields: Any) -> Draft:
        """Something somebody did: ours where we said so before, else unknown. Begins or goes on with the open deed."""
        intent = self.intent()
        given, fields = fields, attributed(intent) | fields
        draft = self.case.deed
        if self.dark and intent is None:
            fields["cause"] = Cause.UNKNOWN
        nobody = "someone or its engine" if self.dark else "someone"
        text = what.replace("{who}", intent.actor if intent is not None else nobody)
        if draft is not None and self.follows(draft):
            if intent is None and self._goes_on(draft.record, given):
                text = what.replace("{who}", doer(draft.record))
                for name in ("actor", "attribution", "reason", "evidence", "of"):
                    fields.pop(name, None)
            self.amend(draft, what=text, action=self.event.action, **fields)
        else:
            draft = self.case.deed = self.write(text, **fields)
        self.life.by_own = draft.record.attribution is Attribution.OWN
        self.life.by = draft.record.actor
        return draft

    @staticmethod
    def _goes_on(record: Record, given: Mapping[str, Any]) -> bool:
        """Whether who is known of the deed so far is known of what follows, too."""
        if record.attribution is Attribution.OWN:
            return True
        return record.attribution is Attribution.CORRELATED and "actor" not in given

    def follows(self, draft: Draft) -> bool:
        """Whether this event comes soon enough to belong to that record."""
        waited = LONG_STOP if draft.record.action == "kill" else FOLLOWS
        return self.at - draft.at <= waited


def attributed(intent: Intent | None) -> dict[str, Any]:
    """Who did it, and how that is known, as fields of a record."""
    if intent is None:
        return {"actor": "", "attribution": Attribution.UNKNOWN}
    return {
        "actor": intent.actor,
        "attribution": Attribution.OWN,
        "reason": intent.reason,
        "of": intent.key,
        "evidence": (f"the intent to {intent.verb} was recorded before, and the engine's event fell into the call",),
    }


def doer(record: Record) -> str:
    """Who a record names, in its own words; `someone` where that is not known."""
    named = record.actor and record.attribution not in (Attribution.UNKNOWN, Attribution.CORRELATED)
    return record.actor if named else "someone"
