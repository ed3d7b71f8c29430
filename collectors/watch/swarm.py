"""Reading a whole swarm from one of its managers, once per cluster."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable

import msgspec

from ..clock import Clock
from ..engine.client import EngineClient
from ..model import Change, SwarmPicture, SwarmSeen
from .pace import Pacer, Way

CALM = 30.0
MOVING = 2.0
TOGETHER = 0.5
"""Seconds: while nothing moves; while tasks come and go (there are no task events); between two event-driven reads."""

_SETTLED = frozenset(("running", "complete", "shutdown", "failed", "rejected", "remove", "orphaned"))


class Clusters:
    """Which manager reads which swarm: one at a time each; the next takes over when it goes."""

    def __init__(self) -> None:
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def turn(self, cluster_id: str) -> asyncio.Lock:
        """Held by the manager that reads this cluster."""
        return self._turns[cluster_id]


class SwarmReader:
    """Reads a swarm from one manager while it is this manager's turn."""

    def __init__(self, engine: str, clusters: Clusters, publish: Callable[[Change], None], clock: Clock) -> None:
        self._engine = engine
        self._clusters = clusters
        self._publish = publish
        self._clock = clock
        self._nudge = asyncio.Event()
        self._seen: SwarmPicture | None = None

    def changed(self) -> None:
        """Something of the swarm moved: look soon."""
        self._nudge.set()

    async def read(self, client: EngineClient, cluster_id: str, way: Way, still: Callable[[], bool]) -> None:
        """Read while this is `still` a manager; gives its turn away when this manager has lost sight of the swarm."""
        pacer = Pacer(CALM, self._clock)
        while still():
            async with self._clusters.turn(cluster_id):
                await self._read_while_it_sees(client, pacer, way)
            pacer.interval = MOVING
            await asyncio.sleep(pacer.pause)  # without a quorum every call hangs, here and on the manager

    async def _read_while_it_sees(self, client: EngineClient, pacer: Pacer, way: Way) -> None:
        while True:
            self._nudge.clear()
            await way.free()
            pacer.begin()
            picture = await client.swarm()
            if picture.error and not picture.nodes:
                self._publish(SwarmSeen(engine=self._engine, picture=self._as_before(picture)))
                return
            self._seen = picture
            self._publish(SwarmSeen(engine=self._engine, picture=picture))
            pacer.interval = MOVING if moving(picture) else CALM
            await self._pause(pacer.pause, max(TOGETHER, pacer.soonest))

    def _as_before(self, blind: SwarmPicture) -> SwarmPicture:
        """What cannot be known now is as it was seen last, and says so."""
        before = self._seen
        if before is None or blind.cluster_id not in ("", before.cluster_id):
            return blind
        return msgspec.structs.replace(before, error=blind.error, at=blind.at)

    async def _pause(self, longest: float, soonest: float) -> None:
        try:
            async with asyncio.timeout(longest):
                await self._nudge.wait()
        except TimeoutError:
            return
        await asyncio.sleep(soonest)


def moving(picture: SwarmPicture) -> bool:
    """Whether some task is on its way or some update under way."""
    return any(task.desired == "running" and task.state not in _SETTLED for task in picture.tasks) or any(
        service.update_state in ("updating", "rollback_started") for service in picture.services
    )
