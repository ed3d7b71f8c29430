"""What is known of outages and deploys goes into the trail, and what the trail knows of them comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from .beat import beat
from .clock import Clock, nanoseconds
from .deploys.records import ACTION as DEPLOYED
from .deploys.records import deploy_of, deploy_record
from .fleet.fleet import Fleet
from .fleet.lines import record_of
from .model import Record, RecordKind, ServiceKey, Told, titled
from .outages.lapses import Why
from .outages.records import lapse_of, lapse_record
from .outages.spans import MONTH
from .trail.entry import moment
from .trail.store import Line, Place, Query, Store

EVERY = 1.0
"""Seconds between two looks for what is to be written."""
QUIET = timedelta(seconds=5)
"""The past that an engine tells is over when nothing more of it has come for so long."""
AT_FIRST = timedelta(seconds=15)
"""Not all hosts have answered before that: a deploy may look half of what it is."""
MOST = 20_000
"""Records of the past month that are read."""
PIECE = 200
STIRRING = frozenset(("die", "start", "stop", "kill", "pause", "unpause", "destroy", "create", "health_status"))
"""Events after which a replica may serve otherwise than before."""
SERVICES = 5_000


class Recalled(NamedTuple):
    """What the trail knows of the past month."""

    lines: Sequence[Line]
    since: datetime | None
    """Its oldest record."""


class Downtimes:
    """Between one fleet's outages and deploys, and its trail."""

    def __init__(self, fleet: Fleet, clock: Clock) -> None:
        self._fleet = fleet
        self._clock = clock
        self._began = clock.now()
        self._stirred: dict[tuple[ServiceKey, str], tuple[datetime, datetime]] = {}
        """Services whose replicas came or went on a host before this process watched: from when to when."""
        self._new: set[str] = set()
        """Engines that nobody watched before: of what they tell of the past, all of it is unknown anyway."""
        self._stirred_at = self._began
        self._recalled = False
        """The trail was asked: which deploys it knows is known."""

    # -- into the trail

    def told(self, told: Iterable[Told]) -> None:
        """Records that were written."""
        for one in told:
            record = one.record
            if record.kind is RecordKind.GAP:
                self._gap(record)
            elif one.event is not None and record.service is not None and one.event.action in STIRRING:
                at = self._fleet.when(record)
                if at < self._began:
                    self._stir((record.service, record.engine), at)

    def _stir(self, place: tuple[ServiceKey, str], at: datetime) -> None:
        if place not in self._stirred and len(self._stirred) >= SERVICES:
            return
        first, last = self._stirred.get(place, (at, at))
        self._stirred[place] = min(first, at), max(last, at)
        self._stirred_at = self._clock.now()

    def _gap(self, record: Record) -> None:
        if record.until == record.time and record.certain:  # it was not watched before
            self._new.add(record.engine)
            self._fleet.outages.gap(record.engine, record.time - MONTH, record.until)
        else:
            self._fleet.outages.gap(record.engine, record.time, record.until)

    async def keep(self) -> None:
        """Write down what there is, for ever."""
        while True:
            await beat(EVERY)
            self.write()

    def write(self) -> None:
        """Write down what there is now."""
        now = self._clock.now()
        if self._stirred and now - self._stirred_at >= QUIET:
            stirred, self._stirred = self._stirred, {}
            for (service, engine), (first, last) in stirred.items():
                if last > first and engine not in self._new:
                    self._fleet.outages.unsure(service, first, last)
        for lapse in self._fleet.outages.take_unwritten(now):
            make = partial(lapse_record, service_name=self._name(lapse.service), trouble=bool(lapse.told))
            self._fleet.write_found(make, lapse, lapse.key)
        if self._recalled and now - self._began >= AT_FIRST:
            for deploy in self._fleet.deploys.take_unwritten(now):
                self._fleet.write_found(deploy_record, deploy, deploy.key)

    def _name(self, key: ServiceKey) -> str:
        service = self._fleet.services.get(key)
        return titled(service.stack, service.name) if service is not None else key.name

    # -- and back

    def question(self) -> Callable[[Store], Recalled]:
        """What is to be asked of the trail."""
        since = nanoseconds(self._clock.now() - MONTH)

        def ask(store: Store) -> Recalled:
            lines = store.read(Query(since=since, kinds=("note", "gap")), MOST)
            oldest = store.read(Query(), 1, after=Place(0, 0))
            return Recalled(lines, moment(oldest[-1].entry.at) if oldest else None)

        return ask

    async def recall(self, found: Recalled) -> None:
        """Take in what it answered, in pieces: nobody waits for it."""
        if found.since is not None:
            self._fleet.outages.known_since(found.since)
        lines = sorted(found.lines, key=lambda line: (line.entry.at, line.seq))
        for start in range(0, len(lines), PIECE):
            self.take(lines[start : start + PIECE])
            await asyncio.sleep(0)
        self._recalled = True

    def take(self, lines: Iterable[Line]) -> None:
        """Take in lines, also those that another process has just written."""
        kept = {*(str(why) for why in Why), DEPLOYED}
        for line in lines:
            entry = line.entry
            if entry.kind != RecordKind.GAP and entry.action not in kept:
                continue
            with suppress(ValueError):
                record = record_of(entry, 0)
                lapse, deploy = lapse_of(record), deploy_of(record)
                if lapse is not None:
                    self._fleet.outages.recall((lapse,))
                elif deploy is not None:
                    self._fleet.recall_deploys((deploy,))
                elif record.kind is RecordKind.GAP and record.until is not None:
                    self._gap(record)
