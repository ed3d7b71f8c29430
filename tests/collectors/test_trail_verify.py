"""Looking through a trail: what was tampered with is named, and what cannot be seen from inside is known."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from fleettop.collectors.errors import TrailError
from fleettop.collectors.trail.entry import chained, stamp
from fleettop.collectors.trail.segments import SegmentStore
from fleettop.collectors.trail.store import Head
from fleettop.collectors.trail.verify import compare_head, parse_head, verify

from .trail_entries import SECOND, T0, event, key, line

Tamper = Callable[[sqlite3.Connection], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A trail of 30 lines in three segments of 10."""
    with closing(SegmentStore(tmp_path / "trail", segment_size=1)) as store:
        for start in (0, 10, 20):
            store.append([event(n) for n in range(start, start + 10)])
    return tmp_path / "trail"


@contextmanager
def changing(folder: Path, segment: int = 2) -> Iterator[sqlite3.Connection]:
    """A segment's file, as somebody who owns it can open it."""
    with closing(sqlite3.connect(folder / f"segment-{segment:06d}.sqlite")) as sql, sql:
        yield sql


def _body(sql: sqlite3.Connection, seq: int) -> bytes:
    body = sql.execute("SELECT body FROM line WHERE seq = ?", (seq,)).fetchone()[0]
    assert isinstance(body, bytes)
    return body


def _forge(sql: sqlite3.Connection, seq: int) -> None:
    """Another content of the same length, its index left alone."""
    body = _body(sql, seq).replace(b"exited", b"exiteD")
    sql.execute("UPDATE line SET body = ? WHERE seq = ?", (body, seq))


def _rehash(folder: Path, since: int) -> None:
    """Hash all lines anew from one on, through all segments, as whoever owns the files can."""
    previous = ""
    for number in (1, 2, 3):
        with changing(folder, number) as sql:
            if previous:
                sql.execute("UPDATE segment SET after_hash = ?", (bytes.fromhex(previous),))
            for seq, digest, body in sql.execute("SELECT seq, hash, body FROM line ORDER BY seq").fetchall():
                if seq < since:
                    previous = digest.hex()
                    continue
                previous = chained(seq, previous, body)
                sql.execute("UPDATE line SET hash = ? WHERE seq = ?", (bytes.fromhex(previous), seq))


def test_an_untouched_trail_is_intact_and_told_in_numbers(tmp_path: Path) -> None:
    """Counts by kind, span, gaps, unclean ends, the head."""
    with closing(SegmentStore(tmp_path / "trail", segment_size=1)) as store:
        store.append([line("a-1", T0 - SECOND, kind="start", instance="a"), line("b-1", kind="start", instance="b")])
        store.append(
            [event(1), event(2), line("a-2", kind="gap", until=stamp(T0 + 90 * SECOND)), line("a-3", kind="gap")]
        )
        store.append([line("a-4", T0 + 200 * SECOND, kind="stop", instance="a"), line(key(1), what="amended")])
        head = store.head()
    report = verify(tmp_path / "trail")
    assert report.intact
    assert (report.problems, report.index_problems, report.unreadable) == ((), (), 0)
    assert report.kinds == {"event": 3, "gap": 2, "start": 2, "stop": 1}
    assert (report.oldest, report.newest) == (stamp(T0 - SECOND), stamp(T0 + 200 * SECOND))
    assert (report.gaps, report.longest_gap) == (2, 90 * SECOND)
    assert report.unclean == ((2, "b"),)
    assert (report.lines, report.segments, report.begins, report.head) == (8, 3, 1, head)


def test_what_is_no_trail_cannot_be_verified(tmp_path: Path) -> None:
    """Nor is an empty folder an intact trail of anything: it has no lines."""
    with pytest.raises(TrailError):
        verify(tmp_path / "nowhere")
    assert (verify(tmp_path).lines, verify(tmp_path).segments) == (0, 0)


def _flip(sql: sqlite3.Connection) -> None:
    body = bytearray(_body(sql, 15))
    body[100] ^= 1
    sql.execute("UPDATE line SET body = ? WHERE seq = 15", (bytes(body),))


