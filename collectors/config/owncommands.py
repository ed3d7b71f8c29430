"""`[[commands]]`: a person's own commands, run on this machine with what is known of a row as their arguments.

An argument is what is written, with `{field}` replaced; it never passes through a shell. `{{` and `}}` are braces.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from pathlib import PurePath

import msgspec

from ..errors import FleetError
from .tomlfile import Place, TomlFile, nearest, spelled

_HOST = ("host.name", "host.address", "host.user", "host.port", "host.group")
FIELDS: Mapping[str, tuple[str, ...]] = {
    "hosts": _HOST,
    "containers": (
        *("container.name", "container.id", "container.image", "container.state", "container.service"),
        *_HOST,
    ),
    "services": ("service.name", "service.stack", "service.image", "service.state"),
}
"""What can stand in braces, by the view the command is for."""
_SHELLS = frozenset(("sh", "ash", "bash", "dash", "fish", "ksh", "zsh", "busybox"))
_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


class OwnCommand(msgspec.Struct, frozen=True, kw_only=True):
    """One of them."""

    key: str
    name: str
    scope: str
    """The view it is for: services, containers or hosts."""
    run: tuple[str, ...]
    confirm: bool = True
    """Whether it is asked for before it runs."""
    dangerous: bool = False
    """It may change something: absent in read-only mode, always asked for, by name where the group is protected."""

    def words(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """The command with its fields filled in.

        Raises FleetError, in one sentence, for a value that is not known, and for one that would begin its argument
        with `-`: the program would take the name of a container for an option.
        """
        return tuple(_filled(word, values, self.name) for word in self.run)


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    name: str
    scope: str
    run: list[str]
    confirm: bool = True
    dangerous: bool = False


def read_commands(file: TomlFile, entries: list[object]) -> tuple[OwnCommand, ...]:
    """The `[[commands]]` of a file, in their order. Raises ConfigError."""
    found = tuple(_read(file, value, ("commands", number)) for number, value in enumerate(entries))
    names = [one.name for one in found]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise file.wrong(
                ("commands", number), f"two commands are called {name!r}", hint="Give each a name of its own."
            )
    return found


def _read(file: TomlFile, value: object, place: Place) -> OwnCommand:
    entry = file.convert(value, _Entry, place)
    if entry.scope not in FIELDS:
        near = nearest(entry.scope, FIELDS)
        raise file.wrong(
            (*place, "scope"),
            f"{spelled(place)} is for {entry.scope!r}, which is no view",
            hint=f"Did you mean {near!r}?" if near else f"Write one of {', '.join(FIELDS)}.",
        )
    if not entry.name.strip() or not entry.name.isprintable():
        raise file.wrong((*place, "name"), f"{entry.name!r} cannot name a command")
    if not entry.run or not entry.run[0].strip():
        raise file.wrong(
            (*place, "run"), f"{spelled(place)} runs nothing", hint='Write run = ["ping", "{host.address}"].'
        )
    if _fields(entry.run[0]):
        raise file.wrong((*place, "run"), "the program itself cannot come from a row", hint="Write its name.")
    for before, word in itertools.pairwise(entry.run):
        if before.startswith("-") and before.endswith("c") and _fields(word) and _is_shell(entry.run):
            raise file.wrong(
                (*place, "run"),
                "a field in what a shell reads would be run as a part of it",
                hint='Hand it over as an argument: ["sh", "-c", "echo \\"$1\\"", "sh", "{host.name}"].',
            )
    for word in entry.run:
        _check(file, word, entry.scope, (*place, "run"))
    return OwnCommand(
        key=entry.key,
        name=entry.name.strip(),
        scope=entry.scope,
        run=tuple(entry.run),
        confirm=entry.confirm or entry.dangerous,
        dangerous=entry.dangerous,
    )


def _check(file: TomlFile, word: str, scope: str, place: Place) -> None:
    if "\0" in word:
        raise file.wrong(place, "an argument cannot hold a NUL")
    for match in _PART.finditer(word):
        if match[0] in ("{", "}"):
            raise file.wrong(place, f"{word!r} has a brace by itself", hint="Write {{ or }} for a brace.")
        if match[1] is not None and match[1] not in FIELDS[scope]:
            near = nearest(match[1], FIELDS[scope])
            raise file.wrong(
                place,
                f"{match[0]} is no field of {scope}",
                hint=f"Did you mean {{{near}}}?" if near else f"There are {', '.join(FIELDS[scope])}.",
            )


def _is_shell(words: list[str]) -> bool:
    return any(PurePath(word).name in _SHELLS for word in words)


def _fields(word: str) -> list[str]:
    return [match[1] for match in _PART.finditer(word) if match[1] is not None]


def _filled(word: str, values: Mapping[str, str], name: str) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0][0]
        found = values.get(match[1], "")
        if not found or "\0" in found:
            raise FleetError(f"{name!r} was not run: {match[1]} is not known of this row.")
        if match.start() == 0 and found.startswith("-"):
            raise FleetError(
                f"{name!r} was not run: {match[1]} is {found!r}, which its program would take for an option.",
                hint="Put something before the field in the config, as in --name={container.name}.",
            )
        return found

    return _PART.sub(value, word)
