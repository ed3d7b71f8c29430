"""What draws the pictures of the README: columns are exact, colours true, and every sign of ours has a glyph."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from fleettop.tui.glyphs import UNICODE
from PIL import Image
from rich.segment import Segment
from rich.style import Style

from screenshots import raster, vector
from screenshots.cells import Grid, Look, cells_of

PLAIN = Look(ink=(200, 210, 220), paper=(10, 20, 30))
RED = Style.parse("#ff0000 on #000040")
SVG = "{http://www.w3.org/2000/svg}"

needs_fonts = pytest.mark.skipif(
    any(not (raster.FONTS / name).exists() for name in (*raster.REGULAR, *raster.BOLD)),
    reason="fonts-firacode and fonts-dejavu are not installed",
)


def grid(*lines: str, style: Style | None = None) -> Grid:
    return [cells_of([Segment(line, style)], PLAIN) for line in lines]


def pixels(image: Image.Image, column: int) -> set[tuple[int, ...]]:
    """The colours in one cell of the first line."""
    width, height = raster.cell_size()
    left = raster.MARGIN + column * width
    found = image.crop((left, raster.MARGIN, left + width, raster.MARGIN + height)).getcolors()
    return {colour for _, colour in found}


def test_a_wide_character_takes_two_cells_and_a_mark_none() -> None:
    """As a terminal counts: what follows stands in the column it stands in there."""
    assert [cell.text for cell in grid("a日e\u0301b")[0]] == ["a", "日", "", "e\u0301", "b"]


def test_reverse_and_dim_are_colours_like_any_other() -> None:
    """Reverse swaps letter and ground; dim takes the letter part of the way to its ground."""
    styles = (Style(reverse=True), Style(dim=True))
    looks = [cells_of([Segment("x", style)], PLAIN)[0].look for style in styles]
    assert looks[0] == Look(ink=PLAIN.paper, paper=PLAIN.ink)
    assert all(low < value < high for low, value, high in zip(PLAIN.paper, looks[1].ink, PLAIN.ink, strict=True))


@needs_fonts
def test_a_block_fills_its_cell_and_nothing_else() -> None:
    """Also behind a wide character, and to the pixel: bars have no seams."""
    image = raster.draw(grid("日█▌ ", style=RED))
    red, blue = (255, 0, 0), (0, 0, 64)
    assert [pixels(image, column) for column in (2, 4)] == [{red}, {blue}]
    assert pixels(image, 3) == {red, blue}


@needs_fonts
def test_colours_of_the_picture_are_those_of_the_screen(tmp_path: Path) -> None:
    """A palette makes it small; a colour of few cells is as true in it as one of many."""
    lines = [*grid(*["much text in one colour " * 6] * 40), *grid("▁▂▃█", style=RED)]
    raster.save(lines, tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as image:
        found = {colour for _, colour in image.convert("RGB").getcolors(256)}
    assert {(255, 0, 0), (0, 0, 64), PLAIN.ink, PLAIN.paper} <= found
    assert (tmp_path / "x.png").stat().st_size < 100_000


@needs_fonts
def test_every_sign_of_ours_has_a_glyph() -> None:
    """None of them would be a box in the pictures."""
    signs = set(str(msgspec.to_builtins(UNICODE))) | set("▒│─╭╮╰╯┌┐…·↑↓→×–")
    fonts = raster.faces(bold=False)
    missing = [sign for sign in signs if not any(ord(sign) in font.characters for font in fonts)]
    assert missing == []


def test_letters_of_the_svg_stand_in_their_columns() -> None:
    """Each stretch of text begins where its first cell does and is as wide as its cells; foreign text stays text."""
    root = ElementTree.fromstring(vector.draw(grid("ab日 c&<b>"), "a & b"))
    texts = [(node.text, float(node.get("x", 0)), float(node.get("textLength", 0))) for node in root.iter(f"{SVG}text")]
    place = [(text, round((x - vector.MARGIN) / vector.WIDTH, 3), round(w / vector.WIDTH, 3)) for text, x, w in texts]
    assert place == [("ab", 0, 2), ("日", 2, 2), ("c&<b>", 5, 5)]
    assert root.findtext(f"{SVG}title") == "a & b"
