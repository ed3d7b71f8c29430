"""Only changed cells are written, and what the terminal then shows is what Textual would have made it show."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pyte
import pytest
from fleettop.tui.frames import Grid
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

WIDTH, HEIGHT = 14, 3
LETTERS = ("a", "b", " ", "─", "●", "é", "e\u0301", "日", "語", "😀", "\xa0")
STYLES = tuple(
    Style.parse(words)
    for words in (
        "none",
        "#ff0000",
        "#ff0000 on #0000ff",
        "on #0000ff",
        "bold",
        "bold on #0000ff",
        "italic underline",
        "reverse #00ff00",
        "strike",
        "color(3) on default",
        "link https://docs.docker.com",
    )
)
COLOURS = ColorSystem.TRUECOLOR
CONSOLE = Console(color_system="truecolor", force_terminal=True, _environ={})


class Emulated:
    """A terminal that shows what is written."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self._stream = pyte.Stream(self.screen)
        self.write("\x1b[?7l")

    def write(self, text: str) -> None:
        """Show that."""
        self._stream.feed(text)

    def looks(self) -> list[list[tuple[object, ...]]]:
        """What a person sees of each cell: of a space only its ground and its lines."""
        return [[_look(self.screen.buffer[y][x]) for x in range(WIDTH)] for y in range(HEIGHT)]


def _look(char: pyte.screens.Char) -> tuple[object, ...]:
    lines = (char.underscore, char.strikethrough, char.blink, char.reverse)
    if char.data in (" ", "\xa0"):
        return " ", char.bg, lines, any(lines) and (char.fg, char.bold)
    return char.data, char.fg, char.bg, char.bold, char.italics, lines


def strips(width: int) -> st.SearchStrategy[Strip]:
    """Strips of that width, of any letters and styles."""
    text = st.lists(st.sampled_from(LETTERS), max_size=6).map("".join)
    segment = st.tuples(text, st.sampled_from(STYLES)).map(lambda drawn: Segment(*drawn))
    return st.lists(segment, max_size=4).map(lambda made: Strip(made).adjust_cell_length(width, STYLES[0]))


@st.composite
def stories(draw: st.DrawFn) -> list[LayoutUpdate | ChopsUpdate | None]:
    """Updates as the compositor makes them; None: a frame is due."""
    told: list[LayoutUpdate | ChopsUpdate | None] = []
    cuts: list[list[int]] = []
    for whole in (True, *draw(st.lists(st.booleans(), max_size=6))):
        if whole:
            inner = st.lists(st.integers(1, WIDTH - 1), max_size=2, unique=True)
            cuts = [[0, *sorted(draw(inner)), WIDTH] for _ in range(HEIGHT)]
            lines = [[draw(strips(b - a)) for a, b in pairwise(row)] for row in cuts]
            told.append(LayoutUpdate(lines, Region(0, 0, WIDTH, HEIGHT)))
        else:
            told.append(_partial(draw, cuts))
        told += draw(st.sampled_from(([], [None])))
    return [*told, None]


def _partial(draw: st.DrawFn, cuts: Sequence[Sequence[int]]) -> ChopsUpdate:
    """Some chops of some rows; those outside of the spans are of widgets that are behind, and wrong."""
    spans, chops = [], []
    for y, row in enumerate(cuts):
        pairs = list(pairwise(row))
        chops.append({begin: draw(strips(end - begin)) for begin, end in pairs})
        if draw(st.booleans()) or (y == HEIGHT - 1 and not spans):
            first = draw(st.integers(0, len(pairs) - 1))
            last = draw(st.integers(first, len(pairs) - 1))
            spans.append((y, pairs[first][0], pairs[last][1]))
    return ChopsUpdate(chops, spans, [list(row[1:]) for row in cuts])


@given(stories())
@settings(max_examples=60, deadline=None)
def test_frames_show_what_textual_itself_would_show(story: list[LayoutUpdate | ChopsUpdate | None]) -> None:
    """Whatever is asked for, and however many updates go into one frame: cell by cell, with colours and attributes."""
    grid, ours, textuals = Grid(WIDTH, HEIGHT), Emulated(), Emulated()
    for update in story:
        if update is None:
            ours.write(grid.frame())
            assert ours.looks() == textuals.looks()
            assert grid.frame() == ""
        else:
            textuals.write(update.render_segments(CONSOLE))
            grid.take(update, COLOURS)


@given(stories(), st.integers(0, HEIGHT - 1))
@settings(max_examples=15, deadline=None)
def test_after_something_else_was_on_the_terminal_the_frame_is_whole(
    story: list[LayoutUpdate | ChopsUpdate | None], line: int
) -> None:
    """`forget` makes the next frame write each cell, whatever stands there."""
    grid, ours, textuals = Grid(WIDTH, HEIGHT), Emulated(), Emulated()
    for update in story:
        if update is not None:
            textuals.write(update.render_segments(CONSOLE))
            grid.take(update, COLOURS)
        ours.write(grid.frame())
    ours.write(f"\x1b[{line + 1};3H\x1b[41mBroadcast message\x1b[m")
    grid.forget()
    assert grid.changed
    ours.write(grid.frame())
    assert ours.looks() == textuals.looks()


