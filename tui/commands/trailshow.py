"""Records of the trail as lines, the newest last; or its lines as they were written."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, tzinfo

from fleettop.collectors.cause import told
from fleettop.collectors.fleet.lines import record_of
from fleettop.collectors.model import Record, RecordKind
from fleettop.collectors.trail.entry import nanos
from fleettop.collectors.trail.export import chosen
from fleettop.collectors.trail.store import Line, Place, Query, Store

from ..filter import Filter
from ..output import Output, Text
from ..trail.asking import fields_of, object_words
from ..views.record_detail import attribution_words
from .records import line_record, trail_record

PAGE = 500


def show(
    out: Output,
    store: Store,
    query: Query,
    wanted: Filter,
    *,
    limit: int,
    raw: bool,
    json: bool,
    now: datetime | None = None,
) -> None:
    """Print those that are meant, the newest `limit` of them (0: all). Raises TrailError."""
    now = now or datetime.now(UTC)
    if raw:
        found = lines_of(store, query, wanted)
        for line in deque(found, maxlen=limit) if limit else found:
            out.json(line_record(line)) if json else out.line(*line_words(line))
        return
    if limit:
        newest = [pair for _, pair in zip(range(limit), records_back(store, query, wanted), strict=False)]
        pairs: Iterable[tuple[Line, Record]] = reversed(newest)
    else:
        pairs = records_on(store, query, wanted)
    for line, record in pairs:
        out.json(trail_record(line, record)) if json else out.line(*record_words(record, now))


# -- finding


def records_back(store: Store, query: Query, wanted: Filter) -> Iterator[tuple[Line, Record]]:
    """From the newest on."""
    before: Place | None = None
    while page := store.read(query, PAGE, before=before):
        yield from _meant(page, wanted)
        before = _place(page[-1])


def records_on(store: Store, query: Query, wanted: Filter) -> Iterator[tuple[Line, Record]]:
    """From the oldest on."""
    after = Place(-1 if query.since is None else query.since - 1, 0)
    while page := store.read(query, PAGE, after=after):
        yield from _meant(tuple(reversed(page)), wanted)
        after = _place(page[0])


def lines_of(store: Store, query: Query, wanted: Filter) -> Iterator[Line]:
    """Lines of such records, in the order in which they were written."""
    lines = chosen(store, query)
    return (line for line, _ in _meant(lines, wanted)) if wanted else lines


def _meant(lines: Iterable[Line], wanted: Filter) -> Iterator[tuple[Line, Record]]:
    for line in lines:
        with suppress(ValueError):  # of a kind that only a newer fleettop knows
            record = record_of(line.entry, line.seq)
            if wanted.matches(fields_of(record, object_words(record))):
                yield line, record


def _place(line: Line) -> Place:
    return Place(nanos(line.entry.at), line.seq)


# -- words


def record_words(record: Record, now: datetime, zone: tzinfo | None = None) -> tuple[Text | str, ...]:
    """A record as a line for people, in the words of the dashboard."""
    time = Text(f"{record.time.astimezone(zone):%Y-%m-%d %H:%M:%S}", "dim")
    if record.kind is RecordKind.GAP:
        return (time, "  ", Text(f"╍╍╍ {record.engine}: {record.what}", "stale"), _why(record))
    what = told(record, now, zone)
    who = attribution_words(record)
    return (
        time,
        f"  {record.engine or '-'}  {object_words(record)}  ",
        Text(what, "down" if record.trouble else ""),
        Text(f"  {who}", "dim") if who else "",
        _why(record),
    )


def _why(record: Record) -> str:
    return f"  “{record.reason}”" if record.reason else ""


def line_words(line: Line) -> tuple[Text | str, ...]:
    """A line as it was written, for people: its number, when it happened, and the engine's event in it."""
    entry = line.entry
    event = entry.event
    said = f"{event.type} {event.action} {event.argument}".rstrip() if event is not None else entry.action
    return (
        Text(f"{line.seq:>8} {entry.at}", "dim"),
        f"  {entry.kind}  {entry.engine or '-'}  {said}  {entry.name or entry.id[:12]}".rstrip(),
        Text(f"  {entry.what}", "dim") if entry.what else "",
    )
