"""The fleet as it is known now: what the watchers tell goes in, and what changed comes out.

`apply` is cheap and only marks what it touches; `take_changes` puts the touched services together again. A change of
one container costs its service, never the fleet. No I/O, no tasks: whoever owns it calls it from one thread.
"""

from __future__ import annotations

import heapq
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import count

import msgspec

from .address import EngineAddress
from .assembly import Assembled, Known, assemble
from .cause import Chronicle, Outside
from .changes import Deeds, Made, creations, history
from .clock import Clock, SystemClock
from .engines import Book, Engines, nodes
from .history import End, Lives
from .intents import Intent, Intents
from .model import (
    Attribution,
    Change,
    Confirmed,
    Container,
    ContainerKey,
    ContainersSeen,
    ContainerState,
    EngineEvent,
    EngineSeen,
    EngineStatus,
    EventsSeen,
    Freshness,
    GapSeen,
    Health,
    LinkChanged,
    LinkPhase,
    Listed,
    Record,
    RecordKind,
    Service,
    ServiceKey,
    ServiceState,
    SwarmPicture,
    SwarmSeen,
    Usage,
    UsageSeen,
    WordsSeen,
)
from .objects import SWARM_TYPES, Objects
from .replicas import Condition, Standing, Surroundings, standing_of, unhealthy_since
from .roster import Roster
from .sequences import Owner
from .services import OWNED, Place, ServiceRule
from .story import Scene, Story, tell
from .swarms import Picture
from .trail import MemoryTrail, Trail
from .verdict import Outage
from .words import age

REMEMBERED = 8_192
"""Identities of events kept to know a repeated one by, of each engine and of each swarm."""
SHELF = 200
"""Records kept at hand of each service."""
TICK = 1.0


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """What is another than when last asked."""

    engines: frozenset[str] = frozenset()
    containers: frozenset[ContainerKey] = frozenset()
    services: frozenset[ServiceKey] = frozenset()
    usage: frozenset[ContainerKey] = frozenset()
    words: frozenset[ContainerKey] = frozenset()
    swarms: bool = False
    records: tuple[Record, ...] = ()

    def __bool__(self) -> bool:
        return bool(
            self.engines or self.containers or self.services or self.usage or self.words or self.swarms or self.records
        )


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """The fleet at a glance. Second addresses of an engine are not counted."""

    hosts: int
    hosts_up: int
    hosts_down: int
    """Cannot be reached; hosts that are still being connected to for the first time are neither up nor down."""
    containers: int
    services: Mapping[ServiceState, int]
    oldest_outage: datetime | None
    """The beginning of the longest outage there is now, on our clock (services that are down)."""
    oldest_service: ServiceKey | None


