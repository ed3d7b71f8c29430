"""What every store of the trail promises, held by the one on the disk and by the fake that other tests use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from fleettop.collectors.trail.entry import GENESIS, Entry, canonical, chained, nanos
from fleettop.collectors.trail.segments import SegmentStore
from fleettop.collectors.trail.store import Mark, Place, Query, Store
from hypothesis import given, settings
from hypothesis import strategies as st

from .fake_store import FakeStore
from .trail_entries import ATTRIBUTIONS, KINDS, SECOND, T0, event, key, line, quick_folder, some_entry

SMALL = 96 << 10
"""So that a few dozen lines fill a segment."""


@pytest.fixture(params=["disk", "fake"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of either kind."""
    made: Store = SegmentStore(tmp_path / "trail") if request.param == "disk" else FakeStore()
    yield made
    made.close()


def test_lines_are_numbered_and_chained_from_one_on(store: Store) -> None:
    """Each line's hash covers its number, the hash before, and its canonical body."""
    assert store.append([event(1), event(2)]) == (1, 2)
    assert store.append([event(3)]) == (3,)
    lines = list(store.lines())
    assert [one.seq for one in lines] == [1, 2, 3]
    assert [one.previous for one in lines] == [GENESIS, lines[0].hash, lines[1].hash]
    assert all(one.hash == chained(one.seq, one.previous, one.body) for one in lines)
    assert all(one.body == canonical(one.entry) for one in lines)


def test_the_head_is_the_last_line_and_when_it_was_written(store: Store) -> None:
    """Of an empty trail it is number 0 and 64 zeros."""
    assert (store.head().seq, store.head().hash, store.head().at) == (0, GENESIS, "")
    store.append([event(1)])
    (last,) = store.lines()
    assert (store.head().seq, store.head().hash, store.head().at) == (1, last.hash, last.entry.seen)


def test_a_part_of_the_lines_can_be_read(store: Store) -> None:
    """From behind a number, up to and with another."""
    store.append([event(n) for n in range(1, 8)])
    assert [one.seq for one in store.lines(2, 5)] == [3, 4, 5]
    assert [one.seq for one in store.lines(6)] == [7]
    assert list(store.lines(7)) == []
    (third, *_) = store.lines(2)
    assert third.previous == list(store.lines())[1].hash


def test_an_event_that_is_known_is_left_out(store: Store) -> None:
    """Whoever heard it, whenever, in the same batch or later: 0 is its number."""
    assert store.append([event(1), event(1, instance="two"), event(2)]) == (1, 0, 2)
    assert store.append([event(1, instance="three", at=T0 + 5), event(3)]) == (0, 3)
    assert store.append([event(1, thread=key(9))]) == (0,)


def test_an_event_folded_into_another_thread_is_known_by_its_own_key(store: Store) -> None:
    """A crash loop's later events stand in the first one's thread; a replay of one of them is left out."""
    assert store.append([event(1), event(2, thread=key(1), count=2)]) == (1, 2)
    assert store.append([event(2), event(2, thread=key(1), count=2)]) == (0, 0)
    assert [one.seq for one in store.read(Query(), 9)] == [2]


@pytest.mark.parametrize("first", ATTRIBUTIONS)
@pytest.mark.parametrize("second", ATTRIBUTIONS)
def test_a_known_event_is_kept_again_only_where_it_says_more_of_who_did_it(
    store: Store, first: str, second: str
) -> None:
    """Own, declared, derived, correlated, unknown: in this order."""
    store.append([event(1, attribution=first)])
    (number,) = store.append([event(1, attribution=second, instance="two")])
    order = ATTRIBUTIONS[1:]
    better = order.index(second or "unknown") > order.index(first or "unknown")
    assert number == (2 if better else 0)


def test_a_line_that_says_nothing_new_of_its_thread_is_left_out(store: Store) -> None:
    """Who wrote it when is not new; anything else is, also what was said before the newest line."""
    assert store.append([line("one-1", what="x")]) == (1,)
    assert store.append([line("one-1", what="x", seen="2026-01-01T00:00:00.000000000Z", instance="two")]) == (0,)
    assert store.append([line("one-1", what="y"), line("one-1", what="y"), line("one-1", what="x")]) == (2, 0, 3)


def test_an_amendment_without_a_key_is_kept_and_takes_the_place_of_the_line_before(store: Store) -> None:
    """The exit code of an event is learnt later: one record, two lines."""
    store.append([event(1), event(2)])
    assert store.append([line(key(1), T0 + SECOND, exit_code=137)]) == (3,)
    assert [one.seq for one in store.read(Query(), 9)] == [2, 3]
    assert [one.seq for one in store.thread(key(1))] == [1, 3]
    assert store.thread("nobody") == ()


def test_what_is_learnt_can_move_a_record_out_of_a_filter(store: Store) -> None:
    """Only the newest line of a thread is asked."""
    store.append([event(1, trouble=True, actor="ann")])
    assert len(store.read(Query(trouble=True, actor="ann"), 9)) == 1
    store.append([line(key(1), T0 + SECOND, actor="bob")])
    assert store.read(Query(trouble=True), 9) == ()
    assert store.read(Query(actor="ann"), 9) == ()
    assert len(store.read(Query(actor="bob"), 9)) == 1


