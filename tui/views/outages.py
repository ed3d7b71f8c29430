"""How often and how long a service was away: for its page, and the pane beside the table."""

from __future__ import annotations

from datetime import datetime

from fleettop.collectors.fleet import Fleet
from fleettop.collectors.model import Service, ServiceKey
from fleettop.collectors.outages.lapses import Lapse
from fleettop.collectors.outages.records import age_words
from fleettop.collectors.outages.spans import DAY, WINDOWS, Availability

from .. import format as fmt
from ..rows import Cell, Line
from .base import Moment
from .cells import DIM, clock_time

SHOWN = 5
NAMES = ("hour", "day", "30 days")
WORTH_SAYING = 1.0
"""Seconds of which nothing is known that are said."""


def outage_lines(fleet: Fleet, service: Service, moment: Moment) -> list[Line]:
    """Its availability over an hour, a day and 30 days, and its last outages; empty where there is nothing to say."""
    past = fleet.outages.past(service.key)
    born = born_of(fleet, service.key)
    spans = [fleet.outages.availability(service.key, service.hosts, moment.now, span, born) for span in WINDOWS]
    if all(one.share is None for one in spans):
        return []
    lines: list[Line] = [(), (Cell("availability", "head"),)]
    lines += [_window(name, one) for name, one in zip(NAMES, spans, strict=True)]
    lines += [_outage(lapse, moment) for lapse in past[:SHOWN]]
    if len(past) > SHOWN:
        lines.append((Cell(f"  and {len(past) - SHOWN} before", DIM),))
    return lines


def outages_short(fleet: Fleet, service: Service, moment: Moment) -> list[Line]:
    """The last day in one line, where it was away."""
    day = fleet.outages.availability(service.key, service.hosts, moment.now, DAY, born_of(fleet, service.key))
    if not day.outages or day.share is None:
        return []
    times = "once" if day.outages == 1 else f"{day.outages} times"
    words = f"away {times} in the last day, {age_words(day.down)} in all: {share_words(day.share)} served"
    dark = f", {fmt.age(day.unknown)} unknown" if day.unknown >= WORTH_SAYING else ""
    return [(Cell(words), Cell(dark, "unknown"))]


def born_of(fleet: Fleet, key: ServiceKey) -> datetime | None:
    """When its first container that is known was made, if all of it is."""
    made = next((made for made in fleet.history(key) if made.change.what == "created"), None)
    return made.change.time if made is not None else None


def _window(name: str, one: Availability) -> Line:
    share = "?" if one.share is None else share_words(one.share)
    words = [f"down {age_words(one.down)} in {one.outages}"] if one.outages else []
    dark = one.unknown >= WORTH_SAYING
    return (
        Cell(f"  {name:<8}", DIM),
        Cell(f"{share:>8}", "degraded" if one.outages else ""),
        Cell(f"  {words[0]}" if words else ""),
        Cell(f"  unknown {fmt.age(one.unknown)}" if dark else "", "unknown"),
    )


def share_words(share: float) -> str:
    """`100%`, `99.95%`: never rounded up to all."""
    return "100%" if share == 1 else f"{min(99.99, int(share * 10_000) / 100):.2f}%"


def _outage(lapse: Lapse, moment: Moment) -> Line:
    if lapse.end is None:
        words = f"since then, {fmt.age((moment.now - lapse.begin).total_seconds())}"
    else:
        words = f"for {age_words((lapse.end - lapse.begin).total_seconds())}"
    told = f"  told: {' '.join(lapse.told)}" if lapse.told else ""
    sure = "" if lapse.certain else ">"
    return (
        Cell(f"  {sure}{clock_time(lapse.begin, moment)} ", DIM),
        Cell(f"away {words}", "down" if lapse.end is None else ""),
        Cell(told, DIM),
    )
