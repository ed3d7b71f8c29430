"""When somebody has to be told that a service is away, and that it is back. Pure; a clock is passed in.

An **incident** begins with an outage and is over when the service has served for a while (`STEADY`): one that comes and
goes is one incident, told once at each threshold. What counts against the thresholds is how long it was away in all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from ..model import ServiceKey
from .lapses import Lapse

STEADY = timedelta(seconds=60)


class Level(StrEnum):
    """What an alarm says."""

    WARN = "warn"
    PAGE = "page"
    RECOVERED = "recovered"


class Thresholds(msgspec.Struct, frozen=True):
    """Seconds of downtime at which somebody is told; None: never."""

    warn: float | None = None
    page: float | None = None

    def reached(self, seconds: float) -> Level | None:
        """The highest of them that is reached."""
        if self.page is not None and seconds >= self.page:
            return Level.PAGE
        return Level.WARN if self.warn is not None and seconds >= self.warn else None


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be told."""

    level: Level
    service: ServiceKey
    incident: str
    """The same in all alarms of one incident, whoever sends them."""
    begin: datetime
    """When it was away for the first time."""
    down: float
    """Seconds that it was away in all."""
    times: int
    """How often it was."""
    now: datetime
    since: datetime
    """When the threshold was reached, or it served again: before `now` where nobody looked."""


class Incident(msgspec.Struct):
    """One that is not over."""

    key: str
    begin: datetime
    over: float = 0.0
    """Seconds of its outages that are over."""
    times: int = 0
    current: Lapse | None = None
    served_since: datetime | None = None
    told: Level | None = None


class Incidents:
    """Follows the outages that go on."""

    def __init__(self, thresholds: Callable[[ServiceKey], Thresholds], *, steady: timedelta = STEADY) -> None:
        self._thresholds = thresholds
        self._steady = steady
        self._incidents: dict[ServiceKey, Incident] = {}

    def take_up(self, told: Mapping[ServiceKey, Lapse]) -> None:
        """Of these somebody was told by an earlier process, and not that they are over."""
        for service, lapse in told.items():
            if service not in self._incidents:
                seconds = ((lapse.end or lapse.begin) - lapse.begin).total_seconds()
                self._incidents[service] = Incident(
                    lapse.key, lapse.begin, over=seconds, times=1, served_since=lapse.end, told=Level.PAGE
                )

    def tick(
        self, going: Mapping[ServiceKey, Lapse], past: Callable[[ServiceKey], tuple[Lapse, ...]], now: datetime
    ) -> list[Alarm]:
        """What is to be told now. `past`: a service's outages, newest first."""
        alarms: list[Alarm] = []
        for service, lapse in going.items():
            incident = self._incidents.get(service)
            if incident is None:
                incident = self._incidents[service] = Incident(lapse.key, lapse.begin)
            self._goes_on(incident, lapse, past(service))
            alarms += self._rises(service, incident, now)
        for service in [service for service in self._incidents if service not in going]:
            alarms += self._calms(service, self._incidents[service], past(service), now)
        return alarms

    def _goes_on(self, incident: Incident, lapse: Lapse, past: tuple[Lapse, ...]) -> None:
        before = incident.current
        if before is not None and before.key != lapse.key:
            self._close(incident, before, past)
            before = None
        if before is None:
            incident.times += 1
        incident.current, incident.served_since = lapse, None
        incident.begin = min(incident.begin, lapse.begin)

    def _close(self, incident: Incident, lapse: Lapse, past: tuple[Lapse, ...]) -> datetime | None:
        """The end of an outage of it, as it was found to be."""
        found = next((one for one in past if one.key == lapse.key and one.end is not None), None)
        if found is None or found.end is None:
            return None
        incident.over += (found.end - found.begin).total_seconds()
        incident.current = None
        return found.end

    def _rises(self, service: ServiceKey, incident: Incident, now: datetime) -> list[Alarm]:
        lapse = incident.current
        down = incident.over + (lapse.lasted(now).total_seconds() if lapse is not None else 0.0)
        thresholds = self._thresholds(service)
        level = thresholds.reached(down)
        if level is None or incident.told in (level, Level.PAGE):
            return []
        incident.told = level
        limit = (thresholds.page if level is Level.PAGE else thresholds.warn) or 0.0
        return [self._alarm(level, service, incident, down, now, now - timedelta(seconds=down - limit))]

    def _calms(self, service: ServiceKey, incident: Incident, past: tuple[Lapse, ...], now: datetime) -> list[Alarm]:
        if incident.current is not None:
            incident.served_since = self._close(incident, incident.current, past) or now
            incident.current = None
        if incident.served_since is None or now - incident.served_since < self._steady:
            return []
        del self._incidents[service]
        if incident.told is None:
            return []
        return [self._alarm(Level.RECOVERED, service, incident, incident.over, now, incident.served_since)]

    def _alarm(
        self, level: Level, service: ServiceKey, incident: Incident, down: float, now: datetime, since: datetime
    ) -> Alarm:
        return Alarm(
            level=level,
            service=service,
            incident=incident.key,
            begin=incident.begin,
            down=down,
            times=incident.times,
            now=now,
            since=since,
        )
