"""Changes whose outcome stayed unknown: looked at again once their engine answers again, and never sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import msgspec

from .actions import Deed, Outcome, Reach, StepResult, confirm
from .actions.plan import STOP_TIMEOUT
from .beat import beat
from .errors import TrailError
from .fleet.fleet import Fleet
from .model import Record

EVERY = 2.0
"""Seconds between two looks."""
STILL_AT_IT = 10.0
"""Seconds beyond its container's time to stop for which an engine that answers again may still be at a change."""


class LooseEnds:
    """The unknown outcomes of one session. What is found is recorded and told to `on_found`."""

    def __init__(
        self,
        fleet: Fleet,
        reach: Callable[[str], Reach | None],
        on_found: Callable[[StepResult], None] | None = None,
    ) -> None:
        self.on_found = on_found
        self._fleet = fleet
        self._reach = reach
        self._new: list[tuple[Record, StepResult]] = []
        self._wake = asyncio.Event()
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._open = 0
        self._tied = asyncio.Event()
        self._tied.set()

    @property
    def open(self) -> int:
        """How many there are."""
        return self._open

    def keep(self, intent: Record, result: StepResult) -> bool:
        """Look at this again when its engine answers. False: there is nothing to tell it by, now or later."""
        if result.outcome is not Outcome.UNKNOWN or result.step.kind != "container":
            return False
        if result.step.deed is Deed.EXEC or (result.step.deed is Deed.CLONE and not result.object_id):
            return False
        self._new.append((intent, result))
        self._open += 1
        self._tied.clear()
        self._wake.set()
        return True

    async def tied(self, deadline: float) -> None:
        """Return when there are none left, or after `deadline` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(deadline):
                await self._tied.wait()

    async def watch(self) -> None:
        """Look at them, for ever."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._wake.wait()
                self._wake.clear()
                new, self._new = self._new, []
                for intent, result in new:
                    group.create_task(self._follow(intent, result))

    async def _follow(self, intent: Record, result: StepResult) -> None:
        """Until it is proven to be done, or the engine has answered for so long that it cannot still be at it."""
        turn = self._turns.setdefault(result.step.engine, asyncio.Semaphore(1))
        answered: float | None = None
        while True:
            async with turn:
                found = await confirm(result, reach=self._way, clock=self._fleet.clock)
            if found is not result:
                now = self._fleet.clock.monotonic()
                answered = now if answered is None else answered
                if found.outcome is Outcome.SUCCESS or now - answered >= _longest(result):
                    break
            await beat(EVERY)
        found = msgspec.structs.replace(found, words=f"unknown at first; {found.words}")
        with suppress(TrailError):  # the trail says itself that it cannot be written
            self._fleet.record_outcome(intent, found.outcome.value, found.words)
        self._open -= 1
        if not self._open:
            self._tied.set()
        if self.on_found is not None:
            self.on_found(found)

    def _way(self, engine: str) -> Reach | None:
        """The way to an engine, also over another address of it."""
        status = self._fleet.engines.get(engine)
        return self._reach(engine) or (self._reach(status.same_as) if status is not None and status.same_as else None)


def _longest(result: StepResult) -> float:
    asked = result.before.stop_timeout if result.before is not None else None
    asked = result.step.stop_timeout if asked is None else asked
    return STILL_AT_IT + max(0, STOP_TIMEOUT if asked is None else asked)
