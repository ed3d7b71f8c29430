"""A `Store` in memory, as simple as its promises: for tests of what writes and reads a trail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from fleettop.collectors.trail.entry import GENESIS, Entry, canonical, chained, nanos, parse
from fleettop.collectors.trail.store import Head, Line, Mark, Place, Query

RANKS = ("unknown", "correlated", "derived", "declared", "own")


def _rank(entry: Entry) -> int:
    return RANKS.index(entry.attribution) if entry.attribution in RANKS else 0


class FakeStore:
    """Every line in a list. `fail`: raised by the next call of `append`, once."""

    def __init__(self) -> None:
        self.kept: list[Line] = []
        self.fail: Exception | None = None
        self._marks: dict[tuple[str, str], Mark] = {}

    def append(self, entries: Sequence[Entry]) -> tuple[int, ...]:
        """Add lines, all or none."""
        if self.fail is not None:
            failure, self.fail = self.fail, None
            raise failure
        bodies = [canonical(entry) for entry in entries]
        return tuple(self._add(entry, body) for entry, body in zip(entries, bodies, strict=True))

    def _add(self, entry: Entry, body: bytes) -> int:
        newest = next((line.entry for line in reversed(self.kept) if line.entry.thread == entry.thread), None)
        known = bool(entry.key) and any(entry.key in (line.entry.key, line.entry.thread) for line in self.kept)
        if newest is None:
            new = not known
        elif known:
            new = _rank(entry) > _rank(newest)
        else:
            new = msgspec.structs.replace(entry, seen=newest.seen, instance=newest.instance) != newest
        if not new:
            return 0
        seq, previous = len(self.kept) + 1, self.kept[-1].hash if self.kept else GENESIS
        self.kept.append(
            Line(seq=seq, previous=previous, hash=chained(seq, previous, body), body=body, entry=parse(body))
        )
        return seq

    def traces(self) -> None:
        """None can be seen."""

    def read(
        self, query: Query, limit: int, *, before: Place | None = None, after: Place | None = None
    ) -> tuple[Line, ...]:
        """A page of records, newest first."""
        newest = {line.entry.thread: line for line in self.kept}
        rows = sorted((Place(nanos(line.entry.at), line.seq), line) for line in newest.values())
        rows = [
            (place, line)
            for place, line in rows
            if (before is None or place < before) and (after is None or place > after) and _meant(query, line.entry)
        ]
        chosen = rows[:limit] if after is not None else rows[max(0, len(rows) - limit) :]
        return tuple(line for _, line in reversed(chosen))

    def thread(self, thread: str) -> tuple[Line, ...]:
        """All lines of a thread."""
        return tuple(line for line in self.kept if line.entry.thread == thread)

    def lines(self, after: int = 0, until: int | None = None) -> Iterator[Line]:
        """Lines in the order of the chain."""
        return iter(self.kept[after:until])

    def head(self) -> Head:
        """The last line."""
        if not self.kept:
            return Head()
        last = self.kept[-1]
        return Head(seq=last.seq, hash=last.hash, at=last.entry.seen)

    def mark(self, marks: Sequence[Mark]) -> None:
        """Keep how far engines were followed."""
        for mark in marks:
            self._marks[mark.origin or mark.engine, mark.instance] = mark

    def marks(self) -> tuple[Mark, ...]:
        """The newest mark of each engine."""
        newest: dict[str, Mark] = {}
        for (of, _), mark in sorted(self._marks.items(), key=lambda item: item[1].heard):
            newest[of] = mark
        return tuple(newest[of] for of in sorted(newest))

    def close(self) -> None:
        """Nothing to let go of."""


def _meant(query: Query, entry: Entry) -> bool:
    at = nanos(entry.at)
    return all(
        (
            query.since is None or at >= query.since,
            query.until is None or at < query.until,
            query.service in ("", entry.service_key),
            query.engine in ("", entry.engine),
            query.actor in ("", entry.actor),
            query.object_id in ("", entry.id),
            not query.kinds or entry.kind in query.kinds,
            not query.trouble or entry.trouble or entry.kind == "gap",
        )
    )
