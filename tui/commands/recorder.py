"""What a recording fleettop says of its work: engines that come and go, gaps, trouble, and whether it is written."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from fleettop.collectors.cause import told
from fleettop.collectors.errors import TrailError
from fleettop.collectors.instance import VERSION
from fleettop.collectors.model import EngineStatus, LinkPhase, Record, RecordKind
from fleettop.collectors.trail import Tidied
from fleettop.collectors.trail.folder import Folder
from fleettop.collectors.trail.segments import SegmentStore

from ..trail.asking import object_words
from ..views.record_detail import attribution_words
from .anchor import Anchor
from .loglines import Level, LogLines
from .metrics import Figures, figures_of

if TYPE_CHECKING:
    from fleettop.collectors.alarms.message import Message
    from fleettop.collectors.alarms.watchman import Watchman
    from fleettop.collectors.keeping import Keeping
    from fleettop.collectors.recording import SnapshotFile
    from fleettop.collectors.session import Session

    from .metrics import Listen

PACE = 0.25
"""Seconds between two looks at what changed."""
HOUR = 3600.0
MEASURE = 30.0
SOON = 1.0
"""Seconds after which it is looked again whether the trail has begun."""
REMEMBERED = 10_000
"""Records of which it is remembered that they were told."""


class Recorder:
    """Follows one session and says what happens to it."""

    def __init__(
        self,
        session: Session,
        log: LogLines,
        folder: Path,
        anchor: Anchor | None,
        *,
        every: float = HOUR,
    ) -> None:
        self._session = session
        self._log = log
        self._folder = folder
        self._anchor = anchor
        self._every = every
        self._size: int | None = None
        self._phases: dict[str, LinkPhase] = {}
        self._told: dict[int, object] = {}
        self._newest = 0
        self._records: Counter[RecordKind] = Counter()
        self._hourly: Counter[str] = Counter()
        self._last_event: dict[str, float] = {}
        self._keeping.keeper.on_trouble = self._trail_trouble
        self._keeping.keeper.on_tidied = self._tidied

    @property
    def _keeping(self) -> Keeping:
        assert self._session.keeping is not None
        return self._session.keeping

    # -- begin and end

    def begin(self, listen: Listen | None) -> None:
        """Say that it begins."""
        self._log.say(
            "info",
            "start",
            version=VERSION,
            instance=self._session.instance.name,
            engines=len(self._session.fleet.engines),
            trail=self._folder,
            read_only=self._session.read_only,
            metrics=f"http://{listen.written}/metrics" if listen is not None else None,
        )

    async def trail_opened(self) -> None:
        """Return when the trail was opened, or could not be (which is said then)."""
        await self._keeping.keeper.opened.wait()

    async def end(self, why: str) -> None:
        """Say that it ended, and keep the last head."""
        await self._keep_head()
        self._log.say("info", "end", why=why, **self._counts(self._records))

    def tell_alarms(self, watchman: Watchman) -> None:
        """Say which alarms there are, and where one of them does not arrive."""

        def alarm(message: Message) -> None:
            level: Level = "info" if message.level == "recovered" else "warning"
            self._log.say(level, "alarm", threshold=message.level, service=message.service, says=message.text)

        def trouble() -> None:
            if watchman.trouble:
                self._log.say("error", "alarm-not-sent", error=watchman.trouble)
            else:
                self._log.say("info", "alarms-sent-again")

        watchman.on_alarm, watchman.on_trouble = alarm, trouble

    def tell_snapshots(self, file: SnapshotFile) -> None:
        """Say where the recording cannot be written, and where it can again."""

        def trouble() -> None:
            if file.trouble:
                self._log.say("error", "snapshots-not-written", error=file.trouble)
            else:
                self._log.say("info", "snapshots-written-again")

        file.on_trouble = trouble

    # -- for as long as it runs

    def work(self) -> tuple[Coroutine[object, object, None], ...]:
        """All that goes on beside each other, for ever."""
        return self.follow(), self.measure(), self.count(), self.keep_anchor()

    async def follow(self) -> None:
        """Take in what changes, for ever."""
        while True:
            changed = self._session.fleet.take_changes()
            for name in sorted(changed.engines):
                self._engine(self._session.fleet.engines[name])
            for record in changed.records:
                self._record(record)
            await asyncio.sleep(PACE)

    async def measure(self) -> None:
        """Twice a minute, what the trail takes on the disk."""
        await self.trail_opened()
        while True:
            try:
                self._size = await asyncio.to_thread(Folder(self._folder).size)
            except TrailError:
                self._size = None
            await asyncio.sleep(MEASURE)

    async def count(self) -> None:
        """Every hour, how much there was of everything."""
        while True:
            await asyncio.sleep(self._every)
            hourly, self._hourly = self._hourly, Counter()
            totals = self._session.fleet.totals()
            self._log.say(
                "info",
                "counts",
                **self._counts(hourly),
                engines_up=totals.hosts_up,
                engines=totals.hosts,
                containers=totals.containers,
                trail_bytes=self._size,
                waiting=self._keeping.keeper.waiting or None,
            )

    async def keep_anchor(self) -> None:
        """At the start, as soon as there is one, and every hour, keep the head elsewhere."""
        while True:
            begun = await self._keep_head()
            await asyncio.sleep(self._every if begun else SOON)

    # -- what is said

    def _engine(self, engine: EngineStatus) -> None:
        phase, before = engine.link.phase, self._phases.get(engine.name)
        if phase not in (LinkPhase.UP, LinkPhase.DOWN) or phase is before:
            return
        self._phases[engine.name] = phase
        if phase is LinkPhase.UP:
            version = engine.info.version if engine.info is not None else None
            self._log.say(
                "info",
                "engine-up",
                engine=engine.name,
                route=engine.link.route or None,
                version=version,
                same_as=engine.same_as or None,
            )
        else:
            self._log.say("warning", "engine-down", engine=engine.name, error=engine.link.error)

    def _record(self, record: Record) -> None:
        if record.kind is RecordKind.EVENT:
            at = record.time.timestamp()
            self._last_event[record.engine] = max(at, self._last_event.get(record.engine, at))
        if record.instance:
            return  # written by another process, or before this one
        self._count(record)
        if record.kind is RecordKind.GAP:
            if self._tell_once(record, (record.until, record.what)):
                level: Level = "warning" if record.trouble else "info"
                self._log.say(
                    level, "gap", engine=record.engine or None, since=record.time, until=record.until, says=record.what
                )
        elif record.trouble and self._tell_once(record, None):
            self._log.say(
                "warning",
                "trouble",
                engine=record.engine or None,
                object=object_words(record) or None,
                service=record.service_name or None,
                says=told(record, self._session.clock.now()),
                who=attribution_words(record) or None,
            )

    def _tell_once(self, record: Record, version: object) -> bool:
        if record.id in self._told and self._told[record.id] == version:
            return False
        self._told[record.id] = version
        if len(self._told) > REMEMBERED:
            del self._told[next(iter(self._told))]
        return True

    def _count(self, record: Record) -> None:
        if record.id > self._newest:
            self._newest = record.id
            self._records[record.kind] += 1
            self._hourly[record.kind] += 1

    def _counts(self, of: Counter[str] | Counter[RecordKind]) -> dict[str, object]:
        return {"records": sum(of.values()), **{f"{kind}s": of[kind] for kind in RecordKind if of[kind]}}

    def _trail_trouble(self) -> None:
        trouble = self._keeping.keeper.trouble
        if trouble is not None:
            self._log.say("error", "trail-not-writable", error=trouble, do=trouble.hint or None)
        else:
            self._log.say("info", "trail-written-again")

    def _tidied(self, done: Tidied) -> None:
        if done.removed:
            self._log.say("info", "trail-trimmed", says=done.removed)
        if done.large:
            self._log.say("warning", "trail-large", says=done.large)

    # -- the trail itself

    async def _keep_head(self) -> bool:
        """False: there is no line yet."""
        if self._anchor is None:
            return True
        try:
            return await asyncio.to_thread(_keep_head, self._anchor, self._folder)
        except TrailError as error:
            self._log.say("error", "head-not-anchored", error=error, do=error.hint or None)
            return True

    def figures(self) -> Figures:
        """For who measures."""
        keeper = self._keeping.keeper
        return figures_of(
            self._session.fleet,
            records=self._records,
            last_event=self._last_event,
            size=self._size,
            waiting=keeper.waiting,
            lag=keeper.lag,
            writable=keeper.trouble is None,
        )


def _keep_head(anchor: Anchor, folder: Path) -> bool:
    with closing(SegmentStore(folder, read_only=True)) as store:
        head = store.head()
    if head.seq:
        anchor.keep(head, folder)
    return head.seq > 0
