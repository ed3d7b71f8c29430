"""Small questions to one engine about what happened on it: as whom an exec runs, which digest an image has.

Each is asked once, one at a time, and of execs no more than a few in a while: a storm of execs is no storm of requests.
The engine forgets an exec some minutes after its end (moby: daemon/exec.go, execCommandGC).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from ..cause.endings import is_health_check
from ..clock import Clock
from ..engine.client import EngineClient
from ..errors import EngineError, Unreachable
from ..model import Change, Container, ContainersSeen, EngineEvent, ExecSeen, Health, ImageSeen, Listed
from .pace import Way

EXECS, SPAN = 20, 10.0
"""So many execs are asked for within so many seconds."""
INSPECTED = 2.0
"""Seconds in which a new container is inspected, which tells whether the exec is its health check."""
LOOK = 0.05
IMAGES_APART = 0.2
WAITING = 1_000
REMEMBERED = 5_000


class Questions:
    """What is to be asked of one engine. Survives reconnects."""

    def __init__(
        self,
        engine: str,
        known: Callable[[str], Container | None],
        publish: Callable[[Change], None],
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._known = known
        self._publish = publish
        self._clock = clock
        self._execs: deque[tuple[EngineEvent, float]] = deque()
        self._asked: deque[float] = deque(maxlen=EXECS)
        self._images: dict[str, None] = {}
        """Not asked for yet, in the order in which they were seen."""
        self._seen: set[str] = set()
        self._wake = asyncio.Event()

    def passing(self, publish: Callable[[Change], None]) -> Callable[[Change], None]:
        """The same `publish`, past which containers are noticed with the images they are made from."""

        def noticing(change: Change) -> None:
            publish(change)
            if isinstance(change, (Listed, ContainersSeen)):
                for container in change.containers:
                    self._notice(container.image_id)

        return noticing

    def _notice(self, image: str) -> None:
        if not image or image in self._seen:
            return
        if len(self._seen) >= REMEMBERED:
            self._seen.clear()  # those still in use are asked for again, which is seldom and harmless
        self._seen.add(image)
        self._images[image] = None
        self._wake.set()

    def exec_begun(self, event: EngineEvent) -> None:
        """Somebody, or a health check, runs a command in a container."""
        if not event.attributes.get("execID"):
            return
        container = self._known(event.id)
        if container is not None and _is_check(event, container):
            return
        if len(self._execs) >= WAITING:
            self._unknown(event, "too many execs at once to ask for each")
            return
        self._execs.append((event, self._clock.monotonic() + INSPECTED))
        self._wake.set()

    async def ask(self, client: EngineClient, way: Way) -> None:
        """Ask for what is wanted, for ever; execs first, since they go."""
        while True:
            self._wake.clear()
            try:
                if self._execs:
                    await self._ask_exec(client)
                elif self._images:
                    await way.free()
                    await self._ask_image(client)
                else:
                    await self._wake.wait()
            except Unreachable:
                await asyncio.sleep(IMAGES_APART)  # what watches the way will say so

    async def _ask_exec(self, client: EngineClient) -> None:
        event, until = self._execs[0]
        container = self._known(event.id)
        if not _decided(container) and self._clock.monotonic() < until:
            await asyncio.sleep(LOOK)
            return
        self._execs.popleft()
        if container is not None and _is_check(event, container):
            return
        if not _decided(container):
            self._unknown(event, "its container was not read in time")
        elif not self._may_ask():
            self._unknown(event, f"more than {EXECS} execs in {SPAN:g} s, so not each was asked for")
        else:
            await self._ask_one(client, event)

    async def _ask_one(self, client: EngineClient, event: EngineEvent) -> None:
        exec_id = event.attributes["execID"]
        try:
            entry = await client.exec_entry(exec_id)
        except EngineError as error:
            self._unknown(event, error.word)
            return
        if entry is None:
            self._unknown(event, "the exec was gone")
            return
        self._publish(
            ExecSeen(engine=self._engine, id=exec_id, container=event.id, user=entry.user, privileged=entry.privileged)
        )

    async def _ask_image(self, client: EngineClient) -> None:
        image = next(iter(self._images))
        digests: tuple[str, ...] | None = None
        try:
            digests = await client.image_digests(image)
        except Unreachable:
            raise
        except EngineError:
            pass  # not to be known from here: its id stands for it
        del self._images[image]
        self._publish(ImageSeen(engine=self._engine, id=image, digests=digests or ()))
        await asyncio.sleep(IMAGES_APART)

    def _may_ask(self) -> bool:
        now = self._clock.monotonic()
        if len(self._asked) == EXECS and now - self._asked[0] < SPAN:
            return False
        self._asked.append(now)
        return True

    def _unknown(self, event: EngineEvent, why: str) -> None:
        self._publish(
            ExecSeen(engine=self._engine, id=event.attributes["execID"], container=event.id, user=None, why=why)
        )


def _decided(container: Container | None) -> bool:
    """Whether it is known which execs are its health check."""
    return container is not None and (container.detail is not None or container.health is Health.NONE)


def _is_check(event: EngineEvent, container: Container) -> bool:
    return container.detail is not None and is_health_check(event.argument, container.detail.health_check)
