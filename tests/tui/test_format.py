"""Values as short text."""

from __future__ import annotations

import pytest
from fleettop.tui import format as fmt
from fleettop.tui.glyphs import ASCII, SERVICE_STATES, STATE_OF_WORD, UNICODE, Glyphs, state_glyph, state_of
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "–"),
        (0, "0B"),
        (999, "999B"),
        (1000, "1.0K"),
        (1536, "1.5K"),
        (310 * 1024**2, "310M"),
        (1.2 * 1024**3, "1.2G"),
        (9.96 * 1024**3, "10G"),
        (999.6 * 1024**3, "1.0T"),
    ],
)
def test_bytes_take_at_most_four_characters(amount: float | None, text: str) -> None:
    """In steps of 1024, and a dash where it is not known."""
    assert fmt.units(amount) == text
    assert len(text) <= 4


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.0, "0%"), (0.01, "<.1%"), (0.4, "0.4%"), (0.96, "1%"), (12.4, "12%"), (250.0, "250%")],
)
def test_a_percentage_that_is_not_nothing_is_not_shown_as_nothing(value: float | None, text: str) -> None:
    """0% is only said where it is 0."""
    assert fmt.percent(value) == text


@pytest.mark.parametrize(
    ("seconds", "text", "short"),
    [
        (None, "–", "–"),
        (0, "0s", "0s"),
        (252, "4m 12s", "4m"),
        (3 * 3600 + 300, "3h 5m", "3h"),
        (12 * 86400, "12d", "12d"),
    ],
)
def test_an_age_has_two_parts_at_most(seconds: float | None, text: str, short: str) -> None:
    """And one in narrow columns."""
    assert fmt.age(seconds) == text
    assert fmt.age_short(seconds) == short


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "–"), (0.0004, "0.4 ms"), (0.023, "23 ms"), (0.9999, "1.0 s"), (1.24, "1.2 s")]
)
def test_a_round_trip_is_in_milliseconds_until_it_is_a_second(seconds: float | None, text: str) -> None:
    """The unit is one that can be read at a glance."""
    assert fmt.latency(seconds) == text


def test_rates_and_counts_are_a_dash_where_not_known() -> None:
    """None is never 0."""
    assert (fmt.rate(None), fmt.number(None)) == ("–", "–")
    assert fmt.rate(12 * 1024) == "12K/s"
    assert fmt.number(0) == "0"
    assert fmt.units(None, ASCII) == "-"


@pytest.mark.parametrize(
    ("names", "width", "text"),
    [
        ((), 10, ""),
        (("db-1",), 10, "db-1"),
        (("db-1", "db-2", "db-3"), 14, "db-1 db-2 db-3"),
        (("web-1", "web-2", "db-1"), 15, "web-1 web-2 +1"),
        (tuple(f"web-{n}" for n in range(1, 7)), 16, "web-1 … web-6"),
        (tuple(f"web-{n}" for n in (1, 2, 4, 5)), 16, "web-1 web-2 +2"),
        (("a-very-long-name", "b"), 10, "a-v…ame +1"),
    ],
)
def test_hosts_are_as_many_as_fit_and_the_rest_is_counted(names: tuple[str, ...], width: int, text: str) -> None:
    """An unbroken run is its first and its last."""
    assert fmt.hosts(names, width) == text


def test_a_name_too_long_is_cut_where_it_tells_least() -> None:
    """At the end, or in the middle so that both ends can be read; never through a wide character."""
    assert fmt.cut("pay-api-gateway-2", 9) == "pay-api-…"
    assert fmt.cut("pay-api-gateway-2", 9, "middle") == "pay-…ay-2"
    assert fmt.cut("日本語です", 6) == "日本…"
    assert fmt.cut("日本語です", 6, "middle") == "日…す"
    assert fmt.cut("cafe\u0301 au lait", 5) == "cafe\u0301…"
    assert fmt.cut("pay-api", 4, "end", ASCII) == "pay>"
    assert fmt.cut("pay", 0) == ""


@given(texts, st.integers(0, 20), st.sampled_from(["end", "middle"]))
def test_what_is_cut_is_never_wider_than_its_room(text: str, width: int, where: str) -> None:
    """Whatever the characters, and what fits stays as it is."""
    cut = fmt.cut(text, width, "middle" if where == "middle" else "end")
    assert cell_len(cut) <= width
    if cell_len(text) <= width:
        assert cut == text


@given(texts.filter(str.isprintable), st.integers(0, 30), st.sampled_from(["left", "right"]))
def test_what_is_filled_up_is_exactly_as_wide_as_its_room(text: str, width: int, align: str) -> None:
    """Numbers end in the same column, whatever stands before them."""
    room = max(width, cell_len(text))
    padded = fmt.pad(text, room, "right" if align == "right" else "left")
    assert cell_len(padded) == room
    assert padded.endswith(text) if align == "right" else padded.startswith(text)


@given(st.lists(texts.filter(lambda name: name and " " not in name), max_size=8), st.integers(4, 40))
def test_hosts_never_take_more_than_their_room(names: list[str], width: int) -> None:
    """Whatever they are called."""
    assert cell_len(fmt.hosts(names, width)) <= width


@given(st.lists(st.none() | st.floats(0, 1e9), max_size=30), st.integers(0, 20), st.sampled_from([UNICODE, ASCII]))
def test_a_sparkline_is_exactly_as_wide_as_asked(values: list[float | None], width: int, glyphs: Glyphs) -> None:
    """And what is not known is blank, not low."""
    line = fmt.sparkline(values, width, glyphs=glyphs)
    assert len(line) == width
    shown = values[-width:] if width else []
    for value, sign in zip(reversed(shown), reversed(line), strict=False):
        assert (sign == " ") == (value is None)


def test_a_sparkline_rises_with_its_values() -> None:
    """The highest value is the highest step, 0 the lowest."""
    assert fmt.sparkline([0, None, 4, 8], 4) == "▁ ▅█"
    assert fmt.sparkline([1, 2], 4, top=100) == "  ▁▁"


def test_a_bar_is_full_at_one_and_shows_the_least_there_is() -> None:
    """Unknown is a dash."""
    assert fmt.bar(1.0, 4) == "████"
    assert fmt.bar(0.001, 4) == "█░░░"
    assert fmt.bar(0.0, 4) == "░░░░"
    assert fmt.bar(2.0, 4, ASCII) == "####"
    assert fmt.bar(None, 4) == "–   "


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_every_state_has_a_sign_of_its_own_one_cell_wide(glyphs: Glyphs) -> None:
    """State is never told by colour alone."""
    signs = [state_glyph(state, glyphs) for state in SERVICE_STATES]
    assert len(set(signs)) == len(SERVICE_STATES)
    assert all(cell_len(sign) == 1 for sign in signs)
    assert all(sign.isascii() for sign in signs) == glyphs.ascii


def test_the_ascii_set_is_ascii() -> None:
    """A terminal without UTF-8 gets nothing else."""
    for name in ASCII.__struct_fields__:
        value = getattr(ASCII, name)
        for text in value.values() if isinstance(value, dict) else [value]:
            assert isinstance(text, bool) or text.isascii()


def test_a_word_that_is_none_of_ours_is_shown_as_unknown() -> None:
    """A new state of a newer engine is not fine, and not a crash."""
    assert state_of("levitating") == "unknown"
    assert {state_of(word) for word in STATE_OF_WORD} == set(SERVICE_STATES)
