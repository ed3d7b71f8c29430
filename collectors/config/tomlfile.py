"""A TOML file read into strict structs, with every complaint naming the place and what would be right."""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import tomli

from ..errors import ConfigError

Place = tuple[str | int, ...]
"""The way to a value: `("engines", 0, "tls", "ca")`."""

T = typing.TypeVar("T")

_EXPECTED = re.compile(r"Expected `([^`]+)`, got `([^`]+)`")
_MISSING = re.compile(r"missing required field `([^`]+)`")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_WORDS = {
    "str": "text in quotes",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "object": "a table",
    "array": "a list",
    "null": "nothing",
}
_TOML_WORDS = {**_WORDS, "str": "text", "bool": "true or false", "datetime": "a date"}


class TomlFile(msgspec.Struct, frozen=True):
    """What a TOML file says, and its text, so that a complaint can name the line."""

    path: Path
    text: str
    data: dict[str, object]

    def convert(self, value: object, kind: type[T], place: Place) -> T:
        """`value`, found at `place`, as a `kind` (a struct). Raises ConfigError for what does not fit."""
        if not isinstance(value, dict):
            raise self.wrong(place, f"{spelled(place)} must be a table")
        self._refuse_unknown(value, kind, place)
        try:
            return msgspec.convert(value, kind, strict=True)
        except msgspec.ValidationError as error:
            raise self._explained(str(error), place) from error

    def wrong(self, place: Place, sentence: str, *, hint: str = "") -> ConfigError:
        """The error that says `sentence` of what stands at `place`, with file and line."""
        line = line_of(self.text, place)
        where = f"{self.path}, line {line}" if line is not None else str(self.path)
        return ConfigError(f"{where}: {sentence}.", hint=hint)

    def unknown_key(self, key: str, known: Iterable[str], place: Place) -> ConfigError:
        """The error for a `key` in the table at `place` that is none of the `known`."""
        inside = f" in {spelled(place)}" if place else ""
        names = tuple(known)
        near = nearest(key, names)
        hint = f"Did you mean {near!r}?" if near else f"Known here: {', '.join(sorted(names))}."
        return self.wrong((*place, key), f"there is no setting {key!r}{inside}", hint=hint)

    def _refuse_unknown(self, value: Mapping[str, object], kind: type, place: Place) -> None:
        fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
        for key, inner in value.items():
            if key not in fields:
                raise self.unknown_key(key, fields, place)
            struct = _struct_in(fields[key])
            if struct is not None and isinstance(inner, dict):
                self._refuse_unknown(inner, struct, (*place, key))

    def _explained(self, message: str, place: Place) -> ConfigError:
        _, _, tail = message.partition(" - at `$")
        steps: Place = tuple(name or int(index) for name, index in _STEP.findall(tail))
        at = (*place, *steps)
        if found := _MISSING.search(message):
            return self.wrong(at, f"{spelled(at)} has no {found[1]!r}")
        if found := _EXPECTED.search(message):
            wanted = " or ".join(_WORDS.get(word, word) for word in found[1].split(" | ") if word != "null")
            return self.wrong(at, f"{spelled(at)} must be {wanted}, not {_TOML_WORDS.get(found[2], found[2])}")
        return self.wrong(at, f"{spelled(at)} is not right: {message}")


def read_toml(path: Path) -> TomlFile:
    """The file at `path`. Raises ConfigError where it cannot be read or is no TOML; FileNotFoundError is one too."""
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError as error:
        raise ConfigError(f"There is no file {path}.", hint="Check the path given to --config.") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}, line {line}: the file is not UTF-8 text.") from error
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        return TomlFile(path, text, tomli.loads(text))
    except (tomli.TOMLDecodeError, RecursionError) as error:
        raise _not_toml(path, text, str(error)) from error


def _not_toml(path: Path, text: str, message: str) -> ConfigError:
    found = re.fullmatch(r"(.*?) \(at (?:line (\d+), column \d+|end of document)\)", message, re.DOTALL)
    what, line = (found[1], found[2]) if found else (message, None)
    line = line or str(len(text.splitlines()))
    return ConfigError(
        f"{path}, line {line}: this is not TOML: {what[:1].lower()}{what[1:]}.",
        hint="Text stands in quotes, tables are written [name] and lists of tables [[name]].",
    )


def nearest(word: str, known: Iterable[str]) -> str:
    """The one of `known` that looks most like `word`, or nothing where none does."""
    found = difflib.get_close_matches(word.lower(), (names := {name.lower(): name for name in known}), n=1, cutoff=0.6)
    return names[found[0]] if found else ""


def spelled(place: Place) -> str:
    """A place in words: `engines number 2, tls.ca`."""
    if not place:
        return "the file"
    words, rest = str(place[0]), place[1:]
    if rest and isinstance(rest[0], int):
        words, rest = f"{words} number {rest[0] + 1}", rest[1:]
        return f"{words}, {'.'.join(map(str, rest))}" if rest else words
    return ".".join(map(str, place))


def line_of(text: str, place: Place) -> int | None:
    """The line (from 1) where what stands at `place` begins; None where it cannot be told.

    Found by reading ever shorter beginnings of the file with the TOML parser itself (halving, so about ten readings),
    since the parser tells no lines: it is right for inline tables, dotted and quoted keys alike.
    """
    lines = text.splitlines()
    while place and not _holds(lines, len(lines), place):
        place = place[:-1]  # what is missing has no line: the table that lacks it has
    if not place:
        return None
    low, high = 1, len(lines)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _holds(lines, middle, place) else (middle + 1, high)
    names = [step for step in place if isinstance(step, str)]
    for number in range(low, 0, -1):  # a value over several lines is complete on its last
        if names[-1] in lines[number - 1]:
            return number
    return low


def _holds(lines: list[str], count: int, place: Place) -> bool:
    while count > 0:
        try:
            value: object = tomli.loads("\n".join(lines[:count]))
        except (tomli.TOMLDecodeError, RecursionError):
            count -= 1  # in the midst of a value over several lines
            continue
        return _reach(value, place)
    return False


def _reach(value: object, place: Place) -> bool:
    for step in place:
        match step, value:
            case int(), list() if step < len(value):
                value = value[step]
            case str(), dict() if step in value:
                value = value[step]
            case _:
                return False
    return True


def _struct_in(kind: object) -> type | None:
    for part in (kind, *typing.get_args(kind)):
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            return part
    return None
