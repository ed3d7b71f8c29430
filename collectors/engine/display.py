"""An inspect as JSON data for a person to look at: every string clean, secrets hidden by place, name and shape."""

from __future__ import annotations

from typing import cast

import msgspec

from ..text import HIDDEN, plain, redact, redact_arguments
from .fields import BROKEN, NAME_LIMIT, malformed

TEXT_LIMIT = 8192
DEPTH = 64

_ANY = msgspec.json.Decoder()
_ARGUMENTS = frozenset({"Cmd", "Args", "Entrypoint", "Test", "Command", "Shell", "OnBuild"})
_ENVIRONMENT = frozenset({"Env", "Environment"})
_HARMLESS = frozenset({"ReadonlyPaths", "MaskedPaths", "AuthorizationPlugin", "HostnamePath", "HostsPath", "LogPath"})


def shown(body: bytes) -> object:
    """The JSON of `body`, safe to show. The names of variables stay, their values go. Raises Malformed."""
    try:
        return _value("", _ANY.decode(body), 0)
    except BROKEN as error:
        raise malformed("JSON", error) from error


def variables(inspected: object) -> tuple[tuple[str, str], ...]:
    """Names and values of a container's variables, from its inspect as it was sent: clean, what looks secret hidden.

    For a person who asked for them; never kept.
    """
    config = inspected.get("Config") if isinstance(inspected, dict) else None
    found = config.get("Env") if isinstance(config, dict) else None
    pairs = (item.partition("=") for item in found or () if isinstance(item, str))
    clean = ((plain(name, NAME_LIMIT), plain(value, TEXT_LIMIT)) for name, _, value in pairs)
    return tuple((redact("", name), redact(name, value)) for name, value in clean)


def _value(name: str, value: object, depth: int) -> object:
    if depth > DEPTH:
        raise malformed("JSON", f"it is nested more than {DEPTH} deep")
    if isinstance(value, str):
        return _text(name, value)
    if isinstance(value, dict):
        return _fields(cast(dict[str, object], value), depth)
    if isinstance(value, list):
        return _items(name, cast(list[object], value), depth)
    return value


def _text(name: str, value: str) -> str:
    clean = plain(value, TEXT_LIMIT, newlines=True)
    return clean if name in _HARMLESS else redact(name, clean)


def _fields(found: dict[str, object], depth: int) -> dict[str, object]:
    result: dict[str, object] = {}
    for key, value in found.items():
        name = plain(key, NAME_LIMIT)
        result[name] = _value(name, value, depth + 1)
    return result


def _items(name: str, items: list[object], depth: int) -> list[object]:
    if name in _ENVIRONMENT:
        return [_variable(item) if isinstance(item, str) else _value("", item, depth + 1) for item in items]
    if name in _ARGUMENTS and all(isinstance(item, str) for item in items):
        return list(redact_arguments([plain(cast(str, item), TEXT_LIMIT) for item in items]))
    return [_value(name, item, depth + 1) for item in items]


def _variable(text: str) -> str:
    name, equals, value = text.partition("=")
    clean = _text("", name)
    return f"{clean}={HIDDEN if value else ''}" if equals else clean
