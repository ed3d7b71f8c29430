"""The rows of a table as keys in an order, the cursor that holds on to one of them, and the marks."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence


class RowSet:
    """Keys in order, a cursor, and marks. The cursor is a key: rows may move, what is under it stays the same thing.

    Until a person has moved it (`touched`), the cursor is on the first key.
    """

    def __init__(self) -> None:
        """Nothing yet."""
        self.order: list[Hashable] = []
        self.index: dict[Hashable, int] = {}
        self.cursor: Hashable | None = None
        self.touched = False
        self.marked: set[Hashable] = set()
        self._mark_anchor: Hashable | None = None

    def forget(self) -> None:
        """A cursor that was never moved, and no marks."""
        self.cursor, self.touched, self._mark_anchor = None, False, None
        self.marked = set()

    def place(self) -> int:
        """Where the cursor is."""
        return self.index.get(self.cursor, 0) if self.cursor is not None else 0

    def arrange(self, order: Sequence[Hashable], top: int, lines: int) -> int:
        """Another order of other keys; which one is then to be the first in view, if `top` was, of `lines` in view.

        The row under the cursor keeps its line, or the first in view where the cursor is out of view. At the very top
        it stays the top while the cursor can be seen there: what comes in above is the worst. A key that is gone loses
        its mark; a cursor whose key is gone is on the one that has its place now.
        """
        anchor = self._anchor(top, lines)
        offset = self.index[anchor] - top if anchor is not None else 0
        fallback = self.place()
        self.order = list(order)
        self.index = {key: place for place, key in enumerate(self.order)}
        self.marked &= self.index.keys()
        if not self.order:
            self.cursor = None
        elif not self.touched:
            self.cursor = self.order[0]
        elif self.cursor not in self.index:
            self.cursor = self.order[min(fallback, len(self.order) - 1)]
        if not self.touched:
            return 0
        if anchor is None or anchor not in self.index:
            return top
        place = self.index[anchor]
        return place - offset if top > 0 or place >= lines else top

    def rename(self, names: Mapping[Hashable, Hashable]) -> None:
        """These keys are others from now on, of the same things: cursor and marks stay on them."""
        self.order = [names.get(key, key) for key in self.order]
        self.index = {key: place for place, key in enumerate(self.order)}
        self.marked = {names.get(key, key) for key in self.marked}
        self.cursor = names.get(self.cursor, self.cursor)
        self._mark_anchor = names.get(self._mark_anchor, self._mark_anchor)

    def _anchor(self, top: int, lines: int) -> Hashable | None:
        place = self.index.get(self.cursor, -1) if self.cursor is not None else -1
        if top <= place < top + lines:
            return self.cursor
        return self.order[top] if top < len(self.order) else None

    def put_cursor(self, place: int) -> int:
        """The cursor on the key at `place`, or the nearest there is; where it is then."""
        self.touched = True
        place = max(0, min(place, len(self.order) - 1))
        self.cursor = self.order[place] if self.order else None
        return place

    def mark_only(self, keys: Iterable[Hashable]) -> None:
        """Mark exactly these, as far as they are there."""
        self.marked = {key for key in keys if key in self.index}

    def turn_mark(self) -> None:
        """Mark the key under the cursor, or take its mark off."""
        if self.cursor is not None:
            self._mark_anchor = self.cursor
            self.marked = self.marked ^ {self.cursor}

    def mark_range(self) -> None:
        """Mark all keys from the one last marked to the one under the cursor."""
        if self.cursor is None:
            return
        here = self.place()
        there = self.index.get(self._mark_anchor, here) if self._mark_anchor is not None else here
        low, high = sorted((here, there))
        self._mark_anchor = self.cursor
        self.marked = self.marked | set(self.order[low : high + 1])
