"""A fleet that is told what a test wants it to have seen, on a clock the test moves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import count

import msgspec
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.clock import ManualClock
from fleettop.collectors.errors import NotAnswering
from fleettop.collectors.fleet import Fleet
from fleettop.collectors.model import (
    Confirmed,
    Container,
    ContainerDetail,
    ContainersSeen,
    ContainerState,
    EngineEvent,
    EngineInfo,
    EngineSeen,
    EventsSeen,
    Health,
    HealthProbe,
    LinkChanged,
    LinkPhase,
    LinkStatus,
    Listed,
    Record,
    Service,
    SwarmMembership,
)
from fleettop.collectors.services import ServiceRule
from fleettop.collectors.story import Story

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
_STEP = re.compile(r"(\w+)(?:\(([^)]*)\))?")
_numbers = count(1)


def compose(project: str, service: str, number: int = 1, **more: str) -> dict[str, str]:
    """Labels as compose writes them."""
    return {
        "com.docker.compose.project": project,
        "com.docker.compose.service": service,
        "com.docker.compose.container-number": str(number),
        "com.docker.compose.config-hash": more.pop("config_hash", "c0ffee"),
        "com.docker.compose.oneoff": more.pop("oneoff", "False"),
        **more,
    }


def container(
    engine: str = "h1",
    name: str = "web",
    *,
    state: ContainerState = ContainerState.RUNNING,
    health: Health = Health.NONE,
    labels: Mapping[str, str] | None = None,
    image: str = "web:1",
    image_id: str = "",
    created: datetime = NOON - timedelta(days=3),
    identifier: str = "",
    inspected: bool = True,
    **detail: object,
) -> Container:
    """A container with a restart policy of `always` unless told otherwise."""
    found = {
        "restart_policy": "always",
        "restart_count": 0,
        "exit_code": 0,
        "started_at": created,
        "finished_at": None,
        **detail,
    }
    return Container(
        engine=engine,
        id=identifier or f"{engine}-{name}",
        name=name,
        image=image,
        image_id=image_id or f"sha256:{image}",
        state=state,
        health=health,
        created=created,
        labels=labels or {},
        detail=msgspec.convert(found, ContainerDetail) if inspected else None,
    )


def probe(at: datetime, code: int, output: str = "") -> HealthProbe:
    """One run of a health check."""
    return HealthProbe(start=at, end=at + timedelta(seconds=1), exit_code=code, output=output)


class Watched:
    """A fleet, its clock, and short ways to tell it things."""

    def __init__(self, *engines: str, rules: tuple[ServiceRule, ...] = (), empty: bool = True) -> None:
        self.clock = ManualClock(wall=NOON)
        names = engines or ("h1",)
        addresses = [EngineAddress(name=name, scheme="unix", socket=f"/{name}.sock") for name in names]
        self.fleet = Fleet(addresses, rules=rules, clock=self.clock)
        for name in names if empty else ():
            self.up(name)
            self.list(name)

    # -- hosts

    def up(
        self,
        engine: str = "h1",
        *,
        identifier: str = "",
        hostname: str = "",
        skew: float | None = None,
        node: str = "",
        cluster: str = "",
        kind: str = "docker",
    ) -> None:
        """Its link comes up, and it says who it is."""
        link = LinkStatus(phase=LinkPhase.UP, since=self.clock.monotonic())
        self.fleet.apply(LinkChanged(engine=engine, link=link))
        swarm = (
            SwarmMembership(state="active", node_id=node, manager=bool(cluster), cluster_id=cluster) if node else None
        )
        info = EngineInfo(
            kind=kind,
            version="20.10.24",
            api="1.41",
            id=identifier or f"ID:{engine}",
            hostname=hostname or engine,
            skew=skew,
            swarm=swarm,
        )
        self.fleet.apply(EngineSeen(engine=engine, info=info))

    def down(self, engine: str = "h1") -> None:
        """Its link breaks."""
        link = LinkStatus(phase=LinkPhase.DOWN, since=self.clock.monotonic(), error=NotAnswering("it is silent"))
        self.fleet.apply(LinkChanged(engine=engine, link=link))

    def confirm(self, engine: str = "h1") -> None:
        """It answers a ping."""
        self.fleet.apply(Confirmed(engine=engine, at=self.clock.monotonic(), latency=0.01))

    def list(self, engine: str, *containers: Container, refused: tuple[str, ...] = ()) -> None:
        """All its containers are read."""
        at = self.clock.monotonic()
        self.fleet.apply(Listed(engine=engine, containers=containers, refused=refused, at=at))

    def see(self, *containers: Container, gone: tuple[str, ...] = (), engine: str = "h1") -> None:
        """Some containers are read again."""
        at = self.clock.monotonic()
        for one in containers:
            self.fleet.apply(ContainersSeen(engine=one.engine, containers=(one,), at=at))
        if gone:
            self.fleet.apply(ContainersSeen(engine=engine, gone=gone, at=at))

    def pass_time(self, seconds: float, *, answering: bool = True) -> None:
        """The clock goes on; engines that are up answer meanwhile."""
        self.clock.advance(seconds)
        for name, status in self.fleet.engines.items():
            if answering and status.link.phase is LinkPhase.UP:
                self.confirm(name)
        self.fleet.tick()

    # -- events

    def event(
        self, action: str, one: Container, *, argument: str = "", replayed: bool = False, **attributes: str
    ) -> EngineEvent:
        """The engine says that this happened to a container, now."""
        event = EngineEvent(
            engine=one.engine,
            time=self.clock.now(),
            time_nano=int(self.clock.now().timestamp() * 1e9) + next(_numbers),
            type="container",
            action=action,
            argument=argument,
            id=one.id,
            name=one.name,
            attributes={**one.labels, "image": one.image, "name": one.name, **attributes},
        )
        self.fleet.apply(EventsSeen(engine=one.engine, events=(event,), replayed=replayed))
        return event

    def play(self, script: str, one: Container, *, pause: float = 0.1, replayed: bool = False) -> None:
        """A sequence of events, `kill(15) die(143) stop`, some time apart."""
        for action, argument in _STEP.findall(script):
            named = {"kill": "signal", "die": "exitCode"}.get(action)
            attributes = {named: argument} if named and argument else {}
            self.event(action, one, argument="" if named else argument, replayed=replayed, **attributes)
            self.clock.advance(pause)

    # -- what it says

    def service(self, name: str = "") -> Service:
        """The service of this name, or the only one."""
        self.fleet.take_changes()
        found = [s for s in self.fleet.services.values() if not name or s.name == name]
        assert len(found) == 1, [s.key for s in found]
        return found[0]

    def story(self, name: str = "") -> Story:
        """The story of this service, or of the only one, in UTC."""
        story = self.fleet.story(self.service(name).key, UTC)
        assert story is not None
        return story

    def records(self) -> tuple[Record, ...]:
        """All records, oldest first."""
        return tuple(self.fleet.trail.oldest(10_000))

    def told(self) -> list[str]:
        """What the records of events say, oldest first."""
        return [record.what for record in self.records() if record.kind.value == "event"]
