"""Reading on in the trail, for the dashboard: what the cursor will need next is read before it gets there."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from functools import partial
from typing import TYPE_CHECKING

from textual.worker import Worker

from ..trail.live import LiveTrail
from ..trail.rows import TrailRows
from ..trail.window import Item
from ..views.base import Moment
from ..views.cells import clock_time

if TYPE_CHECKING:
    from .dashboard import DashboardScreen
    from .record import RecordPage


class Reading:
    """Owns the records at hand in their order, and the one worker that reads on."""

    def __init__(self, screen: DashboardScreen) -> None:
        """Nothing is read yet."""
        self._screen = screen
        self.live = LiveTrail(screen.app.fleet)
        self._worker: Worker[None] | None = None

    def rows(self) -> TrailRows:
        """The rows of a place in the trail."""
        app = self._screen.app
        return TrailRows(app.fleet, self.live, app.session.keeping)

    def stop(self) -> None:
        """The place is another one: what is being read is of no use."""
        if self._worker is not None:
            self._worker.cancel()
            self._worker = None

    def go_on(self) -> None:
        """Read what is needed next, if anything is and nothing is being read."""
        screen = self._screen
        rows = screen.trail_rows
        if rows is None or (self._worker is not None and not self._worker.is_finished):
            return
        if rows.wanted(*self._span()):
            self._worker = screen.run_worker(partial(self._read, rows), group="reading", exclusive=True)

    async def _read(self, rows: TrailRows) -> None:
        screen = self._screen
        while rows is screen.trail_rows and (way := rows.wanted(*self._span())):
            await rows.read(way)
            if rows is not screen.trail_rows:
                return
            screen.table.update_rows({}, rows.order)
            focus, rows.focus = rows.focus, None
            if focus is not None:
                screen.table.move_to(focus, middle=rows.jumped)
            screen.more_was_read()
            await asyncio.sleep(0)

    def _span(self) -> tuple[int, int]:
        """Numbers of the first row on screen, and of the one behind the last."""
        table = self._screen.table
        return table.first_visible, table.first_visible + len(table.visible_keys())

    def page(self, key: Hashable) -> RecordPage | None:
        """All of a record on a page; None: there is none such any more."""
        app, rows = self._screen.app, self._screen.trail_rows
        record = rows.record(key) if rows is not None else None
        standing = rows.standing(key) if rows is not None else None
        if record is None or standing is None:
            return None
        from ..trail.around import Around
        from .record import RecordPage

        around = Around(app.fleet, self.live, app.session.keeping)
        return RecordPage(around, Item(standing, record.key, record), app.moment, app.glyphs)


def found_words(rows: TrailRows, moment: Moment) -> str:
    """How much was found so far, and how far back that is."""
    back = rows.searched_to
    so_far = f" back to {clock_time(back, moment)}" if back is not None else "" if rows.at_oldest else " so far"
    return f"{rows.count} found{so_far}"
