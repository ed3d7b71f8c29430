"""Whether the trail is what was written: what was looked at, and the first thing that is wrong, in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fleettop.collectors.errors import ConfigError
from fleettop.collectors.trail.store import Head
from fleettop.collectors.trail.verify import Comparison, Report, compare_head, parse_head, verify
from fleettop.collectors.words import age, count

from ..output import Output, Text
from . import request as ending
from .anchor import heads_in
from .request import Request

if TYPE_CHECKING:
    from .records import Json


def prove(request: Request, folder: Path) -> int:
    """Look through all of it, and for each head that is named; 1 where something is wrong."""
    heads = tuple(_heads(request))
    report = verify(folder)
    compared = [(head, compare_head(folder, head)) for head in heads]
    lost = [(head, found) for head, found in compared if found.found is False]
    if request.args.json:
        request.out.json(report_record(report, compared))
    else:
        _tell(request.out, report)
        _tell_heads(request.out, compared)
    return ending.FINE if report.intact and not lost else ending.WRONG


def _heads(request: Request) -> Iterator[Head]:
    if request.args.head is not None:
        try:
            yield parse_head(request.args.head)
        except ValueError as error:
            raise ConfigError(f"--head: {error}.", hint="`fleettop trail head` prints one.") from error
    if request.args.anchored is not None:
        heads = [Head(seq=seq, hash=digest) for seq, digest in heads_in(Path(request.args.anchored))]
        if not heads:
            raise ConfigError(
                f"--anchored: no head stands in {request.args.anchored}.", hint="Name the file that --anchor wrote."
            )
        yield from heads


def _tell(out: Output, report: Report) -> None:
    segments = count(report.segments, "segment")
    out.line(f"{count(report.lines, 'line')} in {segments}: ", _kinds(report))
    if report.lines:
        out.line(f"from {_second(report.oldest)} to {_second(report.newest)} UTC; the head is {_head(report.head)}")
    longest = f", the longest of them {age(report.longest_gap / 1e9)}" if report.longest_gap else ""
    if report.gaps:
        out.line(f"{count(report.gaps, 'gap line')}{longest}")
    if report.removed_told:
        out.line(f"lines 1 to {report.begins - 1} were removed as configured: line {report.removed_told} tells so")
    if report.unclean:
        starts = ", ".join(f"line {seq}" for seq, _ in report.unclean[:5])
        more = f" and {len(report.unclean) - 5} more" if len(report.unclean) > 5 else ""
        out.line(f"{count(len(report.unclean), 'start')} without an end ({starts}{more}): it still runs, or was killed")
    for sentence in report.index_problems:
        out.line(Text("index: ", "warning"), f"{sentence} (no line is concerned)")
    if report.intact:
        out.line(Text("intact", "ok"), ": every line is what was written, as far as can be seen from inside")
        return
    for problem in report.problems:
        told = f" (line {problem.told} of the trail tells of it)" if problem.told else ""
        out.line(Text("WRONG", "error"), f": {f'{problem.segment}: ' if problem.segment else ''}{problem.what}{told}")
    if report.more_problems:
        out.line(f"and {count(report.more_problems, 'thing')} more")


def _tell_heads(out: Output, compared: list[tuple[Head, Comparison]]) -> None:
    good = sum(found.found is True for _, found in compared)
    for head, found in compared:
        if found.found is True:
            continue
        word = Text("WRONG", "error") if found.found is False else Text("gone", "warning")
        out.line(word, f": head {head.seq}:{head.hash[:12]}…: {found.what}")
    if good:
        out.line(
            Text("ok", "ok"), f": on the chain {'is' if good == 1 else 'are'} {count(good, 'head')} kept elsewhere"
        )


def _kinds(report: Report) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in report.kinds.items()) or "none"


def _head(head: Head) -> str:
    return f"{head.seq}:{head.hash}"


def _second(text: str) -> str:
    return text[:19].replace("T", " ")


def report_record(report: Report, compared: list[tuple[Head, Comparison]]) -> Json:
    """What `--json` prints of it."""
    return {
        "intact": report.intact,
        "lines": report.lines,
        "kinds": dict(report.kinds),
        "oldest": report.oldest or None,
        "newest": report.newest or None,
        "gaps": report.gaps,
        "longest_gap": report.longest_gap / 1e9 if report.longest_gap else None,
        "segments": report.segments,
        "unclean": [{"seq": seq, "instance": instance} for seq, instance in report.unclean],
        "begins": report.begins,
        "removed_told": report.removed_told or None,
        "head": _head(report.head),
        "problems": [
            {"segment": each.segment or None, "seq": each.seq or None, "what": each.what, "told": each.told or None}
            for each in report.problems
        ],
        "more_problems": report.more_problems,
        "index_problems": list(report.index_problems),
        "heads": [{"head": _head(head), "found": found.found, "what": found.what} for head, found in compared],
    }
