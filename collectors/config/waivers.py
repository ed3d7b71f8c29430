"""`[[waivers]]`: findings of the checks that somebody answers for, with a reason and until a day."""

from __future__ import annotations

from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from .tomlfile import Place, TomlFile

OBJECT = "*"


class Waiver(msgspec.Struct, frozen=True, kw_only=True):
    """One of them. It holds through its last day; after that the finding counts again, and the waiver is said to be
    over.
    """

    check: str
    reason: str
    until: date
    object: str = OBJECT
    """A pattern (`*`, `?`) that a container's, service's, network's or host's name fits."""
    host: str = OBJECT
    """A pattern that the name of its host fits."""

    def fits(self, check: str, host: str, *names: str) -> bool:
        """Whether it is for a finding of that check at an object of one of these names."""
        return (
            self.check == check
            and fnmatchcase(host, self.host)
            and any(fnmatchcase(name, self.object) for name in names if name)
        )

    def holds(self, today: date) -> bool:
        """Whether its last day is not over."""
        return today <= self.until


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    check: str
    reason: str
    until: Any
    """A date, bare or in quotes."""
    object: str = OBJECT
    host: str = OBJECT


def read_waivers(file: TomlFile, entries: list[object]) -> tuple[Waiver, ...]:
    """The `[[waivers]]`, in their order: the first that fits counts. Raises ConfigError."""
    return tuple(_waiver(file, entry, number) for number, entry in enumerate(entries))


def _waiver(file: TomlFile, value: object, number: int) -> Waiver:
    place: Place = ("waivers", number)
    entry = file.convert(value, _Entry, place)
    if not entry.reason.strip():
        raise file.wrong(
            (*place, "reason"),
            f"the waiver of {entry.check} has no reason",
            hint="Say who answers for it and why: it stands beside the finding.",
        )
    check = entry.check.strip().upper()
    if len(check) != 3 or check[0] not in "ESC" or not check[1:].isdigit():
        raise file.wrong((*place, "check"), f"{entry.check!r} is no check", hint='Write its id, such as check = "C02".')
    return Waiver(
        check=check,
        reason=entry.reason.strip(),
        until=_day(file, entry.until, number),
        object=entry.object,
        host=entry.host,
    )


def _day(file: TomlFile, written: object, number: int) -> date:
    if isinstance(written, date) and not isinstance(written, datetime):
        return written
    try:
        return date.fromisoformat(str(written).strip())
    except ValueError as error:
        raise file.wrong(
            ("waivers", number, "until"), f"{str(written)!r} is no day", hint="Write until = 2027-03-31."
        ) from error