def _flip_hash(sql: sqlite3.Connection) -> None:
    sql.execute("UPDATE line SET hash = zeroblob(32) WHERE seq = 15")


def _remove(sql: sqlite3.Connection) -> None:
    sql.execute("DELETE FROM line WHERE seq = 15")


def _remove_and_close_up(sql: sqlite3.Connection) -> None:
    _remove(sql)
    sql.execute("UPDATE line SET seq = seq - 1 WHERE seq > 15")


def _swap(sql: sqlite3.Connection) -> None:
    for old, new in ((15, 99), (16, 15), (99, 16)):
        sql.execute("UPDATE line SET seq = ? WHERE seq = ?", (new, old))


def _forge_with_hash(sql: sqlite3.Connection) -> None:
    _forge(sql, 14)
    (previous,) = sql.execute("SELECT hash FROM line WHERE seq = 13").fetchone()
    digest = bytes.fromhex(chained(14, previous.hex(), _body(sql, 14)))
    sql.execute("UPDATE line SET hash = ? WHERE seq = 14", (digest,))


def _as_text(sql: sqlite3.Connection) -> None:
    sql.execute("UPDATE line SET body = replace(body, 'exited', 'EXITED') WHERE seq = 15")


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (_flip, "line 15 does not match its hash: its content was changed"),
        (_as_text, "line 15 does not match its hash"),
        (_flip_hash, "line 15 does not follow from line 14"),
        (_remove, "lines 15 to 15 are missing"),
        (_remove_and_close_up, "line 15 does not follow from line 14"),
        (_swap, "line 15 does not follow from line 14"),
        (_forge_with_hash, "or line 14 was changed together with its hash"),
    ],
)
def test_the_first_bad_line_is_named_with_what_is_wrong(folder: Path, tamper: Tamper, words: str) -> None:
    """Wherever somebody who owns the file changed something, and where it happened: file, number, words."""
    with changing(folder) as sql:
        tamper(sql)
    report = verify(folder)
    first = report.problems[0]
    assert (first.segment, first.seq, first.told) == ("segment-000002.sqlite", 15, 0)
    assert words in first.what
    assert not report.intact


def test_what_comes_behind_a_bad_line_is_still_looked_at(folder: Path) -> None:
    """One changed line is one problem, not one for each line behind it."""
    for segment, seq in ((1, 5), (3, 25)):
        with changing(folder, segment) as sql:
            _forge(sql, seq)
    report = verify(folder)
    assert [problem.seq for problem in report.problems] == [5, 25]
    assert report.lines == 30


def test_lines_taken_from_a_sealed_segments_end_are_missed(folder: Path) -> None:
    """The next segment says from where it goes on."""
    with changing(folder, 2) as sql:
        sql.execute("DELETE FROM line WHERE seq > 18")
    (problem,) = verify(folder).problems
    assert "lines 19 to 20 are missing" in problem.what


def test_a_segment_taken_away_is_missed(folder: Path) -> None:
    """From the middle, and from the begin where no note tells that it was removed."""
    (folder / "segment-000002.sqlite").unlink()
    (problem,) = verify(folder).problems
    assert (problem.segment, problem.seq) == ("segment-000003.sqlite", 11)
    assert "lines 11 to 20 are missing" in problem.what
    (folder / "segment-000001.sqlite").unlink()
    (problem,) = verify(folder).problems
    assert "lines 1 to 20 are missing, and no note tells" in problem.what


