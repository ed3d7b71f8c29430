"""Lapses as records of the trail, and back. Pure.

That a service did not serve is a finding of its own: it takes its replicas together, what was wanted, and how long a
loop must run to count. So it is written down, and not only the events it rests on.
"""

from __future__ import annotations

from datetime import datetime

from ..model import Attribution, Record, RecordKind
from ..words import age
from .lapses import Lapse, Why

TOLD = "told: "
"""Begins a sentence of evidence that names an alarm."""


def lapse_record(lapse: Lapse, *, number: int, now: datetime, service_name: str, trouble: bool) -> Record:
    """The record of a span that is over, or goes on."""
    return Record(
        id=number,
        key=lapse.key,
        time=lapse.begin,
        seen=now,
        engine="",
        kind=RecordKind.NOTE,
        what=_words(lapse),
        object_type="service",
        object_name=service_name,
        service=lapse.service,
        service_name=service_name,
        action=str(lapse.why),
        actor="fleettop",
        attribution=Attribution.DERIVED,
        evidence=(
            "from since when its replicas serve, and when they had ended",
            *(f"{TOLD}{level}" for level in lapse.told),
        ),
        trouble=trouble,
        until=lapse.end,
        certain=lapse.certain,
    )


def lapse_of(record: Record) -> Lapse | None:
    """And back; None: it is a record of something else."""
    if record.kind is not RecordKind.NOTE or record.service is None or record.action not in set(Why):
        return None
    return Lapse(
        service=record.service,
        why=Why(record.action),
        begin=record.time,
        end=record.until,
        certain=record.certain is not False,
        key=record.key,
        told=tuple(text.removeprefix(TOLD) for text in record.evidence if text.startswith(TOLD)),
    )


def _words(lapse: Lapse) -> str:
    if lapse.end is None:
        return "does not serve" if lapse.why is Why.OUTAGE else "is stopped"
    span = age_words((lapse.end - lapse.begin).total_seconds())
    match lapse.why:
        case Why.OUTAGE:
            return f"did not serve for {'' if lapse.certain else 'at least '}{span}"
        case Why.REST:
            return f"was stopped for {span}"
        case Why.UNSURE:
            return f"is not known to have served for {span}"


def age_words(seconds: float) -> str:
    """`0.4s`, `12s`, `4m 12s`: short ones with their tenths."""
    return f"{seconds:.1f}s" if seconds < 10 else age(seconds)
