"""What a person looks at right now: that is sampled first, and the rest only while somebody looks at all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from ..model import ContainerKey


class Interest:
    """The containers whose use of CPU, memory and network stands on a screen."""

    def __init__(self) -> None:
        self.anybody = False
        """A screen is open: it also sorts and adds up by what is not on it."""
        self._by_engine: dict[str, frozenset[str]] = {}
        self._more: dict[tuple[str, str], asyncio.Event] = {}

    def look_at(self, keys: Iterable[ContainerKey]) -> None:
        """These and no others are on screen."""
        by_engine: dict[str, set[str]] = {}
        for key in keys:
            by_engine.setdefault(key.engine, set()).add(key.id)
        opened, self.anybody = not self.anybody, True
        for (engine, _), event in self._more.items():
            if opened or not by_engine.get(engine, set()) <= self.of(engine):
                event.set()
        self._by_engine = {engine: frozenset(ids) for engine, ids in by_engine.items()}

    def of(self, engine: str) -> frozenset[str]:
        """Ids of the containers of this engine that are looked at."""
        return self._by_engine.get(engine, frozenset())

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
