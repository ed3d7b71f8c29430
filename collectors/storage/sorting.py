"""What of an engine's disk may go, object by object and each with its reason, and why the rest stays. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from ..model import (
    CacheRecord,
    ContainerKey,
    ContainerState,
    DiskUse,
    StoredContainer,
    StoredImage,
    StoredVolume,
)
from ..words import age
from .needs import Needs

DAY = 86_400.0
JUST_MADE = 600.0
"""Seconds for which a container that was made and not yet started is left: somebody is about to start it."""
ENDED = (ContainerState.EXITED, ContainerState.DEAD, ContainerState.CREATED)


class Kind(StrEnum):
    """What lies on a disk. The order in which it goes."""

    CONTAINER = "container"
    IMAGE = "image"
    VOLUME = "volume"
    CACHE = "build cache"


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """What is to stay though nothing uses it."""

    images: float = 7 * DAY
    """Seconds: younger images stay."""
    volumes: bool = True
    """Whether volumes that somebody named stay."""


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """One object on a disk."""

    engine: str
    kind: Kind
    id: str
    name: str
    size: int | None
    """Bytes that are its own; None: not told."""
    goes: bool
    why: str
    """Why it may go, or stays."""
    mark: str = ""
    """Tells it from another of the same name or id that comes later."""


class Sorted(msgspec.Struct, frozen=True, kw_only=True):
    """All of one disk, the largest first."""

    use: DiskUse
    objects: tuple[Stored, ...]
    least: int
    """Bytes that are free when all that may go has gone, at least; and at `most`. They differ where images share layers
    and it is not told which."""
    most: int

    @property
    def going(self) -> tuple[Stored, ...]:
        """What may go."""
        return tuple(one for one in self.objects if one.goes)

    def freed(self, kind: Kind) -> int:
        """Bytes that this kind frees, at most."""
        if kind is Kind.IMAGE:
            return self.most - sum(one.size or 0 for one in self.objects if one.goes and one.kind is not Kind.IMAGE)
        return sum(one.size or 0 for one in self.objects if one.goes and one.kind is kind)


def sort_out(use: DiskUse, needs: Needs, keep: Keep, now: datetime) -> Sorted:
    """What may go of this disk, and what stays. Where not all of the engine's answer made sense, all of it stays."""
    images = tuple(_images(use, needs, keep, now))
    cache = _cache(use, images_go=any(one.goes for one in images))
    found = (*_containers(use, needs, now), *images, *_volumes(use, needs, keep), *cache)
    if use.refused:
        why = f"not all of {use.engine}'s answer made sense"
        found = tuple(msgspec.structs.replace(one, goes=False, why=why) if one.goes else one for one in found)
    objects = tuple(sorted(found, key=lambda one: (not one.goes, -(one.size or 0), one.kind, one.name)))
    others = sum(one.size or 0 for one in objects if one.goes and one.kind is not Kind.IMAGE)
    least, most = _freed_by_images(use, {one.id for one in objects if one.goes and one.kind is Kind.IMAGE})
    return Sorted(use=use, objects=objects, least=others + least, most=others + most)


def _freed_by_images(use: DiskUse, going: set[str]) -> tuple[int, int]:
    """The least and the most that is free without these images.

    What is their own is freed in any case. Of what images share it is not told with which: what stays has at least its
    own layers, and once the largest part that one of them shares.
    """
    if not going:
        return 0, 0
    gone = [image for image in use.images if image.id in going]
    own = sum(image.own or 0 for image in gone)
    kept = [image for image in use.images if image.id not in going]
    if use.containerd:
        return _freed_in_containerd(use, gone, kept)
    stays = sum(image.own or 0 for image in kept) + max((image.shared or 0 for image in kept), default=0)
    return own, max(own, use.images_size - stays)


