"""A grid of cells as an SVG: columns stay exact whatever monospaced font the reader has."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from xml.sax.saxutils import escape

from .cells import Cell, Grid, Rgb, runs
from .shapes import boxes, shade

WIDTH, HEIGHT, BASELINE = 8.4, 18.0, 13.5
"""A cell, and where in it letters stand."""
MARGIN = 8.0
FONTS = "'Fira Code','DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono',monospace"


def draw(grid: Grid, title: str) -> str:
    """The SVG of a grid; `title` is what a screen reader says of it."""
    columns = max(len(line) for line in grid)
    wide, high = columns * WIDTH + 2 * MARGIN, len(grid) * HEIGHT + 2 * MARGIN
    inks: dict[tuple[Rgb, bool, bool, bool], str] = {}
    body = [part for row, line in enumerate(grid) for part in _line(row, line, grid[0][0].look.paper, inks)]
    rules = [f"text{{font:14px {FONTS};white-space:pre;font-variant-ligatures:none}}"]
    rules += [_rule(name, *key) for key, name in inks.items()]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {high:g}" role="img" xml:space="preserve">'
    ground = f'<rect width="{wide:g}" height="{high:g}" rx="6" fill="{_hex(grid[0][0].look.paper)}"/>'
    return "\n".join(
        [head, f"<title>{escape(title)}</title>", f"<style>{''.join(rules)}</style>", ground, *body, "</svg>", ""]
    )


def _line(row: int, line: list[Cell], ground: Rgb, inks: dict[tuple[Rgb, bool, bool, bool], str]) -> Iterator[str]:
    top = MARGIN + row * HEIGHT
    for column, cells in runs(line):
        look = cells[0].look
        if look.paper != ground:
            yield _rect(MARGIN + column * WIDTH, top, len(cells) * WIDTH, HEIGHT, look.paper)
        key = (look.ink, look.bold, look.italic, look.underline)
        for at, words in _words(column, cells):
            name = inks.setdefault(key, f"i{len(inks)}")
            width = sum(cell.width for cell in words) * WIDTH
            text = escape("".join(cell.text for cell in words))
            yield (
                f'<text class="{name}" x="{MARGIN + at * WIDTH:g}" y="{top + BASELINE:g}" '
                f'textLength="{width:g}" lengthAdjust="spacingAndGlyphs">{text}</text>'
            )
        for at, cell in enumerate(cells, column):
            yield from _shapes(cell, MARGIN + at * WIDTH, top)


def _words(column: int, cells: list[Cell]) -> Iterator[tuple[int, list[Cell]]]:
    """Stretches of letters: ASCII together, any other character by itself, so that none moves its neighbours."""
    at = column
    for kind, same in groupby(enumerate(cells), key=lambda pair: _kind(*pair)):
        found = [cell for _, cell in same]
        if kind is not None and any(cell.text.strip() for cell in found):
            lead = next(number for number, cell in enumerate(found) if cell.text.strip())
            last = max(number for number, cell in enumerate(found) if cell.text.strip())
            yield at + lead, found[lead : last + 1]
        at += len(found)


def _kind(number: int, cell: Cell) -> int | None:
    """What may be in one text: -1 for ASCII, its own number for anything else, None for what is no letter."""
    if cell.width == 0 or (cell.text.strip() and (boxes(cell.text) is not None or shade(cell.text) is not None)):
        return None
    return -1 if cell.text.isascii() else number


def _shapes(cell: Cell, left: float, top: float) -> Iterator[str]:
    if not cell.text.strip():
        return
    covered = shade(cell.text)
    if covered is not None:
        yield _rect(left, top, WIDTH, HEIGHT, cell.look.ink, opacity=covered)
    for x, y, right, bottom in boxes(cell.text) or ():
        yield _rect(left + x * WIDTH, top + y * HEIGHT, (right - x) * WIDTH, (bottom - y) * HEIGHT, cell.look.ink)


def _rect(left: float, top: float, width: float, height: float, fill: Rgb, *, opacity: float = 1.0) -> str:
    see_through = f' opacity="{opacity:g}"' if opacity < 1 else ""
    return (
        f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" fill="{_hex(fill)}"{see_through} '
        'shape-rendering="crispEdges"/>'
    )


def _rule(name: str, ink: Rgb, bold: bool, italic: bool, underline: bool) -> str:
    more = ";font-weight:700" * bold + ";font-style:italic" * italic + ";text-decoration:underline" * underline
    return f".{name}{{fill:{_hex(ink)}{more}}}"


def _hex(color: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)
