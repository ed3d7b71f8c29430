"""Which service comes before which, by what their compose file says they depend on. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from ..model import Container, ServiceKey
from .picture import Picture

DEPENDS_ON = "com.docker.compose.depends_on"
"""`db:service_healthy:false,cache:service_started:true` (compose: pkg/compose/create.go); before 2.x names alone."""


class Order(NamedTuple):
    """Services, those that others need first."""

    sorted: tuple[ServiceKey, ...]
    needs: Mapping[ServiceKey, tuple[ServiceKey, ...]]
    """Of each, those among them that come before it. No circles are left."""
    circles: tuple[tuple[ServiceKey, ServiceKey], ...]
    """`(one, other)`: one needs the other, which is not kept, since the other needs it, too."""


def needed_names(label: str) -> tuple[str, ...]:
    """The services that a container's label names."""
    names = (part.partition(":")[0].strip() for part in label.split(","))
    return tuple(dict.fromkeys(name for name in names if name))


def needs_of(key: ServiceKey, members: Iterable[Container], known: Collection[ServiceKey]) -> tuple[ServiceKey, ...]:
    """The services of its own project that a service says it depends on, as far as they are known."""
    names = dict.fromkeys(name for c in members for name in needed_names(c.labels.get(DEPENDS_ON, "")))
    found = (ServiceKey(key.source, key.scope, name) for name in names)
    return tuple(need for need in found if need != key and need in known)


def order_of(fleet: Picture, chosen: Sequence[ServiceKey]) -> Order:
    """The chosen services in their order. One needs another also by way of services that were not chosen."""
    direct: dict[ServiceKey, tuple[ServiceKey, ...]] = {}
    todo = list(chosen)
    while todo:
        key = todo.pop()
        if key not in direct:
            direct[key] = needs_of(key, fleet.members(key), fleet.services)
            todo += direct[key]
    return order(chosen, {key: _reached(key, direct) for key in chosen})


def order(chosen: Sequence[ServiceKey], needs: Mapping[ServiceKey, Collection[ServiceKey]]) -> Order:
    """Sorted so that each comes after what it needs, else as chosen; in a circle the first of the names goes first."""
    place = {key: at for at, key in enumerate(chosen)}
    left = {key: {need for need in needs.get(key, ()) if need in place and need != key} for key in chosen}
    kept = {key: tuple(sorted(left[key], key=place.__getitem__)) for key in chosen}
    circles: list[tuple[ServiceKey, ServiceKey]] = []
    result: list[ServiceKey] = []
    while left:
        free = next((key for key in left if not left[key]), None)
        if free is None:
            free = min(_in_a_circle(left), key=lambda key: (key.name, place[key]))
            circles += [(free, need) for need in kept[free] if need in left]
            kept[free] = tuple(need for need in kept[free] if need not in left)
        del left[free]
        result.append(free)
        for others in left.values():
            others.discard(free)
    return Order(tuple(result), kept, tuple(circles))


def dependents(fleet: Picture, key: ServiceKey) -> tuple[ServiceKey, ...]:
    """The services of its project that say they depend on it."""
    near = [other for other in fleet.services if (other.source, other.scope) == (key.source, key.scope)]
    return tuple(other for other in near if key in needs_of(other, fleet.members(other), (key,)))


def _reached(key: ServiceKey, direct: Mapping[ServiceKey, Collection[ServiceKey]]) -> set[ServiceKey]:
    seen: set[ServiceKey] = set()
    todo = list(direct.get(key, ()))
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.add(one)
            todo += direct.get(one, ())
    return seen


def _in_a_circle(left: Mapping[ServiceKey, Collection[ServiceKey]]) -> list[ServiceKey]:
    """Those that need themselves by way of others; what merely needs them is left to come after."""
    return [key for key in left if key in _reached(key, left)]
