"""Every record goes through here: into the trail, to its service's shelf, and to what is known of changes."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import count

import msgspec

from ..cause.intents import Intent, Intents
from ..cause.repeats import SWARM_TYPES
from ..clock import Clock
from ..model import Attribution, ContainerKey, GapSeen, Record, RecordKind, ServiceKey
from ..services.changes import Deeds, Made, creations, history
from ..services.places import OWNED
from ..trail import Trail
from ..words import age
from .roster import Roster
from .touched import Touched

SHELF = 200
"""Records kept at hand of each service."""
MAKERS = 10_000
SHELVES = 20_000
"""Services, also ones that are gone, whose records and changes are kept at hand."""
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
    ) -> None:
        self.trail = trail
        self._clock = clock
        self._touched = touched
        self._roster = roster
        self._intents = intents
        self._ours = ours
        self._numbers = count(trail.head() + 1)
        self._deeds = Deeds()
        self._makers: OrderedDict[ContainerKey, Record] = OrderedDict()
        """Records of us making a container."""
        self._histories: dict[ServiceKey, tuple[Made, ...]] = {}
        self._shelves: OrderedDict[ServiceKey, deque[int]] = OrderedDict()
        self._gone: OrderedDict[ServiceKey, None] = OrderedDict()
        self._gaps: dict[tuple[str, datetime], int] = {}
        """Records of gaps whose end is not known yet."""

    def number(self) -> int:
        """The id of the next record."""
        return next(self._numbers)

    def write(self, records: Iterable[Record]) -> None:
        """Keep these, or put them in the place of those with the same ids. Raises TrailError."""
        batch = tuple(records)
        if not batch:
            return
        self.trail.append(batch)
        for record in batch:
            self._index(record)

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
            made = creations(births, self._makers, owned=service.source in OWNED)
            born = {birth.key: birth.created for birth in births}
            known = self._histories[service] = history(made, self._deeds.of(service), born)
            self._gone.pop(service, None)
        return known

    def history_changed(self, services: Iterable[ServiceKey]) -> None:
        """Containers of these came, or are others than before."""
        for service in services:
            self._histories.pop(service, None)

    def forget(self, service: ServiceKey) -> None:
        """The service is gone; for a while it is remembered, since it may come back."""
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
        self.write((record,))
        return record

    def gap(self, seen: GapSeen, engine: str) -> None:
        """Nothing is known of a span; told again with its end, the same record says more."""
        known = self._gaps.pop((engine, seen.begin), None)
        complete = seen.end is not None and seen.end <= seen.begin
        record = Record(
            id=self.number() if known is None else known,
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
        )
        if seen.end is None:
            self._gaps[engine, seen.begin] = record.id
        self.write((record,))

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
        self.write((record,))  # first: what cannot be recorded is not done
        self._intents.add(
            Intent(
                record=record.id,
                verb=verb,
                engine="" if object_type in SWARM_TYPES else engine,
                object_id=object_id,
                object_name=object_name,
                actor=actor,
                reason=reason,
                begin=now,
            )
        )
        return record

    def outcome(self, intent: Record, outcome: str, words: str, *, last: bool = True) -> Record:
        """What came of it, as far as it is known."""
        now = self._clock.now()
        if last:
            self._intents.close(intent.id, now)
        record: Record = msgspec.structs.replace(
            intent,
            id=self.number(),
            time=now,
            seen=now,
            kind=RecordKind.OUTCOME,
            what=f"{intent.action}: {outcome}" + (f", {words}" if words else ""),
            trouble=outcome in ("failure", "refused", "unknown"),
        )
        self.write((record,))
        return record

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
            shelf = self._shelves[service] = deque(maxlen=SHELF)
            if len(self._shelves) > SHELVES:
                self._deeds.forget(self._shelves.popitem(last=False)[0])
        if record.id not in shelf:
            shelf.append(record.id)
            self._shelves.move_to_end(service)
        at = self._ours(record.engine, record.time)
        if self._deeds.note(record, at) or _makes(record):
            self._histories.pop(service, None)
            self._touched.rebuild.add(service)

    @property
    def makers(self) -> Mapping[ContainerKey, Record]:
        """Records of us making containers."""
        return self._makers


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
