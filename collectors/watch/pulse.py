"""Whether an engine is still there: what it says by itself counts, and where it is silent it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ..address import EngineAddress
from ..clock import Clock
from ..engine.client import EngineClient
from ..errors import NotAnswering, Unreachable
from ..model import Change, Confirmed
from .events import EventStream
from .gaps import Gaps
from .listing import ContainerList
from .pace import Pacer

PING = 8.0
"""Seconds without a word from the engine, after which it is asked for one."""
MEASURE = 32.0
"""Seconds after which it is asked whatever it says: only an answer tells how long the way takes."""


class Pulse:
    """Confirms one engine as long as it is there. Survives reconnects."""

    def __init__(
        self,
        address: EngineAddress,
        containers: ContainerList,
        events: EventStream,
        gaps: Gaps,
        publish: Callable[[Change], None],
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._address = address
        self._list = containers
        self._events = events
        self._gaps = gaps
        self._publish = publish
        self._clock = clock
        self._sleep = sleep

    async def follow(self, client: EngineClient, confirmed: Callable[[], None]) -> None:
        """Confirm it, for ever; `confirmed` is called each time. Raises Unreachable where it does not answer."""
        pacer = Pacer(PING, self._clock)
        asked = self._clock.monotonic()
        pause = pacer.pause
        while True:
            await self._sleep(pause)
            now, said = self._clock.monotonic(), self._events.heard_at
            if now - said < PING and now - asked < MEASURE:
                self._publish(Confirmed(engine=self._address.name, at=said))
                pause = PING - (now - said)
            else:
                await self._list.way.free()
                pacer.begin()
                asked = self._clock.monotonic()
                latency = await self._ask(client, asked)
                self._publish(Confirmed(engine=self._address.name, at=self._clock.monotonic(), latency=latency))
                pause = pacer.pause
            confirmed()

    async def _ask(self, client: EngineClient, began: float) -> float | None:
        """Seconds until it answered; None: late, but something else was answered meanwhile, so the way is narrow."""
        latency: float | None = None
        try:
            latency = await client.ping()
        except Unreachable as error:
            if self._list.answered_at <= began:
                raise self._unsure(error) from error
        if self._gaps.following:
            self._gaps.heard_until(began)
        return latency

    def _unsure(self, error: Unreachable) -> Unreachable:
        """Through an open connection a frozen engine and a pulled cable look alike."""
        if not isinstance(error, NotAnswering) or self._address.scheme == "unix":
            return error
        return NotAnswering(
            str(error), hint="Whether only the engine is silent or its whole host, the next attempt will tell."
        )
