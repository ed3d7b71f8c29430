"""Segments that have ended and are not sealed yet, and segments that cannot be read at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fleettop.collectors.trail import segments
from fleettop.collectors.trail.segments import SegmentStore
from fleettop.collectors.trail.store import Query
from fleettop.collectors.trail.verify import verify

from .trail_entries import T0, event, key, line


@pytest.fixture
def hasty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SegmentStore]:
    """A program that goes before it has sealed what it ended: three segments of four lines, and one more line."""
    monkeypatch.setattr(segments, "seal", lambda *_: None)
    with closing(SegmentStore(tmp_path / "trail", segment_size=1)) as store:
        for start in (0, 10, 20, 30):
            store.append([event(n) for n in range(start, start + 4)])
        yield store


def test_what_is_not_sealed_yet_is_read_and_searched_all_the_same(hasty: SegmentStore) -> None:
    """Only slower: duplicates are found, pages and threads are whole, verify passes."""
    assert hasty.append([event(n, instance="two") for n in (0, 11, 22, 33)]) == (0, 0, 0, 0)
    assert hasty.append([line(key(0), T0, what="amended")]) == (17,)
    assert [one.seq for one in hasty.thread(key(0))] == [1, 17]
    assert len(hasty.read(Query(), 99)) == 16
    assert len(hasty.read(Query(engine="h0"), 99)) == 5
    report = verify(hasty.folder.path)
    assert (report.problems, report.index_problems) == ((), ())


def test_who_opens_the_trail_next_seals_what_was_left(hasty: SegmentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing stays unsealed because a program died; a program that had it open meanwhile reads on."""
    path = hasty.folder.path
    before = hasty.read(Query(), 99)
    monkeypatch.undo()
    with closing(SegmentStore(path)) as later:
        later.settle()
        assert [about.sealed for about in later.shelf.abouts()] == [True, True, True, False]
        assert later.read(Query(), 99) == before
        assert [one.seq for one in hasty.thread(key(11))] == [6]
        assert hasty.append([event(11, instance="two")]) == (0,)
    assert verify(path).index_problems == ()


@pytest.mark.parametrize("broken", [1, 2])
def test_an_old_segment_that_cannot_be_read_is_left_out_and_told(tmp_path: Path, broken: int) -> None:
    """Whatever else there is is shown, written and verified; what is missing is said, not passed over."""
    folder = tmp_path / "trail"
    with closing(SegmentStore(folder, segment_size=1)) as store:
        for start in (0, 10, 20):
            store.append([event(n) for n in range(start, start + 4)])
    (folder / f"segment-{broken:06d}.sqlite").write_bytes(b"no database" * 1000)
    with closing(SegmentStore(folder)) as store:
        assert len(store.read(Query(), 99)) == 8
        assert len([*store.lines()]) == 8
        assert store.append([event(3), event(13), event(23)])[2] == 0
        (told,) = store.damage()
        assert told.startswith(f"segment-{broken:06d}.sqlite: SQLite says")
        assert store.thread(key(broken * 10 - 10))[0:1] == ()
    assert verify(folder).problems[0].segment == f"segment-{broken:06d}.sqlite"


def test_a_line_that_cannot_be_parsed_is_left_out_and_told(tmp_path: Path) -> None:
    """The page is shown without it."""
    import sqlite3

    folder = tmp_path / "trail"
    with closing(SegmentStore(folder, segment_size=1)) as store:
        store.append([event(n) for n in range(4)])
        store.append([event(9)])
    with closing(sqlite3.connect(folder / "segment-000001.sqlite")) as sql, sql:
        sql.execute("UPDATE line SET body = x'7b' WHERE seq = 2")
    with closing(SegmentStore(folder, read_only=True)) as store:
        assert [one.seq for one in store.read(Query(), 99)] == [5, 4, 3, 1]
        assert store.damage() == ("segment-000001.sqlite: line 2 in it cannot be read",)
        assert [one.seq for one in store.lines()] == [1, 3, 4, 5]
