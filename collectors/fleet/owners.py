"""Which service the container of an event is of, and which container it was made in place of."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime

from ..cause.desk import Owner
from ..model import Container, ContainerKey, EngineEvent, ServiceKey, titled
from ..services.places import Place, as_container
from ..words import familiar_image
from .roster import Roster

KEPT = 2_000
"""Containers that are gone and may yet be replaced."""
_NEVER = datetime.min.replace(tzinfo=UTC)


class Owners:
    """Finds what an event's container belongs to: its labels come with the event, so also of one not listed yet."""

    def __init__(self, roster: Roster, containers: Mapping[ContainerKey, Container]) -> None:
        self._roster = roster
        self._containers = containers
        self._gone: OrderedDict[tuple[str, ServiceKey, str], Container] = OrderedDict()
        """The last container of each replica that is gone, by engine, service and slot."""

    def owner(self, event: EngineEvent) -> Owner:
        """The service of an event's container."""
        place = self._place(event)
        return Owner(place.key, titled(place.stack, place.name))

    def image_before(self, event: EngineEvent) -> str:
        """What the newest container of its service was made from, where that is another image than its own."""
        owner, image = self.owner(event).key, event.attributes.get("image", "")
        births = [b for b in self._roster.births(owner) if b.key.id != event.id] if owner is not None else []
        here = [b for b in births if b.key.engine == event.engine]  # a replica is replaced where it was
        newest = max(here or births, key=lambda b: b.created, default=None)
        if newest is None or not image or familiar_image(newest.image) == familiar_image(image):
            return ""
        return newest.image

    def goes(self, container: Container) -> None:
        """It is no longer there, by an event, an inspect or a list: remember it as it was last read."""
        place = self._roster.place(container.key)
        if place is None or place.service is None:
            return
        which = (container.engine, place.service, place.slot or container.name)
        self._gone[which] = container
        self._gone.move_to_end(which)
        if len(self._gone) > KEPT:
            self._gone.popitem(last=False)

    def predecessor(self, event: EngineEvent) -> Container | None:
        """The newest other container of the same replica on the same engine, as last read; also one that is gone."""
        place = self._place(event)
        if place.service is None:
            return None
        there = [
            container
            for key in self._roster.members(place.service)
            if key.engine == event.engine and key.id != event.id
            if (container := self._containers.get(key)) is not None and self._same(container, place, event.name)
        ]
        newest = max(there, key=lambda container: container.created or _NEVER, default=None)
        return newest or self._gone.pop((event.engine, place.service, place.slot or event.name), None)

    def _same(self, container: Container, place: Place, name: str) -> bool:
        other = self._roster.place(container.key)
        return other is not None and (other.slot == place.slot if place.slot else container.name == name)

    def _place(self, event: EngineEvent) -> Place:
        place = self._roster.place(ContainerKey(event.engine, event.id))
        return place if place is not None else self._roster.place_for(as_container(event))
