"""Rendering the rows that changed, and no others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, cast

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.screen import Screen, ScreenResultType
from textual.strip import Strip

Chops = dict[int, Strip | None]
BRIDGED = 16
"""Rows that are rendered in vain rather than ask a widget twice: to be asked costs as much as that many kept rows."""


class SparingCompositor(Compositor):
    """As Textual's; but that one, for the header's clock and a line of the details, renders every widget in between.

    Textual 8.2.8 asks each widget that touches the rectangle around all changes for all of its lines (`_get_renders`),
    which is two thirds of what a screen costs on which little moves.
    """

    def render_partial_update(self) -> ChopsUpdate | None:
        """What changed since the last update; None: nothing."""
        regions, screen = self._dirty_regions.copy(), self.size.region
        self._dirty_regions.clear()
        spans = [span for span in self._regions_to_spans(regions) if 0 <= span[0] < screen.height]
        if not spans:
            return None
        cuts = self.cuts
        chops: list[Chops] = [{} for _ in cuts]
        open_rows = {y for y, _, _ in spans}
        for y in open_rows:
            chops[y] = dict.fromkeys(cuts[y][:-1])
        for widget, (region, clip) in self.visible_widgets.items():  # what is in front comes first
            if not open_rows:
                break
            seen = region.intersection(clip)
            for top, bottom in _runs(sorted(open_rows.intersection(seen.line_range))):
                part = Region(seen.x, top, seen.width, bottom - top)
                strips = widget.render_lines(part.translate((-region.x, -region.y)))
                for y, strip in zip(part.line_range, strips, strict=False):
                    if y in open_rows:
                        _fill(chops[y], cuts[y], part, strip)
                        if None not in chops[y].values():
                            open_rows.discard(y)
        return ChopsUpdate(cast("Sequence[Mapping[int, Strip | None]]", chops), spans, [cut[1:] for cut in cuts])


def _fill(line: Chops, cuts: Sequence[int], part: Region, strip: Strip) -> None:
    """Put a widget's strip where nothing in front of it stands."""
    first, last = part.column_span
    own = [cut for cut in cuts if first <= cut <= last]
    for cut, piece in zip(own, strip.divide([cut - part.x for cut in own[1:]]), strict=False):
        if line.get(cut) is None:
            line[cut] = piece


def _runs(rows: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Stretches of rows to render at once: first, and first behind. A widget is asked again only over a wide gap."""
    if not rows:
        return
    first = before = rows[0]
    for row in rows:
        if row > before + BRIDGED:
            yield first, before + 1
            first = row
        before = row
    yield first, before + 1


class SparingScreen(Screen[ScreenResultType], Generic[ScreenResultType]):
    """A screen that is rendered like that."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._compositor = SparingCompositor()
