"""Which containers a host's shell was told of, and in which order: it is asked for them by their place."""

from __future__ import annotations

from collections.abc import Sequence

from .target import Target

AGAIN = 60.0
"""Seconds after which a container that was not found is looked for again, where nothing new is known of it."""
BATCH = 200
"""Containers made known in one line."""


class Places:
    """The list as the shell has it. A container whose first process is another one gets a new place."""

    def __init__(self) -> None:
        self._place: dict[str, int] = {}
        self._told: dict[str, tuple[int, bool]] = {}
        self._lost: dict[str, float] = {}
        """Not found there, and when that was."""
        self._count = 0

    def lines(self, targets: Sequence[Target], now: float) -> list[str]:
        """What to tell the shell before it is asked for these."""
        lines = []
        if self._count > 2 * len(self._told.keys() | {target.id for target in targets}) + BATCH:
            lines.append("-")  # most places are of containers that are gone
            self._place.clear()
            self._told.clear()
            self._count = 0
        new = [t for t in targets if self._told.get(t.id) != t.way or self._stale(t.id, now)]
        for start in range(0, len(new), BATCH):
            batch = new[start : start + BATCH]
            lines.append("+ " + " ".join(f"{t.id}:{t.pid}:{'n' if t.own_network else '-'}" for t in batch))
        for target in new:
            self._count += 1
            self._place[target.id] = self._count
            self._told[target.id] = target.way
            self._lost.pop(target.id, None)
        return lines

    def question(self, targets: Sequence[Target]) -> tuple[str, dict[int, str]]:
        """How to ask for these, and whose each place is."""
        whose = {self._place[target.id]: target.id for target in targets}
        return " ".join(map(str, whose)), whose

    def forget(self, known: frozenset[str]) -> None:
        """Only these containers exist."""
        for container_id in self._told.keys() - known:
            del self._told[container_id], self._place[container_id]
            self._lost.pop(container_id, None)

    def lost(self, container_id: str, now: float) -> None:
        """It was asked for, and was not found."""
        self._lost.setdefault(container_id, now)

    def found(self, container_id: str) -> None:
        """It was asked for, and was found."""
        self._lost.pop(container_id, None)

    def serves(self, target: Target) -> bool:
        """Whether it has not been looked for in vain, as it is known now."""
        return target.id not in self._lost or self._told.get(target.id) != target.way

    def _stale(self, container_id: str, now: float) -> bool:
        since = self._lost.get(container_id)
        return since is not None and now - since >= AGAIN
