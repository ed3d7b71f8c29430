"""Small answers that tell of a deed who and what: an exec's own entry, an image's digests."""

from __future__ import annotations

import re

import msgspec

from . import wire
from .fields import parse_as, word

_EXEC = msgspec.json.Decoder(wire.ExecEntry)
_IMAGE = msgspec.json.Decoder(wire.ImageEntry)
_DIGEST = re.compile(r"[^@\s]+@sha256:[0-9a-f]{64}")
DIGESTS = 64
"""Digests kept of one image: so many repositories hold none."""


class ExecEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A command that was asked to run in a container: as whom, and how it ended. The command comes with the event."""

    user: str = ""
    """Empty: as the container's own user."""
    privileged: bool = False
    running: bool = False
    exit_code: int | None = None
    """Of what has ended."""


def decode_exec(body: bytes) -> ExecEntry:
    """`GET /exec/{id}/json`. Raises Malformed."""
    return parse_as(_EXEC, body, _exec, "exec")


def decode_digests(body: bytes) -> tuple[str, ...]:
    """The digests in `GET /images/{id}/json`, `name@sha256:…`. Raises Malformed."""
    return parse_as(_IMAGE, body, _digests, "image")


def _exec(entry: wire.ExecEntry) -> ExecEntry:
    process = entry.process_config or wire.ExecProcess()
    return ExecEntry(
        user=word(process.user),
        privileged=process.privileged is True,
        running=entry.running is True,
        exit_code=entry.exit_code if isinstance(entry.exit_code, int) else None,
    )


def _digests(image: wire.ImageEntry) -> tuple[str, ...]:
    clean = (word(text, 512) for text in image.repo_digests or ())
    return tuple(text for text in clean if _DIGEST.fullmatch(text))[:DIGESTS]
