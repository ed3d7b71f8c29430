"""Rendering only the rows that changed shows what rendering all of them would."""

from __future__ import annotations

from random import Random

import pytest
from fleettop.tui.frames import Grid
from fleettop.tui.frames.sparing import BRIDGED, SparingCompositor, SparingScreen, _runs
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

COLOURS = ColorSystem.TRUECOLOR
SIZE = (60, 40)


class Board(Widget):
    """Lines that are drawn anew when they are told to be, in a colour that says so."""

    def __init__(self, name: str, letters: str) -> None:
        super().__init__(id=name)
        self.letters, self.version = letters, 0
        self.lines_asked = 0

    def render_line(self, y: int) -> Strip:
        self.lines_asked += 1
        text = f"{self.letters}{self.version:03}:{y:02} 界 ".ljust(self.size.width - 1)
        return Strip([Segment(text, Style(color=f"color({self.version % 200 + 20})"))]).adjust_cell_length(
            self.size.width
        )


class BoardScreen(SparingScreen[None]):
    """A header, two boards side by side, a long one that scrolls, and one that floats over them."""

    CSS = """
    #head { dock: top; height: 1; }
    #left { dock: left; width: 20; height: 12; }
    #right { width: 1fr; height: 12; border: solid red; }
    #long { height: 90; }
    #over { layer: above; offset: 15 8; width: 12; height: 7; }
    BoardScreen { layers: base above; }
    """

    def compose(self) -> ComposeResult:
        yield Board("head", "h")
        yield Board("left", "l")
        yield Board("right", "r")
        with VerticalScroll():
            yield Board("long", "g")
        yield Board("over", "o")


class BoardApp(App[None]):
    """The boards."""

    def get_default_screen(self) -> BoardScreen:
        return BoardScreen()


def boards(app: App[None]) -> list[Board]:
    return list(app.screen.query(Board))


@pytest.mark.parametrize("seed", range(12))
async def test_a_partial_update_leads_to_what_a_whole_one_shows(seed: int) -> None:
    """Whatever lines of whatever widgets changed, before and behind one another, scrolled or not."""
    chance = Random(seed)
    app = BoardApp()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        compositor = app.screen._compositor
        assert isinstance(compositor, SparingCompositor)
        shown = Grid(*SIZE)
        shown.take(compositor.render_full_update(), COLOURS)
        for _ in range(25):
            for board in chance.sample(boards(app), chance.randint(1, 3)):
                board.version += 1
                height = board.size.height
                if chance.random() < 0.3:
                    board.refresh()
                else:
                    rows = [
                        Region(0, chance.randrange(height), board.size.width, 1) for _ in range(chance.randint(1, 4))
                    ]
                    board.refresh(*rows)
                    board._styles_cache.clear()
            if chance.random() < 0.2:
                app.screen.query_one(VerticalScroll).scroll_to(y=chance.randrange(60), animate=False)
                await pilot.pause()
                shown.take(compositor.render_full_update(), COLOURS)
                continue
            compositor.update_widgets(set(boards(app)))
            dirty = {y for y, _, _ in compositor._regions_to_spans(compositor._dirty_regions)}
            update = compositor.render_partial_update()
            if not dirty:
                assert update is None
                continue
            assert update is not None
            shown.take(update, COLOURS)
            whole = Grid(*SIZE)
            whole.take(compositor.render_full_update(), COLOURS)
            for y in dirty & set(range(SIZE[1])):
                assert rows_of(shown, y, update.spans) == rows_of(whole, y, update.spans)


def rows_of(grid: Grid, y: int, spans: list[tuple[int, int, int]]) -> list[object]:
    """The cells of a row that were said to have changed."""
    row = grid.rows()[y]
    return [row[x] for at, begin, end in spans if at == y for x in range(max(0, begin), min(end, len(row)))]


async def test_a_widget_between_two_changes_is_not_asked_for_its_lines() -> None:
    """The clock in the header and a line at the bottom cost nothing of what stands in between."""
    app = BoardApp()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        compositor = app.screen._compositor
        head, left, long = (app.screen.query_one(f"#{name}", Board) for name in ("head", "left", "long"))
        left._styles_cache.clear()
        left.lines_asked = 0
        head.refresh(Region(0, 0, 10, 1))
        long.refresh(Region(0, 20, 10, 1))
        compositor.update_widgets({head, long})
        assert compositor.render_partial_update() is not None
        assert left.lines_asked == 0


async def test_nothing_changed_is_no_update() -> None:
    """Also where what changed lies beyond the screen."""
    app = BoardApp()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        compositor = app.screen._compositor
        compositor._dirty_regions.clear()
        assert compositor.render_partial_update() is None
        compositor._dirty_regions.add(Region(0, 500, 3, 3))
        assert compositor.render_partial_update() is None


def test_a_wide_gap_parts_rows_and_a_narrow_one_does_not() -> None:
    """Asking a widget costs as much as some rows rendered in vain."""
    assert list(_runs([1, 2, 2 + BRIDGED, 3 + 2 * BRIDGED + 1])) == [
        (1, 3 + BRIDGED),
        (4 + 2 * BRIDGED, 5 + 2 * BRIDGED),
    ]
    assert list(_runs([])) == []
