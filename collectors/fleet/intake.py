"""Taking in what the watchers tell, one change at a time, and marking what it touches.

Nothing is put together here: that is done once for many changes, in `fleet`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from ..address import EngineAddress
from ..cause.chronicle import Chronicle, Outside
from ..cause.declared import Declaring
from ..cause.history import End, Lives
from ..cause.intents import Intents
from ..cause.objects import Objects
from ..cause.repeats import Repeats
from ..clock import Clock
from ..deploys.book import Known
from ..model import (
    Change,
    Confirmed,
    Container,
    ContainerKey,
    ContainersSeen,
    ContainerState,
    EngineEvent,
    EngineSeen,
    EventsSeen,
    ExecSeen,
    FiguresWay,
    FirstWatched,
    Freshness,
    GapSeen,
    Health,
    ImageSeen,
    LinkChanged,
    LinkPhase,
    Listed,
    LoginsSeen,
    Service,
    ServiceKey,
    SwarmSeen,
    UsageSeen,
    WordsSeen,
    titled,
)
from ..services.places import ServiceRule, as_container
from ..services.since import Surroundings, unhealthy_since
from ..trail import Trail
from ..trail.entry import event_key
from ..words import age
from .deployed import known_of
from .engines import Book, Engines
from .lastwords import LastWords
from .marking import Marking
from .owners import Owners
from .recordbook import RecordBook
from .roster import Roster
from .swarmbook import SwarmBook, service_key
from .touched import Touched
from .usagebook import UsageBook
from .witnesses import Witnesses

_REACHABLE = (Freshness.LIVE, Freshness.LATE)


class Intake:
    """All that was read and heard, kept by what it is about."""

    def __init__(
        self,
        addresses: Sequence[EngineAddress],
        rules: Sequence[ServiceRule],
        clock: Clock,
        trail: Trail,
        instance: str = "",
        declared_by: Sequence[str] = (),
    ) -> None:
        self.clock = clock
        self.containers: dict[ContainerKey, Container] = {}
        self.services: dict[ServiceKey, Service] = {}
        """As last put together; not touched here."""
        self.touched = Touched()
        self.usage = UsageBook(self.touched)
        self.engines = Engines(addresses, clock)
        self.roster = Roster(rules, self.engines.order)
        self.lives = Lives()
        self.words = LastWords(self.lives)
        self.swarms = SwarmBook(self.reachable)
        self.marking = Marking(self.touched, self.roster, self.swarms)
        self.witnesses = Witnesses(addresses, self.engines.ours, clock.now)
        self._digests: dict[tuple[str, str], tuple[str, ...]] = {}
        """Of images, by engine and id."""
        self._owners = Owners(self.roster, self.containers)
        self._repeats = Repeats()
        intents = Intents()
        self.book = RecordBook(trail, clock, self.touched, self.roster, intents, self.engines.ours, instance)
        outside = Outside(
            number=self.book.number,
            now=clock.now,
            ours=self.engines.ours,
            container=self.containers.get,
            owner=self._owners.owner,
            image_before=self._owners.image_before,
            predecessor=self._owners.predecessor,
            digests=lambda engine, image_id: self._digests.get((engine, image_id)),
            cluster=lambda engine: self._cluster_of(self.engines[engine]),
            declaring=Declaring(declared_by),
            key=self._event_key,
            recalled=self.book.recalled,
        )
        self._chronicle = Chronicle(outside, intents, self.lives)
        self._objects = Objects(self._chronicle.desk, intents, self._swarm_service)
        self._handlers: dict[type, Callable[..., None]] = {
            LinkChanged: self._on_link,
            EngineSeen: self._on_engine,
            Listed: self._on_listed,
            ContainersSeen: self._on_containers,
            UsageSeen: self.usage.take,
            FiguresWay: self._on_figures,
            Confirmed: self._on_confirmed,
            EventsSeen: self._on_events,
            GapSeen: self._on_gap,
            FirstWatched: self._on_first,
            SwarmSeen: self._on_swarm,
            WordsSeen: self._on_words,
            ExecSeen: lambda change, book: self._chronicle.exec_seen(change),
            ImageSeen: self._on_image,
            LoginsSeen: self._on_logins,
        }

    def take(self, change: Change) -> None:
        """One change. What names an engine that is not configured is left out. Raises TrailError."""
        book = self.engines.get(change.engine)
        if book is None:
            return
        self._handlers[type(change)](change, book)
        told = self._chronicle.take()
        self.book.write(told)
        self.witnesses.consider(one.record for one in told)

    def refresh(self) -> None:
        """Time has passed: readings may have become late."""
        for book in self.engines.all():
            self._refresh(book)

    def reachable(self, host: str) -> bool:
        """Whether what is known of a host is of the present."""
        return self.engines.freshness(host) in _REACHABLE

    def lost(self, host: str) -> datetime | None:
        """Since when a host does not answer, on our clock; None: it does, or is not watched."""
        book = self.engines.get(host)
        if book is None or book.up or book.down_at is None:
            return None
        return self.clock.now() - timedelta(seconds=self.clock.monotonic() - book.down_at)

    def around(self, engine: str) -> Surroundings:
        """What else the standing of a container of this engine depends on."""
        book = self.engines[engine]
        return Surroundings(
            now=self.clock.now(),
            ours=book.ours,
            events_known_since=book.events_since,
            podman=book.status.info is not None and book.status.info.kind == "podman",
        )

    def of_deploys(self, key: ServiceKey, now: datetime) -> Known:
        """What a service's deploys are told from."""
        picture = self.swarms.picture(key)
        swarm = picture.services.get(self.swarms.service_id(key)) if picture is not None else None
        return known_of(
            key, now, roster=self.roster, book=self.book, swarm=swarm, digests=self._digests, ours=self.engines.ours
        )

    # -- links and engines

    def _on_link(self, change: LinkChanged, book: Book) -> None:
        before = self.engines.link(book, change.link)
        phase = change.link.phase
        self.touched.engines.add(book.name)
        if phase is before:
            return
        if phase is LinkPhase.UP:
            if book.told_down:
                gone = f" after {age(self.clock.monotonic() - book.down_at)}" if book.down_at is not None else ""
                self.book.note(f"reached again{gone}", engine=book.name, trouble=False)
            book.ever_up, book.told_down = True, False
        elif before is LinkPhase.UP:
            book.down_at = self.clock.monotonic()
            if phase is LinkPhase.DOWN:
                for key in self._chronicle.engine_lost(book.name, self.clock.now()):
                    self.marking.container(key)
        if phase is LinkPhase.DOWN and not book.told_down:
            book.told_down = True
            word = f": {change.link.error.word}" if change.link.error is not None else ""
            self.book.note(
                f"{'link lost' if book.ever_up else 'cannot be reached'}{word}", engine=book.name, trouble=True
            )
        self._settle_sameness(book)
        self.marking.engine(book)

    def _on_engine(self, change: EngineSeen, book: Book) -> None:
        self.engines.info(book, change.info)
        self.touched.engines.add(book.name)
        self._settle_sameness(book)
        self._learn_nodes()

    def _learn_nodes(self) -> None:
        if self.swarms.learn_engines(self.engines.all()):
            for cluster in self.swarms.pictures:
                self.marking.cluster(cluster)

    def _settle_sameness(self, book: Book) -> None:
        handed = self.engines.settle_sameness(book)
        self.touched.engines.update(self.engines.remarked())
        if handed is None:
            return
        old, new = handed  # from now on the engine is known by its other address
        for container_id, container in tuple(old.containers.items()):
            at = old.seen_at.get(container_id, 0.0)
            self._chronicle.move(container.key, ContainerKey(new.name, container_id))
            self._remove(old, container_id)
            self._put(new, msgspec.structs.replace(container, engine=new.name), at)
        new.skew, new.events_since = old.skew, old.events_since
        self._repeats.move(old.name, new.name)
        self._chronicle.engine_moved(old.name, new.name)
        self.book.move_gaps(old.name, new.name)
        self._learn_nodes()

    def _find_sameness(self, book: Book) -> None:
        """Its containers prove that it is a second address: they are those of the first from now on."""
        if not self.engines.share_containers(book):
            return
        self._settle_sameness(book)
        for other in self.engines.all():
            for container_id in tuple(other.containers) if other.status.same_as else ():
                self._remove(other, container_id)

    def _on_confirmed(self, change: Confirmed, book: Book) -> None:
        self.engines.confirmed(book, change.at, change.latency)
        self.touched.confirmed.add(book.name)
        self._refresh(book)

    def _refresh(self, book: Book) -> None:
        """Readings become late, or live again."""
        freshness = self.engines.freshness(book.name)
        if freshness is not book.freshness:
            book.freshness = freshness
            self.marking.engine(book)

    # -- containers

    def _on_listed(self, change: Listed, book: Book) -> None:
        if book.status.same_as:
            return
        present = {container.id for container in change.containers}
        doubtful = tuple(i for i in change.refused if i in book.containers)
        for container_id in tuple(book.containers):
            newer = book.seen_at.get(container_id, 0.0) > change.at
            if container_id not in present and container_id not in doubtful and not newer:
                self._remove(book, container_id)
        for container in change.containers:
            if book.seen_at.get(container.id, 0.0) <= change.at:
                self._put(book, container, change.at)
        self._doubt(book, doubtful)
        self.engines.listed(book, change.at)
        self.touched.engines.add(book.name)
        self._refresh(book)
        self._find_sameness(book)

    def _on_containers(self, change: ContainersSeen, book: Book) -> None:
        if book.status.same_as:
            return
        for container_id in change.gone:
            self._remove(book, container_id)
        for container in change.containers:
            self._put(book, container, change.at)
        if book.status.doubtful or change.refused:
            told = {*change.gone, *change.refused, *(container.id for container in change.containers)}
            kept = tuple(i for i in book.status.doubtful if i not in told)
            self._doubt(book, kept + tuple(i for i in change.refused if i in book.containers))
        self._find_sameness(book)

    def _doubt(self, book: Book, doubtful: tuple[str, ...]) -> None:
        """These containers' newest readings made no sense."""
        changed = set(doubtful) ^ set(book.status.doubtful)
        self.engines.doubt(book, doubtful)
        for container_id in changed:
            key = ContainerKey(book.name, container_id)
            self.touched.containers.add(key)
            self.marking.container(key)

    def _put(self, book: Book, container: Container, at: float) -> None:
        key, old = container.key, book.containers.get(container.id)
        book.seen_at[container.id] = at
        if old == container:
            return
        book.containers[container.id] = self.containers[key] = container
        created = self.engines.ours(book.name, container.created) if container.created is not None else None
        touched = self.roster.put(container, old, created)
        if old is None or (old.image, old.image_id) != (container.image, container.image_id):
            self.lives.back(key)
            self.book.history_changed(touched)
        self._unseen_end(book, old, container)
        self._chronicle.observe(container)
        self._remember_failing(container)
        self.touched.standings.add(key)
        self.touched.containers.add(key)
        self.touched.rebuild.update(touched)

    def _unseen_end(self, book: Book, old: Container | None, new: Container) -> None:
        """It ended while its engine could not be reached, and no event of that has come (yet)."""
        if old is None or old.state is not ContainerState.RUNNING or new.state is not ContainerState.EXITED:
            return
        life = self.lives.of(new.key)
        if book.name in self._chronicle.desk.dark and life.end is End.NONE:
            life.end = End.ENGINE
            ended = new.detail.finished_at if new.detail is not None else None
            life.ended_at = self.engines.ours(book.name, ended) if ended is not None else None

    def _remember_failing(self, container: Container) -> None:
        """The engine keeps five probes only: remember when the streak began as long as that can be read."""
        life = self.lives.get(container.key)
        if container.health is not Health.UNHEALTHY:
            if life is not None:
                life.failing_since = None
            return
        life = life or self.lives.of(container.key)
        since, certain = unhealthy_since(container, life, self.around(container.engine))
        if since is not None and (life.failing_since is None or (certain and not life.failing_certain)):
            life.failing_since, life.failing_certain = since, certain

    def _remove(self, book: Book, container_id: str) -> None:
        container = book.containers.pop(container_id, None)
        book.seen_at.pop(container_id, None)
        if container is None:
            return
        key = container.key
        self._owners.goes(container)
        self.containers.pop(key, None)
        self.usage.forget(key)
        self.words.forget(key)
        self.touched.standings.add(key)
        self._chronicle.gone(key)
        self.touched.containers.add(key)
        self.touched.rebuild.update(self.roster.drop(container))

    def _on_figures(self, change: FiguresWay, book: Book) -> None:
        self.engines.figures(book, change.words)
        self.touched.engines.add(book.name)

    def _on_words(self, change: WordsSeen, book: Book) -> None:
        container = book.containers.get(change.id)
        if container is not None and self.words.heard(container, change.lines):
            self.touched.words.add(container.key)

    # -- events

    def _on_events(self, change: EventsSeen, book: Book) -> None:
        if book.status.same_as:
            return
        if change.replayed and book.events_since is None and change.events:
            book.events_since = self.engines.ours(book.name, change.events[0].time)
        cluster = self._cluster_of(book)
        for event in change.events:
            if not self._repeats.first_time(event, cluster):
                continue
            if event.type == "container" and event.id:
                if event.action == "destroy":
                    self._remember(event, book)
                self._chronicle.fold(event)
                if not event.action.startswith("exec_"):  # three for each health check; it stays what it was
                    self.marking.container(ContainerKey(event.engine, event.id))
            elif not self._chronicle.joined(event):
                self._objects.fold(event)

    def _remember(self, event: EngineEvent, book: Book) -> None:
        """It goes; a prune is told with its name."""
        ended = self.engines.ours(book.name, event.time)
        self._objects.went(event, ended)
        self.roster.remember(as_container(event), ended)

    def _on_image(self, change: ImageSeen, book: Book) -> None:
        self._digests[book.name, change.id] = change.digests
        self._chronicle.image_seen(change)

    def _on_logins(self, change: LoginsSeen, book: Book) -> None:
        for number in change.records:
            record = self.book.trail.get(number)
            if record is not None:
                evidence, one = self.witnesses.heard(change, record)
                self._chronicle.correlated(number, evidence, one=one)

    def _on_gap(self, change: GapSeen, book: Book) -> None:
        if book.status.same_as:
            return
        self._chronicle.engine_dark(book.name, change.end is None)
        complete = change.end is not None and change.end <= change.begin
        if complete or change.restarted is False:
            for key in self._chronicle.engine_stayed(book.name):
                self.marking.container(key)
        if change.end is not None and change.end > change.begin:
            book.events_since = change.end
        self.book.gap(change, book.name)

    def _on_first(self, change: FirstWatched, book: Book) -> None:
        if not book.status.same_as:
            self.book.before_our_time(book.name, change.since)

    def _event_key(self, event: EngineEvent) -> str:
        return event_key(event, self.engines.origin(event.engine))

    # -- swarms

    def _on_swarm(self, change: SwarmSeen, book: Book) -> None:
        cluster = change.picture.cluster_id or self._cluster_of(book)
        self._objects.services.observe(change.picture, cluster)
        touched = self.swarms.put(change.picture, cluster)
        if touched is None:
            return
        touched |= self.roster.learn_clusters(self.swarms.nodes(cluster), cluster, self.containers)
        self.book.history_changed(touched)
        self.touched.rebuild |= touched
        self.touched.swarms = True

    def _cluster_of(self, book: Book) -> str:
        membership = book.status.info.swarm if book.status.info is not None else None
        if membership is None:
            return ""
        return membership.cluster_id or self.roster.clusters.get(membership.node_id, "")

    def _swarm_service(self, event: EngineEvent) -> tuple[ServiceKey, str]:
        book = self.engines.get(event.engine)
        key = service_key(event, self._cluster_of(book) if book is not None else "")
        service = self.services.get(key)
        return key, titled(service.stack, service.name) if service is not None else event.name
