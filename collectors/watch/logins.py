"""Looking who is logged in on a host just after somebody unknown did something there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from ..links import Logins
from ..model import Change, LoginsSeen

LOOK = 0.25
EVERY = 5.0
"""Seconds between two looks at one host: a storm of deeds is no storm of commands."""


class Wanting(Protocol):
    """The fleet, as far as it is needed here."""

    @property
    def wanted_logins(self) -> tuple[str, ...]:
        """Engines on whose hosts to look."""
        ...

    def take_wanted_logins(self, engine: str) -> tuple[int, ...]:
        """The records for whose sake."""
        ...

    def apply(self, change: Change) -> None:
        """Take in what was seen."""
        ...


class Looking(Protocol):
    """The watch over one engine, as far as it is needed here."""

    async def logins(self) -> Logins | None:
        """Who is logged in there now; None: not to be asked at the moment."""
        ...


async def read_logins(fleet: Wanting, watches: Mapping[str, Looking]) -> None:
    """Look where it is wanted, for ever; a host that is slow to answer holds up no other."""
    looking: dict[str, asyncio.Task[None]] = {}
    async with asyncio.TaskGroup() as group:
        while True:
            await asyncio.sleep(LOOK)
            for engine in fleet.wanted_logins:
                if engine not in looking or looking[engine].done():
                    looking[engine] = group.create_task(_look(fleet, engine, watches[engine]))


async def _look(fleet: Wanting, engine: str, watch: Looking) -> None:
    records = fleet.take_wanted_logins(engine)
    seen = await watch.logins() or Logins()
    fleet.apply(
        LoginsSeen(
            engine=engine,
            records=records,
            logins=seen.logins,
            commands=seen.commands,
            answered=seen.answered,
            log_read=seen.log_read,
        )
    )
    await asyncio.sleep(EVERY)
