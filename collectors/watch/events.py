"""Following what one engine says happens, without losing or repeating any of it unnoticed."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from types import MappingProxyType

import msgspec

from ..cause.repeats import REMEMBERED
from ..clock import Clock, nanoseconds
from ..engine.client import EngineClient
from ..errors import ConnectionLost, NotAnswering
from ..model import Change, EngineEvent, EventsSeen, GapSeen
from ..remembered import Remembered

FILTERS: dict[str, tuple[str, ...]] = {
    "type": (
        *("container", "service", "node", "image", "daemon", "network", "volume", "secret", "config"),
        *("plugin", "builder"),
    ),
    "event": (
        *("create", "start", "die", "stop", "kill", "oom", "pause", "unpause", "restart", "rename", "update"),
        *("destroy", "health_status", "exec_create", "extract-to-dir", "archive-path", "export", "commit"),
        *("remove", "delete", "tag", "untag", "pull", "load", "import", "push", "save", "prune"),
        *("reload", "connect", "disconnect", "enable", "disable"),
    ),
}
"""Asked of Docker. `exec_start`, `exec_die`, attach, resize, mount and top never cross the wire. Since the list holds
`exec_create` and `health_status`, the engine matches all of it as prefixes (moby: daemon/events/filter.go)."""

PODMANS = frozenset(("cleanup",))
"""Said by Podman alone, which is asked without a filter: of an end that it does not bring the container back from."""

RING = 256
"""Events an engine keeps in memory (moby: daemon/events/events.go, eventsLimit); a restart of the daemon empties it."""

BURST = 100.0
"""Events a second that no engine is expected to say out of a sudden."""
SLACK = 0.1

QUEUE = 10_000
"""Events that wait at most to be taken in; from half of it on, what only repeats is left out."""
SLICE = 100
"""Events taken in at once (7 ms): between two slices the reader has its turn, since no engine may ever wait for us."""
SAID = 2_048
"""Commands of execs that are known to be repeated."""
RECENT = 16
"""Events by which the next process that asks for the past knows that none is missing: one of them, and an engine's ring
loses its oldest first."""
CONTAINER_CHANGES = frozenset(
    ("create", "start", "die", "stop", "oom", "pause", "unpause", "restart", "rename", "update", "destroy",
     "health_status")
)  # fmt: skip
"""After these a container is not as it was. A `kill` is a signal: what it does, its `die` tells."""
NO_ATTRIBUTES: Mapping[str, str] = MappingProxyType({})
OVERLAP_NS = 5_000_000_000
"""Swarm events carry the object's own time, not that of emission: resume a little early and drop what we have."""
PAST = timedelta(hours=1)
"""Of an engine that keeps its events in a file (Podman), which may hold weeks: read on the first connection."""
STALLED = 10.0
"""Seconds without a line, after which an engine that is telling its past has stopped doing so."""
SILENCE = 300.0
"""Seconds without an event, after which the stream is opened anew: a connection on which nothing is said may have been
dropped on the way, and this one alone has no question on it that would tell."""
EARLY = 0.1
"""The part of it by which that may come too early."""


