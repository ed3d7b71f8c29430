"""What services are put together from, as it is now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from ..model import ContainerKey
from ..services.assembly import Known
from ..services.replicas import Standing
from .intake import Intake


def known_now(
    intake: Intake,
    standings: Mapping[ContainerKey, Standing],
    work_out: Callable[[ContainerKey], Standing | None],
) -> Known:
    """For one round of putting together: each host is looked at once, and not for each of a service's replicas."""
    statuses = intake.engines.statuses
    return Known(
        place=intake.roster.place,
        standings=standings,
        work_out=work_out,
        freshness=cache(intake.engines.freshness),
        plain=intake.engines.plain(),
        doubtful=lambda host: statuses[host].doubtful,
        lost=intake.lost,
        host_order=intake.engines.order,
        now=intake.clock.now(),
        ours=intake.engines.ours,
        engine_of_node=intake.swarms.engine_of_node,
    )
