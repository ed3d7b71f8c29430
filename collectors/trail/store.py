"""What keeps a trail: one small interface, however it is kept. `segments` keeps it in SQLite files of this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

from .entry import Entry


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it is kept."""

    seq: int
    previous: str
    hash: str
    body: bytes
    """Its canonical form."""
    entry: Entry


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The last line of a trail: whoever keeps this elsewhere can prove later that nothing before it was changed."""

    seq: int = 0
    hash: str = "0" * 64
    at: str = ""
    """When it was written."""


class Place(NamedTuple):
    """Where a record stands in the order of the trail."""

    at: int
    """Unix nanoseconds, on our clock."""
    seq: int


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Which records are meant; what is empty or None does not narrow. Names are compared whole, case counts."""

    since: int | None = None
    """Unix nanoseconds on our clock, inclusive."""
    until: int | None = None
    """Exclusive."""
    service: str = ""
    """By its key (`Entry.service_key`)."""
    engine: str = ""
    actor: str = ""
    object_id: str = ""
    kinds: tuple[str, ...] = ()
    trouble: bool = False
    """Only what a person on call wants to see, and gaps."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """How far one engine was followed, and how it stood then. No part of the chain: without it a gap is longer."""

    engine: str
    origin: str
    """What the engine says it is."""
    heard: int
    """Unix nanoseconds, on our clock: everything said before was heard."""
    read_to: int
    """The same on the engine's clock."""
    instance: str
    recent: tuple[str, ...] = ()
    """Keys of the last events heard, newest last: one of them still in the engine's ring means nothing was lost."""
    containers: Mapping[str, tuple[str, str]] = {}
    """Name and state of each container, by id."""


class Store(Protocol):
    """A chain of lines that several programs write at once. Every method may block: call it where waiting is allowed.

    Raises StoreFull, StoreLocked or ChainBroken, all of them TrailErrors with what to do.
    """

    def append(self, entries: Sequence[Entry]) -> tuple[int, ...]:
        """Add lines, all or none of them; when it returns they survive a power cut. The number of each, 0: left out.

        Left out is what is there already: a line whose event `key` is known (from another program, another manager, an
        earlier replay), unless it knows more of who did it than the newest line of its thread; and a line that says
        nothing the newest line of its thread does not say. A key is known where a line has it or its thread is named by
        it. So what becomes known of an event later (its exit code) comes in a line of its thread without a key. An
        entry with a key has the event that it is of: by that event's time the same key is looked for.
        """
        ...

    def read(
        self, query: Query, limit: int, *, before: Place | None = None, after: Place | None = None
    ) -> Sequence[Line]:
        """Up to `limit` records, each the newest line of its thread, newest first. `before`: only older ones than this
        place, to read on; `after`: the `limit` records next to that place on its newer side (still newest first)."""
        ...

    def thread(self, thread: str) -> Sequence[Line]:
        """All lines of a thread, as they were written."""
        ...

    def known(self, events: Mapping[str, int]) -> Mapping[str, Line]:
        """Those of these events (by key, with their engine's time in nanoseconds) that are in the trail already: for
        each, the newest line of its thread."""
        ...

    def lines(self, after: int = 0, until: int | None = None) -> Iterator[Line]:
        """Lines in the order of the chain, from behind number `after` up to and with `until`."""
        ...

    def head(self) -> Head:
        """The last line."""
        ...

    def traces(self) -> tuple[int, ...] | None:
        """What shows from outside that somebody wrote: other numbers than before; None: nothing does, ask for the
        head. The one method that never waits. What is written right after it was called may leave no trace."""
        ...

    def mark(self, marks: Sequence[Mark]) -> None:
        """Keep how far engines were followed, in place of what was kept of the same engine by the same instance."""
        ...

    def marks(self) -> Sequence[Mark]:
        """The newest mark of each engine (by `origin`, else by name)."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...
