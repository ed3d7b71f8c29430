"""What differs between two readings of a container, or between two specs of a swarm's service, in words. Pure.

Of variables only the names are known; that a value changed is told by its print (`engine.fingerprint`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..model import Container, ContainerDetail, Port, ServiceDesign
from ..words import image_parts, short_id, short_image

CONFIG_HASH = "com.docker.compose.config-hash"
PRINT = 8
"""Bytes of one print."""


def update_words(before: Container, after: Container) -> str:
    """What an `update` changed: limits and the restart policy."""
    return ", ".join(_limits(before.detail, after.detail))


def recreate_words(before: Container, after: Container) -> str:
    """What a container is other than the one it replaces; empty: nothing that is known."""
    old, new = before.detail, after.detail
    words = image_words(before.image, before.image_id, after.image, after.image_id)
    if old is not None and new is not None:
        words += _variables(old.environment, old.environment_prints, new.environment, new.environment_prints)
        words += _unlike("command", old.command_print, new.command_print)
        words += _from_to("user", old.user or "default", new.user or "default")
    words += _items("ports", map(_port, before.ports), map(_port, after.ports))
    words += _items("mounts", _mounts(before), _mounts(after))
    words += _items("networks", before.networks, after.networks)
    words += _limits(old, new)
    words += _unlike("health check", old.health_check if old else (), new.health_check if new else ())
    old_hash, new_hash = before.labels.get(CONFIG_HASH, ""), after.labels.get(CONFIG_HASH, "")
    if old_hash and new_hash and old_hash != new_hash:
        words.append(f"configuration {old_hash[:8]} → {new_hash[:8]}")
    return ", ".join(words)


def design_words(before: ServiceDesign, after: ServiceDesign) -> str:
    """What a change of a service's spec changed, its image and its number of replicas first."""
    words = image_words(before.image, before.digest, after.image, after.digest)
    words += _from_to("mode", before.mode, after.mode)
    words += _from_to("replicas", before.replicas, after.replicas)
    words += _variables(before.environment, before.environment_prints, after.environment, after.environment_prints)
    words += _unlike("command", before.command_print, after.command_print)
    words += _unlike("health check", before.health_print, after.health_print)
    for name in ("secrets", "configs", "ports", "mounts", "networks"):
        words += _items(name, getattr(before, name), getattr(after, name))
    words += _from_to("memory limit", _size(before.memory_limit), _size(after.memory_limit))
    words += _from_to("CPU limit", _cores(before.cpu_limit), _cores(after.cpu_limit))
    words += _from_to("process limit", _number(before.pids_limit), _number(after.pids_limit))
    words += _from_to("memory reserved", _size(before.memory_reserved), _size(after.memory_reserved))
    words += _from_to("CPU reserved", _cores(before.cpu_reserved), _cores(after.cpu_reserved))
    words += _from_to("restart policy", before.restart, after.restart)
    words += _items("placement", before.constraints, after.constraints)
    words += _from_to("update", before.update, after.update)
    words += _from_to("rollback", before.rollback, after.rollback)
    words += _items("labels", _pairs(before.labels), _pairs(after.labels))
    return ", ".join(words)


def image_words(old: str, old_id: str, new: str, new_id: str) -> list[str]:
    """`image 2.8.0 → 2.8.1`; of the same tag `image web:1 built anew (1a2b… → 3c4d…)`."""
    (old_name, old_tag), (new_name, new_tag) = image_parts(old), image_parts(new)
    known = bool(old_id and new_id)
    if (old_name, old_tag) != (new_name, new_tag) and old_name and new_name:
        if old_name == new_name and old_tag and new_tag:
            return [f"image {old_tag} → {new_tag}"]
        return [f"image {short_image(old)} → {short_image(new)}"]
    if known and old_id != new_id:
        return [f"image {short_image(new)} built anew ({short_id(old_id)} → {short_id(new_id)})"]
    return []


