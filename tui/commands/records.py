"""What `--json` prints of a thing: plain dicts whose field names are documented in the README and stay.

Unknown is None, times are aware UTC (printed as ISO 8601), spans are seconds, amounts bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from fleettop.collectors.model import (
    Container,
    ContainerKey,
    EngineEvent,
    EngineStatus,
    Freshness,
    LinkPhase,
    Record,
    Service,
    SwarmNode,
    SwarmPicture,
)

from ..views.cells import sum_of

if TYPE_CHECKING:
    from fleettop.collectors.fleet import Fleet
    from fleettop.collectors.trail.store import Line

Json = dict[str, object]

ATTRIBUTES = frozenset(
    (
        *("exitCode", "signal", "image", "oldName", "execID", "driver", "container", "destination", "reclaimed"),
        *("replicas.old", "replicas.new", "image.old", "image.new", "updatestate.old", "updatestate.new"),
        *("state.old", "state.new", "availability.old", "availability.new", "role.old", "role.new"),
    )
)
"""The attributes of an event that are the engine's own; the rest are the container's labels, which are in `ls`."""


def service_record(fleet: Fleet, service: Service) -> Json:
    """A service across its hosts."""
    change = service.last_change
    story = fleet.story(service.key)
    return {
        "service": service.title,
        "name": service.name,
        "stack": service.stack,
        "source": service.key.source,
        "scope": service.key.scope,
        "state": str(service.state),
        "wanted": service.wanted,
        "running": service.running,
        "serving": service.serving,
        "hosts": list(service.hosts),
        "image": service.image,
        "images": list(service.images),
        **_used(fleet, [replica.container for replica in service.replicas if replica.container is not None]),
        "down_since": service.down_since,
        "down_since_certain": service.down_since_certain if service.down_since else None,
        "restarts_last_hour": service.restarts,
        "last_change": None
        if change is None
        else {"what": change.what, "time": change.time, "actor": change.actor, "detail": change.detail},
        "stale": service.stale,
        "note": service.note,
        "story": story.sentence if story else "",
        "replicas": [
            {
                "host": replica.host,
                "id": replica.container.id if replica.container else None,
                "name": replica.name,
                "number": replica.number or None,
                "state": str(replica.state),
                "health": str(replica.health),
                "serving": replica.serving,
                "note": replica.note,
            }
            for replica in service.replicas
        ],
    }


def container_record(fleet: Fleet, container: Container) -> Json:
    """A container on its engine."""
    detail = container.detail
    service = fleet.services.get(key) if (key := fleet.service_of(container.key)) else None
    return {
        "engine": container.engine,
        "id": container.id,
        "name": container.name,
        "service": service.title if service else None,
        "image": container.image,
        "image_id": container.image_id,
        "state": str(container.state),
        "health": str(container.health),
        "serving": container.serving,
        **_used(fleet, [container.key]),
        "command": container.command,
        "created": container.created,
        "started_at": detail.started_at if detail else None,
        "finished_at": detail.finished_at if detail else None,
        "exit_code": detail.exit_code if detail else None,
        "oom_killed": detail.oom_killed if detail else None,
        "restart_count": detail.restart_count if detail else None,
        "restart_policy": (detail.restart_policy or None) if detail else None,
        "ports": [
            {"private": port.private, "public": port.public, "ip": port.ip, "protocol": port.protocol}
            for port in container.ports
        ],
        "networks": list(container.networks),
        "labels": dict(container.labels),
        "stale": is_stale(fleet, container),
    }


def engine_record(fleet: Fleet, engine: EngineStatus, *, now: datetime, monotonic: float) -> Json:
    """An engine, the way to it, and who it is."""
    info, link = engine.info, engine.link
    swarm = info.swarm if info and info.swarm and info.swarm.state != "inactive" else None
    age = None if engine.confirmed is None else monotonic - engine.confirmed
    return {
        "engine": engine.name,
        "address": engine.address,
        "group": engine.group,
        "link": str(link.phase),
        "error": str(link.error) if link.error else None,
        "hint": (link.error.hint or None) if link.error else None,
        "route": link.route or None,
        "insecure": link.insecure,
        "latency": link.latency,
        "freshness": str(fleet.freshness(engine.name)),
        "last_seen": None if age is None else now - timedelta(seconds=age),
        "same_as": engine.same_as or None,
        "kind": info.kind if info else None,
        "version": info.version if info else None,
        "api": info.api if info else None,
        "hostname": info.hostname if info else None,
        "os": info.os if info else None,
        "kernel": info.kernel if info else None,
        "rootless": info.rootless if info else None,
        "cpus": info.cpus if info else None,
        "memory": info.memory if info else None,
        "skew": info.skew if info else None,
        "running": info.running if info else None,
        "paused": info.paused if info else None,
        "stopped": info.stopped if info else None,
        "swarm": None
        if swarm is None
        else {
            "state": swarm.state,
            "role": "manager" if swarm.manager else "worker",
            "node_id": swarm.node_id,
            "cluster_id": swarm.cluster_id,
            "error": swarm.error,
        },
    }


def node_record(picture: SwarmPicture, node: SwarmNode) -> Json:
    """A node of a swarm, as a manager sees it."""
    return {
        "node": node.hostname,
        "id": node.id,
        "cluster_id": picture.cluster_id,
        "manager": picture.manager,
        "role": node.role,
        "availability": node.availability,
        "state": node.state,
        "message": node.message,
        "address": node.address or None,
        "leader": node.leader,
        "reachability": node.reachability or None,
        "engine_version": node.engine_version or None,
        "tasks_running": sum(task.node_id == node.id and task.state == "running" for task in picture.tasks),
        "error": picture.error or None,
    }


def event_record(event: EngineEvent, service: str | None) -> Json:
    """An event as an engine said it."""
    return {
        "time": event.time,
        "engine": event.engine,
        "type": event.type,
        "action": event.action,
        "argument": event.argument or None,
        "id": event.id or None,
        "name": event.name or None,
        "service": service,
        "attributes": {key: value for key, value in event.attributes.items() if key in ATTRIBUTES},
    }


def _used(fleet: Fleet, keys: Sequence[ContainerKey]) -> Json:
    """What these use, as far as it was sampled."""
    return {"cpu": sum_of(fleet, keys, "cpu"), "memory": sum_of(fleet, keys, "memory")}


def is_stale(fleet: Fleet, container: Container) -> bool:
    """What is known of the container may be old."""
    engine = fleet.engines[container.engine]
    lost = engine.link.phase is not LinkPhase.UP or fleet.freshness(engine.name) in (Freshness.STALE, Freshness.NEVER)
    return lost or container.id in engine.doubtful


def trail_record(line: Line, record: Record) -> Json:
    """A record of the trail, as its newest line says it."""
    entry = line.entry
    return {
        "time": record.time,
        "at": entry.at,
        "kind": entry.kind,
        "engine": entry.engine or None,
        "type": entry.type or None,
        "id": entry.id or None,
        "name": entry.name or None,
        "service": entry.service or None,
        "image": entry.image or None,
        "digest": entry.digest or None,
        "revision": entry.revision or None,
        "action": entry.action or None,
        "what": entry.what,
        "cause": entry.cause or None,
        "actor": entry.actor or None,
        "attribution": str(record.attribution),
        "evidence": list(entry.evidence),
        "reason": entry.reason or None,
        "exit_code": entry.exit_code,
        "trouble": record.trouble,
        "count": record.count,
        "first": record.first,
        "until": record.until,
        "certain": record.certain,
        "instance": entry.instance,
        "thread": entry.thread,
        "seq": line.seq,
    }


def line_record(line: Line) -> Json:
    """A line of the trail, in its canonical form, with its place in the chain: as it is exported."""
    return {"seq": line.seq, "prev": line.previous, "hash": line.hash, "record": msgspec.Raw(line.body)}
