"""What stands in a table that has no rows: why, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from fleettop.collectors.fleet import Fleet
from fleettop.collectors.model import EngineStatus, LinkPhase

from ..navigation import Place
from ..rows import Cell, Line
from .base import Moment, View
from .host_detail import link_words


def empty_lines(
    fleet: Fleet, view: View, place: Place, hidden: int, moment: Moment, notes: Sequence[str] = ()
) -> tuple[Line, ...]:
    """Why there is nothing to see here, in a few calm lines."""
    engines = tuple(fleet.engines.values())
    if hidden:
        return _hidden(view, place, hidden)
    if not any(engine.confirmed is not None for engine in engines):
        return _nothing_answers(engines, moment, notes)
    if view.id == "swarm":
        return (
            (Cell("No swarm manager among these hosts.", "strong"),),
            (Cell("Swarms are read from managers.", "dim"),),
        )
    waiting = [engine.name for engine in engines if engine.confirmed is None]
    lines: list[Line] = [(Cell(f"No {view.noun} here.", "strong"),)]
    if waiting:
        lines.append((Cell(f"Not heard of yet: {', '.join(waiting[:6])}.", "dim"),))
    return tuple(lines)


def _hidden(view: View, place: Place, hidden: int) -> tuple[Line, ...]:
    if place.only_wrong and not place.filter:
        return ((Cell(f"Nothing is wrong: all {hidden} {view.noun} are well.", "ok"),), (Cell("z shows them.", "dim"),))
    if place.only_changes and not place.filter:
        return (
            (Cell(f"Nobody changed anything here, as far as {hidden} {view.noun} tell.", "strong"),),
            (Cell("d shows all of them.", "dim"),),
        )
    return (
        (Cell(f"None of {hidden} {view.noun} match {place.filter!r}.", "strong"),),
        (Cell("Esc clears the filter" + (", z shows the healthy ones too." if place.only_wrong else "."), "dim"),),
    )


def _nothing_answers(engines: Sequence[EngineStatus], moment: Moment, notes: Sequence[str]) -> tuple[Line, ...]:
    failed = [engine for engine in engines if engine.link.error is not None]
    if engines and not failed:
        return ((Cell(f"Connecting to {len(engines)} host{'s' if len(engines) > 1 else ''} …", "strong"),),)
    lines: list[Line] = [(Cell("No engine answers yet.", "strong"),), ()]
    for engine in failed[:8]:
        assert engine.link.error is not None
        lines.append((Cell(f"{engine.name}  ", "strong"), Cell(engine.address, "dim")))
        lines.append((Cell(f"  {engine.link.error}"),))
        if engine.link.error.hint:
            lines.append((Cell(f"  {engine.link.error.hint}", "dim"),))
        if engine.link.phase is LinkPhase.DOWN:
            lines.append((Cell(f"  {link_words(engine, moment)}", "dim"),))
    if len(failed) > 8:
        lines.append((Cell(f"… and {len(failed) - 8} more", "dim"),))
    lines += [(), *((Cell(note, "dim"),) for note in notes)]
    lines += [
        *(((),) if notes else ()),
        (Cell("Two ways on:", "strong"),),
        (Cell("  write fleettop.toml with your engines (fleettop --help names its place), or"),),
        (Cell("  fleettop demo   a simulated fleet to look around in; needs no Docker"),),
    ]
    return tuple(lines)
