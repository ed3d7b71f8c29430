"""The logs of several containers as one stream of lines: read, put in order, followed, and nothing lost unsaid."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from ..errors import EngineError
from ..links.base import Endpoint, UnixEndpoint
from ..model import LinkPhase
from ..model.logs import NOTE, LogLine
from ..session import Session
from .intake import BACKLOG, Intake
from .members import Member
from .merge import Merge
from .ring import MOST_LINES
from .source import LOOK, Source
from .span import Span

STREAMS, AT_ONCE = 100, 8
"""Replicas of one engine that are followed at a time, and whose past is read at a time, over a way that is wide."""
RELEASE = 0.05
"""Seconds between two hand-overs of lines."""
MANY = 500
"""Lines in one hand-over from which on there are a quarter as many of them: nobody reads so fast."""
PATIENCE = 5.0
"""Seconds for which a past that is being read holds up what the others say now."""
CERTAIN = 0.5
"""Seconds of a clock's difference from which on it is one, and not the time that the answer took."""
SKEWED = 2.0
"""Seconds of a clock's difference from which on it is worth a line."""

Deliver = Callable[[Sequence[LogLine]], Awaitable[None]]


class Slots(NamedTuple):
    """How many streams of one engine may be open at once."""

    live: asyncio.Semaphore
    past: asyncio.Semaphore


