"""Keeping lines in a store without ever waiting for it: what is put is written by a thread, in batches, in its order.

While the store cannot be written (disk full, locked, damaged) the newest lines wait here, `trouble` says why, and it is
tried again; what no longer fits is counted, and the hole is told by a gap once writing works again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TypeVar

from ..beat import beat
from ..clock import Clock, nanoseconds
from ..errors import StoreFull, TrailError
from .entry import Entry, moment, stamp_of
from .opening import Tidied
from .store import Line, Mark, Store

_log = logging.getLogger(__name__)

BATCH = 1_000
WAITING = 50_000
"""Lines that wait at most while the store cannot be written."""
GATHER = 0.1
"""Seconds after a writing in which lines gather for the next one, unless somebody waits for them: each writing waits
for the disk several times, and costs 0.5 ms of this machine however few lines it has."""
RETRY = 2.0
PIECE = 200
"""Lines of others that are handed on at once: 10 ms of work."""
OTHERS = 1.0
"""Seconds between two looks at what others wrote."""
QUIET = 60
"""Looks that showed nothing, after which the trail is asked all the same."""
TIDY = 3600.0
FAREWELL = 5.0
"""Seconds that closing may take to write what is left."""

T = TypeVar("T")


class _Reader:
    """A thread that reads, by a connection of its own."""

    def __init__(self, name: str, open_store: Callable[[], Store]) -> None:
        self.executor = ThreadPoolExecutor(1, name)
        self.store: Store | None = None
        self._open = open_store

    def answer(self, question: Callable[[Store], T]) -> T:
        """In that thread."""
        if self.store is None:
            self.store = self._open()
        return question(self.store)


class Keeper:
    """Owns a store, and the threads that wait for it. `run` does the work; `put` never blocks and never fails."""

    def __init__(
        self,
        open_store: Callable[[], Store],
        *,
        instance: str,
        clock: Clock,
        tidy: Callable[[Store, int], Tidied] | None = None,
    ) -> None:
        self.instance = instance
        self.trouble: TrailError | None = None
        """Why nothing can be written at the moment."""
        self.on_trouble: Callable[[], None] | None = None
        """Called when `trouble` comes or goes."""
        self.on_lines: Callable[[Sequence[Line]], None] | None = None
        """Called with the lines that others wrote, as they are found."""
        self.opened = asyncio.Event()
        """Set once the store was opened, or could not be."""
        self.on_tidied: Callable[[Tidied], None] | None = None
        """Called with what was removed, and once where the trail has become large."""
        self._open = open_store
        self._tidy = tidy
        self._clock = clock
        self._queue: deque[Entry] = deque()
        self._marks: dict[str, Mark] = {}
        self._put = 0
        self._done = 0
        self._lost = 0
        self._lost_from = self._lost_why = ""
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        """Somebody waits for what was put."""
        self._settled = asyncio.Condition()
        self._writer = ThreadPoolExecutor(1, "trail-writer")
        self._reader = _Reader("trail-reader", open_store)
        self._waited_for = _Reader("trail-waited-for", open_store)
        """For what a person waits for: it does not queue behind what the start reads of the past."""
        self._store: Store | None = None
        self._seen = 0
        """Number of the last line that was written here, or handed on."""

    # -- writing

    def put(self, entries: Iterable[Entry]) -> None:
        """Keep these, soon."""
        for entry in entries:
            if len(self._queue) >= WAITING:
                self._lose(entry)
                continue
            self._queue.append(entry)
            self._put += 1
        self._wake.set()

    @property
    def waiting(self) -> int:
        """Lines that are not written yet."""
        return len(self._queue)

    @property
    def lag(self) -> float:
        """Seconds that the oldest of them has waited; 0: none waits."""
        if not self._queue:
            return 0.0
        return max(0.0, (self._clock.now() - moment(self._queue[0].seen)).total_seconds())

    def mark(self, marks: Iterable[Mark]) -> None:
        """Keep how far engines were followed, with the next batch."""
        self._marks.update((mark.engine, mark) for mark in marks)
        self._wake.set()

    async def flush(self) -> None:
        """Return when all that was put survives a power cut. Raises TrailError where it cannot be written now."""
        wanted = self._put
        self._hurry.set()
        async with self._settled:
            while self._done < wanted:
                if self.trouble is not None:
                    raise self.trouble
                await self._settled.wait()

    async def run(self) -> None:
        """Write until cancelled; what is left then, `close` writes."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._write())
            group.create_task(self._listen())
            group.create_task(self._keep_tidy())

    async def close(self) -> None:
        """Write what is left, for a few seconds at most, and let go of the store. After `run` has ended."""
        with suppress(TimeoutError, TrailError):
            async with asyncio.timeout(FAREWELL):
                while self._queue or self._marks:
                    await self._write_once()
        readers = ((reader.executor, reader.store) for reader in (self._reader, self._waited_for))
        for executor, store in ((self._writer, self._store), *readers):
            if store is not None:
                with suppress(TrailError):
                    await self._in(executor, store.close)
            executor.shutdown(wait=False)

    async def _write(self) -> None:
        while True:
            self._hurry.clear()
            try:
                await self._write_once()
            except TrailError as error:
                await self._settle(error)
                await asyncio.sleep(RETRY)
                continue
            if len(self._queue) < BATCH:
                with suppress(TimeoutError):
                    async with asyncio.timeout(GATHER):
                        await self._hurry.wait()
            if not self._queue and not self._marks:
                self._wake.clear()
                await self._wake.wait()

    async def _write_once(self) -> None:
        await self._opened()
        if self._lost and len(self._queue) < WAITING:
            self._tell_loss()
        batch = [self._queue[i] for i in range(min(BATCH, len(self._queue)))]
        marks = tuple(self._marks.values())
        numbers = await self._in(self._writer, lambda: self._append(batch, marks))
        for mark in marks:
            if self._marks.get(mark.engine) is mark:
                del self._marks[mark.engine]
        for _ in batch:
            self._queue.popleft()
        self._done += len(batch)
        await self._settle(None)
        self._note_own(numbers)

    def _append(self, batch: Sequence[Entry], marks: Sequence[Mark]) -> Sequence[int]:
        assert self._store is not None
        numbers = self._append_lines(self._store, batch) if batch else ()
        if marks:
            self._store.mark(marks)
        return numbers

    def _append_lines(self, store: Store, batch: Sequence[Entry]) -> Sequence[int]:
        try:
            return store.append(batch)
        except (TypeError, ValueError) as error:
            # One line that no trail can hold must not keep all others out for ever; it is a defect of ours.
            if len(batch) == 1:
                _log.error("a line that cannot be kept was left out: %r", batch[0], exc_info=error)
                return (0,)
            return [number for entry in batch for number in self._append_lines(store, (entry,))]

    async def _opened(self) -> None:
        if self._store is not None:
            return
        try:
            self._store = await self._in(self._writer, self._open)
            self._seen = (await self._in(self._writer, self._store.head)).seq
        finally:
            self.opened.set()

    async def _settle(self, trouble: TrailError | None) -> None:
        changed = (trouble is None) is not (self.trouble is None)
        self.trouble = trouble
        if changed:
            _log.warning("the trail %s", f"cannot be written: {trouble}" if trouble else "is written again")
            if self.on_trouble is not None:
                self.on_trouble()
        async with self._settled:
            self._settled.notify_all()

    def _lose(self, entry: Entry) -> None:
        if not self._lost:
            self._lost_from, self._lost_why = entry.at, "they came faster than they could be written"
        if self.trouble is not None:
            full = isinstance(self.trouble, StoreFull)
            self._lost_why = "the disk of the trail was full" if full else "the trail could not be written"
        self._lost += 1

    def _tell_loss(self) -> None:
        lost, since, why, now = self._lost, self._lost_from, self._lost_why, stamp_of(self._clock.now())
        self._lost = 0
        self.put(
            (
                Entry(
                    thread=f"{self.instance}-lost-{self._put}",
                    kind="gap",
                    at=since,
                    seen=now,
                    instance=self.instance,
                    until=now,
                    certain=True,
                    trouble=True,
                    action="gap",
                    what=f"{lost} lines are missing: {why}",
                    actor="gap, certain",
                    attribution="derived",
                ),
            )
        )

    # -- what others write

    def _note_own(self, numbers: Sequence[int]) -> None:
        written = [number for number in numbers if number]
        if written and written[0] == self._seen + 1 and written[-1] - written[0] == len(written) - 1:
            self._seen = written[-1]

    async def _listen(self) -> None:
        more = False
        traces: list[tuple[int, ...] | None] = [None, None]
        quiet = 0
        while True:
            if not more:
                await beat(OTHERS)
            if self._store is None or self.on_lines is None:
                more = False
                continue
            # Asked twice after each change: what is written right after a look may leave the same trace. And now and
            # then without any: on a slow disk a line shows in the log long before SQLite, once it is synced, tells it.
            traces = [*traces[-2:], self._store.traces()]
            quiet += 1
            if not more and None not in traces and len(set(traces)) == 1 and quiet < QUIET:
                continue
            more = False
            quiet = 0
            try:
                lines = await self._in(self._writer, self._newer)
            except TrailError:
                traces = [None, None]
                continue
            more = len(lines) == PIECE
            if lines:
                self._seen = lines[-1].seq
                others = [line for line in lines if line.entry.instance != self.instance]
                if others:
                    self.on_lines(others)

    def _newer(self) -> Sequence[Line]:
        assert self._store is not None
        if self._store.head().seq <= self._seen:
            return ()
        return tuple(line for line, _ in zip(self._store.lines(after=self._seen), range(PIECE), strict=False))

    async def _keep_tidy(self) -> None:
        tidy = self._tidy
        await self.opened.wait()
        noticed = False
        while tidy is not None:
            done = Tidied()
            if self._store is not None:
                now = nanoseconds(self._clock.now())
                try:
                    done = await self._in(self._writer, partial(tidy, self._store, now))
                except TrailError as error:
                    _log.warning("the trail could not be tidied: %s", error)
            if noticed:
                done = Tidied(done.removed)
            noticed = noticed or bool(done.large)
            if any(done) and self.on_tidied is not None:
                self.on_tidied(done)
            await asyncio.sleep(TIDY)

    # -- reading

    async def ask(self, question: Callable[[Store], T], *, waited_for: bool = False) -> T:
        """Ask the store something, beside the writing and however long it takes. Raises TrailError.

        `waited_for`: by a person, so not after what else is being asked.
        """
        await self.opened.wait()
        reader = self._waited_for if waited_for else self._reader
        return await self._in(reader.executor, partial(reader.answer, question))

    async def _in(self, executor: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(executor, work)
        except OSError as error:
            raise TrailError(f"The trail cannot be used: {error}.", hint="It is tried again.") from error
