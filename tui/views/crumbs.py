"""How a place differs from the plain view, in words at the right of the tabs."""

from __future__ import annotations

from collections.abc import Mapping

from fleettop.collectors.model import Service, ServiceKey

from ..navigation import Place, scope_words
from ..rows import Cell, Line
from .base import Moment
from .trail import as_of_words


def crumbs(place: Place, services: Mapping[ServiceKey, Service], changes: str, moment: Moment) -> Line:
    """What it is narrowed to and how it is looked at; `changes`: what is under way, in words."""
    words = list[Cell]()
    if changes:
        words.append(Cell(f"{changes} ", "warning"))
    if place.scope is not None:
        words.append(Cell(f"in {scope_words(services, place.scope)} ", "strong"))
    if place.only_wrong:
        words.append(Cell("only what is wrong ", "warning"))
    if place.only_changes:
        words.append(Cell("only what somebody did ", "warning"))
    if place.as_of is not None:
        words += [Cell(as_of_words(place.as_of, moment), "read-only"), Cell(" ")]
    if place.filter:
        words.append(Cell(f"/{place.filter} ", "key"))
    return tuple(words)
