"""`[alarms]`: from how long an outage on somebody is told, and by which ways."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from ..errors import ConfigError
from .durations import parse_duration
from .tomlfile import Place, TomlFile, nearest

DESKTOP = ("osc9", "osc777", "off")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Alarms(msgspec.Struct, frozen=True, kw_only=True):
    """What is told to whom. Spans are seconds; None: not set."""

    downtime_warn: float | None = None
    downtime_page: float | None = None
    """For groups that do not say otherwise."""
    steady: float = 60.0
    """How long a service must have served again before it is said to be back."""
    bell: bool = True
    desktop: str = "osc9"
    webhook: str = ""
    """An address with its secrets: never shown, never logged."""
    command: tuple[str, ...] = ()

    @property
    def webhook_host(self) -> str:
        """As much of it as may be shown."""
        return urlsplit(self.webhook).hostname or ""


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    downtime_warn: str | None = None
    downtime_page: str | None = None
    steady: str | None = None
    bell: bool = True
    desktop: str = "osc9"
    webhook: str | None = None
    command: list[str] | None = None


def read_alarms(file: TomlFile, table: Mapping[str, object]) -> Alarms:
    """The `[alarms]` table. Raises ConfigError, in which no address of a webhook is named."""
    entry = file.convert(dict(table), _Entry, ("alarms",))
    if entry.desktop not in DESKTOP:
        near = nearest(entry.desktop, DESKTOP)
        raise file.wrong(
            ("alarms", "desktop"),
            f"desktop must be one of {', '.join(DESKTOP)}, not {entry.desktop!r}",
            hint=f"Did you mean {near!r}?" if near else "",
        )
    if entry.command is not None and (not entry.command or not entry.command[0].strip()):
        raise file.wrong(("alarms", "command"), "command runs nothing", hint='Write command = ["notify-oncall"].')
    if any("\0" in word for word in entry.command or ()):
        raise file.wrong(("alarms", "command"), "an argument cannot hold a NUL")
    warn, page = (_span(file, getattr(entry, name), name) for name in ("downtime_warn", "downtime_page"))
    in_order(file, warn, page, ("alarms",))
    steady = _span(file, entry.steady, "steady")
    return Alarms(
        downtime_warn=warn,
        downtime_page=page,
        steady=Alarms().steady if steady is None else steady,
        bell=entry.bell,
        desktop=entry.desktop,
        webhook=_webhook(file, entry.webhook),
        command=tuple(entry.command or ()),
    )


def in_order(file: TomlFile, warn: float | None, page: float | None, place: Place) -> None:
    """Raise ConfigError where somebody would be paged before being warned."""
    if warn is not None and page is not None and page < warn:
        raise file.wrong((*place, "downtime_page"), "downtime_page is shorter than downtime_warn")


def _span(file: TomlFile, text: str | None, name: str) -> float | None:
    if text is None:
        return None
    try:
        return parse_duration(text)
    except ConfigError as error:
        raise file.wrong(("alarms", name), f"alarms.{name}: {error}", hint=error.hint) from error


def _webhook(file: TomlFile, address: str | None) -> str:
    if address is None:
        return ""
    place: Place = ("alarms", "webhook")
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or not address.isprintable() or " " in address:
        raise file.wrong(place, "webhook is no web address", hint="Write https://… in full.")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise file.wrong(
            place,
            f"webhook would send to {host} what everybody on the way can read",
            hint="Write https://…; plain http:// is for this machine only.",
        )
    return address
