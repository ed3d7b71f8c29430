"""The one table of keys: what there is to do, by which key, where, and whether it changes anything.

Bindings, the hints of the footer, the help screen and the palette all come from here. Keys can be given otherwise in
the config (`[keys]`, by id). In read-only mode a command that changes something does not exist.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from functools import cached_property

import msgspec
from fleettop.collectors.config.owncommands import OwnCommand
from fleettop.collectors.errors import ConfigError

from .commandtable import TABLE, Command
from .keynames import key_label, parse_key

CONFIRMING = ("ctrl+enter", "f9")
"""What says yes to a question from wherever the focus is: where the terminal tells it from enter, and on any terminal.

Alt+enter is not one of them: most terminals send it as Esc, Enter.
"""


class Hint(msgspec.Struct, frozen=True):
    """One hint of the footer: `R restart`, `+ - = scale`."""

    keys: str
    label: str
    command: str
    """The id of what a click on it does."""
    worth: int = 0


class KeyBinding(msgspec.Struct, frozen=True):
    """What a Textual binding is made of."""

    keys: str
    action: str
    title: str
    id: str


GROUPS = ("Replay", "Change", "Look", "Your own", "Find", "Logs", "Views", "Move", "Program")
"""The groups, in the order in which help shows them."""

_FOOTER = {
    name: place
    for place, name in enumerate(("Replay", "Change", "Look", "Your own", "Find", "Logs", "Move", "Program"))
}


class Keys:
    """The commands of one run: with the keys as the config gives them, and without those that change in read-only mode.

    Raises ConfigError, in one sentence, for an id that is not there, a key that is none, or one key for two things.
    """

    def __init__(
        self,
        given: Mapping[str, str] | None = None,
        *,
        own: Sequence[OwnCommand] = (),
        read_only: bool = False,
        replay: bool = False,
    ) -> None:
        self.read_only = read_only
        self._given = {name: _parse_keys(name, text) for name, text in (given or {}).items()}
        commands = tuple(
            msgspec.structs.replace(command, keys=self._given.get(command.id, command.keys))
            for command in TABLE
            if replay or not command.replay
        )
        commands += tuple(_own(command) for command in own)
        # Checked as if nothing were absent: a config that clashes is wrong in read-only mode, too.
        _check_clashes(commands)
        self.commands = tuple(command for command in commands if not (read_only and command.changes))
        self._hints: dict[tuple[str, tuple[str, ...]], tuple[Hint, ...]] = {}
        """The hints of a view, as they were once put together: they are asked for every second."""

    @cached_property
    def _by_id(self) -> dict[str, Command]:
        return {command.id: command for command in self.commands}

    def get(self, name: str) -> Command | None:
        """The command of that id; None where there is none (or not in read-only mode)."""
        return self._by_id.get(name)

    def at(self, view: str) -> tuple[Command, ...]:
        """What can be done in that view."""
        return tuple(command for command in self.commands if command.at(view))

    def command_for(self, key: str, view: str) -> Command | None:
        """What that key (in Textual's spelling) does in that view."""
        return next((command for command in self.at(view) if key in command.keys), None)

    def bindings(self) -> tuple[KeyBinding, ...]:
        """The bindings of all that the app does itself; the table and the screens have their own."""
        return tuple(
            KeyBinding(",".join(command.keys), command.action, command.title, command.id)
            for command in self.commands
            if command.keys and not command.table and not command.screen
        )

    def remapped(self) -> dict[str, str]:
        """For `App.set_keymap`: the keys that the config gives otherwise, by id."""
        return {name: ",".join(keys) or "f24" for name, keys in self._given.items()}

    def hints(self, view: str, *, without: Sequence[str] = ()) -> tuple[Hint, ...]:
        """The footer's hints for that view, in the order they stand there; `without` names ids to leave out."""
        asked = (view, tuple(without))
        if asked not in self._hints:
            self._hints[asked] = self._hints_of(*asked)
        return self._hints[asked]

    def _hints_of(self, view: str, without: tuple[str, ...]) -> tuple[Hint, ...]:
        found: dict[str, Hint] = {}
        commands = [c for c in self.at(view) if c.hint and c.keys and c.id not in without]
        for command in sorted(commands, key=lambda command: _FOOTER.get(command.group, 9)):
            shown = key_label(command.keys[0])
            before = found.get(command.hint)
            if before is not None:
                shown = f"{before.keys} {shown}"
            found[command.hint] = Hint(shown, command.hint, command.id, command.worth)
        return tuple(found.values())

    def label(self, name: str) -> str:
        """The keys of a command as a person reads them: `up k`; empty where it has none."""
        command = self.get(name)
        return "" if command is None else " ".join(key_label(key) for key in command.keys if key != "ctrl+@")


def table_bindings() -> tuple[tuple[str, str, str], ...]:
    """For the table: id, keys and action of every command it does itself, with the keys they have by themselves."""
    return tuple((command.id, ",".join(command.keys), command.table) for command in TABLE if command.table)


def _parse_keys(name: str, text: str) -> tuple[str, ...]:
    known = [command.id for command in TABLE]
    if name not in known:
        nearest = difflib.get_close_matches(name, known, 1, 0.5)
        meant = f"; did you mean {nearest[0]}?" if nearest else "."
        raise ConfigError(
            f"[keys] names {name!r}, which is no command{meant}",
            hint="The help screen (?) shows every command's id.",
        )
    return _keys_of(name, text)


def _keys_of(name: str, text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(parse_key(name, part) for part in text.split(",") if part.strip()))


OWN = "own."
"""What the ids of a person's own commands begin with."""


def _own(command: OwnCommand) -> Command:
    """A command of the config's `[[commands]]`. Raises ConfigError for a key that is none."""
    try:
        keys = _keys_of(OWN + command.name, command.key)
    except ConfigError as error:
        raise ConfigError(f"[[commands]] {command.name!r}: {error}", hint=error.hint) from error
    if not keys:
        raise ConfigError(f"[[commands]] {command.name!r} has no key.", hint='Write key = "f6".')
    return Command(
        id=OWN + command.name,
        keys=keys,
        title=command.name,
        group="Your own",
        help=f"Runs {' '.join(command.run)} on this machine.",
        views=(command.scope,),
        changes=command.dangerous,
        hint=command.name,
        worth=33,
    )


def _check_clashes(commands: Sequence[Command]) -> None:
    taken: dict[tuple[str, str], Command] = {}
    for command in commands:
        for key in command.keys:
            if key in CONFIRMING:
                raise ConfigError(
                    f"[keys] gives {command.id} the key {key_label(key)!r}, which says yes to questions.",
                    hint="Pressed twice it would do what was not read. Give it another key.",
                )
            for view in command.places:
                other = taken.setdefault((key, view), command)
                if other is not command and command.id.startswith(OWN):
                    free = [f"f{n}" for n in range(1, 13) if (f"f{n}", view) not in taken and f"f{n}" not in CONFIRMING]
                    raise ConfigError(
                        f"[[commands]] {command.title!r}: the key {key_label(key)!r} is {other.id} in {view}.",
                        hint=f"Free there: {', '.join(free[:4])}.",
                    )
                if other is not command:
                    raise ConfigError(
                        f"[keys] The key {key_label(key)!r} would be both {other.id} and {command.id} in {view}.",
                        hint="Give one of the two another key in [keys].",
                    )
