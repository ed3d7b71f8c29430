"""Numbers and names of replicas: those that are, and the next one. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from ..model import Container

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
NUMBER = "com.docker.compose.container-number"
_PODMAN_PROJECT = "io.podman.compose.project"
_PODMAN_SERVICE = "io.podman.compose.service"
_ENDING = re.compile(r"^(?P<stem>.*[^\d])(?P<number>\d{1,9})$")


def replica_number(container: Container) -> int:
    """Its number within its service: compose's label, else the number its name ends with, else 0."""
    label = container.labels.get(NUMBER, "")
    if label.isascii() and label.isdigit() and len(label) < 10:
        return int(label)
    match = _ENDING.match(container.name)
    return int(match["number"]) if match is not None else 0


def name_stem(name: str, labels: Mapping[str, str]) -> str | None:
    """What a replica's name has before its number (`pay-api-`); None: the name is fixed by its compose file.

    Compose names `project-service-N` (v1: underscores, podman-compose too); another name is a `container_name`, and
    compose itself refuses to scale such a service.
    """
    project = labels.get(PROJECT) or labels.get(_PODMAN_PROJECT, "")
    service = labels.get(SERVICE) or labels.get(_PODMAN_SERVICE, "")
    if project and service:
        for separator in ("-", "_"):
            stem = f"{project}{separator}{service}{separator}"
            if re.fullmatch(re.escape(stem) + r"\d+(_[0-9a-f]{12})?", name):
                return stem
        return None
    match = _ENDING.match(name)
    return match["stem"] if match is not None else f"{name}-"


def next_number(numbers: Mapping[str, Iterable[int]], host: str, *, stem: str = "", taken: Collection[str] = ()) -> int:
    """The number of one more replica on `host`: above all of the fleet's where they differ, else above the host's own.

    Compose counts on each engine by itself, so replicas of several hosts may all have number 1; where someone numbered
    them through the fleet, that goes on. Names that are `taken` on the host are passed over.
    """
    every = [number for on_host in numbers.values() for number in on_host]
    own = list(numbers.get(host, ()))
    fleetwide = len(every) == len(set(every)) and len([n for n in numbers.values() if list(n)]) > 1
    number = max(every if fleetwide else own, default=0) + 1
    while stem and f"{stem}{number}" in taken:
        number += 1
    return number
