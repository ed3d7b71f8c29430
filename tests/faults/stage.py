"""A session on real engines, and short ways to say what it should have seen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.errors import EngineError
from fleettop.collectors.model import (
    Container,
    ContainerKey,
    EngineStatus,
    Freshness,
    LinkPhase,
    Record,
    RecordKind,
    Service,
)
from fleettop.collectors.session import Session

from tests.fleet import Fleet

Eventually = Callable[..., Any]
SETTLED = 30.0


class Stage:
    """What a session sees."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.began = datetime.now(UTC)
        """What an engine tells of before this is of another test."""

    def engine(self, name: str) -> EngineStatus:
        """An engine as the fleet has it."""
        self.session.fleet.take_changes()
        return self.session.fleet.engines[name]

    def live(self, name: str) -> bool:
        """What is shown of it is of the present."""
        self.session.fleet.take_changes()
        return self.session.fleet.freshness(name) is Freshness.LIVE

    def down(self, name: str) -> EngineError | None:
        """Why its link is down; None: it is not."""
        link = self.engine(name).link
        return link.error if link.phase is LinkPhase.DOWN else None

    def container(self, key: ContainerKey) -> Container:
        """A container; raises KeyError."""
        return self.session.fleet.containers[key]

    def service(self, name: str) -> Service:
        """The service of this name; raises IndexError where there is none."""
        self.session.fleet.take_changes()
        return next(s for s in self.session.fleet.services.values() if s.name == name)

    def records(self, engine: str = "", kind: RecordKind | None = None) -> list[Record]:
        """Records, oldest first."""
        every = self.session.fleet.trail.oldest(10_000)
        return [r for r in every if engine in ("", r.engine) and kind in (None, r.kind)]

    def closed_gap(self, engine: str) -> Record | None:
        """The one gap of an engine, once its end is known."""
        gaps = self.gaps(engine)
        assert len(gaps) <= 1
        return gaps[0] if gaps and not gaps[0].what.startswith("nothing known from here on") else None

    def gaps(self, engine: str = "") -> list[Record]:
        """Records of gaps, oldest first."""
        return self.records(engine, RecordKind.GAP)


@asynccontextmanager
async def watching(*addresses: EngineAddress, live: bool = True) -> AsyncIterator[Stage]:
    """A session on these engines, all of them live unless told otherwise."""
    async with Session(addresses, read_only=True) as session:
        await session.settled(SETTLED)
        stage = Stage(session)
        if live:
            assert all(stage.live(address.name) for address in addresses), session.fleet.engines
        yield stage


async def fault(fleet: Fleet, host: str, kind: str, *arguments: object) -> None:
    """Let something happen to a host, beside the session."""
    await asyncio.to_thread(fleet.fault, host, kind, *arguments)


async def heal(fleet: Fleet, host: str) -> None:
    """Undo what happened to a host, beside the session."""
    await asyncio.to_thread(fleet.heal, host)


async def ran(fleet: Fleet, host: str, service: str, command: str = "sleep 1000", **config: Any) -> ContainerKey:
    """Start a replica of a compose service `shop/SERVICE` on a host."""
    found = await asyncio.to_thread(fleet.run, host, "shop", service, command, **config)
    return ContainerKey(host, found)


def called(address: EngineAddress, name: str) -> EngineAddress:
    """The same address under another name."""
    return msgspec.structs.replace(address, name=name)
