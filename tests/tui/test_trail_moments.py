"""A time as a person types it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from fleettop.tui.trail.moments import MomentError, parse_moment
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 26, 13, 5, 30, tzinfo=UTC)
"""A Thursday; 14:05:30 in Berlin."""


@pytest.fixture(autouse=True)
def _in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("14:05", "2026-11-26T13:05:00+00:00"),
        ("14:06", "2026-11-25T13:06:00+00:00"),
        (" 2:05 ", "2026-11-26T01:05:00+00:00"),
        ("14:05:30", "2026-11-26T13:05:30+00:00"),
        ("14:05:31", "2026-11-25T13:05:31+00:00"),
        ("yesterday 14:05", "2026-11-25T13:05:00+00:00"),
        ("today 02:00", "2026-11-26T01:00:00+00:00"),
        ("Yesterday", "2026-11-24T23:00:00+00:00"),
        ("mon 14:05", "2026-11-23T13:05:00+00:00"),
        ("Monday  14:05", "2026-11-23T13:05:00+00:00"),
        ("thu 14:05", "2026-11-26T13:05:00+00:00"),
        ("thu 14:06", "2026-11-19T13:06:00+00:00"),
        ("2026-11-25", "2026-11-24T23:00:00+00:00"),
        ("2026-11-25T14:05", "2026-11-25T13:05:00+00:00"),
        ("2026-11-25 14:05:07", "2026-11-25T13:05:07+00:00"),
        ("2026-11-25T14:05Z", "2026-11-25T14:05:00+00:00"),
        ("2026-11-25T14:05:00+05:30", "2026-11-25T08:35:00+00:00"),
        ("2026-07-01T14:05", "2026-07-01T12:05:00+00:00"),
        ("-2h", "2026-11-26T11:05:30+00:00"),
        ("-3d", "2026-11-23T13:05:30+00:00"),
        ("-1h30m", "2026-11-26T11:35:30+00:00"),
        ("- 90s", "2026-11-26T13:04:00+00:00"),
    ],
)
def test_a_time_is_read_as_it_is_meant(text: str, meant: str) -> None:
    """Always in the past, in this machine's own time where it names no other."""
    assert parse_moment(text, NOW) == datetime.fromisoformat(meant)


@pytest.mark.parametrize("text", ["now", "", " NOW "])
def test_now_is_the_present(text: str) -> None:
    """It leads back."""
    assert parse_moment(text, NOW) is None


@pytest.mark.parametrize(
    "text", ["25:00", "14", "noon", "mo 14:05", "-2", "-2y", "2h", "2026-13-01", "14:05 mon", "2026-11-25T", "[/x]"]
)
def test_what_is_no_time_is_refused_in_one_sentence(text: str) -> None:
    """With what can be written instead."""
    with pytest.raises(MomentError, match=r"^'.*' is no time; write one like 14:05, .*\.$"):
        parse_moment(text, NOW)


@pytest.mark.parametrize("text", ["today 14:06", "2026-11-27", "2099-01-01T00:00"])
def test_what_is_still_to_come_is_refused(text: str) -> None:
    """Nobody knows it."""
    with pytest.raises(MomentError, match="is still to come"):
        parse_moment(text, NOW)


@given(st.text(max_size=30) | st.from_regex(r"-?[0-9wdhms: T-]{1,20}", fullmatch=True))
def test_whatever_is_typed_is_a_time_in_the_past_or_refused(text: str) -> None:
    """Nothing else is raised."""
    try:
        moment = parse_moment(text, NOW)
    except MomentError:
        return
    assert moment is None or moment <= NOW
