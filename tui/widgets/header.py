"""The first line: how the fleet is, at a glance, in as many words as there is room for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from ..format import age
from ..glyphs import SERVICE_STATES, state_glyph
from ..rows import Cell, Line
from . import paint
from .lines import Painted


class HeaderFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the header says."""

    group: str = ""
    """The name of the group of engines that is shown; empty: all."""
    engines: int = 0
    down: int = 0
    """Engines that cannot be reached."""
    connecting: int = 0
    """Engines whose first answer is still awaited."""
    services: Mapping[str, int] = {}
    """How many services are in each state."""
    containers: int | None = None
    outage: float | None = None
    """Seconds since the oldest outage began; None: everything serves."""
    outage_role: str = "age-warn"
    clock: str = ""
    """The time of day, `02:41:07`."""
    read_only: bool = False
    replay: str = ""
    """Where the recording stands that is shown; empty: this is the present."""
    insecure: int = 0
    """Links that are neither encrypted nor local."""
    alarm: str = ""
    """Something that must not be missed, in a few words: the trail cannot be written."""

    @property
    def calm(self) -> bool:
        """Whether nothing is wrong and nothing is under way that goes on by the second."""
        return not (self.down or self.connecting or self.replay or self.alarm) and self.outage is None


class Header(Painted):
    """One line, which drops words as it gets narrow, and never the states."""

    DEFAULT_CSS = "Header { height: 1; width: 1fr; background: $panel; }"

    facts = HeaderFacts()

    def show(self, facts: HeaderFacts) -> None:
        """Say this; nothing is drawn where it is what it says already."""
        if facts != self.facts:
            self.facts = facts
            self.renew()

    def lines(self, width: int) -> Sequence[Line]:
        """The fullest form that fits."""
        facts, glyphs = self.facts, self._glyphs
        left: Line = ()
        for left, right in (
            (self._left(facts, wide=True), self._right(facts, wide=True)),
            (self._left(facts, wide=True, name=False), self._right(facts, wide=True)),
            (self._left(facts, wide=True, name=False, containers=False), self._right(facts, wide=True)),
            (self._left(facts, wide=False), self._right(facts, wide=False)),
            (self._left(facts, wide=False), self._right(facts, wide=False, clock=False)),
            (self._left(facts, wide=False, name=False), self._right(facts, wide=False, clock=False)),
        ):
            line = paint.ends(left, right, width)
            if line is not None:
                return (line,)
        room = width - paint.line_width(right)
        if room < 8:
            return (left,)
        # Not even the shortest form fits: what stands at the right (READ-ONLY) goes last.
        cut = paint.segments(left, room - 1, {}, glyphs=glyphs)
        return (paint.ends(tuple(Cell(segment.text) for segment in cut), right, width) or left,)

    def _left(self, facts: HeaderFacts, *, wide: bool, name: bool = True, containers: bool = True) -> Line:
        cells = [Cell(" ")]
        if facts.alarm:
            cells += [Cell(f" {facts.alarm} ", "insecure"), Cell(" ")]
        if wide and name:
            cells += [Cell("fleettop", "title"), Cell("   ")]
        if facts.group and (wide or name):
            cells.append(Cell(facts.group, "strong"))
            cells.append(Cell(f" {self._glyphs.dot} " if wide else " ", "dim"))
        cells += self._engines(facts, wide=wide)
        cells.append(Cell("   " if wide else "  "))
        cells += self._services(facts, wide=wide)
        if wide and containers and facts.containers is not None:
            cells.append(Cell(f"   {facts.containers} containers", "dim"))
        if facts.outage is not None:
            label = "   oldest outage " if wide else "  oldest " if name else "  "
            cells += [Cell(label, "dim"), Cell(age(facts.outage), facts.outage_role)]
        return tuple(cells)

    def _engines(self, facts: HeaderFacts, *, wide: bool) -> list[Cell]:
        hosts = "host" if facts.engines == 1 else "hosts"
        if not wide:
            up = facts.engines - facts.down - facts.connecting
            cells = [Cell(f"{up}/{facts.engines} {hosts}", "down" if facts.down else "")]
            if facts.connecting:
                cells.append(Cell(f" {state_glyph('starting', self._glyphs)}{facts.connecting}", "starting"))
            return cells
        if facts.connecting:
            cells = [Cell(f"connecting {facts.connecting} of {facts.engines} {hosts}", "starting")]
        else:
            cells = [Cell(f"{facts.engines} {hosts}")]
        if facts.down:
            cells += [Cell(", "), Cell(f"{facts.down} down", "down")]
        return cells

    def _services(self, facts: HeaderFacts, *, wide: bool) -> list[Cell]:
        total = sum(facts.services.values())
        cells: list[Cell] = []
        if wide:
            noun = "service" if total == 1 else "services"
            cells.append(Cell(f"{total} {noun}{':' if total else ''}"))
        for state in SERVICE_STATES:
            count = facts.services.get(state, 0)
            if not count:
                continue
            sign = state_glyph(state, self._glyphs)
            space = ("  " if state != self._first(facts) else " ") if wide else (" " if cells else "")
            cells += [Cell(space), Cell(f"{count} {sign}" if wide else f"{sign}{count}", state)]
        return cells

    def _first(self, facts: HeaderFacts) -> str:
        return next(state for state in SERVICE_STATES if facts.services.get(state, 0))

    def _right(self, facts: HeaderFacts, *, wide: bool, clock: bool = True) -> Line:
        cells: list[Cell] = []
        if facts.insecure:
            cells += [Cell(f" {facts.insecure} INSECURE " if wide else f" INS{facts.insecure} ", "insecure"), Cell(" ")]
        if facts.replay:
            return (*cells, Cell(f" {facts.replay} ", "read-only"), Cell(" "))
        if facts.read_only:
            cells += [Cell(" READ-ONLY " if wide else " RO ", "read-only"), Cell(" ")]
        if clock and facts.clock:
            cells += [
                Cell(" " if wide and not cells else ""),
                Cell(facts.clock if wide else facts.clock[:5]),
                Cell(" "),
            ]
        return tuple(cells)