class Fleet:
    """All that is known of the fleet. The mappings are live: they change under `apply` and `take_changes`."""

    def __init__(
        self,
        engines: Sequence[EngineAddress],
        *,
        rules: Sequence[ServiceRule] = (),
        clock: Clock | None = None,
        trail: Trail | None = None,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.trail: Trail = trail if trail is not None else MemoryTrail()
        self.on_change: Callable[[], None] | None = None
        self.containers: dict[ContainerKey, Container] = {}
        self.usage: dict[ContainerKey, Usage] = {}
        self.services: dict[ServiceKey, Service] = {}
        self.swarms: dict[str, SwarmPicture] = {}
        self.words: dict[ContainerKey, tuple[str, ...]] = {}
        self._engines = Engines(engines, self.clock)
        self._roster = Roster(rules)
        self._intents = Intents()
        self._lives = Lives()
        self._numbers = count(self.trail.head() + 1)
        outside = Outside(
            number=self._number,
            now=self.clock.now,
            ours=self._engines.ours,
            container=self.containers.get,
            owner=self._owner,
        )
        self._chronicle = Chronicle(outside, self._intents, self._lives)
        self._objects = Objects(self._chronicle.desk, self._intents, self._swarm_service)
        self._deeds = Deeds()
        self._makers: OrderedDict[ContainerKey, Record] = OrderedDict()
        self._history: dict[ServiceKey, tuple[Made, ...]] = {}
        self._shelves: dict[ServiceKey, deque[int]] = {}
        self._standings: dict[ContainerKey, Standing] = {}
        self._assembled: dict[ServiceKey, Assembled] = {}
        self._outages: dict[ServiceKey, Outage] = {}
        self._pictures: dict[str, Picture] = {}
        self._swarm_ids: dict[ServiceKey, str] = {}
        self._engine_of_node: Mapping[str, str] = {}
        self._seen_events: dict[str, OrderedDict[tuple[int, str, str, str], None]] = {}
        self._gaps: dict[tuple[str, datetime], Record] = {}
        self._answered: dict[ContainerKey, datetime | None] = {}
        self._speakers: dict[ServiceKey, ContainerKey] = {}
        self._due: list[tuple[datetime, ContainerKey]] = []
        self._ticked = self.clock.monotonic()
        self._dirty = _Dirty()
        self._handlers: dict[type, Callable[..., None]] = {
            LinkChanged: self._on_link,
            EngineSeen: self._on_engine,
            Listed: self._on_listed,
            ContainersSeen: self._on_containers,
            UsageSeen: self._on_usage,
            Confirmed: self._on_confirmed,
            EventsSeen: self._on_events,
            GapSeen: self._on_gap,
            SwarmSeen: self._on_swarm,
            WordsSeen: self._on_words,
        }

    # -- in and out

    def apply(self, change: Change) -> None:
        """Take in what a watcher tells. What names an engine that is not configured is left out."""
        book = self._engines.get(change.engine)
        if book is None:
            return
        self._handlers[type(change)](change, book)
        self._keep_records()
        if self.on_change is not None and self._dirty:
            self.on_change()

    def take_changes(self) -> Changed:
        """Put the touched services together again, and tell all that changed since last asked."""
        if self.clock.monotonic() - self._ticked >= TICK:
            self.tick()
        self._rebuild()
        return self._dirty.take()

    def tick(self) -> None:
        """Let time have its effect: readings become late, crash loops are over. Cheap; once a second is enough."""
        self._ticked = self.clock.monotonic()
        for book in self._engines.all():
            freshness = self._engines.freshness(book.name)
            if freshness is not book.freshness:
                book.freshness = freshness
                self._touch_engine(book)
        now = self.clock.now()
        while self._due and self._due[0][0] <= now:
            _, key = heapq.heappop(self._due)
            self._touch_container(key)

    # -- what can be asked

    @property
    def engines(self) -> Mapping[str, EngineStatus]:
        """Every configured engine by its name, in the order of the config."""
        return self._engines.statuses

    def freshness(self, engine: str) -> Freshness:
        """How far what is shown of this engine can be trusted to be the present."""
        return self._engines.freshness(engine)

    def container_freshness(self, key: ContainerKey) -> Freshness:
        """As its engine's; stale where its newest reading made no sense."""
        status = self.engines.get(key.engine)
        if status is not None and key.id in status.doubtful:
            return Freshness.STALE
        return self._engines.freshness(key.engine)

    def service_of(self, key: ContainerKey) -> ServiceKey | None:
        """The service this is a replica of; None: a one-off, a pod sandbox, or not there."""
        place = self._roster.place(key)
        return place.service if place is not None else None

    def place_of(self, key: ContainerKey) -> Place | None:
        """Where a container belongs, also a one-off; None: it is not there."""
        return self._roster.place(key)

    def members(self, key: ServiceKey) -> tuple[Container, ...]:
        """All containers of a service, also those of earlier attempts at a replica."""
        return tuple(c for k in self._roster.members(key) if (c := self.containers.get(k)) is not None)

    def standings(self, key: ServiceKey) -> tuple[Standing, ...]:
        """How each replica stands, in the order of `Service.replicas`."""
        assembled = self._assembled.get(key)
        return assembled.standings if assembled is not None else ()

    def history(self, key: ServiceKey) -> tuple[Made, ...]:
        """What somebody changed on a service, oldest first."""
        return self._history_of(key)

    def records(
        self, *, service: ServiceKey | None = None, engine: str = "", object_id: str = "", limit: int = 200
    ) -> tuple[Record, ...]:
        """Records of a service, an engine or an object, newest first."""
        if service is not None and not engine and not object_id and limit <= SHELF:
            shelf = self._shelves.get(service, ())
            found = [r for i in reversed(shelf) if (r := self.trail.get(i)) is not None]
            return tuple(sorted(found, key=lambda r: r.time, reverse=True)[:limit])

        def wanted(record: Record) -> bool:
            return (
                (service is None or record.service == service)
                and (not engine or record.engine == engine)
                and (not object_id or record.object_id == object_id)
            )

        return tuple(self.trail.newest(limit, wanted=wanted))

    def story(self, key: ServiceKey, zone: tzinfo | None = None) -> Story | None:
        """What is the case with a service, in one sentence of facts; None: no such service. `zone` None: local time."""
        assembled = self._assembled.get(key)
        if assembled is None:
            return None
        speaker = self._speakers.get(key)
        return tell(
            Scene(
                service=assembled.service,
                standings=assembled.standings,
                outage=assembled.outage,
                history=self._history_of(key),
                records=self.records(service=key, limit=50),
                containers=self.containers,
                engines=self.engines,
                words=self.words.get(speaker, ()) if speaker is not None else (),
                speaker=speaker,
                now=self.clock.now(),
                monotonic=self.clock.monotonic(),
                ours=self._engines.ours,
                zone=zone,
            )
        )

    @property
    def wanted_words(self) -> frozenset[ContainerKey]:
        """The newest dead or failing replica of each service in trouble whose last words are not known yet."""
        return frozenset(
            key
            for key in self._speakers.values()
            if key not in self._answered or self._answered[key] != self._ended(key)
        )

    def totals(self) -> Totals:
        """The fleet at a glance."""
        books = [b for b in self._engines.all() if not b.status.same_as]
        oldest: tuple[datetime, ServiceKey] | None = None
        for key, service in self.services.items():
            if service.state is ServiceState.DOWN and service.down_since is not None:
                oldest = min(oldest, (service.down_since, key)) if oldest else (service.down_since, key)
        states = Counter(service.state for service in self.services.values())
        return Totals(
            hosts=len(books),
            hosts_up=sum(1 for b in books if b.up),
            hosts_down=sum(1 for b in books if b.status.link.phase is LinkPhase.DOWN or _trying_again(b)),
            containers=len(self.containers),
            services=dict(states),
            oldest_outage=oldest[0] if oldest else None,
            oldest_service=oldest[1] if oldest else None,
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
        now = self.clock.now()
        known = self.services.get(service) if service is not None else None
        record = Record(
            id=self._number(),
            time=now,
            seen=now,
            engine=engine,
            kind=RecordKind.INTENT,
            what=what or f"about to {verb}",
            object_type=object_type,
            object_id=object_id,
            object_name=object_name,
            service=service,
            service_name=_full_name(known) if known is not None else "",
            action=verb,
            actor=actor,
            attribution=Attribution.OWN,
            reason=reason,
        )
        self._intents.add(
            Intent(
                record=record.id,
                verb=verb,
                engine="" if object_type in SWARM_TYPES else engine,
                object_id=object_id,
                object_name=object_name,
                actor=actor,
                reason=reason,
                begin=now,
            )
        )
        self._write(record)
        return record

    def record_outcome(self, intent: Record, outcome: str, words: str = "") -> Record:
        """Write down what came of it: `success`, `failure`, `refused`, `unknown`, `skipped`; `words` say why."""
        now = self.clock.now()
        self._intents.close(intent.id, now)
        record: Record = msgspec.structs.replace(
            intent,
            id=self._number(),
            time=now,
            seen=now,
            kind=RecordKind.OUTCOME,
            what=f"{intent.action}: {outcome}" + (f", {words}" if words else ""),
            trouble=outcome in ("failure", "refused", "unknown"),
        )
        self._write(record)
        return record

    def note(self, what: str, *, engine: str = "", trouble: bool = False) -> Record:
        """Write down something of our own worth keeping."""
        now = self.clock.now()
        record = Record(
            id=self._number(), time=now, seen=now, engine=engine, kind=RecordKind.NOTE, what=what, trouble=trouble
        )
        self._write(record)
        return record

    # -- links and engines

    def _on_link(self, change: LinkChanged, book: Book) -> None:
        before = self._engines.link(book, change.link)
        phase = change.link.phase
        self._dirty.engines.add(book.name)
        if phase is before:
            return
        if phase is LinkPhase.UP:
            self._came_up(book)
        elif before is LinkPhase.UP:
            book.down_at = self.clock.monotonic()
            if phase is LinkPhase.DOWN:
                self._chronicle.engine_lost(book.name, self._engines.ours(book.name, self.clock.now()))
        if phase is LinkPhase.DOWN and not book.told_down:
            book.told_down = True
            error = change.link.error
            word = f": {error.word}" if error is not None else ""
            self._host_note(book, f"{'link lost' if book.ever_up else 'cannot be reached'}{word}", trouble=True)
        self._settle_sameness(book)
        self._touch_engine(book)

    def _came_up(self, book: Book) -> None:
        if book.told_down:
            gone = f" after {age(self.clock.monotonic() - book.down_at)}" if book.down_at is not None else ""
            self._host_note(book, f"reached again{gone}")
        book.ever_up, book.told_down = True, False

    def _host_note(self, book: Book, what: str, *, trouble: bool = False) -> None:
        now = self.clock.now()
        self._write(
            Record(
                id=self._number(),
                time=now,
                seen=now,
                engine=book.name,
                kind=RecordKind.NOTE,
                what=what,
                object_type="host",
                object_id=book.name,
                object_name=book.name,
                attribution=Attribution.DERIVED,
                actor="fleettop",
                trouble=trouble,
            )
        )

    def _on_engine(self, change: EngineSeen, book: Book) -> None:
        self._engines.info(book, change.info)
        self._dirty.engines.add(book.name)
        self._settle_sameness(book)
        found = nodes(self._engines.all())
        if found != self._engine_of_node:
            self._engine_of_node = found
            for cluster in self._pictures:
                self._touch_cluster(cluster)

    def _settle_sameness(self, book: Book) -> None:
        handed = self._engines.settle_sameness(book)
        self._dirty.engines.update(b.name for b in self._engines.all() if b.status.same_as or b is book)
        if handed is not None:
            self._hand_over(*handed)

    def _hand_over(self, old: Book, new: Book) -> None:
        """An engine is from now on known by its other address."""
        for container_id, container in tuple(old.containers.items()):
            before, after = ContainerKey(old.name, container_id), ContainerKey(new.name, container_id)
            self._remove(old, container_id)
            self._chronicle.move(before, after)
            self._put(new, msgspec.structs.replace(container, engine=new.name), old.seen_at.get(container_id, 0.0))
        new.skew, new.events_since = old.skew, old.events_since
        if old.name in self._seen_events:
            self._seen_events[new.name] = self._seen_events.pop(old.name)

    def _on_confirmed(self, change: Confirmed, book: Book) -> None:
        self._engines.confirmed(book, change.at, change.latency)
        self._dirty.engines.add(book.name)
        self._refresh_engine(book)

    def _refresh_engine(self, book: Book) -> None:
        freshness = self._engines.freshness(book.name)
        if freshness is not book.freshness:
            book.freshness = freshness
            self._touch_engine(book)

    # -- containers

    def _on_listed(self, change: Listed, book: Book) -> None:
        if book.status.same_as:
            return
        present = {container.id for container in change.containers}
        kept = tuple(i for i in change.refused if i in book.containers)
        for container_id in tuple(book.containers):
            if container_id in present or container_id in kept or book.seen_at.get(container_id, 0.0) > change.at:
                continue
            self._remove(book, container_id)
        for container in change.containers:
            if book.seen_at.get(container.id, 0.0) <= change.at:
                self._put(book, container, change.at)
        self._engines.listed(book, change.at, kept)
        self._dirty.engines.add(book.name)
        self._refresh_engine(book)

    def _on_containers(self, change: ContainersSeen, book: Book) -> None:
        if book.status.same_as:
            return
        for container_id in change.gone:
            self._remove(book, container_id)
        for container in change.containers:
            self._put(book, container, change.at)
        if book.status.doubtful:
            self._engines.undoubted(book, [*change.gone, *(c.id for c in change.containers)])
            self._dirty.engines.add(book.name)

    def _put(self, book: Book, container: Container, at: float) -> None:
        key = container.key
        old = book.containers.get(container.id)
        book.seen_at[container.id] = at
        if old == container:
            return
        book.containers[container.id] = self.containers[key] = container
        if old is None:
            self._lives.back(key)
        created = self._engines.ours(book.name, container.created) if container.created is not None else None
        touched = self._roster.put(container, old, created)
        if old is None or old.image != container.image or old.image_id != container.image_id:
            for service in touched:
                self._history.pop(service, None)
        self._unseen_end(book, old, container)
        self._chronicle.observe(container)
        self._remember_failing(container)
        self._standings.pop(key, None)
        self._dirty.containers.add(key)
        self._dirty.rebuild.update(touched)

    def _unseen_end(self, book: Book, old: Container | None, new: Container) -> None:
        """It ended while its engine could not be reached, and no event of that has come (yet)."""
        if old is None or old.state is not ContainerState.RUNNING or new.state is not ContainerState.EXITED:
            return
        life = self._lives.of(new.key)
        if book.name in self._chronicle.desk.dark and life.end is End.NONE:
            life.end = End.ENGINE
            ended = new.detail.finished_at if new.detail is not None else None
            life.ended_at = self._engines.ours(book.name, ended) if ended is not None else None

    def _remember_failing(self, container: Container) -> None:
        """The engine keeps five probes only: remember when the streak began as long as that can be read."""
        life = self._lives.get(container.key)
        if container.health is not Health.UNHEALTHY:
            if life is not None:
                life.failing_since = None
            return
        life = life or self._lives.of(container.key)
        since, certain = unhealthy_since(container, life, self._around(container.engine))
        if since is not None and (life.failing_since is None or (certain and not life.failing_certain)):
            life.failing_since, life.failing_certain = since, certain

    def _remove(self, book: Book, container_id: str) -> None:
        container = book.containers.pop(container_id, None)
        book.seen_at.pop(container_id, None)
        if container is None:
            return
        key = container.key
        self.containers.pop(key, None)
        self.usage.pop(key, None)
        self.words.pop(key, None)
        self._answered.pop(key, None)
        self._standings.pop(key, None)
        self._dirty.rebuild.update(self._roster.drop(container))
        self._dirty.containers.add(key)
        self._chronicle.gone(key)

    def _on_usage(self, change: UsageSeen, book: Book) -> None:
        for container_id, usage in change.usage.items():
            if container_id in book.containers:
                key = ContainerKey(book.name, container_id)
                self.usage[key] = usage
                self._dirty.usage.add(key)

    def _on_words(self, change: WordsSeen, book: Book) -> None:
        key = ContainerKey(book.name, change.id)
        if key not in self.containers:
            return
        self._answered[key] = self._ended(key)
        if change.lines or key not in self.words:
            self.words[key] = change.lines
            self._dirty.words.add(key)

    # -- events

    def _on_events(self, change: EventsSeen, book: Book) -> None:
        if book.status.same_as:
            return
        if change.replayed and book.events_since is None and change.events:
            book.events_since = self._engines.ours(book.name, change.events[0].time)
        for event in change.events:
            if self._is_new(event):
                self._fold(event)

    def _fold(self, event: EngineEvent) -> None:
        if event.type != "container" or event.action == "prune":
            self._objects.fold(event)
            return
        self._chronicle.fold(event)
        self._touch_container(ContainerKey(event.engine, event.id))

    def _is_new(self, event: EngineEvent) -> bool:
        swarm = event.type in SWARM_TYPES
        where = f"swarm {self._cluster_of(event.engine)}" if swarm else event.engine
        seen = self._seen_events.setdefault(where, OrderedDict())
        identity = event.identity
        if identity in seen:
            return False
        seen[identity] = None
        if len(seen) > REMEMBERED:
            seen.popitem(last=False)
        return True

    def _on_gap(self, change: GapSeen, book: Book) -> None:
        if book.status.same_as:
            return
        self._chronicle.engine_dark(book.name, change.end is None)
        known = self._gaps.pop((book.name, change.begin), None)
        complete = change.end is not None and change.end <= change.begin
        record = Record(
            id=known.id if known is not None else self._number(),
            time=change.begin,
            seen=self.clock.now(),
            engine=book.name,
            kind=RecordKind.GAP,
            what=_gap_words(change, complete),
            object_type="host",
            object_id=book.name,
            object_name=book.name,
            action="gap",
            actor="gap",
            attribution=Attribution.DERIVED,
            reason="; ".join(change.differences),
            trouble=change.certain and not complete,
        )
        if change.end is None:
            self._gaps[book.name, change.begin] = record
        elif not complete:
            book.events_since = change.end
        self._write(record)

    # -- swarms

    def _on_swarm(self, change: SwarmSeen, book: Book) -> None:
        picture = change.picture
        cluster = picture.cluster_id or self._cluster_of(book.name)
        old = self._pictures.get(cluster)
        if old is not None and not self._better(picture, old.picture):
            return
        new = Picture(picture)
        self._pictures[cluster], self.swarms[cluster] = new, picture
        self._dirty.swarms = True
        self._dirty.rebuild |= self._roster.learn_clusters(new.nodes, cluster, self.containers)
        for service_id, service in new.services.items():
            key = ServiceKey("swarm", cluster, service.name)
            self._swarm_ids[key] = service_id
            if old is None or old.of(service_id) != new.of(service_id) or old.picture.error != picture.error:
                self._dirty.rebuild.add(key)
        for service_id, service in old.services.items() if old is not None else ():
            if service_id not in new.services:
                key = ServiceKey("swarm", cluster, service.name)
                if self._swarm_ids.get(key) == service_id:
                    del self._swarm_ids[key]
                self._dirty.rebuild.add(key)

    def _better(self, picture: SwarmPicture, old: SwarmPicture) -> bool:
        """Whether a picture is to replace the one we have of the same swarm."""
        if picture.error and not old.error and picture.manager != old.manager:
            return not self._reachable(old.manager)
        return picture.at >= old.at

    def _cluster_of(self, engine: str) -> str:
        status = self.engines.get(engine)
        membership = status.info.swarm if status is not None and status.info is not None else None
        if membership is None:
            return ""
        return membership.cluster_id or self._roster.clusters.get(membership.node_id, "")

    def _swarm_service(self, event: EngineEvent) -> tuple[ServiceKey, str]:
        cluster = self._cluster_of(event.engine)
        key = ServiceKey("swarm", cluster, event.name)
        service = self.services.get(key)
        return key, _full_name(service) if service is not None else event.name

    # -- putting services together

    def _rebuild(self) -> None:
        keys, self._dirty.rebuild = self._dirty.rebuild, set()
        if not keys:
            return
        known = Known(
            containers=self.containers,
            place=self._roster.place,
            standing=self._standing,
            reachable=self._reachable,
            fresh=lambda key: self.container_freshness(key) is Freshness.LIVE,
            fresh_host=lambda host: self._engines.freshness(host) is Freshness.LIVE,
            host_order=self._engines.order,
            now=self.clock.now(),
            ours=self._engines.ours,
            engine_of_node=self._engine_of_node,
        )
        for key in keys:
            self._rebuild_one(key, known)

    def _rebuild_one(self, key: ServiceKey, known: Known) -> None:
        picture = self._pictures.get(key.scope) if key.source == "swarm" else None
        members = self._roster.members(key)
        assembled = assemble(
            key,
            members,
            picture,
            self._swarm_ids.get(key, ""),
            self._outages.get(key, Outage()),
            self._history_of(key),
            known,
        )
        if assembled is None:
            self._assembled.pop(key, None)
            self._outages.pop(key, None)
            self._speakers.pop(key, None)
            if self.services.pop(key, None) is not None:
                self._dirty.services.add(key)
            return
        self._assembled[key] = assembled
        self._outages[key] = assembled.outage
        speaker = _speaker(assembled)
        if speaker is None:
            self._speakers.pop(key, None)
        else:
            self._speakers[key] = speaker
        if self.services.get(key) != assembled.service:
            self.services[key] = assembled.service
            self._dirty.services.add(key)

    def _standing(self, key: ContainerKey) -> Standing | None:
        standing = self._standings.get(key)
        if standing is not None:
            return standing
        container, place = self.containers.get(key), self._roster.place(key)
        if container is None or place is None:
            return None
        standing = standing_of(container, place, self._lives.get(key), self._around(key.engine))
        self._standings[key] = standing
        if standing.changes_at is not None:
            heapq.heappush(self._due, (standing.changes_at, key))
        return standing

    def _around(self, engine: str) -> Surroundings:
        book = self._engines.get(engine)
        skew = timedelta(seconds=book.skew) if book is not None else timedelta()
        return Surroundings(
            now=self.clock.now(),
            ours=lambda moment: moment - skew,
            events_known_since=book.events_since if book is not None else None,
        )

    def _reachable(self, host: str) -> bool:
        return self._engines.freshness(host) in (Freshness.LIVE, Freshness.LATE)

    def _history_of(self, key: ServiceKey) -> tuple[Made, ...]:
        known = self._history.get(key)
        if known is None:
            made = creations(self._roster.births(key), self._makers, owned=key.source in OWNED)
            known = self._history[key] = history(made, self._deeds.of(key))
        return known

    def _ended(self, key: ContainerKey) -> datetime | None:
        life = self._lives.get(key)
        if life is not None and (life.ended_at or life.health_at):
            return max(m for m in (life.ended_at, life.health_at) if m is not None)
        container = self.containers.get(key)
        return container.detail.finished_at if container is not None and container.detail is not None else None

    # -- marking

    def _touch_container(self, key: ContainerKey) -> None:
        self._standings.pop(key, None)
        place = self._roster.place(key)
        if place is not None and place.key is not None:
            self._dirty.rebuild.add(place.key)

    def _touch_engine(self, book: Book) -> None:
        self._dirty.engines.add(book.name)
        for container_id in book.containers:
            key = ContainerKey(book.name, container_id)
            self._dirty.containers.add(key)
            self._touch_container(key)
        for cluster, picture in self._pictures.items():
            if picture.picture.manager == book.name:
                self._touch_cluster(cluster)

    def _touch_cluster(self, cluster: str) -> None:
        self._dirty.swarms = True
        for service in self._pictures[cluster].services.values():
            self._dirty.rebuild.add(ServiceKey("swarm", cluster, service.name))

    # -- records

    def _number(self) -> int:
        return next(self._numbers)

    def _write(self, record: Record) -> None:
        self.trail.append((record,))
        self._index(record)
        if self.on_change is not None:
            self.on_change()

    def _keep_records(self) -> None:
        records = self._chronicle.take()
        if not records:
            return
        self.trail.append(records)
        for record in records:
            self._index(record)

    def _index(self, record: Record) -> None:
        self._dirty.records[record.id] = record
        if record.service is not None:
            shelf = self._shelves.setdefault(record.service, deque(maxlen=SHELF))
            if record.id not in shelf:
                shelf.append(record.id)
        if _makes(record):
            self._makers[ContainerKey(record.engine, record.object_id)] = record
            if len(self._makers) > REMEMBERED:
                self._makers.popitem(last=False)
        changed = self._deeds.note(record, self._engines.ours(record.engine, record.time))
        if (changed is not None or record.action in ("create", "start")) and record.service is not None:
            self._history.pop(record.service, None)
            self._dirty.rebuild.add(record.service)

    def _owner(self, event: EngineEvent) -> Owner:
        """The service of an event's container: its labels come with the event, so also of one not listed yet."""
        key = ContainerKey(event.engine, event.id)
        place = self._roster.place(key)
        if place is None:
            place = self._roster.place_for(
                Container(
                    engine=event.engine,
                    id=event.id,
                    name=event.name,
                    image=event.attributes.get("image", ""),
                    image_id="",
                    state=ContainerState.UNKNOWN,
                    health=Health.UNKNOWN,
                    labels=event.attributes,
                )
            )
        return Owner(place.key, f"{place.stack}/{place.name}" if place.stack else place.name)


class _Dirty:
    """What was touched since last asked."""

    def __init__(self) -> None:
        self.engines: set[str] = set()
        self.containers: set[ContainerKey] = set()
        self.services: set[ServiceKey] = set()
        self.usage: set[ContainerKey] = set()
        self.words: set[ContainerKey] = set()
        self.rebuild: set[ServiceKey] = set()
        self.records: dict[int, Record] = {}
        self.swarms = False

    def __bool__(self) -> bool:
        return bool(
            self.engines
            or self.containers
            or self.services
            or self.usage
            or self.words
            or self.rebuild
            or self.records
            or self.swarms
        )

    def take(self) -> Changed:
        changed = Changed(
            engines=frozenset(self.engines),
            containers=frozenset(self.containers),
            services=frozenset(self.services),
            usage=frozenset(self.usage),
            words=frozenset(self.words),
            swarms=self.swarms,
            records=tuple(self.records.values()),
        )
        for touched in (self.engines, self.containers, self.services, self.usage, self.words):
            touched.clear()
        self.records.clear()
        self.swarms = False
        return changed


def _speaker(assembled: Assembled) -> ContainerKey | None:
    """The replica whose last words the story wants: the newest that is dead or failing."""
    if assembled.service.state not in (ServiceState.DOWN, ServiceState.DEGRADED, ServiceState.FLAPPING):
        return None
    troubled = [
        s
        for s in assembled.standings
        if s.replica.container is not None and (s.looping or s.condition in (Condition.FAILED, Condition.UNHEALTHY))
    ]
    if not troubled:
        return None
    newest = max(troubled, key=lambda s: (s.since is not None, s.since.timestamp() if s.since else 0.0))
    return newest.replica.container


def _makes(record: Record) -> bool:
    """Whether a record tells of us making a container."""
    made = record.action == "create" or record.what.startswith("started from")
    return made and record.attribution is Attribution.OWN and record.object_type == "container"


def _full_name(service: Service) -> str:
    return f"{service.stack}/{service.name}" if service.stack else service.name


def _trying_again(book: Book) -> bool:
    return book.status.link.phase is LinkPhase.CONNECTING and book.status.link.error is not None


def _gap_words(change: GapSeen, complete: bool) -> str:
    if change.end is None:
        return f"nothing known from here on: {change.cause}"
    if complete:
        return f"nothing missed: {change.cause}"
    span = age((change.end - change.begin).total_seconds())
    certainty = "nothing known" if change.certain else "perhaps not everything known"
    return f"{certainty} for {span}: {change.cause}"
