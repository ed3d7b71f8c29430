"""A grid of cells as a PNG: every cell exactly as wide as the next, each glyph from the first font that has it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from PIL import Image, ImageDraw, ImageFont

from .cells import Cell, Grid, Rgb, runs
from .shapes import boxes, shade

SIZE = 20
"""Points of the letters, in pixels."""
MARGIN = 12
COLOURS = 256
"""As many as a PNG with a palette has."""
MOST_STEPS = 15
"""Between letter and ground; more are not seen."""
FONTS = Path("/usr/share/fonts/truetype")
REGULAR = ("firacode/FiraCode-Regular.ttf", "dejavu/DejaVuSansMono.ttf", "dejavu/DejaVuSans.ttf")
BOLD = ("firacode/FiraCode-Bold.ttf", "dejavu/DejaVuSansMono-Bold.ttf", "dejavu/DejaVuSans-Bold.ttf")


class Face:
    """A font with the characters it has."""

    def __init__(self, path: Path) -> None:
        self.font = ImageFont.truetype(str(path), SIZE, layout_engine=ImageFont.Layout.BASIC)  # no ligatures
        with TTFont(path) as tables:
            self.characters = frozenset(tables.getBestCmap())
        self.ascent, self.descent = self.font.getmetrics()


@cache
def faces(*, bold: bool) -> tuple[Face, ...]:
    """The fonts in the order in which they are asked; raises SystemExit where one is not installed."""
    missing = [name for name in (*REGULAR, *BOLD) if not (FONTS / name).exists()]
    if missing:
        raise SystemExit(f"Fonts are missing: {', '.join(missing)}. Install fonts-firacode and fonts-dejavu.")
    return tuple(Face(FONTS / name) for name in ((*BOLD, *REGULAR) if bold else REGULAR))


def cell_size() -> tuple[int, int]:
    """Width and height of a cell in pixels."""
    face = faces(bold=False)[0]
    return round(face.font.getlength("M")), face.ascent + face.descent


def draw(grid: Grid) -> Image.Image:
    """The picture of a grid, with a small margin in the colour of its first cell."""
    width, height = cell_size()
    columns = max(len(line) for line in grid)
    size = (columns * width + 2 * MARGIN, len(grid) * height + 2 * MARGIN)
    image = Image.new("RGB", size, grid[0][0].look.paper)
    pen = ImageDraw.Draw(image)
    for row, line in enumerate(grid):
        top = MARGIN + row * height
        for column, cells in runs(line):
            left = MARGIN + column * width
            pen.rectangle((left, top, left + len(cells) * width - 1, top + height - 1), fill=cells[0].look.paper)
        for column, cell in enumerate(line):
            _draw_cell(pen, cell, MARGIN + column * width, top)
    return image


def save(grid: Grid, path: Path) -> None:
    """Write the picture of a grid as a small PNG: a byte for a pixel, each colour of the grid exactly as it is."""
    drawn, palette = draw(grid), _palette(grid)
    # Not Image.quantize: it takes colours that are near each other for the same.
    places = {color: _nearest(color, palette) for color in _colours_in(drawn)}
    raw = drawn.tobytes()
    indices = bytes(places[color] for color in zip(raw[0::3], raw[1::3], raw[2::3], strict=True))
    small = Image.frombytes("P", drawn.size, indices)
    small.putpalette([part for color in palette for part in color])
    small.save(path, optimize=True)


def _palette(grid: Grid) -> list[Rgb]:
    """Every colour of the grid, then as many steps between letter and ground as there is room for."""
    looks = {cell.look for line in grid for cell in line}
    pairs = sorted({(look.ink, look.paper) for look in looks if look.ink != look.paper})
    exact = sorted({look.ink for look in looks} | {look.paper for look in looks})
    steps = min(MOST_STEPS, (COLOURS - len(exact)) // max(1, len(pairs)))
    if steps < 1:
        raise ValueError(f"{len(exact)} colours in {len(pairs)} pairs leave no room for the edges of letters")
    mixed = [_mix(ink, paper, step / (steps + 1)) for ink, paper in pairs for step in range(1, steps + 1)]
    return [*exact, *mixed]


def _colours_in(image: Image.Image) -> set[Rgb]:
    raw = image.tobytes()
    return set(zip(raw[0::3], raw[1::3], raw[2::3], strict=True))


def _nearest(color: Rgb, palette: list[Rgb]) -> int:
    """The place of the colour in the palette, or of the one that is most like it."""
    return min(range(len(palette)), key=lambda at: sum((a - b) ** 2 for a, b in zip(color, palette[at], strict=True)))


def _draw_cell(pen: ImageDraw.ImageDraw, cell: Cell, left: int, top: int) -> None:
    width, height = cell_size()
    look = cell.look
    if cell.text.strip():
        covered = shade(cell.text)
        parts = boxes(cell.text)
        if covered is not None:
            pen.rectangle((left, top, left + width - 1, top + height - 1), fill=_mix(look.ink, look.paper, covered))
        elif parts is not None:
            for x, y, right, bottom in parts:
                box = (round(x * width), round(y * height), round(right * width) - 1, round(bottom * height) - 1)
                pen.rectangle((left + box[0], top + box[1], left + box[2], top + box[3]), fill=look.ink)
        else:
            _draw_letter(pen, cell, left, top)
    if look.underline:
        line = top + faces(bold=False)[0].ascent + 2
        pen.line((left, line, left + max(1, cell.width) * width - 1, line), fill=look.ink)


def _draw_letter(pen: ImageDraw.ImageDraw, cell: Cell, left: int, top: int) -> None:
    baseline = top + faces(bold=False)[0].ascent
    known = faces(bold=cell.look.bold)
    face = next((face for face in known if ord(cell.text[0]) in face.characters), known[0])
    # A glyph from another font may be wider than the cell: its middle is put into the cell's.
    place = cell.width * cell_size()[0]
    wide = face.font.getlength(cell.text)
    pen.text((left + (place - wide) / 2, baseline), cell.text, font=face.font, fill=cell.look.ink, anchor="ls")


def _mix(ink: Rgb, paper: Rgb, share: float) -> Rgb:
    mixed = [round(share * ours + (1 - share) * theirs) for ours, theirs in zip(ink, paper, strict=True)]
    return mixed[0], mixed[1], mixed[2]
