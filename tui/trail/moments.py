"""A time as a person types it: `14:05`, `yesterday 14:05`, `mon 14:05`, `2026-11-25T14:05`, `-2h`, `now`."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from fleettop.collectors.errors import FleetError

EXAMPLES = "14:05, yesterday 14:05, mon 14:05, 2026-11-25T14:05, -2h, -3d, now"
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_BACK = re.compile(r"-\s*((?:\d{1,6}[smhdw])+)")
_PART = re.compile(r"(\d+)([smhdw])")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_DATED = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[t\s]+(\S+?))?(z|[+-]\d{2}:?\d{2})?", re.IGNORECASE)
_NAMED = re.compile(r"([a-z]+)(?:\s+(\S+))?")


class MomentError(FleetError):
    """No time can be read there, in one sentence."""


def parse_moment(text: str, now: datetime) -> datetime | None:
    """The moment that is meant, in the past; None: now. Times of day are those of this machine.

    A time alone is the last time it was so late, a weekday the last such day. Raises MomentError.
    """
    said = " ".join(text.lower().split())
    if said in ("", "now", "live"):
        return None
    moment = _read(said, now)
    if moment is None:
        raise MomentError(f"{text.strip()!r} is no time; write one like {EXAMPLES}.")
    if moment > now:
        raise MomentError(f"{text.strip()!r} is still to come; the trail only knows what was.")
    return moment


def _read(said: str, now: datetime) -> datetime | None:
    local = now.astimezone()
    try:
        if back := _BACK.fullmatch(said):
            seconds = sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(back.group(1)))
            return now - timedelta(seconds=seconds)
        if _CLOCK.fullmatch(said):
            return _latest(local, _clock(said), timedelta(days=1), local.date())
        if dated := _DATED.fullmatch(said):
            clock = _clock(dated.group(2) or "00:00")
            zone = dated.group(3)
            if zone:
                return datetime.fromisoformat(f"{dated.group(1)}T{clock.isoformat()}{zone.upper()}")
            return datetime.combine(date.fromisoformat(dated.group(1)), clock).astimezone()
        if named := _NAMED.fullmatch(said):
            return _on_day(named.group(1), _clock(named.group(2) or "00:00"), local)
    except (ValueError, OverflowError):
        pass
    return None


def _on_day(name: str, clock: time, local: datetime) -> datetime | None:
    if name in ("today", "yesterday"):
        day = local.date() - timedelta(days=int(name == "yesterday"))
        return datetime.combine(day, clock).astimezone()
    for number, full in enumerate(_DAYS):
        if len(name) >= 3 and full.startswith(name):
            day = local.date() - timedelta(days=(local.weekday() - number) % 7)
            return _latest(local, clock, timedelta(days=7), day)
    return None


def _latest(local: datetime, clock: time, period: timedelta, day: date) -> datetime:
    moment = datetime.combine(day, clock).astimezone()
    return moment if moment <= local else datetime.combine(day - period, clock).astimezone()


def _clock(text: str) -> time:
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueError(text)
    hour, minute, second = match.groups()
    return time(int(hour), int(minute), int(second or 0))
