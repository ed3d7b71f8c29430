"""Reading the queries of requests as dockerd does, and the filters of the container list."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence

from ..errors import Rejected
from .machine import Machine
from .things import Container

Filters = Mapping[str, Sequence[str]]
_CONTAINER_FILTERS = frozenset(
    ("ancestor", "before", "exited", "expose", "health", "id", "is-task", "label", "name", "network", "publish",
     "since", "status", "volume")
)  # fmt: skip


def truth(value: str | None) -> bool:
    """A flag in a query (moby: httputils.BoolValue)."""
    return (value or "").strip().lower() not in ("", "0", "no", "false", "none")


def number(value: str | None, default: int) -> int:
    """A whole number in a query; what is none is the default."""
    try:
        return int(value or "")
    except ValueError:
        return default


def seconds(value: str | None) -> float | None:
    """A moment in a query: Unix seconds, with a fraction or without. Raises Rejected (400)."""
    if not value:
        return None
    try:
        return float(value)
    except ValueError as error:
        raise Rejected(f"failed to parse value as time: {value}", status=400) from error


def nanoseconds(value: str | None) -> int | None:
    """The same without losing digits: `seconds.nanoseconds`."""
    if not value:
        return None
    whole, _, part = value.partition(".")
    try:
        return int(whole) * 1_000_000_000 + int((part + "0" * 9)[:9])
    except ValueError as error:
        raise Rejected(f"failed to parse value as time: {value}", status=400) from error


def filters(value: str | None) -> dict[str, list[str]]:
    """`filters=` as a map of lists, in its present form and the old one. Raises Rejected (400)."""
    if not value:
        return {}
    try:
        found = json.loads(value)
        return {str(k): [str(x) for x, on in v.items() if on] if isinstance(v, dict) else [str(x) for x in v]
                for k, v in found.items()}  # fmt: skip
    except (ValueError, AttributeError, TypeError) as error:
        raise Rejected("invalid filter", status=400) from error


def select(machine: Machine, wanted: Filters, *, everything: bool) -> list[Container]:
    """The containers that pass the filters, newest first. Raises Rejected (400) for an unknown filter."""
    for name in wanted:
        if name not in _CONTAINER_FILTERS:
            raise Rejected(f"invalid filter '{name}'", status=400)
    everything = everything or "status" in wanted
    ids = wanted.get("id")
    pool = machine.containers.values()
    if ids and all(one in machine.containers for one in ids):
        pool = [machine.containers[one] for one in ids]  # type: ignore[assignment]
    found = [c for c in pool if (everything or c.alive or c.state == "restarting") and passes(c, wanted)]
    return sorted(found, key=lambda c: -c.created)


def passes(container: Container, wanted: Filters) -> bool:
    """Whether a container is of the asked kind (moby: daemon/list.go)."""
    return all(_TESTS[name](container, values) for name, values in wanted.items() if name in _TESTS and values)


def _by_label(container: Container, values: Sequence[str]) -> bool:
    for value in values:
        name, equals, rest = value.partition("=")
        if name not in container.labels or (equals and container.labels[name] != rest):
            return False
    return True


def _by_name(container: Container, values: Sequence[str]) -> bool:
    try:
        return any(re.search(value, container.name) or re.search(value, f"/{container.name}") for value in values)
    except re.error as error:
        raise Rejected(f"invalid filter 'name': {error}", status=400) from error


def _by_image(container: Container, values: Sequence[str]) -> bool:
    image = container.plan.image
    return any(value in (image.ref, image.repository, image.id, image.id[7:19]) for value in values)


_TESTS: dict[str, Callable[[Container, Sequence[str]], bool]] = {
    "id": lambda c, values: any(c.id.startswith(value) for value in values),
    "name": _by_name,
    "label": _by_label,
    "status": lambda c, values: c.state in values,
    "health": lambda c, values: (c.health or "none") in values,
    "ancestor": _by_image,
    "exited": lambda c, values: c.state == "exited" and str(c.exit_code) in values,
    "network": lambda c, values: any(e.network in values for e in c.endpoints),
    "volume": lambda c, values: any(value in (m.source, m.target) for m in c.plan.mounts for value in values),
    "is-task": lambda c, values: ("com.docker.swarm.task.id" in c.labels) == (values[0].lower() == "true"),
}
