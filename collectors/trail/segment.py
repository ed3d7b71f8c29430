"""One file of a trail: a stretch of the chain, and what is derived from it to find things quickly.

While lines are added, only what telling duplicates needs is kept beside them, in the order of time, so that a batch
touches few pages. What filters is indexed when it is full: first it is said that no line comes any more, so that all
writers go on in the next, then it is indexed. Until then it is scanned.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

import msgspec

from ..errors import ChainBroken, StoreLocked, TrailError
from .derived import UNPLACED, parts
from .entry import chained
from .folder import full, refuse_link

APPLICATION = 0x666C7474
"""`fltt`, in the file's header: what it is the file of."""
LAYOUT = 1
"""In the file's header as SQLite's user_version."""
KINDS = {"event": 0, "intent": 1, "outcome": 2, "gap": 3, "note": 4, "start": 5, "stop": 6}
OTHER_KIND = 7
PAGE_SIZE = 4096
ENDLESS = 1 << 62

SCHEMA = f"""
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {LAYOUT};
CREATE TABLE segment (number INTEGER NOT NULL, after_seq INTEGER NOT NULL, after_hash BLOB NOT NULL,
    sealed INTEGER NOT NULL DEFAULT 0, newest_event INTEGER);
CREATE TABLE line (seq INTEGER PRIMARY KEY, hash BLOB NOT NULL, body BLOB NOT NULL);
CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE known (time INTEGER NOT NULL, key BLOB NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (time, key)) WITHOUT ROWID;
CREATE TABLE record (at INTEGER NOT NULL, seq INTEGER NOT NULL, kind INTEGER NOT NULL, trouble INTEGER NOT NULL,
    service INTEGER NOT NULL, engine INTEGER NOT NULL, actor INTEGER NOT NULL, object INTEGER NOT NULL,
    PRIMARY KEY (at, seq)) WITHOUT ROWID;
CREATE TABLE amended (old INTEGER PRIMARY KEY, seq INTEGER NOT NULL);
"""
# known: keys of events and threads, by the event's own time; seq: the newest line of the thread of that name, or below
# zero that line of another thread which the event is in. A sealed segment has `keys` instead, found without a time.
# record: the newest line of each thread. amended: which line came in place of which, also of an earlier segment.

