"""What one look at a service tells its ledger."""

from __future__ import annotations

from ..services.assembly import Assembled
from .lapses import Look


def look_of(assembled: Assembled) -> Look:
    """The service as it was just put together."""
    service = assembled.service
    return Look(
        state=service.state,
        serving=service.serving,
        wanted=service.wanted,
        down_since=service.down_since,
        certain=service.down_since_certain,
        standings=assembled.standings,
    )
