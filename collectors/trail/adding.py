"""Adding lines to a segment: what is there already is left out, what is new is chained, both in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec

from .derived import GRAIN, UNPLACED, is_trouble, object_number, packed, parts, time_of
from .entry import Entry, canonical, chained, nanos, parse
from .segment import KINDS, OTHER_KIND, Segment
from .shelf import Shelf, Skipped

RANKS = {"own": 4, "declared": 3, "derived": 2, "correlated": 1}
MOST_PLACES = 20_000

Row = tuple[int, int, int, int, int, int, int, int]


class Incoming(NamedTuple):
    """An entry, made ready outside of the transaction."""

    entry: Entry
    body: bytes
    at: int
    thread: bytes
    key: bytes
    time: int
    """Of the event in it, as in `known`."""


class Newest(NamedTuple):
    """The newest line of a thread."""

    seq: int
    entry: Entry | None
    """None: it cannot be read."""


def ready(entry: Entry) -> Incoming:
    """Raises ValueError for what no trail can hold."""
    thread = packed(entry.thread)
    key = thread if entry.key == entry.thread else packed(entry.key)
    at = nanos(entry.at)
    event = entry.event
    time = at >> GRAIN if event is not None and event.time == entry.at else time_of(entry)
    return Incoming(entry, canonical(entry), at, thread, key, time)


def knows_more(entry: Entry, than: Entry) -> bool:
    """Whether it knows better who did it: own, declared, derived, correlated, unknown."""
    return RANKS.get(entry.attribution, 0) > RANKS.get(than.attribution, 0)


def says_the_same(entry: Entry, as_: Entry) -> bool:
    """Whether they differ in nothing but who wrote them when, and after which event."""
    told = msgspec.structs.replace(entry, seen=as_.seen, instance=as_.instance, skew_ms=as_.skew_ms)
    return msgspec.structs.replace(told, key=as_.key, event=as_.event) == as_


class Places:
    """Where threads stand in time, of those this program saw last: a hint, without which a segment is scanned."""

    def __init__(self) -> None:
        self._times: dict[bytes, int] = {}

    def learn(self, thread: bytes, time: int) -> None:
        """A thread stands there."""
        self._times[thread] = time
        if len(self._times) > MOST_PLACES:
            for old in list(self._times)[: MOST_PLACES // 4]:
                del self._times[old]

    def get(self, thread: bytes) -> int | None:
        """Where it stands; None: not known."""
        return self._times.get(thread)


class Adding:
    """One batch, inside a transaction on the segment that is written."""

    def __init__(self, segment: Segment, shelf: Shelf, places: Places) -> None:
        self._segment = segment
        self._shelf = shelf
        self._places = places
        self._known: set[bytes] = set()
        self._threads: dict[bytes, Newest] = {}
        self._where: dict[bytes, int] = {}
        """The time under which a thread stands in this segment."""
        self._lines: list[tuple[int, bytes, bytes]] = []
        self._amended: list[tuple[int, int]] = []
        self._stale: set[tuple[int, int]] = set()
        self._records: dict[int, Row] = {}
        self._keys: dict[tuple[int, bytes], int] = {}
        self.end: tuple[int, str] | None = None
        """The last line that was added."""

    def add(self, batch: Sequence[Incoming], seq: int, digest: str) -> list[int]:
        """Behind the line of that number and hash. The numbers of the lines, 0: left out."""
        self._look_up(batch)
        numbers = []
        for new in batch:
            newest = self._threads.get(new.thread)
            if not self._is_new(new, newest):
                numbers.append(0)
                continue
            seq += 1
            digest = chained(seq, digest, new.body)
            self._lines.append((seq, bytes.fromhex(digest), new.body))
            self._derive(new, seq, newest)
            numbers.append(seq)
            self.end = (seq, digest)
        self._write()
        return numbers

    def _is_new(self, new: Incoming, newest: Newest | None) -> bool:
        known = bool(new.key) and new.key in self._known
        if newest is None:
            return not known
        if newest.entry is None:
            return not known
        if known:
            return knows_more(new.entry, newest.entry)
        return bool(new.key) or not says_the_same(new.entry, newest.entry)

    # -- what is there already

    def _look_up(self, batch: Sequence[Incoming]) -> None:
        begun = {new.key: new.time for new in batch if new.key}
        placed = {(time, key) for key, time in begun.items()}
        lost: set[bytes] = set()
        """Threads of which nobody says where in time they stand."""
        for new in batch:
            if new.thread in begun:
                continue
            if len(new.thread) != 16:
                placed.add((UNPLACED, new.thread))
                continue
            time = self._places.get(new.thread)
            if not time:
                lost.add(new.thread)
            else:
                placed.add((time, new.thread))
        found = dict[bytes, int]()
        self._ask(placed, found)
        scanned = lost | {key for key in begun if begun[key] == UNPLACED and key not in self._known}
        if scanned:
            for time, key, seq in self._scan(scanned):
                self._take(time, key, seq, found)
        for new in batch:
            if new.key and new.key == new.thread and new.time != UNPLACED:
                self._places.learn(new.thread, new.time)
        for thread, seq in found.items():
            self._threads[thread] = Newest(seq, self._entry(self._segment, seq))
        self._look_back({new.thread for new in batch} - found.keys(), begun)

    def _take(self, time: int, key: bytes, seq: int, found: dict[bytes, int]) -> None:
        self._known.add(key)
        if seq > found.get(key, 0):
            found[key] = seq
            self._where[key] = time
            if time != UNPLACED:
                self._places.learn(key, time)

    def _ask(self, placed: Iterable[tuple[int, bytes]], found: dict[bytes, int]) -> None:
        sql = self._segment.sql
        keys: set[bytes] = set()
        # What is newer than all that stands here does not stand here: nearly all, where events come as they happen.
        newest = sql.execute("SELECT max(time) FROM known").fetchone()[0] or UNPLACED
        for time, key in placed:
            keys.add(key)
            if UNPLACED < time <= newest:
                row = sql.execute("SELECT seq FROM known WHERE time = ? AND key = ?", (time, key)).fetchone()
                if row is not None:
                    self._take(time, key, row[0], found)
        for part in parts(keys):
            query = f"SELECT key, seq FROM known WHERE time = {UNPLACED} AND key IN ({','.join('?' * len(part))})"  # noqa: S608
            for key, seq in sql.execute(query, part):
                self._take(UNPLACED, key, seq, found)

    def _scan(self, keys: Iterable[bytes]) -> list[tuple[int, bytes, int]]:
        found = []
        for part in parts(keys):
            query = f"SELECT time, key, seq FROM known WHERE key IN ({','.join('?' * len(part))})"  # noqa: S608
            found += self._segment.sql.execute(query, part).fetchall()
        return found

    def _look_back(self, threads: set[bytes], begun: dict[bytes, int]) -> None:
        """In the segments before: an event only where one of its time can stand."""
        wanted = {key: begun.get(key, UNPLACED) for key in (begun.keys() - self._known) | threads}
        if not wanted:
            return
        anywhere = UNPLACED in wanted.values()
        earliest = min(wanted.values())
        for about in self._shelf.before(self._segment.number):
            if not anywhere and earliest > about.newest_event:
                continue
            keys = [key for key, time in wanted.items() if time == UNPLACED or time <= about.newest_event]
            with suppress(Skipped), self._shelf.reading(about.number) as segment:
                for key, seq in segment.find(keys):
                    self._known.add(key)
                    if key not in threads:
                        wanted.pop(key, None)
                    elif seq > 0:
                        self._threads[key] = Newest(seq, self._entry(segment, seq))
                        wanted.pop(key, None)
            if not wanted:
                return

    @staticmethod
    def _entry(segment: Segment, seq: int) -> Entry | None:
        line = segment.line(seq)
        try:
            return parse(line[2]) if line else None
        except msgspec.MsgspecError:
            return None

    # -- what is derived

    def _derive(self, new: Incoming, seq: int, newest: Newest | None) -> None:
        thread, key, entry = new.thread, new.key, new.entry
        where = self._where.get(thread)
        if where is None:
            where = self._place(new)
        self._keys[where, thread] = seq
        known = self._known
        if key:
            if key != thread and key not in known:
                self._keys.setdefault((new.time, key), -seq)
            known.add(key)
        known.add(thread)
        if newest is not None:
            self._amended.append((newest.seq, seq))
            if self._records.pop(newest.seq, None) is None and newest.entry is not None:
                self._stale.add((nanos(newest.entry.at), newest.seq))
        self._threads[thread] = Newest(seq, entry)
        names = self._segment.names
        service, engine, actor = entry.service_key, entry.engine, entry.actor
        self._records[seq] = (
            new.at,
            seq,
            KINDS.get(entry.kind, OTHER_KIND),
            is_trouble(entry),
            (names.get(service) or self._name(service)) if service else 0,
            (names.get(engine) or self._name(engine)) if engine else 0,
            (names.get(actor) or self._name(actor)) if actor else 0,
            object_number(entry.id),
        )

    def _place(self, new: Incoming) -> int:
        """Under which time a thread is kept that has no line in this segment yet."""
        if new.key == new.thread:
            where = new.time
        else:
            where = self._places.get(new.thread) or UNPLACED
            if where != UNPLACED:
                self._places.learn(new.thread, where)
        self._where[new.thread] = where
        return where

    def _name(self, text: str) -> int:
        """The number that stands for a name in this segment; a new one where it has none."""
        number = self._segment.name(text)
        if number is None:
            number = self._segment.sql.execute("INSERT INTO name (text) VALUES (?)", (text,)).lastrowid
            assert number is not None
        self._segment.names[text] = number
        return number

    def _write(self) -> None:
        sql = self._segment.sql
        sql.executemany("INSERT INTO line VALUES (?, ?, ?)", self._lines)
        if self._stale:
            sql.executemany("DELETE FROM record WHERE at = ? AND seq = ?", self._stale)
        if self._amended:
            sql.executemany("INSERT OR REPLACE INTO amended VALUES (?, ?)", self._amended)
        sql.executemany("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?)", self._records.values())
        sql.executemany(
            "INSERT INTO known VALUES (?, ?, ?) ON CONFLICT (time, key) DO UPDATE SET seq = max(excluded.seq, seq)",
            [(time, key, seq) for (time, key), seq in self._keys.items()],
        )
