"""Knowing an event that was heard before."""

from __future__ import annotations

from ..model import EngineEvent
from ..remembered import Remembered

SWARM_TYPES = frozenset(("service", "node", "secret", "config"))
"""Objects of a whole swarm: every manager tells of them."""
REMEMBERED = 512
"""Identities kept of each engine and of each swarm. An engine has 256 events to tell again (moby, `eventsLimit`); what
is read twice after a reconnect are some seconds."""


class Repeats:
    """Events come again after a reconnect, from a second address, and from every manager of a swarm."""

    def __init__(self) -> None:
        self._heard: dict[str, Remembered] = {}

    def first_time(self, event: EngineEvent, cluster: str) -> bool:
        """Whether this event is new; `cluster` is the swarm of its engine."""
        where = f"swarm {cluster}" if event.type in SWARM_TYPES else f"engine {event.engine}"
        heard = self._heard.get(where)
        if heard is None:
            heard = self._heard[where] = Remembered(REMEMBERED)
        return heard.first_time(event.identity)

    def move(self, old: str, new: str) -> None:
        """An engine is known by another name now."""
        if f"engine {old}" in self._heard:
            self._heard[f"engine {new}"] = self._heard.pop(f"engine {old}")
