"""A trail that lives as long as the program and forgets its oldest records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol

from ..model import Record

Wanted = Callable[[Record], bool]
CAPACITY = 4_000
"""Records at hand, of 2 to 3 kB each with all that stands beside them. What is older is read from the store."""


class Trail(Protocol):
    """Records in the order they were first written. One with a known `id` replaces the one before, in its place."""

    def append(self, records: Iterable[Record]) -> None:
        """Write a batch, whole or not at all. Raises TrailError where that is impossible."""
        ...

    def get(self, record_id: int) -> Record | None:
        """One record as last written."""
        ...

    def newest(self, limit: int, *, wanted: Wanted | None = None, before: int | None = None) -> Sequence[Record]:
        """Up to `limit` records, newest first; `before`: only those with a smaller id, to read on."""
        ...

    def oldest(self, limit: int, *, wanted: Wanted | None = None, after: int | None = None) -> Sequence[Record]:
        """Up to `limit` records, oldest first; `after`: only those with a greater id, to read on."""
        ...

    def head(self) -> int:
        """The greatest id written; 0: none."""
        ...

    def __len__(self) -> int: ...


class MemoryTrail:
    """The newest `capacity` records. Ids only grow, so the order of first writing is that of the ids."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._records: dict[int, Record] = {}
        self._head = 0
        self.forgotten = 0
        """How many records were dropped to make room."""

    def append(self, records: Iterable[Record]) -> None:
        """Write a batch. A change to a record that was already dropped is dropped too."""
        for record in records:
            if record.id in self._records:
                self._records[record.id] = record
            elif record.id > self._head:
                self._head = record.id
                self._records[record.id] = record
        while len(self._records) > self._capacity:
            self._records.pop(next(iter(self._records)))
            self.forgotten += 1

    def get(self, record_id: int) -> Record | None:
        """One record as last written."""
        return self._records.get(record_id)

    def newest(self, limit: int, *, wanted: Wanted | None = None, before: int | None = None) -> tuple[Record, ...]:
        """Up to `limit` records, newest first."""
        rows = (r for r in reversed(self._records.values()) if before is None or r.id < before)
        return tuple(islice(_only(rows, wanted), limit))

    def oldest(self, limit: int, *, wanted: Wanted | None = None, after: int | None = None) -> tuple[Record, ...]:
        """Up to `limit` records, oldest first."""
        rows = (r for r in self._records.values() if after is None or r.id > after)
        return tuple(islice(_only(rows, wanted), limit))

    def head(self) -> int:
        """The greatest id written; 0: none."""
        return self._head

    def __len__(self) -> int:
        return len(self._records)


def _only(records: Iterator[Record], wanted: Wanted | None) -> Iterator[Record]:
    return records if wanted is None else filter(wanted, records)
