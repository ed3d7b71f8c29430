"""What a person looks at right now: only that is sampled."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from ..model import ContainerKey


class Interest:
    """The containers whose use of CPU, memory and network stands on a screen."""

    def __init__(self) -> None:
        self._by_engine: dict[str, frozenset[str]] = {}
        self._more: dict[str, asyncio.Event] = {}

    def look_at(self, keys: Iterable[ContainerKey]) -> None:
        """These and no others are on screen."""
        by_engine: dict[str, set[str]] = {}
        for key in keys:
            by_engine.setdefault(key.engine, set()).add(key.id)
        for engine, ids in by_engine.items():
            if engine in self._more and not ids <= self.of(engine):
                self._more[engine].set()
        self._by_engine = {engine: frozenset(ids) for engine, ids in by_engine.items()}

    def of(self, engine: str) -> frozenset[str]:
        """Ids of the containers of this engine that are looked at."""
        return self._by_engine.get(engine, frozenset())

    async def more(self, engine: str, timeout: float | None) -> None:  # noqa: ASYNC109 - the wait is the point
        """Wait until something of this engine comes to be looked at that was not before, or the time is over."""
        event = self._more.setdefault(engine, asyncio.Event())
        try:
            async with asyncio.timeout(timeout):
                await event.wait()
        except TimeoutError:
            return
        event.clear()
