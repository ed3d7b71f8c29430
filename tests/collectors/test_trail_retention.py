"""How long a trail is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fleettop.collectors.trail import retention
from fleettop.collectors.trail.notes import told_removed
from fleettop.collectors.trail.retention import Keep, apply, warning
from fleettop.collectors.trail.segments import SegmentStore
from fleettop.collectors.trail.store import Head, Query
from fleettop.collectors.trail.verify import compare_head, verify

from .trail_entries import SECOND, T0, event, key, line


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SegmentStore]:
    """Five segments of two lines, written ten seconds apart."""
    made = SegmentStore(tmp_path / "trail", segment_size=1, instance="one", now=lambda: T0)
    for number in range(5):
        made.append([event(number * 10), event(number * 10 + 1)])
    yield made
    made.close()


def test_by_default_everything_is_kept(store: SegmentStore) -> None:
    """Nothing goes unless somebody said so."""
    assert apply(store, Keep(), T0 * 2) is None
    assert len(store.folder.numbers()) == 5


def test_what_is_too_old_goes_in_whole_segments_and_a_note_tells(store: SegmentStore) -> None:
    """The trail then begins behind the last line that went, and verifies with its hash."""
    last = next(iter(store.lines(3, 4)))
    done = apply(store, Keep(age=15 * SECOND), T0 + 28 * SECOND)
    assert done is not None
    assert (done.first, done.last, done.hash, done.note) == (1, 4, last.hash, 11)
    assert store.folder.numbers() == [3, 4, 5, 6]
    note = next(iter(store.lines(10)))
    assert told_removed(note.entry) == (4, last.hash)
    assert "lines 1 to 4" in note.entry.what
    report = verify(store.folder.path)
    assert (report.problems, report.index_problems) == ((), ())
    assert (report.begins, report.begins_after, report.removed_told) == (5, last.hash, 11)
    assert [one.seq for one in store.lines()] == [*range(5, 12)]


def test_what_is_too_much_goes_oldest_first(store: SegmentStore) -> None:
    """Until the rest is small enough; the segment that is written stays, however small the limit."""
    each = store.folder.file(1).stat().st_size
    done = apply(store, Keep(size=store.size() - each - 1), T0)
    assert done is not None
    assert done.last == 4
    done = apply(store, Keep(size=1), T0)
    assert done is not None
    assert (done.first, done.last) == (5, 10)
    assert store.folder.numbers() == [6, 7]
    assert verify(store.folder.path).problems == ()


def test_records_of_removed_lines_are_gone_and_the_rest_is_read_on(store: SegmentStore) -> None:
    """Another program that has the trail open finds out by itself; a thread's later lines stay."""
    other = SegmentStore(store.folder.path)
    store.append([line(key(0), T0, what="amended")])
    assert len(other.read(Query(), 99)) == 10
    apply(store, Keep(age=1), T0 + 12 * SECOND)
    assert [one.seq for one in other.read(Query(kinds=("event",)), 99)] == [10, 9, 8, 7, 6, 5, 4, 3, 11]
    assert [one.seq for one in other.thread(key(0))] == [11]
    assert other.append([event(0), event(99)])[0] == 0
    other.close()


def test_a_head_of_removed_lines_can_only_be_compared_at_the_seam(store: SegmentStore) -> None:
    """Neither right nor wrong: not kept any more."""
    heads = [Head(seq=one.seq, hash=one.hash) for one in store.lines()]
    apply(store, Keep(age=1), T0 + 12 * SECOND)
    assert [compare_head(store.folder.path, head).found for head in heads[:4]] == [None, True, True, True]


def test_a_large_trail_is_worth_a_word_where_nothing_limits_it(
    store: SegmentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a gibibyte on."""
    assert warning(store, Keep()) == ""
    monkeypatch.setattr(retention, "WARN_SIZE", 1000)
    assert str(store.folder.path) in warning(store, Keep())
    assert warning(store, Keep(size=1 << 40)) == ""
