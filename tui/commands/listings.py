"""What `fleettop ls` lists: for each noun its things worst first, what the filter sees of them, and how they print."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from fleettop.collectors import words
from fleettop.collectors.model import (
    Container,
    ContainerKey,
    ContainerState,
    Image,
    Port,
    Service,
    ServiceKey,
    ServiceState,
    SwarmNode,
    SwarmPicture,
)

from ..format import percent, units
from ..output import Heading, Text
from ..views.base import View
from ..views.cells import sum_of
from ..views.conditions import condition
from ..views.containers import ContainersView
from ..views.hosts import HostsView
from ..views.services import ServicesView
from .images import ImageUse, image_record, image_uses
from .records import Json, container_record, engine_record, is_stale, node_record, service_record

if TYPE_CHECKING:
    from fleettop.collectors.fleet import Fleet

UNKNOWN = Text("–", "dim")


class Moment(msgspec.Struct, frozen=True):
    """When it is listed: the wall clock, and the monotonic one for ages."""

    now: datetime
    monotonic: float


class Listing(ABC):
    """One noun of `ls`."""

    headings: tuple[Heading, ...]

    @abstractmethod
    def things(self, fleet: Fleet) -> Iterable[Hashable]:
        """All of them, worst first."""

    @abstractmethod
    def fields(self, fleet: Fleet, thing: Hashable) -> Mapping[str, object]:
        """What the filter language sees of one."""

    def containers(self, fleet: Fleet, thing: Hashable) -> tuple[ContainerKey, ...]:
        """The containers whose use of CPU and memory the filter sees."""
        return ()

    @abstractmethod
    def record(self, fleet: Fleet, thing: Hashable, moment: Moment) -> Json:
        """One as `--json` prints it."""

    @abstractmethod
    def row(self, fleet: Fleet, thing: Hashable, moment: Moment) -> Sequence[Text | str]:
        """One as a line of a table."""


class _OfView(Listing):
    """A noun that has a view on the dashboard: the same order and the same filter."""

    view: View

    def things(self, fleet: Fleet) -> Iterable[Hashable]:
        return sorted(self.view.keys(fleet, None), key=lambda key: self.view.rank(fleet, key))

    def fields(self, fleet: Fleet, thing: Hashable) -> Mapping[str, object]:
        return self.view.fields(fleet, thing)

    def containers(self, fleet: Fleet, thing: Hashable) -> tuple[ContainerKey, ...]:
        return self.view.containers(fleet, thing)


class _Used(Listing):
    """Another listing, with what the containers of each thing use."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self.headings = (*listing.headings, Heading("CPU", "right"), Heading("MEM", "right"))

    def things(self, fleet: Fleet) -> Iterable[Hashable]:
        return self._listing.things(fleet)

    def fields(self, fleet: Fleet, thing: Hashable) -> Mapping[str, object]:
        return self._listing.fields(fleet, thing)

    def containers(self, fleet: Fleet, thing: Hashable) -> tuple[ContainerKey, ...]:
        return self._listing.containers(fleet, thing)

    def record(self, fleet: Fleet, thing: Hashable, moment: Moment) -> Json:
        return self._listing.record(fleet, thing, moment)

    def row(self, fleet: Fleet, thing: Hashable, moment: Moment) -> Sequence[Text | str]:
        keys = self.containers(fleet, thing)
        cpu, memory = sum_of(fleet, keys, "cpu"), sum_of(fleet, keys, "memory")
        used = (UNKNOWN if cpu is None else percent(cpu), UNKNOWN if memory is None else units(memory))
        return (*self._listing.row(fleet, thing, moment), *used)


def with_figures(listing: Listing) -> Listing:
    """The same with two columns more, where its things have containers."""
    return _Used(listing) if isinstance(listing, _OfView) else listing


class Services(_OfView):
    """Services across all hosts."""

    view = ServicesView()
    headings = (
        Heading("STATE"),
        Heading("SERVICE"),
        Heading("REPLICAS", "right"),
        Heading("DOWN FOR", "right"),
        Heading("HOSTS"),
        Heading("IMAGE"),
        Heading("RESTARTS 1H", "right"),
        Heading("LAST CHANGE"),
        Heading("NOTE"),
    )

    def record(self, fleet: Fleet, thing: Hashable, moment: Moment) -> Json:
        """One service."""
        return service_record(fleet, _service(fleet, thing))

    def row(self, fleet: Fleet, thing: Hashable, moment: Moment) -> Sequence[Text | str]:
        """One service."""
        service = _service(fleet, thing)
        calm = service.state in (ServiceState.HEALTHY, ServiceState.STOPPED)
        change = service.last_change
        return (
            Text(str(service.state), str(service.state)),
            Text(str(self.view.fields(fleet, thing)["name"]), "stale" if service.stale else "" if calm else "strong"),
            f"{_known(service.serving)}/{_known(service.wanted)}",
            "" if calm or service.down_since is None else _down_for(service, moment),
            Text(words.listed(service.hosts), "dim"),
            service.image,
            "" if not service.restarts else Text(str(service.restarts), "flapping" if service.restarts > 2 else ""),
            Text(f"{change.what} {_ago(change.time, moment)} · {change.actor}", "dim") if change else "",
            Text(
                "; ".join(filter(None, (service.note, "seen before its host was lost" if service.stale else ""))), "dim"
            ),
        )


