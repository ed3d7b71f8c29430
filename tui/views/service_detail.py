"""All of a service: state, story, replicas, last words, what happened."""

from __future__ import annotations

from fleettop.collectors.fleet import Fleet
from fleettop.collectors.model import Container, Replica, Service, ServiceState

from .. import format as fmt
from ..rows import Cell, Line
from .base import Moment
from .cells import DIM, age_since, is_stale, seconds_since
from .conditions import condition
from .record_detail import record_lines, records_of

RECORDS = 12


def service_detail(fleet: Fleet, service: Service, moment: Moment) -> tuple[Line, ...]:
    """The pane of one service; the most urgent first."""
    return (
        _head(service, moment),
        *_story(fleet, service),
        (),
        *_replicas(fleet, service, moment),
        *_last_words(fleet, service),
        *_facts(service, moment),
        *record_lines(fleet, records_of(fleet, service.key, RECORDS), moment),
    )


def service_story(fleet: Fleet, service: Service) -> Line:
    """The short story in one line."""
    story = fleet.story(service.key)
    return (Cell(story.short),) if story else ()


def label(service: Service) -> str:
    """`stack/name`."""
    return f"{service.stack}/{service.name}" if service.stack else service.name


def _head(service: Service, moment: Moment) -> Line:
    state = str(service.state)
    since = ""
    if service.down_since is not None and service.state is not ServiceState.HEALTHY:
        since = f" {'' if service.down_since_certain else '> '}{age_since(service.down_since, moment)}"
    old = (Cell("  last known, not live", "age-old"),) if service.stale else ()
    return (
        Cell(label(service), "title"),
        Cell("  "),
        Cell(f"{moment.glyphs.states[state]} {state}{since}", state),
        *old,
    )


def _story(fleet: Fleet, service: Service) -> list[Line]:
    story = fleet.story(service.key)
    lines: list[Line] = [(Cell(story.sentence),)] if story else []
    if service.note:
        lines.append((Cell(service.note, DIM),))
    return lines


def _replicas(fleet: Fleet, service: Service, moment: Moment) -> list[Line]:
    ordered = sorted(service.replicas, key=lambda replica: (replica.serving, replica.host, replica.name))
    return [_replica(fleet, replica, moment) for replica in ordered]


def _replica(fleet: Fleet, replica: Replica, moment: Moment) -> Line:
    container = fleet.containers.get(replica.container) if replica.container else None
    if container is None:
        words = f"{replica.state}  {replica.note}".rstrip()
        return (
            Cell(f"{moment.glyphs.states['unknown']} ", "unknown"),
            Cell(f"{replica.host}  {replica.name}  {words}"),
        )
    word, role = condition(container)
    stale = is_stale(fleet, container.engine)
    if stale:
        role, word = "unknown", f"was {word}"
    cells = [
        Cell(f"{moment.glyphs.states[role]} ", role),
        Cell(f"{replica.host}  ", DIM),
        Cell(f"{replica.name}  ", DIM if stale else ""),
        Cell(f"{word} ", role if role != "healthy" else DIM),
        Cell(f" {_when(container, moment)}", DIM),
    ]
    restarts = container.detail.restart_count if container.detail else None
    if restarts:
        cells.append(Cell(f"  {moment.glyphs.restarts}{restarts}", "flapping" if restarts >= 3 else DIM))
    usage = fleet.usage.get(container.key)
    if usage is not None and usage.cpu is not None and not stale:
        cells.append(Cell(f"  {fmt.percent(usage.cpu)} {fmt.units(usage.memory)}", DIM))
    if replica.note:
        cells.append(Cell(f"  {replica.note}"))
    return tuple(cells)


def _when(container: Container, moment: Moment) -> str:
    detail = container.detail
    if detail is None:
        return ""
    if container.serving or container.state.value == "running":
        return age_since(detail.started_at, moment) if detail.started_at else ""
    return f"{age_since(detail.finished_at, moment)} ago" if detail.finished_at else ""


def _last_words(fleet: Fleet, service: Service) -> list[Line]:
    story = fleet.story(service.key)
    if story is None or not story.last_words:
        return []
    speaker = fleet.containers.get(story.words_of) if story.words_of else None
    of = f"  {speaker.name} on {speaker.engine}" if speaker else ""
    lines: list[Line] = [(), (Cell("last words", "head"), Cell(of, DIM))]
    lines += [(Cell(f"  {line}"),) for line in story.last_words]
    return lines


def _facts(service: Service, moment: Moment) -> list[Line]:
    facts: list[tuple[str, str]] = [("image", ", ".join(service.images) or service.image)]
    if len(service.config_hashes) > 1:
        facts.append(("config", f"{len(service.config_hashes)} versions among its replicas: half-applied"))
    if service.last_change is not None:
        change = service.last_change
        ago = fmt.age(seconds_since(change.time, moment))
        facts.append(("changed", f"{change.what} {ago} ago by {change.actor}  {change.detail}".rstrip()))
    if service.restarts is not None:
        facts.append(("restarts", f"{service.restarts} in the last hour"))
    facts.append(("kind", f"{service.key.source} {service.key.scope}".strip()))
    return [(), *((Cell(f"{name:<10}", DIM), Cell(value)) for name, value in facts)]
