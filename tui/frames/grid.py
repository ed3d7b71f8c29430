"""The screen as cells: what is wanted, what the terminal shows, and the least to write to make one of the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

from rich.color import ColorSystem
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.strip import Strip

from .cells import BLANK, Cell, cell, cells, disputed, spill
from .pens import PLAIN, Pen, over_blank, turn

Update = LayoutUpdate | ChopsUpdate
_drawn = itemgetter(1)
_BRIDGED = 3
"""So many unchanged cells are written again rather than stepped over: a step takes as many bytes."""


class Grid:
    """A screen of some size. Give it updates, take from it what to write; `forget` what the terminal may have lost."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._wanted: list[list[Cell]] = [[BLANK] * width for _ in range(height)]
        self._shown: list[list[Cell] | None] = [None] * height
        """What each row shows; None: nobody knows."""
        self._strips: list[dict[int, Strip]] = [{} for _ in range(height)]
        """The strips each row was last given, and where they begin: what is given again costs nothing."""
        self._changed: set[int] = set(range(height))

    @property
    def changed(self) -> bool:
        """Whether anything was asked for since the last frame."""
        return bool(self._changed)

    def forget(self) -> None:
        """Nobody knows what the terminal shows: the next frame is whole."""
        self._shown = [None] * self.height
        self._changed = set(range(self.height))

    # -- what is wanted

    def take(self, update: Update, colours: ColorSystem) -> None:
        """Take in what the compositor wants changed."""
        if isinstance(update, LayoutUpdate):
            for y, line in enumerate(update.strips, update.region.y):
                x = update.region.x
                for strip in line:
                    self.put(x, y, strip, colours)
                    x += strip.cell_length
            return
        for y, begin, end in update.spans:
            for stop, (x, chop) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                # Outside of its spans an update has strips of widgets that are not in front.
                if chop is not None and x < end and stop > begin:
                    self.put(x, y, chop, colours)

    def put(self, x: int, y: int, strip: Strip, colours: ColorSystem) -> None:
        """A strip at a place; what does not fit on the screen is left out."""
        if not 0 <= y < self.height or self._strips[y].get(x) is strip:
            return
        made = cells(strip, colours)
        if x + len(made) > self.width:
            _part(made, self.width - x)
            made = made[: max(0, self.width - x)]
        if not made:
            return
        row, end, given = self._wanted[y], x + len(made), self._strips[y]
        for other in [at for at, old in given.items() if x < at < end or at < x < at + old.cell_length]:
            del given[other]
        given[x] = strip
        if row[x:end] == made:
            return
        _part(row, x)
        _part(row, end)
        row[x:end] = made
        self._changed.add(y)

    # -- what to write

    def frame(self) -> str:
        """What makes the terminal show what is wanted; it starts and ends with a plain pen. Empty: it does so."""
        wrote = _Writing(self.width)
        for y in sorted(self._changed):
            wanted, shown = self._wanted[y], self._shown[y]
            if shown is None:
                wrote.run(y, 0, self.width, wanted)
                self._shown[y] = list(wanted)
            elif wanted != shown:
                for start, end in _runs(shown, wanted):
                    wrote.run(y, start, end, wanted)
                self._shown[y] = list(wanted)
        self._changed.clear()
        return wrote.text()

    def rows(self) -> list[list[Cell]]:
        """What is wanted, for who wants to look."""
        return [list(row) for row in self._wanted]


def _part(row: list[Cell], at: int) -> None:
    """Cut a row before a column. Of a wide character that stands on both sides spaces are left."""
    if not 0 <= at < len(row) or row[at][0]:
        return
    first = at
    while first > 0 and not row[first][0]:
        first -= 1
    row[first] = cell(" ", row[first][1])
    for x in range(first + 1, len(row)):
        if row[x][0]:
            break
        row[x] = cell(" ", row[x][1])


