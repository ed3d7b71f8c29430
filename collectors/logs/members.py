"""Whose logs are meant, as the fleet stands now: replicas come and go."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..fleet import Fleet
from ..model import Container, ContainerKey, ServiceKey

_TASK = re.compile(r"(.+\.\d+)\.[a-z0-9]{25}")
"""A swarm's container: service, slot, task id."""


class Wanted(NamedTuple):
    """What was asked for: services with all their replicas, and single containers by engine and name."""

    services: tuple[ServiceKey, ...] = ()
    containers: tuple[tuple[str, str], ...] = ()
    """By name, so that a container made anew under the same name goes on."""


class Member(NamedTuple):
    """A container whose log is read."""

    key: ContainerKey
    name: str
    """Short, as it stands in front of its lines."""
    full_name: str
    service: ServiceKey | None = None


def members_of(fleet: Fleet, wanted: Wanted) -> tuple[Member, ...]:
    """The containers meant, each once; named alike only where they are one after the other on one engine."""
    found: dict[ContainerKey, tuple[Container, ServiceKey | None]] = {}
    for service in wanted.services:
        for container in _replicas(fleet, service):
            found.setdefault(container.key, (container, service))
    if wanted.containers:
        names = set(wanted.containers)
        engines = {engine for engine, _ in names}
        for key in (key for engine in engines for key in fleet.containers_on(engine)):
            container = fleet.containers[key]
            if (container.engine, container.name) in names:
                found.setdefault(key, (container, fleet.service_of(key)))
    several = len({service for _, service in found.values()}) > 1
    short = {key: _short(fleet, container, service, several) for key, (container, service) in found.items()}
    shared = _on_several_engines(short.items())
    return tuple(
        Member(key, f"{short[key]}@{key.engine}" if short[key] in shared else short[key], container.name, service)
        for key, (container, service) in found.items()
    )


def _replicas(fleet: Fleet, key: ServiceKey) -> Sequence[Container]:
    """The containers of the replicas that it has now, the dead among them too."""
    service = fleet.services.get(key)
    if service is None:
        return ()
    keys = [replica.container for replica in service.replicas if replica.container is not None]
    return [fleet.containers[one] for one in keys if one in fleet.containers]


def _short(fleet: Fleet, container: Container, key: ServiceKey | None, several: bool) -> str:
    """Without the project, which all share, and without a swarm's task id."""
    name = container.name
    if (task := _TASK.fullmatch(name)) is not None:
        name = task[1]
    service = fleet.services.get(key) if key is not None else None
    if service is not None and service.stack and not several:
        for mark in ("-", "_", "."):
            name = name.removeprefix(service.stack + mark)
    return name or container.id[:12]


def _on_several_engines(named: Iterable[tuple[ContainerKey, str]]) -> set[str]:
    engines: dict[str, set[str]] = {}
    for key, name in named:
        engines.setdefault(name, set()).add(key.engine)
    return {name for name, found in engines.items() if len(found) > 1}
