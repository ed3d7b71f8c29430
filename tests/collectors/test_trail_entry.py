"""The canonical form of a line, and its hash."""

from __future__ import annotations

import hashlib
import json

import msgspec
import pytest
from fleettop.collectors.trail.entry import Entry, canonical, chained, moment, nanos, parse, stamp, stamp_of
from hypothesis import given, settings
from hypothesis import strategies as st

from .trail_entries import T0, any_entry, line


@given(any_entry())
def test_the_canonical_form_is_what_plain_json_gives_anywhere(entry: Entry) -> None:
    """Keys sorted, no white space, UTF-8 as it is: nothing but the standard library is needed to check a hash."""
    body = canonical(entry)
    plain = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert body == plain.encode()


@given(any_entry())
def test_a_line_read_back_is_the_line_written(entry: Entry) -> None:
    """Nothing is lost in the canonical form, and it is the only form of that line."""
    assert parse(canonical(entry)) == entry
    assert canonical(parse(canonical(entry))) == canonical(entry)


@settings(max_examples=300)
@given(st.dictionaries(st.characters(codec="utf-8"), st.text(st.characters(codec="utf-8")), max_size=8))
def test_any_text_has_one_canonical_form(attributes: dict[str, str]) -> None:
    """Quotes, controls, characters outside the basic plane: sorted and escaped as plain JSON does it."""
    body = msgspec.json.encode(attributes, order="sorted")
    assert body == json.dumps(attributes, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@given(st.integers(0, 4_000_000_000 * 10**9))
def test_times_keep_their_nanoseconds(time: int) -> None:
    """A time written and read is the same, and the moment it stands for is it to the microsecond."""
    assert nanos(stamp(time)) == time
    assert nanos(stamp_of(moment(stamp(time)))) // 1000 == time // 1000


@pytest.mark.parametrize("text", ["", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000000000+", "x" * 30])
def test_what_is_no_time_of_the_trail_is_refused(text: str) -> None:
    """Only UTC with nine digits: one way to write a time."""
    with pytest.raises(ValueError):  # noqa: PT011 - whatever its words
        nanos(text)


def test_a_hash_covers_number_predecessor_and_content() -> None:
    """Changing any of the three changes it; it is sha256 over the three, a line each."""
    body = canonical(line("one-1"))
    plain = hashlib.sha256(b"7\n" + b"a" * 64 + b"\n" + body).hexdigest()
    assert chained(7, "a" * 64, body) == plain
    others = {chained(8, "a" * 64, body), chained(7, "b" * 64, body), chained(7, "a" * 64, body + b" ")}
    assert plain not in others
    assert len(others) == 3


def test_fields_that_say_nothing_are_left_out() -> None:
    """A short record is short."""
    assert set(json.loads(canonical(line("one-1", T0)))) == {"thread", "kind", "at", "seen", "instance"}
