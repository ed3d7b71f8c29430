"""All that was told so far, without what something later made obsolete: what a replay can begin with."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import TypeVar

import msgspec

from ..clock import Clock
from ..model import (
    Change,
    Confirmed,
    Container,
    ContainersSeen,
    EngineEvent,
    EngineSeen,
    EventsSeen,
    ExecSeen,
    FiguresWay,
    FirstWatched,
    GapSeen,
    ImageSeen,
    LinkChanged,
    LinkPhase,
    Listed,
    Record,
    SwarmSeen,
    Usage,
    UsageSeen,
    WordsSeen,
)
from .lines import Line, Remembered, TakenUp

Kept = TypeVar("Kept")

EVENTS = 500
"""Of each engine, the newest."""
GAPS = 10
RECORDS = 1_000
"""Of the trail, and as many keys of events that are in them."""


class Known:
    """What was told of one engine."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.up: Line | None = None
        """The link, when it was last told to be up."""
        self.lost: Line | None = None
        """The first word after that."""
        self.link: Line | None = None
        self.info: EngineSeen | None = None
        self.figures: FiguresWay | None = None
        self.first: FirstWatched | None = None
        self.confirmed: Confirmed | None = None
        self.listed: float | None = None
        """When it was last listed, monotonic; None: not since its link came up."""
        self.containers: dict[str, Container] = {}
        self.at = 0.0
        self.refused: tuple[str, ...] = ()
        self.usage: dict[str, Usage] = {}
        self.words: dict[str, WordsSeen] = {}
        self.images: dict[str, ImageSeen] = {}
        self.swarm: SwarmSeen | None = None
        self.events: deque[EngineEvent] = deque(maxlen=EVENTS)
        self.execs: deque[ExecSeen] = deque(maxlen=EVENTS)
        self.gaps: deque[GapSeen] = deque(maxlen=GAPS)

    def told(self) -> Iterator[Change]:
        """What it comes to, in an order in which it can be taken in; the link comes before."""
        if self.info is not None:
            yield self.info
        if self.figures is not None:
            yield self.figures
        if self.first is not None:
            yield self.first
        name = self.engine
        if self.listed is not None or self.containers:
            yield Listed(engine=name, containers=tuple(self.containers.values()), refused=self.refused, at=self.at)
        if self.events:
            yield EventsSeen(engine=name, events=tuple(self.events), replayed=True)
        yield from self.execs
        yield from self.gaps
        yield from self.images.values()
        if self.swarm is not None:
            yield self.swarm
        if self.usage:
            yield UsageSeen(engine=name, usage=dict(self.usage))
        yield from self.words.values()
        if self.confirmed is not None:
            yield self.confirmed


class Picture:
    """Takes in every change; its `lines` are the whole picture."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.engines: dict[str, Known] = {}
        self._records: dict[str, Record] = {}
        self._events: dict[str, str] = {}
        self._intents: dict[str, TakenUp] = {}

    def known(self, engine: str) -> Known:
        """What was told of this engine."""
        found = self.engines.get(engine)
        if found is None:
            found = self.engines[engine] = Known(engine)
        return found

    def lines(self) -> list[Line]:
        """The links as of when they changed, since how long one is gone counts; all else as of now."""
        links = [line for one in self.engines.values() for line in (one.up, one.lost, one.link) if line is not None]
        links = sorted({id(line): line for line in links}.values(), key=lambda line: line.t)
        now, ages = self._clock.now().timestamp(), self._clock.monotonic()
        trail: list[Remembered | TakenUp] = []
        if self._records:
            trail.append(Remembered(records=tuple(self._records.values()), events=dict(self._events)))
        trail += self._intents.values()
        told = chain.from_iterable(one.told() for one in self.engines.values())
        return [*links, *(Line(t=now, m=ages, c=change) for change in (*trail, *told))]

    def _recall(self, told: Remembered | TakenUp) -> None:
        if isinstance(told, TakenUp):
            _keep(self._intents, {told.key: told})
        else:
            _keep(self._records, {record.key: record for record in told.records})
            _keep(self._events, told.events)

    def take(self, line: Line) -> None:
        """One more was told."""
        change = line.c
        if isinstance(change, Remembered | TakenUp):
            self._recall(change)
            return
        known = self.known(change.engine)
        newest = _NEWEST.get(type(change))
        if newest is not None:
            setattr(known, newest, change)
            return
        match change:
            case LinkChanged():
                self._link(known, line, change.link.phase)
            case Listed() | ContainersSeen():
                _containers(known, change)
            case UsageSeen():
                known.usage.update((one, usage) for one, usage in change.usage.items() if one in known.containers)
            case EventsSeen():
                known.events.extend(change.events)
            case ExecSeen():
                known.execs.append(change)
            case GapSeen():
                if known.gaps and known.gaps[-1].begin == change.begin:
                    known.gaps.pop()
                known.gaps.append(change)
            case WordsSeen():
                known.words[change.id] = change
            case ImageSeen():
                known.images[change.id] = change

    def _link(self, known: Known, line: Line, phase: LinkPhase) -> None:
        if phase is LinkPhase.UP:
            if known.up is None or known.lost is not None:
                known.listed = None
            known.up, known.lost = line, None
        elif known.lost is None:
            known.lost = line
        known.link = line


_NEWEST: Mapping[type, str] = {
    EngineSeen: "info",
    FiguresWay: "figures",
    FirstWatched: "first",
    Confirmed: "confirmed",
    SwarmSeen: "swarm",
}
"""Of what the newest alone counts, and where it is kept."""


def _keep(known: dict[str, Kept], new: Mapping[str, Kept]) -> None:
    for key, one in new.items():
        known.pop(key, None)
        known[key] = one
    while len(known) > RECORDS:
        del known[next(iter(known))]


def _containers(known: Known, change: Listed | ContainersSeen) -> None:
    seen = {container.id: container for container in change.containers}
    if isinstance(change, Listed):
        kept = {one: known.containers[one] for one in change.refused if one in known.containers}
        known.containers, known.listed, known.refused = kept | seen, change.at, change.refused
    else:
        for gone in change.gone:
            known.containers.pop(gone, None)
        known.containers.update(seen)
        known.refused = (
            *(one for one in known.refused if one not in seen and one not in change.gone and one not in change.refused),
            *change.refused,
        )
    known.at = max(known.at, change.at)
    known.usage = {one: usage for one, usage in known.usage.items() if one in known.containers}
    known.words = {one: words for one, words in known.words.items() if one in known.containers}
    if len(known.images) > 2 * len(known.containers) + 50:
        used = {container.image_id for container in known.containers.values()}
        known.images = {one: image for one, image in known.images.items() if one in used}


def thinned(change: Change, known: Known) -> tuple[Change, ...]:
    """What of a change has to be written, after what is `known`: a listing says again what was said before."""
    if isinstance(change, Listed) and known.listed is not None:
        new = tuple(c for c in change.containers if known.containers.get(c.id) != c)
        gone = tuple(known.containers.keys() - {c.id for c in change.containers} - set(change.refused))
        less: list[Change] = []
        if new or gone or change.refused or known.refused:
            less.append(
                ContainersSeen(
                    engine=change.engine,
                    containers=new if not known.refused else change.containers,
                    gone=gone,
                    refused=change.refused,
                    at=change.at,
                )
            )
        return (*less, Confirmed(engine=change.engine, at=change.at))
    if isinstance(change, SwarmSeen) and known.swarm is not None:
        same = msgspec.structs.replace(change.picture, at=known.swarm.picture.at) == known.swarm.picture
        return () if same else (change,)
    return (change,)
