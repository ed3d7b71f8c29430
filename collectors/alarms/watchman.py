"""Looks every second whether somebody is to be told, and tells: who sits before the screen, and whoever is elsewhere.

Several fleettops may watch one fleet with one trail. Each rings its own bell; to elsewhere an alarm goes once, since
it stands in the trail what was told. So one with a screen waits a little for one that records.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from ..beat import beat
from ..clock import Clock
from ..config import Config
from ..fleet import Fleet
from ..model import ServiceKey
from ..outages.incidents import Alarm, Incidents, Thresholds
from .message import Message, message_of
from .ways import Command, Outbox, Way, Webhook

EVERY = 1.0
AT_FIRST = timedelta(minutes=1)
"""How long the trail may take to tell what was before."""
PATIENCE = 4.0
"""Seconds that one with a screen waits for another to tell it: a line of the trail takes about two to be seen."""


class Watchman:
    """One per process. `on_alarm` gets what is told here, at once."""

    def __init__(
        self,
        fleet: Fleet,
        config: Config,
        clock: Clock,
        *,
        environment: Mapping[str, str],
        patience: float = 0.0,
        ways: Sequence[Way] | None = None,
    ) -> None:
        self.on_alarm: Callable[[Message], None] | None = None
        self.on_trouble: Callable[[], None] | None = None
        """Called when `trouble` comes or goes."""
        self._fleet = fleet
        self._clock = clock
        self._began = clock.now()
        self._patience = timedelta(seconds=patience)
        self._thresholds = _thresholds(config)
        self._incidents = Incidents(self.thresholds, steady=timedelta(seconds=config.alarms.steady))
        self._held: list[tuple[Alarm, Message]] = []
        self._taken_up: set[str] = set()
        chosen = _ways(config, environment) if ways is None else ways
        self.outboxes = [Outbox(way, self._changed, arrived=self._arrived) for way in chosen]

    @property
    def trouble(self) -> str:
        """What does not arrive, and why; empty: everything does."""
        return "; ".join(box.trouble for box in self.outboxes if box.trouble)

    def thresholds(self, service: ServiceKey) -> Thresholds:
        """Those of the strictest group among its hosts."""
        known = self._fleet.services.get(service)
        engines = self._fleet.engines
        groups = {engines[host].group for host in known.hosts if host in engines} if known is not None else set()
        found = [self._thresholds.get(group, self._thresholds[""]) for group in groups] or [self._thresholds[""]]
        return Thresholds(
            warn=min((one.warn for one in found if one.warn is not None), default=None),
            page=min((one.page for one in found if one.page is not None), default=None),
        )

    async def run(self) -> None:
        """Look and tell, for ever."""
        async with asyncio.TaskGroup() as group:
            for box in self.outboxes:
                group.create_task(box.run())
            while True:
                self.tick()
                await beat(EVERY)

    def tick(self) -> None:
        """Look once."""
        now, ledger = self._clock.now(), self._fleet.outages
        if now - self._began <= AT_FIRST:
            self._take_up(now)
        for alarm in self._incidents.tick(ledger.open(), ledger.past, now):
            message = message_of(alarm, self._fleet)
            if self.on_alarm is not None and alarm.since > self._began:
                self.on_alarm(message)  # of what was so before, the screen tells
            self._held.append((alarm, message))
        due = [held for held in self._held if now - held[0].now >= self._patience]
        if due:
            self._held = self._held[len(due) :]
        for alarm, message in due:
            if message.level not in ledger.told(alarm.service, alarm.incident):
                for box in self.outboxes:
                    box.put(message)

    def _arrived(self, message: Message) -> None:
        """Only what arrived was told: where it did not, another fleettop may have more luck."""
        service = ServiceKey(message.source, message.scope, message.key)
        if message.level not in self._fleet.outages.told(service, message.id):
            self._fleet.outages.tell(service, message.level)

    def _take_up(self, now: datetime) -> None:
        """Of what an earlier process told, and did not live to see the end of."""
        untold = self._fleet.outages.untold(now - timedelta(days=1))
        fresh = {s: o for s, o in untold.items() if o.begin < self._began and o.key not in self._taken_up}
        self._taken_up.update(lapse.key for lapse in fresh.values())
        self._incidents.take_up(fresh)

    def _changed(self) -> None:
        if self.on_trouble is not None:
            self.on_trouble()


def _thresholds(config: Config) -> dict[str, Thresholds]:
    """By group; under the empty name those of all others."""
    alarms = config.alarms
    found = {"": Thresholds(alarms.downtime_warn, alarms.downtime_page)}
    for name, group in config.groups.items():
        found[name] = Thresholds(
            alarms.downtime_warn if group.downtime_warn is None else group.downtime_warn,
            alarms.downtime_page if group.downtime_page is None else group.downtime_page,
        )
    return found


def _ways(config: Config, environment: Mapping[str, str]) -> list[Way]:
    alarms = config.alarms
    ways: list[Way] = []
    if alarms.webhook:
        ways.append(Webhook(alarms.webhook, alarms.webhook_host))
    if alarms.command:
        ways.append(Command(alarms.command, environment))
    return ways
