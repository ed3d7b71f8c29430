"""Strips, as Textual's compositor makes them, as cells: what stands in each column of the screen, and how."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from rich.cells import cell_len, split_graphemes
from rich.color import ColorSystem
from textual.strip import Strip

from .pens import PLAIN, Pen, blank, pen

Cell = tuple[str, Pen]
"""What is written into one column, and with which pen. A wide character stands in its first; the others are empty."""
BLANK: Cell = (" ", PLAIN)
_CJK = ((0x1100, 0x115F), (0x2E80, 0xA4CF), (0xAC00, 0xD7A3), (0xF900, 0xFAFF), (0xFE30, 0xFE6F), (0xFF00, 0xFFE6))
"""Where each terminal knows a character of two columns. About emoji they are not of one mind."""
_FLAGS = frozenset(map(chr, range(0x1F1E6, 0x1F200)))
"""Regional indicators: for Rich each has one column, for others two, or two of them together."""


def cells(strip: Strip, colours: ColorSystem) -> list[Cell]:
    """The cells of a strip, as many as it is wide."""
    made: list[Cell] = []
    for text, style, control in strip._segments:
        if control or not text:
            continue
        drawn = PLAIN
        if style is not None:
            # Kept by Textual on the style: what it would write itself.
            sgr = style._ansi if style._ansi is not None else Strip.render_ansi(style, colours)
            drawn = pen(sgr, f"id={style._link_id};{style._link}" if style._link else "")
        made += _written(text, drawn)
    return made


@lru_cache(2048)
def _written(text: str, drawn: Pen) -> tuple[Cell, ...]:
    if text.isascii() and text.isprintable():
        return tuple(cell(character, drawn) for character in text)
    return tuple(_clusters(text, drawn))


def _clusters(text: str, drawn: Pen) -> Iterable[Cell]:
    if any(unicodedata.category(character) == "Cc" for character in text):
        text = "".join(character for character in text if unicodedata.category(character) != "Cc")
    for start, end, width in split_graphemes(text)[0]:
        if width:
            yield cell(text[start:end], drawn)
        for _ in range(width - 1):
            yield cell("", drawn)


@lru_cache(1 << 14)
def cell(text: str, drawn: Pen) -> Cell:
    """A cell; the same object for the same, so that rows are compared quickly."""
    return text, blank(drawn) if text in (" ", "\xa0") else drawn


@lru_cache(4096)
def disputed(cluster: str) -> bool:
    """Whether terminals may take it for another width than Rich does: emoji, and what is made of several characters."""
    if cluster.isascii():
        return False
    if len(cluster) > 1 or cluster in _FLAGS:
        return True
    return cell_len(cluster) > 1 and not any(low <= ord(cluster) <= high for low, high in _CJK)


@lru_cache(4096)
def spill(cluster: str) -> int:
    """How many columns more it covers where a terminal draws its characters one by one."""
    if cluster in _FLAGS:
        return 1
    return max(0, sum(map(cell_len, cluster)) - cell_len(cluster))
