"""Whether a trail is what was written: every line against its hash and the line before, through all segments.

Nothing is written. What this cannot see: the last lines taken away, or all lines from one on written anew with new
hashes. Against both helps a head that is kept elsewhere: `compare_head`.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import msgspec

from .derived import packed
from .entry import FORMAT, GENESIS, Entry, canonical, nanos, parse
from .folder import NAME, Folder, refuse_link
from .notes import tells_continued, told_removed
from .segment import SEALED, connect_to_read
from .store import Head

PIECE = 2000
MOST_PROBLEMS = 50


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Something is not as it was written."""

    segment: str
    """Its file."""
    seq: int
    """The first line concerned; 0: none in particular."""
    what: str
    told: int = 0
    """The line by which the trail itself tells of it (it was noticed then, and gone on from); 0: nothing tells."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was found."""

    lines: int
    kinds: Mapping[str, int]
    oldest: str
    """Times of what happened, the least and the greatest."""
    newest: str
    gaps: int
    longest_gap: int
    """In nanoseconds; 0 where there is none that has ended."""
    segments: int
    unclean: tuple[tuple[int, str], ...]
    """Starts without a stop: line and instance. The last may still run."""
    begins: int
    """The first line there is."""
    begins_after: str
    """The hash before it."""
    removed_told: int
    """The line that tells that what stood before was removed; 0: nothing was, or nothing tells."""
    head: Head
    unreadable: int
    """Lines whose body cannot be parsed."""
    problems: tuple[Problem, ...]
    """In the order of the chain: the first is the first bad line."""
    more_problems: int
    index_problems: tuple[str, ...]
    """Where what is derived from the lines does not agree with them; the lines themselves are not concerned."""

    @property
    def intact(self) -> bool:
        """Whether every line is what was written, as far as can be seen from inside."""
        return not self.problems


class Comparison(msgspec.Struct, frozen=True):
    """Whether a head that was kept elsewhere is on the chain; None: that line was removed."""

    found: bool | None
    what: str


def verify(path: Path, *, indexes: bool = True) -> Report:
    """Look through a trail's folder, or one segment's file. Raises TrailError where there is none to be read."""
    walk = _Walk(indexes)
    if NAME.fullmatch(path.name) and path.is_file():
        refuse_link(path)
        walk.segment(path, alone=True)
    else:
        folder = Folder(path)
        folder.look()
        for number in folder.numbers():
            walk.segment(folder.file(number))
    return walk.report()


def parse_head(text: str) -> Head:
    """`SEQ:HASH` as it was printed. Raises ValueError."""
    seq, _, digest = text.strip().partition(":")
    if not (seq.isascii() and seq.isdigit() and len(digest) == 64):
        raise ValueError(f"{text!r} is no head of a trail: it is written NUMBER:HASH, the hash in 64 hex digits")
    bytes.fromhex(digest)
    return Head(seq=int(seq), hash=digest.lower())


def compare_head(path: Path, kept: Head) -> Comparison:
    """Whether the line of that number has that hash. With `verify` intact, then nothing up to it was changed."""
    folder = Folder(path)
    folder.look()
    if kept.seq == 0:
        return Comparison(kept.hash == GENESIS, "line 0 is before every trail")
    least = 0
    for number in reversed(folder.numbers()):
        try:
            with closing(_reading(folder.file(number))[0]) as sql:
                row = sql.execute("SELECT hash FROM line WHERE seq = ?", (kept.seq,)).fetchone()
                about = sql.execute("SELECT after_seq, after_hash FROM segment").fetchone()
        except sqlite3.Error:
            continue
        digest = row[0] if row else about[1] if about and about[0] == kept.seq else None
        if isinstance(digest, bytes):
            same = digest.hex() == kept.hash
            words = "is on the chain" if same else f"has another hash here, {digest.hex()}: the trail was written anew"
            return Comparison(same, f"line {kept.seq} {words}")
        if about:
            least = about[0]
    if kept.seq < least:
        return Comparison(None, f"line {kept.seq} is not kept any more: the trail begins behind line {least}")
    return Comparison(False, f"line {kept.seq} is not in the trail: lines were taken from its end")


def _reading(path: Path) -> tuple[sqlite3.Connection, str]:
    """The file, and what SQLite says of it at once where it is not whole."""
    sql = connect_to_read(path, 5.0)
    try:
        sql.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        # Without this SQLite reads nothing at all of a file that is shorter than its header says.
        sql.execute("PRAGMA writable_schema = ON")
        try:
            sql.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.DatabaseError:
            return sql, f"the file is damaged: {error}"
        return sql, "the file is cut: it is shorter than it says"
    return sql, ""


