"""The rows of one place, kept in order while the fleet changes."""

from __future__ import annotations

from bisect import insort
from collections.abc import Hashable, Iterable

import msgspec
from fleettop.collectors.fleet import Changed, Fleet
from fleettop.collectors.model import ServiceKey

from ..filter import Filter
from ..navigation import Place
from ..rows import Row
from .base import Moment, SortKey, View

BIGGEST_FIRST = frozenset(
    (
        *("cpu", "memory", "network", "restarts", "replicas", "hosts", "containers", "skew", "lost"),
        *("free", "total", "image", "container", "volume", "cache"),
    )
)
"""Columns that a person sorts by to see the most first."""

MANY = 200
"""Rows moved at once, from which on all are sorted."""


class PlacedRows:
    """Which rows a place shows, and in which order. Rows are made when they are asked for, and kept until dirty."""

    def __init__(self, view: View, fleet: Fleet) -> None:
        self.view = view
        self._fleet = fleet
        self._filter: Filter | None = None
        self._place = Place()
        self._ranks: dict[Hashable, SortKey] = {}
        self._hidden: set[Hashable] = set()
        self._spare: dict[Hashable, SortKey] = {}
        """Ranks of rows that were shown before and have not changed since."""
        self.order: tuple[Hashable, ...] = ()

    @property
    def hidden(self) -> int:
        """How many rows the filter and `z` leave out."""
        return len(self._hidden)

    def settle(self, place: Place, accept: Filter | None) -> tuple[Hashable, ...]:
        """Look at everything anew: another scope, filter or order. The keys to show, in order.

        While a word is typed on, only at what is still shown.
        """
        before, self._place = self._place, place
        narrowed, self._filter = self._filter, accept
        alike = accept != narrowed and before == msgspec.structs.replace(place, filter=before.filter)
        if not (alike and self.order and _implies(accept, narrowed)):
            self._look_at_all(keep=alike)
            return self.order
        for key in self.order:
            if accept is not None and not accept.matches(self.view.fields(self._fleet, key)):
                self._spare[key] = self._ranks.pop(key)
                self._hidden.add(key)
        self.order = tuple(key for key in self.order if key in self._ranks)
        return self.order

    def _look_at_all(self, *, keep: bool) -> None:
        self._spare = {**self._spare, **self._ranks} if keep else {}
        self._ranks = {}
        self._hidden.clear()
        for key in self.view.keys(self._fleet, self._place.scope):
            self._consider(key)
        self._sort()

    def update(self, changed: Changed) -> tuple[set[Hashable], bool]:
        """Take changes in: the keys whose rows are to be made again, and whether the order moved."""
        dirty = self.view.dirty(changed, self._fleet)
        if dirty is None:
            before = self.order
            self._look_at_all(keep=False)
            return set(self.order), self.order != before
        if not dirty:
            return set(), False
        before_ranks = {key: self._ranks.pop(key, None) for key in dirty}
        self._hidden -= dirty
        for key in dirty:
            self._spare.pop(key, None)
            if self.view.has(self._fleet, key, self._place.scope):
                self._consider(key)
        moved = {key for key, rank in before_ranks.items() if self._ranks.get(key) != rank}
        if moved:
            self._place_anew(moved)
        return {key for key in dirty if key in self._ranks}, bool(moved)

    def rows(self, keys: Iterable[Hashable], moment: Moment) -> dict[Hashable, Row]:
        """The rows of these keys as of this moment."""
        made = ((key, self.view.row(self._fleet, key, moment)) for key in keys)
        return {key: row for key, row in made if row is not None}

    def _consider(self, key: Hashable) -> None:
        view, fleet = self.view, self._fleet
        wanted = not self._place.only_wrong or view.wrong(fleet, key)
        if wanted and self._filter is not None:
            wanted = self._filter.matches(view.fields(fleet, key))
        if wanted:
            rank = self._spare.pop(key, None)
            self._ranks[key] = self._rank(key) if rank is None else rank
        else:
            self._hidden.add(key)

    def _rank(self, key: Hashable) -> SortKey:
        if not self._place.sort:
            return self.view.rank(self._fleet, key)
        value = self.view.value(self._fleet, key, self._place.sort)
        return (value is None, _comparable(value, reverse=self._place.reverse), self.view.rank(self._fleet, key))

    @property
    def _backwards(self) -> bool:
        return self._place.reverse and not self._place.sort

    def _sort(self) -> None:
        self.order = tuple(sorted(self._ranks, key=self._ranks.__getitem__, reverse=self._backwards))

    def _place_anew(self, keys: set[Hashable]) -> None:
        """Only these have other ranks than before: ten thousand rows are not sorted for one."""
        if self._backwards or len(keys) > MANY:
            self._sort()
            return
        order = [key for key in self.order if key not in keys]
        for key in keys & self._ranks.keys():
            insort(order, key, key=self._ranks.__getitem__)
        self.order = tuple(order)


def _implies(accept: Filter | None, narrowed: Filter | None) -> bool:
    return narrowed is None or (accept is not None and accept.implies(narrowed))


def renamed(before: Iterable[Hashable], after: Iterable[Hashable]) -> dict[Hashable, Hashable]:
    """Services of a swarm that were known by their names alone, and now by their cluster too: old key to new."""
    nameless = {key for key in before if isinstance(key, ServiceKey) and key.source == "swarm" and not key.scope}
    if not nameless:
        return {}
    swarms = [key for key in after if isinstance(key, ServiceKey) and key.source == "swarm"]
    placed = {ServiceKey("swarm", "", key.name): key for key in swarms if key.scope}
    return {old: placed[old] for old in nameless.difference(swarms) if old in placed}


class _Reversed:
    """Orders backwards what cannot be negated, so that unknown values stay last either way."""

    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        self.value = value

    def __lt__(self, other: _Reversed) -> bool:
        return other.value < self.value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reversed) and other.value == self.value

    def __hash__(self) -> int:
        return hash(self.value)


def _comparable(value: object, *, reverse: bool) -> object:
    if value is None:
        return 0
    if isinstance(value, int | float):
        return -value if reverse else value
    text = str(value).casefold()
    return _Reversed(text) if reverse else text
