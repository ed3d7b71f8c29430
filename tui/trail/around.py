"""All that the trail knows about one record: its lines as they became known, what belongs to it, and its neighbours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import msgspec
from fleettop.collectors.errors import TrailError
from fleettop.collectors.fleet import Fleet
from fleettop.collectors.fleet.lines import service_text
from fleettop.collectors.keeping import Keeping
from fleettop.collectors.model import Record, RecordKind
from fleettop.collectors.trail.entry import Entry
from fleettop.collectors.trail.store import Line, Place, Query, Store

from .live import LiveTrail
from .reading import Asked, Stretch, read_down, read_up
from .window import Item

NEIGHBOURS = 5
BELONGING = 300
"""Records around an intent that are looked at for what belongs to it."""


Step = Callable[[Keeping | None, LiveTrail, Asked, Place, int], Awaitable[Stretch]]


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What was found about a record."""

    lines: tuple[Line, ...] = ()
    """Of its thread, as they were written; none: it is not kept."""
    writer: Entry | None = None
    """The start of the fleettop that wrote its newest line."""
    together: tuple[Record, ...] = ()
    """An intent, its events and its outcome, oldest first; none: it stands alone."""
    service: tuple[Record, ...] = ()
    """What happened just after and just before on the same service, newest first."""
    host: tuple[Record, ...] = ()
    """Likewise on the same host."""
    trouble: str = ""
    """Why not all of it could be read."""


class Around:
    """Finds it, in the store and at hand."""

    def __init__(self, fleet: Fleet, live: LiveTrail, keeping: Keeping | None) -> None:
        self.fleet = fleet
        self._live = live
        self._keeping = keeping

    async def gather(self, item: Item) -> Facts:
        """All of it, in a few bounded questions."""
        keeping, record, trouble = self._keeping, self.now(item), ""
        lines: tuple[Line, ...] = ()
        writer: Entry | None = None
        if keeping is not None:
            try:
                lines = await keeping.keeper.ask(lambda store: tuple(store.thread(item.key)), waited_for=True)
                if lines:
                    entry = lines[-1].entry
                    writer = await keeping.keeper.ask(lambda store: _start_of(store, entry), waited_for=True)
            except TrailError as error:
                keeping, trouble = None, str(error)
        service = record.service
        of_service = Query(service=service_text(service))
        on_host = Query(engine=record.engine)
        return Facts(
            lines=lines,
            writer=writer,
            together=await self._together(keeping, item, record),
            service=()
            if service is None
            else await self._neighbours(keeping, item, of_service, lambda other: other.service == service),
            host=()
            if not record.engine
            else await self._neighbours(keeping, item, on_host, lambda other: other.engine == record.engine),
            trouble=trouble,
        )

    def now(self, item: Item) -> Record:
        """The record as it is now."""
        return self.fleet.record(item.key) or item.record

    async def _together(self, keeping: Keeping | None, item: Item, record: Record) -> tuple[Record, ...]:
        intent = record.of or (record.key if record.kind is RecordKind.INTENT else "")
        if not intent:
            return ()
        asked = Asked(accept=lambda other: intent in (other.of, other.key))
        below = Stretch((), None)
        if record.of:
            below = await self._read(read_down, keeping, asked, item.place, BELONGING)
        above = await self._read(read_up, keeping, asked, item.place, BELONGING)
        found = {other.key: other for other in (*above.items, *below.items, Item(item.place, item.key, record))}
        return tuple(self.now(other) for other in sorted(found.values(), key=_place))

    async def _neighbours(
        self, keeping: Keeping | None, item: Item, query: Query, same: Callable[[Record], bool]
    ) -> tuple[Record, ...]:
        asked = Asked((query,), same)
        below = await self._read(read_down, keeping, asked, item.place, NEIGHBOURS + 1)
        above = await self._read(read_up, keeping, asked, item.place, NEIGHBOURS + 1)
        newer = sorted(_others(above.items, item), key=_place)[:NEIGHBOURS]
        older = sorted(_others(below.items, item), key=_place)[-NEIGHBOURS:]
        return tuple(self.now(other) for other in reversed((*older, *newer)))

    async def _read(self, step: Step, keeping: Keeping | None, asked: Asked, at: Place, limit: int) -> Stretch:
        try:
            return await step(keeping, self._live, asked, at, limit)
        except TrailError:
            return await step(None, self._live, asked, at, limit)


def _others(items: Iterable[Item], item: Item) -> list[Item]:
    return [other for other in items if other.key != item.key]


def _place(item: Item) -> Place:
    return item.place


def _start_of(store: Store, entry: Entry) -> Entry | None:
    """Who ran the fleettop that wrote a line."""
    for line in store.read(Query(kinds=("start",)), 500):
        if line.entry.instance == entry.instance:
            return line.entry
    return None
