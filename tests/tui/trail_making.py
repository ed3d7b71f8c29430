"""Entries and stores for tests of the trail view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import msgspec
from fleettop.collectors.trail.entry import Entry, canonical, nanos, stamp
from fleettop.collectors.trail.store import Line, Place, Query, Store

SECOND = 1_000_000_000
BEGIN = 1_772_366_400 * SECOND
"""2026-03-01 12:00 UTC."""


def entry(number: int, *, at: int | None = None, **more: object) -> Entry:
    """The line of a thread of that number, a second after the one before."""
    moment = stamp(BEGIN + number * SECOND if at is None else at)
    made = Entry(
        thread=f"thread-{number}",
        kind="event",
        at=moment,
        seen=moment,
        instance="first",
        engine="web-1",
        type="container",
        id=f"container-{number % 7}",
        name=f"api-{number % 7}",
        service="pay/api",
        service_key="compose\tpay\tapi",
        action="start",
        what=f"started for the {number}th time",
        attribution="unknown",
    )
    return cast(Entry, msgspec.structs.replace(made, **more))


class ListedStore:
    """Reads from a list, as simply as can be."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.lines = [
            Line(seq=seq, previous="", hash="", body=canonical(one), entry=one) for seq, one in enumerate(entries, 1)
        ]

    def read(
        self, query: Query, limit: int, *, before: Place | None = None, after: Place | None = None
    ) -> Sequence[Line]:
        """As the protocol has it."""
        rows = sorted((line for line in self.lines if _meant(query, line.entry)), key=place_of, reverse=True)
        if after is not None:
            newer = [line for line in rows if place_of(line) > after]
            return newer[-limit:]
        return [line for line in rows if before is None or place_of(line) < before][:limit]

    def as_store(self) -> Store:
        """For whoever wants all of a store and reads only."""
        return cast(Store, self)


def place_of(line: Line) -> Place:
    """Where a line stands."""
    return Place(nanos(line.entry.at), line.seq)


def _meant(query: Query, one: Entry) -> bool:
    return (
        (not query.service or one.service_key == query.service)
        and (not query.engine or one.engine == query.engine)
        and (not query.actor or one.actor == query.actor)
        and (not query.object_id or one.id == query.object_id)
        and (not query.kinds or one.kind in query.kinds)
        and (not query.trouble or one.trouble or one.kind == "gap")
    )
