"""Every record goes through here: into the trail, to its service's shelf, and to what is known of changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import count
from types import MappingProxyType

import msgspec

from ..cause.intents import Intent, Intents
from ..cause.repeats import SWARM_TYPES
from ..clock import Clock
from ..model import Attribution, ContainerKey, GapSeen, Record, RecordKind, ServiceKey, Told
from ..services.changes import Birth, Deeds, Made, creations, history
from ..services.places import OWNED
from ..trail import Trail
from ..trail.memory import CAPACITY
from ..words import age
from .roster import Roster
from .touched import Touched

SHELF = 200
"""Records kept at hand of each service."""
MAKERS = 10_000
SHELVES = 20_000
"""Services, also ones that are gone, whose records and changes are kept at hand."""
KEYS = 2 * CAPACITY
"""Keys of records that are remembered: of all at hand, and of those that left only now."""
PAST_EVENTS = 20_000
"""Keys of events of the past that are remembered."""
NO_EVENTS: Mapping[str, str] = MappingProxyType({})
GONE = 1_000
"""Services that are gone whose containers' births are remembered, to tell a deploy when they come back."""


class RecordBook:
    """Writes records, and finds them again."""

    def __init__(
        self,
        trail: Trail,
        clock: Clock,
        touched: Touched,
        roster: Roster,
        intents: Intents,
        ours: Callable[[str, datetime], datetime],
        instance: str = "",
    ) -> None:
        self.trail = trail
        self.on_told: Callable[[Sequence[Told]], None] | None = None
        """Called with all that is written, where it is also kept for longer."""
        self._instance = instance
        self._by_key: OrderedDict[str, int] = OrderedDict()
        """Records by their keys, those at hand."""
        self._recalled: OrderedDict[str, str] = OrderedDict()
        """Keys of events of the past that are known to be in a record, and that record's key."""
        self._clock = clock
        self._touched = touched
        self._roster = roster
        self._intents = intents
        self._ours = ours
        self._numbers = count(trail.head() + 1)
        self._deeds = Deeds()
        self._makers: OrderedDict[ContainerKey, Record] = OrderedDict()
        """Records of us making a container."""
        self._creations: dict[ServiceKey, tuple[Sequence[Birth], tuple[Made, ...]]] = {}
        """What the births of a service tell, beside them: a deed on one of hundreds changes nothing of it."""
        self._histories: dict[ServiceKey, tuple[Made, ...]] = {}
        self._shelves: OrderedDict[ServiceKey, list[int]] = OrderedDict()
        self._gone: OrderedDict[ServiceKey, None] = OrderedDict()
        self._gaps: dict[tuple[str, datetime], Record] = {}
        """Records of gaps whose end is not known yet."""

    def number(self) -> int:
        """The id of the next record."""
        return next(self._numbers)

    def write(self, told: Sequence[Told]) -> None:
        """Keep these, or put them in the place of those with the same ids. Raises TrailError."""
        if not told:
            return
        if self.on_told is not None:
            self.on_told(told)
        self._keep({one.record.id: one.record for one in told}.values())

    def _write_own(self, record: Record) -> Record:
        """Likewise, a record of our own; as it is kept."""
        if not record.key:
            record = msgspec.structs.replace(record, key=f"{self._instance}-{record.id}")
        self.write((Told(record=record),))
        return record

    def _keep(self, records: Iterable[Record]) -> None:
        batch = tuple(records)
        self.trail.append(batch)
        for record in batch:
            self._by_key[record.key] = record.id
            self._index(record)
        while len(self._by_key) > KEYS:
            self._by_key.popitem(last=False)

    def remember(self, records: Sequence[Record], events: Mapping[str, str] = NO_EVENTS) -> None:
        """Take in what was written before, by this process or another, oldest first. Writes nothing.

        Only what says more than the record at hand takes its place. `events`: which event is in which record, by keys.
        """
        fresh: list[Record] = []
        for record in records:
            at_hand = self.trail.get(self._by_key.get(record.key, 0))
            if at_hand is None:
                fresh.append(msgspec.structs.replace(record, id=self.number()))
            elif _says_more(record, at_hand):
                fresh.append(msgspec.structs.replace(record, id=at_hand.id))
        if fresh:
            self._keep(fresh)
        self._recalled.update(events)
        while len(self._recalled) > PAST_EVENTS:
            self._recalled.popitem(last=False)

    def by_key(self, key: str) -> Record | None:
        """The record at hand of that key."""
        return self.trail.get(self._by_key.get(key, 0))

    def recalled(self, event: str) -> Record | None:
        """The record at hand that this event of the past is in already."""
        key = self._recalled.get(event)
        return self.trail.get(self._by_key.get(key, 0)) if key is not None else None

    def of_service(self, service: ServiceKey, limit: int) -> tuple[Record, ...]:
        """The newest records of a service, newest first."""
        shelf = self._shelves.get(service, ())
        found = [record for number in shelf if (record := self.trail.get(number)) is not None]
        found.sort(key=lambda record: (self._ours(record.engine, record.time), record.id), reverse=True)
        return tuple(found[:limit])

    def find(self, service: ServiceKey | None, engine: str, object_id: str, limit: int) -> tuple[Record, ...]:
        """Records by what they are about, the last written first."""
        if service is not None and not engine and not object_id and limit <= SHELF:
            return self.of_service(service, limit)

        def wanted(record: Record) -> bool:
            return (
                (service is None or record.service == service)
                and (not engine or record.engine == engine)
                and (not object_id or record.object_id == object_id)
            )

        return tuple(self.trail.newest(limit, wanted=wanted))

    # -- changes of services

    def history(self, service: ServiceKey) -> tuple[Made, ...]:
        """What somebody changed on a service, oldest first."""
        known = self._histories.get(service)
        if known is None:
            births = self._roster.births(service)
            told = self._creations.get(service)
            if told is None or told[0] != births:
                told = births, creations(births, self._makers, owned=service.source in OWNED)
                self._creations[service] = told
            deeds = self._deeds.of(service)
            known = self._histories[service] = history(told[1], deeds, partial(self._roster.born, service))
            self._gone.pop(service, None)
        return known

    def history_changed(self, services: Iterable[ServiceKey]) -> None:
        """Containers of these came, or are others than before."""
        for service in services:
            self._histories.pop(service, None)

    def forget(self, service: ServiceKey) -> None:
        """The service is gone; for a while it is remembered, since it may come back."""
        self._creations.pop(service, None)
        self._histories.pop(service, None)
        self._gone[service] = None
        self._gone.move_to_end(service)
        if len(self._gone) > GONE:
            self._roster.forget(self._gone.popitem(last=False)[0])

    # -- records of our own

    def note(self, what: str, *, engine: str, trouble: bool) -> Record:
        """Something we saw ourselves; of a host, where `engine` names one."""
        now = self._clock.now()
        record = Record(
            id=self.number(),
            time=now,
            seen=now,
            engine=engine,
            kind=RecordKind.NOTE,
            what=what,
            object_type="host" if engine else "",
            object_id=engine,
            object_name=engine,
            actor="fleettop",
            attribution=Attribution.DERIVED,
            trouble=trouble,
        )
        return self._write_own(record)

    def own(self, kind: RecordKind, what: str, *, key: str, actor: str, object_name: str, trouble: bool) -> Record:
        """Something about fleettop itself."""
        now = self._clock.now()
        return self._write_own(
            Record(
                id=self.number(),
                key=key,
                time=now,
                seen=now,
                engine="",
                kind=kind,
                what=what,
                object_type="fleettop",
                object_name=object_name,
                action=str(kind),
                actor=actor,
                attribution=Attribution.OWN,
                trouble=trouble,
            )
        )

    def write_found(self, make: Callable[..., Record], found: object, key: str) -> Record:
        """Something found out by looking at many records; written again, the same record says more."""
        known = self.by_key(key)
        number = self.number() if known is None else known.id
        return self._write_own(make(found, number=number, now=self._clock.now()))

    def take_up(self, key: str, end: datetime | None) -> Record | None:
        """An intent that was written down before: the engine's events of it are known to be of it."""
        record = self.trail.get(self._by_key.get(key, 0))
        if record is None or record.kind is not RecordKind.INTENT:
            return None
        if self._intents.get(record.id) is None:
            self._intents.add(_intent_of(record))
        if end is not None:
            self._intents.close(record.id, end)
        return record

    def gap(self, seen: GapSeen, engine: str) -> None:
        """Nothing is known of a span; told again with its end, the same record says more."""
        known = self._gaps.pop((engine, seen.begin), None)
        complete = seen.end is not None and seen.end <= seen.begin
        record = Record(
            id=self.number() if known is None else known.id,
            key="" if known is None else known.key,
            time=seen.begin,
            seen=self._clock.now(),
            engine=engine,
            kind=RecordKind.GAP,
            what=_gap_words(seen, complete=complete),
            object_type="host",
            object_id=engine,
            object_name=engine,
            action="gap",
            actor="gap, certain" if seen.certain else "gap, possible",
            attribution=Attribution.DERIVED,
            reason="; ".join(seen.differences),
            trouble=seen.certain and not complete,
            until=seen.end,
            certain=seen.certain and not complete,
        )
        record = self._write_own(record)
        if seen.end is None:
            self._gaps[engine, seen.begin] = record

    def before_our_time(self, engine: str, since: datetime) -> None:
        """Nobody watched this engine before."""
        self._write_own(
            Record(
                id=self.number(),
                time=since,
                seen=self._clock.now(),
                engine=engine,
                kind=RecordKind.GAP,
                what="nothing known of what was before: it had not been watched",
                object_type="host",
                object_id=engine,
                object_name=engine,
                action="gap",
                actor="gap, certain",
                attribution=Attribution.DERIVED,
                until=since,
                certain=True,
            )
        )

    def move_gaps(self, old: str, new: str) -> None:
        """The engine goes on under another name: the end of its gaps is told under that."""
        for engine, begin in tuple(self._gaps):
            if engine == old:
                self._gaps[new, begin] = self._gaps.pop((engine, begin))

    def intent(
        self,
        verb: str,
        *,
        engine: str,
        object_type: str,
        object_id: str,
        object_name: str,
        service: ServiceKey | None,
        service_name: str,
        actor: str,
        reason: str,
        what: str,
    ) -> Record:
        """What we are about to do."""
        now = self._clock.now()
        record = Record(
            id=self.number(),
            time=now,
            seen=now,
            engine=engine,
            kind=RecordKind.INTENT,
            what=what or f"about to {verb} it",
            object_type=object_type,
            object_id=object_id,
            object_name=object_name,
            service=service,
            service_name=service_name,
            action=verb,
            actor=actor,
            attribution=Attribution.OWN,
            reason=reason,
        )
        record = self._write_own(record)  # first: what cannot be recorded is not done
        self._intents.add(_intent_of(record))
        return record

    def outcome(self, intent: Record, outcome: str, words: str, *, last: bool = True) -> Record:
        """What came of it, as far as it is known."""
        now = self._clock.now()
        if last:
            self._intents.close(intent.id, now)
        record: Record = msgspec.structs.replace(
            intent,
            id=self.number(),
            key="",
            of=intent.key,
            time=now,
            seen=now,
            kind=RecordKind.OUTCOME,
            what=f"{intent.action}: {outcome}" + (f", {words}" if words else ""),
            trouble=outcome in ("failure", "refused", "unknown"),
        )
        return self._write_own(record)

    # -- finding again

    def _index(self, record: Record) -> None:
        self._touched.records[record.id] = record
        service = record.service
        if _makes(record):
            self._makers[ContainerKey(record.engine, record.object_id)] = record
            if len(self._makers) > MAKERS:
                self._makers.popitem(last=False)
        if service is None:
            return
        shelf = self._shelves.get(service)
        if shelf is None:
            shelf = self._shelves[service] = []
            if len(self._shelves) > SHELVES:
                self._deeds.forget(self._shelves.popitem(last=False)[0])
        if record.id not in shelf:
            shelf.append(record.id)
            del shelf[:-SHELF]
            self._shelves.move_to_end(service)
        at = self._ours(record.engine, record.time)
        makes = _makes(record)
        if makes:
            self._creations.pop(service, None)
        if self._deeds.note(record, at) or makes:
            self._histories.pop(service, None)
            self._touched.rebuild.add(service)

    @property
    def makers(self) -> Mapping[ContainerKey, Record]:
        """Records of us making containers."""
        return self._makers


