"""The window on a long trail: whatever is read, written or forgotten, it shows exactly one stretch of the whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from fleettop.collectors.clock import ManualClock
from fleettop.collectors.fleet import Fleet
from fleettop.collectors.fleet.lines import record_of
from fleettop.collectors.keeping import Keeping
from fleettop.collectors.model import Record
from fleettop.collectors.trail.store import Place, Query, Store
from fleettop.tui.trail.live import AT_HAND, LiveTrail
from fleettop.tui.trail.reading import Asked, Stretch, read_down, read_up
from fleettop.tui.trail.window import NEWEST, Item, Window
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from .trail_making import BEGIN, SECOND, ListedStore, entry


def record(number: int) -> Record:
    """A record of that number."""
    return record_of(entry(number), number)


def item(number: int, at: int) -> Item:
    """An item of that number, at a place."""
    return Item(Place(at, number), f"thread-{number}", record(number))


class WindowMachine(RuleBasedStateMachine):
    """A window beside the whole list: reading, writing, amending and forgetting in any order."""

    @initialize(ats=st.lists(st.integers(1, 400), max_size=40), live=st.booleans(), at=st.integers(0, 400))
    def begin(self, ats: list[int], live: bool, at: int) -> None:
        """A list, and a window that shows nothing of it yet."""
        self.whole = {f"thread-{number}": item(number, at) for number, at in enumerate(ats)}
        self.number = len(ats)
        self.window = Window(NEWEST if live else Place(at, AT_HAND * 2), live=live)

    def ordered(self) -> list[Item]:
        """The whole list, newest first."""
        return sorted(self.whole.values(), key=lambda one: one.place, reverse=True)

    @rule(limit=st.integers(1, 8))
    def read_down(self, limit: int) -> None:
        """The next items below."""
        if self.window.bottom is not None:
            below = [one for one in self.ordered() if one.place < self.window.bottom]
            found = below[:limit]
            self.window.grow_down(found, found[-1].place if len(below) > limit else None)

    @rule(limit=st.integers(1, 8))
    def read_up(self, limit: int) -> None:
        """The next items above."""
        if self.window.top is not None:
            above = [one for one in reversed(self.ordered()) if one.place > self.window.top]
            found = above[:limit]
            self.window.grow_up(found, found[-1].place if len(above) > limit else None)

    @rule(at=st.integers(1, 500))
    def write(self, at: int) -> None:
        """Something new happened, or something old became known."""
        self.number += 1
        new = item(self.number, at)
        self.whole[new.key] = new
        self.window.put(new)

    @rule(data=st.data(), at=st.integers(1, 500))
    def amend(self, data: st.DataObject, at: int) -> None:
        """A record is another one now, perhaps of another time."""
        if self.whole:
            key = data.draw(st.sampled_from(sorted(self.whole)))
            self.number += 1
            self.whole[key] = Item(Place(at, self.number), key, self.whole[key].record)
            self.window.put(self.whole[key])

    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        """A record is not meant any more."""
        if self.whole:
            key = data.draw(st.sampled_from(sorted(self.whole)))
            del self.whole[key]
            self.window.remove(key)

    @rule(data=st.data(), most=st.integers(1, 10))
    def trim(self, data: st.DataObject, most: int) -> None:
        """What is far away is forgotten, what is near stays."""
        keys = [one.key for one in self.window.newest_first()]
        near = data.draw(st.sampled_from([None, *keys]))
        self.window.trim(near, most)
        assert len(self.window) <= max(most, 0)
        assert near is None or near in self.window

    @invariant()
    def it_shows_exactly_its_stretch(self) -> None:
        """All that lies between its ends, in order, and nothing else."""
        if hasattr(self, "window"):
            wanted = [one for one in self.ordered() if self.window.covers(one.place)]
            assert list(self.window.newest_first()) == wanted
            for one in wanted:
                assert self.window.get(one.key) == one


TestWindow = WindowMachine.TestCase
TestWindow.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)


class _Keeper:
    """Asks at once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def ask(self, question: Callable[[Store], Any], *, waited_for: bool = False) -> Any:
        return question(self._store)


class _Keeping:
    def __init__(self, store: Store) -> None:
        self.keeper = _Keeper(store)


stored = st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["a", "b", "c"])), max_size=60)


@given(
    lines=stored,
    at_hand=st.sets(st.integers(0, 79)),
    start=st.integers(-1, 31),
    limit=st.integers(1, 9),
    actors=st.sets(st.sampled_from(["a", "b"])),
    even=st.booleans(),
    down=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_reading_step_by_step_finds_every_record_once_and_in_order(
    lines: list[tuple[int, str]], at_hand: set[int], start: int, limit: int, actors: set[str], even: bool, down: bool
) -> None:
    """What is kept and what is at hand, through several queries and a test: the same as looking at all of it."""
    entries = [entry(number, at=BEGIN + second * SECOND, actor=actor) for number, (second, actor) in enumerate(lines)]
    fleet = Fleet((), clock=ManualClock())
    only_at_hand = [entry(number, actor="a") for number in at_hand if number >= len(entries)]
    records = [record_of(entries[number], 0) for number in sorted(at_hand) if number < len(entries)]
    fleet.remember([*records, *(record_of(one, 0) for one in only_at_hand)], {})
    live = LiveTrail(fleet)

    def meant(one: Record) -> bool:
        return (not actors or one.actor in actors) and (not even or int(one.key.split("-")[1]) % 2 == 0)

    asked = Asked(tuple(Query(actor=actor) for actor in sorted(actors)) or (Query(),), meant)
    keeping = cast(Keeping, _Keeping(ListedStore(entries).as_store()))
    at: Place | None = Place(BEGIN + start * SECOND, AT_HAND * 2)
    found: list[Item] = []

    async def read() -> None:
        nonlocal at
        while at is not None:
            step = read_down if down else read_up
            stretch: Stretch = await step(keeping, live, asked, at, limit)
            assert len({one.key for one in stretch.items}) == len(stretch.items)
            for one in sorted(stretch.items, key=lambda one: one.place, reverse=down):
                assert (one.place < at) if down else (one.place > at)
                assert stretch.reached is None or (
                    one.place >= stretch.reached if down else one.place <= stretch.reached
                )
                found.append(one)
            at = stretch.reached

    asyncio.run(read())
    times = {one.thread: one.at for one in (*entries, *only_at_hand)}
    boundary = entry(0, at=BEGIN + start * SECOND).at
    wanted = {
        record_of(one, 0).key
        for one in (*entries, *only_at_hand)
        if meant(record_of(one, 0)) and ((one.at <= boundary) if down else (one.at > boundary))
    }
    keys = [one.key for one in found]
    assert set(keys) == wanted
    ordered = [times[key] for key in keys]
    assert ordered == sorted(ordered, reverse=down)
    assert len(dict.fromkeys(keys)) == len(wanted)