OPEN, ENDED, SEALED = 0, 1, 2
"""In `segment.sealed`: lines are added; none come any more; it has its indexes and is never written again."""
ENDING = f"""
UPDATE segment SET sealed = {ENDED}, newest_event = CASE
    WHEN EXISTS (SELECT 1 FROM known WHERE time = {UNPLACED} AND length(key) = 16) THEN {ENDLESS}
    ELSE (SELECT max(time) FROM known) END
"""  # noqa: S608
# newest_event: where a thread is known of whose event nobody knows when it was, that may be any time.
SEALING = f"""
UPDATE segment SET sealed = {SEALED};
CREATE TABLE keys (key BLOB PRIMARY KEY, seq INTEGER) WITHOUT ROWID;
INSERT INTO keys SELECT key, max(seq) FROM known GROUP BY key ORDER BY key;
DROP TABLE known;
CREATE INDEX amended_seq ON amended (seq);
CREATE INDEX record_service ON record (service, at, seq) WHERE service <> 0;
CREATE INDEX record_object ON record (object, at, seq) WHERE object <> 0;
CREATE INDEX record_engine ON record (engine, at, seq) WHERE engine <> 0;
CREATE INDEX record_actor ON record (actor, at, seq) WHERE actor <> 0;
CREATE INDEX record_kind ON record (at, seq, kind) WHERE kind <> 0;
CREATE INDEX record_trouble ON record (at, seq) WHERE trouble <> 0
"""  # noqa: S608


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a segment says of itself."""

    number: int
    after_seq: int
    """The last line before it."""
    after_hash: str
    sealed: bool
    """Nothing in it ever changes again."""
    ended: bool
    """No line is added to it any more."""
    last_seq: int
    last_hash: str
    records: bool
    """Whether it has any that stand for a thread."""
    oldest: int
    """Of its records, Unix nanoseconds on our clock."""
    newest: int
    newest_event: int
    """No event in it is newer than this, as times stand in `known`."""


class Damaged(Exception):
    """A segment is not what was written, in words."""


class Segment:
    """An open segment. For one thread at a time."""

    def __init__(self, path: Path, number: int, *, write: bool = False, patience: float = 5.0) -> None:
        """Opens it. Raises Damaged, or TrailError."""
        self.path = path
        self.number = number
        refuse_link(path)
        self._about: About | None = None
        self.names: dict[str, int] = {}
        try:
            self.sql = self._open(write, patience)
        except sqlite3.Error as error:
            raise explained(error, path) from error
        self.crossing = frozenset[int]()
        """Lines of earlier segments in whose place came one of this."""
        try:
            self._check()
        except sqlite3.Error as error:
            self.sql.close()
            raise explained(error, path) from error
        except (Damaged, TrailError):
            self.sql.close()
            raise

    def _open(self, write: bool, patience: float) -> sqlite3.Connection:
        if not write:
            return connect_to_read(self.path, patience)
        sql = connect(self.path, "rw", patience)
        sql.execute("PRAGMA synchronous = FULL")
        sql.execute("PRAGMA secure_delete = OFF")
        sql.execute("PRAGMA cache_size = -16000")
        sql.execute("PRAGMA wal_autocheckpoint = 4000")
        return sql

    def _check(self) -> None:
        (application,) = self.sql.execute("PRAGMA application_id").fetchone()
        if application != APPLICATION:
            raise Damaged("it is not a file of a trail")
        (layout,) = self.sql.execute("PRAGMA user_version").fetchone()
        if layout > LAYOUT:
            raise TrailError(f"{self.path} was written by a newer fleettop", hint="Use that one, or another folder.")
        self.refresh()

    def refresh(self) -> About:
        """What it says of itself now."""
        if self._about is not None and self._about.sealed:
            return self._about
        rows = self.sql.execute("SELECT after_seq, after_hash, sealed, newest_event FROM segment").fetchall()
        if len(rows) != 1:
            raise Damaged("what it says of itself is gone")
        after_seq, after_hash, sealed, newest_event = rows[0]
        (oldest,) = self.sql.execute("SELECT min(at) FROM record").fetchone()
        (newest,) = self.sql.execute("SELECT max(at) FROM record").fetchone()
        last = self.last()
        try:
            self._about = About(
                number=self.number,
                after_seq=after_seq,
                after_hash=after_hash.hex(),
                sealed=sealed == SEALED,
                ended=sealed >= ENDED,
                last_seq=last[0] if last else after_seq,
                last_hash=last[1] if last else after_hash.hex(),
                records=oldest is not None,
                oldest=oldest or 0,
                newest=newest or 0,
                newest_event=ENDLESS if newest_event is None else newest_event,
            )
        except (AttributeError, TypeError) as error:
            raise Damaged("what it says of itself makes no sense") from error
        replaced = self.sql.execute("SELECT old FROM amended WHERE old <= ?", (after_seq,))
        self.crossing = frozenset(old for (old,) in replaced)
        return self._about

    @property
    def about(self) -> About:
        """What it said of itself when last asked."""
        assert self._about is not None
        return self._about

    def last(self) -> tuple[int, str] | None:
        """The last line's number and hash; None: it has none."""
        row = self.sql.execute("SELECT seq, hash FROM line ORDER BY seq DESC LIMIT 1").fetchone()
        return (row[0], row[1].hex()) if row else None

    def line(self, seq: int) -> tuple[str, str, bytes] | None:
        """A line's previous hash, hash and body."""
        row = self.sql.execute(
            "SELECT b.hash, a.hash, a.body FROM line a LEFT JOIN line b ON b.seq = a.seq - 1 WHERE a.seq = ?", (seq,)
        ).fetchone()
        if row is None:
            return None
        return (row[0].hex() if row[0] is not None else self.about.after_hash, row[1].hex(), row[2])

    def raw(self, after: int, limit: int) -> list[tuple[int, bytes, bytes]]:
        """The next lines behind a number, as they stand there: number, hash, body."""
        return self.sql.execute(
            "SELECT seq, hash, body FROM line WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
        ).fetchall()

    def name(self, text: str) -> int | None:
        """The number that stands for a name here; None: it does not occur."""
        if not text:
            return 0
        row = self.sql.execute("SELECT id FROM name WHERE text = ?", (text,)).fetchone()
        return row[0] if row else None

    def every_name(self) -> list[str]:
        """The names that occur here."""
        return [text for (text,) in self.sql.execute("SELECT text FROM name")]

    def previous_in_thread(self, seq: int) -> int | None:
        """The line in whose place this one came."""
        row = self.sql.execute("SELECT old FROM amended WHERE seq = ?", (seq,)).fetchone()
        return row[0] if row else None

    def newest_of(self, key: bytes) -> int | None:
        """The newest line of a thread in this segment, wherever in time it stands."""
        return max((seq for _, seq in self.find([key]) if seq > 0), default=None)

    def find(self, keys: Sequence[bytes]) -> list[tuple[bytes, int]]:
        """Which of these are known here: the newest line of the threads among them, below zero the line of an event."""
        try:
            return self._find(keys)
        except sqlite3.OperationalError:
            # Sealed by somebody since it was asked last: then it has another table.
            was = self.about.sealed
            if self.refresh().sealed == was:
                raise
            return self._find(keys)

    def _find(self, keys: Sequence[bytes]) -> list[tuple[bytes, int]]:
        table = "keys" if self.about.sealed else "known"
        found: list[tuple[bytes, int]] = []
        for part in parts(keys):
            found += self.sql.execute(f"SELECT key, seq FROM {table} WHERE key IN ({_marks(part)})", part)  # noqa: S608
        return found

    def find_at(self, places: Sequence[tuple[int, bytes]]) -> list[tuple[bytes, int]]:
        """Likewise, where it is known where in time they stand: quick also where a segment is still being written."""
        if self.about.sealed:
            return self.find([key for _, key in places])
        query = "SELECT seq FROM known WHERE time = ? AND key = ?"
        found: list[tuple[bytes, int]] = []
        try:
            for place in places:
                row = self.sql.execute(query, place).fetchone()
                found += [(place[1], row[0])] if row is not None else []
        except sqlite3.OperationalError:
            return self.find([key for _, key in places])  # sealed by somebody meanwhile
        return found

    def check_end(self, lines: int = 100) -> None:
        """See that the last lines are what was written. Raises Damaged."""
        rows = self.sql.execute("SELECT seq, hash, body FROM line ORDER BY seq DESC LIMIT ?", (lines + 1,)).fetchall()
        rows.reverse()
        previous = rows.pop(0) if len(rows) > lines else (self.about.after_seq, bytes.fromhex(self.about.after_hash))
        before = (previous[0], previous[1])
        for seq, digest, body in rows:
            if seq != before[0] + 1:
                raise Damaged(f"lines {before[0] + 1} to {seq - 1} are missing in it")
            if not isinstance(body, bytes) or digest.hex() != chained(seq, before[1].hex(), body):
                raise Damaged(f"line {seq} in it was changed")
            before = (seq, digest)

    def has_log(self) -> bool:
        """Whether a write-ahead log belongs to it: none does once it is sealed and in one file."""
        return bool(self.sql.execute("PRAGMA journal_mode").fetchone()[0] == "wal")

    def close(self) -> None:
        """Let go of it."""
        self.sql.close()


