"""View 2: a row is a container."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import datetime

from fleettop.collectors import words
from fleettop.collectors.fleet import Changed, Fleet
from fleettop.collectors.model import Container, ContainerKey, ContainerState, ServiceKey

from .. import format as fmt
from ..filter import LazyFields
from ..navigation import Scope
from ..rows import Cell, Column, Line, Row
from .base import Moment, SortKey, View
from .cells import DIM, UNKNOWN, figures_age, is_stale, seconds_since, sum_of, used, used_network
from .conditions import ORDER, condition, ports
from .container_detail import container_detail, container_line

CALM = ("healthy", "stopped")

_FIELDS: Mapping[str, Callable[[Fleet, Container], object]] = {
    "name": lambda _, one: one.name,
    "id": lambda _, one: one.id,
    "service": lambda fleet, one: _service_name(fleet, fleet.service_of(one.key)),
    "state": lambda _, one: (str(one.state), condition(one)[1]),
    "health": lambda _, one: str(one.health),
    "host": lambda _, one: one.engine,
    "image": lambda _, one: one.image,
    "label": lambda _, one: one.labels,
    "cpu": lambda fleet, one: sum_of(fleet, (one.key,), "cpu"),
    "mem": lambda fleet, one: sum_of(fleet, (one.key,), "memory"),
    "restarts": lambda _, one: one.detail.restart_count if one.detail else None,
    "port": lambda _, one: tuple(str(port.public) for port in one.ports if port.public is not None),
}


class ContainersView(View):
    """All containers, trouble first."""

    id = "containers"
    title = "Containers"
    noun = "containers"
    columns = (
        Column(id="state", title="", width=1, worth=100),
        Column(id="name", title="CONTAINER", width=16, grow=3, worth=99, cut="middle"),
        Column(id="status", title="STATE", width=11, worth=95),
        Column(id="service", title="SERVICE", width=12, grow=2, worth=30, cut="middle"),
        Column(id="host", title="HOST", width=8, grow=1, worth=90),
        Column(id="image", title="IMAGE", width=14, grow=3, worth=60, cut="middle"),
        Column(id="cpu", title="CPU", width=5, align="right", worth=80),
        Column(id="memory", title="MEM", width=5, align="right", worth=79),
        Column(id="network", title="NET", width=12, align="right", worth=35),
        Column(id="read", title="READ", width=4, align="right", worth=24),
        Column(id="uptime", title="FOR", width=8, align="right", worth=70),
        Column(id="restarts", title="↻", width=3, align="right", worth=50),
        Column(id="ports", title="PORTS", width=10, grow=1, worth=25),
    )

    def keys(self, fleet: Fleet, scope: Scope) -> Iterable[Hashable]:
        """All containers; narrowed to a service or a host: those of it."""
        if isinstance(scope, ServiceKey):
            return [container.key for container in fleet.members(scope)]
        if isinstance(scope, str):
            return [key for key in fleet.containers if key.engine == scope]
        return fleet.containers.keys()

    def has(self, fleet: Fleet, key: Hashable, scope: Scope) -> bool:
        """Whether it is there, and within the scope."""
        container = _key(key)
        if container not in fleet.containers:
            return False
        if isinstance(scope, ServiceKey):
            return fleet.service_of(container) == scope
        return scope is None or container.engine == scope

    def dirty(self, changed: Changed, fleet: Fleet) -> set[Hashable] | None:
        """Containers that changed or were sampled; all of an engine's when its link did."""
        keys: set[Hashable] = {*changed.containers, *changed.usage}
        for engine in changed.engines:
            keys.update(fleet.containers_on(engine))
        return keys

    def row(self, fleet: Fleet, key: Hashable, moment: Moment) -> Row | None:
        """One container."""
        container = fleet.containers.get(_key(key))
        if container is None:
            return None
        word, style = condition(container)
        service = fleet.service_of(container.key)
        stale = is_stale(fleet, container.engine) or container.id in fleet.engines[container.engine].doubtful
        return Row(
            key=key,
            style="stale" if stale else "",
            cells=(
                Cell(moment.glyphs.states[style], style),
                Cell(container.name, "" if style in CALM else "strong"),
                Cell(word, style if style != "healthy" else DIM),
                Cell(_service_name(fleet, service), DIM),
                Cell(container.engine),
                Cell(words.short_image(container.image)),
                *used(fleet, (container.key,), moment),
                used_network(fleet, container.key, moment),
                figures_age(fleet, container.key, moment),
                _since_cell(container, moment),
                _restarts_cell(container),
                Cell(ports(container.ports), DIM),
            ),
        )

    def rank(self, fleet: Fleet, key: Hashable) -> SortKey:
        """Worst first, then by service and name."""
        container = fleet.containers[_key(key)]
        service = fleet.service_of(container.key)
        return (
            ORDER[condition(container)[1]],
            _service_name(fleet, service) if service else "",
            container.engine,
            container.name,
            container.id,
        )

    def value(self, fleet: Fleet, key: Hashable, column: str) -> object:
        """What a column sorts by."""
        container = fleet.containers[_key(key)]
        if column in ("cpu", "memory"):
            return sum_of(fleet, (container.key,), column)
        detail, usage = container.detail, fleet.usage.get(container.key)
        since = _since(container)
        values: dict[str, object] = {
            "state": ORDER[condition(container)[1]],
            "status": condition(container)[0],
            "name": container.name,
            "service": _service_name(fleet, fleet.service_of(container.key)),
            "host": container.engine,
            "image": container.image,
            "network": usage and usage.received is not None and usage.sent is not None and usage.received + usage.sent,
            "read": usage and usage.at,
            "uptime": since and -since.timestamp(),
            "restarts": detail and detail.restart_count,
            "ports": ports(container.ports),
        }
        return values.get(column)

    def fields(self, fleet: Fleet, key: Hashable) -> Mapping[str, object]:
        """What the filter language sees."""
        return LazyFields(_FIELDS, fleet, fleet.containers[_key(key)])

    def wrong(self, fleet: Fleet, key: Hashable) -> bool:
        """Neither plainly running and well, nor stopped on purpose."""
        return condition(fleet.containers[_key(key)])[1] not in CALM

    def detail(self, fleet: Fleet, key: Hashable, moment: Moment) -> tuple[Line, ...]:
        """All that is known of it."""
        container = fleet.containers.get(_key(key))
        return container_detail(fleet, container, moment) if container else ()

    def story(self, fleet: Fleet, key: Hashable, moment: Moment) -> Line:
        """Its state in one line."""
        container = fleet.containers.get(_key(key))
        return container_line(fleet, container, moment) if container else ()

    def name_of(self, fleet: Fleet, key: Hashable) -> str:
        """What it is called."""
        container = fleet.containers.get(_key(key))
        return container.name if container else ""

    def history_scope(self, fleet: Fleet, key: Hashable) -> Scope:
        """Itself, or what it is about."""
        return _key(key)

    def restless(self, fleet: Fleet, key: Hashable, moment: Moment) -> bool:
        """While it is in trouble."""
        container = fleet.containers.get(_key(key))
        return container is not None and condition(container)[1] not in CALM

    def containers(self, fleet: Fleet, key: Hashable) -> tuple[ContainerKey, ...]:
        """Itself."""
        return (_key(key),)


def _key(key: Hashable) -> ContainerKey:
    assert isinstance(key, ContainerKey)
    return key


def _service_name(fleet: Fleet, key: ServiceKey | None) -> str:
    service = fleet.services.get(key) if key is not None else None
    if service is None:
        return key.name if key is not None else ""
    return service.title


def _since(container: Container) -> datetime | None:
    detail = container.detail
    if detail is None:
        return None
    running = container.state in (ContainerState.RUNNING, ContainerState.PAUSED)
    return detail.started_at if running else detail.finished_at


def _since_cell(container: Container, moment: Moment) -> Cell:
    since = _since(container)
    if since is None:
        return UNKNOWN
    seconds = seconds_since(since, moment)
    if condition(container)[1] not in CALM:
        return Cell(fmt.age(seconds), DIM)
    # What runs well shows minutes: seconds that tick in every row cost a repaint a second and tell nobody anything.
    return Cell(fmt.age_short(seconds) if seconds >= 60 else "<1m", DIM)


def _restarts_cell(container: Container) -> Cell:
    count = container.detail.restart_count if container.detail else None
    if count is None:
        return UNKNOWN
    return Cell(str(count), "flapping" if count >= 3 else DIM if not count else "")
