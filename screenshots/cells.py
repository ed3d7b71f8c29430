"""What a terminal shows, as a grid of cells: read from a running app, before anything is drawn of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rich.cells import get_character_cell_size
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import DIMMED_MONOKAI
from textual.app import App

Rgb = tuple[int, int, int]

DIM_SHARE = 0.6
"""How much of the letter's colour is left where a style is dim; the rest is what is behind it."""


@dataclass(frozen=True)
class Look:
    """How a cell is drawn."""

    ink: Rgb
    paper: Rgb
    bold: bool = False
    italic: bool = False
    underline: bool = False


@dataclass(frozen=True)
class Cell:
    """One place of the grid. A wide character has the cell after it empty; marks that take no place are with theirs."""

    text: str
    look: Look
    width: int = 1


Grid = list[list[Cell]]


def grid_of(app: App[Any]) -> Grid:
    """What stands on the app's screen now, dialogs over what is behind them."""
    paper = app.theme_variables["background"]
    ground = _rgb(Color.parse(paper), (0, 0, 0))
    letters = (220, 220, 220) if app.current_theme.dark else (30, 30, 30)
    return [cells_of(strip, Look(letters, ground)) for strip in app.screen._compositor.render_strips()]


def cells_of(segments: Iterable[Segment], plain: Look) -> list[Cell]:
    """The cells of one line; `plain` is the look where no style says otherwise."""
    cells: list[Cell] = []
    for text, style, control in segments:
        if control:
            continue
        look = _look(style, plain) if style is not None else plain
        for character in text:
            width = get_character_cell_size(character)
            if width == 0:
                _combine(cells, character)
                continue
            cells.append(Cell(character, look, width))
            cells += [Cell("", look, 0)] * (width - 1)
    return cells


def runs(line: Iterable[Cell]) -> Iterator[tuple[int, list[Cell]]]:
    """The stretches of a line that look the same, each with its first column."""
    at = 0
    for _, same in groupby(line, key=lambda cell: cell.look):
        cells = list(same)
        yield at, cells
        at += len(cells)


def _combine(cells: list[Cell], mark: str) -> None:
    """Add a mark that takes no place to the character before it."""
    for at in range(len(cells) - 1, -1, -1):
        if cells[at].width:
            cells[at] = Cell(cells[at].text + mark, cells[at].look, cells[at].width)
            return


def _look(style: Style, plain: Look) -> Look:
    ink, paper = _rgb(style.color, plain.ink), _rgb(style.bgcolor, plain.paper)
    if style.reverse:
        ink, paper = paper, ink
    if style.dim:
        ink = _blend(ink, paper)
    return Look(ink, paper, bool(style.bold), bool(style.italic), bool(style.underline))


def _rgb(color: Color | None, default: Rgb) -> Rgb:
    if color is None or color.is_default:
        return default
    red, green, blue = color.get_truecolor(DIMMED_MONOKAI)
    return red, green, blue


def _blend(ink: Rgb, paper: Rgb) -> Rgb:
    mixed = [round(DIM_SHARE * ours + (1 - DIM_SHARE) * theirs) for ours, theirs in zip(ink, paper, strict=True)]
    return mixed[0], mixed[1], mixed[2]
