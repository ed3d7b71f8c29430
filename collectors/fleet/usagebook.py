"""What the containers use, and what they used over the last minutes."""

from __future__ import annotations

import math

from ..figures.history import History
from ..model import ContainerKey, Usage, UsageSeen
from .engines import Book
from .touched import Touched

SOON = 10.0
"""Seconds; older figures are drawn as old, and must be drawn anew."""


class UsageBook:
    """The newest sample of each container, and the ones before in short."""

    def __init__(self, touched: Touched) -> None:
        self.newest: dict[ContainerKey, Usage] = {}
        self.histories: dict[ContainerKey, History] = {}
        self._touched = touched

    def take(self, change: UsageSeen, book: Book) -> None:
        """New samples; those of containers that are gone meanwhile are left out."""
        for container_id, usage in change.usage.items():
            if container_id in book.containers:
                key = ContainerKey(book.name, container_id)
                before, self.newest[key] = self.newest.get(key), usage
                self.histories.setdefault(key, History()).add(usage)
                if before is None or not _shown_alike(before, usage):
                    self._touched.usage.add(key)

    def forget(self, key: ContainerKey) -> None:
        """It is gone."""
        self.newest.pop(key, None)
        self.histories.pop(key, None)


def _shown_alike(before: Usage, after: Usage) -> bool:
    """Figures that read the same, soon after: nothing that stands on a screen is another for them."""
    return after.at - before.at < SOON and _read(before) == _read(after)


def _read(usage: Usage) -> tuple[float | None, ...]:
    """The figures rounded as finely as a screen tells them. A figure that creeps changes this when it is told anew."""
    cpu = usage.cpu
    told = None if cpu is None else round(cpu, 1) or min(cpu, 0.01)
    return told, *map(_units, (usage.memory, usage.memory_limit, usage.received, usage.sent))


def _units(amount: float | None) -> float | None:
    """Three digits in steps of 1024, as everything that is counted in bytes is told."""
    if amount is None or amount == math.inf:
        return amount
    if amount < 1000:
        return round(amount)
    step = 1024.0
    while amount >= 1000 * step:
        step *= 1024
    return round(amount / step, 1) * step
