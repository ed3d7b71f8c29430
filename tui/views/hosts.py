"""View 3: a row is an engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping

from fleettop.collectors.fleet import Changed, Fleet
from fleettop.collectors.model import (
    ContainerKey,
    ContainerState,
    EngineStatus,
    Freshness,
    Health,
    LinkPhase,
)

from .. import format as fmt
from ..navigation import Scope
from ..rows import Cell, Column, Line, Row
from .base import Moment, SortKey, View
from .cells import DIM, UNKNOWN, sum_of, used
from .conditions import condition
from .host_detail import host_detail, host_line, link_words


class HostsView(View):
    """All engines, those that cannot be reached first."""

    id = "hosts"
    title = "Hosts"
    noun = "hosts"
    columns = (
        Column(id="state", title="", width=1, worth=100),
        Column(id="name", title="HOST", width=12, grow=1, worth=99),
        Column(id="link", title="LINK", width=26, grow=3, worth=95, limit=48),
        Column(id="version", title="ENGINE", width=17, grow=1, worth=60, limit=22),
        Column(id="containers", title="CONTAINERS", width=16, grow=1, worth=90, limit=28),
        Column(id="lost", title="IF IT DIED", width=14, worth=75),
        Column(id="cpu", title="CPU", width=5, align="right", worth=70),
        Column(id="memory", title="MEM", width=11, align="right", worth=69),
        Column(id="skew", title="SKEW", width=6, align="right", worth=30),
        Column(id="seen", title="SEEN", width=8, align="right", worth=80),
        Column(id="swarm", title="SWARM", width=8, worth=50),
        Column(id="group", title="GROUP", width=6, worth=20),
        Column(id="address", title="ADDRESS", width=18, grow=2, worth=10),
    )

    def keys(self, fleet: Fleet, scope: Scope) -> Iterable[Hashable]:
        """All engines."""
        return fleet.engines.keys()

    def has(self, fleet: Fleet, key: Hashable, scope: Scope) -> bool:
        """Whether it is there, and within the scope."""
        return key in fleet.engines

    def dirty(self, changed: Changed, fleet: Fleet) -> set[Hashable] | None:
        """Engines that changed, those whose containers did, and those whose services have fewer replicas elsewhere."""
        found = {*changed.engines, *changed.confirmed, *(key.engine for key in (*changed.containers, *changed.usage))}
        services = (fleet.services[key] for key in changed.services if key in fleet.services)
        return found | {host for service in services for host in service.hosts if host in fleet.engines}

    def row(self, fleet: Fleet, key: Hashable, moment: Moment) -> Row | None:
        """One engine."""
        engine = fleet.engines.get(str(key))
        if engine is None:
            return None
        role = link_role(fleet, engine)
        members = containers_of(fleet, engine.name)
        info = engine.info
        trouble = role not in ("healthy", "stopped")
        cpu, memory = used(fleet, members, moment)
        return Row(
            key=key,
            style="stale" if role == "unknown" and engine.confirmed is not None else "",
            cells=(
                Cell(moment.glyphs.states[role], role),
                Cell(engine.name, "strong" if trouble else ""),
                Cell(link_words(engine, moment), role if trouble else DIM, more=_insecure(engine)),
                Cell(f"{info.kind} {info.version}" if info else moment.glyphs.dash, DIM),
                _containers_cell(fleet, members, moment, listed=engine.confirmed is not None),
                _lost_cell(fleet, engine, members, moment),
                cpu,
                _of_all_memory(memory, engine),
                _skew_cell(engine, moment),
                _seen_cell(fleet, engine, moment),
                Cell(swarm_words(engine), DIM),
                Cell(engine.group, DIM),
                Cell(engine.address, DIM),
            ),
        )

    def rank(self, fleet: Fleet, key: Hashable) -> SortKey:
        """Those that cannot be reached first, then those with the most containers in trouble."""
        engine = fleet.engines[str(key)]
        roles = (condition(fleet.containers[member])[1] for member in containers_of(fleet, engine.name))
        wrong = sum(role not in ("healthy", "stopped") for role in roles)
        return (_ORDER[link_role(fleet, engine)], -wrong, engine.name)

    def value(self, fleet: Fleet, key: Hashable, column: str) -> object:
        """What a column sorts by."""
        engine = fleet.engines[str(key)]
        members = containers_of(fleet, engine.name)
        if column in ("cpu", "memory"):
            return sum_of(fleet, members, column)
        info, losses = engine.info, _losses(fleet, engine, members)
        values: dict[str, object] = {
            "state": _ORDER[link_role(fleet, engine)],
            "name": engine.name,
            "link": engine.link.latency,
            "version": info and info.version,
            "containers": len(members),
            "lost": losses and losses[0] * 10_000 + losses[1],
            "skew": abs(info.skew) if info is not None and info.skew is not None else None,
            "seen": engine.confirmed and -engine.confirmed,
            "swarm": swarm_words(engine) or None,
            "group": engine.group or None,
            "address": engine.address,
        }
        return values.get(column)

    def fields(self, fleet: Fleet, key: Hashable) -> Mapping[str, object]:
        """What the filter language sees."""
        engine = fleet.engines[str(key)]
        members = containers_of(fleet, engine.name)
        return {
            "name": engine.name,
            "host": engine.name,
            "group": engine.group,
            "address": engine.address,
            "state": (str(engine.link.phase), link_role(fleet, engine)),
            "version": engine.info.version if engine.info else None,
            "swarm": swarm_words(engine),
            "cpu": sum_of(fleet, members, "cpu"),
            "mem": sum_of(fleet, members, "memory"),
            "containers": len(members),
        }

    def wrong(self, fleet: Fleet, key: Hashable) -> bool:
        """Anything but a link that is up and fresh."""
        engine = fleet.engines[str(key)]
        return link_role(fleet, engine) not in ("healthy", "stopped") or _skewed(engine) or engine.link.insecure

    def detail(self, fleet: Fleet, key: Hashable, moment: Moment) -> tuple[Line, ...]:
        """All that is known of it."""
        engine = fleet.engines.get(str(key))
        return host_detail(fleet, engine, moment) if engine else ()

    def story(self, fleet: Fleet, key: Hashable, moment: Moment) -> Line:
        """The link's state in one sentence."""
        engine = fleet.engines.get(str(key))
        return host_line(fleet, engine, moment) if engine else ()

    def scope_of(self, fleet: Fleet, key: Hashable) -> tuple[str, Scope] | None:
        """Its containers."""
        return ("containers", str(key))

    def name_of(self, fleet: Fleet, key: Hashable) -> str:
        """What it is called."""
        return str(key)

    def history_scope(self, fleet: Fleet, key: Hashable) -> Scope:
        """Itself, or what it is about."""
        return str(key)

    def restless(self, fleet: Fleet, key: Hashable, moment: Moment) -> bool:
        """While it is not plainly there."""
        engine = fleet.engines.get(str(key))
        return engine is not None and link_role(fleet, engine) not in ("healthy", "stopped")

    def containers(self, fleet: Fleet, key: Hashable) -> tuple[ContainerKey, ...]:
        """All its containers."""
        return containers_of(fleet, str(key))