class Containers(_OfView):
    """Containers on all engines."""

    view = ContainersView()
    headings = (
        Heading("STATE"),
        Heading("CONTAINER"),
        Heading("SERVICE"),
        Heading("HOST"),
        Heading("IMAGE"),
        Heading("FOR", "right"),
        Heading("PORTS"),
        Heading("ID"),
    )

    def record(self, fleet: Fleet, thing: Hashable, moment: Moment) -> Json:
        """One container."""
        return container_record(fleet, fleet.containers[_container(thing)])

    def row(self, fleet: Fleet, thing: Hashable, moment: Moment) -> Sequence[Text | str]:
        """One container."""
        container = fleet.containers[_container(thing)]
        word, role = condition(container)
        service = container_record(fleet, container)["service"]
        return (
            Text(word, role),
            Text(container.name, "stale" if is_stale(fleet, container) else ""),
            Text(str(service or ""), "dim"),
            container.engine,
            words.short_image(container.image),
            Text(_lasts(container, moment), "dim"),
            Text(_ports(container.ports), "dim"),
            Text(words.short_id(container.id), "dim"),
        )


class Engines(_OfView):
    """Engines, and the way to each."""

    view = HostsView()
    headings = (
        Heading("LINK"),
        Heading("ENGINE"),
        Heading("VERSION"),
        Heading("RUNNING", "right"),
        Heading("CONTAINERS", "right"),
        Heading("LATENCY", "right"),
        Heading("SKEW", "right"),
        Heading("SWARM"),
        Heading("GROUP"),
        Heading("ADDRESS"),
        Heading("NOTE"),
    )

    def record(self, fleet: Fleet, thing: Hashable, moment: Moment) -> Json:
        """One engine."""
        return engine_record(fleet, fleet.engines[str(thing)], now=moment.now, monotonic=moment.monotonic)

    def row(self, fleet: Fleet, thing: Hashable, moment: Moment) -> Sequence[Text | str]:
        """One engine."""
        engine = fleet.engines[str(thing)]
        info, link = engine.info, engine.link
        listed = [c for c in fleet.containers.values() if c.engine == engine.name]
        known = engine.confirmed is not None
        swarm = info.swarm if info else None
        notes = [
            f"the same engine as {engine.same_as}" if engine.same_as else "",
            "not encrypted" if link.insecure else "",
            link.error.word if link.error else "",
        ]
        return (
            Text(str(link.phase), "healthy" if str(link.phase) == "up" else "down"),
            engine.name,
            Text(f"{info.kind} {info.version}", "dim") if info else UNKNOWN,
            str(sum(c.state == "running" for c in listed)) if known else UNKNOWN,
            str(len(listed)) if known else UNKNOWN,
            f"{link.latency * 1000:.1f} ms" if link.latency is not None else UNKNOWN,
            _skew(info.skew if info else None),
            "" if swarm is None or swarm.state == "inactive" else "manager" if swarm.manager else "worker",
            engine.group,
            Text(engine.address, "dim"),
            Text("; ".join(filter(None, notes)), "warning"),
        )


class Nodes(Listing):
    """Nodes of the swarms, as their managers see them."""

    headings = (
        Heading("STATE"),
        Heading("NODE"),
        Heading("ROLE"),
        Heading("AVAILABILITY"),
        Heading("RUNNING TASKS", "right"),
        Heading("VERSION"),
        Heading("ADDRESS"),
        Heading("SEEN BY"),
        Heading("NOTE"),
    )

    def things(self, fleet: Fleet) -> Iterable[Hashable]:
        """Those that are not ready first."""
        found = [(cluster, node.id) for cluster, picture in fleet.swarms.items() for node in picture.nodes]
        return sorted(found, key=lambda thing: self._rank(*_node(fleet, thing)))

    def fields(self, fleet: Fleet, thing: Hashable) -> Mapping[str, object]:
        """By the names of the Swarm view."""
        picture, node = _node(fleet, thing)
        return {
            "name": node.hostname,
            "host": (node.hostname, picture.manager),
            "state": (node.state, node.availability),
            "role": ("leader", node.role) if node.leader else node.role,
            "availability": node.availability,
            "version": node.engine_version,
            "address": node.address,
        }

    def record(self, fleet: Fleet, thing: Hashable, moment: Moment) -> Json:
        """One node."""
        return node_record(*_node(fleet, thing))

    def row(self, fleet: Fleet, thing: Hashable, moment: Moment) -> Sequence[Text | str]:
        """One node."""
        picture, node = _node(fleet, thing)
        active = node.availability == "active"
        return (
            Text(node.state, "healthy" if node.state == "ready" else "down"),
            node.hostname,
            f"{node.role}, leader" if node.leader else node.role,
            Text(node.availability, "" if active else "warning"),
            str(node_record(picture, node)["tasks_running"]),
            Text(node.engine_version, "dim"),
            Text(node.address, "dim"),
            Text(picture.manager, "dim"),
            Text("; ".join(filter(None, (node.message, picture.error))), "warning"),
        )

    @staticmethod
    def _rank(picture: SwarmPicture, node: SwarmNode) -> tuple[object, ...]:
        return (node.state == "ready", node.availability == "active", picture.cluster_id, node.hostname, node.id)


