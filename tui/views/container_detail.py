"""All of a container."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import dropwhile

from fleettop.collectors.fleet import Fleet
from fleettop.collectors.model import Container, ContainerDetail, Health, HealthProbe
from fleettop.collectors.words import count

from .. import format as fmt
from ..rows import Cell, Line
from .base import Moment
from .cells import DIM, OLD, age_since, clock_time, is_stale
from .conditions import condition, ports
from .record_detail import record_lines, records_of

Fact = tuple[str, str]
"""Its name and what it is."""
RECORDS = 20
LEAST_TOP = 1.0
"""Percent that fill the graph of CPU at least: of nearly nothing the highest point is not high."""
PROVENANCE = "org.opencontainers.image."
_PROVENANCE_WORDS = {f"{PROVENANCE}created": "built"}
"""Where the label's own name says something else of a container."""


def container_line(fleet: Fleet, container: Container, moment: Moment) -> Line:
    """Its state in one line, for narrow screens."""
    word, role = condition(container)
    cells = [Cell(f"{container.name} on {container.engine}: "), Cell(word, role)]
    detail = container.detail
    if detail is not None and detail.error:
        cells.append(Cell(f"  {detail.error}"))
    elif detail is not None and detail.health_log and word == "unhealthy":
        cells.append(Cell(f"  {_first_line(detail.health_log[-1].output)}"))
    words = fleet.words.get(container.key)
    if words and role == "down":
        cells.append(Cell(f"  {words[-1]}", DIM))
    return tuple(cells)


def container_detail(fleet: Fleet, container: Container, moment: Moment, more: Sequence[Fact] = ()) -> tuple[Line, ...]:
    """The pane of one container; `more` facts of it, where its engine was asked for them."""
    return (
        _head(fleet, container, moment),
        *_state(container, moment),
        *_usage(fleet, container, moment),
        *_trouble(fleet, container, moment),
        (),
        *_facts(container, moment, more),
        *record_lines(fleet, records_of(fleet, container.key, RECORDS), moment),
    )


def _head(fleet: Fleet, container: Container, moment: Moment) -> Line:
    word, role = condition(container)
    stale = is_stale(fleet, container.engine)
    old = (Cell("  last known, not live", "age-old"),) if stale else ()
    glyph = moment.glyphs.states["unknown" if stale else role]
    return (
        Cell(container.name, "title"),
        Cell(f"  on {container.engine}  ", DIM),
        Cell(f"{glyph} {word}", "unknown" if stale else role),
        *old,
    )


def _state(container: Container, moment: Moment) -> list[Line]:
    detail = container.detail
    if detail is None:
        return [(Cell(container.status, DIM),)]
    words: list[str] = []
    if container.state.value in ("running", "paused") and detail.started_at:
        words.append(f"started {clock_time(detail.started_at, moment)}, {age_since(detail.started_at, moment)} ago")
    elif detail.finished_at:
        words.append(f"ended {clock_time(detail.finished_at, moment)}, {age_since(detail.finished_at, moment)} ago")
        if detail.exit_code is not None:
            words.append(f"exit code {detail.exit_code}")
    if detail.oom_killed:
        itself = detail.exit_code == 137 and container.state.value not in ("running", "paused")
        words.append("killed for memory" if itself else "a process in it was killed for memory")
    if detail.restart_count:
        words.append(f"restarted {count(detail.restart_count, 'time')} by its policy ({policy(detail)})")
    lines: list[Line] = [(Cell(", ".join(words), DIM),)]
    if detail.error:
        lines.append((Cell(detail.error, "error"),))
    return lines


def policy(detail: ContainerDetail) -> str:
    """The restart policy in words."""
    name = detail.restart_policy or "not told"
    return f"{name}:{detail.restart_retries}" if detail.restart_retries else name


def limits(detail: ContainerDetail) -> str:
    """What it may use, in words."""
    found = [
        f"memory {fmt.units(detail.memory_limit)}" if detail.memory_limit else "no memory limit",
        f"CPU {detail.cpu_limit:g} of a core" if detail.cpu_limit else "",
        f"cores {detail.cpu_set}" if detail.cpu_set else "",
        f"{detail.pids_limit} processes" if detail.pids_limit else "",
    ]
    return ", ".join(filter(None, found))