_ORDER = {role: order for order, role in enumerate(("down", "unknown", "degraded", "starting", "healthy", "stopped"))}


def containers_of(fleet: Fleet, engine: str) -> tuple[ContainerKey, ...]:
    """The containers of one engine."""
    return fleet.containers_on(engine)


def link_role(fleet: Fleet, engine: EngineStatus) -> str:
    """The state a link is drawn as."""
    if engine.same_as:
        return "stopped"
    if engine.link.phase is LinkPhase.UP:
        return "degraded" if fleet.freshness(engine.name) is Freshness.LATE else "healthy"
    if engine.link.error is not None:
        return "down"
    return "starting"


def swarm_words(engine: EngineStatus) -> str:
    """`manager`, `worker`, or nothing outside a swarm."""
    swarm = engine.info.swarm if engine.info else None
    if swarm is None or swarm.state == "inactive":
        return ""
    if swarm.state != "active":
        return swarm.state
    return "manager" if swarm.manager else "worker"


def _insecure(engine: EngineStatus) -> tuple[Cell, ...]:
    return (Cell(" not encrypted", "down"),) if engine.link.insecure else ()


def _skewed(engine: EngineStatus) -> bool:
    skew = engine.info.skew if engine.info else None
    return skew is not None and abs(skew) > 2


def _skew_cell(engine: EngineStatus, moment: Moment) -> Cell:
    skew = engine.info.skew if engine.info else None
    if skew is None:
        return Cell(moment.glyphs.dash, DIM)
    if abs(skew) <= 2:
        return Cell("0s", DIM)
    sign = "+" if skew > 0 else "-"
    return Cell(f"{sign}{fmt.age_short(abs(skew))}", "degraded")


def _seen_cell(fleet: Fleet, engine: EngineStatus, moment: Moment) -> Cell:
    if engine.confirmed is None:
        return Cell("never", DIM)
    if fleet.freshness(engine.name) is Freshness.LIVE:
        return Cell("live", DIM)
    return Cell(fmt.age(moment.monotonic - engine.confirmed), "degraded")


def _of_all_memory(used: Cell, engine: EngineStatus) -> Cell:
    total = engine.info.memory if engine.info else None
    if total is None or used is UNKNOWN:
        return used
    return Cell(f"{used.text}/{fmt.units(total)}", used.style)


def _losses(fleet: Fleet, engine: EngineStatus, members: tuple[ContainerKey, ...]) -> tuple[int, int] | None:
    """Services down and degraded without it; None: not known."""
    if engine.same_as or engine.confirmed is None:
        return None
    keys = dict.fromkeys(key for member in members if (key := fleet.service_of(member)) is not None)
    from fleettop.collectors.actions.whatif import losses_on

    return losses_on(fleet, engine.name, (fleet.services[key] for key in keys if key in fleet.services))


def _lost_cell(fleet: Fleet, engine: EngineStatus, members: tuple[ContainerKey, ...], moment: Moment) -> Cell:
    losses = _losses(fleet, engine, members)
    if losses is None:
        return Cell(moment.glyphs.dash, DIM)
    down, degraded = losses
    parts = [f"{down} down"] if down else []
    parts += [f"{degraded} less"] if degraded else []
    return Cell(" ".join(parts) or "no loss", "degraded" if down else DIM)


def _containers_cell(fleet: Fleet, members: tuple[ContainerKey, ...], moment: Moment, *, listed: bool) -> Cell:
    """Counts by what matters: running, unhealthy, the rest; each with its glyph, worst first."""
    counts: Counter[str] = Counter()
    for key in members:
        container = fleet.containers[key]
        if container.health is Health.UNHEALTHY:
            counts["degraded"] += 1
        elif container.state is ContainerState.RUNNING:
            counts["healthy"] += 1
        elif container.state is ContainerState.RESTARTING:
            counts["flapping"] += 1
        else:
            counts["stopped"] += 1
    pieces = [
        Cell(f"{moment.glyphs.states[role]}{counts[role]} ", role)
        for role in ("flapping", "degraded", "healthy", "stopped")
        if counts[role]
    ]
    if not pieces:
        return Cell("none" if listed else moment.glyphs.dash, DIM)
    return Cell(pieces[0].text, pieces[0].style, more=tuple(pieces[1:]))
