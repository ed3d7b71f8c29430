"""The rows of the trail view: a window on the whole trail that is read on as the cursor nears its ends."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import datetime
from enum import Enum
from itertools import islice

import msgspec
from fleettop.collectors.clock import nanoseconds
from fleettop.collectors.errors import TrailError
from fleettop.collectors.fleet import Changed, Fleet
from fleettop.collectors.keeping import Keeping
from fleettop.collectors.model import Record
from fleettop.collectors.trail.entry import moment, stamp
from fleettop.collectors.trail.store import Place as Standing

from ..filter import Filter
from ..navigation import Place
from .asking import Names, asked_for
from .live import AT_HAND, LiveTrail
from .reading import SEARCH, STEP, Asked, Stretch, read_down, read_up
from .window import NEWEST, Item, Window

AHEAD = 200
"""Rows that are read before the cursor needs them."""
MOST = 1_500
"""Rows that are kept; those furthest from the cursor go."""
FIRST = 200
"""Rows that are shown at once, of what is at hand."""
FIRST_LOOK = 1_500
"""Records at hand that are looked at for that: this happens within one frame."""


class What(Enum):
    """What a row says that is no record."""

    READING = "reading on"
    UNREAD = "the rest cannot be read"
    END = "the first record"
    MOMENT = "the moment that is looked at"


class Sign(msgspec.Struct, frozen=True):
    """A row that is no record. Another one each time more was read, so that the cursor does not move along with it."""

    what: What
    at: datetime | None = None
    words: str = ""
    turn: int = 0


class TrailRows:
    """What `PlacedRows` is for the other views. Its work never depends on how long the trail is."""

    def __init__(self, fleet: Fleet, live: LiveTrail, keeping: Keeping | None) -> None:
        self._fleet = fleet
        self._live = live
        self._keeping = keeping
        self._place = Place(view="trail")
        self._asked = Asked()
        self._window = Window(live=True)
        self._preview: Window | None = None
        """What is at hand, until the store has answered so far."""
        self._turn = 0
        self._trouble = ""
        self._source = keeping
        """Where the past is read; None: nothing is kept, or it cannot be read."""
        self._target: Standing | None = None
        """Where reading began, if not with what comes next."""
        self._arriving = False
        self._limit = STEP
        """Lines that the next step reads: more, where few of them are meant."""
        self._near: str | None = None
        """A row in the middle of the screen; None: the newest."""
        self.order: tuple[Hashable, ...] = ()
        self.hidden = 0
        self.looked_at = 0
        """Records that were looked at for this place."""
        self.focus: Hashable | None = None
        """The row that the cursor is to be put on, once it is there; for whoever shows the rows to take."""

    # -- what is shown

    @property
    def _shown(self) -> Window:
        return self._preview if self._preview is not None else self._window

    @property
    def count(self) -> int:
        """How many records are shown."""
        return len(self._shown)

    @property
    def first(self) -> Hashable | None:
        """The row at the top, while that is the newest record; None: it is not."""
        return self.order[0] if self.order and self.at_newest else None

    @property
    def jumped(self) -> bool:
        """Whether reading began somewhere in the past."""
        return self._target is not None

    def record(self, key: Hashable) -> Record | None:
        """The record of a row, as it is now."""
        if not isinstance(key, str):
            return None
        item = self._window.get(key) or (self._preview.get(key) if self._preview is not None else None)
        return self._fleet.record(key) or (item.record if item is not None else None)

    def standing(self, key: Hashable) -> Standing | None:
        """Where a row stands in the trail."""
        item = self._shown.get(key) if isinstance(key, str) else None
        return item.place if item is not None else None

    @property
    def at_newest(self) -> bool:
        """Whether what comes next is shown at the top."""
        return self._window.top is None

    @property
    def at_oldest(self) -> bool:
        """Whether the first record there is is shown at the bottom."""
        return self._window.bottom is None

    @property
    def searched_to(self) -> datetime | None:
        """How far back everything was looked at; None: to the beginning, or not yet."""
        bottom = self._window.bottom
        return moment(stamp(bottom.at)) if bottom is not None and bottom < NEWEST and bottom.at > 0 else None

    # -- another place, filter, or change

    def settle(self, place: Place, accept: Filter | None) -> tuple[Hashable, ...]:
        """Begin anew: the keys of what is at hand, within one frame; `read` goes on from there."""
        self._place = place
        self._asked = asked_for(place, accept, self._names())
        self._begin(_start(place))
        if place.as_of is None and place.around is not None:
            at_hand = self._at_hand()
            if place.cursor in at_hand:  # it is not far: the present can be shown as well
                self._begin(None)
        if self._target is None:
            self.focus = place.cursor
        return self._arrange()

    def begin_at(self, *, oldest: bool) -> tuple[Hashable, ...]:
        """The same, at the newest or the oldest record there is."""
        self._place = msgspec.structs.replace(self._place, around=None, cursor=None)
        self._begin(Standing(0, 0) if oldest else None)
        if oldest:
            self._window.bottom = None
        return self._arrange()

    def _begin(self, at: Standing | None) -> None:
        self.looked_at, self._trouble, self.focus = 0, "", None
        self._source, self._target, self._arriving = self._keeping, at, at is not None
        self._limit = STEP
        self._window = Window(at or NEWEST, live=at is None)
        self._preview = self._at_hand() if at is None else None

    def update(self, changed: Changed) -> tuple[set[Hashable], bool]:
        """Records were written or amended, and are at hand: whose rows are to be made again, and whether any moved."""
        moved, dirty = False, set[Hashable]()
        for record in changed.records:
            item = self._live.get(record.key)
            if item is None:
                continue
            dirty.add(item.key)
            for window in (self._window, self._preview):
                if window is not None:
                    moved |= window.put(item) if self._asked.meant(item.record) else window.remove(item.key)
        if moved:
            if len(self._shown) > MOST + AHEAD:
                self._shown.trim(self._near, MOST)
            self._arrange()
        return {key for key in dirty if key in self._shown}, moved

    # -- reading on

    def wanted(self, first: int, last: int) -> int:
        """Which way to read on, if the rows from `first` to `last` are on screen: 1 down, -1 up, 0 not at all."""
        on_screen = (key for key in self.order[(first + last) // 2 : first : -1] if isinstance(key, str))
        self._near = next(on_screen, None)
        below = len(self.order) - last
        down = self._window.bottom is not None and (self._preview is not None or below < AHEAD)
        up = self._window.top is not None and first < AHEAD
        if down and up:
            return 1 if self._turn % 2 == 0 else -1
        return 1 if down else -1 if up else 0

    async def read(self, way: int) -> None:
        """One bounded step down or up. Rows far from those on screen are forgotten."""
        window, asked = self._window, self._asked
        try:
            found = await self._read(way, window, asked, self._limit)
        except TrailError as error:
            if window is self._window:
                self._source, self._trouble = None, f"{error}"
                self._arrange()
            return
        if window is not self._window:
            return  # the place is another one by now
        if way > 0:
            window.grow_down(found.items, found.reached)
        else:
            window.grow_up(found.items, found.reached)
        self.looked_at += found.looked_at
        if len(found.items) * 4 < found.looked_at:
            self._limit = min(SEARCH, self._limit * 2)
        self._turn += 1
        self._end_preview()
        if self._arriving:
            self._find_focus()
        if self._preview is None:
            window.trim(self._near, MOST)
        self._arrange()

    async def _read(self, way: int, window: Window, asked: Asked, limit: int) -> Stretch:
        if way > 0:
            assert window.bottom is not None
            return await read_down(self._source, self._live, asked, window.bottom, limit)
        assert window.top is not None
        return await read_up(self._source, self._live, asked, window.top, limit)

    def _at_hand(self) -> Window:
        """What is shown of the newest records at hand before the store has answered."""
        window = Window(live=True)
        found: list[Item] = []
        bottom: Standing | None = NEWEST
        for item in islice(self._live.below(NEWEST), FIRST_LOOK):
            bottom = item.place
            if self._asked.meant(item.record):
                found.append(item)
                if len(found) >= FIRST:
                    break
        window.grow_down(found, bottom)
        return window

    def _end_preview(self) -> None:
        preview, window = self._preview, self._window
        if preview is None:
            return
        last = preview.bottom
        reached = window.bottom is None or (last is not None and window.bottom <= last)
        if reached or len(window) >= max(FIRST, len(preview)):
            self._preview = None

    def _find_focus(self) -> None:
        """After a jump: the cursor goes to where it was, or to what happened last before the moment.

        As long as one side of the moment is still to be read, or nothing was found.
        """
        place, window, target = self._place, self._window, self._target
        if target is None or not len(window):
            return
        self._arriving = target in (window.top, window.bottom)
        if isinstance(place.cursor, str) and place.cursor in window:
            self.focus = place.cursor
            return
        nearest = window.nearest(target)
        self.focus = nearest.key if nearest is not None else None

    def _arrange(self) -> tuple[Hashable, ...]:
        shown = self._shown.newest_first()
        keys: list[Hashable] = [item.key for item in shown]
        mark = self._mark(shown)
        if mark is not None:
            keys.insert(mark, Sign(What.MOMENT, self._place.as_of))
        self.hidden = max(0, self.looked_at - len(shown))
        keys += self._last_sign(len(shown))
        self.order = tuple(keys)
        return self.order

    def _mark(self, shown: Sequence[Item]) -> int | None:
        if self._place.as_of is None or self._preview is not None:
            return None
        at = _standing(self._place.as_of)
        if not self._window.covers(at):
            return None
        return sum(1 for item in shown if item.place > at)

    def _last_sign(self, shown: int) -> list[Hashable]:
        if self._window.bottom is not None or (not shown and self._window.top is not None):
            return [Sign(What.READING, self.searched_to if self._asked.accept else None, turn=self._turn)]
        if self._trouble:
            return [Sign(What.UNREAD, words=self._trouble)]
        if not shown or self._keeping is None:
            return []
        return [Sign(What.END, words=", ".join(self._asked.names))]

    def _names(self) -> Names:
        fleet = self._fleet
        services = {key: f"{s.stack}/{s.name}" if s.stack else s.name for key, s in fleet.services.items()}
        actors: set[str] = set()
        for item in self._live.items():
            record = item.record
            actors.add(record.actor)
            if record.service is not None and record.service not in services:
                services[record.service] = record.service_name
        return Names(services=services, engines=frozenset(fleet.engines), actors=frozenset(actors - {""}))


def _start(place: Place) -> Standing | None:
    """Where reading begins; None: with what comes next."""
    if place.around is not None:
        return Standing(place.around.at, place.around.seq + AT_HAND * 2)
    return _standing(place.as_of) if place.as_of is not None else None


def _standing(at: datetime) -> Standing:
    """Behind everything that happened at a moment."""
    return Standing(nanoseconds(at), AT_HAND * 2)