def test_records_stand_in_the_order_of_our_clock_not_of_writing(store: Store) -> None:
    """A replay brings old events late; they stand where they belong."""
    store.append([event(5), event(1), event(9), event(3)])
    assert [one.seq for one in store.read(Query(), 9)] == [3, 1, 4, 2]


def test_gaps_are_trouble(store: Store) -> None:
    """Who asks for trouble sees where something may be missing."""
    store.append([line("one-1", kind="gap"), line("one-2", kind="note"), event(1, trouble=True)])
    assert [one.seq for one in store.read(Query(trouble=True), 9)] == [3, 1]


def test_marks_are_kept_by_engine_and_program(store: Store) -> None:
    """The newest of each engine is given, by what the engine says it is."""
    store.mark([Mark(engine="a", origin="E1", heard=5, read_to=5, instance="one")])
    store.mark([Mark(engine="b", origin="E1", heard=9, read_to=9, instance="two", recent=("k",))])
    store.mark([Mark(engine="a", origin="E1", heard=6, read_to=6, instance="one")])
    store.mark([Mark(engine="z", origin="", heard=1, read_to=1, instance="one", containers={"c": ("n", "running")})])
    first, second = store.marks()
    assert (first.heard, first.engine, first.recent) == (9, "b", ("k",))
    assert second.containers == {"c": ("n", "running")}


# -- against the model


@st.composite
def queries(draw: st.DrawFn) -> Query:
    """What somebody may ask for."""
    times = st.none() | st.integers(-100, 20).map(lambda n: T0 + n * SECOND)
    some = event(draw(st.integers(0, 11)))
    return Query(
        since=draw(times),
        until=draw(times),
        service=draw(st.sampled_from(("", "", "", some.service_key))),
        engine=draw(st.sampled_from(("", "", "", some.engine))),
        object_id=draw(st.sampled_from(("", "", "", some.id))),
        actor=draw(st.sampled_from(("", "", "", "ann", "carl"))),
        kinds=tuple(draw(st.lists(st.sampled_from(KINDS), max_size=2))),
        trouble=draw(st.sampled_from((False, False, True))),
    )


places = st.none() | st.builds(
    Place, st.integers(-100, 20).map(lambda n: T0 + n * SECOND), st.sampled_from((0, 3, 10**9))
)


@settings(max_examples=60, deadline=None)
@given(
    batches=st.lists(st.lists(some_entry(), max_size=12), max_size=8),
    asked=st.lists(st.tuples(queries(), st.integers(1, 9), places, st.booleans()), max_size=6),
    size=st.sampled_from((1, SMALL, 1 << 30)),
)
def test_the_store_on_the_disk_does_what_the_simple_one_does(
    batches: list[list[Entry]], asked: list[tuple[Query, int, Place | None, bool]], size: int
) -> None:
    """Whatever two handles write in turn over however many segments: numbers, lines, pages and threads agree."""
    fake = FakeStore()
    with quick_folder() as folder, ExitStack() as stack:
        handles = [SegmentStore(folder, segment_size=size) for _ in range(2)]
        for handle in handles:
            stack.callback(handle.close)
        for turn, batch in enumerate(batches):
            assert handles[turn % 2].append(batch) == fake.append(batch)
        assert [*handles[0].lines()] == [*fake.lines()]
        assert handles[1].head() == fake.head()
        for query, limit, place, newer in asked:
            bounds = {"after" if newer else "before": place}
            assert handles[0].read(query, limit, **bounds) == fake.read(query, limit, **bounds)
        for thread in {one.entry.thread for one in fake.kept}:
            assert handles[1].thread(thread) == fake.thread(thread)
        assert handles[0].damage() == ()


@settings(max_examples=25, deadline=None)
@given(entries=st.lists(some_entry(), max_size=60), limit=st.integers(1, 7), query=queries())
def test_reading_on_page_by_page_gives_every_record_once(entries: list[Entry], limit: int, query: Query) -> None:
    """From the newest down by `before`, and from the oldest up by `after`: the same records, in order, none twice."""
    with quick_folder() as folder, closing(SegmentStore(folder, segment_size=1)) as store:
        for start in range(0, len(entries), 8):
            store.append(entries[start : start + 8])
        whole = store.read(query, 1000)
        down = _walk(lambda place: store.read(query, limit, before=place), None, last=-1)
        up = _walk(lambda place: store.read(query, limit, after=place), Place(0, 0), last=0)
        assert down == list(whole)
        assert up == list(whole)[::-1]


def _walk(ask: Callable[[Place | None], object], place: Place | None, last: int) -> list[object]:
    found: list[object] = []
    while rows := ask(place):
        assert isinstance(rows, tuple)
        found += rows if last else rows[::-1]
        place = Place(nanos(rows[last].entry.at), rows[last].seq)
    return found
