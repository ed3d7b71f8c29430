"""`fleettop.toml`: which engines there are, how services are recognised, and how the screen behaves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from ..address import EngineAddress, TlsFiles, parse_address
from ..errors import ConfigError
from ..services.places import ServiceRule
from .alarms import Alarms, in_order, read_alarms
from .allowances import Allowance, parse_allowance
from .durations import parse_duration, parse_share, parse_size
from .owncommands import OwnCommand, read_commands
from .tomlfile import Place, TomlFile, read_toml, spelled
from .waivers import Waiver, read_waivers

COLORS = ("auto", "always", "never")


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for all engines of a group. Spans are seconds; None: not set."""

    name: str
    protected: bool = False
    """A removal, and anything on more than one host, wants the name typed."""
    downtime_warn: float | None = None
    downtime_page: float | None = None
    max_unavailable: Allowance | None = None
    """How many replicas of a service may be away at once in a rolling restart."""


class TrailSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the trail lies, and how long it is kept. Without limits all of it is."""

    folder: Path | None = None
    """None: the platform's own place for a program's state."""
    keep: float | None = None
    """Seconds after which a sealed segment may go."""
    keep_size: int | None = None
    """Bytes that the segments may take together; the oldest sealed ones go first."""


class FiguresSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How what containers use may be read."""

    remote_shell: bool = True
    """Over SSH by a shell that stays open on the host."""
    budget: float = 0.01
    """The share of one core of an engine that asking it may cost."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """All that `fleettop.toml` says; the defaults are what holds without one."""

    path: Path | None = None
    """The file it was read from; None: there is none."""
    read_only: bool = False
    theme: str = ""
    """The name of a theme; empty: chosen by the terminal."""
    ascii: bool = False
    """States as plain ASCII instead of glyphs."""
    mouse: bool = True
    color: str = "auto"
    ssh_config: Path | None = None
    """The ssh config to read; None: the user's own."""
    engines: tuple[EngineAddress, ...] = ()
    groups: Mapping[str, Group] = {}
    declared_by: tuple[str, ...] = ()
    """`[trail] declared_by`: labels by which a deployer names who ran it, beside the usual ones."""
    rules: tuple[ServiceRule, ...] = ()
    """The `[[services]]`: what a service is by a person's own word."""
    keys: Mapping[str, str] = {}
    """Keys by the id of what they do: `"service.restart" = "R,f5"`."""
    trail: TrailSettings = TrailSettings()
    figures: FiguresSettings = FiguresSettings()
    commands: tuple[OwnCommand, ...] = ()
    """The `[[commands]]`: a person's own."""
    waivers: tuple[Waiver, ...] = ()
    """The `[[waivers]]`: findings that somebody answers for."""
    alarms: Alarms = Alarms()

    def group(self, name: str) -> Group:
        """What holds for the group called `name`; the defaults where the config does not speak of it."""
        return self.groups.get(name) or Group(name=name)


def allowances(config: Config) -> dict[str, Allowance]:
    """`max_unavailable` of the groups that have it."""
    return {name: g.max_unavailable for name, g in config.groups.items() if g.max_unavailable is not None}


def load_config(path: Path | None, *, home: Path, required: bool = True) -> Config:
    """What the file at `path` says; `~` in it means `home`, and its relative paths start at its own folder.

    Without a path, or where the file is missing and not `required`, the defaults. Raises ConfigError that names the
    file, where possible the line, and what would be right.
    """
    if path is None or not (required or path.exists()):
        return Config()
    file = read_toml(path)
    top = file.convert(file.data, _Top, ())
    reader = _Reader(file, home)
    if top.color not in COLORS:
        raise file.wrong(("color",), f"color must be one of {', '.join(COLORS)}, not {top.color!r}")
    ssh_config = reader.path(top.ssh_config)
    return Config(
        path=path,
        read_only=top.read_only,
        theme=top.theme,
        ascii=top.ascii,
        mouse=top.mouse,
        color=top.color,
        ssh_config=ssh_config,
        engines=reader.engines(ssh_config),
        groups=reader.groups(),
        declared_by=reader.declared_by(),
        rules=reader.rules(),
        keys=reader.keys(),
        trail=reader.trail(),
        figures=reader.figures(),
        commands=reader.commands(),
        waivers=reader.waivers(),
        alarms=reader.alarms(),
    )


# -- the file as written -----------------------------------------------------------------------------------------------


class _Top(msgspec.Struct, frozen=True, kw_only=True):
    read_only: bool = False
    theme: str = ""
    ascii: bool = False
    mouse: bool = True
    color: str = "auto"
    ssh_config: str | None = None
    groups: object = None
    engines: object = None
    services: object = None
    keys: object = None
    trail: object = None
    figures: object = None
    commands: object = None
    waivers: object = None
    alarms: object = None


class _GroupEntry(msgspec.Struct, frozen=True, kw_only=True):
    protected: bool = False
    downtime_warn: str | None = None
    downtime_page: str | None = None
    max_unavailable: int | str | None = None


