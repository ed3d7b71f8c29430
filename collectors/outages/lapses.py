"""One time that a service did not serve, and what a look at a service tells of that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

import msgspec

from ..cause.history import SETTLE
from ..digest import digest
from ..model import ContainerKey, ServiceKey, ServiceState
from ..services.replicas import Condition, Standing

GRAIN = 10
"""Seconds; two processes that see one outage begin a moment apart write of the same."""


class Why(StrEnum):
    """What kind of span it is."""

    OUTAGE = "outage"
    """It was wanted, and nothing of it served."""
    UNSURE = "unsure"
    """Whether it served is not known."""
    REST = "rest"
    """It was stopped, and so wanted not to serve."""


class Lapse(msgspec.Struct, frozen=True, kw_only=True):
    """A span in which a service did not serve."""

    service: ServiceKey
    why: Why = Why.OUTAGE
    begin: datetime
    """The last moment it served, by the engine's clock where that is known."""
    end: datetime | None = None
    """When it served again; None: it does not."""
    certain: bool = True
    """Whether the begin is known and not only the earliest moment that is."""
    key: str
    """The same for whoever saw it."""
    told: tuple[str, ...] = ()
    """What has been told of it to somebody: `warn`, `page`."""

    def lasted(self, now: datetime) -> timedelta:
        """So far."""
        return max((self.end or now) - self.begin, timedelta(0))


class Turn(NamedTuple):
    """A replica that serves: when it had ended before, and since when it serves, as far as known."""

    container: ContainerKey
    ended: datetime | None
    since: datetime | None


class Look(msgspec.Struct, frozen=True, dict=True):
    """A service as it is at one moment. What is seldom needed is worked out when it is."""

    state: ServiceState
    serving: int | None
    wanted: int | None
    down_since: datetime | None = None
    certain: bool = True
    standings: Sequence[Standing] = ()

    @cached_property
    def turns(self) -> tuple[Turn, ...]:
        """The replicas that serve."""
        return tuple(
            Turn(s.replica.container, s.ended, s.serving_since)
            for s in self.standings
            if s.condition is Condition.SERVING and s.reachable and s.replica.container is not None
        )

    @cached_property
    def served_from(self) -> datetime | None:
        """Before it failed it had served, long enough to count, from then on; None: not as far as replicas tell."""
        ran = [s.ended - s.ran for s in self.standings if s.ended is not None and s.ran is not None and s.ran >= SETTLE]
        return min(ran, default=None)

    def served_at(self, moment: datetime) -> bool:
        """Whether one of those that serve now has done so since then."""
        return any(
            s.serving_since is not None and s.serving_since <= moment
            for s in self.standings
            if s.condition is Condition.SERVING and s.reachable and s.replica.container is not None
        )


def key_of(service: ServiceKey, begin: datetime, *, exact: bool = False) -> str:
    """What names a lapse of a service that began then, `exact` to the microsecond or about then."""
    seconds = begin.astimezone(UTC).timestamp()
    text = "\0".join(("lapse", *service, repr(seconds) if exact else str(int(seconds) // GRAIN)))
    return digest(text.encode())[:32]
