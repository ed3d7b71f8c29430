"""What lies on an engine's disk, as `GET /system/df` tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from .containers import ContainerState


class StoredImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image on a disk."""

    id: str
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    """`name@sha256:…`, as registries know it."""
    size: int | None = None
    """Bytes, layers that other images share included."""
    shared: int | None = None
    """Bytes of it that other images of this engine share; None: not told."""
    users: int | None = None
    """How many containers were made from it, stopped ones included; None: not told."""
    created: datetime | None = None

    @property
    def name(self) -> str:
        """What a person calls it: its tags, else its digest's name, else the first digits of its id."""
        if self.tags:
            return ", ".join(self.tags)
        digits = self.id.removeprefix("sha256:")[:12]
        return f"{self.digests[0].partition('@')[0]}@{digits}" if self.digests else f"<none> {digits}"

    @property
    def own(self) -> int | None:
        """Bytes that no other image shares; None: not told."""
        return None if self.size is None or self.shared is None else max(0, self.size - self.shared)


class StoredContainer(msgspec.Struct, frozen=True, kw_only=True):
    """A container on a disk."""

    id: str
    name: str
    state: ContainerState
    status: str = ""
    """The engine's own words: `Exited (0) 3 days ago`."""
    image_id: str = ""
    written: int | None = None
    """Bytes it has written into its own layer; None: not told."""
    created: datetime | None = None
    volumes: tuple[str, ...] = ()
    labels: Mapping[str, str] = {}


class StoredVolume(msgspec.Struct, frozen=True, kw_only=True):
    """A volume on a disk."""

    name: str
    driver: str = ""
    anonymous: bool = False
    """Nobody gave it a name: it was made for one container."""
    size: int | None = None
    """None: its driver does not tell."""
    users: int | None = None
    """How many containers mount it, stopped ones included; None: not told."""
    created: str = ""
    """When it was made, as the engine writes it: tells it from a later one of the same name."""


class CacheRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record of the build cache."""

    id: str
    kind: str = ""
    description: str = ""
    in_use: bool = False
    shared: bool = False
    """An image has it, too: it frees nothing."""
    size: int = 0
    used: datetime | None = None


class DiskUse(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, as one engine told it at one time."""

    engine: str
    at: float
    """On the monotonic clock."""
    taken: datetime
    layers: int | None = None
    """Bytes of all image layers, each counted once; None: not told (Podman). Those of containerd's store hold what
    containers wrote and the build cache, too."""
    images: tuple[StoredImage, ...] = ()
    containers: tuple[StoredContainer, ...] = ()
    volumes: tuple[StoredVolume, ...] = ()
    cache: tuple[CacheRecord, ...] = ()
    logs: Mapping[str, int] = {}
    """Bytes of their logs, by id of container; those of which it could not be read are missing."""
    refused: int = 0
    """So many rows made no sense; they are left out, and nothing of their kind is thought unused."""

    @property
    def containerd(self) -> bool:
        """Whether its images are in containerd's store: an image's id is the digest that registries know it by.

        There an image's size is what was pulled and what it was unpacked to; only of the latter is told what others
        share, and only the latter is among the layers.
        """
        return any(name.endswith(f"@{image.id}") for image in self.images for name in image.digests)

    @property
    def images_size(self) -> int:
        """Bytes of all images, shared layers once where that is told."""
        if self.layers is not None:
            apart = self.written + self.cache_size if self.containerd else 0
            return max(0, self.layers - apart)
        return sum(image.own or 0 for image in self.images) + max((i.shared or 0 for i in self.images), default=0)

    @property
    def written(self) -> int:
        """Bytes that containers have written into their own layers."""
        return sum(container.written or 0 for container in self.containers)

    @property
    def volumes_size(self) -> int:
        """Bytes of all volumes whose size is told."""
        return sum(volume.size or 0 for volume in self.volumes)

    @property
    def cache_size(self) -> int:
        """Bytes of the build cache that no image has."""
        return sum(record.size for record in self.cache if not record.shared)

    @property
    def logs_size(self) -> int | None:
        """Bytes of all logs that could be read; None: none could."""
        return sum(self.logs.values()) if self.logs else None

    @property
    def total(self) -> int:
        """All together, without logs: what `docker system df` adds up to."""
        return self.images_size + self.written + self.volumes_size + self.cache_size
