"""The page of one record: it stands at once, and what the store knows of it comes a moment later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from ..glyphs import UNICODE, Glyphs
from ..rows import Line
from ..trail.around import Around, Facts
from ..trail.window import Item
from ..views.base import Moment
from ..views.record_page import json_lines, page_lines
from .page import PageScreen


class RecordPage(PageScreen):
    """All of a record; `y` its lines as they are kept."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "json", "raw JSON")]

    def __init__(
        self,
        around: Around,
        item: Item,
        moment: Callable[[], Moment],
        glyphs: Glyphs = UNICODE,
        *,
        raw: bool = False,
    ) -> None:
        """`raw`: as JSON."""
        super().__init__(self._page, glyphs)
        self._around, self._item, self._moment, self._raw = around, item, moment, raw
        self._facts: Facts | None = None

    def as_json(self) -> RecordPage:
        """The same record as it is kept."""
        return RecordPage(self._around, self._item, self._moment, self._glyphs, raw=True)

    def on_mount(self) -> None:
        """Have the store asked."""
        self.run_worker(self._gather(), exclusive=True)

    async def _gather(self) -> None:
        self._facts = await self._around.gather(self._item)
        self.fleet_changed()

    def _page(self) -> Sequence[Line]:
        record = self._around.now(self._item)
        return json_lines(record, self._facts) if self._raw else page_lines(record, self._facts, self._moment())

    def action_json(self) -> None:
        """Its lines as they are kept, and back."""
        self._raw = not self._raw
        self.fleet_changed()