def _freed_in_containerd(use: DiskUse, gone: Sequence[StoredImage], kept: Sequence[StoredImage]) -> tuple[int, int]:
    """The same for containerd's store, which calls what images share of what was pulled each one's own.

    What stays is at most all that stays is said to have. Beyond what goes is said to have of its own, it frees once
    what it shares with nothing that stays; what is shared is shared by two at least. The layers of what was built here
    lie there twice, the build cache's and the image's.
    """
    own = sum(image.own or 0 for image in gone)
    largest = max((image.shared or 0 for image in kept), default=0)
    shared = sum(image.shared or 0 for image in use.images) // 2 - largest
    among = min(sum(image.shared or 0 for image in gone) // 2, shared, use.images_size - largest)
    twice = sum(record.size for record in use.cache if record.shared)
    most = own + max(0, use.images_size - largest if twice else among)
    told = [image.size for image in kept if image.size is not None]
    least = use.images_size - twice - sum(told) if len(told) == len(kept) else 0
    return min(max(0, least), most), most


def _containers(use: DiskUse, needs: Needs, now: datetime) -> Iterator[Stored]:
    for one in use.containers:
        why = _container_stays(use, one, needs, now)
        goes = one.status or one.state.value
        yield Stored(
            engine=use.engine,
            kind=Kind.CONTAINER,
            id=one.id,
            name=one.name or one.id[:12],
            size=one.written,
            goes=not why,
            why=why or f"{goes[:1].lower()}{goes[1:]}",
            mark=one.name,
        )


def _container_stays(use: DiskUse, one: StoredContainer, needs: Needs, now: datetime) -> str:
    if one.state not in ENDED:
        return "is running" if one.state is ContainerState.RUNNING else f"is {one.state.value}"
    service = needs.replicas.get(ContainerKey(use.engine, one.id))
    if service:
        return f"is a replica of {service}, which may be started again"
    if one.state is ContainerState.CREATED:
        old = _seconds(one.created, now)
        if old is None or old < JUST_MADE:
            return "was just made, and is perhaps about to be started"
    return ""


def _images(use: DiskUse, needs: Needs, keep: Keep, now: datetime) -> Iterator[Stored]:
    users: dict[str, list[str]] = {}
    for container in use.containers:
        users.setdefault(container.image_id, []).append(container.name)
    for one in use.images:
        why = _image_stays(one, users.get(one.id, []), needs, keep, now)
        old = _seconds(one.created, now)
        made = f", made {age(old)} ago" if old is not None else ""
        yield Stored(
            engine=use.engine,
            kind=Kind.IMAGE,
            id=one.id,
            name=one.name,
            size=one.own,
            goes=not why,
            why=why or f"{'unused' if one.tags else 'dangling'}{made}",
            mark="\n".join(sorted(one.tags)),
        )


def _image_stays(one: StoredImage, users: list[str], needs: Needs, keep: Keep, now: datetime) -> str:
    if users:
        more = f" and {len(users) - 1} more" if len(users) > 1 else ""
        return f"is used by {users[0]}{more}"
    if one.users != 0:
        return "is used by a container" if one.users else "whether it is used is not told"
    if needing := needs.of_image(one.id, one.tags, one.digests):
        return f"is used by {needing}"
    if keep.images <= 0:
        return ""
    old = _seconds(one.created, now)
    if old is None:
        return "when it was made is not told"
    return f"was made {age(old)} ago, which is too new" if old < keep.images else ""


def _volumes(use: DiskUse, needs: Needs, keep: Keep) -> Iterator[Stored]:
    users: dict[str, str] = {}
    for container in use.containers:
        for name in container.volumes:
            users.setdefault(name, container.name)
    for one in use.volumes:
        why = _volume_stays(one, users.get(one.name, ""), needs, keep)
        yield Stored(
            engine=use.engine,
            kind=Kind.VOLUME,
            id=one.name,
            name=one.name[:12] if one.anonymous and len(one.name) == 64 else one.name,
            size=one.size,
            goes=not why,
            why=why or ("anonymous, and nothing mounts it" if one.anonymous else "named, and nothing mounts it"),
            mark=one.created,
        )


def _volume_stays(one: StoredVolume, user: str, needs: Needs, keep: Keep) -> str:
    if user:
        return f"is mounted by {user}"
    if one.users != 0:
        return "is mounted by a container" if one.users else "whether it is mounted is not told"
    if needing := needs.volumes.get(one.name):
        return f"is mounted by {needing}"
    if one.driver not in ("", "local"):
        return f"its driver is {one.driver}: its data may be elsewhere"
    return "has a name, so somebody may want its data" if keep.volumes and not one.anonymous else ""


def _cache(use: DiskUse, *, images_go: bool) -> Iterator[Stored]:
    for one in use.cache:
        yield Stored(
            engine=use.engine,
            kind=Kind.CACHE,
            id=one.id,
            name=f"{one.id[:12]} {one.description or one.kind}".strip(),
            size=0 if one.shared else one.size,
            goes=not one.in_use and (images_go or not one.shared),
            why=_cache_words(one, images_go),
        )


def _cache_words(one: CacheRecord, images_go: bool) -> str:
    if one.in_use:
        return "is in use by a build"
    if one.shared:
        return "also an image's: goes if that image goes" if images_go else "is also an image's, and none goes"
    return "not in use"


def _seconds(then: datetime | None, now: datetime) -> float | None:
    return None if then is None else max(0.0, (now - then).total_seconds())
