"""`GET /system/df` as it comes over the wire (Docker 1.40 to 1.51, Podman's imitation). Nothing here is clean."""

from __future__ import annotations

import msgspec

from .wire import Flag, MountPoint, Number, Text, TextMap, Texts, Wire

Rows = list[msgspec.Raw] | None | msgspec.UnsetType


class DiskImage(Wire):
    """An image."""

    id: Text = None
    repo_tags: Texts = None
    repo_digests: Texts = None
    size: Number = None
    shared_size: Number = None
    containers: Number = None
    created: Number = None


class DiskContainer(Wire):
    """A container."""

    id: Text = None
    names: Texts = None
    image_id: Text = msgspec.field(default=None, name="ImageID")
    state: Text = None
    status: Text = None
    size_rw: Number = None
    created: int | str | None = None
    labels: TextMap = None
    mounts: list[MountPoint] | None = None


class VolumeUsage(Wire):
    """What of a volume is costly to find out."""

    size: Number = None
    ref_count: Number = None


class DiskVolume(Wire):
    """A volume."""

    name: Text = None
    driver: Text = None
    created_at: Text = None
    labels: TextMap = None
    usage_data: VolumeUsage | None = None


class DiskCache(Wire):
    """A record of the build cache."""

    id: Text = msgspec.field(default=None, name="ID")
    type: Text = None
    description: Text = None
    in_use: Flag = None
    shared: Flag = None
    size: Number = None
    created_at: Text = None
    last_used_at: Text = None


class DiskAnswer(Wire):
    """The whole answer, its rows still as they were sent; a list that is not in it at all is UNSET."""

    layers_size: Number = None
    images: Rows = msgspec.UNSET
    containers: Rows = msgspec.UNSET
    volumes: Rows = msgspec.UNSET
    build_cache: Rows = msgspec.UNSET
