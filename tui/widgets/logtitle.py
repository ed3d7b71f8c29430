"""The line over the lines of a log: of what, how much, and what is not there."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..rows import Cell, Line
from . import paint
from .lines import Painted


class LogFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What it says."""

    title: str = ""
    span: str = ""
    replicas: int = 0
    followed: int = 0
    reading: bool = True
    lines: int = 0
    gone: int = 0
    """Older lines that were read and are not kept any more."""
    autoscroll: bool = True
    place: int | None = None
    """Which of the lines the cursor is on."""
    find: str = ""
    found: int = 0
    only_found: bool = False
    context: int = 0


class LogTitle(Painted):
    """One line, which drops words as it gets narrow: what is lost goes last."""

    DEFAULT_CSS = "LogTitle { height: 1; width: 1fr; background: $panel; }"

    facts = LogFacts()

    def show(self, facts: LogFacts) -> None:
        """Say this; nothing is drawn where it is what it says already."""
        if facts != self.facts:
            self.facts = facts
            self.renew()

    def lines(self, width: int) -> Sequence[Line]:
        """The fullest form that fits."""
        facts = self.facts
        title: Line = (Cell(" Logs ", "dim"), Cell(facts.title, "title"))
        for words in (4, 3, 2, 1, 0):
            line = paint.ends((*title, *self._about(facts, words)), self._state(facts, words), width)
            if line is not None:
                return (line,)
        return ((*self._state(facts, 0), *title),)

    def _about(self, facts: LogFacts, words: int) -> Line:
        dot = f" {self._glyphs.dot} "
        cells = [Cell(f"{dot}{facts.span}", "dim")] if words >= 2 else []
        if words >= 3 and facts.replicas:
            plural = "" if facts.replicas == 1 else "s"
            cells.append(Cell(f"{dot}{facts.followed} of {facts.replicas} replica{plural} followed", "dim"))
        return tuple(cells)

    def _state(self, facts: LogFacts, words: int) -> Line:
        cells: list[Cell] = []
        if facts.find and words >= 1:
            only = f" only these{f' ±{facts.context}' if facts.context else ''}" if facts.only_found else ""
            expression = facts.find if len(facts.find) <= 24 else facts.find[:23] + self._glyphs.ellipsis
            cells.append(Cell(f"/{expression} ", "key"))
            cells.append(Cell(f"{facts.found:,} found{only}  ", "warning" if not facts.found else ""))
        if facts.gone:
            cells.append(Cell(f"{self._glyphs.ellipsis} {facts.gone:,} lines skipped  ", "warning"))
        if facts.reading:
            cells.append(Cell("reading  ", "starting"))
        if words >= 1:
            at = f"{facts.place:,} of " if facts.place is not None and not facts.autoscroll else ""
            cells.append(Cell(f"{at}{facts.lines:,} lines  ", "dim"))
        cells.append(Cell("autoscroll ", "ok") if facts.autoscroll else Cell("standing still ", "warning"))
        return tuple(cells)
