"""All of a record, and records as lines of a page."""

from __future__ import annotations

from collections.abc import Sequence

from fleettop.collectors.cause import told
from fleettop.collectors.fleet import Fleet
from fleettop.collectors.model import Attribution, ContainerKey, Record, RecordKind, ServiceKey

from ..navigation import Scope
from ..rows import Cell, Line
from .base import Moment
from .cells import DIM, clock_time

AROUND = 20


def attribution_words(record: Record) -> str:
    """Who, and how that is known; `unknown` is said, never left blank where a person may have done it."""
    if record.kind is RecordKind.GAP:
        return ""
    if record.attribution is Attribution.UNKNOWN:
        return record.actor if record.actor and record.actor != "unknown" else "unknown"
    return f"{record.actor} · {record.attribution}" if record.actor else str(record.attribution)


def gap_words(record: Record, moment: Moment) -> str:
    """From when to when nothing is known of which host, and why."""
    begin = clock_time(record.time, moment)
    if record.until is None:
        span = f"{begin} on"
    elif record.until > record.time:
        span = f"{begin} {moment.glyphs.dash} {clock_time(record.until, moment)}"
    else:
        span = begin
    how = " (certain)" if record.certain and record.trouble else ""
    seen = f"; {record.reason}" if record.reason else ""
    return f"{span}  {record.engine + ': ' if record.engine else ''}{record.what}{how}{seen}"


def records_of(fleet: Fleet, scope: Scope, limit: int) -> tuple[Record, ...]:
    """The newest records of a service, a container or an engine, newest first."""
    if isinstance(scope, ServiceKey):
        return fleet.records(service=scope, limit=limit)
    if isinstance(scope, ContainerKey):
        return fleet.records(engine=scope.engine, object_id=scope.id, limit=limit)
    return fleet.records(engine=scope or "", limit=limit)


def record_lines(fleet: Fleet, records: Sequence[Record], moment: Moment) -> list[Line]:
    """Records under a heading, one a line, newest first."""
    if not records:
        return []
    lines: list[Line] = [(), (Cell("what happened", "head"),)]
    for record in records:
        style = "gap" if record.kind is RecordKind.GAP else "strong" if record.trouble else ""
        who = attribution_words(record)
        lines.append(
            (
                Cell(f"  {clock_time(record.time, moment)} ", DIM),
                Cell(f"{record.engine} ", DIM),
                Cell(f"{record.object_name} " if record.object_name else ""),
                Cell(told(record, moment.now), style),
                Cell(f"  {who}" if who else "", DIM),
                Cell(f"  “{record.reason}”" if record.reason else ""),
            )
        )
    return lines


def record_detail(fleet: Fleet, record: Record, moment: Moment) -> tuple[Line, ...]:
    """The pane of one record, and what happened around it on the same thing."""
    facts = (
        ("who", attribution_words(record)),
        *(("evidence", sentence) for sentence in record.evidence),
        ("why", record.reason),
        ("engine", record.engine),
        ("object", f"{record.object_type} {record.object_name}".strip()),
        ("service", record.service_name),
        ("id", record.object_id[:25]),
        ("action", record.action),
        ("cause", str(record.cause)),
        ("exit code", "" if record.exit_code is None else str(record.exit_code)),
        ("engine's time", record.time.isoformat(timespec="milliseconds")),
        ("seen", record.seen.isoformat(timespec="milliseconds")),
        ("like it", f"{record.count} times since {clock_time(record.first, moment)}" if record.first else ""),
    )
    lines: list[Line] = [(Cell(record.what, "title"),), ()]
    lines += [(Cell(f"{name:<14}", DIM), Cell(value)) for name, value in facts if value]
    around = records_of(fleet, record.service or record.engine, AROUND)
    return (*lines, *record_lines(fleet, [other for other in around if other.id != record.id], moment))
