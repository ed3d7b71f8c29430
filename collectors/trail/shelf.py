"""The segments of a trail for reading: found by number, opened when needed, and what cannot be read kept in mind."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

from .folder import Folder
from .segment import About, Damaged, Segment, explained

MOST_OPEN = 48


class Skipped(Exception):
    """A segment cannot be read; it was taken note of."""


class Shelf:
    """For several threads: every method takes the lock, and who reads a segment holds it meanwhile."""

    def __init__(self, folder: Folder, patience: float) -> None:
        self.folder = folder
        self.lock = RLock()
        self._patience = patience
        self._open = OrderedDict[int, Segment]()
        self._abouts: dict[int, About] = {}
        """Of sealed segments: these never change."""
        self._crossing: dict[int, frozenset[int]] = {}
        self._before: tuple[int, list[About]] | None = None
        self.damage: dict[int, str] = {}
        """What could not be read, by segment, in words."""

    def abouts(self) -> list[About]:
        """All segments that can be read, oldest first."""
        with self.lock:
            found = []
            numbers = self.folder.numbers()
            self._forget_removed(set(numbers))
            for number in numbers:
                about = self._about(number)
                if about is not None:
                    found.append(about)
            return found

    def before(self, number: int) -> list[About]:
        """Those before a segment, newest first: asked once for each, since nobody writes them any more."""
        with self.lock:
            # Until it is sealed, it is asked again: then it is searched by an index.
            if self._before is None or self._before[0] != number or not all(each.sealed for each in self._before[1]):
                found = [self._about(each) for each in reversed(self.folder.numbers()) if each < number]
                self._before = (number, [about for about in found if about is not None])
            return self._before[1]

    def crossing(self, number: int) -> frozenset[int]:
        """Lines of earlier segments in whose place came one of this segment."""
        return self._crossing.get(number, frozenset())

    def _forget_removed(self, there: set[int]) -> None:
        if self._before and not all(about.number in there for about in self._before[1]):
            self._before = None
        for number in self._open.keys() - there:
            self._open.pop(number).close()
        for known in (self._abouts, self._crossing, self.damage):
            for number in known.keys() - there:
                del known[number]

    def _about(self, number: int) -> About | None:
        if number in self._abouts:
            return self._abouts[number]
        try:
            with self.reading(number) as segment:
                about = segment.refresh()
                self._crossing[number] = segment.crossing
        except Skipped:
            return None
        if about.sealed:
            self._abouts[number] = about
        return about

    @contextmanager
    def reading(self, number: int) -> Iterator[Segment]:
        """An open segment. Where it cannot be read (any more), that is noted, and the block is left with Skipped."""
        with self.lock:
            try:
                yield self._opened(number)
            except (sqlite3.Error, Damaged) as error:
                damage = explained(error, self.folder.file(number)) if isinstance(error, sqlite3.Error) else error
                self.release(number)
                if not isinstance(damage, Damaged):
                    raise damage from error
                self.damage[number] = str(damage)
                raise Skipped(str(damage)) from error

    def _opened(self, number: int) -> Segment:
        segment = self._open.get(number)
        if segment is None:
            path = self.folder.file(number)
            if not path.exists():
                raise Damaged("it is gone")
            segment = Segment(path, number, patience=self._patience)
            self._open[number] = segment
            while len(self._open) > MOST_OPEN:
                self._open.popitem(last=False)[1].close()
        self._open.move_to_end(number)
        return segment

    def release(self, number: int) -> None:
        """Let go of a segment; it is opened again when it is needed."""
        with self.lock:
            segment = self._open.pop(number, None)
            if segment is not None:
                segment.close()

    def close(self) -> None:
        """Let go of all."""
        with self.lock:
            for number in list(self._open):
                self.release(number)
