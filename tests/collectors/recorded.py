"""A night that is recorded, second by second, with what was seen of it at each moment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleettop.collectors.address import EngineAddress
from fleettop.collectors.fleet import Fleet
from fleettop.collectors.model import (
    Change,
    Container,
    ContainerKey,
    ContainerState,
    LinkPhase,
    Record,
    Service,
    ServiceKey,
    WordsSeen,
)
from fleettop.collectors.recording import Recording, SnapshotFile

from .watched import Watched, compose, container

HOSTS = ("h1", "h2", "h3")
Seen = tuple[Mapping[ServiceKey, Service], Mapping[str, LinkPhase], frozenset[ContainerKey]]


class Recorded(Watched):
    """A watched fleet that is recorded, and what was seen of it at each moment."""

    def __init__(self, path: Path, **options: Any) -> None:
        super().__init__(*HOSTS, empty=False)
        self.path = path
        addresses = [EngineAddress(name=name, scheme="unix", socket=f"/{name}.sock") for name in HOSTS]
        self.file = SnapshotFile(path, addresses, clock=self.clock, **options)
        self.seen: dict[float, Seen] = {}
        apply = self.fleet.apply

        def told(change: Change) -> None:
            apply(change)
            self.file.take(change)

        self.fleet.apply = told  # type: ignore[method-assign]

    def other_process(self, intent: Record) -> None:
        """The trail tells of what another process is about to do."""
        self.fleet.remember((intent,), {})
        self.file.remember((intent,), {})
        self.fleet.take_up_intent(intent.key, None)
        self.file.take_up(intent.key, None)

    async def passed(self, seconds: float) -> None:
        """Time passes second by second, and what is seen then is remembered."""
        for _ in range(round(seconds)):
            self.pass_time(1)
            self.fleet.take_changes()
        await self.file.write()
        self.seen[self.clock.now().timestamp()] = seen(self.fleet)
        self.clock.advance(0.5)  # what happens next is later

    @property
    def recording(self) -> Recording:
        """What was written so far."""
        return Recording(self.path)


def seen(fleet: Fleet) -> Seen:
    """The rows: services with their states and reasons, hosts, containers."""
    fleet.take_changes()
    links = {name: engine.link.phase for name, engine in fleet.engines.items()}
    return dict(fleet.services), links, frozenset(fleet.containers)


def api(number: int, **how: Any) -> Container:
    """A replica of pay/api, one on each host."""
    return container(f"h{number}", f"pay-api-{number}", labels=compose("pay", "api", number), **how)


def web(number: int, **how: Any) -> Container:
    """A replica of shop/web."""
    return container(f"h{number}", f"shop-web-{number}", labels=compose("shop", "web", number), **how)


async def night(path: Path, **options: Any) -> Recorded:
    """A replica dies and is started again, a host is lost for minutes, another replica dies for good."""
    night = Recorded(path, **options)
    for number, host in enumerate(HOSTS, 1):
        night.up(host)
        night.list(host, api(number), web(number))
    await night.passed(30)
    night.play("die(137)", api(1))
    night.see(api(1, state=ContainerState.EXITED, exit_code=137, finished_at=night.clock.now()))
    await night.passed(20)
    night.play("start", api(1))
    night.see(api(1, started_at=night.clock.now()))
    await night.passed(300)
    night.down("h2")
    await night.passed(200)
    night.up("h2")
    night.list("h2", api(2), web(2))
    await night.passed(400)
    night.play("die(1)", web(3))
    dead = web(3, state=ContainerState.EXITED, exit_code=1, finished_at=night.clock.now())
    night.see(dead)
    night.fleet.apply(WordsSeen(engine="h3", id=dead.id, lines=("no space left on device",)))
    await night.passed(60)
    for number, host in enumerate(HOSTS, 1):
        night.list(host, api(number), *((dead,) if number == 3 else (web(number),)))
    await night.passed(120)
    return night
