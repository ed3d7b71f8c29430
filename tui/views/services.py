"""View 1: a row is a service across all its hosts."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping

from fleettop.collectors.fleet import Changed, Fleet
from fleettop.collectors.model import ContainerKey, Service, ServiceKey, ServiceState

from .. import format as fmt
from ..filter import LazyFields
from ..navigation import Scope
from ..rows import Cell, Column, Line, Row
from .base import Moment, SortKey, View
from .cells import DIM, NOTHING, age_since, seconds_since, sum_of, used
from .service_detail import service_detail, service_story

HOSTS_WIDTH = 16
QUIET = (ServiceState.HEALTHY, ServiceState.STOPPED)


def _labels(fleet: Fleet, service: Service) -> Mapping[str, str]:
    labels: dict[str, str] = {}
    for member in fleet.members(service.key):
        labels.update(member.labels)
    return labels


_FIELDS: Mapping[str, Callable[[Fleet, Service], object]] = {
    "name": lambda _, one: one.title,
    "service": lambda _, one: one.name,
    "stack": lambda _, one: one.stack,
    "state": lambda _, one: str(one.state),
    "host": lambda _, one: one.hosts,
    "image": lambda _, one: one.images or (one.image,),
    "label": _labels,
    "cpu": lambda fleet, one: sum_of(fleet, _containers(one), "cpu"),
    "mem": lambda fleet, one: sum_of(fleet, _containers(one), "memory"),
    "restarts": lambda _, one: one.restarts,
    "replicas": lambda _, one: one.wanted,
}


class ServicesView(View):
    """All services, trouble first."""

    id = "services"
    title = "Services"
    noun = "services"
    columns = (
        Column(id="state", title="", width=1, worth=100, sortable=True),
        Column(id="name", title="SERVICE", width=18, grow=3, worth=99, limit=36, cut="middle"),
        Column(id="word", title="STATE", width=8, worth=30),
        Column(id="replicas", title="REPL", width=5, grow=4, align="right", worth=90, limit=7),
        Column(id="hosts", title="HOSTS", width=HOSTS_WIDTH, worth=25),
        Column(id="down", title="DOWN FOR", width=8, align="right", worth=80),
        Column(id="image", title="IMAGE", width=14, grow=3, worth=60, limit=36, cut="middle"),
        Column(id="cpu", title="CPU", width=5, align="right", worth=35),
        Column(id="memory", title="MEM", width=5, align="right", worth=34),
        Column(id="restarts", title="↻1h", width=4, align="right", worth=55),
        Column(id="change", title="LAST CHANGE", width=16, grow=2, worth=50, limit=32),
    )

    def keys(self, fleet: Fleet, scope: Scope) -> Iterable[Hashable]:
        """All services; narrowed to a host: those with a replica there."""
        if isinstance(scope, str):
            return [key for key, service in fleet.services.items() if scope in service.hosts]
        return fleet.services.keys()

    def has(self, fleet: Fleet, key: Hashable, scope: Scope) -> bool:
        """Whether it is there, and within the scope."""
        service = fleet.services.get(_key(key))
        return service is not None and (not isinstance(scope, str) or scope in service.hosts)

    def dirty(self, changed: Changed, fleet: Fleet) -> set[Hashable] | None:
        """Services that changed, and those whose containers were sampled."""
        keys: set[Hashable] = set(changed.services)
        for container in changed.usage:
            service = fleet.service_of(container)
            if service is not None:
                keys.add(service)
        return keys

    def row(self, fleet: Fleet, key: Hashable, moment: Moment) -> Row | None:
        """One service."""
        service = fleet.services.get(_key(key))
        if service is None:
            return None
        members = self.containers(fleet, key)
        calm = service.state in QUIET
        state = str(service.state)
        name_style = DIM if service.state is ServiceState.STOPPED else "" if calm else "strong"
        return Row(
            key=key,
            style="stale" if service.stale and service.state in (ServiceState.UNKNOWN, *QUIET) else "",
            cells=(
                Cell(moment.glyphs.states[state], state),
                Cell(service.title, name_style),
                Cell(state, state if not calm else DIM),
                Cell(replicas(service), state if not calm else ""),
                Cell(fmt.hosts(service.hosts, HOSTS_WIDTH, moment.glyphs), "dim"),
                _down_cell(service, moment),
                Cell(service.image, "degraded" if _differs(service) else ""),
                *used(fleet, members, moment),
                _restarts_cell(service),
                _change_cell(service, moment),
            ),
        )

    def rank(self, fleet: Fleet, key: Hashable) -> SortKey:
        """Worst first; among equals the longest outage, of the calm those with a half-applied deploy, then by name."""
        service = fleet.services[_key(key)]
        since = service.down_since.timestamp() if service.down_since else float("inf")
        calm = service.state in QUIET
        half = len(service.config_hashes) > 1
        return (service.state.rank, (0.0 if half else 1.0) if calm else since, service.stack, service.name, service.key)

    def value(self, fleet: Fleet, key: Hashable, column: str) -> object:
        """What a column sorts by."""
        service = fleet.services[_key(key)]
        if column in ("state", "word"):
            return service.state.rank
        if column in ("cpu", "memory"):
            return sum_of(fleet, self.containers(fleet, key), column)
        values: dict[str, object] = {
            "name": service.title,
            "replicas": service.wanted,
            "hosts": len(service.hosts),
            "down": service.down_since and -service.down_since.timestamp(),
            "image": service.image,
            "restarts": service.restarts,
            "change": service.last_change and -service.last_change.time.timestamp(),
        }
        return values.get(column)

    def fields(self, fleet: Fleet, key: Hashable) -> Mapping[str, object]:
        """What the filter language sees."""
        return LazyFields(_FIELDS, fleet, fleet.services[_key(key)])

    def wrong(self, fleet: Fleet, key: Hashable) -> bool:
        """Anything but healthy and stopped."""
        service = fleet.services[_key(key)]
        return service.state not in QUIET or _differs(service)

    def detail(self, fleet: Fleet, key: Hashable, moment: Moment) -> tuple[Line, ...]:
        """State, story, replicas, last words, records."""
        service = fleet.services.get(_key(key))
        return service_detail(fleet, service, moment) if service else ()

    def story(self, fleet: Fleet, key: Hashable, moment: Moment) -> Line:
        """The short story."""
        service = fleet.services.get(_key(key))
        return service_story(fleet, service) if service else ()

    def scope_of(self, fleet: Fleet, key: Hashable) -> tuple[str, Scope] | None:
        """Its containers."""
        return ("containers", _key(key))

    def name_of(self, fleet: Fleet, key: Hashable) -> str:
        """What it is called."""
        service = fleet.services.get(_key(key))
        return service.title if service else ""

    def history_scope(self, fleet: Fleet, key: Hashable) -> Scope:
        """Itself, or what it is about."""
        return _key(key)

    def restless(self, fleet: Fleet, key: Hashable, moment: Moment) -> bool:
        """While it is in trouble."""
        service = fleet.services.get(_key(key))
        return service is not None and service.state not in QUIET

    def containers(self, fleet: Fleet, key: Hashable) -> tuple[ContainerKey, ...]:
        """Its replicas' containers."""
        service = fleet.services.get(_key(key))
        return _containers(service) if service else ()