class _TrailEntry(msgspec.Struct, frozen=True, kw_only=True):
    folder: str | None = None
    keep: str | None = None
    keep_size: str | None = None
    declared_by: list[str] = []


class _FiguresEntry(msgspec.Struct, frozen=True, kw_only=True):
    remote_shell: bool = True
    budget: str = "1%"


class _TlsEntry(msgspec.Struct, frozen=True, kw_only=True):
    ca: str | None = None
    cert: str | None = None
    key: str | None = None


class _EngineEntry(msgspec.Struct, frozen=True, kw_only=True):
    address: str
    name: str | None = None
    group: str = ""
    tls: _TlsEntry | None = None
    insecure: bool = False
    ssh_config: str | None = None
    correlate: bool = False
    remote_shell: bool = True


class _MatchEntry(msgspec.Struct, frozen=True, kw_only=True):
    label: str | None = None
    name: str | None = None


class _ServiceEntry(msgspec.Struct, frozen=True, kw_only=True):
    match: _MatchEntry
    name: str


class _Reader(msgspec.Struct, frozen=True):
    """Turns the sections of one file into what the program works with."""

    file: TomlFile
    home: Path

    def path(self, text: str | None) -> Path | None:
        """A path as written: from the home folder, absolute, or from the file's own folder."""
        if not text:
            return None
        if text == "~" or text.startswith("~/"):
            return self.home / text[2:]
        return self.file.path.absolute().parent / text

    def groups(self) -> dict[str, Group]:
        """The `[groups.NAME]` tables."""
        return {name: self._group(name, value) for name, value in self._table("groups", "[groups.NAME]").items()}

    def engines(self, ssh_config: Path | None) -> tuple[EngineAddress, ...]:
        """The `[[engines]]`, in their order; no two of one name."""
        engines = tuple(
            self._engine(entry, ("engines", number), ssh_config)
            for number, value in enumerate(self._list("engines"))
            for entry in (self.file.convert(value, _EngineEntry, ("engines", number)),)
        )
        seen: set[str] = set()
        for number, engine in enumerate(engines):
            if engine.name in seen:
                raise self.file.wrong(
                    ("engines", number),
                    f"two engines are called {engine.name!r}",
                    hint="Give each engine a name of its own: it is what the screen and the trail call it.",
                )
            seen.add(engine.name)
        return engines

    def rules(self) -> tuple[ServiceRule, ...]:
        """The `[[services]]`, in their order: the first that matches counts."""
        return tuple(
            self._rule(self.file.convert(value, _ServiceEntry, ("services", number)), ("services", number))
            for number, value in enumerate(self._list("services"))
        )

    def declared_by(self) -> tuple[str, ...]:
        """The labels in `[trail]` that name who deployed."""
        entry = self.file.convert(self._table("trail", "[trail]"), _TrailEntry, ("trail",))
        if any(not name.strip() for name in entry.declared_by):
            raise self.file.wrong(("trail", "declared_by"), "a label in declared_by has no name")
        return tuple(entry.declared_by)

    def keys(self) -> dict[str, str]:
        """The `[keys]` table."""
        keys: dict[str, str] = {}
        for name, value in self._table("keys", "[keys]").items():
            if not isinstance(value, str):
                raise self.file.wrong(("keys", name), f'the keys of {name!r} must be text, such as "R,f5"')
            keys[name] = value
        return keys

    def commands(self) -> tuple[OwnCommand, ...]:
        """The `[[commands]]`, in their order."""
        return read_commands(self.file, self._list("commands"))

    def waivers(self) -> tuple[Waiver, ...]:
        """The `[[waivers]]`, in their order."""
        return read_waivers(self.file, self._list("waivers"))

    def alarms(self) -> Alarms:
        """The `[alarms]` table."""
        return read_alarms(self.file, self._table("alarms", "[alarms]"))

    def trail(self) -> TrailSettings:
        """The `[trail]` table."""
        entry = self.file.convert(self._table("trail", "[trail]"), _TrailEntry, ("trail",))
        return TrailSettings(
            folder=self.path(entry.folder),
            keep=self._duration(entry.keep, ("trail", "keep")),
            keep_size=self._size(entry.keep_size, ("trail", "keep_size")),
        )

    def figures(self) -> FiguresSettings:
        """The `[figures]` table."""
        entry = self.file.convert(self._table("figures", "[figures]"), _FiguresEntry, ("figures",))
        try:
            budget = parse_share(entry.budget)
        except ConfigError as error:
            raise self.file.wrong(("figures", "budget"), f"figures.budget: {error}", hint=error.hint) from error
        return FiguresSettings(remote_shell=entry.remote_shell, budget=budget)

    def _size(self, text: str | None, place: Place) -> int | None:
        if text is None:
            return None
        try:
            return parse_size(text)
        except ConfigError as error:
            raise self.file.wrong(place, f"{spelled(place)}: {error}", hint=error.hint) from error

    def _group(self, name: str, value: object) -> Group:
        place: Place = ("groups", name)
        entry = self.file.convert(value, _GroupEntry, place)
        warn = self._duration(entry.downtime_warn, (*place, "downtime_warn"))
        page = self._duration(entry.downtime_page, (*place, "downtime_page"))
        in_order(self.file, warn, page, place)
        return Group(
            name=name,
            protected=entry.protected,
            downtime_warn=warn,
            downtime_page=page,
            max_unavailable=self._allowance(entry.max_unavailable, (*place, "max_unavailable")),
        )

    def _allowance(self, written: int | str | None, place: Place) -> Allowance | None:
        if written is None:
            return None
        try:
            return parse_allowance(str(written))
        except ConfigError as error:
            raise self.file.wrong(place, f"{spelled(place)}: {error}", hint=error.hint) from error

    def _duration(self, text: str | None, place: Place) -> float | None:
        if text is None:
            return None
        try:
            return parse_duration(text)
        except ConfigError as error:
            raise self.file.wrong(place, f"{spelled(place)}: {error}", hint=error.hint) from error

    def _engine(self, entry: _EngineEntry, place: Place, ssh_config: Path | None) -> EngineAddress:
        if entry.name is not None and (why := name_trouble(entry.name)):
            raise self.file.wrong((*place, "name"), f"{entry.name!r} cannot be an engine's name: {why}")
        try:
            address = parse_address(entry.address, name=entry.name or "")
        except ConfigError as error:
            called = f"engine {entry.name!r}" if entry.name else spelled(place)
            sentence = str(error).removesuffix(".")
            raise self.file.wrong(
                (*place, "address"), f"{called}: {sentence[:1].lower()}{sentence[1:]}", hint=error.hint
            ) from error
        tls = self._tls(entry, address, place)
        if entry.correlate and address.scheme != "ssh":
            raise self.file.wrong(
                (*place, "correlate"),
                f"engine {address.name!r}: correlate is for ssh:// addresses, and this is {address.scheme}://",
                hint="Who is logged in on a host can only be read on the host itself, which only ssh leads to.",
            )
        return msgspec.structs.replace(
            address,
            group=entry.group,
            tls=tls,
            insecure=entry.insecure,
            correlate=entry.correlate,
            remote_shell=entry.remote_shell,
            ssh_config=self.path(entry.ssh_config) or ssh_config,
            origin=self.file.path.name,
        )

    def _tls(self, entry: _EngineEntry, address: EngineAddress, place: Place) -> TlsFiles | None:
        if address.scheme != "tcp":
            for setting, value in (("tls", entry.tls), ("insecure", entry.insecure or None)):
                if value is not None:
                    raise self.file.wrong(
                        (*place, setting),
                        f"engine {address.name!r}: {setting} is for tcp:// addresses, and this is {address.scheme}://",
                    )
            return None
        if entry.tls is None:
            # https:// with no files: the authorities this machine trusts, and nothing to show of ours.
            return TlsFiles() if entry.address.lower().startswith("https:") else None
        if (entry.tls.cert is None) != (entry.tls.key is None):
            raise self.file.wrong(
                (*place, "tls"),
                f"engine {address.name!r}: tls needs cert and key together",
                hint="Both are there with mutual TLS; leave out both where the engine asks for no certificate.",
            )
        return TlsFiles(ca=self.path(entry.tls.ca), cert=self.path(entry.tls.cert), key=self.path(entry.tls.key))

    def _rule(self, entry: _ServiceEntry, place: Place) -> ServiceRule:
        if not entry.match.label and not entry.match.name:
            raise self.file.wrong(
                (*place, "match"),
                f"{spelled(place)} matches nothing",
                hint='Write match = { label = "com.example.app" } or match = { name = "web-*" }.',
            )
        if not entry.name.strip() or entry.name.count("{") != entry.name.count("}"):
            raise self.file.wrong(
                (*place, "name"),
                f"{entry.name!r} cannot name a service",
                hint='Write a name, or a label in braces: name = "{com.example.app}".',
            )
        label, equals, value = (entry.match.label or "").partition("=")
        return ServiceRule(
            label=label, value=value if equals else None, name_pattern=entry.match.name or "", template=entry.name
        )

    def _table(self, name: str, written: str) -> dict[str, object]:
        value = self.file.data.get(name, {})
        if not isinstance(value, dict):
            raise self.file.wrong((name,), f"{name} must be a table", hint=f"Write {written}.")
        return value

    def _list(self, name: str) -> list[object]:
        value = self.file.data.get(name, [])
        if not isinstance(value, list):
            raise self.file.wrong((name,), f"{name} must be a list of tables", hint=f"Write [[{name}]].")
        return value


def name_trouble(name: str) -> str:
    """Why `name` cannot name an engine; empty where it can."""
    if not name.strip():
        return "it is empty"
    if not name.isprintable():
        return "it holds characters that cannot be shown"
    if name.startswith("-"):
        return "it would be taken for an option"
    return "it looks like an address" if "://" in name else ""
