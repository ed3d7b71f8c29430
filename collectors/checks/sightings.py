"""Since when each finding has been there, kept in a file between runs, so that what is new stands out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
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
        watched, seen = self._read()
        found: dict[Identity, Sighting] = {}
        for finding in findings:
            identity = finding.identity
            since = watched.get(finding.engine)
            if since is None and self._pretend is not None:
                first = self._pretend(finding, now)
                since = now - FORGOTTEN
            else:
                first = seen.get(identity, (now, now))[0]
            seen[identity] = (first, now)
            found[identity] = Sighting(first=min(first, now), watched=min(since or now, now))
        for engine in engines:
            watched.setdefault(engine, now - FORGOTTEN if self._pretend is not None else now)
        self._write(watched, {key: times for key, times in seen.items() if now - times[1] < FORGOTTEN})
        return found

    # -- the file

    def _read(self) -> tuple[dict[str, datetime], dict[Identity, tuple[datetime, datetime]]]:
        if self.file is None:
            return {}, {}
        try:
            kept = json.loads(self.file.read_bytes())
            watched = {str(name): datetime.fromisoformat(at) for name, at in kept["watched"].items()}
            seen = {_identity(row): _times(row) for row in kept["seen"]}
        except FileNotFoundError:
            return {}, {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            self.trouble = f"{self.file} cannot be read ({type(error).__name__}): what is new is not known"
            return {}, {}
        return watched, seen

    def _write(self, watched: Mapping[str, datetime], seen: Mapping[Identity, tuple[datetime, datetime]]) -> None:
        if self.file is None:
            return
        rows = [[*identity, first.isoformat(), last.isoformat()] for identity, (first, last) in sorted(seen.items())]
        kept = {"version": VERSION, "watched": {name: at.isoformat() for name, at in watched.items()}, "seen": rows}
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


def _times(row: list[Any]) -> tuple[datetime, datetime]:
    first, last = (datetime.fromisoformat(text) for text in row[4:6])
    if first.tzinfo is None or last.tzinfo is None:
        raise ValueError("a time has no zone")
    return first, last