def _limits(old: ContainerDetail | None, new: ContainerDetail | None) -> list[str]:
    if old is None or new is None:
        return []
    return [
        *_from_to("memory limit", _size(old.memory_limit), _size(new.memory_limit)),
        *_swap(old, new),
        *_from_to("memory reserved", _size(old.memory_reservation), _size(new.memory_reservation)),
        *_from_to("CPU limit", _cores(old.cpu_limit), _cores(new.cpu_limit)),
        *_from_to("CPU shares", _number(old.cpu_shares), _number(new.cpu_shares)),
        *_from_to("CPU set", old.cpu_set or "any", new.cpu_set or "any"),
        *_from_to("process limit", _number(old.pids_limit), _number(new.pids_limit)),
        *_from_to("restart policy", _policy(old), _policy(new)),
    ]


def _swap(old: ContainerDetail, new: ContainerDetail) -> list[str]:
    """Only where it is more than follows from the memory's limit (by default twice that, or the same)."""
    if old.memory_limit != new.memory_limit:
        return []
    sizes = ["unlimited" if size == -1 else _size(size) for size in (old.memory_swap, new.memory_swap)]
    return _from_to("memory and swap", *sizes)


def _variables(old: Sequence[str], old_prints: bytes, new: Sequence[str], new_prints: bytes) -> list[str]:
    before, after = _printed(old, old_prints), _printed(new, new_prints)
    changed = [name for name in after if name in before and before[name] != after[name]]
    parts = [
        *_named((name for name in before if name not in after), "removed"),
        *_named((name for name in after if name not in before), "added"),
        *_named(changed, "changed"),
    ]
    return [f"environment: {' and '.join(parts)}"] if parts else []


def _printed(names: Sequence[str], prints: bytes) -> dict[str, bytes]:
    return {name: prints[PRINT * index : PRINT * (index + 1)] for index, name in enumerate(names)}


MOST = 6
"""Names told of one kind; of more, how many."""


def _named(names: Iterable[str], what: str) -> list[str]:
    found = list(names)
    if not found:
        return []
    more = f" and {len(found) - MOST} more" if len(found) > MOST else ""
    return [f"{' '.join(found[:MOST])}{more} {what}"]


def _items(what: str, old: Iterable[str], new: Iterable[str]) -> list[str]:
    before, after = tuple(old), tuple(new)
    parts = [
        *_named((item for item in before if item not in after), "removed"),
        *_named((item for item in after if item not in before), "added"),
    ]
    return [f"{what}: {' and '.join(parts)}"] if parts else []


def _from_to(what: str, old: object, new: object) -> list[str]:
    if old == new:
        return []
    return [f"{what} {'none' if old in (None, '') else old} → {'none' if new in (None, '') else new}"]


def _unlike(what: str, old: object, new: object) -> list[str]:
    return [f"{what} changed"] if old != new else []


def _pairs(labels: object) -> tuple[str, ...]:
    assert hasattr(labels, "items")
    return tuple(f"{name}={value}" if value else name for name, value in labels.items())


def _port(port: Port) -> str:
    """Without the address: one published port comes once for IPv4 and once for IPv6."""
    outside = f"{port.public}→" if port.public is not None else ""
    return f"{outside}{port.private}/{port.protocol}"


def _mounts(container: Container) -> list[str]:
    return [
        f"{mount.name or mount.source or mount.type}:{mount.target}{'' if mount.read_write else ':ro'}"
        for mount in container.mounts
        if not _anonymous(mount.name)
    ]


def _anonymous(name: str) -> bool:
    """A volume nobody named has another name in each container."""
    return len(name) == 64 and set(name) <= set("0123456789abcdef")


def _policy(detail: ContainerDetail) -> str:
    retries = f":{detail.restart_retries}" if detail.restart_retries else ""
    return (detail.restart_policy or "no") + retries


def _number(count: int | None) -> str:
    return f"{count}" if count else "none"


def _cores(count: float | None) -> str:
    return f"{count:g}" if count else "none"


def _size(count: int | None) -> str:
    if not count:
        return "none"
    for unit, letter in ((1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")):
        if count >= unit:
            return f"{count / unit:.4g}{letter}"
    return f"{count}"
