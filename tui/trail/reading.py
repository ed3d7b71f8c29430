"""Reading on in a trail, in bounded steps: so much of the store, and what is at hand of the same span.

Each step says how far it came, whether it found something or not. What the store finds by its indexes is asked of it;
the rest is looked at line by line, beside the screen.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

import msgspec
from fleettop.collectors.fleet.lines import record_of
from fleettop.collectors.keeping import Keeping
from fleettop.collectors.model import Record
from fleettop.collectors.trail.entry import nanos
from fleettop.collectors.trail.store import Line, Place, Query, Store

from .live import LiveTrail
from .window import Item

STEP = 200
"""Lines read in one step where most of them are shown."""
SEARCH = 1_000
"""Lines read in one step at most, where most of them are left out."""
AT_HAND_STEP = 1_000
"""Records at hand that are looked at in one step."""


class Asked(msgspec.Struct, frozen=True):
    """Which records are looked for."""

    queries: tuple[Query, ...] = (Query(),)
    """What the store can be asked for: a record is in at least one of them."""
    accept: Callable[[Record], bool] | None = None
    """Whether a record is meant; None: all are."""
    names: tuple[str, ...] = ()
    """The names that a word of the filter was taken for: of others, gone by now, the store was not asked."""

    def meant(self, record: Record) -> bool:
        """Whether this one is."""
        return self.accept is None or self.accept(record)


class Stretch(NamedTuple):
    """What one step found, and how far it came: everything up to `reached`, inclusive; None: to the end."""

    items: tuple[Item, ...]
    reached: Place | None
    looked_at: int = 0


async def read_down(keeping: Keeping | None, live: LiveTrail, asked: Asked, before: Place, limit: int) -> Stretch:
    """The next records older than a place. Raises TrailError where the store cannot be read."""
    stored = Stretch((), None)
    if keeping is not None:
        stored = await keeping.keeper.ask(lambda store: _stored(store, asked, limit, before=before), waited_for=True)
    return merged_down(stored, live, asked, before)


async def read_up(keeping: Keeping | None, live: LiveTrail, asked: Asked, after: Place, limit: int) -> Stretch:
    """The next records newer than a place. Raises TrailError where the store cannot be read."""
    stored = Stretch((), None)
    if keeping is not None:
        stored = await keeping.keeper.ask(lambda store: _stored(store, asked, limit, after=after), waited_for=True)
    return merged_up(stored, live, asked, after)


def merged_down(stored: Stretch, live: LiveTrail, asked: Asked, before: Place) -> Stretch:
    """What the store found, with what is at hand of the same span."""
    until = stored.reached
    span = _within(live.below(before), lambda place: until is None or place >= until)
    return _merged(stored, span, asked, lambda place, end: place >= end)


def merged_up(stored: Stretch, live: LiveTrail, asked: Asked, after: Place) -> Stretch:
    """Likewise, upwards."""
    until = stored.reached
    span = _within(live.above(after), lambda place: until is None or place <= until)
    return _merged(stored, span, asked, lambda place, end: place <= end)


def _merged(stored: Stretch, span: Iterator[Item], asked: Asked, within: Callable[[Place, Place], bool]) -> Stretch:
    at_hand = list(islice(span, AT_HAND_STEP))
    reached, kept = stored.reached, stored.items
    if len(at_hand) == AT_HAND_STEP and next(span, None) is not None:
        reached = at_hand[-1].place
        kept = tuple(item for item in kept if within(item.place, reached))
    found = [item for item in at_hand if asked.meant(item.record)]
    known = {item.key for item in found}
    return Stretch(
        (*found, *(item for item in kept if item.key not in known)), reached, stored.looked_at + len(at_hand)
    )


def _within(items: Iterable[Item], inside: Callable[[Place], bool]) -> Iterator[Item]:
    for item in items:
        if not inside(item.place):
            return
        yield item


def _stored(
    store: Store, asked: Asked, limit: int, *, before: Place | None = None, after: Place | None = None
) -> Stretch:
    """In the reader's thread: one step through the store, over all queries at once."""
    down = after is None
    answers = [store.read(query, limit, before=before, after=after) for query in asked.queries]
    # A query that was answered in full may have more to say beyond its last line: further than that nothing is known.
    ends = [_place(lines[-1 if down else 0]) for lines in answers if len(lines) >= limit]
    reached = (max(ends) if down else min(ends)) if ends else None
    items: list[Item] = []
    looked_at = 0
    for place, line in _in_order(answers, down=down):
        if reached is not None and (place < reached if down else place > reached):
            break
        looked_at += 1
        with suppress(ValueError):
            record = record_of(line.entry, -line.seq)
            if asked.meant(record):
                items.append(Item(place, line.entry.thread, record))
    return Stretch(tuple(items), reached, looked_at)


def _in_order(answers: Sequence[Sequence[Line]], *, down: bool) -> Iterator[tuple[Place, Line]]:
    if down:
        sides = [[(_place(line), line) for line in lines] for lines in answers]
    else:
        sides = [[(_place(line), line) for line in reversed(lines)] for lines in answers]
    last: Place | None = None
    for place, line in heapq.merge(*sides, key=_first, reverse=down):
        if place != last:
            yield place, line
        last = place


def _first(pair: tuple[Place, Line]) -> Place:
    return pair[0]


def _place(line: Line) -> Place:
    return Place(nanos(line.entry.at), line.seq)
