"""A stretch of a long list of records: what lies in it is all there, what lies outside is not known. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from fleettop.collectors.model import Record
from fleettop.collectors.trail.store import Place

NEWEST = Place(1 << 62, 0)
"""Newer than anything that was ever written."""


class Item(NamedTuple):
    """A record, and where it stands in the order of the trail."""

    place: Place
    key: str
    record: Record


class Window:
    """All items between two places, both inclusive. It begins empty at one place, and grows at both ends.

    `top` None: it reaches to whatever comes next; `bottom` None: to the very first.
    """

    def __init__(self, at: Place = NEWEST, *, live: bool = False) -> None:
        """Empty; no item may stand at `at` itself."""
        self.top: Place | None = None if live else at
        self.bottom: Place | None = at
        self._items: list[Item] = []
        """Oldest first."""
        self._places: dict[str, Place] = {}

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def newest_first(self) -> Sequence[Item]:
        """All of them."""
        return self._items[::-1]

    def get(self, key: str) -> Item | None:
        """The item of that key."""
        place = self._places.get(key)
        return None if place is None else self._items[self._index(place)]

    def covers(self, place: Place) -> bool:
        """Whether what stands there would be in it."""
        return (self.bottom is None or place >= self.bottom) and (self.top is None or place <= self.top)

    def put(self, item: Item) -> bool:
        """An item is new, or stands elsewhere, or says other than before. False: it lies outside, before and now."""
        known = self.remove(item.key)
        if not self.covers(item.place):
            return known
        self._insert(item)
        return True

    def remove(self, key: str) -> bool:
        """An item belongs there no more. False: it did not."""
        place = self._places.pop(key, None)
        if place is None:
            return False
        del self._items[self._index(place)]
        return True

    def grow_down(self, items: Iterable[Item], bottom: Place | None) -> None:
        """All there is from `bottom` to the old bottom; None: nothing lies below that."""
        self._add(items)
        self.bottom = bottom

    def grow_up(self, items: Iterable[Item], top: Place | None) -> None:
        """All there is from the old top to `top`; None: nothing lies above that but what comes next."""
        self._add(items)
        self.top = top

    def trim(self, keep: str | None, most: int) -> bool:
        """Forget what is far from `keep` (None: from the newest) where there are more than `most`."""
        if len(self._items) <= most:
            return False
        place = self._places.get(keep) if keep is not None else None
        middle = len(self._items) - 1 if place is None else self._index(place)
        first = max(0, min(middle - most // 2, len(self._items) - most))
        last = first + most
        if last < len(self._items):
            self.top = self._items[last - 1].place
        if first > 0:
            self.bottom = self._items[first].place
        for item in (*self._items[:first], *self._items[last:]):
            del self._places[item.key]
        self._items = self._items[first:last]
        return True

    def nearest(self, place: Place) -> Item | None:
        """The newest item at or before a place; where there is none, the oldest after it."""
        if not self._items:
            return None
        index = bisect_right(self._items, place, key=_place)
        return self._items[max(0, index - 1)]

    def _add(self, items: Iterable[Item]) -> None:
        for item in items:
            if item.key not in self._places:
                self._insert(item)

    def _insert(self, item: Item) -> None:
        self._items.insert(bisect_left(self._items, item.place, key=_place), item)
        self._places[item.key] = item.place

    def _index(self, place: Place) -> int:
        return bisect_left(self._items, place, key=_place)


def _place(item: Item) -> Place:
    return item.place
