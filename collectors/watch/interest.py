"""What a person looks at right now: that is sampled first, and the rest only while somebody looks at all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from ..model import ContainerKey
from .asked import Slower

MOST = 60.0
"""Questions for figures a second, of all engines together: some 0.5 ms of our own CPU each. A row of a service that has
replicas on a thousand hosts is one row that is looked at, and a thousand engines to ask."""


class Interest:
    """The containers whose use of CPU, memory and network stands on a screen."""

    def __init__(self) -> None:
        self.anybody = False
        """A screen is open: it also sorts and adds up by what is not on it."""
        self._looked_at: frozenset[ContainerKey] = frozenset()
        self._by_engine: dict[str, frozenset[str]] = {}
        self._more: dict[tuple[str, str], asyncio.Event] = {}
        self._rates: dict[tuple[str, str], tuple[float, float]] = {}
        self._seen_rate = self._unseen_rate = 0.0

    def look_at(self, keys: Iterable[ContainerKey]) -> None:
        """These and no others are on screen."""
        looked_at = frozenset(keys)
        if looked_at == self._looked_at and self.anybody:
            return
        more, fewer = looked_at - self._looked_at, self._looked_at - looked_at
        others = {key.engine: set(self.of(key.engine)) for key in more | fewer}
        for key in fewer:
            others[key.engine].discard(key.id)
        for key in more:
            others[key.engine].add(key.id)
        opened, self.anybody, self._looked_at = not self.anybody, True, looked_at
        grown = {key.engine for key in more}
        for (engine, _), event in self._more.items():
            if opened or engine in grown:
                event.set()
        self._by_engine.update((engine, frozenset(ids)) for engine, ids in others.items())

    def of(self, engine: str) -> frozenset[str]:
        """Ids of the containers of this engine that are looked at."""
        return self._by_engine.get(engine, frozenset())

    def slower(self, engine: str, who: str, seen: float, unseen: float) -> Slower:
        """An engine's figures would take so many questions a second: by how much all engines' have to be stretched.

        What nobody sees has what is left over, and a quarter at least.
        """
        before_seen, before_unseen = self._rates.get((engine, who), (0.0, 0.0))
        self._seen_rate += seen - before_seen
        self._unseen_rate += unseen - before_unseen
        self._rates[engine, who] = seen, unseen
        left = max(MOST - self._seen_rate, MOST / 4)
        return Slower(max(1.0, self._seen_rate / MOST), max(1.0, self._unseen_rate / left))

    async def more(self, engine: str, timeout: float | None, who: str = "") -> None:  # noqa: ASYNC109 - the wait is the point
        """Wait until something of this engine comes to be looked at that was not before, or the time is over.

        Each `who` that waits is told by itself, also of what came while it did something else.
        """
        event = self._more.setdefault((engine, who), asyncio.Event())
        try:
            async with asyncio.timeout(timeout):
                await event.wait()
        except TimeoutError:
            return
        event.clear()
