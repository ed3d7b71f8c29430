"""Time, passed in wherever it matters so that tests own it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec


class Clock(Protocol):
    """Where the time comes from: the wall for what is shown and kept, monotonic for ages."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump; only differences mean anything."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never jump; counts the time a laptop sleeps where the platform can (CLOCK_BOOTTIME)."""
        return _monotonic()


_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", None)
# Linux's CLOCK_MONOTONIC stands still while suspended (clock_gettime(2)): ages would look young after a sleep.


def _monotonic() -> float:
    return time.clock_gettime(_BOOTTIME) if _BOOTTIME is not None else time.monotonic()


class ManualClock(msgspec.Struct):
    """A clock for tests: stands still until moved."""

    wall: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    seconds: float = 1000.0

    def now(self) -> datetime:
        """The wall clock as last set."""
        return self.wall

    def monotonic(self) -> float:
        """The monotonic clock as last set."""
        return self.seconds

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass on both clocks."""
        self.wall += timedelta(seconds=seconds)
        self.seconds += seconds


def nanoseconds(moment: datetime) -> int:
    """Unix time in nanoseconds, as an engine counts `timeNano`; exact to the microsecond."""
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000
