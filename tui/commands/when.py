"""Moments as a person writes them on the command line: a span before now, a time of today, a date, or both."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from fleettop.collectors import clock
from fleettop.collectors.config.durations import parse_duration
from fleettop.collectors.errors import ConfigError


def parse_when(text: str, *, option: str, now: datetime | None = None, zone: tzinfo | None = None) -> datetime | None:
    """The moment that is meant, in UTC; None: no text. `zone` None: this machine's.

    A date is its first moment, a time without a date is today's. Raises ConfigError in one sentence.
    """
    if not text:
        return None
    now = now or datetime.now(UTC)
    moment = _span(text, now) or _time(text, now, zone) or _date(text, zone)
    if moment is None:
        raise ConfigError(
            f"{option} {text!r} is neither a span nor a time.",
            hint=f"Write {option} 1h, {option} 14:30, {option} 2026-01-02 or {option} 2026-01-02T03:04.",
        )
    return moment


def nanoseconds(moment: datetime | None) -> int | None:
    """Unix nanoseconds; None stays None."""
    return None if moment is None else clock.nanoseconds(moment)


def _span(text: str, now: datetime) -> datetime | None:
    try:
        return now - timedelta(seconds=parse_duration(text))
    except ConfigError:
        return None
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def _time(text: str, now: datetime, zone: tzinfo | None) -> datetime | None:
    try:
        at = time.fromisoformat(text) if ":" in text else None
    except ValueError:
        return None
    if at is None:
        return None
    today = now.astimezone(at.tzinfo or zone).date()
    return _utc(datetime.combine(today, at), zone)


def _date(text: str, zone: tzinfo | None) -> datetime | None:
    try:
        return _utc(datetime.combine(date.fromisoformat(text), time()), zone)
    except ValueError:
        pass
    try:
        return _utc(datetime.fromisoformat(text), zone)
    except ValueError:
        return None


def _utc(moment: datetime, zone: tzinfo | None) -> datetime:
    if moment.tzinfo is None and zone is not None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)
