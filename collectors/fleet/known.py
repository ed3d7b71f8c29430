"""What services are put together from, as it is now."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from ..model import ContainerKey, Freshness
from ..services.assembly import Known
from ..services.replicas import Standing
from .intake import REACHABLE, Intake


def known_now(intake: Intake, standing: Callable[[ContainerKey], Standing | None]) -> Known:
    """For one round of putting together: each host is looked at once, and not for each of a service's replicas."""
    freshness = cache(intake.engines.freshness)

    def fresh(key: ContainerKey) -> bool:
        return freshness(key.engine) is Freshness.LIVE and key.id not in intake.engines.statuses[key.engine].doubtful

    return Known(
        containers=intake.containers,
        place=intake.roster.place,
        standing=standing,
        reachable=lambda host: freshness(host) in REACHABLE,
        lost=intake.lost,
        fresh=fresh,
        fresh_host=lambda host: freshness(host) is Freshness.LIVE,
        host_order=intake.engines.order,
        now=intake.clock.now(),
        ours=intake.engines.ours,
        engine_of_node=intake.swarms.engine_of_node,
    )
