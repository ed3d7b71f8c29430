"""Since when each finding has been there, kept in a file between runs, so that what is new stands out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from .finding import Finding

Identity = tuple[str, str, str, str]
NEW = timedelta(days=1)
"""What was not there this long ago is new."""
FORGOTTEN = timedelta(days=7)
"""What was not found for so long is forgotten, and new when it comes again."""
VERSION = 1


def beside(trail: Path) -> Path:
    """The file, beside the trail that lies in this folder."""
    return trail.with_name(f"{trail.name}-checks.json")


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """Since when a finding is known."""

    first: datetime
    """When it was found first."""
    watched: datetime
    """When its host was first looked at: what was found then may be older."""

    def is_new(self, now: datetime) -> bool | None:
        """Whether it was not there a day ago; None: nobody looked then."""
        if now - self.first >= NEW:
            return False
        return True if self.watched < self.first else None


class Sightings:
    """The findings of each look, by what they are. `file` None: nothing is kept.

    `pretend` says of a finding, when its host is looked at for the first time, since when it has been there: for a
    simulated fleet, which has a past that nobody watched.
    """

    def __init__(
        self, file: Path | None = None, *, pretend: Callable[[Finding, datetime], datetime] | None = None
    ) -> None:
        self.file = file
        self.trouble = ""
        """Why the file could not be read or written; empty: it could."""
        self._pretend = pretend

    def take(self, findings: Iterable[Finding], engines: Collection[str], now: datetime) -> Mapping[Identity, Sighting]:
        """Take note of a look at these engines, and tell since when each finding is known. Reads and writes the file.

        Never raises: without the file everything was found first now.
        """
        moment = int(now.timestamp())
        before = moment - int(FORGOTTEN.total_seconds())
        watched, seen = self._read()
        found: dict[Identity, Sighting] = {}
        for finding in findings:
            identity = finding.identity
            since = watched.get(finding.engine, moment)
            first = seen.get(identity, (moment, moment))[0]
            if self._pretend is not None and finding.engine not in watched:
                since, first = before, int(self._pretend(finding, now).timestamp())
            seen[identity] = (first, moment)
            found[identity] = Sighting(first=_moment(min(first, moment)), watched=_moment(min(since, moment)))
        for engine in engines:
            watched.setdefault(engine, moment if self._pretend is None else before)
        self._write(watched, {key: times for key, times in seen.items() if times[1] > before})
        return found

    # -- the file

    def _read(self) -> tuple[dict[str, int], dict[Identity, tuple[int, int]]]:
        if self.file is None:
            return {}, {}
        try:
            kept = json.loads(self.file.read_bytes())
            watched = {str(name): int(at) for name, at in kept["watched"].items()}
            seen = {_identity(row): (int(row[4]), int(row[5])) for row in kept["seen"]}
        except FileNotFoundError:
            return {}, {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            self.trouble = f"{self.file} cannot be read ({type(error).__name__}): what is new is not known"
            return {}, {}
        return watched, seen

    def _write(self, watched: Mapping[str, int], seen: Mapping[Identity, tuple[int, int]]) -> None:
        if self.file is None:
            return
        rows = [[*identity, *times] for identity, times in seen.items()]
        kept = {"version": VERSION, "watched": dict(watched), "seen": rows}
        aside = self.file.with_name(f".{self.file.name}-{uuid4().hex[:8]}")
        try:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                out.write(json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode())
            aside.replace(self.file)
        except OSError as error:
            self.trouble = f"{self.file} cannot be written ({error.strerror}): what is new tomorrow will not be known"
            with suppress(OSError):
                aside.unlink(missing_ok=True)


def _identity(row: list[Any]) -> Identity:
    check, engine, kind, name = map(str, row[:4])
    return check, engine, kind, name


@lru_cache(maxsize=256)
def _moment(seconds: int) -> datetime:
    """Most findings were seen first at one of a few looks."""
    return datetime.fromtimestamp(seconds, UTC)
