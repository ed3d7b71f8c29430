"""Where in the program a person is, and the way back."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import datetime

import msgspec
from fleettop.collectors.model import ContainerKey, Service, ServiceKey
from fleettop.collectors.trail.store import Place as Standing

Scope = ServiceKey | ContainerKey | str | None
"""What a view is narrowed to: a service, a container, an engine by its name, or nothing."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One place: a view, what it is narrowed to, and how it is looked at."""

    view: str = "services"
    scope: Scope = None
    filter: str = ""
    only_wrong: bool = False
    sort: str = ""
    reverse: bool = False
    cursor: Hashable = None
    only_changes: bool = False
    """In the trail: only what somebody did."""
    as_of: datetime | None = None
    """In the trail: the moment that is looked at; None: the present."""
    around: Standing | None = None
    """In the trail: where the cursor stood."""


class History:
    """The places a person went through, as in a browser."""

    def __init__(self, first: Place) -> None:
        self._places = [first]
        self._at = 0

    @property
    def place(self) -> Place:
        """Where we are."""
        return self._places[self._at]

    def go(self, place: Place) -> None:
        """Somewhere new; what lay ahead is forgotten."""
        if place != self.place:
            del self._places[self._at + 1 :]
            self._places.append(place)
            self._at += 1

    def amend(self, **changes: object) -> Place:
        """The same place, looked at in another way; no step in the history."""
        self._places[self._at] = msgspec.structs.replace(self.place, **changes)
        return self.place

    def back(self) -> bool:
        """One step back; False at the beginning."""
        if self._at == 0:
            return False
        self._at -= 1
        return True

    def forward(self) -> bool:
        """One step forward again; False at the end."""
        if self._at + 1 == len(self._places):
            return False
        self._at += 1
        return True


def placed(scope: Scope, services: Mapping[ServiceKey, Service]) -> ServiceKey | None:
    """The key by which a swarm's service is known now that its cluster is known; None: this is none, or it is not."""
    if not isinstance(scope, ServiceKey) or scope.source != "swarm" or scope.scope or scope in services:
        return None
    return next((key for key in services if key.source == "swarm" and key.name == scope.name and key.scope), None)


def scope_words(services: Mapping[ServiceKey, Service], scope: Scope) -> str:
    """What a place is narrowed to, in words."""
    if isinstance(scope, ServiceKey):
        service = services.get(scope)
        return service.title if service is not None else scope.name
    if isinstance(scope, ContainerKey):
        return scope.id[:12]
    return scope or ""
