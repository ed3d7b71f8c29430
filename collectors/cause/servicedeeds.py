"""What somebody changed on a swarm's service.

The event tells little (`image.old/new`, `replicas.old/new`, `updatestate.old/new`) and comes first: the record is
written with it. The next reading of the swarm holds the service's spec and the one before (`PreviousSpec`), whose
comparison says the rest. Its `UpdatedAt` is the time of the event of its newest change, so that it is known whether the
reading has the change in it.

A rollback comes as one event, whoever asked for it; only the status of the update says whether that was the swarm
itself (`update rolled back due to …`) or a person (`manually requested rollback`; swarmkit: controlapi/service.go).
That word is soon written over; but the swarm leaves no PreviousSpec after a rollback of its own (swarmkit:
orchestrator/update/updater.go).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec

from ..model import Attribution, Cause, EngineEvent, Record, ServiceDesign, ServiceKey, SwarmPicture, SwarmService
from ..words import short_image
from . import provenance
from .comparison import design_words
from .desk import Desk, Draft, doer

ONE_UPDATE = timedelta(seconds=1)
"""A service's change and the swarm's first word on the rollout carry nearly the same time."""
CLOSE = timedelta(milliseconds=1)
"""The same moment, once as nanoseconds and once as text."""
OPEN = 1_000
"""Changes that wait for the reading that tells the rest."""

BY_SWARM: dict[str, Any] = {"cause": Cause.SWARM, "actor": "the swarm", "attribution": Attribution.DERIVED}

_ROLLOUT = {
    "updating": "update begun",
    "completed": "update completed",
    "paused": "update paused",
    "rollback_paused": "rolling back was paused",
    "rollback_completed": "rolling back completed",
}
_TROUBLE = frozenset(("paused", "rollback_paused"))
_BY_ITSELF = "rolled back due to"
_BY_HAND = "manually requested"


class _Write(Protocol):
    def __call__(self, event: EngineEvent, at: datetime, what: str, **fields: Any) -> Draft: ...


class _Make(Protocol):
    def __call__(self, event: EngineEvent, what: str, **fields: Any) -> Record: ...


class _Change(msgspec.Struct):
    """A change whose details are not known yet."""

    draft: Draft
    event: EngineEvent
    head: str
    """Its first words, with `{who}`."""


class ServiceDeeds:
    """Turns the events of services into records, and amends them when the swarm was read."""

    def __init__(
        self,
        desk: Desk,
        service_of: Callable[[EngineEvent], tuple[ServiceKey, str]],
        write: _Write,
        record: _Make,
    ) -> None:
        self._desk = desk
        self._service_of = service_of
        self._write = write
        self._record = record
        self._updates: dict[str, Draft] = {}
        self._open: OrderedDict[str, list[_Change]] = OrderedDict()
        """By the id of the service, oldest first."""
        self._known: dict[str, dict[str, SwarmService]] = {}
        """Services as last read, by cluster and id."""

    def fold(self, event: EngineEvent, at: datetime) -> None:
        """Take in one event of a service."""
        key, name = self._service_of(event)
        known = self._known.get(self._desk.outside.cluster(event.engine), {}).get(event.id)
        fields: dict[str, Any] = {"service": key, "service_name": name, **provenance.of_service(known)}
        state = event.attributes.get("updatestate.new", "")
        if event.action in ("create", "remove"):
            self._desk.swarm_changes[event.id] = at
            word = "created" if event.action == "create" else "removed"
            draft = self._write(event, at, f"service {word} by {{who}}", **fields)
            if event.action == "create":
                self._await(event, draft, f"service {word} by {{who}}")
        elif event.action != "update":
            return
        elif state == "rollback_started":
            self._rolled_back(event, at, fields)
        elif state and not _changes(event):
            self._rollout(event, at, state, fields)
        else:
            self._desk.swarm_changes[event.id] = at
            action, head = _first_words(event)
            if image := event.attributes.get("image.new", ""):
                named, _, digest = image.partition("@")
                fields |= {"image": named, "digest": digest}
            draft = self._updates[event.id] = self._write(event, at, head, action=action, **fields)
            self._await(event, draft, head)

    def _rolled_back(self, event: EngineEvent, at: datetime, fields: dict[str, Any]) -> None:
        self._desk.swarm_changes[event.id] = at
        head = "rolled back by {who}"
        draft = self._write(event, at, head + _image_words(event), action="rollback", trouble=True, **fields)
        if draft.record.attribution is Attribution.UNKNOWN:
            what = draft.record.what.replace("by someone", "by someone or the swarm", 1)
            self._desk.amend(draft, at, what=what)
        self._updates[event.id] = draft
        self._await(event, draft, head)

    def _rollout(self, event: EngineEvent, at: datetime, state: str, fields: dict[str, Any]) -> None:
        self._desk.swarm_changes[event.id] = at
        draft = self._updates.get(event.id)
        if state == "updating" and draft is not None and at - draft.at <= ONE_UPDATE:
            self._desk.add(draft)  # the change itself was told a moment ago
            return
        record = self._record(event, _ROLLOUT.get(state, f"update: {state}"), action="rollout", **fields)
        evidence = (f"the swarm's own word on the update: {state}",)
        record = msgspec.structs.replace(record, trouble=state in _TROUBLE, evidence=evidence, **BY_SWARM)
        self._desk.write(record, at)

    # -- what the reading tells

    def _await(self, event: EngineEvent, draft: Draft, head: str) -> None:
        self._open.setdefault(event.id, []).append(_Change(draft, event, head))
        if len(self._open) > OPEN:
            self._open.popitem(last=False)

    def observe(self, picture: SwarmPicture, cluster: str) -> None:
        """The swarm was read."""
        if picture.error:
            return
        before = self._known.get(cluster, {})
        now = self._known[cluster] = {service.id: service for service in picture.services}
        for service_id in [found for found in self._open if found in now]:
            service, old = now[service_id], before.get(service_id)
            waiting = self._open[service_id]
            settled = [c for c in waiting if service.updated is not None and c.event.time - CLOSE <= service.updated]
            if not settled:
                continue
            rest = [change for change in waiting if change not in settled]
            if rest:
                self._open[service_id] = rest
            else:
                del self._open[service_id]
            self._settle(settled, service, old)

    def _settle(self, changes: list[_Change], service: SwarmService, old: SwarmService | None) -> None:
        """The newest change is what `PreviousSpec` differs by; the one before it, what that differs by from the last
        reading. Of more than two between two readings, those in the middle cannot be told apart."""
        newest = changes[-1]
        before, how = service.before, "PreviousSpec"
        if before is None and old is not None:
            before, how = old.design, "the reading before"
        self._tell(newest, before, service.design, service, old, how)
        if len(changes) == 2 and old is not None and service.before is not None:
            self._tell(changes[0], old.design, service.before, service, old, "PreviousSpec and the reading before")

    def _tell(
        self,
        change: _Change,
        before: ServiceDesign | None,
        after: ServiceDesign | None,
        service: SwarmService,
        old: SwarmService | None,
        how: str,
    ) -> None:
        draft = change.draft
        if after is None:
            return
        labels = after.labels
        fields: dict[str, Any] = {
            "image": after.image, "digest": after.digest, "revision": provenance.revision(labels),
        }  # fmt: skip
        evidence = draft.record.evidence
        if change.event.action == "update":
            versions = f"{old.version} → {service.version}" if old is not None else f"{service.version}"
            evidence = (*evidence, f"service version {versions}, {how}")
        fields |= self._who(change, before, after, service)
        evidence += fields.pop("evidence", ())
        amended = msgspec.structs.replace(draft.record, **fields)
        who = doer(amended)
        if draft.record.action == "rollback" and who == "someone" and not any(_BY_HAND in known for known in evidence):
            who = "someone or the swarm"
        what = change.head.replace("{who}", who)
        if change.event.action == "update" and before is not None:
            what = _whole(change, before, after, who)
        self._desk.amend(draft, draft.at, what=what, evidence=evidence, **fields)

    def _who(
        self, change: _Change, before: ServiceDesign | None, after: ServiceDesign, service: SwarmService
    ) -> dict[str, Any]:
        """Who did it, where something tells: the swarm itself, or a deployer's label."""
        if change.draft.record.attribution is not Attribution.UNKNOWN:
            return {}
        if change.draft.record.action == "rollback":
            if _BY_ITSELF in service.update_message:
                return {**BY_SWARM, "evidence": (f"the swarm says: {service.update_message}",)}
            if _BY_HAND in service.update_message:
                return {"evidence": (f"the swarm says: {service.update_message}",)}
            if service.before is None:
                return {**BY_SWARM, "evidence": ("no PreviousSpec is left, as after a rollback by the swarm itself",)}
            return {}
        label = self._desk.outside.declaring.label(after.labels)
        if not label:
            return {}
        declared = self._desk.outside.declaring.fields(after.labels)
        fresh = before is None or before.labels.get(label) != after.labels[label]
        if fresh or _deploys(before, after):
            return declared
        # The label is of an earlier deploy: it does not name who scaled it since.
        return {"evidence": (f"label {label} names {declared['actor']}, but is older than this change",)}


