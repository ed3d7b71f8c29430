"""Parts of the paths that acting reads, quoted."""

from __future__ import annotations

from urllib.parse import quote


def segment(value: str) -> str:
    """One part of a path, quoted so that it can be nothing else."""
    return quote(value, safe=":@")


def image_path(image: str) -> str:
    """The path that tells of an image; the slashes of its name belong there."""
    return f"/images/{quote(image, safe=':@/')}/json"
