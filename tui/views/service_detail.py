"""All of a service: state, story, replicas, last words, what happened."""

from __future__ import annotations

from collections.abc import Sequence

from fleettop.collectors.fleet import Fleet
from fleettop.collectors.model import Container, Replica, Service, ServiceState
from rich.cells import cell_len

from .. import format as fmt
from ..rows import Cell, Line
from .base import Moment
from .cells import DIM, age_since, is_stale, seconds_since
from .conditions import condition
from .container_detail import last_words
from .deploys import deployed_before
from .outages import outage_lines, outages_short
from .record_detail import record_lines, records_of

RECORDS = 12
REPLICAS = 40
"""Replicas in the pane: what stands below them is to be found, too, and they are drawn anew each second."""


def service_detail(fleet: Fleet, service: Service, moment: Moment) -> tuple[Line, ...]:
    """The pane of one service; the most urgent first."""
    return (
        _head(service, moment),
        *_story(fleet, service),
        (),
        *_replicas(fleet, service, moment),
        *_last_words(fleet, service),
        *_facts(fleet, service, moment),
        *outage_lines(fleet, service, moment),
        *record_lines(fleet, records_of(fleet, service.key, RECORDS), moment),
    )


def service_head(fleet: Fleet, service: Service, moment: Moment) -> tuple[Line, ...]:
    """Its name and state, its story, and how often it was away lately."""
    return (_head(service, moment), *_story(fleet, service), *outages_short(fleet, service, moment))


def service_story(fleet: Fleet, service: Service) -> Line:
    """The short story, and what was said by whoever knows why."""
    story = fleet.story(service.key)
    if story is None:
        return ()
    return (Cell(story.short), Cell(f"  {story.said}")) if story.said else (Cell(story.short),)


def _head(service: Service, moment: Moment) -> Line:
    state = str(service.state)
    since = ""
    if service.down_since is not None and service.state is not ServiceState.HEALTHY:
        since = f" {'' if service.down_since_certain else '> '}{age_since(service.down_since, moment)}"
    old = (Cell("  last known, not live", "age-old"),) if service.stale else ()
    return (
        Cell(service.title, "title"),
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
    """One line a replica, those that do not serve first, in columns."""
    ordered = sorted(service.replicas, key=lambda replica: (replica.serving, replica.host, replica.name))
    lines = columns([_replica(fleet, replica, moment) for replica in ordered[:REPLICAS]])
    if left := ordered[REPLICAS:]:
        away = sum(1 for replica in left if not replica.serving)
        words = f"{away} of them not serving" if away else "all serving"
        lines.append((Cell(f"  and {len(left)} more, {words}; Enter lists them", DIM),))
    return lines


def columns(rows: Sequence[Line]) -> list[Line]:
    """The cells of each row filled up so that they stand under one another; the last of a row stays as it is."""
    widths: dict[int, int] = {}
    for row in rows:
        for place, cell in enumerate(row[:-1]):
            widths[place] = max(widths.get(place, 0), cell_len(cell.text))
    return [
        (*(Cell(fmt.pad(cell.text, widths[place]), cell.style) for place, cell in enumerate(row[:-1])), *row[-1:])
        for row in rows
    ]


def _replica(fleet: Fleet, replica: Replica, moment: Moment) -> Line:
    container = fleet.containers.get(replica.container) if replica.container else None
    if container is None:
        words = f"{replica.state}  {replica.note}".rstrip()
        glyph = moment.glyphs.states["unknown"]
        return (Cell(f"{glyph} ", "unknown"), Cell(f"{replica.host}  ", DIM), Cell(f"{replica.name}  "), Cell(words))
    word, role = condition(container)
    stale = is_stale(fleet, container.engine)
    if stale:
        role, word = "unknown", f"was {word}"
    restarts = container.detail.restart_count if container.detail else None
    usage = None if stale else fleet.usage.get(container.key)
    return (
        Cell(f"{moment.glyphs.states[role]} ", role),
        Cell(f"{replica.host}  ", DIM),
        Cell(f"{replica.name}  ", DIM if stale else ""),
        Cell(f"{word}  ", role if role != "healthy" else DIM),
        Cell(f"{_when(container, moment)}  ", DIM),
        Cell(f"{moment.glyphs.restarts}{restarts}  " if restarts else "", "flapping" if (restarts or 0) >= 3 else DIM),
        Cell(f"{fmt.percent(usage.cpu)}  " if usage else "", DIM),
        Cell(fmt.units(usage.memory) if usage else "", DIM),
    )


def _when(container: Container, moment: Moment) -> str:
    detail = container.detail
    if detail is None:
        return ""
    if container.serving or container.state.value == "running":
        if detail.started_at is None:
            return ""
        seconds = seconds_since(detail.started_at, moment)
        return fmt.age_short(seconds) if seconds >= 60 else fmt.age(seconds)
    return f"{age_since(detail.finished_at, moment)} ago" if detail.finished_at else ""


def _last_words(fleet: Fleet, service: Service) -> list[Line]:
    story = fleet.story(service.key)
    if story is None or not story.last_words:
        return []
    speaker = fleet.containers.get(story.words_of) if story.words_of else None
    of = f"  {speaker.name} on {speaker.engine}" if speaker else ""
    return last_words(story.last_words, of)


def _facts(fleet: Fleet, service: Service, moment: Moment) -> list[Line]:
    facts: list[tuple[str, str]] = [("image", ", ".join(service.images) or service.image)]
    if len(service.config_hashes) > 1:
        facts.append(("config", f"{len(service.config_hashes)} versions among its replicas: half-applied"))
    if service.last_change is not None:
        change = service.last_change
        ago = fmt.age(seconds_since(change.time, moment))
        facts.append(("changed", f"{change.what} {ago} ago by {change.actor}  {change.detail}".rstrip()))
    if deployed := deployed_before(fleet, service.key, moment):
        facts.append(("deployed", deployed))
    if service.restarts is not None:
        facts.append(("restarts", f"{service.restarts} in the last hour"))
    facts.append(("kind", f"{service.key.source} {service.key.scope}".strip()))
    return [(), *((Cell(f"{name:<10}", DIM), Cell(value)) for name, value in facts)]
