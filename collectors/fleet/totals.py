"""The fleet at a glance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from ..model import EngineStatus, LinkPhase, Service, ServiceKey, ServiceState

AWAY = (ServiceState.DOWN, ServiceState.FLAPPING)


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What the header says. Second addresses of an engine are not counted."""

    hosts: int
    hosts_up: int
    hosts_down: int
    """Cannot be reached. Hosts that are connected to for the first time are neither up nor down yet."""
    containers: int
    services: Mapping[ServiceState, int]
    oldest_outage: datetime | None
    """Since when the service does not serve that does not for the longest, on our clock."""
    oldest_service: ServiceKey | None


def totals(engines: Iterable[EngineStatus], services: Mapping[ServiceKey, Service], containers: int) -> Totals:
    """Count them."""
    counted = [status for status in engines if not status.same_as]
    down = (
        (service.down_since, key)
        for key, service in services.items()
        if service.state in AWAY and not service.serving and service.down_since is not None
    )
    oldest = min(down, default=None)
    return Totals(
        hosts=len(counted),
        hosts_up=sum(1 for status in counted if status.link.phase is LinkPhase.UP),
        hosts_down=sum(1 for status in counted if _down(status)),
        containers=containers,
        services=dict(Counter(service.state for service in services.values())),
        oldest_outage=oldest[0] if oldest else None,
        oldest_service=oldest[1] if oldest else None,
    )


def _down(status: EngineStatus) -> bool:
    phase, error = status.link.phase, status.link.error
    return phase is LinkPhase.DOWN or (phase is LinkPhase.CONNECTING and error is not None)
