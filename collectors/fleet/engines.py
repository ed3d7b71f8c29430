"""What is known of each engine: its link, when it was last confirmed, its clock, and whether it is one we know already.

Two addresses are the same engine where engine id *and* host name, system and kernel are equal. Cloned machines share an
engine id and differ in their host names. Podman makes up a new id for every answer (seen on 4.3): there a container
that both have is the proof instead, since its id is 256 bits of chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from ..address import EngineAddress
from ..clock import Clock
from ..model import Container, EngineInfo, EngineStatus, Freshness, LinkPhase, LinkStatus

LATE = 15.0
"""Seconds after which what is shown of an engine is no longer called live."""
GRACE = 5.0
"""Seconds for which what was live when fleettop let go of its engines is called late and not yet stale: before it is
stopped, and when it goes on and opens its links anew."""
SKEW_COUNTS = 1.0
"""Seconds; smaller differences of clocks are within what can be measured, and left alone."""


class Book(msgspec.Struct):
    """One engine."""

    name: str
    order: int
    status: EngineStatus
    containers: dict[str, Container] = msgspec.field(default_factory=dict)
    seen_at: dict[str, float] = msgspec.field(default_factory=dict)
    """When each container was last read, monotonic."""
    listed: bool = False
    """Its containers were read since the link last came up."""
    skew: float = 0.0
    """Seconds its clock is ahead of ours, as it is used; 0 where that is too little to count."""
    events_since: datetime | None = None
    """Its events are known from then on without a gap."""
    freshness: Freshness = Freshness.NEVER
    """As last told; `Engines.freshness` is the present truth."""
    ever_up: bool = False
    told_down: bool = False
    """A record says that it cannot be reached."""
    down_at: float | None = None
    grace_until: float | None = None
    """Monotonic; None: it was not let go of, or was not live then, or has failed since."""

    @property
    def up(self) -> bool:
        """Its link is up."""
        return self.status.link.phase is LinkPhase.UP

    def live(self, now: float) -> bool:
        """Listed over the link that is up, and confirmed lately. `now` is monotonic."""
        confirmed = self.status.confirmed
        return self.listed and self.up and confirmed is not None and now - confirmed <= LATE

    def ours(self, moment: datetime) -> datetime:
        """A time of this engine on our clock."""
        return moment - timedelta(seconds=self.skew) if self.skew else moment


class _Order(dict[str, tuple[int, str]]):
    """Where each host stands; those that are not configured, last. Looked up for each replica of each service."""

    def __missing__(self, host: str) -> tuple[int, str]:
        return len(self), host


class Engines:
    """All engines, in the order in which they are configured."""

    def __init__(self, addresses: Sequence[EngineAddress], clock: Clock) -> None:
        self._clock = clock
        self._books = {
            address.name: Book(
                address.name, order, EngineStatus(name=address.name, address=address.text, group=address.group)
            )
            for order, address in enumerate(addresses)
        }
        order = _Order((name, (book.order, name)) for name, book in self._books.items())
        self.order: Callable[[str], tuple[int, str]] = order.__getitem__
        """To sort hosts by: as they are configured, then by name."""
        self._remarked: set[str] = set()
        self._proven: set[frozenset[str]] = set()
        """Pairs of names of one engine, by a container they share."""
        self.statuses: dict[str, EngineStatus] = {name: book.status for name, book in self._books.items()}

    def get(self, name: str) -> Book | None:
        """An engine's book; None: no such engine is configured."""
        return self._books.get(name)

    def __getitem__(self, name: str) -> Book:
        return self._books[name]

    def all(self) -> Sequence[Book]:
        """Every engine, also second addresses."""
        return tuple(self._books.values())

    def freshness(self, name: str) -> Freshness:
        """How far what is shown of this engine can be trusted to be the present."""
        book, now = self._books.get(name), self._clock.monotonic()
        if book is None or book.status.confirmed is None:
            return Freshness.NEVER
        if book.live(now):
            return Freshness.LIVE
        linked = book.up and book.listed
        grace = book.grace_until is not None and now < book.grace_until
        return Freshness.LATE if linked or grace else Freshness.STALE

    def plain(self) -> set[str]:
        """Those that are live, and whose containers' newest readings all made sense."""
        now = self._clock.monotonic()
        return {name for name, book in self._books.items() if book.live(now) and not book.status.doubtful}

    @property
    def all_heard(self) -> bool:
        """Whether each of them has been listed, or cannot be reached."""
        return all(
            book.listed or book.status.same_as or book.status.link.phase is LinkPhase.DOWN
            for book in self._books.values()
        )

    def ours(self, name: str, moment: datetime) -> datetime:
        """An engine's time on our clock."""
        book = self._books.get(name)
        return book.ours(moment) if book is not None else moment

    def origin(self, name: str) -> str:
        """What an engine says it is, the same over whichever address; before it said so, how it is called here."""
        book = self._books.get(name)
        return origin_of(book.status.info, name) if book is not None else name

    # -- what was told

    def link(self, book: Book, link: LinkStatus) -> LinkPhase:
        """A new state of its link; the phase before."""
        before = book.status.link.phase
        let_go = link.phase is LinkPhase.CLOSED and book.up and book.listed
        goes_on = before is LinkPhase.CLOSED and link.phase is LinkPhase.CONNECTING and book.grace_until is not None
        if let_go or goes_on:
            book.grace_until = self._clock.monotonic() + GRACE
        elif link.phase is LinkPhase.DOWN:
            book.grace_until = None
        if link.phase is LinkPhase.UP and before is not LinkPhase.UP:
            book.listed = False
        self._set(book, link=link)
        return before

    def info(self, book: Book, info: EngineInfo) -> None:
        """Who it is."""
        if info.skew is not None and abs(info.skew - book.skew) >= SKEW_COUNTS:
            book.skew = info.skew if abs(info.skew) >= SKEW_COUNTS else 0.0
        self._set(book, info=info)

    def listed(self, book: Book, at: float) -> None:
        """All its containers were read."""
        book.listed, book.grace_until = True, None
        self._set(book, confirmed=max(at, book.status.confirmed or at))

    def confirmed(self, book: Book, at: float, latency: float | None) -> None:
        """It answered: what is shown of it is current."""
        link = book.status.link
        if latency is not None:
            link = msgspec.structs.replace(link, latency=latency)
        if book.listed:
            self._set(book, link=link, confirmed=max(at, book.status.confirmed or at))
        else:
            self._set(book, link=link)

    def doubt(self, book: Book, doubtful: tuple[str, ...]) -> None:
        """The newest readings of these containers made no sense."""
        if book.status.doubtful != doubtful:
            self._set(book, doubtful=doubtful)

    def figures(self, book: Book, words: str) -> None:
        """How the figures of its containers are read."""
        book.status = self.statuses[book.name] = msgspec.structs.replace(book.status, figures=words)

    def _set(
        self,
        book: Book,
        *,
        link: LinkStatus | None = None,
        info: EngineInfo | None = None,
        confirmed: float | None = None,
        doubtful: tuple[str, ...] | None = None,
    ) -> None:
        old = book.status
        book.status = self.statuses[book.name] = EngineStatus(
            name=old.name,
            address=old.address,
            group=old.group,
            link=old.link if link is None else link,
            info=old.info if info is None else info,
            confirmed=old.confirmed if confirmed is None else confirmed,
            same_as=old.same_as,
            doubtful=old.doubtful if doubtful is None else doubtful,
            figures=old.figures,
        )

    # -- one engine under two addresses

    def settle_sameness(self, book: Book) -> tuple[Book, Book] | None:
        """Mark second addresses among those that are the same engine as this one.

        The one that is counted stays so while its link is up, or none of the others' is. Returns (the one that was
        counted, the one that is counted now) where that changed.
        """
        family = [b for b in self._books.values() if b is book or self._same(b, book)]
        counted = [b for b in family if not b.status.same_as]
        before = next((b for b in counted if b is not book), None) or (counted[0] if counted else None)
        chosen = before if before is not None else family[0]
        if not chosen.up:
            chosen = next((b for b in family if b.up), chosen)
        for other in family:
            self._mark(other, "" if other is chosen else chosen.name)
        if before is None or before is chosen:
            return None
        return before, chosen

    def share_containers(self, book: Book) -> bool:
        """Whether it is proven only now, by a container it has, that this is an engine that is known already."""
        info = book.status.info
        if info is None or info.kind != "podman" or book.status.same_as:
            return False
        for other in self._books.values():
            pair = frozenset((book.name, other.name))
            if other is book or pair in self._proven or not same_host(other.status.info, info):
                continue
            if not book.containers.keys().isdisjoint(other.containers):
                self._proven.add(pair)
                return True
        return False

    def _same(self, one: Book, other: Book) -> bool:
        if same(one.status.info, other.status.info):
            return True
        proven = frozenset((one.name, other.name)) in self._proven
        return proven and same_host(one.status.info, other.status.info)

    def remarked(self) -> set[str]:
        """The engines that were marked, or no longer are, since last asked."""
        remarked, self._remarked = self._remarked, set()
        return remarked

    def _mark(self, book: Book, same_as: str) -> None:
        if book.status.same_as != same_as:
            self._remarked.add(book.name)
            book.status = self.statuses[book.name] = msgspec.structs.replace(book.status, same_as=same_as)


def origin_of(info: EngineInfo | None, name: str) -> str:
    """What an engine says it is. Podman makes up a new id for every answer."""
    if info is None or not info.id or info.kind != "docker":
        return name
    return f"{info.id}@{info.hostname}"


def same(one: EngineInfo | None, other: EngineInfo | None) -> bool:
    """Whether two answers come from the same engine."""
    if one is None or other is None or not one.id or one.kind != "docker":
        return False
    return one.id == other.id and same_host(one, other)


def same_host(one: EngineInfo | None, other: EngineInfo | None) -> bool:
    """Whether two answers may come from engines of the same kind on one machine."""
    if one is None or other is None:
        return False
    return (one.hostname, one.os, one.kernel, one.kind, one.rootless) == (
        other.hostname,
        other.os,
        other.kernel,
        other.kind,
        other.rootless,
    )
