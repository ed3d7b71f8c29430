"""How far each engine was followed, in a small file beside the chain. Losing it costs longer gaps, nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from .folder import Folder, full
from .segment import Damaged, connect, explained
from .store import Mark

KEPT = 8
"""Marks kept of one engine, by as many programs."""
NAME = "marks.sqlite"


class Marks:
    """For one thread at a time."""

    def __init__(self, folder: Folder, patience: float) -> None:
        self._folder = folder
        self._patience = patience
        self._sql: sqlite3.Connection | None = None

    @property
    def _path(self) -> Path:
        return self._folder.path / NAME

    def put(self, marks: Sequence[Mark]) -> None:
        """Keep them in place of those of the same engine by the same program."""
        try:
            self._put(marks)
        except Damaged:
            self.close()
            for beside in ("", "-wal", "-shm"):
                with suppress(OSError):
                    Path(f"{self._path}{beside}").unlink(missing_ok=True)
            self._put(marks)

    def _put(self, marks: Sequence[Mark]) -> None:
        try:
            sql = self._opened()
            sql.execute("BEGIN IMMEDIATE")
            try:
                for mark in marks:
                    of = mark.origin or mark.engine
                    sql.execute(
                        "INSERT OR REPLACE INTO mark VALUES (?, ?, ?, ?)",
                        (of, mark.instance, mark.heard, msgspec.json.encode(mark)),
                    )
                    sql.execute(
                        "DELETE FROM mark WHERE origin = ? AND instance NOT IN "
                        "(SELECT instance FROM mark WHERE origin = ? ORDER BY heard DESC LIMIT ?)",
                        (of, of, KEPT),
                    )
                sql.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    sql.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            self.close()
            raise explained(error, self._path) from error

    def _opened(self) -> sqlite3.Connection:
        if self._sql is None:
            if not self._folder.own(self._path):
                self._folder.create(self._path, _lay_out)
            self._sql = connect(self._path, "rw", self._patience)
            self._sql.execute("PRAGMA synchronous = NORMAL")
        return self._sql

    def newest(self) -> list[Mark]:
        """The newest of each engine."""
        if not self._path.exists():
            return []
        try:
            sql = self._sql or connect(self._path, "ro", self._patience)
            try:
                rows = sql.execute("SELECT body, max(heard) FROM mark GROUP BY origin ORDER BY origin").fetchall()
            finally:
                if sql is not self._sql:
                    sql.close()
        except sqlite3.Error as error:
            told = explained(error, self._path)
            if isinstance(told, Damaged):
                return []
            raise told from error
        found = []
        for body, _ in rows:
            with suppress(msgspec.MsgspecError):
                found.append(msgspec.json.decode(body, type=Mark))
        return found

    def close(self) -> None:
        """Let go of it."""
        if self._sql is not None:
            with suppress(sqlite3.Error):
                self._sql.close()
            self._sql = None


def _lay_out(path: Path) -> None:
    try:
        sql = connect(path, "rw", 0.0)
        try:
            sql.execute("PRAGMA journal_mode = WAL")
            sql.execute(
                "CREATE TABLE mark (origin TEXT NOT NULL, instance TEXT NOT NULL, heard INTEGER NOT NULL, "
                "body BLOB NOT NULL, PRIMARY KEY (origin, instance)) WITHOUT ROWID"
            )
        finally:
            sql.close()
    except sqlite3.Error as error:
        raise full(path.parent) from error