class Images(Listing):
    """The images that lie on the engines and those that containers were made from."""

    headings = (
        Heading("IMAGE"),
        Heading("RUNNING", "right"),
        Heading("CONTAINERS", "right"),
        Heading("SIZE", "right"),
        Heading("IDS", "right"),
        Heading("HOSTS"),
        Heading("SERVICES"),
    )

    def __init__(self, lying: Sequence[Image] = ()) -> None:
        """With what the engines said they have."""
        self._lying = lying

    def things(self, fleet: Fleet) -> Iterable[Hashable]:
        """Those made of several ids under one name first: somewhere an old one runs. What nobody uses comes last."""
        uses = image_uses(fleet, self._lying)
        return sorted(uses, key=lambda use: (not (use.containers and len(use.ids) > 1), not use.containers, use.image))

    def fields(self, fleet: Fleet, thing: Hashable) -> Mapping[str, object]:
        """Its name, where it lies, who uses it, and its size."""
        use = _image(thing)
        return {
            "name": use.image,
            "image": use.image,
            "host": use.engines,
            "service": use.services,
            "containers": use.containers,
            "disk": use.size,
        }

    def record(self, fleet: Fleet, thing: Hashable, moment: Moment) -> Json:
        """One image."""
        return image_record(_image(thing))

    def row(self, fleet: Fleet, thing: Hashable, moment: Moment) -> Sequence[Text | str]:
        """One image."""
        use = _image(thing)
        old_ones = use.containers and len(use.ids) > 1
        return (
            words.short_id(use.image) if use.image.startswith("sha256:") else use.image,
            str(use.running),
            str(use.containers),
            UNKNOWN if use.size is None else units(use.size),
            Text(str(len(use.ids)), "degraded" if old_ones else ""),
            words.listed(use.engines),
            Text(words.listed(use.services), "dim"),
        )


LISTINGS: Mapping[str, Listing] = {
    "services": Services(),
    "containers": Containers(),
    "engines": Engines(),
    "nodes": Nodes(),
    "images": Images(),
}
"""By noun."""


def _service(fleet: Fleet, thing: Hashable) -> Service:
    assert isinstance(thing, ServiceKey)
    return fleet.services[thing]


def _container(thing: Hashable) -> ContainerKey:
    assert isinstance(thing, ContainerKey)
    return thing


def _image(thing: Hashable) -> ImageUse:
    assert isinstance(thing, ImageUse)
    return thing


def _node(fleet: Fleet, thing: Hashable) -> tuple[SwarmPicture, SwarmNode]:
    assert isinstance(thing, tuple)
    picture = fleet.swarms[thing[0]]
    return picture, next(node for node in picture.nodes if node.id == thing[1])


def _lasts(container: Container, moment: Moment) -> str:
    """How long it runs, or since when it does not; the engine's own words where only the list is known."""
    detail = container.detail
    ended = container.state in (ContainerState.EXITED, ContainerState.DEAD)
    since = (detail.finished_at if ended else detail.started_at) if detail else None
    if since is not None:
        return words.age((moment.now - since).total_seconds())
    return container.status.removeprefix("Up ").partition(" (")[0]


def _known(number: int | None) -> str:
    return "?" if number is None else str(number)


def _ago(then: datetime, moment: Moment) -> str:
    return words.short_age((moment.now - then).total_seconds())


def _down_for(service: Service, moment: Moment) -> Text:
    assert service.down_since is not None
    span = words.age((moment.now - service.down_since).total_seconds())
    return Text(span if service.down_since_certain else f">{span}", str(service.state))


def _skew(seconds: float | None) -> Text | str:
    if seconds is None:
        return UNKNOWN
    return Text(f"{seconds:+.1f} s", "warning") if abs(seconds) > 2 else ""


def _ports(ports: Sequence[Port]) -> str:
    """`0.0.0.0:80->8080/tcp`; each once, though IPv4 and IPv6 are told apart by the engine."""
    published = {(p.public, p.private, p.protocol): p.ip for p in reversed(ports) if p.public is not None}
    shown = [
        f"{f'{ip}:' if ip not in ('0.0.0.0', '::', None, '') else ''}{public}->{private}/{protocol}"  # noqa: S104
        for (public, private, protocol), ip in sorted(published.items())
    ]
    return ", ".join(shown)
