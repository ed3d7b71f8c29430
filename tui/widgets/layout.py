"""Which columns a width has room for, and where each stands."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..rows import Column

GUTTER = 1
"""Cells in front of the first column, where a mark stands."""


class Slot(msgspec.Struct, frozen=True):
    """Where a column is drawn."""

    index: int
    """Of the column, and of its cell in a row."""
    x: int
    width: int


def fit(columns: Sequence[Column], width: int) -> tuple[Slot, ...]:
    """The slots of the columns that `width` has room for, in order.

    While they do not fit, first the gaps shrink from two cells to one, then the column of least worth goes (of equals
    the rightmost); the last one left is cut. What is left over goes to the columns that grow. A column one cell wide
    (a sign) is followed by one cell always.
    """
    shown = list(range(len(columns)))
    gap = 2
    while True:
        if not shown:
            return ()
        gap = 2 if _needed(columns, shown, 2) <= width else 1
        if len(shown) == 1 or _needed(columns, shown, gap) <= width:
            break
        shown.remove(min(shown, key=lambda index: (columns[index].worth, -index)))
    widths = _grown(columns, shown, width - _needed(columns, shown, gap))
    slots, x = [], GUTTER
    for index in shown:
        size = max(1, min(widths[index], width - x))
        slots.append(Slot(index, x, size))
        x += size + _gap_after(columns[index], gap)
    return tuple(slots)


def column_at(slots: Sequence[Slot], x: int) -> int | None:
    """The index of the column at cell `x`, the gap behind it included."""
    found = None
    for slot in slots:
        if slot.x <= x:
            found = slot.index
    return found


def _gap_after(column: Column, gap: int) -> int:
    return 1 if column.width <= 1 and not column.grow else gap


def _needed(columns: Sequence[Column], shown: Sequence[int], gap: int) -> int:
    gaps = sum(_gap_after(columns[index], gap) for index in shown[:-1])
    return GUTTER + sum(columns[index].width for index in shown) + gaps


def _grown(columns: Sequence[Column], shown: Sequence[int], spare: int) -> dict[int, int]:
    widths = {index: columns[index].width for index in shown}
    growing = [index for index in shown if columns[index].grow]
    while spare > 0 and growing:
        shares = sum(columns[index].grow for index in growing)
        given = 0
        for index in list(growing):
            column = columns[index]
            share = max(1, spare * column.grow // shares)
            share = min(share, spare - given)
            if column.limit:
                share = min(share, column.limit - widths[index])
            widths[index] += max(0, share)
            given += max(0, share)
            if column.limit and widths[index] >= column.limit:
                growing.remove(index)
        if not given:
            break
        spare -= given
    return widths