def _deploys(before: ServiceDesign | None, after: ServiceDesign) -> bool:
    """Whether more was changed than the number of replicas, or that its tasks be made anew."""
    if before is None:
        return True
    same = msgspec.structs.replace(before, replicas=after.replicas, forced=after.forced)
    return same != after


def _changes(event: EngineEvent) -> bool:
    return "replicas.new" in event.attributes or "image.new" in event.attributes


def _image_words(event: EngineEvent) -> str:
    old, new = event.attributes.get("image.old", ""), event.attributes.get("image.new", "")
    return f", image {short_image(old)} → {short_image(new)}" if new else ""


def _first_words(event: EngineEvent) -> tuple[str, str]:
    """What kind of change an update event tells of, and its words."""
    changed = event.attributes
    old, new = changed.get("image.old", ""), changed.get("image.new", "")
    if new:
        return "deploy", f"image {short_image(old)} → {short_image(new)} by {{who}}"
    if "replicas.new" in changed:
        return "scale", f"scaled {changed.get('replicas.old', '?')} → {changed['replicas.new']} by {{who}}"
    return "update", "service changed by {who}"


def _whole(change: _Change, before: ServiceDesign, after: ServiceDesign, who: str) -> str:
    """The event's words, and all else that the two specs differ by."""
    head = change.head.replace("{who}", who)
    told = change.draft.record.action
    if told in ("deploy", "scale"):  # that much is in the head
        before = msgspec.structs.replace(before, image=after.image, digest=after.digest) if told == "deploy" else before
        if "replicas.new" in change.event.attributes and told == "scale":
            before = msgspec.structs.replace(before, replicas=after.replicas)
    words = design_words(before, after)
    forced = after.forced != before.forced and told != "rollback"
    if forced and told == "update":
        head = f"force update by {who}: its tasks are made anew"
        return f"{head}, {words}" if words else head
    parts = [head, *([words] if words else []), *(["forced"] if forced else [])]
    return ": ".join(parts[:2]) if told == "update" else ", ".join(parts)
