"""Marking what has to be told anew after a change: a container, its service, all of an engine, a whole swarm."""

from __future__ import annotations

from ..model import ContainerKey
from .engines import Book
from .roster import Roster
from .swarmbook import SwarmBook
from .touched import Touched


class Marking:
    """Knows what depends on what."""

    def __init__(self, touched: Touched, roster: Roster, swarms: SwarmBook) -> None:
        self._touched = touched
        self._roster = roster
        self._swarms = swarms

    def container(self, key: ContainerKey) -> None:
        """How this container stands is to be told anew."""
        self._touched.standings.add(key)
        self._service_of(key)

    def engine(self, book: Book) -> None:
        """How far what is known of this engine is of the present has changed."""
        self._touched.engines.add(book.name)
        for container_id in book.containers:
            key = ContainerKey(book.name, container_id)
            self._touched.containers.add(key)
            self._service_of(key)  # how a container stands does not depend on its host being reachable
        for cluster in self._swarms.read_by(book.name):
            self.cluster(cluster)

    def cluster(self, cluster: str) -> None:
        """The picture of this swarm has changed."""
        self._touched.swarms = True
        self._touched.rebuild |= self._swarms.services_of(cluster)

    def _service_of(self, key: ContainerKey) -> None:
        place = self._roster.place(key)
        if place is not None and place.key is not None:
            self._touched.rebuild.add(place.key)
