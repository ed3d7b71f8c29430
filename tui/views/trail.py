"""View 4: a row is a record of what happened, the newest on top; a person reads down the page and knows the night."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping

from fleettop.collectors.cause import told
from fleettop.collectors.fleet import Changed, Fleet
from fleettop.collectors.model import Attribution, ContainerKey, Record, RecordKind

from ..navigation import Scope
from ..rows import Cell, Column, Line, Row
from ..trail.asking import fields_of, in_scope, is_change, is_wrong, object_words
from ..trail.rows import Sign, What
from .base import Moment, SortKey, View
from .cells import DIM, age_since, clock_time
from .record_detail import attribution_words, gap_words, record_detail, records_of

MOST = 500
Find = Callable[[Hashable], Record | None]


class TrailView(View):
    """The merged event stream of all engines, each with its inferred cause."""

    id = "trail"
    title = "Trail"
    noun = "records"
    columns = (
        Column(id="time", title="TIME", width=8, worth=100, limit=12, sortable=False),
        Column(id="sign", title="", width=1, worth=98, sortable=False),
        Column(id="host", title="HOST", width=8, grow=1, worth=90, limit=16, sortable=False),
        Column(id="object", title="OBJECT", width=12, grow=2, worth=95, limit=28, sortable=False),
        Column(id="what", title="WHAT", width=29, grow=14, worth=99, sortable=False),
        Column(id="who", title="WHO · HOW KNOWN", width=15, grow=4, worth=94, limit=28, sortable=False),
        Column(id="why", title="WHY", width=22, grow=3, worth=40, sortable=False),
    )

    def __init__(self, find: Find | None = None) -> None:
        """`find` knows the records that are shown but not at hand."""
        self._find = find

    def keys(self, fleet: Fleet, scope: Scope) -> Iterable[Hashable]:
        """The newest at hand; a place of the dashboard reads on from there (`trail.rows`)."""
        records = fleet.trail.newest(MOST) if scope is None else records_of(fleet, scope, MOST)
        return [record.key for record in records]

    def has(self, fleet: Fleet, key: Hashable, scope: Scope) -> bool:
        """Whether it is there, and within the scope."""
        record = self._record(fleet, key)
        return record is not None and in_scope(record, scope)

    def dirty(self, changed: Changed, fleet: Fleet) -> set[Hashable] | None:
        """Records that are new or were amended."""
        return {record.key for record in changed.records}

    def row(self, fleet: Fleet, key: Hashable, moment: Moment) -> Row | None:
        """One record; a gap is a bar over the whole width."""
        if isinstance(key, Sign):
            return Row(key=key, cells=(), span=sign_words(key, moment))
        record = self._record(fleet, key)
        if record is None:
            return None
        time = clock_time(record.time, moment)
        if record.kind is RecordKind.GAP:
            return _gap_row(key, record, moment)
        quiet = record.kind in (RecordKind.START, RecordKind.STOP) and not record.trouble
        changed = is_change(record)
        what_style = "strong" if record.trouble or changed else DIM if quiet else ""
        return Row(
            key=key,
            cells=(
                Cell(time, DIM),
                _sign(record, moment, changed=changed),
                Cell(record.engine, DIM),
                Cell(object_words(record), DIM if quiet else ""),
                Cell(told(record, moment.now), what_style),
                Cell(attribution_words(record), who_role(record, changed=changed)),
                Cell(record.reason),
            ),
        )

    def rank(self, fleet: Fleet, key: Hashable) -> SortKey:
        """The newest first."""
        record = self._record(fleet, key)
        assert record is not None
        return (-record.time.timestamp(), -record.id)

    def value(self, fleet: Fleet, key: Hashable, column: str) -> object:
        """Nothing: the trail stands in the order of time."""
        return None

    def fields(self, fleet: Fleet, key: Hashable) -> Mapping[str, object]:
        """What the filter language sees."""
        record = self._record(fleet, key)
        assert record is not None
        return fields_of(record, object_words(record))

    def wrong(self, fleet: Fleet, key: Hashable) -> bool:
        """Gaps, and what a person on call wants to see."""
        record = self._record(fleet, key)
        return record is not None and is_wrong(record)

    def detail(self, fleet: Fleet, key: Hashable, moment: Moment) -> tuple[Line, ...]:
        """All of the record."""
        record = self._record(fleet, key)
        return record_detail(fleet, record, moment) if record else ()

    def story(self, fleet: Fleet, key: Hashable, moment: Moment) -> Line:
        """Who did it, how that is known, and why: what a narrow table has no column for."""
        record = self._record(fleet, key)
        if record is None:
            return ()
        who = attribution_words(record)
        why = f"  “{record.reason}”" if record.reason else ""
        if record.kind is RecordKind.GAP:
            return (Cell(gap_words(record, moment)),)
        where = f"{record.engine}: " if record.engine else ""
        return (
            Cell(where + f"{object_words(record)} {told(record, moment.now)}".lstrip()),
            Cell(f"  {who}", who_role(record, changed=is_change(record))),
            Cell(why, DIM),
        )

    def name_of(self, fleet: Fleet, key: Hashable) -> str:
        """What it is called."""
        record = self._record(fleet, key)
        return f"{record.time.isoformat()} {record.engine} {record.object_name} {record.what}" if record else ""

    def history_scope(self, fleet: Fleet, key: Hashable) -> Scope:
        """What it is about."""
        record = self._record(fleet, key)
        return (record.service or record.engine or None) if record else None

    def containers(self, fleet: Fleet, key: Hashable) -> tuple[ContainerKey, ...]:
        """None: nothing is sampled or acted on from here."""
        return ()

    def restless(self, fleet: Fleet, key: Hashable, moment: Moment) -> bool:
        """The line at the moment that is looked at: it says how long ago that was."""
        return isinstance(key, Sign) and key.what is What.MOMENT

    def _record(self, fleet: Fleet, key: Hashable) -> Record | None:
        if self._find is not None:
            return self._find(key)
        return fleet.record(key) if isinstance(key, str) else None


def sign_words(sign: Sign, moment: Moment) -> Cell:
    """A row that is no record."""
    if sign.what is What.MOMENT and sign.at is not None:
        rule = moment.glyphs.dash * 8
        return Cell(f"{rule} {clock_time(sign.at, moment)}, {age_since(sign.at, moment)} ago {rule}", "key")
    if sign.what is What.UNREAD:
        return Cell(f"What was before cannot be read: {sign.words}", "warning")
    if sign.what is What.END:
        if sign.words:
            return Cell(f"That is all of {sign.words}; other names, gone by now, were not looked for.", DIM)
        return Cell("The trail begins here.", DIM)
    back = f"searched back to {clock_time(sign.at, moment)}, " if sign.at is not None else ""
    return Cell(f"{back}reading on{moment.glyphs.ellipsis}", DIM)


def who_role(record: Record, *, changed: bool) -> str:
    """Who did it stands out where a person may have, and so does that it is not known."""
    if record.attribution is Attribution.UNKNOWN and not record.actor:
        return "unknown-actor" if changed else "unknown"
    return "strong" if changed else DIM


def _sign(record: Record, moment: Moment, *, changed: bool) -> Cell:
    states = moment.glyphs.states
    if record.trouble:
        return Cell(states["down"], "down")
    return Cell(moment.glyphs.change, "key") if changed else Cell("")


def _gap_row(key: Hashable, record: Record, moment: Moment) -> Row:
    """A bar over the whole width; where nothing was missed in the end, a quiet line."""
    nothing_missed = record.until is not None and record.until <= record.time and not record.certain
    words = gap_words(record, moment)
    if nothing_missed:
        return Row(key=key, cells=(), span=Cell(words, DIM))
    return Row(key=key, cells=(), span=Cell(f"{moment.glyphs.gap * 3} {words}", "gap"), style="gap")
