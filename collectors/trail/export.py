"""The trail for others: JSONL that anybody can verify, CSV for a table, CEF for a SIEM. Streams: one line at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import chain

from .entry import Entry, moment
from .pages import matches
from .store import Line, Query, Store

FORMATS = ("jsonl", "csv", "cef")
COLUMNS = (
    *("seq", "hash", "kind", "at", "seen", "engine", "swarm", "type", "id", "name", "service", "image", "digest"),
    *("revision", "action", "what", "cause", "actor", "attribution", "evidence", "reason", "exit_code", "trouble"),
    *("count", "first", "until", "certain", "skew_ms", "instance", "thread", "key"),
)
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the begin of a formula."""
SEVERITIES = {"intent": 5, "outcome": 5, "gap": 6, "note": 3, "start": 2, "stop": 2}


def chosen(store: Store, query: Query) -> Iterator[Line]:
    """The lines that are meant, in the order of the chain: every line by itself, not only the newest of its thread."""
    return (line for line in store.lines() if matches(query, line.entry))


def export(lines: Iterable[Line], form: str, *, version: str = "") -> Iterator[str]:
    """Text, line by line with its end. `version`: of the program, for CEF. Raises ValueError for another format."""
    if form == "jsonl":
        return map(jsonl, lines)
    if form == "csv":
        return chain([_row(COLUMNS)], map(csv_row, lines))
    if form == "cef":
        return (cef(line, version) for line in lines)
    raise ValueError(f"{form!r} is no format of an export: {', '.join(FORMATS)}")


def jsonl(line: Line) -> str:
    """With what it takes to verify it: the number, the hash before, the hash, and the canonical record itself."""
    return f'{{"seq":{line.seq},"prev":"{line.previous}","hash":"{line.hash}","record":{line.body.decode()}}}\n'


def csv_row(line: Line) -> str:
    """What a table can show of it; nothing in it is a formula."""
    entry = line.entry
    values = {"seq": line.seq, "hash": line.hash, "evidence": " · ".join(entry.evidence)}
    return _row(_cell(values[name] if name in values else getattr(entry, name)) for name in COLUMNS)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(DANGEROUS) else text


def _row(values: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(values)
    return text.getvalue()


def cef(line: Line, version: str) -> str:
    """ArcSight's Common Event Format 0, one event a line."""
    entry = line.entry
    head = "|".join(
        (
            "CEF:0",
            "fleettop",
            "fleettop",
            _head(version),
            _head(f"{entry.kind}:{entry.action}" if entry.action else entry.kind),
            _head(entry.what or entry.action or entry.kind),
            str(_severity(entry)),
        )
    )
    return f"{head}|{' '.join(f'{name}={_value(value)}' for name, value in _fields(line) if value != '')}\n"


def _fields(line: Line) -> Iterator[tuple[str, str]]:
    """CEF's own names where it has one, else a custom string with its label."""
    entry = line.entry
    yield "rt", str(int(moment(entry.at).timestamp() * 1000))
    yield "externalId", str(line.seq)
    yield "act", entry.action
    yield "cat", entry.kind
    yield "dvchost", entry.engine
    yield "suser", entry.actor
    yield "outcome", "" if entry.exit_code is None else str(entry.exit_code)
    yield "reason", entry.reason or entry.cause
    yield "cnt", str(entry.count) if entry.count > 1 else ""
    yield "fname", entry.name
    yield "fileId", entry.id
    yield "fileType", entry.type
    custom = (
        ("service", entry.service),
        ("image", f"{entry.image}@{entry.digest}" if entry.digest else entry.image),
        ("attribution", entry.attribution),
        ("evidence", " · ".join(entry.evidence)),
        ("hash", line.hash),
        ("instance", entry.instance),
    )
    for number, (label, value) in enumerate(custom, 1):
        if value:
            yield f"cs{number}Label", label
            yield f"cs{number}", value


def _severity(entry: Entry) -> int:
    return 7 if entry.trouble else SEVERITIES.get(entry.kind, 3)


def _head(text: str) -> str:
    """Of the header: a backslash before backslashes and pipes, no line breaks."""
    return " ".join(text.replace("\\", "\\\\").replace("|", "\\|").splitlines())


def _value(text: str) -> str:
    """Of an extension: a backslash before backslashes and equal signs, line breaks written out."""
    escaped = text.replace("\\", "\\\\").replace("=", "\\=")
    return escaped.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")
