"""View 4: a row is a record of what happened, the newest on top; a person reads down the page and knows the night."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

from fleettop.collectors.cause import told
from fleettop.collectors.fleet import Changed, Fleet
from fleettop.collectors.model import ContainerKey, Record, RecordKind, ServiceKey

from ..navigation import Scope
from ..rows import Cell, Column, Line, Row
from .base import Moment, SortKey, View
from .cells import DIM, clock_time
from .record_detail import attribution_words, record_detail, records_of

MOST = 20_000


class TrailView(View):
    """The merged event stream of all engines, each with its inferred cause."""

    id = "trail"
    title = "Trail"
    noun = "records"
    columns = (
        Column(id="time", title="TIME", width=8, worth=100, limit=12),
        Column(id="host", title="HOST", width=8, grow=1, worth=90, limit=16),
        Column(id="object", title="OBJECT", width=16, grow=2, worth=95, limit=28),
        Column(id="what", title="WHAT", width=40, grow=8, worth=99),
        Column(id="who", title="WHO · HOW KNOWN", width=22, grow=3, worth=80, limit=28),
        Column(id="why", title="WHY", width=18, grow=2, worth=40),
    )

    def keys(self, fleet: Fleet, scope: Scope) -> Iterable[Hashable]:
        """All records; narrowed to a host, a service or a container: those of it."""
        records = fleet.trail.newest(MOST) if scope is None else records_of(fleet, scope, MOST)
        return [record.id for record in records]

    def has(self, fleet: Fleet, key: Hashable, scope: Scope) -> bool:
        """Whether it is there, and within the scope."""
        record = _record(fleet, key)
        if record is None:
            return False
        if isinstance(scope, ServiceKey):
            return record.service == scope
        if isinstance(scope, ContainerKey):
            return (record.engine, record.object_id) == scope
        return scope is None or record.engine == scope

    def dirty(self, changed: Changed, fleet: Fleet) -> set[Hashable] | None:
        """Records that are new or were amended."""
        return {record.id for record in changed.records}

    def row(self, fleet: Fleet, key: Hashable, moment: Moment) -> Row | None:
        """One record; a gap is a bar over the whole width."""
        record = _record(fleet, key)
        if record is None:
            return None
        time = clock_time(record.time, moment)
        if record.kind is RecordKind.GAP:
            bar = moment.glyphs.gap * 8
            return Row(key=key, cells=(), span=Cell(f"{bar} {record.engine}: {record.what}", "gap"), style="gap")
        what_style = "strong" if record.trouble else ""
        return Row(
            key=key,
            cells=(
                Cell(time, DIM),
                Cell(record.engine, DIM),
                Cell(object_words(record)),
                Cell(_what(record, moment), what_style),
                Cell(attribution_words(record), DIM),
                Cell(record.reason),
            ),
        )

    def rank(self, fleet: Fleet, key: Hashable) -> SortKey:
        """The newest first."""
        record = _record(fleet, key)
        assert record is not None
        return (-record.time.timestamp(), -record.id)

    def value(self, fleet: Fleet, key: Hashable, column: str) -> object:
        """What a column sorts by."""
        record = _record(fleet, key)
        assert record is not None
        values: dict[str, object] = {
            "time": -record.time.timestamp(),
            "host": record.engine,
            "object": object_words(record),
            "what": record.what,
            "who": record.actor or None,
            "why": record.reason or None,
        }
        return values.get(column)

    def fields(self, fleet: Fleet, key: Hashable) -> Mapping[str, object]:
        """What the filter language sees."""
        record = _record(fleet, key)
        assert record is not None
        return record_fields(record)

    def wrong(self, fleet: Fleet, key: Hashable) -> bool:
        """Gaps, and what a person on call wants to see."""
        record = _record(fleet, key)
        return record is not None and (record.trouble or record.kind is RecordKind.GAP)

    def detail(self, fleet: Fleet, key: Hashable, moment: Moment) -> tuple[Line, ...]:
        """All of the record."""
        record = _record(fleet, key)
        return record_detail(fleet, record, moment) if record else ()

    def story(self, fleet: Fleet, key: Hashable, moment: Moment) -> Line:
        """Who did it, how that is known, and why: what a narrow table has no column for."""
        record = _record(fleet, key)
        if record is None:
            return ()
        who = attribution_words(record)
        why = f"  “{record.reason}”" if record.reason else ""
        return (Cell(f"{record.engine}: {object_words(record)} {_what(record, moment)}"), Cell(f"  {who}{why}", DIM))

    def scope_of(self, fleet: Fleet, key: Hashable) -> tuple[str, Scope] | None:
        """To the history of what it is about."""
        record = _record(fleet, key)
        if record is None:
            return None
        return ("trail", record.service or record.engine)

    def name_of(self, fleet: Fleet, key: Hashable) -> str:
        """What it is called."""
        record = _record(fleet, key)
        return f"{record.time.isoformat()} {record.engine} {record.object_name} {record.what}" if record else ""

    def history_scope(self, fleet: Fleet, key: Hashable) -> Scope:
        """Itself, or what it is about."""
        record = _record(fleet, key)
        return (record.service or record.engine) if record else None

    def containers(self, fleet: Fleet, key: Hashable) -> tuple[ContainerKey, ...]:
        """None: nothing is sampled or acted on from here."""
        return ()


def _record(fleet: Fleet, key: Hashable) -> Record | None:
    return fleet.trail.get(key) if isinstance(key, int) else None


def record_fields(record: Record) -> Mapping[str, object]:
    """What the filter language sees of a record."""
    return {
        "name": f"{object_words(record)} {record.what}",
        "what": record.what,
        "host": record.engine,
        "service": record.service_name,
        "object": record.object_name,
        "kind": str(record.kind),
        "action": record.action,
        "cause": str(record.cause),
        "who": record.actor or "unknown",
        "why": record.reason,
    }


def object_words(record: Record) -> str:
    """What it happened to, as it is called."""
    if record.service_name and record.object_type == "container":
        return record.service_name if record.object_name in ("", record.service_name) else record.object_name
    return record.object_name or record.service_name or record.object_type


def _what(record: Record, moment: Moment) -> str:
    """What happened; of a folded loop, how often and since when."""
    return told(record, moment.now)
