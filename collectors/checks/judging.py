"""What a report comes to: each finding with its waiver and its age, and equal ones in one group."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

import msgspec

from ..config.waivers import Waiver
from .catalogue import CHECKS
from .finding import Check, Finding, Report, Severity, Unchecked
from .sightings import Identity, Sighting


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A finding, and what is to be said beside it."""

    finding: Finding
    waiver: Waiver | None = None
    """Who answers for it; it does not count then."""
    over: Waiver | None = None
    """A waiver that was for it and is over."""
    first: datetime | None = None
    """When it was found first; None: not kept."""
    new: bool | None = None
    """Whether it was not there a day ago; None: nobody looked then."""

    @property
    def counts(self) -> bool:
        """Whether nobody answers for it."""
        return self.waiver is None


class GroupKey(NamedTuple):
    """Equal findings: those of one check, as severe."""

    check: str
    severity: str
    """`unknown` where the check could not tell."""


UNKNOWN = "unknown"


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Equal findings, or equal places where a check could not tell."""

    key: GroupKey
    check: Check
    findings: tuple[Judged, ...] = ()
    unchecked: tuple[Unchecked, ...] = ()

    @property
    def counting(self) -> tuple[Judged, ...]:
        """Those that nobody answers for."""
        return tuple(judged for judged in self.findings if judged.counts)

    @property
    def title(self) -> str:
        """What they have in common: the sentence, where it is the same for all."""
        sentences = {judged.finding.sentence for judged in self.findings}
        return sentences.pop() if len(sentences) == 1 else self.check.title

    @property
    def hosts(self) -> tuple[str, ...]:
        """Where they are, in order."""
        rows: Iterable[Finding | Unchecked] = self.unchecked or [judged.finding for judged in self.findings]
        return tuple(sorted({row.engine for row in rows}))

    @property
    def new(self) -> int:
        """How many of those that count were not there a day ago."""
        return sum(judged.new is True for judged in self.counting)

    @property
    def rank(self) -> tuple[int, ...]:
        """Worst first; what is waived behind, what could not be told last."""
        if self.key.severity == UNKNOWN:
            return (2, 0, 0)
        severity = Severity(self.key.severity).rank
        return (0 if self.counting else 1, severity, -len(self.counting))


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One look at the fleet, judged."""

    report: Report
    groups: tuple[Group, ...]
    """Worst first."""
    count: int
    """Findings that nobody answers for."""
    new: int
    """Those of them that were not there a day ago."""
    waived: int
    """Findings that somebody answers for."""

    @property
    def counting(self) -> tuple[Judged, ...]:
        """All findings that nobody answers for."""
        return tuple(judged for group in self.groups for judged in group.counting)

    def worst(self, least: Severity) -> tuple[Judged, ...]:
        """Those that count and are at least so severe."""
        return tuple(judged for judged in self.counting if judged.finding.severity.rank <= least.rank)


def judge(report: Report, waivers: Sequence[Waiver], sightings: Mapping[Identity, Sighting], today: date) -> Verdict:
    """Put waivers and ages beside the findings, and equal ones together."""
    findings: dict[GroupKey, list[Judged]] = {}
    unchecked: dict[GroupKey, list[Unchecked]] = {}
    by_check: dict[str, list[Waiver]] = {}
    for waiver in waivers:
        by_check.setdefault(waiver.check, []).append(waiver)
    for finding in report.findings:
        key = GroupKey(finding.check, str(finding.severity))
        sighting = sightings.get(finding.identity)
        judged = _judged(finding, by_check.get(finding.check, ()), sighting, report.at, today)
        findings.setdefault(key, []).append(judged)
    for one in report.unchecked:
        unchecked.setdefault(GroupKey(one.check, UNKNOWN), []).append(one)
    groups = [
        Group(key=key, check=CHECKS[key.check], findings=tuple(sorted(members, key=_order)))
        for key, members in findings.items()
    ]
    groups += [
        Group(key=key, check=CHECKS[key.check], unchecked=tuple(sorted(rows, key=lambda row: (row.engine, row.object))))
        for key, rows in unchecked.items()
    ]
    count = sum(len(group.counting) for group in groups)
    return Verdict(
        report=report,
        groups=tuple(sorted(groups, key=lambda group: (group.rank, group.key))),
        count=count,
        new=sum(group.new for group in groups),
        waived=len(report.findings) - count,
    )


def _judged(
    finding: Finding, waivers: Iterable[Waiver], sighting: Sighting | None, now: datetime, today: date
) -> Judged:
    fitting = [w for w in waivers if w.fits(finding.check, finding.engine, finding.object, finding.service)]
    holding = next((waiver for waiver in fitting if waiver.holds(today)), None)
    return Judged(
        finding=finding,
        waiver=holding,
        over=max(fitting, key=lambda waiver: waiver.until) if fitting and holding is None else None,
        first=sighting.first if sighting is not None else None,
        new=sighting.is_new(now) if sighting is not None else None,
    )


def _order(judged: Judged) -> tuple[object, ...]:
    """What counts before what is waived, new before old, `web-2` before `web-10`."""
    finding = judged.finding
    return (not judged.counts, judged.new is not True, finding.service, _counted(finding.object), finding.engine)


_DIGITS = re.compile(r"(\d+)")


def _counted(name: str) -> tuple[str, ...]:
    return tuple(part.zfill(12) if part.isdigit() else part for part in _DIGITS.split(name))
