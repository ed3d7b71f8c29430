"""The lines of a recording: a header before each whole picture, then one JSON line for each thing that was told.

`{"recording": 1, …, "past": 40}` says where and when, of which engines, and that the next 40 lines are the picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from .. import errors
from ..address import EngineAddress
from ..engine.fingerprint import SIZE
from ..errors import EngineError, FleetError
from ..model import Change, Container, ContainersSeen, Listed, Record, ServiceDesign, SwarmSeen
from ..services.places import ServiceRule

VERSION = 1


class RecordingError(FleetError):
    """This is no recording that can be played."""


class Engine(msgspec.Struct, frozen=True, kw_only=True):
    """What a recording says of an engine's address: what is shown of it."""

    name: str
    scheme: str
    host: str = ""
    port: int | None = None
    user: str = ""
    socket: str = ""
    group: str = ""

    @property
    def address(self) -> EngineAddress:
        """Its address, for showing."""
        return EngineAddress(**{name: getattr(self, name) for name in self.__struct_fields__})


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What stands before a whole picture. `t` is Unix time, `m` the recorder's monotonic clock."""

    recording: int = VERSION
    run: str
    """Another one each time that recording was begun: what is known before it is not carried on."""
    t: float
    m: float
    past: int
    """Lines of the picture that follow."""
    engines: tuple[Engine, ...] = ()
    rules: tuple[ServiceRule, ...] = ()
    declared_by: tuple[str, ...] = ()


class Remembered(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Records that stood in the trail, of this process or another; `events`: which event is in which, by keys."""

    records: tuple[Record, ...]
    events: Mapping[str, str] = {}


class TakenUp(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Events of this intent, written down by another process, are known to be of it; until `end`, where it is over."""

    key: str
    end: datetime | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was told, and when."""

    t: float
    m: float
    c: Change | Remembered | TakenUp

    @property
    def time(self) -> datetime:
        """When, in UTC."""
        return datetime.fromtimestamp(self.t, UTC)


def engines_of(addresses: Sequence[EngineAddress]) -> tuple[Engine, ...]:
    """As a header has them."""
    return tuple(Engine(**{name: getattr(one, name) for name in Engine.__struct_fields__}) for one in addresses)


_ERRORS = {
    kind.__name__: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, EngineError)
}


def _plain(found: Any) -> Any:
    if isinstance(found, EngineError):
        return {"kind": type(found).__name__, "says": str(found), "hint": found.hint}
    raise NotImplementedError(f"{type(found).__name__} is not kept in a recording")


def _typed(kind: type, found: Any) -> Any:
    if not issubclass(kind, EngineError):
        raise NotImplementedError(kind.__name__)
    known = _ERRORS.get(found["kind"], EngineError)
    error = known.__new__(known)  # some take more than their words, which nobody asks for here
    Exception.__init__(error, found["says"])
    error.hint = found["hint"]
    return error


_encoder = msgspec.json.Encoder(enc_hook=_plain)
_decoder = msgspec.json.Decoder(Line, dec_hook=_typed)
_headers = msgspec.json.Decoder(Header)


def encode(line: Line | Header) -> bytes:
    """The line with its end."""
    return _encoder.encode(line) + b"\n"


def decode(text: bytes) -> Line:
    """One line after a header. Raises msgspec.MsgspecError (and KeyError, TypeError, where an error makes no sense)."""
    return _decoder.decode(text)


def decode_header(text: bytes) -> Header:
    """A header. Raises RecordingError for what is none, or is of a newer fleettop."""
    try:
        version = msgspec.json.decode(text, type=_Version).recording
    except msgspec.MsgspecError as error:
        raise RecordingError("It is no recording of fleettop.", hint=HOW) from error
    if version > VERSION:
        raise RecordingError(
            f"It was recorded by a newer fleettop (format {version}; this one reads up to {VERSION}).",
            hint="Replay it with the fleettop that recorded it, or a newer one.",
        )
    try:
        return _headers.decode(text)
    except msgspec.MsgspecError as error:
        raise RecordingError("Its header makes no sense.", hint=HOW) from error


def is_header(text: bytes) -> bool:
    """Whether a line begins a whole picture."""
    return text.startswith(b'{"recording":')


class _Version(msgspec.Struct):
    recording: int


HOW = "`fleettop record --snapshots FILE` makes one."


class Masks:
    """Puts numbers in the place of prints of values: what changed is told still, and no print is ever stored."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, bytes], bytes] = {}

    def clean(self, change: Change) -> Change:
        """The change with its prints masked."""
        if isinstance(change, Listed | ContainersSeen):
            return msgspec.structs.replace(change, containers=tuple(self._container(c) for c in change.containers))
        if isinstance(change, SwarmSeen):
            services = tuple(
                msgspec.structs.replace(one, design=self._design(one.design), before=self._design(one.before))
                for one in change.picture.services
            )
            return msgspec.structs.replace(change, picture=msgspec.structs.replace(change.picture, services=services))
        return change

    def _container(self, container: Container) -> Container:
        detail = container.detail
        if detail is None or not (detail.environment_prints or detail.command_print):
            return container
        detail = msgspec.structs.replace(
            detail,
            environment_prints=self._each(detail.environment, detail.environment_prints),
            command_print=self._one("command", detail.command_print),
        )
        return msgspec.structs.replace(container, detail=detail)

    def _design(self, design: ServiceDesign | None) -> ServiceDesign | None:
        if design is None:
            return None
        return msgspec.structs.replace(
            design,
            environment_prints=self._each(design.environment, design.environment_prints),
            command_print=self._one("command", design.command_print),
            health_print=self._one("health", design.health_print),
        )

    def _each(self, names: Sequence[str], prints: bytes) -> bytes:
        return b"".join(self._one(f"={name}", prints[SIZE * n : SIZE * (n + 1)]) for n, name in enumerate(names))

    def _one(self, name: str, found: bytes) -> bytes:
        if not found:
            return b""
        return self._numbers.setdefault((name, found), (len(self._numbers) + 1).to_bytes(SIZE))
