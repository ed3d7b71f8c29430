"""Which version of the Engine API to speak with an engine."""

from __future__ import annotations

import re

from ..errors import Malformed, Unsupported

FLOOR = "1.40"
"""The oldest spoken: Docker 19.03."""
CEILING = "1.51"
"""The newest spoken: Docker 28.3. Newer engines are spoken to as this, while they still accept it."""

_VERSION = re.compile(r"\d{1,3}\.\d{1,3}")
_REFUSED = re.compile(r"client version \S+ is too (old|new)\. M\w+ supported API version is (\d+\.\d+)")


def parse_version(text: str) -> tuple[int, int]:
    """`1.41` as numbers that compare. Raises ValueError."""
    if not _VERSION.fullmatch(text):
        raise ValueError(f"{text[:32]!r} is no API version")
    major, minor = text.split(".")
    return int(major), int(minor)


def at_least(version: str, wanted: str) -> bool:
    """Whether `version` is `wanted` or newer; an unknown version is not."""
    try:
        return parse_version(version) >= parse_version(wanted)
    except ValueError:
        return False


def negotiate(engine: str, offered: str, minimum: str | None = None) -> str:
    """The version to speak with `engine`, which speaks up to `offered` and, where it says so, down to `minimum`.

    Raises Unsupported where there is none in common (Docker 29.0 to 29.2 speak nothing under 1.44, which is fine), and
    Malformed where what it says is no version.
    """
    try:
        newest = parse_version(offered)
        oldest = parse_version(minimum) if minimum else None
    except ValueError as error:
        raise Malformed(f"{engine} does not say which API version it speaks: {error}.", where="Api-Version") from error
    if newest < parse_version(FLOOR):
        raise Unsupported(
            f"{engine} speaks API {offered} at most; fleettop needs {FLOOR} or newer (Docker 19.03).",
            hint="Update the engine.",
        )
    if oldest is not None and oldest > parse_version(CEILING):
        raise Unsupported(
            f"{engine} needs API {minimum} or newer; fleettop offers {FLOOR} to {CEILING}.", hint="Update fleettop."
        )
    return min(offered, CEILING, key=parse_version)


def refusal(engine: str, message: str) -> Unsupported | None:
    """What a 400 says of the version, if that is what it is about (moby: api/server/middleware/version.go).

    "Too old" comes as plain text, "too new" as JSON (seen on dockerd 20.10).
    """
    found = _REFUSED.search(message)
    if found is None:
        return None
    if found[1] == "old":
        return Unsupported(
            f"{engine} needs API {found[2]} or newer; fleettop offers {FLOOR} to {CEILING}.", hint="Update fleettop."
        )
    return Unsupported(
        f"{engine} speaks API {found[2]} at most; fleettop needs {FLOOR} or newer (Docker 19.03).",
        hint="Update the engine; if it was changed just now, it is tried again by itself.",
    )