_RANK = {kind: rank for rank, kind in enumerate(reversed(Attribution))}
"""What is known best has the greatest."""


def _says_more(one: Record, other: Record) -> bool:
    """Whether one version of a record knows more than another: of who did it, else of what came later."""
    return _knowledge(one) > _knowledge(other)


def _knowledge(record: Record) -> tuple[int, int, bool, datetime]:
    return _RANK[record.attribution], record.count, record.until is not None, record.time


def _intent_of(record: Record) -> Intent:
    return Intent(
        record=record.id,
        key=record.key,
        verb=record.action,
        engine="" if record.object_type in SWARM_TYPES else record.engine,
        object_id=record.object_id,
        object_name=record.object_name,
        actor=record.actor,
        reason=record.reason,
        begin=record.time,
    )


def _makes(record: Record) -> bool:
    """Whether a record tells of us making a container."""
    made = record.action == "create" or record.what.startswith("started from")
    return made and record.attribution is Attribution.OWN and record.object_type == "container"


def _gap_words(seen: GapSeen, *, complete: bool) -> str:
    if seen.end is None:
        return f"nothing known from here on: {seen.cause}"
    if complete:
        return f"nothing missed: {seen.cause}"
    span = age((seen.end - seen.begin).total_seconds())
    return f"{'nothing known' if seen.certain else 'perhaps not everything known'} for {span}: {seen.cause}"
