"""Lines of `GET /events` made events, in Docker's words whichever engine said them."""

from __future__ import annotations

import msgspec

from ..model import EngineEvent
from ..text import plain
from . import wire
from .fields import NAME_LIMIT, is_container_id, labels, malformed, parse_as, safe, unix_moment, word

ARGUMENT_LIMIT = 1024

_EVENT = msgspec.json.Decoder(wire.Event)

_PODMAN = {
    ("container", "died"): "die",
    ("container", "remove"): "destroy",
    ("container", "exec"): "exec_create",
    ("container", "exec_died"): "exec_die",
    ("image", "remove"): "delete",
}
"""Podman's names where the meaning is Docker's (libpod/events/config.go). `init`, `cleanup` and `sync` have no match:
they keep their names. Docker itself never says these of a container or an image."""


def decode_event(line: bytes, *, engine: str) -> EngineEvent:
    """One line. Raises Malformed: the caller goes on at the next newline and counts it."""
    return parse_as(_EVENT, line, lambda event: _event(event, engine), "event")


def _event(event: wire.Event, engine: str) -> EngineEvent:
    kind = word(event.type)
    if not kind or not event.action:
        raise malformed("event", "it has no type or no action")
    actor = event.actor or wire.Actor()
    object_id = plain(actor.id or "", NAME_LIMIT)
    whole = not object_id and event.action == "prune"  # of all that were removed, each of which is told before
    if kind == "container" and not whole and not is_container_id(object_id):
        raise malformed("event", f"{object_id[:80]!r} is no container id")
    nanoseconds = event.time_nano or (event.time or 0) * 1_000_000_000
    time = unix_moment(nanoseconds / 1_000_000_000)
    if time is None:
        raise malformed("event", "it has no time")
    attributes = labels(actor.attributes)
    action, argument = _action(kind, event.action, attributes)
    return EngineEvent(
        engine=engine,
        time=time,
        time_nano=nanoseconds,
        type=kind,
        action=action,
        argument=argument,
        id=object_id,
        name=_name(kind, attributes),
        attributes=attributes,
    )


def _action(kind: str, text: str, attributes: dict[str, str]) -> tuple[str, str]:
    """`exec_create: sh -c x` apart, and Podman's names made Docker's."""
    name, _, argument = text.partition(":")
    action = word(name.strip())
    action = _PODMAN.get((kind, action), action)
    said = safe(argument.strip(), ARGUMENT_LIMIT)
    if action == "health_status" and not said:
        said = attributes.get("health_status", "")  # Podman tells it beside the action
    return action, said


def _name(kind: str, attributes: dict[str, str]) -> str:
    name = attributes.get("name", "")
    return name.removeprefix("/") if kind == "container" else name
