"""Lines of several replicas: taken apart, put in order, kept within bounds; whatever the pieces in which they come."""

from __future__ import annotations

import gc
from collections import Counter
from datetime import UTC, datetime

import pytest
from fleettop.collectors.engine.logs import LINE_LIMIT, LogDecoder, stamp
from fleettop.collectors.errors import Malformed
from fleettop.collectors.logs.merge import LATE, SLACK, Merge
from fleettop.collectors.logs.ring import CHUNK, Ring
from fleettop.collectors.model.logs import ERR, NOTE, OUT, LogLine
from hypothesis import given
from hypothesis import strategies as st

from .test_engine_logs import frame, pieces

BASE = 1_767_323_045_000_000_000
SIZES = st.lists(st.integers(1, 60), min_size=1, max_size=5)
TEXT = st.binary(max_size=20).filter(lambda line: not set(line) & {10, 13})
SAID = st.lists(st.tuples(st.integers(0, 5_000_000_000), st.sampled_from([OUT, ERR]), TEXT), max_size=30)


def stamped(time: int) -> bytes:
    """As Docker writes a time in front of a line."""
    moment = datetime.fromtimestamp(time // 1_000_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time % 1_000_000_000:09}Z ".encode()


def line(time: int, source: int = 0, text: bytes = b"") -> LogLine:
    return LogLine(time, source, OUT, text)


@given(SAID, SIZES)
def test_frames_cut_anywhere_give_the_same_lines_with_their_times(
    said: list[tuple[int, int, bytes]], sizes: list[int]
) -> None:
    """Headers, times and lines may be cut in any place; each line keeps its stream and its nanoseconds."""
    body = b"".join(frame(stream, stamped(BASE + at) + text + b"\n") for at, stream, text in said)
    decoder = LogDecoder(source=7, ahead=5)
    got = [one for piece in pieces(body, sizes) for one in decoder.feed(piece)] + decoder.end()
    assert got == [LogLine(BASE + at - 5, 7, stream, text) for at, stream, text in said]


@given(SAID, SIZES)
def test_a_terminals_output_cut_anywhere_gives_the_same_lines(
    said: list[tuple[int, int, bytes]], sizes: list[int]
) -> None:
    """Raw, ended by carriage return and newline."""
    body = b"".join(stamped(BASE + at) + text + b"\r\n" for at, _stream, text in said)
    decoder = LogDecoder()
    got = [one for piece in pieces(body, sizes) for one in decoder.feed(piece)] + decoder.end()
    assert got == [LogLine(BASE + at, 0, OUT, text) for at, _stream, text in said]


def test_a_line_that_docker_cut_into_parts_is_whole_again() -> None:
    """Over 16 KB each part has a time of its own, no word of the program's; more than is kept is counted."""
    parts = [b"a" * 16_384, b"b" * 16_384, b"c\n"]
    framed = b"".join(frame(1, stamped(BASE + at) + part) for at, part in enumerate(parts))
    raw = b"".join(stamped(BASE + at) + part for at, part in enumerate(parts))
    for body in (framed, raw):
        (one,) = LogDecoder().feed(body)
        assert one == LogLine(BASE, 0, OUT, parts[0] + parts[1] + b"c")
    (long,) = LogDecoder().feed(b"".join(frame(1, stamped(BASE) + b"x" * 16_384) for _ in range(8)) + frame(1, b"\n"))
    assert (len(long.data), long.cut) == (LINE_LIMIT, 8 * 16_384 - LINE_LIMIT)


def test_what_is_passed_over_keeps_the_place_among_the_frames() -> None:
    """Skipping ends in the middle of a frame, and the next line is read as it is."""
    body = b"".join(frame(1, stamped(BASE + at) + b"line\n") for at in range(10))
    for cut in range(len(body)):
        decoder = LogDecoder(multiplexed=True)
        skipped = decoder.skip(body[:cut])
        rest = [*decoder.feed(body[cut:]), *decoder.feed(frame(2, stamped(BASE + 99) + b"next\n"))]
        assert rest[-1] == LogLine(BASE + 99, 0, ERR, b"next")
        assert skipped + len(rest) in (11, 12)


def test_frames_that_make_no_sense_are_refused() -> None:
    """Nothing is guessed from the middle of something."""
    decoder = LogDecoder(multiplexed=True)
    with pytest.raises(Malformed):
        decoder.feed(b"this is no frame at all")


@pytest.mark.parametrize(
    ("text", "nanoseconds", "rest"),
    [
        (b"2026-01-02T03:04:05.000000007Z x", BASE + 7, b"x"),
        (b"2026-01-02T05:04:05.5+02:00 x", BASE + 500_000_000, b"x"),
        (b"2026-01-02T01:34:05-01:30 x", BASE, b"x"),
        (b"2026-13-02T03:04:05.000000007Z x", None, b"2026-13-02T03:04:05.000000007Z x"),
        (b"no time", None, b"no time"),
        (b"", None, b""),
    ],
)
def test_times_are_read_as_engines_write_them(text: bytes, nanoseconds: int | None, rest: bytes) -> None:
    """Docker in UTC with nine digits, Podman with fewer and in its own zone; what is none stays part of the line."""
    time, start = stamp(text)
    assert (time, text[start:]) == (nanoseconds, rest)


# -- order


@st.composite
def arrivals(draw: st.DrawFn) -> list[tuple[int, list[LogLine]]]:
    """The lines of some replicas, each in its own order, in chunks that come in any order."""
    queues = []
    for source in range(draw(st.integers(1, 4))):
        times = sorted(draw(st.lists(st.integers(0, 3_000_000_000), max_size=12)))
        queues.append([line(time, source, b"%d" % number) for number, time in enumerate(times)])
    order = []
    while any(queues):
        source = draw(st.sampled_from([at for at, queue in enumerate(queues) if queue]))
        count = draw(st.integers(1, 4))
        order.append((source, queues[source][:count]))
        del queues[source][:count]
    return order


@given(arrivals(), st.integers(1, 5))
def test_what_was_said_in_the_past_comes_in_order_and_all_of_it(
    chunks: list[tuple[int, list[LogLine]]], every: int
) -> None:
    """Whatever the chunks: nothing goes out before what is earlier, however long that takes, and nothing is left."""
    merge = Merge()
    sources = {source for source, _ in chunks}
    left = Counter(source for source, _ in chunks)
    for source in sources:
        merge.begin(source)
    out: list[LogLine] = []
    for number, (source, lines) in enumerate(chunks):
        merge.add(source, lines, now=float(number))
        left[source] -= 1
        if not left[source]:
            merge.end(source)
        if number % every == 0:
            out += merge.take(now=float(number))
    out += merge.take(now=1e9)
    assert [one.time for one in out] == sorted(one.time for one in out)
    assert Counter(out) == Counter(one for _, lines in chunks for one in lines)
    assert not any(one.late for one in out)
    assert merge.bytes == 0


@given(arrivals())
def test_lines_that_are_followed_are_all_told_once_and_what_is_late_says_so(
    chunks: list[tuple[int, list[LogLine]]],
) -> None:
    """Without waiting long: what comes over a second after later ones is marked, never dropped."""
    merge = Merge(hold=0.0)
    out: list[LogLine] = []
    for number, (source, lines) in enumerate(chunks):
        merge.begin(source)
        merge.caught_up(source)
        merge.add(source, lines, now=float(number))
        out += merge.take(now=float(number))
    out += merge.take(now=1e9)
    assert Counter((one.source, one.data) for one in out) == Counter(
        (one.source, one.data) for _, lines in chunks for one in lines
    )
    newest = 0
    for one in out:
        assert one.late is (one.time < newest - LATE) or newest - one.time <= LATE
        newest = max(newest, one.time)


def test_a_line_waits_for_the_other_replicas_for_a_moment_only() -> None:
    """What is earlier and comes in that time goes first; a silent replica holds nothing up for longer."""
    merge = Merge(hold=0.2)
    for source in (1, 2):
        merge.begin(source)
        merge.caught_up(source)
    merge.add(1, [line(BASE + 10 * SLACK, 1)], now=0.0)
    assert merge.take(now=0.1) == []
    merge.add(2, [line(BASE, 2)], now=0.15)
    assert [one.source for one in merge.take(now=0.2)] == [2, 1]


def test_what_waits_has_a_bound() -> None:
    """More than that goes on, in whatever order it is, rather than filling the memory."""
    merge = Merge(limit=10_000)
    merge.begin(1)
    merge.caught_up(1)
    merge.begin(2)
    merge.add(1, [line(BASE + at, 1, b"x" * 100) for at in range(100)], now=0.0)
    assert merge.full
    assert not merge.may_read(1)
    assert merge.may_read(2)
    merge.give_up_waiting()
    assert len(merge.take(now=0.0)) == 100


def test_our_own_words_make_no_line_late() -> None:
    """They are said now, and engines' clocks are known no better than to a moment."""
    merge = Merge(hold=0.0)
    merge.add(NOTE, [line(BASE + 5 * LATE, NOTE)], now=0.0)
    assert len(merge.take(now=0.0)) == 1
    merge.add(1, [line(BASE, 1)], now=1.0)
    assert [one.late for one in merge.take(now=1.0)] == [False]


# -- what is kept


@given(st.lists(st.lists(st.integers(0, 300), max_size=20), max_size=20), st.integers(1, 15), st.integers(200, 3_000))
def test_the_newest_lines_are_kept_within_bounds_under_their_numbers(
    batches: list[list[int]], most: int, size: int
) -> None:
    """What is gone is counted; a number always means the same line."""
    ring, every = Ring(lines=most, size=size), list[LogLine]()
    for batch in batches:
        lines = [line(len(every) + at, 0, b"x" * length) for at, length in enumerate(batch)]
        every += lines
        ring.extend(lines)
        assert len(ring) <= most
        assert ring.bytes <= size or len(ring) == 1
        assert ring.bytes == sum(one.size for one in ring.slice(ring.first, ring.end))
        assert ring.end == len(every)
        assert [ring[number] for number in range(ring.first, ring.end)] == every[ring.first :]
        assert ring.slice(0, ring.end) == every[ring.first :]
    with pytest.raises(IndexError):
        ring[ring.end]
    assert not ring.first or ring[ring.first].time == ring.first


def test_while_a_person_reads_what_is_there_stays_and_what_comes_is_counted() -> None:
    """Once the view goes on, a line says how many were skipped, and the newest are kept again."""
    ring = Ring(lines=10)
    ring.held = True
    for begin in range(0, 40, 5):
        ring.extend([line(number) for number in range(begin, begin + 5)])
    assert [one.time for one in ring.slice(0, ring.end)] == list(range(10))
    assert (ring.first, ring.missed, ring.gone) == (0, 30, 30)
    ring.held = False
    ring.extend([line(number) for number in range(40, 45)])
    kept = ring.slice(ring.first, ring.end)
    assert [one.time for one in kept if one.source != NOTE] == [6, 7, 8, 9, 40, 41, 42, 43, 44]
    assert [one.data.decode() for one in kept if one.source == NOTE] == [
        "… 30 lines skipped while the view stood still."
    ]
    assert ring.gone == 30 + 6


@given(
    st.lists(st.integers(0, 1_500), max_size=8), st.integers(1, 3_000), st.integers(-50, 3_000), st.integers(0, 2_000)
)
def test_a_ring_gives_any_part_of_what_it_keeps(counts: list[int], most: int, begin: int, length: int) -> None:
    """However the lines came, and wherever among its chunks the part lies."""
    ring, every = Ring(lines=most), list[LogLine]()
    for count in counts:
        lines = [line(len(every) + number) for number in range(count)]
        every += lines
        ring.extend(lines)
    first = max(0, len(every) - most)
    assert (ring.first, ring.end, len(ring)) == (first, len(every), len(every) - first)
    assert ring.slice(begin, begin + length) == every[max(begin, first) : max(begin + length, 0)]
    assert [ring[number].time for number in range(first, len(every), 97)] == list(range(first, len(every), 97))


def test_the_garbage_collector_does_not_walk_through_the_lines_that_are_kept() -> None:
    """It would, again and again, and the screen would stand still meanwhile."""
    ring = Ring()
    ring.extend([line(number) for number in range(20 * CHUNK)])
    gc.collect()
    assert not any(_of_lines(held) for held in gc.get_objects())
    assert len(ring.slice(0, ring.end)) == 20 * CHUNK


def _of_lines(held: object) -> bool:
    return type(held) in (tuple, list) and len(held) >= CHUNK and isinstance(held[0], LogLine)  # type: ignore[arg-type]