def _usage(fleet: Fleet, container: Container, moment: Moment) -> list[Line]:
    usage = fleet.usage.get(container.key)
    if usage is None:
        return []
    limit = f" of {fmt.units(usage.memory_limit)}" if usage.memory_limit else ""
    words = (
        f"CPU {fmt.percent(usage.cpu)} of a core, memory {fmt.units(usage.memory)}{limit}, "
        f"in {fmt.rate(usage.received)}, out {fmt.rate(usage.sent)}"
    )
    # An age that ticks under fresh figures would have the pane drawn anew every second.
    age = moment.monotonic - usage.at
    old = (Cell(f"  {fmt.age(age)} ago", DIM),) if age > OLD else ()
    lines: list[Line] = [(Cell(words), *old)]
    history = fleet.histories.get(container.key)
    if history is not None:
        points = list(dropwhile(lambda point: point is None, history.cpu(moment.monotonic)))
        known = [point for point in points if point is not None]
        if len(known) > 1:
            top = max(*known, LEAST_TOP)
            drawn = fmt.sparkline(points, len(points), top, moment.glyphs)
            most = f"  of the last 10 minutes, at most {fmt.percent(max(known))}"
            lines.append((Cell("CPU ", DIM), Cell(drawn), Cell(most, DIM)))
    return lines


def _trouble(fleet: Fleet, container: Container, moment: Moment) -> list[Line]:
    """Its last words and its health check; what the check says comes first where that is what is wrong."""
    words = fleet.words.get(container.key)
    said = last_words(words) if words and not container.serving else []
    checked = health_lines(container, moment, last=3)
    return [*checked, *said] if container.health is Health.UNHEALTHY else [*said, *checked]


def last_words(words: Sequence[str], of: str = "") -> list[Line]:
    """The last line first, since a small pane shows little and that line mostly names the error; then those before."""
    *before, last = words
    lines: list[Line] = [(), (Cell("last words", "head"), Cell(of, DIM)), (Cell(f"  {last.strip()}"),)]
    if before:
        lines += [(Cell("before that", DIM),), *((Cell(f"  {line}", DIM),) for line in before)]
    return lines


def health_lines(container: Container, moment: Moment, last: int | None = None) -> list[Line]:
    """The health check and its newest results, newest first."""
    detail = container.detail
    if detail is None or not (detail.health_check or detail.health_log):
        return []
    streak = f", {detail.failing_streak} failures in a row" if detail.failing_streak else ""
    state = "only while it runs" if container.health is Health.NONE else f"{container.health}{streak}"
    lines: list[Line] = [
        (),
        (Cell("health check", "head"), Cell(f"  {state}", DIM)),
        (Cell(f"  {' '.join(detail.health_check)}", DIM),),
    ]
    probes = list(reversed(detail.health_log))[:last]
    return lines + [line for probe in probes for line in _probe(probe, moment, whole=last is None)]


def _probe(probe: HealthProbe, moment: Moment, *, whole: bool) -> list[Line]:
    role = "healthy" if probe.exit_code == 0 else "down"
    when = probe.end or probe.start
    time = clock_time(when, moment) if when else ""
    took = f" in {(probe.end - probe.start).total_seconds():.1f} s" if probe.start and probe.end else ""
    head = (Cell(f"  {moment.glyphs.states[role]} ", role), Cell(f"{time} exit {probe.exit_code}{took}  ", DIM))
    output = probe.output.splitlines() or [""]
    if not whole:
        return [(*head, Cell(_first_line(probe.output)))]
    return [(*head, Cell(output[0])), *((Cell(f"      {line}"),) for line in output[1:])]


def _first_line(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip()), "")


def _facts(container: Container, moment: Moment, more: Sequence[Fact]) -> list[Line]:
    detail = container.detail
    facts: list[Fact] = [
        ("image", container.image),
        ("image id", container.image_id[:19]),
        *more,
        ("command", container.command),
        ("created", f"{clock_time(container.created, moment)}" if container.created else "not known"),
        ("ports", ports(container.ports)),
        ("networks", " ".join(container.networks)),
    ]
    facts += [
        ("mount", f"{m.name or m.source} → {m.target}{'' if m.read_write else ' (ro)'}") for m in container.mounts
    ]
    if detail is not None:
        facts += [("limits", limits(detail)), ("restart", policy(detail)), ("user", detail.user or "root (default)")]
        if detail.environment:
            facts.append(("env names", " ".join(detail.environment)))
    facts += [
        (_PROVENANCE_WORDS.get(key, key[len(PROVENANCE) :]), value)
        for key, value in container.labels.items()
        if key.startswith(PROVENANCE)
    ]
    facts.append(("id", container.id[:12]))
    lines: list[Line] = [(Cell(f"{name:<10}", DIM), Cell(value)) for name, value in facts if value]
    others = {k: v for k, v in container.labels.items() if not k.startswith(PROVENANCE)}
    if others:
        lines += [(), (Cell("labels", "head"),)]
        lines += [(Cell(f"  {key} ", DIM), Cell(value)) for key, value in sorted(others.items())]
    return lines
