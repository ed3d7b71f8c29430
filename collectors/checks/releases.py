"""Docker Engine's releases and how long each is looked after, as of a day."""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

AS_OF = date(2026, 8, 22)
"""The day on which the table was true."""
SOURCE = "endoflife.date/docker-engine; moby/moby, project/BRANCHES-AND-TAGS.md"


class Release(NamedTuple):
    """One line of releases: `28`, or before 27 `26.1`."""

    line: str
    latest: str
    """Its newest patch on that day."""
    ends: date | None
    """When it is, or was, looked after no more; None: not announced."""


RELEASES = (
    Release("29", "29.7.2", None),
    Release("28", "28.5.2", date(2026, 5, 13)),
    Release("27", "27.5.1", date(2025, 5, 3)),
    Release("26.1", "26.1.5", date(2025, 2, 17)),
    Release("26.0", "26.0.2", date(2024, 6, 8)),
    Release("25.0", "25.0.17", date(2026, 12, 4)),
    Release("24.0", "24.0.9", date(2024, 6, 8)),
    Release("23.0", "23.0.18", date(2025, 5, 19)),
    Release("20.10", "20.10.27", date(2023, 12, 10)),
    Release("19.03", "19.03.15", date(2021, 1, 8)),
    Release("18.09", "18.09.9", date(2019, 8, 22)),
    Release("18.06", "18.06.3", date(2018, 12, 8)),
    Release("17.12", "17.12.1", date(2018, 2, 10)),
)
"""Newest first. What is older than the last is long over."""

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")


def parts_of(version: str) -> tuple[int, int, int] | None:
    """`(20, 10, 24)` of `20.10.24+dfsg1`; None: that is no version."""
    found = _VERSION.match(version)
    return (int(found[1]), int(found[2]), int(found[3])) if found is not None else None


def release_of(version: str) -> Release | None:
    """The line that a version belongs to; None: it is in none, or is no version."""
    parts = parts_of(version)
    if parts is None:
        return None
    for release in RELEASES:
        numbers = tuple(int(number) for number in release.line.split("."))
        if parts[: len(numbers)] == numbers:
            return release
    return None


def newer_than_known(version: str) -> bool:
    """Whether it came after the table was made."""
    parts, newest = parts_of(version), parts_of(RELEASES[0].latest)
    return parts is not None and newest is not None and parts[0] > newest[0]
