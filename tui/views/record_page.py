"""All of a record, for a page of its own: what, when, who, how that is known, and what stands around it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from fleettop.collectors.cause import told
from fleettop.collectors.model import Attribution, Record, RecordKind
from fleettop.collectors.trail.entry import Entry
from fleettop.collectors.trail.entry import moment as moment_of
from fleettop.collectors.trail.store import Line as Kept

from ..format import latency
from ..rows import Cell, Line
from ..trail.around import Facts
from ..trail.asking import is_change, object_words
from .base import Moment
from .cells import DIM, age_since, clock_time
from .record_detail import attribution_words, gap_words

HOW = {
    Attribution.OWN: "fleettop did it itself and wrote down for whom before it did.",
    Attribution.DECLARED: "Whoever did it said so; the engine does not vouch for it.",
    Attribution.DERIVED: "It follows from what the engine told, in its order.",
    Attribution.CORRELATED: "Somebody was seen at the same time; that does not prove it.",
    Attribution.UNKNOWN: "Docker does not say who asks an engine for something, and nothing else told.",
}
"""How the actor of a record is known, in a sentence."""
LABEL = 16


def page_lines(record: Record, facts: Facts | None, moment: Moment) -> tuple[Line, ...]:
    """The whole page; `facts` None: they are being read."""
    newest = facts.lines[-1] if facts is not None and facts.lines else None
    entry = newest.entry if newest is not None else None
    lines: list[Line] = [(Cell(_title(record, moment), "title"),), ()]
    lines += _facts(_what(record, entry, moment))
    lines += _heading("when", _when(record, entry, moment))
    lines += _heading("who", _who(record, entry))
    if facts is None:
        return (*lines, (), (Cell(f"reading on{moment.glyphs.ellipsis}", DIM),))
    lines += _heading("written by", _written(record, entry, facts, moment))
    if facts.trouble:
        lines += [(), (Cell(f"Not all of it can be read: {facts.trouble}", "warning"),)]
    if len(facts.lines) > 1:
        lines += [(), (Cell("as it became known", "head"),), *(_known(line, moment) for line in facts.lines)]
    if len(facts.together) > 1:
        lines += [(), (Cell("what belongs together", "head"),), *_listed(facts.together, record, moment)]
    for title, others in ((record.service_name, facts.service), (record.engine, facts.host)):
        if others:
            around = _with(record, others)
            lines += [(), (Cell(f"just after and before on {title}", "head"),), *_listed(around, record, moment)]
    return tuple(lines)


def json_lines(record: Record, facts: Facts | None) -> tuple[Line, ...]:
    """The lines of its thread as they are kept, each with its number and hash; else the record itself."""
    if facts is None:
        return ((Cell("reading on", DIM),),)
    if not facts.lines:
        said = json.loads(msgspec.json.encode(record))
        why = f"cannot be read: {facts.trouble}" if facts.trouble else "is not kept: it has no number and no hash."
        return ((Cell(f"It {why}", "warning"),), (), *_dumped(said))
    lines: list[Line] = []
    for line in reversed(facts.lines):
        lines.append((Cell("line      ", DIM), Cell(str(line.seq), "title")))
        lines.append((Cell("hash      ", DIM), Cell(line.hash)))
        lines.append((Cell("previous  ", DIM), Cell(line.previous)))
        lines += [*_dumped(json.loads(line.body)), ()]
    return tuple(lines)


def _dumped(said: object) -> list[Line]:
    return [(Cell(text),) for text in json.dumps(said, indent=2, ensure_ascii=False).splitlines()]


def _title(record: Record, moment: Moment) -> str:
    if record.kind is RecordKind.GAP:
        return gap_words(record, moment)
    return f"{object_words(record)} {told(record, moment.now)}".strip()


def _what(record: Record, entry: Entry | None, moment: Moment) -> Iterable[tuple[str, str, str]]:
    yield "kind", str(record.kind), ""
    yield "host", record.engine, ""
    yield "swarm", entry.swarm if entry is not None else "", ""
    yield "object", f"{record.object_type} {record.object_name}".strip(), ""
    yield "id", record.object_id, ""
    yield "service", record.service_name, ""
    if entry is not None:
        yield "image", entry.image or (entry.event.attributes.get("image", "") if entry.event is not None else ""), ""
        yield "digest", entry.digest, ""
        yield "revision", entry.revision, ""
    yield "action", record.action, ""
    yield "cause", str(record.cause), ""
    yield "exit code", "" if record.exit_code is None else str(record.exit_code), ""
    if record.first is not None:
        yield "like it", f"{record.count} times since {clock_time(record.first, moment)}", ""
    if record.kind is RecordKind.GAP:
        yield "missing", "something, for certain" if record.certain else "perhaps something", ""


def _when(record: Record, entry: Entry | None, moment: Moment) -> Iterable[tuple[str, str, str]]:
    if entry is not None and entry.event is not None:
        yield "engine's clock", _exact(moment_of(entry.event.time)), ""
        yield "our clock", f"{_exact(moment_of(entry.at))}, {age_since(record.time, moment)} ago", ""
        yield "skew", _skew(entry.skew_ms), ""
    else:
        clock = "engine's clock" if record.kind is RecordKind.EVENT else "our clock"
        yield clock, f"{_exact(record.time)}, {age_since(record.time, moment)} ago", ""
    if record.until is not None:
        yield "until", _exact(record.until), ""
    yield "written", _exact(record.seen), ""


def _who(record: Record, entry: Entry | None) -> Iterable[tuple[str, str, str]]:
    if record.kind is RecordKind.GAP:
        return
    unknown = record.attribution is Attribution.UNKNOWN
    yield "actor", attribution_words(record) or record.actor, "unknown-actor" if unknown else "strong"
    yield "how known", HOW[record.attribution], ""
    for sentence in entry.evidence if entry is not None else ():
        yield "evidence", sentence, ""
    yield "why", record.reason, ""


def _written(record: Record, entry: Entry | None, facts: Facts, moment: Moment) -> Iterable[tuple[str, str, str]]:
    if entry is None:
        yield "", "It is not in a trail that lasts: it is gone when this fleettop ends.", ""
        return
    writer = facts.writer
    if writer is not None:
        began = clock_time(moment_of(writer.at), moment)
        yield "fleettop", f"{writer.actor}, {writer.name}: {writer.what}, {began}", ""
    yield "instance", entry.instance, ""
    newest = facts.lines[-1]
    yield "line", f"{newest.seq}, {newest.hash}", ""
    yield "key", entry.key or entry.thread, ""


def _known(line: Kept, moment: Moment) -> Line:
    entry = line.entry
    who = f"{entry.actor} · {entry.attribution}" if entry.actor else entry.attribution
    return (
        Cell(f"  {clock_time(moment_of(entry.seen), moment)} ", DIM),
        Cell(f"{line.seq} ", DIM),
        Cell(entry.what),
        Cell(f"  {who}", DIM),
        Cell(f"  “{entry.reason}”" if entry.reason else ""),
    )


def _listed(records: Sequence[Record], itself: Record, moment: Moment) -> list[Line]:
    lines: list[Line] = []
    for record in records:
        here = record.key == itself.key
        style = "title" if here else "gap" if record.kind is RecordKind.GAP else "strong" if is_change(record) else ""
        sign = moment.glyphs.change if is_change(record) else " "
        who = attribution_words(record)
        lines.append(
            (
                Cell(f"{'>' if here else ' '} {clock_time(record.time, moment)} ", DIM),
                Cell(f"{sign} ", "key"),
                Cell(f"{record.engine} ", DIM),
                Cell(f"{object_words(record)} {told(record, moment.now)}", style),
                Cell(f"  {who}" if who else "", DIM),
            )
        )
    return lines


def _with(record: Record, others: Sequence[Record]) -> list[Record]:
    """The record among its neighbours, newest first."""
    newer = [other for other in others if other.time > record.time]
    return [*newer, record, *others[len(newer) :]]


def _heading(title: str, facts: Iterable[tuple[str, str, str]]) -> list[Line]:
    lines = _facts(facts)
    return [(), (Cell(title, "head"),), *lines] if lines else []


def _facts(facts: Iterable[tuple[str, str, str]]) -> list[Line]:
    return [(Cell(f"{name:<{LABEL}}", DIM), Cell(value, style)) for name, value, style in facts if value]


def _exact(at: datetime) -> str:
    return at.astimezone().isoformat(sep=" ", timespec="milliseconds")


def _skew(milliseconds: int | None) -> str:
    if milliseconds is None:
        return "not known"
    if not milliseconds:
        return "none"
    return f"the engine's clock is {latency(abs(milliseconds) / 1000)} {'ahead' if milliseconds > 0 else 'behind'}"
