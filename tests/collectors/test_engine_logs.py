"""A container's last lines, whichever way the engine frames them and however the bytes arrive."""

from __future__ import annotations

from fleettop.collectors.engine.logs import LINE_LIMIT, LastLines
from hypothesis import given
from hypothesis import strategies as st


def frame(stream: int, text: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(text).to_bytes(4, "big") + text


def pieces(body: bytes, sizes: list[int]) -> list[bytes]:
    """The body in chunks of these sizes, again and again."""
    result = []
    turn = 0
    while body:
        size = sizes[turn % len(sizes)]
        result.append(body[:size])
        body = body[size:]
        turn += 1
    return result


def lines(
    body: bytes, count: int = 100, sizes: list[int] | None = None, multiplexed: bool | None = None
) -> tuple[str, ...]:
    last = LastLines(count, multiplexed=multiplexed)
    for piece in pieces(body, sizes or [len(body) or 1]):
        last.feed(piece)
    return last.lines()


LINE = st.binary(max_size=12).filter(lambda line: b"\n" not in line)
SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=4)


@given(st.lists(st.tuples(st.sampled_from([1, 2]), LINE)), SIZES)
def test_frames_are_put_together_however_they_are_cut(written: list[tuple[int, bytes]], sizes: list[int]) -> None:
    """The header itself may come in two chunks."""
    body = b"".join(frame(stream, line + b"\n") for stream, line in written)
    assert lines(body, sizes=sizes) == tuple(line.decode("utf-8", "replace") for _, line in written)


@given(st.text(st.characters(categories=["L", "N"]), min_size=4, max_size=4), st.lists(LINE), SIZES)
def test_the_output_of_a_tty_has_no_frames(first: str, rest: list[bytes], sizes: list[int]) -> None:
    """Told by the first bytes; the last line need not be ended."""
    body = b"\n".join([first.encode(), *rest])
    expected = [line.decode("utf-8", "replace") for line in body.split(b"\n")]
    if not rest or not rest[-1]:
        expected = expected if expected[-1] else expected[:-1]
    assert lines(body, sizes=sizes) == tuple(expected)


def test_a_line_in_two_frames_is_one_line_and_streams_do_not_mix() -> None:
    """Docker cuts lines over 16 KB into frames."""
    body = frame(1, b"first half, ") + frame(2, b"error\n") + frame(1, b"second half\n")
    assert lines(body) == ("error", "first half, second half")


def test_only_the_last_lines_are_kept() -> None:
    """And only so much of each."""
    assert lines(b"".join(b"line %d\n" % n for n in range(1000)), count=2) == ("line 998", "line 999")
    assert len(lines(b"x" * (LINE_LIMIT * 3) + b"\nend\n", sizes=[10_000])[0]) == LINE_LIMIT


def test_a_frame_that_never_ends_and_a_header_cut_off_break_nothing() -> None:
    """What came is told."""
    assert lines(frame(1, b"whole\n") + b"\x01\0\0\0\xff\xff\xff\xffcut") == ("whole", "cut")
    assert lines(b"\x01\0\0") == ("\x01\0\0",)
    assert lines(b"\x01\0\0\0\0") == ()
    assert lines(b"") == ()


def test_what_the_engine_says_of_the_framing_counts_more_than_the_bytes() -> None:
    """From API 1.42 on the content type tells."""
    assert lines(frame(1, b"x\n"), multiplexed=True) == ("x",)
    assert lines(frame(1, b"x\n"), multiplexed=False) == ("\x01\0\0\0\0\0\0\x02x",)