class _Walk:
    """One pass over the chain."""

    def __init__(self, indexes: bool) -> None:
        self._indexes = indexes
        self._segments = 0
        self._seq = 0
        self._hash = GENESIS
        self._begins: tuple[int, str] | None = None
        self._removed: dict[tuple[int, str], int] = {}
        self._kinds = Counter[str]()
        self._oldest = ""
        self._newest = ""
        self._longest_gap = 0
        self._starts: dict[str, int] = {}
        self._seen = ""
        self._unreadable = 0
        self._problems: list[Problem] = []
        self._more = 0
        self._index_problems: list[str] = []
        self._alone = False
        self._file = ""
        self._suspect: Problem | None = None

    # -- lines

    def segment(self, path: Path, *, alone: bool = False) -> None:
        """The next file; `alone`: without those before it."""
        self._segments += 1
        self._alone = alone
        self._file = path.name
        derived, harm = _Derived(), ""
        try:
            refuse_link(path)
            sql, harm = _reading(path)
            with closing(sql):
                sql.execute("BEGIN")  # one state of it, also while somebody writes
                self._begin(sql)
                for seq, digest, body in _rows(sql):
                    self._line(seq, digest, body, derived)
                self._settle(follows=False)
                if harm:
                    self._problem(0, harm)
                if self._indexes:
                    self._index_problems += [f"{path.name}: {what}" for what in derived.compare(sql)]
        except (sqlite3.Error, TypeError, ValueError, AttributeError) as error:
            self._settle(follows=False)
            self._begins = self._begins or (0, GENESIS)
            words = harm or f"the file is damaged: {error}"
            self._problem(self._seq + 1, f"nothing can be read behind line {self._seq}: {words}")

    def _begin(self, sql: sqlite3.Connection) -> None:
        seq, digest = sql.execute("SELECT after_seq, after_hash FROM segment").fetchone()
        digest = digest.hex()
        if self._begins is None:
            self._begins = (seq, digest)
        elif seq > self._seq:
            self._problem(self._seq + 1, f"lines {self._seq + 1} to {seq} are missing", told=_note_in(sql))
        elif (seq, digest) != (self._seq, self._hash):
            self._problem(seq + 1, f"it does not go on from line {self._seq} but from {seq} with the hash {digest}")
        self._seq, self._hash = seq, digest

    def _line(self, seq: int, digest: bytes, body: bytes, derived: _Derived) -> None:
        if seq != self._seq + 1:
            self._settle(follows=False)
            self._problem(self._seq + 1, f"lines {self._seq + 1} to {seq - 1} are missing")
            if _chain(seq, self._hash, body) != digest:
                self._hash = ""  # of course: the line before it is gone
        fits = not self._hash or _chain(seq, self._hash, body) == digest
        if self._suspect is not None:
            self._settle(follows=fits)
        if not fits:
            self._suspect = Problem(segment=self._file, seq=seq, what="")
        self._seq, self._hash = seq, digest.hex()
        try:
            entry = parse(body)
        except msgspec.MsgspecError as error:
            self._unreadable += 1
            if fits:
                self._problem(seq, f"line {seq} cannot be parsed: {error}")
            derived.unknown += 1
            return
        if fits and entry.v <= FORMAT and canonical(entry) != body:
            self._problem(seq, f"line {seq} is not in its canonical form: it was not written by this program")
        self._count(seq, entry)
        if self._indexes:
            derived.line(seq, entry)

    def _settle(self, *, follows: bool) -> None:
        """Say of a line that does not fit what is wrong, now that it is known whether the next one follows from it."""
        suspect, self._suspect = self._suspect, None
        if suspect is None:
            return
        seq = suspect.seq
        if follows:
            self._problem(
                seq,
                f"line {seq} does not match its hash: its content was changed, "
                f"or line {seq - 1} was changed together with its hash",
            )
        else:
            self._problem(
                seq,
                f"line {seq} does not follow from line {seq - 1}: that one was changed together with its hash, "
                f"or line {seq} was changed, or lines were put in another order",
            )

    def _problem(self, seq: int, what: str, *, told: int = 0) -> None:
        if len(self._problems) < MOST_PROBLEMS:
            self._problems.append(Problem(segment=self._file, seq=seq, what=what, told=told))
        else:
            self._more += 1

    # -- what they tell

    def _count(self, seq: int, entry: Entry) -> None:
        self._kinds[entry.kind] += 1
        if not self._oldest or entry.at < self._oldest:
            self._oldest = entry.at
        if entry.at > self._newest:
            self._newest = entry.at
        self._seen = entry.seen
        if entry.kind == "event":
            return
        if entry.kind == "gap" and entry.until:
            self._longest_gap = max(self._longest_gap, nanos(entry.until) - nanos(entry.at))
        elif entry.kind == "start":
            self._starts[entry.instance] = seq
        elif entry.kind == "stop":
            self._starts.pop(entry.instance, None)
        elif entry.kind == "note":
            if (told := told_removed(entry)) is not None:
                self._removed[told] = seq
            if tells_continued(entry):
                self._told(entry.name, seq)

    def _told(self, segment: str, seq: int) -> None:
        self._problems = [
            msgspec.structs.replace(each, told=seq) if each.segment == segment and not each.told else each
            for each in self._problems
        ]

    def report(self) -> Report:
        """All of it."""
        after = self._begins or (0, GENESIS)
        told = self._removed.get(after, 0)
        problems = self._problems
        if after[0] and not told and not self._alone:
            missing = f"lines 1 to {after[0]} are missing, and no note tells that they were removed"
            problems = [Problem(segment="", seq=1, what=missing), *problems]
        return Report(
            lines=sum(self._kinds.values()) + self._unreadable,
            kinds=dict(sorted(self._kinds.items())),
            oldest=self._oldest,
            newest=self._newest,
            gaps=self._kinds["gap"],
            longest_gap=self._longest_gap,
            segments=self._segments,
            unclean=tuple((seq, instance) for instance, seq in self._starts.items()),
            begins=after[0] + 1,
            begins_after=after[1],
            removed_told=told,
            head=Head(seq=self._seq, hash=self._hash, at=self._seen),
            unreadable=self._unreadable,
            problems=tuple(problems),
            more_problems=self._more,
            index_problems=tuple(self._index_problems),
        )


