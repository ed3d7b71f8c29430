"""What a check found at one place, as the screen shows it, and the pane of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from fleettop.collectors import words
from fleettop.collectors.config.waivers import Waiver
from fleettop.collectors.model import ContainerKey

from ..rows import Cell, Line
from .base import Moment
from .cells import DIM, age_since

if TYPE_CHECKING:
    from fleettop.collectors.checks import Group, Judged, Unchecked

UNKNOWN = "unknown"
ROLES = {"critical": "down", "high": "degraded", "medium": "", "low": DIM, "info": DIM, UNKNOWN: "unknown"}
OBJECTS = 40
"""Objects that the details of a group name."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """An object with a finding, or one of which a check could not tell."""

    engine: str
    object: str
    kind: str = ""
    service: str = ""
    sentence: str
    evidence: str
    remedy: str
    container: ContainerKey | None = None
    waiver: Waiver | None = None
    over: Waiver | None = None
    first: datetime | None = None
    new: bool | None = None

    @property
    def state(self) -> str:
        """`waived`, `new` or `open`."""
        return "waived" if self.waiver is not None else "new" if self.new else "open"

    @property
    def where(self) -> str:
        """The object, with the service its container is of."""
        plain = self.kind != "container" or not self.service
        named = plain or self.object.startswith((self.service, self.service.replace("/", "-")))
        return self.object if named else f"{self.object} ({self.service})"


def places_of(group: Group) -> list[Place]:
    """All of a group, in its order."""
    return [*map(_found, group.findings), *(_untold(group, one) for one in group.unchecked)]


def _found(judged: Judged) -> Place:
    finding = judged.finding
    return Place(
        engine=finding.engine,
        object=finding.object,
        kind=finding.kind,
        service=finding.service,
        sentence=finding.sentence,
        evidence=finding.evidence,
        remedy=finding.remedy,
        container=finding.container,
        waiver=judged.waiver,
        over=judged.over,
        first=judged.first,
        new=judged.new,
    )


def _untold(group: Group, one: Unchecked) -> Place:
    return Place(engine=one.engine, object=one.object, sentence=one.why, evidence=one.why, remedy=group.check.remedy)


def waiver_words(waiver: Waiver) -> str:
    """`waived until 2027-03-31: reason`."""
    return f"waived until {waiver.until}: {waiver.reason}"


def sign(severity: str, moment: Moment) -> str:
    """The sign of a severity: one cell."""
    states = moment.glyphs.states
    signs = {"critical": states["down"], "high": states["degraded"], "medium": states["stopped"], UNKNOWN: "?"}
    return signs.get(severity, moment.glyphs.dot)


def check_detail(group: Group, places: list[Place], one: Place | None, moment: Moment) -> Iterable[Line]:
    """The pane of a group, or of `one` of its places: why it matters, what it rests on, what to do."""
    check, severity = group.check, group.key.severity
    title = one.sentence if one is not None and severity != UNKNOWN else group.title
    yield (Cell(title[:1].upper() + title[1:], "title"),)
    yield (Cell(f"{sign(severity, moment)} {severity}", ROLES[severity]), Cell(f"  {check.id}, {check.title}", DIM))
    if one is not None:
        yield (Cell(one.where, "strong"), Cell("" if one.engine == one.object else f" on {one.engine}"))
    yield ()
    if severity == UNKNOWN:
        yield (Cell("It cannot be told, which is not the same as passed:"),)
        whys = dict.fromkeys(place.sentence for place in (places if one is None else [one]))
        yield from ((Cell(f"  {why}"),) for why in list(whys)[:8])
    else:
        yield (Cell(check.why),)
        if one is not None:
            yield (Cell("found      ", DIM), Cell(one.evidence))
            yield from _since(one, moment)
    yield ()
    yield (Cell("what to do", "head"), Cell("  y copies it", DIM))
    yield from ((Cell(f"  {line}", "strong"),) for line in (one or places[0]).remedy.splitlines())
    yield ()
    yield (Cell("read from  ", DIM), Cell(check.source))
    if check.cis:
        yield (Cell("reference  ", DIM), Cell(f"CIS Docker Benchmark 1.6.0, {check.cis}"))
    if one is None:
        yield from _members(places)


def _since(one: Place, moment: Moment) -> Iterable[Line]:
    if one.first is not None and one.new is None:
        yield (Cell("first seen ", DIM), Cell("whether it is new is not known: nobody looked before"))
    elif one.first is not None:
        new = "  new since yesterday" if one.new else ""
        yield (Cell("first seen ", DIM), Cell(f"{age_since(one.first, moment)} ago"), Cell(new, "warning"))
    if one.waiver is not None:
        yield (Cell("waived     ", DIM), Cell(f"until {one.waiver.until}: {one.waiver.reason}"))
    if one.over is not None:
        yield (Cell("waived     ", DIM), Cell(f"no more: over since {one.over.until} ({one.over.reason})", "warning"))


def _members(places: list[Place]) -> Iterable[Line]:
    yield ()
    yield (Cell(words.count(len(places), "object"), "head"),)
    for place in places[:OBJECTS]:
        on = "" if place.engine == place.object else f" on {place.engine}"
        mark = "" if place.state == "open" else f"  {place.state}"
        over = f"  waiver over since {place.over.until}" if place.over is not None else ""
        yield (Cell(f"  {place.where}"), Cell(on, DIM), Cell(mark + over, "warning"))
    if len(places) > OBJECTS:
        yield (Cell(f"  and {len(places) - OBJECTS} more: Enter opens the group", DIM),)
