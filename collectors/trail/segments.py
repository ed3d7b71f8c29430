"""The trail as a folder of SQLite files, each a stretch of one chain, that several programs write at once."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import RLock, Thread
from typing import TypeVar

import msgspec

from ..errors import StoreLocked, TrailError
from .adding import Adding, Incoming, Places, ready
from .derived import GRAIN, packed
from .entry import GENESIS, Entry, parse
from .folder import Folder
from .marks import Marks
from .notes import continued
from .pages import line_of, page
from .segment import PAGE_SIZE, About, Damaged, Segment, broken, connect, create, end, explained, salvage, seal, unite
from .shelf import Shelf, Skipped
from .store import Head, Line, Mark, Place, Query

SEGMENT_SIZE = 256 << 20
PIECE = 512
"""Lines read at once, and written at once before others get a turn."""
TRIES = 20
RECENT = 8
"""Segments among which one may have been left unsealed."""

T = TypeVar("T")


class SegmentStore:
    """A `Store` in a folder. Safe for several threads; `read_only`: makes and changes nothing."""

    def __init__(
        self,
        path: Path,
        *,
        instance: str = "",
        now: Callable[[], int] = time.time_ns,
        segment_size: int = SEGMENT_SIZE,
        patience: float = 5.0,
        read_only: bool = False,
    ) -> None:
        """Raises TrailError where the folder cannot be used. `patience`: seconds to wait for other writers."""
        self.folder = Folder(path)
        self.instance = instance
        self._now = now
        self._segment_size = segment_size
        self._patience = patience
        self._writing = RLock()
        self._current: Segment | None = None
        self._file = 0
        self._places = Places()
        self._end: tuple[int, str] = (0, GENESIS)
        """The last line that this program saw or wrote."""
        self.shelf = Shelf(self.folder, patience)
        self._marks = Marks(self.folder, patience)
        self._read_only = read_only
        self._sealing: list[Thread] = []
        if read_only:
            self.folder.look()
        else:
            self.folder.prepare()
            with self._writing:
                self._tidy()
                self._explaining(self._find_current)

    # -- writing

    def append(self, entries: Sequence[Entry]) -> tuple[int, ...]:
        """Add lines, all or none of them. Raises StoreFull, StoreLocked, TrailError; ValueError for no entry at all."""
        if self._read_only:
            raise TrailError("The trail was opened for reading only", hint="Open it for writing.")
        batch = [ready(entry) for entry in entries]
        if not batch:
            return ()
        with self._writing:
            for _ in range(TRIES):
                numbers = self._explaining(partial(self._append, batch))
                if numbers is not None:
                    return tuple(numbers)
        raise TrailError(f"The trail in {self.folder.path} changes too quickly", hint="Try again.")

    def _append(self, batch: Sequence[Incoming]) -> list[int] | None:
        """Into the current segment. None: that was sealed or left by somebody; try again."""
        segment = self._current or self._find_current()
        sql = segment.sql
        sql.execute("BEGIN IMMEDIATE")
        try:
            current = self._is_current(segment)
            if current and self._is_full(segment):
                self._end_segment(segment)
                current = False
            if not current:
                self._leave()
                return None
            seq, digest = segment.last() or (segment.about.after_seq, segment.about.after_hash)
            adding = Adding(segment, self.shelf, self._places)
            numbers = adding.add(batch, seq, digest)
            sql.execute("COMMIT")
        except BaseException:
            segment.names.clear()
            with suppress(sqlite3.Error):
                sql.execute("ROLLBACK")
            raise
        self._end = adding.end or (seq, digest)
        return numbers

    def _is_current(self, segment: Segment) -> bool:
        """Whether it is still the file to write: there, not sealed, and none after it. Inside a transaction."""
        try:
            here = segment.path.stat().st_ino == self._file
        except FileNotFoundError:
            here = False
        if not here or self.folder.file(segment.number + 1).exists():
            return False
        (sealed,) = segment.sql.execute("SELECT sealed FROM segment").fetchone() or (1,)
        return not sealed

    def _is_full(self, segment: Segment) -> bool:
        (pages,) = segment.sql.execute("PRAGMA page_count").fetchone()
        return bool(pages * PAGE_SIZE >= self._segment_size) and segment.last() is not None

    def _end_segment(self, segment: Segment) -> None:
        """No line comes into it any more; it is indexed beside the writing of the next."""
        end(segment.sql)
        segment.sql.execute("COMMIT")
        self._seal(segment.number)

    def _seal(self, number: int) -> None:
        def work() -> None:
            seal(self.folder.file(number), self._patience)
            with self.shelf.lock:  # nobody of this program reads it meanwhile
                self.shelf.release(number)
                unite(self.folder.file(number))

        self._sealing = [thread for thread in self._sealing if thread.is_alive()]
        self._sealing.append(Thread(target=work, name=f"seal-{number}"))
        self._sealing[-1].start()

    def settle(self) -> None:
        """Wait until the segments that this program ended are sealed."""
        with self._writing:
            for thread in self._sealing:
                thread.join()

    # -- which segment is written

    def _find_current(self) -> Segment:
        """Open the newest segment, or begin one where there is none, where it is sealed, or where it is damaged."""
        for _ in range(TRIES):
            numbers = self.folder.numbers()
            if not numbers:
                gone = Damaged("all its files are gone") if self._end[0] else None
                self._begin(1, self._end, "the trail", gone)
                continue
            try:
                segment = self._opened(numbers[-1])
            except Damaged as damage:
                self._go_on(numbers[-1], damage)
                continue
            if segment is not None:
                return segment
        raise TrailError(f"The trail in {self.folder.path} changes too quickly", hint="Try again.")

    def _opened(self, number: int) -> Segment | None:
        """That segment, to write. None: it is sealed, and another was begun. Raises Damaged."""
        path = self.folder.file(number)
        if not self.folder.own(path):
            return None
        file = path.stat().st_ino
        segment = Segment(path, number, write=True, patience=self._patience)
        try:
            about = segment.about
            segment.check_end()
            if self._end[0] > about.last_seq:
                raise Damaged(f"lines {about.last_seq + 1} to {self._end[0]} that were written are gone")
        except BaseException:
            segment.close()
            raise
        if about.ended:
            segment.close()
            self._begin(number + 1, (about.last_seq, about.last_hash))
            return None
        self._current, self._file = segment, file
        return segment

    def _begin(self, number: int, after: tuple[int, str], name: str = "", damage: Damaged | None = None) -> None:
        """A segment behind a line; with damage, its first line tells of that."""

        def fill(path: Path) -> None:
            try:
                create(path, number, *after)
                if damage is not None:
                    note = continued(name, str(damage), *after, self._now(), self.instance)
                    with closing(Segment(path, number, write=True)) as segment:
                        segment.sql.execute("BEGIN IMMEDIATE")
                        Adding(segment, self.shelf, Places()).add([ready(note)], *after)
                        segment.sql.execute("COMMIT")
            except sqlite3.Error as error:
                raise explained(error, path) from error

        self.folder.create(self.folder.file(number), fill)

    def _go_on(self, number: int, damage: Damaged) -> None:
        """Leave a damaged segment as it is and go on behind the last line known."""
        path = self.folder.file(number)
        with self._holding(path):
            ends = [self._end, salvage(path) or (0, GENESIS)]
            ends += [(about.last_seq, about.last_hash) for about in self.shelf.before(number)]
            self._begin(number + 1, max(ends), path.name, damage)

    @contextmanager
    def _holding(self, path: Path) -> Iterator[None]:
        """Keep others from writing a damaged segment, as far as that is possible."""
        sql = None
        try:
            with suppress(sqlite3.Error):
                sql = connect(path, "rw", self._patience)
                sql.execute("BEGIN IMMEDIATE")
            yield
        finally:
            if sql is not None:
                sql.close()

    def _leave(self) -> None:
        if self._current is not None:
            with suppress(sqlite3.Error):
                self._current.close()
            self._current = None

    def _explaining(self, work: Callable[[], T]) -> T | None:
        """What SQLite refuses, as ours. None: there was damage, from which was gone on; try again."""
        try:
            return work()
        except (sqlite3.Error, Damaged) as error:
            current = self._current
            told = explained(error, self.folder.file(0)) if isinstance(error, sqlite3.Error) else error
            if isinstance(told, StoreLocked):
                raise told from error
            self._leave()
            if not isinstance(told, Damaged):
                raise told from error
            if current is None:
                raise broken(self.folder.path, told) from error
            self._go_on(current.number, told)
            return None

    def _tidy(self) -> None:
        """Seal what a program that went too early left unsealed, or could not bring into one file."""
        numbers = self.folder.numbers()
        logged = {number for number in numbers if Path(f"{self.folder.file(number)}-wal").exists()}
        for number in sorted({*numbers[-RECENT:], *logged}):
            with suppress(TrailError, Skipped), self.shelf.reading(number) as segment:
                if segment.refresh().ended and segment.has_log():
                    self._seal(number)

    # -- reading

    def read(
        self, query: Query, limit: int, *, before: Place | None = None, after: Place | None = None
    ) -> tuple[Line, ...]:
        """A page of records, newest first."""
        return tuple(page(self.shelf, query, limit, before, after))

    def traces(self) -> tuple[int, ...] | None:
        """When the file that is written, and the folder, were last changed."""
        segment = self._current
        traces = self.folder.traces(segment.number) if segment is not None else None
        return traces if traces and any(traces) else None

    def thread(self, thread: str) -> tuple[Line, ...]:
        """All lines of a thread, as they were written."""
        key = packed(thread)
        found: list[Line] = []
        with self.shelf.lock:
            abouts = self.shelf.abouts()
            seq: int | None = None
            for about in reversed(abouts):
                with suppress(Skipped), self.shelf.reading(about.number) as segment:
                    seq = segment.newest_of(key)
                if seq is not None:
                    break
            while seq is not None:
                number = next((about.number for about in abouts if about.after_seq < seq <= about.last_seq), None)
                before: int | None = None
                if number is not None:
                    with suppress(Skipped), self.shelf.reading(number) as segment:
                        line = line_of(segment, seq)
                        found += [line] if line is not None else []
                        before = segment.previous_in_thread(seq)
                seq = before if before is not None and before < seq else None
        return tuple(reversed(found))

    def known(self, events: Mapping[str, int]) -> dict[str, Line]:
        """Those of these events that are in the trail already: for each, the newest line of its thread."""
        wanted = {packed(key): (key, time >> GRAIN) for key, time in events.items()}
        found, threads = dict[str, Line](), dict[str, Line]()
        with self.shelf.lock:
            for about in reversed(self.shelf.abouts()):
                here: dict[bytes, Line] = {}
                with suppress(Skipped), self.shelf.reading(about.number) as segment:
                    for key, seq in segment.find_at([(time, key) for key, (_, time) in wanted.items()]):
                        line = line_of(segment, abs(seq))
                        if line is not None:
                            here[key] = line
                for key, line in here.items():
                    thread = line.entry.thread
                    if thread not in threads:
                        threads[thread] = (self.thread(thread) or (line,))[-1]
                    found[wanted.pop(key)[0]] = threads[thread]
                if not wanted:
                    break
        return found

    def lines(self, after: int = 0, until: int | None = None) -> Iterator[Line]:
        """Lines in the order of the chain. What cannot be read is left out: see `damage`."""
        for about in self.shelf.abouts():
            if until is not None and about.after_seq >= until:
                return
            if not about.sealed or about.last_seq > after:
                yield from self._lines_of(about, after, until)

    def _lines_of(self, about: About, after: int, until: int | None) -> Iterator[Line]:
        previous = ""
        at = max(after, about.after_seq)
        while True:
            rows: list[tuple[int, bytes, bytes]] = []
            with suppress(Skipped), self.shelf.reading(about.number) as segment:
                rows = segment.raw(at, PIECE)
                if rows and not previous:
                    first = segment.line(rows[0][0])
                    previous = first[0] if first else ""
            if not rows:
                return
            for seq, digest, body in rows:
                if until is not None and seq > until:
                    return
                try:
                    yield Line(seq=seq, previous=previous, hash=digest.hex(), body=body, entry=parse(body))
                except (msgspec.MsgspecError, TypeError, AttributeError):
                    self.shelf.damage[about.number] = f"line {seq} in it cannot be read"
                previous = digest.hex() if isinstance(digest, bytes) else ""
            at = rows[-1][0]

    def names(self) -> frozenset[str]:
        """Every engine, actor and key of a service that its records name."""
        found = set[str]()
        for about in self.shelf.abouts():
            with self.shelf.reading(about.number) as segment:
                found.update(segment.every_name())
        return frozenset(found)

    def head(self) -> Head:
        """The last line."""
        with self.shelf.lock:
            abouts = self.shelf.abouts()
            if not abouts:
                return Head()
            last = abouts[-1]
            at = ""
            for about in reversed(abouts):
                if about.last_seq == last.last_seq and about.after_seq < last.last_seq:
                    with suppress(Skipped), self.shelf.reading(about.number) as segment:
                        line = line_of(segment, last.last_seq)
                        at = line.entry.seen if line else ""
            return Head(seq=last.last_seq, hash=last.last_hash, at=at)

    def damage(self) -> tuple[str, ...]:
        """What could not be read so far, a sentence each."""
        with self.shelf.lock:
            return tuple(f"{self.folder.file(n).name}: {what}" for n, what in sorted(self.shelf.damage.items()))

    def size(self) -> int:
        """Bytes on the disk."""
        return self.folder.size()

    # -- marks

    def mark(self, marks: Sequence[Mark]) -> None:
        """Keep how far engines were followed."""
        with self._writing:
            self._marks.put(marks)

    def marks(self) -> tuple[Mark, ...]:
        """The newest mark of each engine."""
        with self._writing:
            return tuple(self._marks.newest())

    def close(self) -> None:
        """Let go of it."""
        with self._writing:
            self._marks.close()
            self.shelf.close()
            self.settle()
            self._leave()  # last: who can write brings the log into the file