class EventStream:
    """The events of one engine. Survives reconnects: it knows the last one seen, and so whether any were lost."""

    def __init__(self, engine: str, publish: Callable[[Change], None], clock: Clock) -> None:
        self.engine = engine
        self.last: EngineEvent | None = None
        self.begin: datetime | None = None
        """From where on the past is asked of an engine that keeps it in a file; None: an hour of it."""
        self.heard_before = False
        """Whoever watched this engine before us heard something of it."""
        self.lost = False
        """Whether it is certain, and not only possible, that something was lost when the past was read last."""
        self.emptied = False
        """Whether what the engine had in memory then was gone: only a start of its daemon does that."""
        self.oldest: datetime | None = None
        """The engine's time of the oldest event it still had when asked last."""
        self.overrun = 0
        self.heard_at = float("-inf")
        """Monotonic time of the last event that came by itself."""
        self._publish = publish
        self._clock = clock
        self._read_to: tuple[int, float] | None = None
        """Up to where the past was read: the engine's clock in nanoseconds, and ours (monotonic) at that moment."""
        self._dropped: dict[str, EngineEvent] = {}
        self._repeated = 0
        """Of the overrun, how many only repeated what was said of the same container just before."""
        self._said: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._seen = Remembered(REMEMBERED)
        self._only_read: set[int] = set()
        """Events of the past that were read after something was lost, until that is told."""
        self._recent: deque[EngineEvent] = deque(maxlen=RECENT)
        self._queue: deque[EngineEvent] = deque()
        self._overrun_since: datetime | None = None
        self._wake = asyncio.Event()

    @property
    def newest(self) -> tuple[EngineEvent, ...]:
        """The last events that were heard, newest last, without names and attributes."""
        return tuple(self._recent)

    def inherit(self, other: EventStream) -> None:
        """Go on where another stream of the same engine ended."""
        self.last, self._read_to = other.last, other._read_to
        self._seen = other._seen.copy()

    async def replay(
        self,
        client: EngineClient,
        *,
        until: datetime,
        on_container: Callable[[EngineEvent], None] | None = None,
        recall: Callable[[Sequence[EngineEvent]], Awaitable[bool]] | None = None,
    ) -> bool:
        """Take in what the engine's ring still holds up to `until` (its clock). True: nothing was lost since last time.

        Asked without a filter, since only the whole ring tells whether it was overrun. What happened to containers is
        also handed to `on_container`. `recall` is asked first, whether another process heard any of it before. Raises
        NotAnswering where the engine stops in the middle.
        """
        first = self._read_to is None and recall is None
        began = self._clock.monotonic()
        ring = await self._past(client, until)
        took = self._clock.monotonic() - began
        self.oldest = ring[0].time if ring else until
        recalled = recall is not None and await recall([event for event in ring if wanted(event)])
        # The ring loses its oldest first: where it holds one that we had, all that came after that is in it too.
        complete = first or recalled or any(self._was_heard(event) for event in ring)
        # An engine that holds nothing we know lost what we do: it was started anew, or said too much meanwhile. Where
        # nothing was ever heard of it, its silence may have been just that; so too where Podman was asked only for what
        # came after another process had heard all.
        held = bool(self._seen) or (self.heard_before and not client.podman)
        self.lost = not complete and (len(ring) >= RING or held)
        self.emptied = not complete and held and not client.podman and _was_emptied(ring, until, took)
        self._read_to = nanoseconds(until), self._clock.monotonic()
        fresh = tuple(event for event in ring if wanted(event) and self._first_time(event))
        if not complete:
            self._only_read.update(event.identity for event in fresh)
        if fresh:
            self.last = fresh[-1]
            self._publish(EventsSeen(engine=self.engine, events=fresh, replayed=True))
        for event in fresh:
            if on_container is not None and (changed := _changed_container(event)):
                on_container(changed)
        return complete

    def taken_up(self) -> None:
        """What was lost is told: what was read since counts as heard."""
        self._only_read.clear()

    def _was_heard(self, event: EngineEvent) -> bool:
        """Before anything was lost: what an attempt that broke again has read of the past proves nothing."""
        return event.identity in self._seen and event.identity not in self._only_read

    async def _past(self, client: EngineClient, until: datetime) -> list[EngineEvent]:
        since = 1
        if client.podman:
            since = nanoseconds(until - PAST)
            if self.last is not None:
                since = self.last.time_nano - OVERLAP_NS
            elif self.begin is not None:
                since = nanoseconds(self.begin) - OVERLAP_NS
        ring: list[EngineEvent] = []
        loop = asyncio.get_running_loop()
        try:
            async with (
                asyncio.timeout(STALLED) as limit,
                aclosing(client.events(since=since, until=nanoseconds(until))) as events,
            ):
                async for event in events:
                    ring.append(event)
                    limit.reschedule(loop.time() + STALLED)
        except TimeoutError as error:
            raise NotAnswering(f"{self.engine} stopped telling what happened before.") from error
        return ring

    async def read(self, client: EngineClient, *, filtered: bool = True) -> None:
        """Follow the live stream for ever. Only queues: an engine drops events for a reader that is slow to take them
        (moby: 100 ms), and suffers from one that does not (seen: its other calls slowed fifty-fold).

        Raises ConnectionLost where the engine ends the stream, as it does when it is shut down.
        """
        loop = asyncio.get_running_loop()
        filters = FILTERS if filtered else None
        since = self._resume_at(0.0)
        while True:
            try:
                async with (
                    asyncio.timeout(SILENCE) as limit,
                    aclosing(client.events(since=since, filters=filters)) as events,
                ):
                    async for event in events:
                        until = loop.time() + SILENCE
                        if until - (limit.when() or 0.0) > SILENCE * EARLY:  # a timer costs as much as an event
                            limit.reschedule(until)
                        self._take(event)
            except TimeoutError:
                since = self._resume_at(SILENCE)
                continue
            raise ConnectionLost(f"{self.engine} ended its stream of events.")

    def _resume_at(self, silent: float) -> int:
        """Where on the engine's clock to go on, after so many seconds without an event: early enough for all of it.

        The last event alone does not tell: one of the swarm may carry the time of another machine's clock.
        """
        if self._read_to is None:
            now = nanoseconds(self._clock.now())
        else:
            read_to, at = self._read_to
            now = read_to + int((self._clock.monotonic() - at - silent) * 1e9) if silent else read_to
        last = self.last.time_nano if self.last is not None else now
        return max(1, min(now, last) - OVERLAP_NS)

    def _take(self, event: EngineEvent) -> None:
        self.heard_at = self._clock.monotonic()
        if not wanted(event) or not self._first_time(event):
            return
        waiting = len(self._queue)
        if self._only_repeats(event) and waiting >= QUEUE // 2:
            self.overrun += 1
            self._repeated += 1
            return
        if waiting >= QUEUE:
            self.overrun += 1
            if changed := _changed_container(event):
                self._dropped[changed.id] = changed
            return
        self._queue.append(event)
        self._wake.set()

    async def deliver(
        self,
        on_container: Callable[[EngineEvent], None],
        on_dropped: Callable[[EngineEvent], None],
        on_swarm: Callable[[], None],
        on_exec: Callable[[EngineEvent], None] = lambda event: None,
    ) -> None:
        """Hand over what `read` queued, as it comes, for ever; `on_dropped` gets the last of each container that was
        left out, whatever came after it.
        """
        while True:
            if not self._queue:
                self._wake.clear()
                await self._wake.wait()
            events = tuple(self._queue.popleft() for _ in range(min(SLICE, len(self._queue))))
            self.last = events[-1]  # in the order they were said, which is that of the ring; not in that of their times
            self._publish(EventsSeen(engine=self.engine, events=events))
            dropped, self._dropped = tuple(self._dropped.values()), {}
            for place, event in enumerate((*events, *dropped)):
                if changed := _changed_container(event):
                    (on_container if place < len(events) else on_dropped)(changed)
                if event.action == "exec_create":
                    on_exec(event)
                if event.type in ("service", "node") or "com.docker.swarm.task.id" in event.attributes:
                    on_swarm()
            if self.overrun and self._overrun_since is None:
                self._overrun_since = events[0].time
            if self._overrun_since is not None and not self._queue:
                self._tell_overrun(self._overrun_since)
            if self._queue:
                await asyncio.sleep(0)

    def _only_repeats(self, event: EngineEvent) -> bool:
        """An exec of a command that was run in the same container before: nearly always a health check."""
        if event.action != "exec_create":
            return False
        what = (event.id, event.argument)
        known = what in self._said
        self._said[what] = None
        self._said.move_to_end(what)
        if len(self._said) > SAID:
            self._said.popitem(last=False)
        return known

    def _tell_overrun(self, begin: datetime) -> None:
        lost, repeated = self.overrun, self._repeated
        self.overrun = self._repeated = 0
        self._overrun_since = None
        words = f"{lost} events came faster than they could be taken in"
        if repeated:
            words += f", {'all' if repeated == lost else repeated} of them execs that only repeated others"
        self._publish(
            GapSeen(engine=self.engine, begin=begin, end=self._clock.now(), cause=words, certain=repeated < lost)
        )

    def _first_time(self, event: EngineEvent) -> bool:
        if not self._seen.first_time(event.identity):
            return False
        self._recent.append(msgspec.structs.replace(event, name="", attributes=NO_ATTRIBUTES))
        return True


def _was_emptied(ring: Sequence[EngineEvent], until: datetime, took: float) -> bool:
    """Whether the ring is too short to have been overrun: that would be full, but for what was said since `until`."""
    span = max((until - ring[0].time).total_seconds(), SLACK) if ring else SLACK
    return (RING - len(ring)) / (2 * took + SLACK) > max(BURST, 10 * len(ring) / span)


def _changed_container(event: EngineEvent) -> EngineEvent | None:
    """An event after which a container is not as it was, by that container's id."""
    if event.type == "network" and event.action in ("connect", "disconnect") and "container" in event.attributes:
        return msgspec.structs.replace(event, id=event.attributes["container"])
    return event if event.type == "container" and event.action in CONTAINER_CHANGES and event.id else None


def wanted(event: EngineEvent) -> bool:
    """Whether an event of an unfiltered stream is one that the filter lets through, or one of Podman's own."""
    return event.type in FILTERS["type"] and (event.action.startswith(FILTERS["event"]) or event.action in PODMANS)
