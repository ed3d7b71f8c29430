"""Following what one engine says happens, without losing or repeating any of it unnoticed."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from ..clock import Clock
from ..engine.client import EngineClient
from ..model import Change, EngineEvent, EventsSeen, GapSeen

FILTERS: dict[str, tuple[str, ...]] = {
    "type": ("container", "service", "node", "image", "daemon", "network", "volume", "secret", "config"),
    "event": (
        *(
            "create",
            "start",
            "die",
            "stop",
            "kill",
            "oom",
            "pause",
            "unpause",
            "restart",
            "rename",
            "update",
            "destroy",
        ),
        *(
            "health_status",
            "exec_create",
            "remove",
            "delete",
            "tag",
            "untag",
            "pull",
            "load",
            "import",
            "push",
            "prune",
        ),
        *("reload", "connect", "disconnect"),
    ),
}
"""Asked of Docker. `exec_start`, `exec_die`, attach, resize, mount and top never cross the wire. Since the list holds
`exec_create` and `health_status`, the engine matches all of it as prefixes (moby: daemon/events/filter.go)."""

RING = 256
"""Events an engine keeps in memory (moby: daemon/events/events.go, eventsLimit); a restart of the daemon empties it."""

QUEUE = 10_000
REMEMBERED = 2_048
CONTAINER_CHANGES = frozenset(
    ("create", "start", "die", "stop", "kill", "oom", "pause", "unpause", "restart", "rename", "update", "destroy",
     "health_status")
)  # fmt: skip
OVERLAP_NS = 5_000_000_000
"""Swarm events carry the object's own time, not that of emission: resume a little early and drop what we have."""


class EventStream:
    """The events of one engine. Survives reconnects: it knows the last one seen, and so whether any were lost."""

    def __init__(self, engine: str, publish: Callable[[Change], None], clock: Clock) -> None:
        self.engine = engine
        self.last: EngineEvent | None = None
        self.overrun = 0
        self._publish = publish
        self._clock = clock
        self._seen: set[tuple[int, str, str, str]] = set()
        self._order: deque[tuple[int, str, str, str]] = deque()
        self._queue: deque[EngineEvent] = deque()
        self._wake = asyncio.Event()

    async def replay(self, client: EngineClient, *, until: datetime) -> bool:
        """Take in what the engine's ring still holds up to `until` (its clock). True: nothing was lost since last time.

        Asked without a filter, since only the whole ring tells whether it was overrun.
        """
        last = self.last
        ring = [event async for event in client.events(since=1, until=nanoseconds(until))]
        fresh = tuple(event for event in ring if wanted(event) and self._first_time(event))
        if fresh:
            self._remember_last(fresh[-1])
            self._publish(EventsSeen(engine=self.engine, events=fresh, replayed=True))
        return last is None or any(event.identity == last.identity for event in ring)

    async def read(self, client: EngineClient, *, filtered: bool = True) -> None:
        """Follow the live stream for ever. Only queues: an engine drops events for a reader that is slow to take them
        (moby: 100 ms), and suffers from one that does not (seen: its other calls slowed fifty-fold).
        """
        since = self.last.time_nano - OVERLAP_NS if self.last else nanoseconds(self._clock.now() - timedelta(seconds=5))
        async for event in client.events(since=max(since, 1), filters=FILTERS if filtered else None):
            if not wanted(event) or not self._first_time(event):
                continue
            if len(self._queue) >= QUEUE:
                self.overrun += 1
                continue
            self._queue.append(event)
            self._wake.set()

    async def deliver(self, on_container: Callable[[EngineEvent], None], on_swarm: Callable[[], None]) -> None:
        """Hand over what `read` queued, as it comes, for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            events = tuple(self._queue)
            self._queue.clear()
            if not events:
                continue
            self._remember_last(events[-1])
            self._publish(EventsSeen(engine=self.engine, events=events))
            for event in events:
                if event.type == "container" and event.action in CONTAINER_CHANGES and event.id:
                    on_container(event)
                if event.type in ("service", "node") or "com.docker.swarm.task.id" in event.attributes:
                    on_swarm()
            if self.overrun:
                self._tell_overrun(events[0].time)

    def _tell_overrun(self, begin: datetime) -> None:
        lost, self.overrun = self.overrun, 0
        words = f"{lost} events came faster than they could be taken in"
        self._publish(GapSeen(engine=self.engine, begin=begin, end=self._clock.now(), cause=words, certain=True))

    def _remember_last(self, event: EngineEvent) -> None:
        if self.last is None or event.time_nano >= self.last.time_nano:
            self.last = event

    def _first_time(self, event: EngineEvent) -> bool:
        identity = event.identity
        if identity in self._seen:
            return False
        self._seen.add(identity)
        self._order.append(identity)
        if len(self._order) > REMEMBERED:
            self._seen.discard(self._order.popleft())
        return True


def nanoseconds(moment: datetime) -> int:
    """Unix time in nanoseconds, as the engine counts `timeNano`."""
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000


def wanted(event: EngineEvent) -> bool:
    """Whether an event of an unfiltered stream is one that the filter would have let through."""
    return event.type in FILTERS["type"] and event.action.startswith(FILTERS["event"])
