"""What lies on an engine's disk: `GET /system/df`, row by row."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from ..clock import Clock
from ..model import CacheRecord, ContainerState, DiskUse, StoredContainer, StoredImage, StoredVolume
from . import wire_storage as wire
from .fields import (
    BROKEN,
    image_id,
    is_container_id,
    labels,
    malformed,
    moment,
    mounts,
    parse,
    safe,
    unix_moment,
    word,
)

Row = TypeVar("Row", bound=msgspec.Struct)
Fact = TypeVar("Fact")

_ANSWER = msgspec.json.Decoder(wire.DiskAnswer)
_IMAGE = msgspec.json.Decoder(wire.DiskImage)
_CONTAINER = msgspec.json.Decoder(wire.DiskContainer)
_VOLUME = msgspec.json.Decoder(wire.DiskVolume)
_CACHE = msgspec.json.Decoder(wire.DiskCache)
_ANONYMOUS = re.compile(r"[0-9a-f]{64}")
_ANONYMOUS_LABEL = "com.docker.volume.anonymous"
"""Docker 23 and later puts it on volumes that nobody named."""
_NO_NAME = "<none>"
_CACHE_ID = re.compile(r"[0-9a-z]{8,64}")


def decode_disk_use(body: bytes, *, engine: str, clock: Clock, podman: bool = False) -> DiskUse:
    """`GET /system/df`. Rows that make no sense are left out and counted. Raises Malformed where it is no such answer.

    From API 1.52 on there are sums (`ImageUsage`, …) in place of lists. Who asks by 1.51 gets lists; an answer without
    any is no empty disk. Podman 4.3 tells neither the size of all layers (0) nor the names of its images.
    """
    answer = parse(_ANSWER, body, "system/df")
    if all(rows is msgspec.UNSET for rows in (answer.images, answer.containers, answer.volumes)):
        raise malformed("system/df", "it lists neither images nor containers nor volumes")
    refused = _Refused()
    return DiskUse(
        engine=engine,
        at=clock.monotonic(),
        taken=clock.now(),
        layers=None if podman else _told(answer.layers_size),
        images=_rows(answer.images, _IMAGE, _image, refused),
        containers=_rows(answer.containers, _CONTAINER, _container, refused),
        volumes=_rows(answer.volumes, _VOLUME, _volume, refused),
        cache=_rows(answer.build_cache, _CACHE, _cache, refused),
        refused=refused.count,
    )


class _Refused:
    """Counts rows."""

    count = 0


def _rows(
    raws: wire.Rows,
    decoder: msgspec.json.Decoder[Row],
    convert: Callable[[Row], Fact],
    refused: _Refused,
) -> tuple[Fact, ...]:
    found: list[Fact] = []
    for raw in raws if isinstance(raws, list) else ():
        try:
            found.append(convert(decoder.decode(raw)))
        except BROKEN:
            refused.count += 1
    return tuple(found)


def _image(row: wire.DiskImage) -> StoredImage:
    identifier = image_id(row.id)
    if not identifier:
        raise malformed("image", "its id is missing")
    return StoredImage(
        id=identifier,
        tags=_named(row.repo_tags),
        digests=_named(row.repo_digests),
        size=_told(row.size),
        shared=_told(row.shared_size),
        users=_told(row.containers),
        created=unix_moment(row.created) if row.created else None,
    )


def _named(names: list[str] | None) -> tuple[str, ...]:
    return tuple(word(name) for name in names or () if name and _NO_NAME not in name)


def _container(row: wire.DiskContainer) -> StoredContainer:
    if not is_container_id(row.id or ""):
        raise malformed("container", "its id is none")
    try:
        state = ContainerState((row.state or "").lower())
    except ValueError:
        state = ContainerState.UNKNOWN
    return StoredContainer(
        id=row.id or "",
        name=word(min(row.names or [""], key=lambda name: name.count("/"))).removeprefix("/"),
        state=state,
        status=word(row.status),
        image_id=image_id(row.image_id),
        written=_told(row.size_rw),
        created=unix_moment(row.created) if isinstance(row.created, int) else moment(row.created),
        volumes=tuple(mount.name for mount in mounts(row.mounts) if mount.type == "volume" and mount.name),
        labels=labels(row.labels),
    )


def _volume(row: wire.DiskVolume) -> StoredVolume:
    name = word(row.name)
    if not name or name != row.name:
        raise malformed("volume", "its name is none")
    usage = row.usage_data or wire.VolumeUsage()
    return StoredVolume(
        name=name,
        driver=word(row.driver),
        anonymous=_ANONYMOUS.fullmatch(name) is not None or _ANONYMOUS_LABEL in (row.labels or {}),
        size=_told(usage.size),
        users=_told(usage.ref_count),
        created=word(row.created_at),
    )


def _cache(row: wire.DiskCache) -> CacheRecord:
    if not _CACHE_ID.fullmatch(row.id or ""):
        raise malformed("build cache", "the id of a record is none")
    return CacheRecord(
        id=row.id or "",
        kind=word(row.type),
        description=safe(row.description),
        # What is not told is taken for the case in which nothing is removed.
        in_use=row.in_use is not False,
        shared=row.shared is not False,
        size=_told(row.size) or 0,
        used=moment(row.last_used_at) or moment(row.created_at),
    )


def _told(number: int | None) -> int | None:
    """-1 is Docker's way to say: not known."""
    return number if number is not None and number >= 0 else None
