"""Records of the events that are not a container's: images, networks, volumes, nodes, swarm services, the daemon."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ..model import EngineEvent, Record, RecordKind, ServiceKey
from ..words import short_id
from .desk import Desk, Draft, attributed
from .intents import Intents
from .noise import NOISE
from .repeats import SWARM_TYPES
from .servicedeeds import BY_SWARM, ServiceDeeds

_VERBS: Mapping[tuple[str, str], str] = {
    ("image", "pull"): "pulled",
    ("image", "push"): "pushed",
    ("image", "tag"): "tagged",
    ("image", "untag"): "untagged",
    ("image", "delete"): "deleted",
    ("image", "load"): "loaded",
    ("image", "import"): "imported",
    ("image", "loadfromarchive"): "loaded",
    ("image", "save"): "written into an archive",
    ("image", "prune"): "unused images were pruned",
    ("container", "prune"): "stopped containers were pruned",
    ("volume", "create"): "created",
    ("volume", "destroy"): "removed",
    ("volume", "remove"): "removed",
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
    ("plugin", "pull"): "pulled",
    ("plugin", "create"): "created",
    ("plugin", "enable"): "enabled",
    ("plugin", "disable"): "disabled",
    ("plugin", "install"): "installed",
    ("plugin", "remove"): "removed",
    ("daemon", "reload"): "configuration of the engine reloaded",
}
"""What is told of each event. One that is neither here nor in `noise` is told in the engine's own word."""

TOGETHER = timedelta(minutes=1)
PRUNED = timedelta(seconds=1)
"""The longest pause between two removals of one prune, and between the last one and the word of the prune itself."""
REMOVED = 500
NAMES = 20
_REMOVALS = frozenset(("destroy", "remove", "delete"))


class Objects:
    """Turns these events into records, one at a time."""

    def __init__(
        self, desk: Desk, intents: Intents, service_of: Callable[[EngineEvent], tuple[ServiceKey, str]]
    ) -> None:
        self._desk = desk
        self._intents = intents
        self._folded: dict[str, Draft] = {}
        self._gone: dict[tuple[str, str], deque[tuple[datetime, str]]] = {}
        """What was removed lately, by engine and type: a prune tells no names."""
        self.services = ServiceDeeds(desk, service_of, self._write, self._record)

    def fold(self, event: EngineEvent) -> None:
        """Take in one event."""
        at = self._desk.outside.ours(event.engine, event.time)
        if event.action in _REMOVALS:
            self.went(event, at)
        with self._desk.hearing(event):
            self._fold(event, at)

    def _fold(self, event: EngineEvent, at: datetime) -> None:
        if event.type == "service":
            self.services.fold(event, at)
        elif event.type == "node" and event.action == "update":
            self._node(event, at)
        elif (event.type, event.action) in NOISE:
            return
        elif event.action == "prune":
            verb = _VERBS.get((event.type, "prune"), f"unused {event.type}s were pruned")
            self._write(event, at, verb + _freed(event), evidence=self._pruned(event, at))
        elif event.type == "daemon":
            self._write(event, at, _VERBS.get((event.type, event.action), f"engine: {event.action}"))
        else:
            verb = _VERBS.get((event.type, event.action)) or f"{event.action.replace('_', ' ')}:"
            self._write(event, at, f"{verb} by {{who}}".replace(": by", ", by"), **_by_itself(event))

    def went(self, event: EngineEvent, at: datetime) -> None:
        """Something was removed; perhaps a prune did that, which is told only after all it removed."""
        lately = self._gone.setdefault((event.engine, event.type), deque(maxlen=REMOVED))
        lately.append((at, short_id(event.name or event.id) if event.type == "image" else event.name or event.id))

    def _pruned(self, event: EngineEvent, at: datetime) -> tuple[str, ...]:
        """Those that went one after the other just before: a prune removes first and is told last, without names."""
        names: list[str] = []
        lately = self._gone.get((event.engine, event.type), deque())
        while lately and at - lately[-1][0] <= PRUNED:
            at, name = lately.pop()
            names.append(name)
        names.reverse()
        more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
        return (f"removed just before it: {', '.join(names[:NAMES])}{more}",) if names else ()

    def _node(self, event: EngineEvent, at: datetime) -> None:
        changed = event.attributes
        state, availability = changed.get("state.new", ""), changed.get("availability.new", "")
        if state:
            record = self._record(event, f"node is {state} (was {changed.get('state.old', 'unknown')})")
            self._desk.write(msgspec.structs.replace(record, trouble=state == "down", **BY_SWARM), at)
        elif availability:
            self._write(event, at, f"node set to {availability} by {{who}} (was {changed.get('availability.old', '')})")
        elif role := changed.get("role.new", ""):
            self._write(event, at, f"node made {role} by {{who}}")
        elif changed.get("leader.new") or changed.get("reachability.new"):
            words = (
                "became the leader" if changed.get("leader.new") == "true" else "changed its place among the managers"
            )
            record = self._record(event, words)
            self._desk.write(msgspec.structs.replace(record, **BY_SWARM), at)
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
            engine=event.engine, object_id=event.id or event.type, name=event.name, action=event.action, at=at
        )
        if intent is not None and event.type == "service":
            self._intents.use_up(intent)  # one request, one event: the next is somebody else's
        who = intent.actor if intent is not None else "someone"
        record = self._record(
            event, what.replace("{who}", str(fields.get("actor", who))), **(attributed(intent) | fields)
        )
        return self._desk.draft(record, at)

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
            swarm=outside.cluster(event.engine) if event.type in SWARM_TYPES else "",
        )
        return msgspec.structs.replace(record, **fields)


def _freed(event: EngineEvent) -> str:
    freed = event.attributes.get("reclaimed", "")
    return f" ({int(freed):,} bytes freed)" if freed.isdigit() and len(freed) < 19 and int(freed) else ""


def _by_itself(event: EngineEvent) -> dict[str, Any]:
    """A swarm makes its own networks on each node."""
    if event.type == "network" and event.name in ("ingress", "docker_gwbridge"):
        return BY_SWARM
    return {}
