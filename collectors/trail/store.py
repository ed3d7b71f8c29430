"""What a trail is to the rest of the program, however it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from ..model import Record

Wanted = Callable[[Record], bool]


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
