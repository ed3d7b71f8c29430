"""Records as lines of the trail that lasts, and back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ..model import Attribution, Cause, Container, EngineEvent, Record, RecordKind, ServiceKey, Told
from ..text import redact
from ..trail.entry import Entry, RawEvent, moment, stamp, stamp_of

KEPT_ATTRIBUTES = frozenset(
    (
        *("signal", "exitCode", "execID", "oldName", "container", "type", "driver", "reclaimed"),
        *("replicas.old", "replicas.new", "image.old", "image.new", "updatestate.old", "updatestate.new"),
        *("state.old", "state.new", "availability.old", "availability.new", "role.old", "role.new"),
        *("leader.old", "leader.new", "reachability.old", "reachability.new"),
        "com.docker.swarm.task.id",
    )
)
"""Of an event's attributes, among them all labels of its object: those that say what happened. The object, its image
and its service stand in the line itself."""


class Context:
    """What a line needs beside its record: this process, and the engine as it is now."""

    def __init__(self, instance: str) -> None:
        self.instance = instance

    def entry(self, told: Told, *, ours: datetime, now: datetime, skew: float | None) -> Entry:
        """The line that keeps this. `ours`: its time on our clock; `skew`: seconds the engine's clock is ahead."""
        record, event = told.record, told.event
        return Entry(
            thread=record.key,
            of=record.of,
            kind=str(record.kind),
            at=stamp_of(ours),
            seen=stamp_of(now),
            instance=self.instance,
            key=told.key,
            event=_raw(event) if event is not None else None,
            skew_ms=round(skew * 1000) if skew is not None else None,
            engine=record.engine,
            type=record.object_type,
            id=record.object_id,
            name=record.object_name,
            service=record.service_name,
            service_key=service_text(record.service),
            swarm=record.swarm,
            image=record.image,
            digest=record.digest,
            revision=record.revision,
            action=record.action,
            what=record.what,
            cause=str(record.cause),
            actor=record.actor,
            attribution=str(record.attribution),
            evidence=record.evidence,
            reason=record.reason,
            exit_code=record.exit_code,
            trouble=record.trouble,
            count=record.count,
            first=stamp_of(record.first) if record.first is not None else "",
            until=stamp_of(record.until) if record.until is not None else "",
            certain=record.certain,
        )


def record_of(entry: Entry, number: int) -> Record:
    """The record that a line keeps. Its time is on our clock. Raises ValueError where the line makes no sense."""
    return Record(
        id=number,
        key=entry.thread,
        of=entry.of,
        time=moment(entry.event.time) if entry.event is not None else moment(entry.at),
        seen=moment(entry.seen),
        engine=entry.engine,
        kind=RecordKind(entry.kind),
        what=entry.what,
        object_type=entry.type,
        object_id=entry.id,
        object_name=entry.name,
        service=service_key(entry.service_key),
        service_name=entry.service,
        swarm=entry.swarm,
        image=entry.image,
        digest=entry.digest,
        revision=entry.revision,
        action=entry.action,
        cause=Cause(entry.cause),
        actor=entry.actor,
        attribution=Attribution(entry.attribution or "unknown"),
        evidence=entry.evidence,
        reason=entry.reason,
        exit_code=entry.exit_code,
        trouble=entry.trouble,
        count=entry.count,
        first=moment(entry.first) if entry.first else None,
        until=moment(entry.until) if entry.until else None,
        certain=entry.certain,
        instance=entry.instance,
    )


def service_text(key: ServiceKey | None) -> str:
    """A service's key as one word of the trail."""
    return "\t".join(key) if key is not None else ""


def service_key(text: str) -> ServiceKey | None:
    """And back; None: it is none."""
    parts = text.split("\t")
    return ServiceKey(*parts) if len(parts) == 3 else None


def container_states(containers: Mapping[str, Container]) -> Mapping[str, tuple[str, str]]:
    """Name and state of each container, by id: what a later look is compared with."""
    return {c.id: (c.name, str(c.state)) for c in containers.values()}


def _raw(event: EngineEvent) -> RawEvent:
    kept = {name: redact(name, value) for name, value in event.attributes.items() if name in KEPT_ATTRIBUTES}
    return RawEvent(
        type=event.type,
        action=event.action,
        argument=redact("argument", event.argument),
        time=stamp(event.time_nano),
        attributes=kept,
    )
