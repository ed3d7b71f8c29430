"""What a person looks at right now: only that is sampled."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from ..model import ContainerKey


class Interest:
    """The containers whose use of CPU, memory and network stands on a screen."""

    def __init__(self) -> None:
        self._by_engine: dict[str, frozenset[str]] = {}
        self._some: dict[str, asyncio.Event] = {}

    def look_at(self, keys: Iterable[ContainerKey]) -> None:
        """These and no others are on screen."""
        by_engine: dict[str, set[str]] = {}
        for key in keys:
            by_engine.setdefault(key.engine, set()).add(key.id)
        self._by_engine = {engine: frozenset(ids) for engine, ids in by_engine.items()}
        for engine, some in self._some.items():
            if engine in by_engine:
                some.set()
            else:
                some.clear()

    def of(self, engine: str) -> frozenset[str]:
        """Ids of the containers of this engine that are looked at."""
        return self._by_engine.get(engine, frozenset())

    async def some(self, engine: str) -> None:
        """Wait until something of this engine is looked at."""
        event = self._some.setdefault(engine, asyncio.Event())
        if engine in self._by_engine:
            event.set()
        await event.wait()
