"""The images of an engine, row by row."""

from __future__ import annotations

import msgspec

from ..model import Image
from . import wire
from .fields import image_id, malformed, parse_rows, word

_ROWS: msgspec.json.Decoder[list[wire.ImageRow] | None] = msgspec.json.Decoder(list[wire.ImageRow] | None)
_ROW = msgspec.json.Decoder(wire.ImageRow)
_NO_NAME = "<none>"


def decode_images(body: bytes, *, engine: str) -> tuple[tuple[Image, ...], tuple[str, ...]]:
    """`GET /images/json`: the images, and the ids of rows that make no sense. Raises Malformed where it is no list."""
    return parse_rows(body, _ROWS, _ROW, lambda row: _image(row, engine), "images")


def _image(row: wire.ImageRow, engine: str) -> Image:
    identifier = image_id(row.id)
    if not identifier:
        raise malformed("image", "its id is missing")
    return Image(
        engine=engine,
        id=identifier,
        names=_named(row.repo_tags) or _named(row.repo_digests),
        size=row.size if row.size is not None and row.size >= 0 else None,
    )


def _named(names: list[str] | None) -> tuple[str, ...]:
    """Older engines name what has no name `<none>:<none>`."""
    return tuple(word(name) for name in names or () if _NO_NAME not in name)