@pytest.mark.parametrize("tenths", [1, 5, 9])
def test_a_cut_file_says_so_and_up_to_where_it_can_be_read(folder: Path, tenths: int) -> None:
    """What is left of it is read and verified."""
    file = folder / "segment-000002.sqlite"
    with file.open("r+b") as handle:
        handle.truncate(file.stat().st_size * tenths // 10)
    report = verify(folder)
    assert report.problems[0].segment == file.name
    assert "the file is cut" in " ".join(problem.what for problem in report.problems)
    assert report.head.seq == 30


def test_what_is_no_database_any_more_says_so(folder: Path) -> None:
    """The segments around it are verified none the less."""
    (folder / "segment-000002.sqlite").write_bytes(b"x" * 5000)
    report = verify(folder)
    assert report.problems[0].segment == "segment-000002.sqlite"
    assert "nothing can be read behind line 10" in report.problems[0].what
    assert report.lines == 20


@pytest.mark.parametrize(
    ("body", "words"),
    [(b'{"v":1', "cannot be parsed"), (b'{"thread": "x"}', "cannot be parsed"), (None, "canonical form")],
)
def test_a_body_that_no_fleettop_wrote_is_named_though_its_hash_is_right(
    folder: Path, body: bytes | None, words: str
) -> None:
    """Not JSON, not a line, or not the one form in which lines are written."""
    with changing(folder, 3) as sql:
        sql.execute("UPDATE line SET body = ? WHERE seq = 30", (body or _body(sql, 30).replace(b":", b": ", 1),))
    _rehash(folder, 30)
    report = verify(folder)
    assert (report.problems[0].seq, report.unreadable) == (30, 0 if body is None else 1)
    assert words in report.problems[0].what


# -- what is derived


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM record WHERE seq = 15", "9 records, its lines 10"),
        ("UPDATE record SET at = at + 1 WHERE seq = 15", "times"),
        ("DELETE FROM keys WHERE seq = 15", "9 threads, its lines 10"),
        ("UPDATE keys SET seq = 14 WHERE seq = 15", "newest line of each thread"),
        ("INSERT INTO amended VALUES (14, 15)", "another thread"),
    ],
)
def test_an_index_that_does_not_agree_is_said_apart(folder: Path, statement: str, words: str) -> None:
    """A record can be hidden by changing an index only; the lines are intact, and both is said."""
    with changing(folder) as sql:
        sql.execute(statement)
    report = verify(folder)
    assert report.intact
    assert any(words in problem for problem in report.index_problems)
    assert verify(folder, indexes=False).index_problems == ()


# -- a head kept elsewhere


def _head(folder: Path) -> Head:
    with closing(SegmentStore(folder, read_only=True)) as store:
        return store.head()


def test_only_a_head_kept_elsewhere_finds_a_trail_written_anew(folder: Path) -> None:
    """Whoever owns the files can change a line and hash all behind it again: verify cannot see that, the head does."""
    kept = _head(folder)
    assert compare_head(folder, kept).found
    with changing(folder, 1) as sql:
        _forge(sql, 5)
    _rehash(folder, 5)
    assert verify(folder).intact
    compared = compare_head(folder, kept)
    assert compared.found is False
    assert "written anew" in compared.what


def test_only_a_head_kept_elsewhere_finds_that_the_last_lines_were_taken(folder: Path) -> None:
    """The trail then is shorter than it was."""
    kept = _head(folder)
    (folder / "segment-000003.sqlite").unlink()
    assert verify(folder).intact
    compared = compare_head(folder, kept)
    assert compared.found is False
    assert "taken from its end" in compared.what


def test_a_head_of_any_time_can_be_compared(folder: Path) -> None:
    """Also of the middle, of the end of a segment, and of before the first line."""
    with closing(SegmentStore(folder, read_only=True)) as store:
        for one in store.lines():
            assert compare_head(folder, Head(seq=one.seq, hash=one.hash)).found
            assert compare_head(folder, Head(seq=one.seq, hash="f" * 64)).found is False
    assert compare_head(folder, Head()).found


def test_a_head_is_read_as_it_is_printed() -> None:
    """NUMBER:HASH; anything else is refused with words."""
    assert parse_head(f"12:{'AB' * 32}\n") == Head(seq=12, hash="ab" * 32)
    for text in ("", "12", "12:", f"x:{'a' * 64}", f"12:{'g' * 64}", f"-1:{'a' * 64}"):
        with pytest.raises(ValueError):  # noqa: PT011 - whatever its words
            parse_head(text)
