"""Cells that several views share."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from fleettop.collectors import words
from fleettop.collectors.fleet import Fleet
from fleettop.collectors.model import ContainerKey, Freshness, Usage

from .. import format as fmt
from ..rows import Cell
from .base import Moment

DIM = "dim"
NOTHING = Cell("")
UNKNOWN = Cell("–", DIM)
OLD = 15.0
"""Seconds after which a sample is drawn as old, with its age: what is not on screen is read every 10 s."""


def seconds_since(then: datetime, moment: Moment) -> float:
    """Seconds from then to the moment, never negative: clocks differ a little between machines."""
    return max(0.0, (moment.now - then).total_seconds())


def age_since(then: datetime, moment: Moment) -> str:
    """`4m 12s`, `3h 5m`, `12d`."""
    return fmt.age(seconds_since(then, moment))


def clock_time(then: datetime, moment: Moment) -> str:
    """`02:41:07` today, `21 Nov 02:41` before: local time, as people on call think."""
    return words.clock_time(then, moment.now)


def used(fleet: Fleet, keys: Iterable[ContainerKey], moment: Moment) -> tuple[Cell, Cell]:
    """Percent of a core and bytes of memory, each summed over the containers that were sampled."""
    samples = _samples(fleet, keys)
    cpu = [sample.cpu for sample in samples if sample.cpu is not None]
    memory = [sample.memory for sample in samples if sample.memory is not None]
    style = _age_style(samples, moment)
    return (
        Cell(fmt.percent(sum(cpu)), style) if cpu else UNKNOWN,
        Cell(fmt.units(sum(memory)), style) if memory else UNKNOWN,
    )


def used_network(fleet: Fleet, key: ContainerKey, moment: Moment) -> Cell:
    """Bytes a second, in and out."""
    sample = fleet.usage.get(key)
    if sample is None or sample.received is None or sample.sent is None:
        return UNKNOWN
    return Cell(f"{fmt.units(sample.received)}↓ {fmt.units(sample.sent)}↑", _age_style([sample], moment))


def figures_age(fleet: Fleet, key: ContainerKey, moment: Moment) -> Cell:
    """How old the figures are, where they are; empty while they are fresh."""
    sample = fleet.usage.get(key)
    age = moment.monotonic - sample.at if sample is not None else 0.0
    return Cell(fmt.age_short(age), DIM) if age > OLD else NOTHING


def sum_of(fleet: Fleet, keys: Iterable[ContainerKey], what: str) -> float | None:
    """The sum of `cpu` or `memory` over what was sampled; None where nothing was."""
    values = [getattr(sample, what) for sample in _samples(fleet, keys)]
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def is_stale(fleet: Fleet, engine: str) -> bool:
    """Whether what is shown of this engine is old."""
    return fleet.freshness(engine) in (Freshness.STALE, Freshness.NEVER)


def _samples(fleet: Fleet, keys: Iterable[ContainerKey]) -> list[Usage]:
    newest = fleet.usage.get
    return [sample for key in keys if (sample := newest(key)) is not None]


def _age_style(samples: list[Usage], moment: Moment) -> str:
    return DIM if samples and moment.monotonic - min([sample.at for sample in samples]) > OLD else ""
