"""The one line that says at a glance how the fleet is, and whether the details of it can be trusted."""

from __future__ import annotations

from collections import Counter

from fleettop.collectors.errors import ChainBroken, StoreFull, StoreLocked, TrailError
from fleettop.collectors.fleet import Fleet
from fleettop.collectors.model import LinkPhase, ServiceState

from ..widgets.header import HeaderFacts
from .base import Moment
from .cells import seconds_since

TROUBLE = (ServiceState.DOWN, ServiceState.DEGRADED, ServiceState.FLAPPING)


def headline(
    fleet: Fleet, moment: Moment, *, read_only: bool, group: str = "", trouble: TrailError | None = None
) -> HeaderFacts:
    """Hosts, services by state, the oldest outage, the time; `trouble`: why the trail cannot be written."""
    engines = [engine for engine in fleet.engines.values() if not engine.same_as]
    services = list(fleet.services.values())
    outages = [s.down_since for s in services if s.state is ServiceState.DOWN and s.down_since is not None]
    oldest = int(seconds_since(min(outages), moment)) if outages else None
    return HeaderFacts(
        group=group,
        engines=len(engines),
        down=sum(1 for engine in engines if engine.link.phase is not LinkPhase.UP and engine.link.error is not None),
        connecting=sum(1 for engine in engines if engine.link.phase is not LinkPhase.UP and engine.link.error is None),
        services=Counter(str(service.state) for service in services),
        containers=len(fleet.containers),
        outage=oldest,
        outage_role="age-page" if oldest is not None and oldest >= 180 else "age-warn",
        clock=moment.now.astimezone().strftime("%H:%M:%S"),
        read_only=read_only,
        insecure=sum(1 for engine in engines if engine.link.insecure),
        alarm=f"TRAIL NOT WRITTEN: {trail_trouble(trouble)}" if trouble is not None else "",
    )


def trail_trouble(trouble: TrailError) -> str:
    """Why the trail cannot be written, in two or three words."""
    for kind, words in _TROUBLES:
        if isinstance(trouble, kind):
            return words
    return "disk or folder refuses"


_TROUBLES = ((StoreFull, "disk full"), (StoreLocked, "locked by another program"), (ChainBroken, "damaged"))
