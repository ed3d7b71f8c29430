"""An engine's client that answers what a test put into it, for the watchers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from fleettop.collectors.engine.client import EngineClient
from fleettop.collectors.engine.decode import Listing
from fleettop.collectors.engine.stats import StatsSample
from fleettop.collectors.errors import EngineError
from fleettop.collectors.model import Change, Container, ContainerDetail, ContainerState, EngineEvent, Health

START = datetime(2026, 1, 2, 3, 0, 0, tzinfo=UTC)


def container(name: str, **given: object) -> Container:
    """A running container whose id is made of its name."""
    known: dict[str, object] = {
        "engine": "web-1",
        "id": name.encode().hex().ljust(64, "0"),
        "name": name,
        "image": "bb:1",
        "image_id": "sha256:" + "1" * 64,
        "state": ContainerState.RUNNING,
        "health": Health.NONE,
        "status": "Up 2 hours",
    }
    return Container(**{**known, **given})  # type: ignore[arg-type]


def event(seconds: float, action: str, name: str = "api", **given: object) -> EngineEvent:
    """An event of a container, so many seconds after the start."""
    time = START + timedelta(seconds=seconds)
    known: dict[str, object] = {
        "engine": "web-1",
        "time": time,
        "time_nano": int(time.timestamp() * 1e9),
        "type": "container",
        "action": action,
        "id": name.encode().hex().ljust(64, "0"),
        "name": name,
    }
    return EngineEvent(**{**known, **given})  # type: ignore[arg-type]


class FakeClient(EngineClient):
    """Answers from lists, and counts what it was asked."""

    def __init__(self) -> None:
        self.rows: list[Container] = []
        self.refused: tuple[str, ...] = ()
        self.details: dict[str, Container] = {}
        self.ring: list[EngineEvent] = []
        self.live: list[EngineEvent] = []
        self.asked: list[str] = []
        self.filters: list[Mapping[str, Sequence[str]] | None] = []
        self.podman = False
        self.api = "1.41"
        self.ends = False
        self.broken: dict[str, EngineError] = {}
        self.silent: EngineError | None = None
        self.samples: dict[str, StatsSample] = {}
        self.listing: asyncio.Event | None = None
        self.since: list[int | None] = []
        self.on_events: Callable[[], object] | None = None

    async def ping(self) -> float:
        """At once, unless it is silent."""
        self.asked.append("ping")
        if self.silent is not None:
            raise self.silent
        return 0.0

    async def list_containers(self, ids: Sequence[str] = ()) -> Listing:
        """The rows."""
        self.asked.append("list")
        if self.listing is not None:
            await self.listing.wait()
        return Listing(containers=tuple(self.rows), refused=self.refused)

    async def inspect(self, id: str) -> Container | None:  # noqa: A002
        """The details, where the test gave some."""
        self.asked.append(f"inspect {bytes.fromhex(id).rstrip(bytes(1)).decode()}")
        if id in self.broken:
            raise self.broken[id]
        return self.details.get(id)

    async def sample(self, id: str) -> StatsSample | None:  # noqa: A002
        """The samples, where the test gave some."""
        self.asked.append(f"sample {bytes.fromhex(id).rstrip(bytes(1)).decode()}")
        return self.samples.get(id)

    async def events(  # type: ignore[override]
        self,
        *,
        since: int | None = None,
        until: int | None = None,
        filters: Mapping[str, Sequence[str]] | None = None,
    ) -> AsyncIterator[EngineEvent]:
        """The ring up to `until`; else the live ones, and then silence."""
        self.filters.append(filters)
        self.since.append(since)
        if self.on_events is not None:
            self.on_events()
        for one in self.ring if until is not None else self.live:
            yield one
        if until is None and not self.ends:
            await asyncio.Event().wait()


def detailed(one: Container, **given: object) -> Container:
    """The same container after an inspect."""
    import msgspec

    return msgspec.structs.replace(one, detail=ContainerDetail(**given))  # type: ignore[arg-type]


class Told:
    """Collects what a watcher publishes."""

    def __init__(self) -> None:
        self.changes: list[Change] = []

    def __call__(self, change: Change) -> None:
        """One more."""
        self.changes.append(change)

    def of(self, kind: type[Change]) -> list[Change]:
        """Those of one kind, in order."""
        return [change for change in self.changes if isinstance(change, kind)]