def strip(*parts: tuple[str, str]) -> Strip:
    """A strip of texts and styles in words."""
    return Strip([Segment(text, Style.parse(style)) for text, style in parts])


def grid_of(*lines: Strip) -> Grid:
    """A grid whose terminal shows these lines."""
    grid = Grid(max(line.cell_length for line in lines), len(lines))
    for y, line in enumerate(lines):
        grid.put(0, y, line, COLOURS)
    grid.frame()
    return grid


@pytest.mark.parametrize(
    ("before", "after", "written"),
    [
        ("cpu 12%  mem 310M", "cpu 13%  mem 310M", "\x1b[1;6H3"),
        ("cpu 12%  mem 310M", "cpu 13%  mem 311M", "\x1b[1;6H3\x1b[9C1"),
        ("cpu 12%  mem 310M", "cpu 22%  mem 310M", "\x1b[1;5H2"),
        ("12% 14%", "13% 15%", "\x1b[1;2H3% 15"),
        ("same", "same", ""),
    ],
    ids=["one cell", "two far apart", "another", "two close together", "none"],
)
def test_a_changed_cell_costs_a_step_and_itself(before: str, after: str, written: str) -> None:
    """What is the same is stepped over, or written again where that takes no more bytes."""
    grid = grid_of(strip((before, "none")))
    grid.put(0, 0, strip((after, "none")), COLOURS)
    assert grid.frame() == written


def test_a_row_that_changes_its_ground_says_so_once() -> None:
    """The cursor's bar: colours of letters change within it, its ground does not."""
    grid = grid_of(strip(("a ", "none"), ("b ", "#ff0000"), ("c", "none")))
    grid.put(0, 0, strip(("a ", "on #000044"), ("b ", "#ff0000 on #000044"), ("c", "on #000044")), COLOURS)
    assert grid.frame() == "\x1b[H\x1b[48;2;0;0;68ma \x1b[38;2;255;0;0mb\x1b[39m c\x1b[m"


def test_the_same_strip_again_is_not_looked_at() -> None:
    """A table that hands out the strips it kept costs nothing; one that was covered meanwhile is drawn again."""
    below, above = strip(("below it", "none")), strip(("over", "bold"))
    grid = grid_of(below)
    grid.put(0, 0, below, COLOURS)
    assert not grid.changed
    grid.put(2, 0, above, COLOURS)
    grid.frame()
    grid.put(0, 0, below, COLOURS)
    assert grid.frame() == "\x1b[1;3Hlow "


def test_what_does_not_fit_on_the_screen_is_left_out() -> None:
    """An update made before the window shrank: the last column shows no half of a wide character."""
    grid = Grid(4, 1)
    grid.put(0, 0, strip(("abc日d", "none")), COLOURS)
    grid.put(9, 0, strip(("x", "none")), COLOURS)
    grid.put(0, 3, strip(("x", "none")), COLOURS)
    assert grid.frame() == "\x1b[Habc "


def test_a_strip_that_begins_within_a_wide_character_leaves_no_half_of_it() -> None:
    """Spaces are left on either side."""
    grid = grid_of(strip(("日本語", "none")))
    grid.put(1, 0, strip(("xy", "none")), COLOURS)
    assert [text for text, _ in grid.rows()[0]] == [" ", "x", "y", " ", "語", ""]


@pytest.mark.parametrize("cluster", ["👨\u200d👩\u200d👧", "👍🏽", "❤\ufe0f", "🇩🇪"])
def test_what_stands_right_of_an_emoji_is_in_its_column_on_terminals_of_any_mind(cluster: str) -> None:
    """pyte draws the parts of an emoji one by one and so takes more columns for it; what follows is placed anew."""
    grid, shown = Grid(WIDTH, 1), Emulated()
    line = strip(("x", "none"), (cluster, "none"), ("right of it", "none")).adjust_cell_length(WIDTH)
    grid.put(0, 0, line, COLOURS)
    shown.write(grid.frame())
    at = 1 + Strip([Segment(cluster)]).cell_length
    assert "".join(shown.screen.buffer[0][x].data for x in range(at, WIDTH)) == "right of it"[: WIDTH - at].ljust(
        WIDTH - at
    )


def test_control_characters_never_reach_the_terminal() -> None:
    """A strip with an escape in it would let a name drive the terminal."""
    grid = Grid(6, 1)
    grid.put(0, 0, strip(("a\x1b[2Jb\x9b", "none")), COLOURS)
    assert grid.frame().removeprefix("\x1b[H") == "a[2Jb "
