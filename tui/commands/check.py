"""`fleettop check`: whether the fleet is fit for production, printed."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..output import Text
from . import request as ending
from .ls import add_timeout
from .request import Request, lost_engines

if TYPE_CHECKING:
    from fleettop.collectors.checks import Group, Judged, Severity, Sightings, Unchecked, Verdict
    from fleettop.collectors.checks.inspection import Inspection
    from fleettop.collectors.config.waivers import Waiver
    from fleettop.collectors.session import Session

LEVELS = ("critical", "high", "medium", "low", "info")
ROLES = {"critical": "error", "high": "error", "medium": "warning"}
SHOWN = 3
"""Objects of a group that are named where they are printed for a person."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which engines, what to print, and when to fail."""
    parser.add_argument("engines", nargs="*", metavar="ENGINE", help="only these engines")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, every object by itself")
    parser.add_argument("--severity", choices=LEVELS, default="info", help="print only what is at least so severe")
    parser.add_argument(
        "--fail-on",
        choices=LEVELS,
        help="end with 1 where something at least so severe was found (by default all but info, and what is printed)",
    )
    add_timeout(parser)


def run(request: Request) -> int:
    """Look once; 1 where something was found that nobody answers for, 3 where not all engines could be asked."""
    from .running import run_to_end

    return run_to_end(_check(request))


async def _check(request: Request) -> int:
    async with request.session() as session:
        if session is None:
            return ending.UNREACHABLE
        from fleettop.collectors.checks import Severity

        from .onepass import complete

        await complete(session, every_detail=False, deadline=request.args.timeout)
        sightings = _sightings(request)
        inspection = inspection_of(session, request.config.waivers, sightings)
        verdict = await inspection.look()
        lost, number = lost_engines(session), len(session.fleet.engines)
    least = Severity(request.args.severity)
    groups = [group for group in verdict.groups if _is_shown(group, least)]
    if request.args.json:
        for group in groups:
            for record in records_of(group):
                request.out.json(record)
        for check, passed in sorted(verdict.report.passed.items()):
            request.out.json({"verdict": "pass", "check": check, "objects": passed})
    else:
        _print(request, verdict, groups)
    if sightings.trouble:
        request.out.note(f"{sightings.trouble}.")
    if request.say_lost(lost, of=number):
        return ending.UNREACHABLE
    fail_on = Severity(request.args.fail_on or min(request.args.severity, "low", key=LEVELS.index))
    return ending.WRONG if verdict.worst(fail_on) else ending.FINE


def _sightings(request: Request) -> Sightings:
    """A simulated fleet's are kept only where a folder is named, as its trail is."""
    from fleettop.collectors.checks.sightings import Sightings, beside

    return Sightings(beside(request.trail_folder) if request.open_trail is not None else None)


def inspection_of(session: Session, waivers: tuple[Waiver, ...], sightings: Sightings) -> Inspection:
    """The checks of a watched fleet."""
    from fleettop.collectors.checks.gathering import Sources
    from fleettop.collectors.checks.inspection import Inspection

    sources = Sources(session.fleet, session.client, session.certificates, session.log_sizes)
    return Inspection(sources, clock=session.clock, waivers=waivers, sightings=sightings)


def _is_shown(group: Group, least: Severity) -> bool:
    if not group.findings:
        return least == "info"
    return group.findings[0].finding.severity.rank <= least.rank


# -- for programs ------------------------------------------------------------------------------------------------------


def records_of(group: Group) -> list[dict[str, object]]:
    """Each of a group as `--json` prints it."""
    return [_record(group, judged) for judged in group.findings] + [_unknown(group, one) for one in group.unchecked]


def _record(group: Group, judged: Judged) -> dict[str, object]:
    finding, waiver = judged.finding, judged.waiver
    return {
        "verdict": "finding",
        "check": finding.check,
        "title": group.check.title,
        "severity": str(finding.severity),
        "engine": finding.engine,
        "kind": finding.kind,
        "object": finding.object,
        "service": finding.service or None,
        "what": finding.sentence,
        "evidence": finding.evidence,
        "remedy": finding.remedy,
        "cis": group.check.cis or None,
        "waiver": {"reason": waiver.reason, "until": waiver.until.isoformat()} if waiver is not None else None,
        "waiver_over": judged.over.until.isoformat() if judged.over is not None else None,
        "first_seen": judged.first,
        "new": judged.new,
    }


def _unknown(group: Group, one: Unchecked) -> dict[str, object]:
    return {
        "verdict": "not checkable",
        "check": one.check,
        "title": group.check.title,
        "engine": one.engine,
        "object": one.object,
        "why": one.why,
        "cis": group.check.cis or None,
    }


# -- for people --------------------------------------------------------------------------------------------------------


def _print(request: Request, verdict: Verdict, groups: list[Group]) -> None:
    out = request.out
    for group in groups:
        if not group.findings:
            continue
        severity = group.key.severity
        counting = len(group.counting)
        number = f"{counting:>4}" if counting else "   –"
        new = f"  {group.new} new since yesterday" if group.new else ""
        out.line(
            Text(f"{severity:<9}", ROLES.get(severity, "dim")), f"{group.key.check} {number}  ",
            Text(group.title, "strong"), Text(new, "warning"),
        )  # fmt: skip
        for line in group_lines(group):
            out.line(Text(f"                    {line}", "dim" if line.startswith("→") else ""))
    unknown = [group for group in groups if not group.findings]
    for group in unknown:
        whys = {one.why for one in group.unchecked}
        why = whys.pop() if len(whys) == 1 else f"{len(group.unchecked)} objects"
        where = f" ({_some(list(group.hosts))})"
        out.line(Text("unknown  ", "dim"), f"{group.key.check}    ?  ", group.title, Text(f": {why}{where}", "dim"))
    out.line(Text(summary(verdict), "strong"))


def group_lines(group: Group) -> list[str]:
    """What stands below a group: where, evidence, remedy, who answers for it."""
    lines: list[str] = []
    counting = group.counting
    if counting:
        lines.append(_some([_place(judged) for judged in counting]))
        lines.append(counting[0].finding.evidence + (" …" if len({j.finding.evidence for j in counting}) > 1 else ""))
        lines += [f"→ {line}" for line in counting[0].finding.remedy.splitlines()]
    waived = [judged for judged in group.findings if judged.waiver is not None]
    for waiver in dict.fromkeys(judged.waiver for judged in waived if judged.waiver is not None):
        number = sum(judged.waiver == waiver for judged in waived)
        lines.append(f"waived for {number} until {waiver.until}: {waiver.reason}")
    for over in dict.fromkeys(judged.over for judged in counting if judged.over is not None):
        lines.append(f"the waiver ({over.reason}) is over since {over.until}")
    return lines


def _place(judged: Judged) -> str:
    finding = judged.finding
    return finding.object if finding.kind == "engine" else f"{finding.object} on {finding.engine}"


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown


def summary(verdict: Verdict) -> str:
    """`12 hosts: 41 findings of 12 kinds, 2 waived, …`."""
    from fleettop.collectors.checks import AS_OF
    from fleettop.collectors.words import count

    kinds = sum(bool(group.counting) for group in verdict.groups)
    parts = [
        f"{count(verdict.count, 'finding')} of {count(kinds, 'kind')}",
        *([f"{verdict.waived} waived"] if verdict.waived else []),
        f"{sum(bool(group.unchecked) for group in verdict.groups)} checks cannot tell everywhere",
        f"Docker's releases as of {AS_OF}",
    ]
    return f"{count(len(verdict.report.engines), 'host')}: {', '.join(parts)}."
