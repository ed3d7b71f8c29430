"""Records of the events that are not a container's: images, networks, volumes, nodes, swarm services, the daemon."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ..model import Attribution, Cause, EngineEvent, Record, RecordKind, ServiceKey
from ..words import short_id, short_image
from .desk import Desk, Draft, attributed
from .intents import Intents

_VERBS: Mapping[tuple[str, str], str] = {
    ("image", "pull"): "pulled",
    ("image", "push"): "pushed",
    ("image", "tag"): "tagged",
    ("image", "untag"): "untagged",
    ("image", "delete"): "deleted",
    ("image", "load"): "loaded",
    ("image", "import"): "imported",
    ("image", "save"): "saved",
    ("image", "prune"): "unused images were pruned",
    ("container", "prune"): "stopped containers were pruned",
    ("volume", "create"): "created",
    ("volume", "destroy"): "removed",
    ("volume", "prune"): "unused volumes were pruned",
    ("network", "create"): "created",
    ("network", "destroy"): "removed",
    ("network", "remove"): "removed",
    ("network", "prune"): "unused networks were pruned",
    ("builder", "prune"): "build cache was pruned",
    ("node", "create"): "joined the swarm",
    ("node", "remove"): "removed from the swarm",
    ("secret", "create"): "created",
    ("secret", "update"): "changed",
    ("secret", "remove"): "removed",
    ("config", "create"): "created",
    ("config", "update"): "changed",
    ("config", "remove"): "removed",
    ("plugin", "enable"): "enabled",
    ("plugin", "disable"): "disabled",
    ("plugin", "install"): "installed",
    ("plugin", "remove"): "removed",
    ("daemon", "reload"): "configuration of the engine reloaded",
}
"""What is told of each event; what is not in here (mounts, network connects) is noise."""

ONE_UPDATE = timedelta(seconds=1)
"""A service's change and the swarm's first word on the rollout carry nearly the same time."""

TOGETHER = timedelta(minutes=1)


class Objects:
    """Turns these events into records, one at a time."""

    def __init__(
        self, desk: Desk, intents: Intents, service_of: Callable[[EngineEvent], tuple[ServiceKey, str]]
    ) -> None:
        self._desk = desk
        self._intents = intents
        self._service_of = service_of
        self._updates: dict[str, Draft] = {}
        self._folded: dict[str, Draft] = {}

    def fold(self, event: EngineEvent) -> None:
        """Take in one event."""
        at = self._desk.outside.ours(event.engine, event.time)
        with self._desk.hearing(event):
            self._fold(event, at)

    def _fold(self, event: EngineEvent, at: datetime) -> None:
        if event.type == "service":
            self._service(event, at)
        elif event.type == "node" and event.action == "update":
            self._node(event, at)
        else:
            verb = _VERBS.get((event.type, event.action))
            whole = event.action == "prune" or event.type == "daemon"
            if verb is not None:
                self._write(event, at, verb if whole else f"{verb} by {{who}}", **_by_itself(event))

    def _service(self, event: EngineEvent, at: datetime) -> None:
        key, name = self._service_of(event)
        fields: dict[str, Any] = {"service": key, "service_name": name}
        if event.action in ("create", "remove"):
            self._desk.swarm_changes[event.id] = at
            word = "created" if event.action == "create" else "removed"
            self._write(event, at, f"service {word} by {{who}}", **fields)
            return
        if event.action != "update":
            return
        state = event.attributes.get("updatestate.new", "")
        if state and not _changes(event):
            self._rollout(event, at, state, fields)
            return
        self._desk.swarm_changes[event.id] = at
        action, what = _service_change(event)
        draft = self._write(event, at, what, action=action, **fields)
        self._updates[event.id] = draft

    def _rollout(self, event: EngineEvent, at: datetime, state: str, fields: dict[str, Any]) -> None:
        words = {
            "updating": "update begun",
            "completed": "update completed",
            "paused": "update paused",
            "rollback_started": "rolled back",
            "rollback_paused": "rolling back was paused",
            "rollback_completed": "rolling back completed",
        }.get(state, f"update: {state}")
        self._desk.swarm_changes[event.id] = at
        draft = self._updates.get(event.id)
        if state == "updating" and draft is not None and at - draft.at <= ONE_UPDATE:
            self._desk.add(draft)  # the change itself was told a moment ago
            return
        trouble = state in ("paused", "rollback_started", "rollback_paused")
        record = self._record(event, words, action="rollout", **fields)
        record = msgspec.structs.replace(
            record, cause=Cause.SWARM, actor="the swarm", attribution=Attribution.DERIVED, trouble=trouble
        )
        self._desk.write(record, at)

    def _node(self, event: EngineEvent, at: datetime) -> None:
        changed = event.attributes
        state, availability = changed.get("state.new", ""), changed.get("availability.new", "")
        if state:
            record = self._record(event, f"node is {state} (was {changed.get('state.old', 'unknown')})")
            fields = {"cause": Cause.SWARM, "actor": "the swarm", "attribution": Attribution.DERIVED}
            self._desk.write(msgspec.structs.replace(record, trouble=state == "down", **fields), at)
        elif availability:
            self._write(event, at, f"node set to {availability} by {{who}} (was {changed.get('availability.old', '')})")
        elif role := changed.get("role.new", ""):
            self._write(event, at, f"node made {role} by {{who}}")
        elif changed.get("leader.new") or changed.get("reachability.new"):
            words = (
                "became the leader" if changed.get("leader.new") == "true" else "changed its place among the managers"
            )
            record = self._record(event, words)
            fields = {"cause": Cause.SWARM, "actor": "the swarm", "attribution": Attribution.DERIVED}
            self._desk.write(msgspec.structs.replace(record, **fields), at)
        else:
            self._write_folded(event, at, "node changed")

    def _write_folded(self, event: EngineEvent, at: datetime, what: str) -> None:
        """Of events that say nothing more: one record for those that come together."""
        draft = self._folded.get(event.id)
        if draft is None or at - draft.at > TOGETHER:
            self._folded[event.id] = self._write(event, at, what)
            return
        first = draft.record.first or draft.record.time
        self._desk.amend(draft, at, count=draft.record.count + 1, first=first, time=event.time)

    def _write(self, event: EngineEvent, at: datetime, what: str, **fields: Any) -> Draft:
        intent = self._intents.behind(
            engine=event.engine, object_id=event.id, name=event.name, action=event.action, at=at
        )
        if intent is not None and event.type == "service":
            self._intents.use_up(intent)  # one request, one event: the next is somebody else's
        who = intent.actor if intent is not None else "someone"
        record = self._record(
            event, what.replace("{who}", str(fields.get("actor", who))), **(attributed(intent) | fields)
        )
        return self._desk.write(record, at)

    def _record(self, event: EngineEvent, what: str, **fields: Any) -> Record:
        outside = self._desk.outside
        record = Record(
            id=outside.number(),
            time=event.time,
            seen=outside.now(),
            engine=event.engine,
            kind=RecordKind.EVENT,
            what=what,
            object_type=event.type,
            object_id=event.id,
            object_name=short_id(event.id) if event.name in ("", event.id) else event.name,
            action=event.action,
        )
        return msgspec.structs.replace(record, **fields)


def _by_itself(event: EngineEvent) -> dict[str, Any]:
    """A swarm makes its own networks on each node."""
    if event.type == "network" and event.name in ("ingress", "docker_gwbridge"):
        return {"cause": Cause.SWARM, "actor": "the swarm", "attribution": Attribution.DERIVED}
    return {}


def _changes(event: EngineEvent) -> bool:
    return "replicas.new" in event.attributes or "image.new" in event.attributes


def _service_change(event: EngineEvent) -> tuple[str, str]:
    """What kind of change an update event tells of, and its words."""
    changed = event.attributes
    old, new = changed.get("image.old", ""), changed.get("image.new", "")
    if new:
        return "deploy", f"image {short_image(old)} → {short_image(new)} by {{who}}"
    if "replicas.new" in changed:
        return "scale", f"scaled {changed.get('replicas.old', '?')} → {changed['replicas.new']} by {{who}}"
    return "update", "service changed by {who}"
