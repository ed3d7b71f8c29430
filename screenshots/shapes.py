"""Characters that are shapes rather than letters, as parts of their cell: drawn exactly, they join without a seam."""

from __future__ import annotations

from collections.abc import Sequence

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, each from 0 to 1 within the cell."""

_QUADRANTS = ((0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5))  # upper left, upper right, lower left, lower right
_QUADRANT_SETS = {
    "▖": (2,),
    "▗": (3,),
    "▘": (0,),
    "▙": (0, 2, 3),
    "▚": (0, 3),
    "▛": (0, 1, 2),
    "▜": (0, 1, 3),
    "▝": (1,),
    "▞": (1, 2),
    "▟": (1, 2, 3),
}
_SHADES = {"░": 0.25, "▒": 0.5, "▓": 0.75}
_DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))  # column and row of the bits of a braille cell
_DOT = (0.28, 0.14)
"""Width and height of a braille dot within its cell."""


def boxes(character: str) -> Sequence[Box] | None:
    """The boxes that make up a block element or a braille character (Unicode 2580-259F, 2800-28FF); None: a letter."""
    code = ord(character[0])
    if 0x2581 <= code <= 0x2588:
        return ((0.0, 1 - (code - 0x2580) / 8, 1.0, 1.0),)
    if 0x2589 <= code <= 0x258F:
        return ((0.0, 0.0, (0x2590 - code) / 8, 1.0),)
    if character in _QUADRANT_SETS:
        corners = (_QUADRANTS[number] for number in _QUADRANT_SETS[character])
        return tuple((x, y, x + 0.5, y + 0.5) for x, y in corners)
    simple = {"▀": (0.0, 0.0, 1.0, 0.5), "▐": (0.5, 0.0, 1.0, 1.0), "▔": (0.0, 0.0, 1.0, 0.125)}
    if character in simple:
        return (simple[character],)
    if character == "▕":
        return ((0.875, 0.0, 1.0, 1.0),)
    if 0x2800 <= code <= 0x28FF:
        return tuple(_dot(*place) for bit, place in enumerate(_DOTS) if (code - 0x2800) >> bit & 1)
    return None


def shade(character: str) -> float | None:
    """How much of the cell a shade covers evenly; None where it is none."""
    return _SHADES.get(character)


def _dot(column: int, row: int) -> Box:
    x, y = 0.25 + 0.5 * column, 0.125 + 0.25 * row
    return (x - _DOT[0] / 2, y - _DOT[1] / 2, x + _DOT[0] / 2, y + _DOT[1] / 2)
