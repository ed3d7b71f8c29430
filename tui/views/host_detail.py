"""All of an engine and the way to it."""

from __future__ import annotations

from collections.abc import Iterable

from fleettop.collectors.fleet import Fleet
from fleettop.collectors.model import EngineInfo, EngineStatus, Freshness, LinkPhase, ServiceState

from .. import format as fmt
from ..rows import Cell, Line
from .base import Moment
from .cells import DIM
from .record_detail import record_lines, records_of

RECORDS = 15
BUSY = 0.8
"""From this share of a host's CPUs on it is said who takes them."""


def link_words(engine: EngineStatus, moment: Moment) -> str:
    """The way to an engine in words: `ssh 23 ms`, `not answering for 2m 5s, again in 12s`."""
    link = engine.link
    if engine.same_as:
        return f"same engine as {engine.same_as}"
    if link.phase is LinkPhase.UP:
        return f"{link.route} {fmt.latency(link.latency)}" if link.latency is not None else link.route
    if link.error is None:
        return str(link.phase)
    words = f"{link.error.word} for {fmt.age(moment.monotonic - link.since)}"
    if link.phase is LinkPhase.CONNECTING:
        return f"{words}, trying"
    if link.retry_at is not None:
        left = link.retry_at - moment.monotonic
        return f"{words}, again {f'in {fmt.age(left)}' if left >= 1 else 'now'}"
    return words


def busy_words(fleet: Fleet, engine: EngineStatus) -> str:
    """`CPU 790% of 800%: stock-forecast-1 takes 720%` where little is left; empty: enough, or it is not known."""
    size = (engine.info.cpus or 0) * 100 if engine.info is not None else 0
    used = {key: fleet.usage[key].cpu or 0.0 for key in fleet.containers_on(engine.name) if key in fleet.usage}
    total = sum(used.values())
    if not size or total < BUSY * size:
        return ""
    most = max(used, key=lambda key: used[key])
    name = fleet.containers[most].name
    return f"CPU {fmt.percent(total)} of {fmt.percent(size)}: {name} takes {fmt.percent(used[most])}"


def host_line(fleet: Fleet, engine: EngineStatus, moment: Moment) -> Line:
    """The link, or what makes it slow, in one sentence."""
    if engine.link.error is not None:
        return (Cell(f"{engine.name}: {engine.link.error}"), Cell(f"  {engine.link.error.hint}", DIM))
    if busy := busy_words(fleet, engine):
        return (Cell(f"{engine.name}: "), Cell(busy, "warning"))
    return (Cell(f"{engine.name}: {link_words(engine, moment)}"),)


def host_detail(fleet: Fleet, engine: EngineStatus, moment: Moment) -> tuple[Line, ...]:
    """The pane of one engine."""
    lines: list[Line] = [(Cell(engine.name, "title"), Cell(f"  {engine.address}", DIM))]
    lines += _link(fleet, engine, moment)
    if engine.info is not None:
        lines += _info(engine.info)
    if engine.figures:
        lines.append((Cell(f"{'figures':<9}", DIM), Cell(engine.figures)))
    lines += _services(fleet, engine)
    lines += record_lines(fleet, records_of(fleet, engine.name, RECORDS), moment)
    return tuple(lines)


def _link(fleet: Fleet, engine: EngineStatus, moment: Moment) -> list[Line]:
    link, lines = engine.link, list[Line]()
    role = "healthy" if link.phase is LinkPhase.UP else "down" if link.error else "starting"
    lines.append((Cell(f"{moment.glyphs.states[role]} {link_words(engine, moment)}", role),))
    if link.error is not None:
        lines.append((Cell(str(link.error)),))
        if link.error.hint:
            lines.append((Cell(link.error.hint, DIM),))
    if busy := busy_words(fleet, engine):
        lines.append((Cell(busy, "warning"),))
    if link.insecure:
        lines.append((Cell("not encrypted: anybody on the way can read and change everything", "insecure"),))
    if engine.confirmed is not None and fleet.freshness(engine.name) is not Freshness.LIVE:
        lines.append((Cell(f"last seen {fmt.age(moment.monotonic - engine.confirmed)} ago", "age-old"),))
    if engine.doubtful:
        lines.append(
            (Cell(f"{len(engine.doubtful)} containers could not be read; the readings before are shown", "warning"),)
        )
    return lines


def _info(info: EngineInfo) -> list[Line]:
    skew = ""
    if info.skew is not None and abs(info.skew) > 2:
        skew = f"its clock is {fmt.age(abs(info.skew))} {'ahead of' if info.skew > 0 else 'behind'} ours"
    facts = (
        ("engine", f"{info.kind} {info.version}, API {info.api}{', rootless' if info.rootless else ''}"),
        ("machine", f"{info.hostname}, {info.os}, kernel {info.kernel}"),
        ("size", f"{fmt.number(info.cpus)} CPUs, {fmt.units(info.memory)} memory"),
        ("storage", f"{info.storage_driver}, cgroup v{info.cgroup_version}" if info.storage_driver else ""),
        ("clock", skew),
        ("swarm", _swarm(info)),
        ("id", info.id),
    )
    return [(), *((Cell(f"{name:<9}", DIM), Cell(value)) for name, value in facts if value)]


def _swarm(info: EngineInfo) -> str:
    swarm = info.swarm
    if swarm is None or swarm.state == "inactive":
        return ""
    role = "manager" if swarm.manager else "worker"
    return f"{role}, {swarm.state}{', ' + swarm.error if swarm.error else ''}"


def _services(fleet: Fleet, engine: EngineStatus) -> list[Line]:
    here = [service for service in fleet.services.values() if engine.name in service.hosts]
    if not here:
        return []
    from fleettop.collectors.actions import what_if_host

    found = what_if_host(fleet, engine.name)
    lines: list[Line] = [(), (Cell(f"{len(here)} services here", "head"),)]
    lines.append((Cell("if it died: ", DIM), Cell(found.short, "warning" if found.down or found.trouble else "")))
    if found.down:
        lines.append((Cell("  down: ", DIM), Cell(_names(loss.title for loss in found.down))))
    here.sort(key=lambda service: (service.state.rank, service.title))
    trouble = [service for service in here if service.state not in (ServiceState.HEALTHY, ServiceState.STOPPED)]
    lines += [(Cell(f"  {service.state} ", str(service.state)), Cell(service.title)) for service in trouble]
    return lines


def _names(titles: Iterable[str]) -> str:
    names = sorted(titles)
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
