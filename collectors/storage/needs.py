"""What the services of the fleet need of what lies on its disks, wherever they run now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from ..model import Container, ContainerKey, Service, ServiceKey, SwarmPicture, titled
from ..words import familiar_image

NOBODYS = ("container", "swarm")
"""Sources of services whose stopped containers nobody starts again: a lone one is its own service, and a swarm makes
new ones instead."""


class Picture(Protocol):
    """The fleet, as far as this looks at it."""

    @property
    def containers(self) -> Mapping[ContainerKey, Container]:
        """As last read."""
        ...

    @property
    def services(self) -> Mapping[ServiceKey, Service]:
        """As last put together."""
        ...

    @property
    def swarms(self) -> Mapping[str, SwarmPicture]:
        """By cluster id."""
        ...

    def service_of(self, key: ContainerKey) -> ServiceKey | None:
        """The service a container belongs to."""
        ...


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """By what is needed, the words for who needs it."""

    images: Mapping[str, str] = {}
    """By id."""
    names: Mapping[str, str] = {}
    """By name:tag and by digest (`sha256:…`), as swarms ask for them."""
    volumes: Mapping[str, str] = {}
    """By name, as swarms mount them."""
    replicas: Mapping[ContainerKey, str] = {}
    """Stopped containers that are replicas of something."""

    def of_image(self, image: str, tags: tuple[str, ...], digests: tuple[str, ...]) -> str:
        """Who needs this image; empty: nobody."""
        names = (*map(familiar_image, tags), *(digest.partition("@")[2] for digest in digests))
        return self.images.get(image) or next((self.names[name] for name in names if name in self.names), "")


def needs_of(fleet: Picture) -> Needs:
    """Of the fleet as it stands. A host that cannot be reached is counted as it was last seen."""
    images: dict[str, str] = {}
    replicas: dict[ContainerKey, str] = {}
    for key, container in fleet.containers.items():
        service = fleet.services.get(of) if (of := fleet.service_of(key)) is not None else None
        title = titled(service.stack, service.name) if service is not None else container.name
        if container.image_id:
            images.setdefault(container.image_id, f"{title} on {container.engine}")
        if service is not None and service.key.source not in NOBODYS:
            replicas[key] = title
    names: dict[str, str] = {}
    volumes: dict[str, str] = {}
    for picture in fleet.swarms.values():
        for wanted in picture.services:
            title = f"the swarm's {wanted.name}"
            for name in filter(None, (wanted.image and familiar_image(wanted.image), wanted.digest)):
                names.setdefault(name, title)
            for mount in wanted.design.mounts if wanted.design is not None else ():
                volumes.setdefault(mount.rpartition(":")[0], title)
    return Needs(images=images, names=names, volumes=volumes, replicas=replicas)
