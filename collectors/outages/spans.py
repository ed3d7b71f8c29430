"""Spans of time, and what is left of a window of them: served, not served, not known. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MONTH = timedelta(days=30)
WINDOWS = (HOUR, DAY, MONTH)


class Span(NamedTuple):
    """From one moment to another, on our clock."""

    begin: datetime
    end: datetime


class Availability(msgspec.Struct, frozen=True, kw_only=True):
    """How a service stood over a window, in seconds. Rest, wanted by somebody, is in none of the three."""

    up: float
    down: float
    unknown: float
    outages: int
    """How often it did not serve."""

    @property
    def share(self) -> float | None:
        """Of the time that is known, how much it served; None: nothing is known."""
        known = self.up + self.down
        return self.up / known if known > 0 else None


def availability(
    window: Span, down: Sequence[Span], *, unknown: Iterable[Span] = (), rest: Iterable[Span] = ()
) -> Availability:
    """What is certain goes first: where it is known not to have served, a gap changes nothing."""
    out = within(window, down)
    at_rest = minus(within(window, rest), out)
    dark = minus(within(window, unknown), [*out, *at_rest])
    whole = (window.end - window.begin).total_seconds()
    return Availability(
        up=max(0.0, whole - total(out) - total(at_rest) - total(dark)),
        down=total(out),
        unknown=total(dark),
        outages=sum(1 for span in out if span.end > span.begin),
    )


def within(window: Span, spans: Iterable[Span]) -> list[Span]:
    """The parts inside the window, in order, each moment in one span only."""
    return joined(
        Span(max(span.begin, window.begin), min(span.end, window.end))
        for span in spans
        if span.end > window.begin and span.begin < window.end
    )


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same moments in order, each in one span only."""
    whole: list[Span] = []
    for span in sorted(spans):
        if whole and span.begin <= whole[-1].end:
            whole[-1] = Span(whole[-1].begin, max(whole[-1].end, span.end))
        elif span.end > span.begin:
            whole.append(span)
    return whole


def minus(spans: Iterable[Span], away: Iterable[Span]) -> list[Span]:
    """What is left of these without those."""
    left = list(spans)
    for hole in away:
        pieces: list[Span] = []
        for span in left:
            if hole.end <= span.begin or hole.begin >= span.end:
                pieces.append(span)
                continue
            pieces += [Span(span.begin, hole.begin)] if hole.begin > span.begin else []
            pieces += [Span(hole.end, span.end)] if hole.end < span.end else []
        left = pieces
    return left


def common(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """The moments that are in both, each of which is as `joined` makes them; and so is what is returned.

    Each is gone over once. With spans that overlap it would be multiplied with each of a service's hosts.
    """
    both: list[Span] = []
    at_one = at_other = 0
    while at_one < len(one) and at_other < len(other):
        a, b = one[at_one], other[at_other]
        begin, end = max(a.begin, b.begin), min(a.end, b.end)
        if end > begin:
            both.append(Span(begin, end))
        if a.end <= b.end:
            at_one += 1
        else:
            at_other += 1
    return both


def total(spans: Iterable[Span]) -> float:
    """Seconds in all."""
    return sum((span.end - span.begin).total_seconds() for span in spans)