def _runs(shown: Sequence[Cell], wanted: Sequence[Cell]) -> Iterator[tuple[int, int]]:
    """The parts of a row to write: what differs, whole characters, and short stretches in between in the same pen."""
    start, end = -1, -1
    for x in [at for at, (old, new) in enumerate(zip(shown, wanted, strict=True)) if old is not new and old != new]:
        if start >= 0 and not _bridged(wanted, end, x):
            yield start, end
            start = -1
        if start < 0:
            start = end = x
            while start > 0 and not wanted[start][0]:
                start -= 1
        end = _reach(wanted, max(start, min(end, x)), max(end, x + 1))
    if start >= 0:
        yield start, end


def _bridged(wanted: Sequence[Cell], end: int, to: int) -> bool:
    """Whether a run that ends there goes on to a column that differs, with what is unchanged in between."""
    if to <= end:
        return True
    drawn = wanted[to][1]
    return to - end <= _BRIDGED and all(
        wanted[at][1] is drawn and not disputed(wanted[at][0]) for at in range(end - 1, to)
    )


def _reach(wanted: Sequence[Cell], start: int, end: int) -> int:
    """Where a run ends that ends there at least: after whole characters, and after what they may have spilled over."""
    for x in range(start, end):
        if not wanted[x][0].isascii():
            end = max(end, _reach(wanted, x + 1, min(len(wanted), x + 1 + spill(wanted[x][0]))))
    while end < len(wanted) and not wanted[end][0]:
        end += 1
    return end


class _Writing:
    """Text for a terminal, with the pen and the place of the cursor that it leaves behind."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._parts: list[str] = []
        self._pen = PLAIN
        self._at: tuple[int, int] | None = None
        """Row and column of the cursor; None: not sure, as where a terminal may take a width for another."""

    def run(self, y: int, start: int, end: int, row: Sequence[Cell]) -> None:
        """Write some columns of a row."""
        self._go(y, start)
        x = start
        for drawn, group in groupby(row[start:end], _drawn):
            texts = [text for text, _ in group]
            text = "".join(texts)
            if text.isascii() and self._at is not None and len(text) == len(texts):
                self._take(over_blank(self._pen, drawn) if text.isspace() else drawn)
                self._parts.append(text)
            else:
                self._one_by_one(y, x, end, texts, drawn, row)
            x += len(texts)
        if self._at is not None:
            self._at = (y, end) if end < self._width else None  # at the last column terminals differ

    def _one_by_one(self, y: int, start: int, end: int, texts: Sequence[str], drawn: Pen, row: Sequence[Cell]) -> None:
        """What is more, or less, than a letter to a column."""
        for x, text in enumerate(texts, start):
            if not text:
                continue
            if self._at is None:
                self._go(y, x)
            self._take(over_blank(self._pen, drawn) if text == " " else drawn)
            if disputed(text):
                if x + 1 < end and not row[x + 1][0]:
                    self._parts.append("\x1b[2X")  # should it be drawn in one column, nothing old stays beside it
                self._at = None
            self._parts.append(text)

    def _take(self, drawn: Pen) -> None:
        if drawn is not self._pen:
            self._parts.append(turn(self._pen, drawn))
            self._pen = drawn

    def _go(self, y: int, x: int) -> None:
        if self._at != (y, x):
            self._parts.append(_way(self._at, y, x))
            self._at = y, x

    def text(self) -> str:
        """All of it; the pen is plain at the end."""
        if self._pen is not PLAIN:
            self._parts.append(turn(self._pen, PLAIN))
            self._pen = PLAIN
        return "".join(self._parts)


@lru_cache(1 << 10)
def _way(at: tuple[int, int] | None, y: int, x: int) -> str:
    """The fewest bytes that bring the cursor there."""
    ways = [f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H" if y else "\x1b[H"]
    if at is not None and at[0] == y:
        step = abs(x - at[1])
        ways.append(f"\x1b[{step if step > 1 else ''}{'C' if x > at[1] else 'D'}")
    elif at is not None and at[1] == x:
        step = abs(y - at[0])
        ways.append(f"\x1b[{step if step > 1 else ''}{'B' if y > at[0] else 'A'}")
    return min(ways, key=len)