def create(path: Path, number: int, after_seq: int, after_hash: str) -> None:
    """Lay out an empty segment in an empty file."""
    with closing(connect(path, "rw", 0.0)) as sql:
        sql.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        sql.execute("PRAGMA journal_mode = WAL")
        sql.executescript(SCHEMA)
        sql.execute(
            "INSERT INTO segment (number, after_seq, after_hash) VALUES (?, ?, ?)",
            (number, after_seq, bytes.fromhex(after_hash)),
        )


def end(sql: sqlite3.Connection) -> None:
    """Say that no line comes any more; inside a transaction."""
    sql.execute(ENDING)


def seal(path: Path, patience: float) -> None:
    """Index a segment that has ended. What fails is tried again when the trail is opened next: it is only slower."""
    with suppress(sqlite3.Error), closing(connect(path, "rw", patience)) as sql:
        sql.execute("PRAGMA synchronous = FULL")
        sql.execute("PRAGMA secure_delete = OFF")
        sql.execute("BEGIN IMMEDIATE")
        if sql.execute("SELECT sealed FROM segment").fetchone() == (ENDED,):
            for statement in SEALING.split(";"):
                sql.execute(statement)
        sql.execute("COMMIT")
        sql.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def unite(path: Path) -> None:
    """Bring a sealed segment into one file that can be copied, unless somebody reads it just now."""
    with suppress(sqlite3.Error), closing(connect(path, "rw", 0.0)) as sql:
        if sql.execute("SELECT sealed FROM segment").fetchone() == (SEALED,):
            sql.execute("PRAGMA journal_mode = DELETE")


