"""Lines that are styled once look as Textual would have styled them each time."""

from __future__ import annotations

import pytest
from fleettop.tui.frames.cells import Cell, cells
from fleettop.tui.frames.plainly import PlainStyles
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual._styles_cache import StylesCache
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class Board(Widget):
    """Lines with a word in a colour of the terminal and one of their own, not always as wide as they should be."""

    version = 0
    asked = 0

    def render_line(self, y: int) -> Strip:
        self.asked += 1
        parts = [
            Segment(f"{self.version}:{y} ", Style(color="red")),
            Segment("界 word", Style(dim=True, bgcolor="#203040")),
        ]
        return Strip(parts)


class BoardApp(App[None]):
    """One board, with what the test lays around it."""

    def __init__(self, css: str) -> None:
        super().__init__()
        self.css = css

    def compose(self) -> ComposeResult:
        yield Board()

    def on_mount(self) -> None:
        """Textual's classes read CSS when they are made: this one differs with each app."""
        self.stylesheet.add_source(
            f"Board {{ width: 30; height: 8; background: #101820; {self.css} }}", ("test", "css")
        )
        self.stylesheet.reparse()
        self.refresh_css()


def drawn(strips: list[Strip]) -> list[list[Cell]]:
    """What stands in each column."""
    return [cells(strip, ColorSystem.TRUECOLOR) for strip in strips]


LAID = {
    "nothing": "",
    "padding": "padding: 1 2 0 3;",
    "a border at the left": "border-left: solid red; padding: 0 1;",
    "a border on top": "border-top: solid red; padding: 0 1;",
    "borders all around": "border: round blue; padding: 1;",
    "an outline": "outline: solid green;",
    "a tint": "tint: red 30%;",
    "half seen through": "opacity: 50%;",
    "a hatch": 'hatch: "/" red;',
    "no room for anything": "width: 2; border: solid red; padding: 0 1;",
}


@pytest.mark.parametrize("css", LAID.values(), ids=LAID.keys())
@pytest.mark.parametrize("no_color", [False, True], ids=["colours", "NO_COLOR"])
async def test_a_widget_looks_as_textual_would_draw_it(
    css: str, no_color: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is laid around it or over it, with colours and without, all of it and parts, drawn anew or kept."""
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    app = BoardApp(css)
    async with app.run_test(size=(50, 20)) as pilot:
        await pilot.pause()
        board = app.query_one(Board)
        width, height = board.outer_size
        plain = PlainStyles()
        for version in range(3):
            board.version = version
            changed = (Region(0, 0, width, height), Region(0, 2, width, 1), Region(0, height - 1, width, 1))[version]
            plain.set_dirty(changed)
            for part in (changed, Region(0, changed.y, max(1, width - 5), 1), Region(1, changed.y, width - 1, 1)):
                assert drawn(plain.render_widget(board, part)) == drawn(StylesCache().render_widget(board, part))


async def test_a_line_that_did_not_change_is_not_drawn_again() -> None:
    """Neither when it is asked for with others that did, nor for another part of it."""
    app = BoardApp("border-left: solid red; padding: 0 1;")
    async with app.run_test(size=(50, 20)) as pilot:
        await pilot.pause()
        board, plain = app.query_one(Board), PlainStyles()
        plain.render_widget(board, Region(0, 0, 30, 8))
        asked = board.asked
        plain.set_dirty(Region(0, 3, 30, 1))
        plain.render_widget(board, Region(0, 0, 30, 8))
        plain.render_widget(board, Region(4, 0, 10, 8))
        assert board.asked == asked + 1


async def test_other_colours_and_another_size_are_taken_up() -> None:
    """A theme, a class, a resized terminal: nothing of how it looked before stays."""
    app = BoardApp("border-left: solid red; padding: 0 1;")
    async with app.run_test(size=(50, 20)) as pilot:
        await pilot.pause()
        board = app.query_one(Board)
        board._styles_cache = PlainStyles()
        board.render_lines(Region(0, 0, 30, 8))
        for change in ("background: #304050;", "border-left: double blue;", "width: 20; height: 5;", "opacity: 40%;"):
            app.stylesheet.add_source(f"Board {{ {change} }}", ("test", change))
            app.stylesheet.reparse()
            app.refresh_css()
            await pilot.pause()
            part = board.outer_size.region
            assert drawn(board.render_lines(part)) == drawn(StylesCache().render_widget(board, part)), change
