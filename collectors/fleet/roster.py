"""Which containers each service has, kept up to date one container at a time, and when each of them was made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from ..model import Container, ContainerKey, ServiceKey
from ..services.changes import Birth
from ..services.places import CONFIG_HASH, SWARM_NODE, Place, ServiceRule, place_of

UNSEEN = timedelta(hours=1)
"""How long before its end a container is taken to have been made where only its end was seen."""
KEPT_GONE = 32
"""Births of containers that are gone, kept of each service to tell a deploy by."""


HostOrder = Callable[[str], tuple[int, str]]
"""What hosts are sorted by."""
Rank = tuple[tuple[int, str], int, str, str]
"""What a service's members are sorted by."""


class Roster:
    """Containers by service. Every change costs what it touches, never the fleet."""

    def __init__(self, rules: Sequence[ServiceRule], host_order: HostOrder) -> None:
        self._rules = tuple(rules)
        self._host_order = host_order
        self._places: dict[ContainerKey, Place] = {}
        self._members: dict[ServiceKey, dict[ContainerKey, Rank]] = {}
        self._in_order: dict[ServiceKey, tuple[ContainerKey, ...]] = {}
        """The members of services, sorted: of those that were asked for since they last changed."""
        self._by_node: dict[str, set[ContainerKey]] = {}
        """Swarm tasks' containers, by their node's id."""
        self._births: dict[ServiceKey, dict[ContainerKey, Birth]] = {}
        self.clusters: dict[str, str] = {}
        """From swarm node ids to their clusters' ids, as far as known."""

    def place(self, key: ContainerKey) -> Place | None:
        """Where a container belongs; None: it is not there."""
        return self._places.get(key)

    def place_for(self, container: Container) -> Place:
        """Where such a container would belong."""
        return place_of(container, self._rules, self._cluster)

    def members(self, service: ServiceKey) -> Sequence[ContainerKey]:
        """The replicas' containers: in the order of their hosts, on each by their numbers, then by name."""
        found = self._in_order.get(service)
        if found is None:
            ranks = self._members.get(service, {})
            found = tuple(sorted(ranks, key=ranks.__getitem__))
            if found:
                self._in_order[service] = found
        return found

    def births(self, service: ServiceKey) -> Sequence[Birth]:
        """When its containers were made, also of some that are gone."""
        return tuple(self._births.get(service, {}).values())

    def born(self, service: ServiceKey, key: ContainerKey) -> datetime | None:
        """When one of them was made; None: not known."""
        birth = self._births.get(service, {}).get(key)
        return birth.created if birth is not None else None

    def put(self, container: Container, old: Container | None, created: datetime | None) -> set[ServiceKey]:
        """A container is there, or is another than before; `created` on our clock. The services this touches."""
        key = container.key
        before = self._places.get(key)
        if before is not None and old is not None and _same_signs(old, container):
            return {before.key} if before.key is not None else set()
        place = self.place_for(container)
        touched = self._move(container, before, place)
        if (node := container.labels.get(SWARM_NODE)) is not None:
            self._by_node.setdefault(node, set()).add(key)
        if place.service is not None and created is not None:
            self._births.setdefault(place.service, {})[key] = Birth(
                key=key,
                created=created,
                image=container.image,
                image_id=container.image_id,
                config_hash=container.labels.get(CONFIG_HASH, ""),
                slot=place.slot,
                name=container.name,
                labels=container.labels,
            )
        return touched

    def remember(self, container: Container, ended: datetime) -> None:
        """A container that was never listed is told of as it ends: what came after it is a change from it."""
        place = self.place_for(container)
        if place.service is None or container.key in self._births.get(place.service, {}):
            return
        self._births.setdefault(place.service, {})[container.key] = Birth(
            key=container.key,
            created=ended - UNSEEN,
            image=container.image,
            image_id=container.image_id,
            config_hash=container.labels.get(CONFIG_HASH, ""),
            certain=False,
            slot=place.slot,
            name=container.name,
            labels=container.labels,
        )
        self._prune_births(place.service)

    def drop(self, container: Container) -> set[ServiceKey]:
        """A container is gone. The services this touches."""
        key = container.key
        before = self._places.pop(key, None)
        if (node := container.labels.get(SWARM_NODE)) is not None:
            self._by_node.get(node, set()).discard(key)
        if before is None:
            return set()
        if before.service is not None:
            self._leave(before.service, key)
            self._prune_births(before.service)
        return {before.key} if before.key is not None else set()

    def learn_clusters(
        self, nodes: Iterable[str], cluster: str, containers: Mapping[ContainerKey, Container]
    ) -> set[ServiceKey]:
        """These nodes are of this cluster: place their tasks' containers accordingly. The services this touches."""
        touched: set[ServiceKey] = set()
        for node in nodes:
            if self.clusters.get(node) == cluster:
                continue
            self.clusters[node] = cluster
            for key in tuple(self._by_node.get(node, ())):
                container = containers.get(key)
                if container is None:
                    continue
                before, place = self._places.get(key), self.place_for(container)
                touched |= self._move(container, before, place)
                if before is not None and before.service is not None and place.service is not None:
                    birth = self._births.get(before.service, {}).pop(key, None)
                    if birth is not None:
                        self._births.setdefault(place.service, {})[key] = birth
        return touched

    def forget(self, service: ServiceKey) -> None:
        """Nothing of this service is wanted any more, unless it has come back."""
        if service not in self._members:
            self._births.pop(service, None)

    def _cluster(self, node: str) -> str:
        return self.clusters.get(node, "")

    def _move(self, container: Container, before: Place | None, place: Place) -> set[ServiceKey]:
        key = container.key
        touched = {p.key for p in (before, place) if p is not None and p.key is not None}
        self._places[key] = place
        if before is not None and before.service is not None and before.service != place.service:
            self._leave(before.service, key)
        if place.service is not None:
            rank = (self._host_order(key.engine), _number(place.number), container.name, key.id)
            self._members.setdefault(place.service, {})[key] = rank
            self._in_order.pop(place.service, None)
        return touched

    def _leave(self, service: ServiceKey, key: ContainerKey) -> None:
        members = self._members.get(service)
        if members is not None:
            members.pop(key, None)
            self._in_order.pop(service, None)
            if not members:
                del self._members[service]

    def _prune_births(self, service: ServiceKey) -> None:
        births, members = self._births.get(service), self._members.get(service, {})
        if births is None or len(births) - len(members) <= KEPT_GONE:
            return
        gone = sorted((b for b in births.values() if b.key not in members), key=lambda b: b.created)
        for birth in gone[: len(gone) - KEPT_GONE]:
            del births[birth.key]


@lru_cache(4096)
def _number(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 10 else 0


def _same_signs(old: Container, new: Container) -> bool:
    """Whether nothing that a container is placed by has changed."""
    return (
        (old.labels is new.labels or old.labels == new.labels)
        and old.name == new.name
        and old.image == new.image
        and old.image_id == new.image_id
        and old.created == new.created
    )
