"""A session that plays a recording: it has no engine and no link, so there is nobody it could contact."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator

from ..session import Session
from .player import Player

FRAME = 0.1
"""Seconds between two steps of the clock."""
TURN = 0.008
"""Seconds for which a jump is worked at before everything else has its turn."""


class ReplaySession(Session):
    """What the dashboard opens in the place of a watched fleet. Read-only: there is nothing that could be changed."""

    def __init__(self, player: Player, at: float | None = None) -> None:
        """`at`: go there first."""
        super().__init__((), read_only=True, clock=player.clock)
        self.player = player
        self.fleet = player.fleet
        self.on_new_fleet: Callable[[], None] | None = None
        self.on_arrival: Callable[[bool], None] | None = None
        """Called when it is where it was going; True: a step found nothing more and came to the end."""
        self.bound: float | None = None
        """The time to which it is on its way."""
        self._work: Iterator[bool | None] | None = None
        self._steps = 0
        """To be done after that."""
        self._wake = asyncio.Event()
        player.on_new_fleet = self._new_fleet
        if at is not None:
            self.jump(at)

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

    # -- on its way

    @property
    def under_way(self) -> bool:
        """It is on its way somewhere else; what is shown is where it was."""
        return self._work is not None

    def jump(self, t: float) -> None:
        """Go to that time, or the nearest to it that there is; where it was on its way before is given up."""
        self.bound, self._steps = self.player.within(t), 0
        self._work = self.player.jumping(t)
        self._wake.set()

    def step(self) -> None:
        """Go on to the next thing that happened, from where it is when it has arrived."""
        if self._work is not None:
            self._steps += 1
            return
        self._work = self.player.stepping()
        self._wake.set()

    async def _play(self) -> None:
        loop = asyncio.get_running_loop()
        before = loop.time()
        while True:
            try:
                async with asyncio.timeout(FRAME):
                    await self._wake.wait()
            except TimeoutError:
                now = loop.time()
                self.player.pass_time(now - before)
                before = now
            else:
                await self._go_there()
                before = loop.time()

    async def _go_there(self) -> None:
        """Do what there is to do, with a pause after each turn; it may become something else meanwhile."""
        loop = asyncio.get_running_loop()
        happened, work = False, self._work
        until = loop.time() + TURN
        while work is not None:
            try:
                happened = bool(next(work)) or happened
            except StopIteration:
                break
            if loop.time() >= until:
                await asyncio.sleep(0)
                until = loop.time() + TURN
                if work is not self._work:
                    happened, work = False, self._work
        self._wake.clear()
        jumped, self._work, self.bound = self.bound is not None, None, None
        if self._steps:
            self._steps -= 1
            self.step()
        if self.on_arrival is not None:
            self.on_arrival(not jumped and not happened)