def slots_for(endpoint: Endpoint | None) -> Slots:
    """Few where its connections are few: events, listing and figures need theirs (`UnixEndpoint.connections`)."""
    few = endpoint.connections if isinstance(endpoint, UnixEndpoint) else 0
    if few:
        return Slots(asyncio.Semaphore(max(1, few // 2 - 1)), asyncio.Semaphore(1))
    return Slots(asyncio.Semaphore(STREAMS), asyncio.Semaphore(AT_ONCE))


class LogFeed:
    """The logs of `who()` (asked again and again: replicas come and go), handed to `deliver` in the order of time.

    With `follow` until cancelled, through restarts, new containers and lost links; without, until all is read, and then
    completely: readers wait where lines wait to be ordered. What fleettop has to say stands among the lines (`NOTE`).
    """

    def __init__(
        self,
        session: Session,
        who: Callable[[], Sequence[Member]],
        deliver: Deliver,
        *,
        span: Span,
        follow: bool = True,
        most: int = MOST_LINES,
        backlog: int = BACKLOG,
        courteous: bool = False,
    ) -> None:
        self.session = session
        self.span = span
        self.follow = follow and span.head is None
        self.most = most
        self.sources: list[Source] = []
        self.merge = Merge()
        self.intake = Intake(
            self._came, self._skipped, backlog=backlog, courteous=courteous, now=session.clock.monotonic
        )
        self.errors: list[tuple[Source, EngineError]] = []
        self._who = who
        self._deliver = deliver
        self._by_key: dict[object, Source] = {}
        self._slots: dict[str, tuple[Endpoint | None, Slots]] = {}
        self._down: set[str] = set()
        self._skewed: set[str] = set()
        self._told_stopped: dict[int, object] = {}
        self._unfollowed: dict[str, set[str]] = {}
        self._more = asyncio.Event()
        self._reading: list[asyncio.Task[None]] = []
        self._finished = False
        self._many = False
        self._begun = session.clock.monotonic()

    async def run(self) -> None:
        """Read and hand over."""
        async with asyncio.TaskGroup() as group:
            decoding = group.create_task(self.intake.run())
            group.create_task(self._hand_over())
            self._look(group, first=True)
            if self.follow:
                await self._keep_looking(group)
            await asyncio.gather(*self._reading)
            decoding.cancel()
            self._finished = True
            self._more.set()

    async def _keep_looking(self, group: asyncio.TaskGroup) -> None:
        while True:
            await asyncio.sleep(LOOK)
            self._look(group, first=False)

    def _look(self, group: asyncio.TaskGroup, *, first: bool) -> None:
        """Take up the replicas that are new, and say what changed about the ways to their engines."""
        members = self._who()
        for member in members:
            if member.key in self._by_key:
                continue
            source = Source(len(self.sources), member, self, whole=not first and self._is_young(member))
            self.sources.append(source)
            self._by_key[member.key] = source
            if not first:
                self.say(f"{member.full_name} ({member.key.id[:12]}) on {member.key.engine} joins.")
            self._reading.append(group.create_task(source.run()))
        self._say_links({member.key.engine for member in members} | self._down)

    def _is_young(self, member: Member) -> bool:
        """Made since this feed began: all it ever said is wanted. An old one came with its engine."""
        container = self.session.fleet.containers.get(member.key)
        if container is None or container.created is None:
            return False
        age = (self.session.clock.now() - container.created).total_seconds()
        return age < self.session.clock.monotonic() - self._begun + 60.0

    def slots(self, engine: str) -> Slots:
        """The streams that may be open to this engine, over the way it is reached now."""
        endpoint = self.session.endpoint(engine)
        known = self._slots.get(engine)
        if known is None or known[0] != endpoint:
            known = self._slots[engine] = (endpoint, slots_for(endpoint))
        return known[1]

    def ahead(self, engine: str) -> int:
        """Nanoseconds that an engine's clock is ahead of ours, as far as that is worth putting right.

        A difference is known to half a round trip; below `CERTAIN` the engine's own clock is the better guess.
        """
        info = self.session.fleet.engines[engine].info
        skew = info.skew if info is not None and info.skew is not None else 0.0
        return round(skew * 1_000_000_000) if abs(skew) > CERTAIN else 0

    # -- lines

    def _came(self, number: int, lines: list[LogLine]) -> None:
        fresh = self.sources[number].fresh(lines)
        if fresh:
            self.merge.add(number, fresh, self.session.clock.monotonic())
            self._more.set()

    def _skipped(self, number: int, count: int) -> None:
        self.say(f"… {count:,} lines of {self.sources[number].label} skipped: they came faster than they can be read.")

    def stand_back(self) -> None:
        """A key was pressed: what it does comes before the lines, for a moment."""
        self.intake.stand_back()

    async def turn(self, number: int) -> None:
        """Return when more of this replica's past is wanted: without following, all of it is put in order."""
        if self.follow:
            return
        while self._ahead_of_others(number):  # noqa: ASYNC110 - as often as lines are handed over
            await asyncio.sleep(RELEASE / 10)

    def _ahead_of_others(self, number: int) -> bool:
        """Whether enough waits for what others have to say, all of which are being read."""
        return not self.merge.may_read(number) and all(source.read or source.opened for source in self.sources)

    async def _hand_over(self) -> None:
        while not self._finished or self.merge.bytes:
            await self._more.wait()
            await asyncio.sleep(0 if self._finished else RELEASE * 4 if self._many else RELEASE)
            await self.intake.turn()
            clock = self.session.clock
            if self.follow and (self.merge.full or clock.monotonic() - self._begun > PATIENCE):
                self.merge.give_up_waiting()
            self._more.clear()
            await self._hand_on()
            if self.merge.bytes:
                self._more.set()

    async def _hand_on(self) -> None:
        lines = self.merge.take(self.session.clock.monotonic())
        self._many = len(lines) > MANY
        if lines:
            await self._deliver(lines)

    # -- what is said

    def say(self, words: str) -> None:
        """A line of our own, now."""
        time = round(self.session.clock.now().timestamp() * 1_000_000_000)
        self.merge.add(NOTE, [LogLine(time, NOTE, 0, words.encode())], self.session.clock.monotonic())
        self._more.set()

    def failed(self, source: Source, error: EngineError) -> None:
        """The log of one replica cannot be read. Said once, however often it was tried."""
        if any(before is source and str(known) == str(error) for before, known in self.errors):
            return
        self.errors.append((source, error))
        if self.follow:
            self.say(f"{source.member.full_name} on {source.member.key.engine}: {error}")

    def stopped(self, source: Source) -> None:
        """It does not run: what was read are its last words."""
        container = source.container
        if container is None:
            return
        code = container.detail.exit_code if container.detail is not None else None
        life = (container.state, container.detail.finished_at if container.detail else None)
        if self._told_stopped.get(source.number) == life:
            return
        self._told_stopped[source.number] = life
        why = f" with code {code}" if code is not None and container.state.value in ("exited", "dead") else ""
        self.say(f"{container.name} on {container.engine} does not run ({container.state.value}{why}).")

    def not_followed(self, source: Source) -> None:
        """There is no stream for it."""
        engine = source.member.key.engine
        names = self._unfollowed.setdefault(engine, set())
        if source.label in names:
            return
        names.add(source.label)
        self.say(
            f"{source.label} is read every few seconds and not followed: the way to {engine} carries few connections."
        )

    def _say_links(self, engines: set[str]) -> None:
        for name in sorted(engines):
            engine = self.session.fleet.engines[name]
            if engine.link.phase is LinkPhase.UP and self.session.client(name) is not None:
                if name in self._down:
                    self._down.discard(name)
                    self.say(f"{name} is back: what was said meanwhile follows.")
                skew = engine.info.skew if engine.info is not None else None
                if skew is not None and abs(skew) > SKEWED and name not in self._skewed:
                    self._skewed.add(name)
                    way = "ahead of" if skew > 0 else "behind"
                    self.say(f"The clock of {name} is {abs(skew):.1f} s {way} ours: its times are put right by that.")
            elif name not in self._down and self.follow:
                self._down.add(name)
                why = f": {engine.link.error}" if engine.link.error is not None else "."
                self.say(f"{name} is lost{why} What it says follows when it is back.")
