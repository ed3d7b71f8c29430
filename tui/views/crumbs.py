"""How a place differs from the plain view, in words at the right of the tabs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from fleettop.collectors.model import Service, ServiceKey

from ..navigation import Place, scope_words
from ..rows import Cell, Line
from .base import Moment
from .cells import age_since, clock_time


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
        words += [Cell(_as_of_words(place.as_of, moment), "read-only"), Cell(" ")]
    if place.filter:
        words.append(Cell(f"/{place.filter} ", "key"))
    return tuple(words)


def _as_of_words(at: datetime, moment: Moment) -> str:
    """Which moment of the past is looked at: `as of 12:05:00, 2h 3m ago`."""
    return f" as of {clock_time(at, moment)}, {age_since(at, moment)} ago "