def connect(path: Path, mode: str, patience: float) -> sqlite3.Connection:
    """SQLite on a file that is there; every statement is its own transaction unless one is begun."""
    sql = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}",
        uri=True,
        timeout=patience,
        isolation_level=None,
        check_same_thread=False,
    )
    sql.execute("PRAGMA trusted_schema = OFF")
    return sql


def connect_to_read(path: Path, patience: float) -> sqlite3.Connection:
    """SQLite on a file that is only read, also where nothing can be written beside it.

    Never by opening the file itself, nor as immutable where there is another way: closing any handle of a file drops
    all of a process's POSIX locks on it, also those of a connection that writes it (SQLite, How To Corrupt, 2.2).
    """
    sql = connect(path, "ro", patience)
    try:
        sql.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        sql.close()
        log = Path(f"{path}-wal")
        # SQLite wants a -shm beside a file with a log; without it only a file whose log is empty can be read.
        if error.sqlite_errorcode & 0xFF not in _CANNOT_WRITE or (log.exists() and log.stat().st_size):
            raise
        return connect(path, "ro&immutable=1", patience)
    except sqlite3.DatabaseError:
        pass  # who reads it will be told again
    return sql


_CANNOT_WRITE = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR)


def explained(error: sqlite3.Error, path: Path) -> TrailError | Damaged:
    """SQLite's error as one of ours."""
    code = getattr(error, "sqlite_errorcode", None)
    base = code & 0xFF if code is not None else None
    if base in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or (
        base == sqlite3.SQLITE_ERROR and _GONE.match(str(error))
    ):
        return Damaged(f"SQLite says: {error}")
    if base in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreLocked(
            f"Another program has been writing the trail in {path.parent} for too long",
            hint="Try again; if it stays so, look which program holds it (fuser on its files).",
        )
    if base == sqlite3.SQLITE_FULL or code in _NO_ROOM:
        return full(path.parent)
    return TrailError(
        f"The trail in {path.parent} cannot be used: {error}", hint="Check the disk and the folder's rights."
    )


_GONE = re.compile("no such (table|column|index)")
_NO_ROOM = (
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_SHMSIZE,
    sqlite3.SQLITE_IOERR_TRUNCATE,
    sqlite3.SQLITE_IOERR_FSYNC,
)
# A quota (EDQUOT) and a limit on a file's size (EFBIG) come as SQLITE_IOERR_WRITE; only ENOSPC as SQLITE_FULL.


def broken(path: Path, damage: Damaged) -> ChainBroken:
    """For who needs a segment that cannot be used."""
    return ChainBroken(f"{path} cannot be read: {damage}", hint="`fleettop trail verify` says what is wrong with it.")


def salvage(path: Path) -> tuple[int, str] | None:
    """The number and hash of the last line that can still be read of a damaged file; None: there is none."""
    last = None
    try:
        sql = connect(path, "ro", 0.0)
    except sqlite3.Error:
        return None
    try:
        sql.execute("PRAGMA writable_schema = ON")  # else SQLite reads nothing of a file that was cut
        for seq, digest in sql.execute("SELECT seq, hash FROM line ORDER BY seq"):
            if isinstance(seq, int) and isinstance(digest, bytes) and len(digest) == 32:
                last = (seq, digest.hex())
    except sqlite3.Error:
        pass
    finally:
        sql.close()
    return last


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
