"""All that the story of a service is told from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo

import msgspec

from ..model import Container, ContainerKey, EngineStatus, Record, RecordKind, Service
from ..services.changes import Made
from ..services.replicas import Standing
from ..services.verdict import Outage
from ..words import clock_time


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """All that a story is told from."""

    service: Service
    standings: Sequence[Standing]
    outage: Outage
    history: Sequence[Made]
    records: Sequence[Record]
    """Of the service, newest first."""
    containers: Mapping[ContainerKey, Container]
    engines: Mapping[str, EngineStatus]
    words: tuple[str, ...]
    speaker: ContainerKey | None
    now: datetime
    monotonic: float
    ours: Callable[[str, datetime], datetime]
    zone: tzinfo | None

    def clock(self, moment: datetime) -> str:
        """A moment in the reader's time."""
        return clock_time(moment, self.now, self.zone)

    def container(self, standing: Standing) -> Container | None:
        """A replica's container, where it is seen."""
        key = standing.replica.container
        return self.containers.get(key) if key is not None else None

    def record(self, standing: Standing, action: str = "") -> Record | None:
        """The newest record of a replica's container, of this action where one is given."""
        key = standing.replica.container
        if key is None:
            return None
        for record in self.records:
            about = record.object_id == key.id and record.kind is RecordKind.EVENT
            if about and (not action or record.action == action):
                return record
        return None