def _containers(service: Service) -> tuple[ContainerKey, ...]:
    return tuple(r.container for r in service.replicas if r.container is not None)


def _key(key: Hashable) -> ServiceKey:
    assert isinstance(key, ServiceKey)
    return key


def replicas(service: Service) -> str:
    """`2/3`: healthy of wanted; `?` where it is not known."""
    serving, wanted = ("?" if count is None else str(count) for count in (service.serving, service.wanted))
    return f"{serving}/{wanted}"


def _differs(service: Service) -> bool:
    return len(service.config_hashes) > 1 or service.image.endswith((" tags", " digests", " images"))


def _down_cell(service: Service, moment: Moment) -> Cell:
    if service.down_since is None or service.state in (ServiceState.HEALTHY, ServiceState.STOPPED):
        return NOTHING
    words = age_since(service.down_since, moment)
    return Cell(words if service.down_since_certain else f">{words}", str(service.state))


def _restarts_cell(service: Service) -> Cell:
    if service.restarts is None:
        return Cell("–", "dim")
    return Cell(str(service.restarts), "flapping" if service.restarts >= 3 else "" if service.restarts else "dim")


def _change_cell(service: Service, moment: Moment) -> Cell:
    change = service.last_change
    if change is None:
        return Cell("–", "dim")
    # That nobody is known to have done it is said in the details: on every second row it would only push out the rest.
    who = f" {moment.glyphs.dot} {change.actor}" if change.actor not in ("", "unknown") else ""
    return Cell(f"{change.what} {fmt.age_short(seconds_since(change.time, moment))}{who}", DIM)
