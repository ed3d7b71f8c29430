"""Keeping a recording in a file, of bounded size, for its owner's eyes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from threading import Lock
from uuid import uuid4

from ..address import EngineAddress
from ..clock import Clock
from ..errors import ConfigError
from ..model import Change, Confirmed, LoginsSeen, Record, Usage, UsageSeen
from ..services.places import ServiceRule
from .lines import Header, Line, Masks, RecordingError, Remembered, TakenUp, decode_header, encode, engines_of
from .picture import Picture, thinned

EVERY = 900.0
"""Seconds between two whole pictures: what a jump to a time has to read at most, beside the one before it."""
PACE = 1.0
"""Seconds between two writes."""
FIGURES = 30.0
"""Seconds between two sets of figures of an engine; the newest of each container are kept."""
ANSWERS = 10.0
"""Seconds between two times that it is kept that an engine answered; 15 would look late."""
MOST = 512 * 1024**2
"""Bytes of the file and the one before it together."""
WAITING = 32 * 1024**2
"""Bytes that may wait for a slow disk; beyond that, what waits is given up and a new picture begins."""


class SnapshotFile:
    """Takes in all that is told, and appends it to a file once a second.

    When the file has half of `most` bytes it becomes `FILE.1`, in the place of an older one, and a new one begins with
    a whole picture. Raises ConfigError where the file cannot be written, or is something else.
    """

    def __init__(
        self,
        path: Path,
        addresses: Sequence[EngineAddress],
        *,
        rules: Sequence[ServiceRule] = (),
        declared_by: Sequence[str] = (),
        clock: Clock,
        most: int = MOST,
    ) -> None:
        self.trouble = ""
        """Why it cannot be written at the moment."""
        self.on_trouble: Callable[[], None] | None = None
        self._path = path
        self._before = path.with_name(f"{path.name}.1")
        self._head = (engines_of(addresses), tuple(rules), tuple(declared_by))
        self._clock = clock
        self._most = most
        self._run = uuid4().hex
        self._picture = Picture(clock)
        self._masks = Masks()
        self._waiting: list[bytes] = []
        self._bytes = 0
        self._pictured: float | None = None
        self._usage: dict[str, dict[str, Usage]] = {}
        self._figures_at: dict[str, float] = {}
        self._answered_at: dict[str, float] = {}
        self._one_at_a_time = Lock()  # a write goes on in its thread when who waited for it was cancelled
        self._size = _open_for_trial(path)

    def take(self, change: Change) -> None:
        """Something was told. Logins are left out: they are of persons, and belong to records of this process."""
        if isinstance(change, LoginsSeen):
            return
        now = self._clock.monotonic()
        change = self._masks.clean(change)
        known = self._picture.known(change.engine)
        for less in thinned(change, known):
            if self._due(less, now):
                self._put(less)
        self._picture.take(Line(t=self._clock.now().timestamp(), m=now, c=change))
        for engine, usage in tuple(self._usage.items()):
            if now - self._figures_at.get(engine, 0.0) >= FIGURES:
                del self._usage[engine]
                self._figures_at[engine] = now
                self._put(UsageSeen(engine=engine, usage=usage))

    def remember(self, records: Sequence[Record], events: Mapping[str, str]) -> None:
        """The trail told of these, written by another process or before this one."""
        self._recall(Remembered(records=tuple(records), events=events))

    def take_up(self, key: str, end: datetime | None) -> None:
        """What comes of this intent is known to come of it."""
        self._recall(TakenUp(key=key, end=end))

    def _recall(self, told: Remembered | TakenUp) -> None:
        self._put(told)
        self._picture.take(Line(t=self._clock.now().timestamp(), m=self._clock.monotonic(), c=told))

    def _due(self, change: Change, now: float) -> bool:
        if isinstance(change, UsageSeen):
            self._usage.setdefault(change.engine, {}).update(change.usage)
            return False
        if isinstance(change, Confirmed):
            if now - self._answered_at.get(change.engine, -ANSWERS) < ANSWERS - 1:
                return False
            self._answered_at[change.engine] = now
        return True

    def _put(self, change: Change | Remembered | TakenUp) -> None:
        if self._pictured is None:
            return  # the next picture holds it
        text = encode(Line(t=self._clock.now().timestamp(), m=self._clock.monotonic(), c=change))
        self._waiting.append(text)
        self._bytes += len(text)
        if self._bytes > WAITING:
            self._give_up()

    def _give_up(self) -> None:
        self._waiting, self._bytes, self._pictured = [], 0, None
        self._run = uuid4().hex  # what comes next does not go on from what is in the file

    async def run(self) -> None:
        """Write for ever; a disk that is full or gone is said, and tried again."""
        while True:
            await self.write()
            await asyncio.sleep(PACE)

    async def write(self) -> None:
        """Write what waits, with a picture before it where one is due."""
        now = self._clock.monotonic()
        full = self._size >= self._most // 2
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        picture: list[Header | Line] = []
        if self._pictured is None or now - self._pictured >= EVERY or full:
            picture, self._pictured = self._whole(now), now
        if not waiting and not picture:
            return
        try:
            self._size = await asyncio.to_thread(self._append, b"".join(waiting), picture, anew=full)
        except OSError as error:
            self._give_up()
            self._say(error.strerror or str(error))
        else:
            self._say("")

    def _whole(self, now: float) -> list[Header | Line]:
        lines = self._picture.lines()
        engines, rules, declared_by = self._head
        header = Header(
            run=self._run,
            t=self._clock.now().timestamp(),
            m=now,
            past=len(lines),
            engines=engines,
            rules=rules,
            declared_by=declared_by,
        )
        return [header, *lines]

    def _append(self, waiting: bytes, whole: Sequence[Header | Line], *, anew: bool) -> int:
        picture = b"".join(map(encode, whole))  # here and not in the loop: of a large fleet it takes half a second
        with self._one_at_a_time:
            if not anew:
                return self._write(waiting + picture)
            self._write(waiting)
            self._path.replace(self._before)
            return self._write(picture)

    def _write(self, text: bytes) -> int:
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "ab") as file:
            file.write(text)
            return file.tell()

    def _say(self, trouble: str) -> None:
        changed, self.trouble = trouble != self.trouble, trouble
        if changed and self.on_trouble is not None:
            self.on_trouble()


def _open_for_trial(path: Path) -> int:
    """See that it can be written and is ours, or new; its size. A line that was cut off gets its end."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise ConfigError(f"{path} is no plain file.", hint="Name a plain file for the recording.")
    try:
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(0)
                decode_header(file.readline())
                file.seek(size - 1)
                if file.read(1) != b"\n":
                    file.write(b"\n")
                os.fchmod(file.fileno(), 0o600)
            return size
    except RecordingError as error:
        raise ConfigError(f"{path} is there and cannot be gone on with. {error}", hint="Name another file.") from error
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror or error}.", hint="Name a file in a folder you can write to."
        ) from error
