"""The fleet as it is known now: what the watchers tell goes in, and what changed comes out.

`apply` is cheap and only marks what it touches; `take_changes` puts the touched services together again. A change of
one container costs its service, never the fleet. No I/O, no tasks: whoever owns it calls it from one thread.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from time import perf_counter

from ..address import EngineAddress
from ..clock import Clock, SystemClock
from ..deploys.book import DeployBook
from ..deploys.deploy import Deploy
from ..figures.history import History
from ..model import (
    Change,
    Container,
    ContainerKey,
    EngineStatus,
    Freshness,
    Record,
    RecordKind,
    Service,
    ServiceKey,
    SwarmPicture,
    Told,
    Usage,
    titled,
)
from ..outages.ledger import Ledger
from ..outages.looks import look_of
from ..services.assembly import Assembled, Known, assemble, begun_earlier
from ..services.changes import Made
from ..services.places import Place, ServiceRule
from ..services.replicas import Standing, earliest, standing_of
from ..services.verdict import Outage
from ..story.scene import Scene
from ..story.telling import Story, tell
from ..trail import MemoryTrail, Trail
from ..trail.entry import Entry
from .intake import Intake
from .known import known_now
from .lines import Context
from .totals import Totals, totals
from .touched import Changed

TICK = 1.0
"""Seconds after which `take_changes` lets time have its effect by itself."""


class Fleet:
    """All that is known of the fleet. Its mappings are live: they change under `apply` and `take_changes`."""

    def __init__(
        self,
        engines: Sequence[EngineAddress],
        *,
        rules: Sequence[ServiceRule] = (),
        clock: Clock | None = None,
        trail: Trail | None = None,
        instance: str = "",
        declared_by: Sequence[str] = (),
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.trail: Trail = trail if trail is not None else MemoryTrail()
        self.on_change: Callable[[], None] | None = None
        """Called, also several times, whenever there is something to take."""
        self._intake = Intake(engines, rules, self.clock, self.trail, instance, declared_by)
        self._touched = self._intake.touched
        self.containers: Mapping[ContainerKey, Container] = self._intake.containers
        self.usage: Mapping[ContainerKey, Usage] = self._intake.usage.newest
        self.histories: Mapping[ContainerKey, History] = self._intake.usage.histories
        """What was used over the last minutes."""
        self.services: Mapping[ServiceKey, Service] = self._intake.services
        self._standings: dict[ContainerKey, Standing] = {}
        self._assembled: dict[ServiceKey, Assembled] = {}
        self._due: list[tuple[datetime, ServiceKey]] = []
        self._due_at: dict[ServiceKey, datetime] = {}
        self._ticked = self.clock.monotonic()
        self.outages = Ledger(self._ended)
        """How long services did not serve, and do not."""

        self.complete = False
        """Every host has answered, or failed to, since this began."""
        self.deploys = DeployBook()
        """Changes of what services are made from."""

    # -- in and out

    def apply(self, change: Change) -> None:
        """Take in what a watcher tells. What names an engine that is not configured is left out."""
        self._intake.take(change)
        self._tell()

    def take_changes(self, budget: float | None = None) -> Changed:
        """Put the touched services together again, and tell all that changed since last asked.

        With a `budget` in seconds no more services are begun once it is used up; the rest come with the next call, and
        `pending` says that there are some. Ten thousand containers that arrive at once freeze no screen that way.
        """
        if self.clock.monotonic() - self._ticked >= TICK:
            self.tick()
        self._rebuild(budget)
        return self._touched.take()

    @property
    def pending(self) -> bool:
        """Whether services still wait to be put together."""
        return bool(self._touched.rebuild)

    def tick(self) -> None:
        """Let time have its effect: readings become late, crash loops are over. Cheap; once a second is enough."""
        self._ticked = self.clock.monotonic()
        self._intake.refresh()
        now = self.clock.now()
        while self._due and self._due[0][0] <= now:
            due, key = heapq.heappop(self._due)
            if self._due_at.get(key) == due:
                del self._due_at[key]
                self._come_due(key, now)
        self._tell()

    def _tell(self) -> None:
        if self.on_change is not None and self._touched.urgent:
            self.on_change()

    # -- what can be asked

    @property
    def engines(self) -> Mapping[str, EngineStatus]:
        """Every configured engine by its name, in the order of the config."""
        return self._intake.engines.statuses

    @property
    def swarms(self) -> Mapping[str, SwarmPicture]:
        """One picture of each swarm, by cluster id."""
        return self._intake.swarms.pictures

    @property
    def words(self) -> Mapping[ContainerKey, tuple[str, ...]]:
        """Last words that were read."""
        return self._intake.words.words

    @property
    def wanted_words(self) -> frozenset[ContainerKey]:
        """The newest dead or failing replica of each service in trouble, where its last words are not known yet."""
        return self._intake.words.unread(self.containers)

    @property
    def wanted_logins(self) -> tuple[str, ...]:
        """Engines where somebody unknown did something, and on whose hosts we may look who is logged in."""
        return self._intake.witnesses.wanted()

    def take_wanted_logins(self, engine: str) -> tuple[int, ...]:
        """The records for whose sake; they are not asked for again."""
        return self._intake.witnesses.take(engine)

    def freshness(self, engine: str) -> Freshness:
        """How far what is shown of this engine can be trusted to be the present."""
        return self._intake.engines.freshness(engine)

    def container_freshness(self, key: ContainerKey) -> Freshness:
        """As its engine's; stale where its newest reading made no sense or was not answered."""
        status = self.engines.get(key.engine)
        if status is not None and key.id in status.doubtful:
            return Freshness.STALE
        return self._intake.engines.freshness(key.engine)

    def containers_on(self, engine: str) -> tuple[ContainerKey, ...]:
        """The containers of one engine, in the order in which they were found. Costs what that engine has."""
        book = self._intake.engines.get(engine)
        return tuple(ContainerKey(engine, container_id) for container_id in book.containers) if book is not None else ()

    def service_of(self, key: ContainerKey) -> ServiceKey | None:
        """The service this is a replica of; None: a one-off, a pod sandbox, or not there."""
        place = self._intake.roster.place(key)
        return place.service if place is not None else None

    def place_of(self, key: ContainerKey) -> Place | None:
        """Where a container belongs, also a one-off; None: it is not there."""
        return self._intake.roster.place(key)

    def members(self, key: ServiceKey) -> tuple[Container, ...]:
        """All containers of a service, also those of earlier attempts at a replica."""
        return tuple(c for k in self._intake.roster.members(key) if (c := self.containers.get(k)) is not None)

    def standings(self, key: ServiceKey) -> tuple[Standing, ...]:
        """How each replica stands, in the order of `Service.replicas`."""
        assembled = self._assembled.get(key)
        return assembled.standings if assembled is not None else ()

    def history(self, key: ServiceKey) -> tuple[Made, ...]:
        """What somebody changed on a service, oldest first."""
        return self._intake.book.history(key)

    def records(
        self, *, service: ServiceKey | None = None, engine: str = "", object_id: str = "", limit: int = 200
    ) -> tuple[Record, ...]:
        """Records of a service, an engine or an object, newest first."""
        return self._intake.book.find(service, engine, object_id, limit)

    def record(self, key: str) -> Record | None:
        """The record of that key, as it is now; None: it is not at hand."""
        return self._intake.book.by_key(key)

    def when(self, record: Record) -> datetime:
        """When it happened, on our clock: what the trail is ordered by."""
        told_by_engine = record.kind is RecordKind.EVENT
        return self._intake.engines.ours(record.engine, record.time) if told_by_engine else record.time

    def totals(self) -> Totals:
        """The fleet at a glance."""
        return totals(self.engines.values(), self.services, len(self.containers))

    def story(self, key: ServiceKey, zone: tzinfo | None = None) -> Story | None:
        """What is the case with a service, in one sentence of facts; None: no such service. `zone` None: local time."""
        assembled = self._assembled.get(key)
        if assembled is None:
            return None
        speaker = self._intake.words.speaker(key)
        return tell(
            Scene(
                service=assembled.service,
                standings=assembled.standings,
                outage=assembled.outage,
                history=self._intake.book.history(key),
                records=self._intake.book.of_service(key, 50),
                containers=self.containers,
                engines=self.engines,
                words=self.words.get(speaker, ()) if speaker is not None else (),
                speaker=speaker,
                now=self.clock.now(),
                monotonic=self.clock.monotonic(),
                ours=self._intake.engines.ours,
                zone=zone,
            )
        )

    # -- our own deeds

    def record_intent(
        self,
        verb: str,
        *,
        engine: str,
        object_type: str = "container",
        object_id: str = "",
        object_name: str = "",
        service: ServiceKey | None = None,
        actor: str,
        reason: str = "",
        what: str = "",
    ) -> Record:
        """Write down what we are about to do, before it is done. Raises TrailError where it cannot be written.

        The engine's events of it are then known to be ours until `record_outcome` (and a little longer). For an
        object of a swarm `engine` is the manager that is asked; any manager's event counts. Where the id is not known
        beforehand, as of a container about to be created, the name counts.
        """
        known = self.services.get(service) if service is not None else None
        record = self._intake.book.intent(
            verb,
            engine=engine,
            object_type=object_type,
            object_id=object_id,
            object_name=object_name,
            service=service,
            service_name=titled(known.stack, known.name) if known is not None else "",
            actor=actor,
            reason=reason,
            what=what,
        )
        self._tell()
        return record

    def record_outcome(self, intent: Record, outcome: str, words: str = "", *, last: bool = True) -> Record:
        """Write down what came of it: `success`, `failure`, `refused`, `unknown`, `skipped`; `words` say why.

        Not the `last` word: the engine may still be at it, and its events of it go on to be ours.
        """
        record = self._intake.book.outcome(intent, outcome, words, last=last)
        self._tell()
        return record

    def note(self, what: str, *, engine: str = "", trouble: bool = False) -> Record:
        """Write down something of our own worth keeping."""
        record = self._intake.book.note(what, engine=engine, trouble=trouble)
        self._tell()
        return record

    def write_own(
        self,
        kind: RecordKind,
        what: str,
        *,
        key: str = "",
        actor: str = "",
        object_name: str = "",
        trouble: bool = False,
    ) -> Record:
        """Write down something about fleettop itself."""
        record = self._intake.book.own(kind, what, key=key, actor=actor, object_name=object_name, trouble=trouble)
        self._tell()
        return record

    def write_found(self, make: Callable[..., Record], found: object, key: str) -> Record:
        """Write down what was found out by looking at many things; again, the same record says more."""
        record = self._intake.book.write_found(make, found, key)
        self._tell()
        return record

    def recall_deploys(self, deploys: Sequence[Deploy]) -> None:
        """Take in deploys that were written down before."""
        self._touched.deploys |= self.deploys.recall(deploys)
        self._touched.rebuild |= {deploy.service for deploy in deploys if deploy.service in self.services}
        self._tell()

    # -- a trail that lasts

    @property
    def on_told(self) -> Callable[[Sequence[Told]], None] | None:
        """Called with all that is written, in its order."""
        return self._intake.book.on_told

    @on_told.setter
    def on_told(self, listener: Callable[[Sequence[Told]], None] | None) -> None:
        self._intake.book.on_told = listener

    def line_of(self, context: Context, told: Told) -> Entry:
        """The line that keeps this."""
        status = self.engines.get(told.record.engine)
        return context.entry(
            told,
            ours=self.when(told.record),
            now=self.clock.now(),
            skew=status.info.skew if status is not None and status.info is not None else None,
        )

    def remember(self, records: Sequence[Record], events: Mapping[str, str]) -> None:
        """Have these at hand, written down before by this process or another; `events`: which are in which, by keys."""
        self._intake.book.remember(records, events)
        self._tell()

    def take_up_intent(self, key: str, end: datetime | None) -> Record | None:
        """The engine's events of this intent, written down before, are known to be of it. None: it is not at hand."""
        return self._intake.book.take_up(key, end)

    # -- putting services together

    def _rebuild(self, budget: float | None) -> None:
        for container in self._touched.standings:
            self._standings.pop(container, None)
        self._touched.standings.clear()
        if not self.complete and self._intake.engines.all_heard:
            self.complete = True
            self._touched.rebuild.update(self.services)
        keys, self._touched.rebuild = self._touched.rebuild, set()
        if not keys:
            return
        known = known_now(self._intake, self._standings, self._work_out)
        # What it takes of this machine, whatever time it is for the fleet: in a replay that stands meanwhile.
        until = None if budget is None else perf_counter() + budget
        while keys:
            self._rebuild_one(keys.pop(), known)
            if until is not None and perf_counter() >= until:
                break
        self._touched.rebuild |= keys

    def _rebuild_one(self, key: ServiceKey, known: Known) -> None:
        before = self._assembled.get(key)
        assembled = assemble(
            key,
            self._intake.roster.members(key),
            self._intake.swarms.picture(key),
            self._intake.swarms.service_id(key),
            before.outage if before is not None else Outage(),
            self._intake.book.history(key),
            known,
        )
        if assembled is None:
            self._assembled.pop(key, None)
            self.outages.gone(key, known.now)
            self._intake.words.forget_service(key)
            self._intake.book.forget(key)
            if self._intake.services.pop(key, None) is not None:
                self._touched.services.add(key)
            return
        self.outages.look(key, look_of(assembled), known.now, complete=self.complete)
        began = self.outages.began(key)
        if began is not None:
            assembled = begun_earlier(assembled, began)
        self._assembled[key] = assembled
        deploys, again = self.deploys.look(assembled, self._intake.of_deploys(key, known.now))
        self._touched.deploys |= deploys
        self._wake_at(key, earliest(assembled.changes_at, again))
        self._intake.words.choose(key, assembled.service.state, assembled.standings)
        if self.services.get(key) != assembled.service:
            self._intake.services[key] = assembled.service
            self._touched.services.add(key)

    def _ended(self, key: ContainerKey) -> datetime | None:
        """When a container last ended."""
        life, standing = self._intake.lives.get(key), self._standings.get(key)
        known = (life.ended_at if life is not None else None, standing.ended if standing is not None else None)
        return max((moment for moment in known if moment is not None), default=None)

    def _wake_at(self, key: ServiceKey, moment: datetime | None) -> None:
        """Look at this service again then, unless that is to be done earlier anyway."""
        if moment is not None and (key not in self._due_at or moment < self._due_at[key]):
            self._due_at[key] = moment
            heapq.heappush(self._due, (moment, key))

    def _come_due(self, key: ServiceKey, now: datetime) -> None:
        """Time alone changes something about this service."""
        assembled = self._assembled.get(key)
        if assembled is None:
            return
        self._touched.rebuild.add(key)
        for standing in assembled.standings:
            container = standing.replica.container
            if container is not None and standing.changes_at is not None and standing.changes_at <= now:
                self._intake.marking.container(container)

    def _work_out(self, key: ContainerKey) -> Standing | None:
        """How a container stands of which that is not known yet; None: it is not there."""
        container, place = self.containers.get(key), self._intake.roster.place(key)
        if container is None or place is None:
            return None
        standing = standing_of(container, place, self._intake.lives.get(key), self._intake.around(key.engine))
        self._standings[key] = standing
        return standing
