"""The one line that says at a glance how the fleet is, and whether the details of it can be trusted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from fleettop.collectors.errors import ChainBroken, StoreFull, StoreLocked, TrailError
from fleettop.collectors.fleet import Fleet

from ..widgets.header import HeaderFacts
from .base import Moment
from .cells import clock_time, seconds_since

if TYPE_CHECKING:
    from fleettop.collectors.alarms.watchman import Watchman

PAGE = 180.0
"""Seconds from which on an outage is drawn as one for which somebody gets up, where no config says otherwise."""


def headline(
    fleet: Fleet,
    moment: Moment,
    *,
    read_only: bool,
    group: str = "",
    trouble: TrailError | None = None,
    watchman: Watchman | None = None,
    replay: str = "",
) -> HeaderFacts:
    """Hosts, services by state, the oldest outage, the time; `trouble`: why the trail cannot be written.

    `watchman`: from how long on an outage counts how much, and whether alarms arrive; None: it is not yet at work.
    `replay`: where it stands.
    """
    totals = fleet.totals()
    oldest = int(seconds_since(totals.oldest_outage, moment)) if totals.oldest_outage is not None else None
    page = PAGE
    if watchman is not None and totals.oldest_service is not None:
        limit = watchman.thresholds(totals.oldest_service).page
        page = PAGE if limit is None else limit
    unsent = f"ALARMS NOT SENT: {watchman.trouble}" if watchman is not None and watchman.trouble else ""
    return HeaderFacts(
        group=group,
        engines=totals.hosts,
        down=totals.hosts_down,
        connecting=totals.hosts - totals.hosts_up - totals.hosts_down,
        services=Counter({str(state): number for state, number in totals.services.items()}),
        containers=totals.containers,
        outage=oldest,
        outage_role="age-page" if oldest is not None and oldest >= page else "age-warn",
        clock=clock_time(moment.now, moment),
        read_only=read_only,
        replay=replay,
        insecure=sum(1 for engine in fleet.engines.values() if engine.link.insecure and not engine.same_as),
        alarm=f"TRAIL NOT WRITTEN: {trail_trouble(trouble)}" if trouble is not None else unsent,
    )


def trail_trouble(trouble: TrailError) -> str:
    """Why the trail cannot be written, in two or three words."""
    for kind, words in _TROUBLES:
        if isinstance(trouble, kind):
            return words
    return "disk or folder refuses"


_TROUBLES = ((StoreFull, "disk full"), (StoreLocked, "locked by another program"), (ChainBroken, "damaged"))
