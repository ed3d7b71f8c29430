"""What a table shows, as plain frozen data: columns, cells, rows and lines. No markup: text is text."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Literal

import msgspec


class Column(msgspec.Struct, frozen=True):
    """One column of a table."""

    id: str
    title: str
    width: int
    """The least cells it is drawn with."""
    grow: int = 0
    """Its share of the width that is left over; 0: always `width`."""
    align: Literal["left", "right"] = "left"
    worth: int = 0
    """Where the width does not suffice, the column of least worth goes first; of equals the rightmost."""
    sortable: bool = True
    limit: int = 0
    """The most cells it grows to; 0: as many as there are."""
    cut: Literal["end", "middle"] = "end"
    """Where text that is too long gives way to an ellipsis."""


class Cell(msgspec.Struct, frozen=True):
    """A piece of text in the style of a role of the theme."""

    text: str
    style: str = ""
    """The name of a role (`theme.ROLES`): `down`, `dim`; empty: plain text. An unknown name is plain too."""
    more: tuple[Cell, ...] = ()
    """Pieces drawn right behind it, in the same cell of a table: a bar of several colours."""


Line = tuple[Cell, ...]
"""Cells drawn one behind the other, with nothing between."""


class Row(msgspec.Struct, frozen=True):
    """One row of a table."""

    key: Hashable
    """What it is, for as long as the table stands; the cursor and the marks hold on to it."""
    cells: tuple[Cell, ...]
    """One for each column."""
    style: str = ""
    """A role for the whole row: `stale`, `trouble`."""
    span: Cell | None = None
    """Drawn over the whole width instead of the cells: a gap in the trail, the head of a group."""
    sort: tuple[object, ...] = ()
    """What the view sorts it by; the table does not look at it."""

    def looks_like(self, other: Row) -> bool:
        """Whether both are drawn alike."""
        return self.cells == other.cells and self.style == other.style and self.span == other.span