def _rows(sql: sqlite3.Connection) -> Iterator[tuple[int, bytes, bytes]]:
    cursor = sql.execute("SELECT seq, hash, body FROM line ORDER BY seq")
    while rows := cursor.fetchmany(PIECE):
        for seq, digest, body in rows:
            # Whoever edits a blob by hand easily makes text of it.
            yield seq, digest if isinstance(digest, bytes) else b"", body if isinstance(body, bytes) else _bytes(body)


def _bytes(value: object) -> bytes:
    return str(value).encode()


def _chain(seq: int, previous: str, body: bytes) -> bytes:
    return sha256(b"%d\n%s\n%s" % (seq, previous.encode(), body)).digest()


def _note_in(sql: sqlite3.Connection) -> int:
    """The number of a segment's first line where that tells of damage before it."""
    row = sql.execute("SELECT seq, body FROM line ORDER BY seq LIMIT 1").fetchone()
    try:
        return row[0] if row and tells_continued(parse(row[1])) else 0
    except msgspec.MsgspecError:
        return 0


class _Derived:
    """What a segment's derived tables must hold, as sums that do not depend on the order: they take no memory."""

    def __init__(self) -> None:
        self.unknown = 0
        """Lines that cannot be parsed."""
        self._count = 0
        self._threads = 0
        self._records = 0

    def line(self, seq: int, entry: Entry, sign: int = 1) -> None:
        """A line of the segment; with -1 one in whose place another came."""
        self._count += sign
        self._threads += sign * hash((packed(entry.thread), seq))
        self._records += sign * hash((nanos(entry.at), seq))

    def compare(self, sql: sqlite3.Connection) -> Iterator[str]:
        """What does not agree, in words."""
        if self.unknown:
            yield f"its index is not compared with its lines, {self.unknown} of which cannot be parsed"
            return
        yield from self._replaced(sql)
        (sealed,) = sql.execute("SELECT sealed FROM segment").fetchone()
        count, total = 0, 0
        table = "keys" if sealed == SEALED else "known"
        for row in sql.execute(f"SELECT key, seq FROM {table} WHERE seq > 0"):  # noqa: S608
            count += 1
            total += hash(row)
        if count != self._count:
            yield f"its index holds {count} threads, its lines {self._count}"
        elif total != self._threads:
            yield "its index does not name the newest line of each thread"
        count, total = 0, 0
        for row in sql.execute("SELECT at, seq FROM record"):
            count += 1
            total += hash(row)
        if count != self._count:
            yield f"its index holds {count} records, its lines {self._count}"
        elif total != self._records:
            yield "its index of times does not agree with its lines"

    def _replaced(self, sql: sqlite3.Connection) -> Iterator[str]:
        """Lines in whose place others came are in no index."""
        wrong = 0
        query = (
            "SELECT amended.old, a.body, b.body FROM amended JOIN line a ON a.seq = amended.old "
            "JOIN line b ON b.seq = amended.seq"
        )
        for old, before, after in sql.execute(query):
            entry = parse(before)
            self.line(old, entry, -1)
            wrong += entry.thread != parse(after).thread
        if wrong:
            yield f"its index says of {wrong} lines that they came in place of a line of another thread"
