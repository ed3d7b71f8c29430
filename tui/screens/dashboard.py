"""The dashboard: a table of the fleet, the details of the row under the cursor, and the way between places."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, ClassVar

from fleettop.collectors.fleet import Changed
from fleettop.collectors.model import ContainerKey, ServiceKey
from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.events import Resize
from textual.screen import Screen

from ..filter import Filter, FilterError, parse_filter
from ..keymap import Keys
from ..navigation import History, Place, Scope
from ..rows import Line, Row
from ..views import VIEWS
from ..views.base import View
from ..views.empty import empty_lines
from ..views.headline import headline
from ..views.table import PlacedRows
from ..widgets.detail import DetailPane
from ..widgets.filterbar import FilterBar
from ..widgets.footer import Footer
from ..widgets.header import Header
from ..widgets.table import LineTable
from ..widgets.tabs import Tabs

if TYPE_CHECKING:
    from ..app import FleetApp

BESIDE = 150
"""Columns from which on the details stand beside the table."""
UNDER = 34
"""Lines from which on they stand under it, on narrower screens."""


class DashboardScreen(Screen[None]):
    """One place at a time: a view, what it is narrowed to, and how it is looked at."""

    app: FleetApp
    CSS_PATH: ClassVar[None] = None

    def __init__(self, keymap: Keys) -> None:
        super().__init__()
        self._keymap = keymap
        self.history = History(Place())
        self._views: Mapping[str, View] = {view.id: view for view in VIEWS}
        self._rows: PlacedRows | None = None
        self._filter: Filter | None = None

    def compose(self) -> ComposeResult:
        """Header, tabs, filter, table with details, key hints."""
        yield Header(id="header")
        yield Tabs(id="tabs")
        yield FilterBar(id="filter")
        with Container(id="middle"):
            yield LineTable(id="table", glyphs=self.app.glyphs, source=self._row)
            yield DetailPane(id="detail")
        yield Footer(id="footer")

    # -- what it shows -------------------------------------------------------------------------------------------------

    @property
    def place(self) -> Place:
        """Where we are."""
        return self.history.place

    @property
    def view(self) -> View:
        """The view of this place."""
        return self._views[self.place.view]

    @property
    def table(self) -> LineTable:
        """The table."""
        return self.query_one("#table", LineTable)

    @property
    def detail(self) -> DetailPane:
        """The details of the row under the cursor."""
        return self.query_one("#detail", DetailPane)

    def on_mount(self) -> None:
        """Show the first place."""
        self._arrive()
        self.table.focus()

    def fleet_changed(self, changed: Changed) -> None:
        """Show what changed, and nothing else."""
        assert self._rows is not None
        dirty, moved = self._rows.update(changed)
        gone = self._rows.view.id == "trail" and bool(changed.records)
        if dirty or moved or gone:
            self.table.forget_rows(dirty)
            if moved or gone:
                self.table.update_rows({}, self._rows.order)
        self._headline()
        if self._touches_cursor(changed, dirty):
            self._show_detail()
        if not self._rows.order:
            self._say_empty()

    def time_passed(self) -> None:
        """Ages went on: draw again what is on screen."""
        if self.view.ages():
            self.table.forget_rows(self.table.visible_keys())
        self._headline()
        self._show_detail()
        if self._rows is not None and not self._rows.order:
            self._say_empty()

    def _touches_cursor(self, changed: Changed, dirty: set[Hashable]) -> bool:
        return self.table.cursor_key in dirty or bool(changed.records) or bool(changed.engines)

    def _row(self, key: Hashable) -> Row | None:
        return self.view.row(self.app.fleet, key, self.app.moment())

    def _arrive(self) -> None:
        """Build the place anew: columns, rows, cursor, tabs, filter."""
        place, view = self.place, self.view
        self._rows = PlacedRows(view, self.app.fleet)
        self._filter = self._parsed(place.filter)
        order = self._rows.settle(place, self._filter)
        table = self.table
        table.clear()
        table.set_columns(view.columns)
        table.set_sort(place.sort, descending=place.reverse)
        table.update_rows({}, order)
        if place.cursor is not None:
            table.move_to(place.cursor)
        self.query_one(Tabs).show(self._tabs(), place.view, self._crumb())
        self.query_one(FilterBar).show(place.filter, only_wrong=place.only_wrong, hidden=self._rows.hidden)
        self._lay_out()
        self._headline()
        self._show_detail()
        self._say_empty()

    def _tabs(self) -> tuple[tuple[str, str, str], ...]:
        return tuple((view.id, self._keymap.key_of(f"view.{view.id}"), view.title) for view in self._views.values())

    def _crumb(self) -> str:
        return scope_words(self.app.fleet.services, self.place.scope)

    def _headline(self) -> None:
        self.query_one(Header).show(headline(self.app.fleet, self.app.session, self.app.moment()))

    def _parsed(self, text: str) -> Filter | None:
        if not text.strip():
            return None
        try:
            return parse_filter(text)
        except FilterError:
            return self._filter

    def _say_empty(self) -> None:
        assert self._rows is not None
        self.table.set_empty(
            empty_lines(self.app.fleet, self.view, self.place, self._rows.hidden, self.app.moment(), self.app.notes)
        )

    # -- the details of the row under the cursor -----------------------------------------------------------------------

    def _lay_out(self) -> None:
        width, height = self.app.size
        beside = width >= BESIDE
        under = not beside and (height >= UNDER or (self.place.scope is not None and height >= 16))
        middle = self.query_one("#middle")
        middle.set_class(beside, "-beside")
        middle.set_class(under, "-under")
        self.query_one(Footer).set_story_shown(not beside and not under)
        self.query_one(Header).set_class(width < 100, "-narrow")
        self.query_one(Tabs).display = height >= 20 or self.place.scope is not None

    def _show_detail(self) -> None:
        key = self.table.cursor_key
        lines: tuple[Line, ...] = ()
        story: Line = ()
        if key is not None:
            view, fleet, moment = self.view, self.app.fleet, self.app.moment()
            if self.detail.display:
                lines = view.detail(fleet, key, moment)
            else:
                story = view.story(fleet, key, moment)
        self.detail.set_lines(lines)
        self.query_one(Footer).show(self._hints(), story)

    def _hints(self) -> tuple[tuple[str, str], ...]:
        return self._keymap.hints(view=self.place.view, on_row=self.table.cursor_key is not None)

    @on(LineTable.CursorMoved)
    def _cursor_moved(self, message: LineTable.CursorMoved) -> None:
        self._show_detail()

    @on(LineTable.VisibleChanged)
    def _visible_changed(self, message: LineTable.VisibleChanged) -> None:
        self.look_at_visible()

    def look_at_visible(self) -> None:
        """Have what is on screen sampled, and nothing else."""
        keys: set[ContainerKey] = set()
        for key in self.table.visible_keys():
            keys.update(self.view.containers(self.app.fleet, key))
        self.app.session.interest.look_at(keys)

    def on_resize(self, event: Resize) -> None:
        """Another size: another arrangement."""
        if self._rows is not None:
            self._lay_out()
            self._show_detail()

    # -- going somewhere -----------------------------------------------------------------------------------------------

    def go(self, place: Place) -> None:
        """Go to another place, remembering where the cursor was."""
        self.history.amend(cursor=self.table.cursor_key)
        self.history.go(place)
        self._arrive()

    def look_differently(self, **changes: object) -> None:
        """The same place with another filter or order; the cursor stays on its row."""
        self.history.amend(cursor=self.table.cursor_key, **changes)
        self._arrive()

    def step(self, *, back: bool) -> bool:
        """One step in the history; False where there is none."""
        self.history.amend(cursor=self.table.cursor_key)
        moved = self.history.back() if back else self.history.forward()
        if moved:
            self._arrive()
        return moved

    @on(LineTable.Activated)
    def _activated(self, message: LineTable.Activated) -> None:
        self.open(message.key)

    def open(self, key: Hashable | None) -> None:
        """Drill into a row: to what is inside it, else to its details."""
        if key is None:
            return
        inside = self.view.scope_of(self.app.fleet, key)
        if inside is None or (inside[0], inside[1]) == (self.place.view, self.place.scope):
            self.app.show_page(key)
            return
        view, scope = inside
        self.go(Place(view=view, scope=scope))

    @on(LineTable.HeaderClicked)
    def _header_clicked(self, message: LineTable.HeaderClicked) -> None:
        self.sort_by(message.column)

    def sort_by(self, column: str) -> None:
        """Order by this column; again: backwards; a third time: worst first."""
        place = self.place
        if place.sort != column:
            self.look_differently(sort=column, reverse=column in _BIGGEST_FIRST)
        elif place.reverse == (column in _BIGGEST_FIRST):
            self.look_differently(reverse=not place.reverse)
        else:
            self.look_differently(sort="", reverse=False)

    @on(Tabs.Chosen)
    def _tab_chosen(self, message: Tabs.Chosen) -> None:
        self.go(Place(view=message.id))

    @on(FilterBar.Changed)
    def _filter_changed(self, message: FilterBar.Changed) -> None:
        self.look_differently(filter=message.text)

    @on(FilterBar.Closed)
    def _filter_closed(self, message: FilterBar.Closed) -> None:
        self.table.focus()

    def selected(self) -> tuple[Hashable, ...]:
        """The marked rows; without marks, the row under the cursor."""
        marked = self.table.marked
        if marked:
            assert self._rows is not None
            return tuple(key for key in self._rows.order if key in marked)
        key = self.table.cursor_key
        return () if key is None else (key,)


_BIGGEST_FIRST = frozenset(("cpu", "memory", "network", "restarts", "replicas", "hosts", "containers", "skew"))


def scope_words(services: Mapping[ServiceKey, object], scope: Scope) -> str:
    """What a place is narrowed to, in words."""
    if isinstance(scope, ServiceKey):
        service = services.get(scope)
        stack = getattr(service, "stack", "")
        return f"{stack}/{scope.name}" if stack else scope.name
    if isinstance(scope, ContainerKey):
        return scope.id[:12]
    return scope or ""
