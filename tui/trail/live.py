"""The records at hand, in the order of the trail: what is read from the store is completed with these."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator

from fleettop.collectors.fleet import Fleet
from fleettop.collectors.model import Record
from fleettop.collectors.trail.entry import SECOND
from fleettop.collectors.trail.memory import CAPACITY
from fleettop.collectors.trail.store import Place

from .window import Item

AT_HAND = 1 << 60
"""Added to the number of a record at hand, so that it stands behind all lines of the store of the same time."""


class LiveTrail:
    """What the fleet has in memory, kept in order while it changes. A change costs one record, not all of them."""

    def __init__(self, fleet: Fleet, capacity: int = CAPACITY) -> None:
        """With what is there already."""
        self._fleet = fleet
        self._capacity = capacity
        self._items: dict[str, Item] = {}
        self._order: list[tuple[Place, str]] = []
        self.take(fleet.trail.oldest(capacity))

    def __len__(self) -> int:
        return len(self._items)

    def take(self, records: Iterable[Record]) -> list[Item]:
        """Records that are new or were amended, as they stand now."""
        taken: list[Item] = []
        for record in records:
            item = self._item(record)
            before = self._items.get(item.key)
            if before is not None:
                self._leave(before)
            self._items[item.key] = item
            insort(self._order, (item.place, item.key))
            taken.append(item)
        while len(self._items) > self._capacity:
            self._leave(self._items.pop(next(iter(self._items))))
        return taken

    def get(self, key: str) -> Item | None:
        """The item of that key."""
        return self._items.get(key)

    def items(self) -> Iterable[Item]:
        """All of them, as they were first written."""
        return self._items.values()

    def below(self, place: Place) -> Iterator[Item]:
        """Those before a place, newest first. Take nothing in meanwhile."""
        for index in range(bisect_left(self._order, (place, "")) - 1, -1, -1):
            yield self._items[self._order[index][1]]

    def above(self, place: Place) -> Iterator[Item]:
        """Those after a place, oldest first. Take nothing in meanwhile."""
        for index in range(bisect_left(self._order, (place, "\U0010ffff")), len(self._order)):
            yield self._items[self._order[index][1]]

    def _leave(self, item: Item) -> None:
        del self._order[bisect_left(self._order, (item.place, item.key))]

    def _item(self, record: Record) -> Item:
        moment = self._fleet.when(record)
        at = int(moment.timestamp()) * SECOND + moment.microsecond * 1000
        return Item(Place(at, AT_HAND + record.id), record.key, record)
