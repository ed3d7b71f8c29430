"""The swarms, one picture of each: from the manager that sees it best."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ..model import EngineEvent, ServiceKey, SwarmPicture
from ..services.swarms import Picture
from .engines import Book


class SwarmBook:
    """The newest good picture of each swarm, and which engine is which node."""

    def __init__(self, reachable: Callable[[str], bool]) -> None:
        self.pictures: dict[str, SwarmPicture] = {}
        """By cluster id."""
        self.engine_of_node: Mapping[str, str] = {}
        self._reachable = reachable
        self._laid_out: dict[str, Picture] = {}
        self._ids: dict[ServiceKey, str] = {}

    def picture(self, service: ServiceKey) -> Picture | None:
        """The picture of a service's swarm."""
        return self._laid_out.get(service.scope) if service.source == "swarm" else None

    def service_id(self, service: ServiceKey) -> str:
        """The swarm's own id of a service; empty where it is not known."""
        return self._ids.get(service, "")

    def nodes(self, cluster: str) -> Iterable[str]:
        """The ids of a swarm's nodes."""
        picture = self._laid_out.get(cluster)
        return picture.nodes if picture is not None else ()

    def put(self, picture: SwarmPicture, cluster: str) -> set[ServiceKey] | None:
        """A swarm was read. The services this touches; None: the picture we have is better."""
        old = self._laid_out.get(cluster)
        if old is not None and not self._better(picture, old.picture):
            return None
        new = Picture(picture)
        self._laid_out[cluster], self.pictures[cluster] = new, picture
        touched: set[ServiceKey] = set()
        otherwise = old is None or (old.picture.error, old.picture.manager) != (picture.error, picture.manager)
        for service_id, service in new.services.items():
            key = ServiceKey("swarm", cluster, service.name)
            self._ids[key] = service_id
            if old is None or otherwise or old.of(service_id) != new.of(service_id):
                touched.add(key)
        for service_id, service in old.services.items() if old is not None else ():
            if service_id not in new.services:
                key = ServiceKey("swarm", cluster, service.name)
                if self._ids.get(key) == service_id:
                    del self._ids[key]
                touched.add(key)
        return touched

    def services_of(self, cluster: str) -> set[ServiceKey]:
        """All services of a swarm."""
        picture = self._laid_out.get(cluster)
        services = picture.services.values() if picture is not None else ()
        return {ServiceKey("swarm", cluster, service.name) for service in services}

    def read_by(self, engine: str) -> Sequence[str]:
        """The swarms whose picture comes from this engine."""
        return [cluster for cluster, picture in self._laid_out.items() if picture.picture.manager == engine]

    def learn_engines(self, books: Sequence[Book]) -> bool:
        """Which node each engine is; whether that is new."""
        found: dict[str, str] = {}
        for book in books:
            info = book.status.info
            if info is not None and info.swarm is not None and info.swarm.node_id and not book.status.same_as:
                found.setdefault(info.swarm.node_id, book.name)
        if found == self.engine_of_node:
            return False
        self.engine_of_node = found
        return True

    def _better(self, picture: SwarmPicture, old: SwarmPicture) -> bool:
        if picture.error and not old.error and picture.manager != old.manager:
            return not self._reachable(old.manager)
        return picture.at >= old.at


def service_key(event: EngineEvent, cluster: str) -> ServiceKey:
    """The service a swarm's event is about."""
    return ServiceKey("swarm", cluster, event.name)
