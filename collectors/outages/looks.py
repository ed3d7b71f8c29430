"""What one look at a service tells its ledger."""

from __future__ import annotations

from ..cause.history import SETTLE
from ..services.assembly import Assembled
from ..services.replicas import Condition
from .lapses import Look, Turn


def look_of(assembled: Assembled) -> Look:
    """The service as it was just put together."""
    service, standings = assembled.service, assembled.standings
    ran = [s.ended - s.ran for s in standings if s.ended is not None and s.ran is not None and s.ran >= SETTLE]
    return Look(
        state=service.state,
        serving=service.serving,
        wanted=service.wanted,
        down_since=service.down_since,
        certain=service.down_since_certain,
        served_from=min(ran, default=None),
        turns=tuple(
            Turn(s.replica.container, s.ended, s.serving_since)
            for s in standings
            if s.condition is Condition.SERVING and s.reachable and s.replica.container is not None
        ),
    )
