"""The dashboard: a table of the fleet, the details of the row under the cursor, and the way between places."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from fleettop.collectors.errors import TrailError
from fleettop.collectors.fleet import Changed
from fleettop.collectors.model import ContainerKey, Record, ServiceKey
from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.events import Resize

from ..filter import readable
from ..frames.sparing import SparingScreen
from ..keymap import Keys
from ..navigation import History, Place, placed
from ..rows import Line, Row
from ..trail.rows import TrailRows
from ..views import Views
from ..views.base import View
from ..views.crumbs import crumbs
from ..views.empty import empty_lines
from ..views.headline import headline
from ..views.service_detail import service_head
from ..views.table import BIGGEST_FIRST, PlacedRows, renamed
from ..widgets.detail import Detail
from ..widgets.filterbar import FilterBar
from ..widgets.footer import KeyFooter
from ..widgets.header import Header
from ..widgets.table import LineTable
from ..widgets.tabs import Tab, ViewTabs
from .pulse import Due, Pulse
from .reading import Reading, found_words

if TYPE_CHECKING:
    from ..app import FleetApp
    from ..views.storage import Disks

BESIDE = 150
"""Columns from which on the details stand beside the table."""
UNDER = 34
"""Lines from which on they stand under it, on narrower screens."""


class DashboardScreen(SparingScreen[None]):
    """One place at a time: a view, what it is narrowed to, and how it is looked at."""

    app: FleetApp

    def __init__(self, keys: Keys) -> None:
        super().__init__()
        self._keys = keys
        self._views = Views(
            {"trail": self._record, "checks": lambda: self.app.inspection, "storage": self._disks},
        )
        self.history = History(Place())
        self._pulse, self._looked = Pulse(), False
        self._looked_at: set[Hashable] = set()

    def compose(self) -> ComposeResult:
        """Header, tabs, filter, table with details, key hints."""
        glyphs = self.app.glyphs
        self.header = Header(id="header", glyphs=glyphs)
        self.tabs = ViewTabs(id="tabs", glyphs=glyphs)
        self.filter_bar = FilterBar(id="filter", glyphs=glyphs)
        self.middle = Container(id="middle")
        self.table = LineTable(id="table", glyphs=glyphs, source=self._row)
        self.detail = Detail(id="detail", glyphs=glyphs)
        self.footer = KeyFooter(id="footer", glyphs=glyphs)
        yield self.header
        yield self.tabs
        yield self.filter_bar
        with self.middle:
            yield self.table
            yield self.detail
        yield self.footer

    def on_mount(self) -> None:
        """Show the first place."""
        self.filter_bar.display = False
        self.reading = Reading(self)
        self.table.beyond = self._beyond
        keeping = self.app.session.keeping
        if keeping is not None:
            keeping.keeper.on_trouble = self._headline
        self._arrive()
        self.table.focus()

    @property
    def place(self) -> Place:
        """Where we are."""
        return self.history.place

    @property
    def view(self) -> View:
        """The view of this place."""
        return self._views[self.place.view]

    # -- the fleet moves -----------------------------------------------------------------------------------------------

    def fleet_changed(self, changed: Changed) -> None:
        """Show what changed, and nothing else."""
        dirty = self._take(changed)
        self._headline()
        if changed.records or changed.engines or self.table.cursor_key in dirty:
            self._show_detail()

    def _take(self, changed: Changed) -> set[Hashable]:
        self.reading.live.take(changed.records)
        if (scope := placed(self.place.scope, self.app.fleet.services)) is not None:
            self.history.amend(scope=scope)
            self._arrive()
        dirty, moved = self._rows.update(changed)
        if dirty:
            self.table.forget_rows(dirty)
        if moved:
            if names := renamed(self.table.order, self._rows.order):
                self.table.rename_rows(names)
            self.table.update_rows({}, self._rows.order)
            self._share()
        if not self._rows.order:
            self._say_empty()
        if self.filter_bar.display:
            self._count()
        if moved and set(self.table.visible_keys()) != self._looked_at:
            self.look_at_visible()
        elif changed.containers or changed.services or changed.swarms:
            self._looked = False  # a row's replicas may have come or gone: looked at with the next second
        return dirty

    def time_passed(self, changed: Changed) -> None:
        """Ages went on, and some things changed: draw again what is on screen of either."""
        fresh = self._take(changed) if changed else set()
        if not self._looked:
            self.look_at_visible()
        app, moment, visible = self.app, self.app.moment(), self.table.visible_keys()
        restless = tuple(key for key in visible if self.view.restless(app.fleet, key, moment))
        calm = not (restless or changed) and self.header.facts.calm and self.place.as_of is None
        if (due := self._pulse.beat(calm=calm)) is Due.NOTHING:
            return
        if keys := [key for key in (visible if due is Due.ALL else restless) if key not in fresh]:
            self.table.forget_rows(keys)
        if not self._rows.order:
            self._say_empty()
        self._headline()
        if self.place.as_of is not None:
            self._show_tabs()
        self._show_detail()

    def _row(self, key: Hashable) -> Row | None:
        return self.view.row(self.app.fleet, key, self.app.moment())

    def _headline(self) -> None:
        app = self.app
        read_only, trouble = app.session.read_only, self.trail_trouble
        replay = app.replaying.words() if app.replaying is not None else ""
        known, moment = {"group": app.group, "replay": replay}, app.moment()
        self.header.show(
            headline(app.fleet, moment, read_only=read_only, trouble=trouble, watchman=app.watchman, **known)
        )

    # -- a place -------------------------------------------------------------------------------------------------------

    def _arrive(self) -> None:
        """Build the place anew: columns, rows, cursor, tabs, filter."""
        place, view, table = self.place, self.view, self.table
        self._rows: PlacedRows | TrailRows = (
            self.reading.rows() if view.id == "trail" else PlacedRows(view, self.app.fleet)
        )
        self.reading.stop()
        order = self._rows.settle(place, readable(place.filter))
        table.clear()
        table.set_columns(view.columns)
        table.set_sort(place.sort, descending=place.reverse)
        table.forget_rows()
        table.update_rows({}, order)
        if place.cursor is not None:
            table.move_to(place.cursor)
        self._lay_out()
        self.show_around()
        self.reading.go_on()
        if view.id == "checks":
            from ..inspecting import come_to

            come_to(self)
        if view.id == "storage":
            self.app.storing.look()

    def _refilter(self) -> None:
        """The same rows through another filter or in another order; the cursor stays on its row."""
        place, table = self.place, self.table
        order = self._rows.settle(place, readable(place.filter))
        table.set_sort(place.sort, descending=place.reverse)
        table.update_rows({}, order)
        self.show_around()
        self.reading.stop()
        self.reading.go_on()

    # -- the trail -----------------------------------------------------------------------------------------------------

    @property
    def trail_rows(self) -> TrailRows | None:
        """The rows of a place in the trail; None: this is no such place."""
        return self._rows if isinstance(self._rows, TrailRows) else None

    @property
    def trail_trouble(self) -> TrailError | None:
        """Why the trail cannot be written at the moment."""
        keeping = self.app.session.keeping
        return keeping.keeper.trouble if keeping is not None else None

    def more_was_read(self) -> None:
        """The trail was read on."""
        self._count()
        self._say_empty()
        self._show_tabs()
        self._show_detail()

    def go_in_time(self, moment: datetime | None) -> None:
        """Look at the trail as it was at a moment; None: as it is."""
        place = self.place
        if moment is not None or place.as_of is not None:
            self.go(msgspec.structs.replace(place, as_of=moment, cursor=None, around=None))

    def _beyond(self, last: bool) -> bool:
        """`g` and `G` in the trail: to the newest and the oldest record there is, which may be far from here."""
        rows = self.trail_rows
        if rows is None or (rows.at_oldest if last else rows.at_newest):
            return False
        if not last:
            self.history.amend(as_of=None, around=None, cursor=None)
        self.reading.stop()
        self.table.clear()
        self.table.update_rows({}, rows.begin_at(oldest=last))
        self.show_around()
        self.reading.go_on()
        return True

    def _disks(self) -> Disks:
        return self.app.storing.disks()

    def _record(self, key: Hashable) -> Record | None:
        return self._rows.record(key) if isinstance(self._rows, TrailRows) else None

    def show_around(self) -> None:
        """What stands around the rows: tabs, counts, headline, details."""
        self._show_tabs()
        self._count()
        self._say_empty()
        self._headline()
        self._show_detail()
        self.look_at_visible()

    def _show_tabs(self) -> None:
        place = self.place
        tabs = [
            Tab(name, self._keys.label(f"view.{name}").split(" ")[0], self._views.title(name)) for name in self._views
        ]
        changes = self.app.changes.words()
        if changes:
            changes += f" ({self._keys.label('changes.show')})"
        self.tabs.show(tabs, place.view, crumbs(place, self.app.fleet.services, changes, self.app.moment()))

    def _count(self) -> None:
        if isinstance(self._rows, TrailRows):
            self.filter_bar.show_words(found_words(self._rows, self.app.moment()))
        else:
            shown = len(self._rows.order)
            self.filter_bar.show_counts(shown, shown + self._rows.hidden)
        self._share()

    def _say_empty(self) -> None:
        app = self.app
        lines = empty_lines(app.fleet, self.view, self.place, self._rows.hidden, app.moment(), app.notes)
        self.table.set_empty(lines)

    def _lay_out(self) -> None:
        width, height = self.app.size
        beside = width >= BESIDE
        under = not beside and (height >= UNDER or (self.place.scope is not None and height >= 16))
        self.middle.set_class(beside, "-beside")
        self.middle.set_class(under, "-under")
        self._detailed = beside or under
        self._share()

    def _share(self) -> None:
        """Inside a service its few rows take no more lines than they need, and the details have the rest; where there
        are many, as of what happened to it, the rows have the larger part."""
        rows = len(self._rows.order) + self._rows.hidden
        inside = self.middle.has_class("-under") and isinstance(self.place.scope, ServiceKey)
        few = inside and rows <= self.app.size.height // 3
        self.middle.set_class(few, "-few")
        if few:
            self.table.styles.max_height = max(3, rows) + 1
        elif self.table.styles.max_height is not None:  # taken away where there is none it lays out the whole screen
            self.table.styles.max_height = None

    def _show_detail(self, *, keep_place: bool = True) -> None:
        key, view, app = self.table.cursor_key, self.view, self.app
        story: Line | None = None if self._detailed else ()
        if self._detailed:
            self.detail.set_lines(self._detail_lines(key), keep_place=keep_place)
        elif key is not None:
            story = view.story(app.fleet, key, app.moment())
        self.footer.show(self._keys.hints(self.place.view), story)

    def _detail_lines(self, key: Hashable | None) -> tuple[Line, ...]:
        """The row's details; inside a service, its story stays in sight above them."""
        app, scope = self.app, self.place.scope
        lines = self.view.detail(app.fleet, key, app.moment()) if key is not None else ()
        service = app.fleet.services.get(scope) if isinstance(scope, ServiceKey) else None
        if service is None:
            return lines
        return (*service_head(app.fleet, service, app.moment()), (), *lines)

    def look_at_visible(self) -> None:
        """Have what is on screen sampled, and nothing else."""
        self._looked, self._looked_at = True, set(self.table.visible_keys())
        keys: set[ContainerKey] = set()
        for key in self._looked_at:
            keys.update(self.view.containers(self.app.fleet, key))
        self.app.session.interest.look_at(keys)

    def selected(self) -> tuple[Hashable, ...]:
        """The marked rows; without marks, the row under the cursor."""
        marked = self.table.marked
        if marked:
            return tuple(key for key in self._rows.order if key in marked)
        key = self.table.cursor_key
        return () if key is None else (key,)

    # -- going somewhere -----------------------------------------------------------------------------------------------

    def go(self, place: Place) -> None:
        """Go to another place, remembering where the cursor was."""
        self.close_filter()
        self._remember()
        self.history.go(place)
        self._arrive()

    def step(self, *, back: bool) -> bool:
        """One step in the history; False where there is none."""
        self._remember()
        moved = self.history.back() if back else self.history.forward()
        if moved:
            self.close_filter()
            self._arrive()
        return moved

    def _remember(self) -> None:
        """Where the cursor stands, for whoever comes back."""
        key, rows = self.table.cursor_key, self._rows
        if isinstance(rows, TrailRows):
            around = rows.standing(key) if key != rows.first and key is not None else None
            self.history.amend(cursor=key if around is not None else None, around=around)
        else:
            self.history.amend(cursor=key)

    def look_differently(self, **changes: object) -> None:
        """The same place with another filter or order; the cursor stays on its row."""
        self.history.amend(**changes)
        self._refilter()

    def open(self, key: Hashable | None) -> None:
        """Drill into a row: to what is inside it, else to its details."""
        if key is None:
            return
        inside = self.view.scope_of(self.app.fleet, key)
        if inside is None or inside == (self.place.view, self.place.scope):
            self.app.show_page(key)
            return
        view, scope = inside
        self.go(Place(view=view, scope=scope))

    def sort_by(self, column: str) -> None:
        """Order by this column; again: backwards; a third time: worst first."""
        place, natural = self.place, column in BIGGEST_FIRST
        if not column or (place.sort == column and place.reverse != natural):
            self.look_differently(sort="", reverse=False)
        elif place.sort != column:
            self.look_differently(sort=column, reverse=natural)
        else:
            self.look_differently(reverse=not place.reverse)

    def open_filter(self) -> None:
        """Let a filter be typed."""
        self.filter_bar.display = True
        self.filter_bar.open(self.place.filter)

    def close_filter(self) -> None:
        """The keys go back to the table."""
        self.filter_bar.display = False
        self.table.focus()

    # -- what the widgets say ------------------------------------------------------------------------------------------

    @on(LineTable.CursorMoved)
    def _cursor_moved(self, message: LineTable.CursorMoved) -> None:
        self._show_detail(keep_place=False)
        self.reading.go_on()

    @on(LineTable.VisibleChanged)
    def _visible_changed(self, message: LineTable.VisibleChanged) -> None:
        self.look_at_visible()
        self.reading.go_on()

    @on(LineTable.Activated)
    def _activated(self, message: LineTable.Activated) -> None:
        self.open(message.key)

    @on(LineTable.HeaderClicked)
    def _header_clicked(self, message: LineTable.HeaderClicked) -> None:
        self.sort_by(message.column)

    @on(ViewTabs.Chosen)
    def _tab_chosen(self, message: ViewTabs.Chosen) -> None:
        self.app.choose(f"view.{message.view}")

    @on(KeyFooter.Chosen)
    def _hint_chosen(self, message: KeyFooter.Chosen) -> None:
        self.app.choose(message.command)

    @on(FilterBar.Typed)
    def _filter_typed(self, message: FilterBar.Typed) -> None:
        self.look_differently(filter=message.text)

    @on(FilterBar.Submitted)
    def _filter_submitted(self, message: FilterBar.Submitted) -> None:
        self.close_filter()

    @on(FilterBar.Cancelled)
    def _filter_cancelled(self, message: FilterBar.Cancelled) -> None:
        self.look_differently(filter="")
        self.close_filter()

    def on_resize(self, event: Resize) -> None:
        """Another size: another arrangement."""
        self._lay_out()
        self._show_detail()
