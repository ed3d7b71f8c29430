"""A session that plays a recording: it has no engine and no link, so there is nobody it could contact."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from ..session import Session
from .player import Player

FRAME = 0.1
"""Seconds between two steps of the clock."""


class ReplaySession(Session):
    """What the dashboard opens in the place of a watched fleet. Read-only: there is nothing that could be changed."""

    def __init__(self, player: Player) -> None:
        super().__init__((), read_only=True, clock=player.clock)
        self.player = player
        self.fleet = player.fleet
        self.on_new_fleet: Callable[[], None] | None = None
        player.on_new_fleet = self._new_fleet

    def _new_fleet(self) -> None:
        before, self.fleet = self.fleet, self.player.fleet
        if before is not self.fleet:
            self.fleet.on_change, before.on_change = before.on_change, None
        if self.on_new_fleet is not None:
            self.on_new_fleet()

    def resume(self) -> None:
        """Let the clock go on."""
        if not self._tasks:
            self._tasks = [self._group.create_task(self._play())]

    def retry(self, engines: Iterable[str] | None = None) -> None:
        """There is nobody to try."""

    async def _play(self) -> None:
        loop = asyncio.get_running_loop()
        before = loop.time()
        while True:
            await asyncio.sleep(FRAME)
            now = loop.time()
            self.player.pass_time(now - before)
            before = now
