"""What the decoders share: one field of the wire made a clean value, and lists decoded row by row."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeVar

import msgspec

from ..errors import Malformed
from ..model import Mount, Port
from ..text import HIDDEN, plain, redact, redact_text
from . import wire

BROKEN = (msgspec.MsgspecError, RecursionError, ValueError, OverflowError, Malformed)
"""All that decoding may raise: wrong types, bad JSON or UTF-8, nesting without end, numbers without end."""

VALUE_LIMIT = 1024
"""Characters kept of a label's or an attribute's value (one of 1 MB is a prank)."""
NAME_LIMIT = 256
BIG = 1 << 20
"""Bytes from which a body is too big to be decoded on the event loop, or in one call that holds the interpreter."""

_CONTAINER_ID = re.compile(r"[0-9a-f]{12,64}")
_IMAGE_ID = re.compile(r"[0-9a-f]{64}")
_SWARM_ID = re.compile(r"[0-9a-z]{25}")

T = TypeVar("T")
R = TypeVar("R")
Row = TypeVar("Row", bound=wire.Wire)
Few = TypeVar("Few", tuple[str, ...], bytes)


def is_container_id(text: str) -> bool:
    """Whether it is a container's id, whole or short: 12 to 64 hexadecimal digits."""
    return _CONTAINER_ID.fullmatch(text) is not None


def is_swarm_id(text: str) -> bool:
    """Whether it is the id of a node, a service or a task."""
    return _SWARM_ID.fullmatch(text) is not None


def parse(decoder: msgspec.json.Decoder[T], body: bytes, where: str) -> T:
    """The body decoded; raises Malformed, which names `where`."""
    try:
        return decoder.decode(body)
    except BROKEN as error:
        raise malformed(where, error) from error


def as_sent(body: bytes) -> object:
    """JSON as it was sent, neither cleaned nor redacted. Raises Malformed."""
    try:
        return json.loads(body)
    except BROKEN as error:
        raise malformed("JSON", error) from error


def parse_as(decoder: msgspec.json.Decoder[T], body: bytes, convert: Callable[[T], R], where: str) -> R:
    """The body decoded and converted; whatever makes no sense on the way is Malformed."""
    try:
        return convert(decoder.decode(body))
    except Malformed:
        raise
    except BROKEN as error:
        raise malformed(where, error) from error


def malformed(where: str, error: Exception | str) -> Malformed:
    """The one sentence for an answer that makes no sense."""
    why = plain(str(error), 200).rstrip(".") or type(error).__name__
    return Malformed(f"The engine's answer makes no sense ({where}): {why}.", where=where)


def parse_rows(
    body: bytes,
    whole: msgspec.json.Decoder[list[Row] | None],
    single: msgspec.json.Decoder[Row],
    convert: Callable[[Row], T],
    where: str,
) -> tuple[tuple[T, ...], tuple[str, ...]]:
    """The rows of a list that make sense, and the ids of those that do not (empty where even the id cannot be read).

    Raises Malformed where it is no list at all. All in one call where that works; else, and for a big body (one call
    would hold the interpreter for long), each row by itself.
    """
    if len(body) <= BIG:
        try:
            return tuple(map(convert, whole.decode(body) or ())), ()
        except BROKEN:
            pass
    good: list[T] = []
    refused: list[str] = []
    for raw in parse(_RAW_ROWS, body, where) or ():
        try:
            good.append(convert(single.decode(raw)))
        except BROKEN:
            refused.append(_id_of(raw))
    return tuple(good), tuple(refused)


_RAW_ROWS: msgspec.json.Decoder[list[msgspec.Raw] | None] = msgspec.json.Decoder(list[msgspec.Raw] | None)
_IDENTIFIED = msgspec.json.Decoder(wire.Identified)


def _id_of(raw: msgspec.Raw) -> str:
    try:
        row = _IDENTIFIED.decode(raw)
    except BROKEN:
        return ""
    found = row.id or row.swarm_id or ""
    return found if is_container_id(found) or is_swarm_id(found) else ""


