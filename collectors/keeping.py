"""A watched fleet and its trail: what is written goes into the store, and what was there before is recalled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .beat import beat
from .clock import Clock, nanoseconds
from .downtimes import Downtimes
from .errors import TrailError
from .fleet.engines import origin_of
from .fleet.fleet import Fleet
from .fleet.lines import Context, container_states, record_of
from .instance import Instance, runs
from .model import Container, EngineEvent, EngineInfo, Record, RecordKind, Told
from .trail import Tidied
from .trail.entry import event_key, moment
from .trail.keeper import Keeper
from .trail.store import Line, Mark, Query
from .watch.past import LeftOff

if TYPE_CHECKING:
    from .watch.supervisor import EngineWatch

AT_HAND = 500
"""Records of the past that are at hand from the first moment on."""
MARKS = 10.0
"""Seconds between two notes of how far each engine was followed."""
SOON = 0.5
"""Seconds between two looks for an engine that is followed for the first time."""
ALIVE = timedelta(seconds=3 * MARKS)
"""An instance on another machine that noted something since runs still."""
INTENTS = timedelta(hours=6)
"""Events of what was intended earlier are not looked for any more."""
OPEN = timedelta(minutes=2)
"""How long what a process intended just before its end may still be done by the engine."""


UNCLEAN = "-unclean"
"""Behind the name of a process that ended without a word: the thread of the note that says so."""


class Keeping:
    """Keeps the records of one fleet in a trail that lasts, and knows its past (`watch.past.Past`)."""

    def __init__(self, keeper: Keeper, fleet: Fleet, *, instance: Instance, clock: Clock) -> None:
        self.keeper = keeper
        self._fleet = fleet
        self._instance = instance
        self._clock = clock
        self._context = Context(instance.name)
        self._recalled = asyncio.Event()
        self._left: dict[str, Mark] = {}
        self._ended: set[str] = set()
        """Instances that are known to have ended."""
        self.downtimes = Downtimes(fleet, clock)
        self.on_recalled: Callable[[Sequence[Record], Mapping[str, str]], None] | None = None
        """Called with the records that are had at hand, and which events are in them."""
        self.on_taken_up: Callable[[str, datetime | None], None] | None = None
        """Called with the key of an intent of another process, and when it was over."""
        fleet.on_told = self._told
        keeper.on_lines = self._others
        keeper.on_tidied = self._tidied

    # -- writing

    def _told(self, told: Sequence[Told]) -> None:
        self.keeper.put(self._fleet.line_of(self._context, one) for one in once_each(told))
        self.downtimes.told(told)

    def _tidied(self, done: Tidied) -> None:
        if done.large:
            self._fleet.note(done.large)

    def begin(self, version: str) -> None:
        """Write down that this process watches from now on."""
        engines = len(self._fleet.engines)
        self._fleet.write_own(
            RecordKind.START,
            f"fleettop {version} began to watch {engines} engine{'' if engines == 1 else 's'}",
            actor=self._instance.actor,
            object_name=self._instance.place,
        )

    def end(self) -> None:
        """Write down that it ended, as it should."""
        self.downtimes.write()
        self._fleet.write_own(
            RecordKind.STOP, "fleettop ended", actor=self._instance.actor, object_name=self._instance.place
        )

    async def keep_marks(self, watches: Mapping[str, EngineWatch]) -> None:
        """Note every so often how far each engine was followed, for whoever watches it next; for ever.

        The first time as soon as it is followed: else a process that is killed early would have watched nothing.
        """
        noted: set[str] = set()
        looks = 0
        while True:
            all_noted = len(noted) == len(watches)
            await beat(MARKS if all_noted else SOON)
            looks += 1
            every = all_noted or looks % round(MARKS / SOON) == 0
            due = [watch for name, watch in watches.items() if watch.heard is not None and (every or name not in noted)]
            noted.update(watch.address.name for watch in due)
            if due:
                self.mark(due)

    def mark(self, watches: Iterable[EngineWatch]) -> None:
        """Note it now."""
        self.keeper.mark(mark for watch in watches if (mark := self._mark(watch)) is not None)

    def _mark(self, watch: EngineWatch) -> Mark | None:
        status, heard = self._fleet.engines[watch.address.name], watch.heard
        if heard is None or status.same_as:
            return None
        origin = origin_of(status.info, status.name)
        here: dict[str, Container] = {
            key.id: self._fleet.containers[key] for key in self._fleet.containers_on(status.name)
        }
        skew = timedelta(seconds=status.info.skew or 0.0) if status.info is not None else timedelta()
        return Mark(
            engine=status.name,
            origin=origin,
            heard=nanoseconds(heard),
            read_to=nanoseconds(heard + skew),
            instance=self._instance.name,
            recent=tuple(event_key(event, origin) for event in watch.newest),
            containers=container_states(here),
        )

    # -- the past

    async def read_past(self) -> None:
        """Have the newest records at hand, and know what was intended when. Once, before any engine tells its past."""
        try:
            await self._read_past()
        except TrailError:
            pass  # the keeper says so
        finally:
            self._recalled.set()
        with suppress(TrailError):
            await self.downtimes.recall(await self.keeper.ask(self.downtimes.question()))

    async def _read_past(self) -> None:
        since = nanoseconds(self._clock.now() - INTENTS)
        newest = await self.keeper.ask(lambda store: store.read(Query(), AT_HAND))
        deeds = await self.keeper.ask(lambda store: store.read(Query(since=since, kinds=("intent", "outcome")), 10_000))
        lives = await self.keeper.ask(lambda store: store.read(Query(kinds=("start", "stop")), 200))
        self._left = {mark.engine: mark for mark in await self.keeper.ask(lambda store: store.marks())}
        self._remember((*newest, *deeds))
        self._find_ended(lives)
        self._take_up_intents(deeds)

    def _find_ended(self, lives: Sequence[Line]) -> None:
        """Which earlier processes ended; those that did so without a word are noted once."""
        stops = [line.entry for line in lives if line.entry.kind == RecordKind.STOP]
        stopped = {s.thread.removesuffix(UNCLEAN) if s.thread.endswith(UNCLEAN) else s.instance for s in stops}
        for line in lives:
            entry = line.entry
            if entry.kind != RecordKind.START or entry.instance == self._instance.name:
                continue
            if entry.instance in stopped:
                self._ended.add(entry.instance)
            elif self._is_over(entry.instance, entry.name, moment(entry.at)):
                self._ended.add(entry.instance)
                self._fleet.write_own(
                    RecordKind.STOP,
                    f"a fleettop ended without saying so; it had begun {entry.at[:19].replace('T', ' ')} UTC",
                    key=f"{entry.instance}{UNCLEAN}",
                    actor=entry.actor,
                    object_name=entry.name,
                    trouble=True,
                )

    def _is_over(self, instance: str, place: str, began: datetime) -> bool:
        there = runs(place)
        if there is not None:
            return not there
        noted = [mark.heard for mark in self._left.values() if mark.instance == instance]
        last = datetime.fromtimestamp(max(noted) / 1e9, began.tzinfo) if noted else began
        return self._clock.now() - max(last, began) > ALIVE

    def _take_up_intents(self, deeds: Sequence[Line]) -> None:
        """Events of what was intended before are known by it; what was left open by a process that ended is unknown."""
        outcomes = {line.entry.of: line for line in deeds if line.entry.kind == "outcome"}
        for line in deeds:
            entry = line.entry
            if entry.kind != "intent":
                continue
            outcome = outcomes.get(entry.thread)
            over = entry.instance in self._ended
            end = moment(outcome.entry.at) if outcome is not None else moment(entry.at) + OPEN if over else None
            record = self._take_up(entry.thread, end)
            if record is not None and outcome is None and over:
                self._fleet.record_outcome(record, "unknown", "fleettop ended before it was answered")

    async def left_off(self, engine: str, info: EngineInfo) -> LeftOff | None:
        """Where watching it ended; None: it was never watched."""
        await self._recalled.wait()
        origin = origin_of(info, engine)
        known = [m for m in self._left.values() if m.origin == origin] or [
            m for m in self._left.values() if m.engine == engine and m.origin in ("", engine)
        ]
        if not known:
            return None
        mark = max(known, key=lambda mark: mark.heard)
        heard = datetime.fromtimestamp(mark.heard / 1e9, self._clock.now().tzinfo)
        watched = mark.instance not in self._ended and self._clock.now() - heard <= ALIVE
        return LeftOff(heard=heard, watched=watched, events=bool(mark.recent), containers=mark.containers)

    async def recall(self, engine: str, info: EngineInfo, events: Sequence[EngineEvent]) -> bool:
        """Make known which of these events were written down before. True: at least one was heard before."""
        await self._recalled.wait()
        origin = origin_of(info, engine)
        keys = {event_key(event, origin): event.time_nano for event in events}
        recent = {key for mark in self._left.values() for key in mark.recent}
        found: Mapping[str, Line] = {}
        with suppress(TrailError):
            found = await self.keeper.ask(lambda store: store.known(keys))
        by_thread = {line.entry.thread: line for line in found.values()}
        self._remember(by_thread.values(), {key: line.entry.thread for key, line in found.items()})
        return bool(found) or not recent.isdisjoint(keys)

    def _others(self, lines: Sequence[Line]) -> None:
        """Another process wrote these."""
        self._remember(lines)
        self.downtimes.take(lines)
        for line in lines:
            if line.entry.kind == "intent":
                self._take_up(line.entry.thread, None)
            elif line.entry.kind == "outcome" and line.entry.of:
                self._take_up(line.entry.of, moment(line.entry.at))

    def _remember(self, lines: Iterable[Line], events: Mapping[str, str] | None = None) -> None:
        newest: dict[str, Record] = {}
        for line in sorted(lines, key=lambda line: line.seq):
            with suppress(ValueError):
                newest[line.entry.thread] = record_of(line.entry, 0)
        self._fleet.remember(tuple(newest.values()), events or {})
        if self.on_recalled is not None:
            self.on_recalled(tuple(newest.values()), events or {})

    def _take_up(self, key: str, end: datetime | None) -> Record | None:
        record = self._fleet.take_up_intent(key, end)
        if record is not None and self.on_taken_up is not None:
            self.on_taken_up(key, end)
        return record


def once_each(told: Iterable[Told]) -> Iterator[Told]:
    """Each event stands in one line only, by which it is known again; what else it changed is told without it."""
    heard: set[int] = set()
    for one in told:
        if one.event is not None and id(one.event) in heard:
            one = Told(record=one.record)  # noqa: PLW2901
        elif one.event is not None:
            heard.add(id(one.event))
        yield one
