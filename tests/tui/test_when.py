"""Moments as they are written on the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from fleettop.collectors.errors import ConfigError
from fleettop.tui.commands.when import nanoseconds, parse_when

NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
EAST = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90m", datetime(2026, 1, 2, 10, 30, tzinfo=UTC)),
        ("2d", datetime(2025, 12, 31, 12, 0, tzinfo=UTC)),
        ("14:30", datetime(2026, 1, 2, 12, 30, tzinfo=UTC)),
        ("2026-01-02", datetime(2026, 1, 1, 22, 0, tzinfo=UTC)),
        ("2026-01-02T03:04", datetime(2026, 1, 2, 1, 4, tzinfo=UTC)),
        ("2026-01-02 03:04:05.5", datetime(2026, 1, 2, 1, 4, 5, 500_000, tzinfo=UTC)),
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_span_a_time_a_date_or_both(text: str, moment: datetime) -> None:
    """Without a zone it is this machine's; a time alone is today's, a date alone its first moment."""
    assert parse_when(text, option="--since", now=NOW, zone=EAST) == moment


def test_no_text_is_no_moment() -> None:
    """Not the beginning of time, and not now."""
    assert parse_when("", option="--since") is None
    assert nanoseconds(None) is None


@pytest.mark.parametrize("text", ["soon", "25:00", "2026-13-01", "-1h", "1h ago", ":"])
def test_what_is_no_moment_is_refused_with_examples(text: str) -> None:
    """One sentence that names the option, and four ways to write it."""
    with pytest.raises(ConfigError, match=r"--until .* is neither a span nor a time\.") as refused:
        parse_when(text, option="--until", now=NOW)
    assert "--until 14:30" in refused.value.hint


def test_a_span_longer_than_time_itself_is_the_beginning_of_time() -> None:
    """No crash on a number that no calendar has."""
    long_ago = parse_when("999999999w", option="--since", now=NOW)
    assert long_ago is not None
    assert long_ago.year == 1


def test_nanoseconds_are_exact_to_the_microsecond() -> None:
    """Never by way of a float, which has no room for them."""
    assert nanoseconds(datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)) == 1767323045_678_901_000