# -- one field ---------------------------------------------------------------------------------------------------------


def moment(text: str | None) -> datetime | None:
    """An RFC 3339 time with up to nanoseconds, in UTC; None for Go's zero time (year 1) and for what is no time."""
    if not text or text.startswith("0001-"):
        return None
    try:
        found = datetime.fromisoformat(text)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if found.year > 1 else None


def unix_moment(seconds: float) -> datetime | None:
    """Unix time in UTC; None for what is outside the calendar, and for 0."""
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


def positive(number: int | None) -> int | None:
    """A limit or a count of which 0 and less mean: none, not told."""
    return number if number is not None and number > 0 else None


def _label_name(text: str) -> tuple[str, bool]:
    """A label's name, and whether it sounds as if its value were secret."""
    name = plain(text, NAME_LIMIT)
    return name, redact(name, "x") != "x"


_short_name = lru_cache(maxsize=2_048)(_label_name)


def _label_value(text: str) -> str:
    return redact_text(plain(text, VALUE_LIMIT))


_short_value = lru_cache(maxsize=4_096)(_label_value)


def labels(pairs: Mapping[str, str] | None) -> dict[str, str]:
    """Labels or attributes, clean, secrets hidden. Names, and values that many have, are cleaned once and kept."""
    found: dict[str, str] = {}
    for sent, value in (pairs or {}).items():
        name, secret = _short_name(sent) if len(sent) < NAME_LIMIT else _label_name(sent)
        if secret and value:
            found[name] = HIDDEN
        else:
            found[name] = _short_value(value) if len(value) < NAME_LIMIT else _label_value(value)
    return found


def shared(value: Few) -> Few:
    """The same value, and where it is small one and the same object each time: replicas have much in common."""
    return _shared(value) if len(value) < NAME_LIMIT else value


@lru_cache(maxsize=4_096)
def _shared(value: Few) -> Few:
    return value


@lru_cache(maxsize=4_096)
def _word(text: str) -> str:
    return plain(text, NAME_LIMIT)


def word(text: str | None, limit: int = NAME_LIMIT) -> str:
    """A name, an image or another short text that repeats: clean, and one and the same object each time."""
    if not text:
        return ""
    return _word(text) if limit == NAME_LIMIT and len(text) <= NAME_LIMIT else plain(text, limit)


def image_id(text: str | None) -> str:
    """An image's id with its algorithm in front, as Docker has it; Podman leaves `sha256:` out in some answers."""
    found = word(text)
    return f"sha256:{found}" if _IMAGE_ID.fullmatch(found) else found


def safe(text: str | None, limit: int = NAME_LIMIT * 2) -> str:
    """A longer text that may hold a secret: clean, on one line, secrets hidden. Commands repeat: they are kept too."""
    if not text:
        return ""
    return _kept(text, limit) if len(text) <= 2 * NAME_LIMIT else redact_text(plain(text, limit))


@lru_cache(maxsize=2_048)
def _kept(text: str, limit: int) -> str:
    return redact_text(plain(text, limit))


def mounts(points: list[wire.MountPoint] | None) -> tuple[Mount, ...]:
    """What is mounted, in the order of the targets."""
    if not points:
        return ()
    found = [
        Mount(
            type=word(point.type),
            source=plain(point.source or "", VALUE_LIMIT),
            target=plain(point.destination or "", VALUE_LIMIT),
            name=word(point.name),
            read_write=point.rw is not False,
        )
        for point in points
    ]
    return tuple(sorted(found, key=lambda mount: (mount.target, mount.source)))


def ordered_ports(ports: list[Port]) -> tuple[Port, ...]:
    """Ports in one order, whatever order the engine's map had this time."""
    return tuple(sorted(ports, key=lambda port: (port.private, port.protocol, port.public or 0, port.ip or "")))
