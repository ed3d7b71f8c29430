"""Pages of records: the newest line of each thread, merged over the segments, opened only as far as is needed."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from contextlib import suppress

import msgspec

from .derived import is_trouble, object_number
from .entry import Entry, nanos, parse
from .segment import ENDLESS, KINDS, OTHER_KIND, Segment
from .shelf import Shelf, Skipped
from .store import Line, Place, Query

FIRST_PIECE, LAST_PIECE = 64, 4096

Row = tuple[int, int]
"""When, and the number of the line."""


def page(shelf: Shelf, query: Query, limit: int, before: Place | None, after: Place | None) -> list[Line]:
    """Up to `limit` records, newest first; with `after` those next to it."""
    with shelf.lock:
        rising = after is not None
        found: list[Line] = []
        for number, seq in _merged(shelf, query, before, after, rising):
            line = _line(shelf, number, seq)
            if line is not None and matches(query, line.entry):
                found.append(line)
                if len(found) >= limit:
                    break
        return found[::-1] if rising else found


def _merged(
    shelf: Shelf, query: Query, before: Place | None, after: Place | None, rising: bool
) -> Iterator[tuple[int, int]]:
    """Segment and number of each line that may be meant, in order."""
    sign = 1 if rising else -1
    least, most = _span(query, before, after)
    heap: list[tuple[int, int, int, Iterator[Row]]] = []
    replaced: dict[int, set[int]] = {}
    later = set[int]()
    for about in reversed(shelf.abouts()):
        replaced[about.number] = set(later)
        later |= shelf.crossing(about.number)
        if about.records and about.oldest <= most and about.newest >= least:
            rows = _rows(shelf, about.number, query, before, after, rising)
            # Not asked yet: it stands where its first row can stand at best.
            heap.append((sign * (about.oldest if rising else about.newest), -ENDLESS, about.number, rows))
    heapq.heapify(heap)
    while heap:
        _, seq, number, rows = heap[0]
        if seq != -ENDLESS and sign * seq not in replaced[number]:
            yield number, sign * seq
        following = next(rows, None)
        if following is None:
            heapq.heappop(heap)
        else:
            heapq.heapreplace(heap, (sign * following[0], sign * following[1], number, rows))


def _span(query: Query, before: Place | None, after: Place | None) -> tuple[int, int]:
    """Between which times all of it stands."""
    least, most = -ENDLESS, ENDLESS
    if query.since is not None:
        least = query.since
    if after is not None:
        least = max(least, after.at)
    if query.until is not None:
        most = query.until
    if before is not None:
        most = min(most, before.at)
    return least, most


def _rows(
    shelf: Shelf, number: int, query: Query, before: Place | None, after: Place | None, rising: bool
) -> Iterator[Row]:
    """Of one segment, in pieces: nothing is held open between two of them."""
    size = FIRST_PIECE
    while True:
        rows: list[Row] = []
        with suppress(Skipped), shelf.reading(number) as segment:
            asked = _statement(segment, query, before, after, rising)
            if asked is not None:
                rows = segment.sql.execute(f"{asked[0]} LIMIT {size}", asked[1]).fetchall()
        yield from rows
        if len(rows) < size:
            return
        if rising:
            after = Place(*rows[-1])
        else:
            before = Place(*rows[-1])
        size = min(size * 2, LAST_PIECE)


def _statement(
    segment: Segment, query: Query, before: Place | None, after: Place | None, rising: bool
) -> tuple[str, list[int]] | None:
    """What finds the rows in one segment, by the index that narrows most; None: none can be there."""
    where: list[str] = []
    values: list[int] = []
    index = ""
    narrowed = [
        ("object", object_number(query.object_id) if query.object_id else 0),
        *((column, segment.name(text)) for column, text in _names(query)),
    ]
    for column, number in narrowed:
        if number is None:
            return None
        if number:
            where.append(f"{column} = ? AND {column} <> 0")
            values.append(number)
            index = index or f"record_{column}"
    if query.kinds:
        codes = sorted({KINDS.get(kind, OTHER_KIND) for kind in query.kinds})
        where.append(f"kind IN ({','.join(map(str, codes))})")
        if 0 not in codes:
            where.append("kind <> 0")
            index = index or "record_kind"
    if query.trouble:
        where.append("trouble <> 0")
        index = index or "record_trouble"
    for bound, term in ((query.since, "at >= ?"), (query.until, "at < ?")):
        if bound is not None:
            where.append(term)
            values.append(bound)
    for place, term in ((before, "(at, seq) < (?, ?)"), (after, "(at, seq) > (?, ?)")):
        if place is not None:
            where.append(term)
            values += [place.at, place.seq]
    order = "ASC" if rising else "DESC"
    by = f"INDEXED BY {index}" if index and segment.about.sealed else ""
    text = f"SELECT at, seq FROM record {by} WHERE {' AND '.join(where) or '1'} ORDER BY at {order}, seq {order}"  # noqa: S608
    return text, values


def _names(query: Query) -> Iterator[tuple[str, str]]:
    for column, text in (("actor", query.actor), ("service", query.service), ("engine", query.engine)):
        if text:
            yield column, text


def _line(shelf: Shelf, number: int, seq: int) -> Line | None:
    line = None
    with suppress(Skipped), shelf.reading(number) as segment:
        line = line_of(segment, seq)
        if line is None:
            shelf.damage[number] = f"line {seq} in it cannot be read"
    return line


def line_of(segment: Segment, seq: int) -> Line | None:
    """A line; None: it is not there, or cannot be parsed."""
    row = segment.line(seq)
    if row is None:
        return None
    previous, digest, body = row
    try:
        return Line(seq=seq, previous=previous, hash=digest, body=body, entry=parse(body))
    except msgspec.MsgspecError:
        return None


def matches(query: Query, entry: Entry) -> bool:
    """Whether a record is meant."""
    at = nanos(entry.at)
    return (
        (query.since is None or at >= query.since)
        and (query.until is None or at < query.until)
        and (not query.service or query.service == entry.service_key)
        and (not query.engine or query.engine == entry.engine)
        and (not query.actor or query.actor == entry.actor)
        and (not query.object_id or query.object_id == entry.id)
        and (not query.kinds or entry.kind in query.kinds)
        and (not query.trouble or is_trouble(entry))
    )


__all__ = ("line_of", "matches", "page")
