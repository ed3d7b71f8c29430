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

from .keynames import key_label, parse_key

VIEWS = ("services", "containers", "hosts", "trail", "swarm")
"""The ids of the views, in the order of their number keys."""
_OBJECTS = ("services", "containers", "hosts", "swarm")
_ACTED_ON = ("services", "containers")

CONFIRMING = ("ctrl+enter", "f9")
"""What says yes to a question from wherever the focus is: where the terminal tells it from enter, and on any terminal.

Alt+enter is not one of them: most terminals send it as Esc, Enter.
"""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """Something a person can do."""

    id: str
    keys: tuple[str, ...]
    """In Textual's spelling: `R`, `slash`, `ctrl+p`."""
    title: str
    """In a few words, as the palette and the help name it."""
    group: str
    help: str = ""
    """A sentence more, where the title is not all."""
    views: tuple[str, ...] = ()
    """Where it is; empty: in every view."""
    changes: bool = False
    """Whether it changes something on an engine; absent in read-only mode."""
    hint: str = ""
    """Its word in the footer; empty: not in the footer. Neighbours with the same word share one hint."""
    worth: int = 0
    """In a narrow footer what is worth least goes first."""
    table: str = ""
    """The action of the table that does it; empty: the app does it."""
    palette: bool = True
    """Whether the palette offers it: what only moves is left out."""

    def at(self, view: str) -> bool:
        """Whether it is there in that view."""
        return not self.views or view in self.views

    @property
    def action(self) -> str:
        """Its action string for a binding: the table's own, or `app.command('id')`."""
        return self.table or f"app.command({self.id!r})"


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


def _move(name: str, keys: str, title: str, action: str) -> Command:
    return Command(id=name, keys=tuple(keys.split()), title=title, group="Move", table=action, palette=False)


def _view(number: int, view: str, title: str) -> Command:
    return Command(id=f"view.{view}", keys=(str(number),), title=title, group="Views")


_TABLE: tuple[Command, ...] = (
    _move("move.up", "up k", "up", "move(-1)"),
    _move("move.down", "down j", "down", "move(1)"),
    _move("move.page-up", "pageup", "a page up", "page(-1)"),
    _move("move.page-down", "pagedown", "a page down", "page(1)"),
    _move("move.first", "g home", "to the first row", "first"),
    _move("move.last", "G end", "to the last row", "last"),
    Command(
        id="go.in",
        keys=("enter",),
        title="go into the row",
        group="Move",
        help="A service opens its story and replicas, a container its facts, a host its containers.",
        table="activate",
        hint="open",
        worth=35,
        palette=False,
    ),
    Command(
        id="go.back",
        keys=("escape",),
        title="back, or clear the filter",
        group="Move",
        hint="back",
        worth=20,
        palette=False,
    ),
    Command(id="history.back", keys=("left_square_bracket",), title="back in the history", group="Move"),
    Command(id="history.forward", keys=("right_square_bracket",), title="forward in the history", group="Move"),
    Command(id="pane.next", keys=("tab",), title="next pane", group="Move", palette=False),
    _view(1, "services", "Services"),
    _view(2, "containers", "Containers"),
    _view(3, "hosts", "Hosts"),
    _view(4, "trail", "Trail: what happened, when, and how it is known"),
    _view(8, "swarm", "Swarm: nodes and their tasks"),
    Command(
        id="filter.open",
        keys=("slash",),
        title="filter the rows",
        group="Find",
        help="text !text state:down host:web* image:nginx label:team=pay cpu>50 mem>1g age<1h; several: and, |: or.",
        hint="filter",
        worth=85,
    ),
    Command(id="filter.wrong", keys=("z",), title="only what is wrong, or all", group="Find", hint="faults", worth=70),
    Command(id="sort.next", keys=("o",), title="sort by the next column", group="Find", hint="sort", worth=15),
    Command(id="sort.reverse", keys=("O",), title="reverse the order", group="Find"),
    Command(
        id="mark.row",
        keys=("space",),
        title="mark the row, or take its mark off",
        group="Find",
        help="What changes something then acts on all marked rows.",
        hint="mark",
        worth=10,
        table="mark",
        palette=False,
    ),
    Command(
        id="mark.range",
        # Without the kitty protocol a terminal sends NUL for ctrl+space, which Textual names ctrl+@.
        keys=("ctrl+space", "ctrl+@"),
        title="mark all rows from the last mark to here",
        group="Find",
        table="mark_range",
        palette=False,
    ),
    Command(
        id="look.inspect",
        keys=("i",),
        title="inspect: all that is known of it",
        group="Look",
        views=_OBJECTS,
        hint="inspect",
        worth=55,
    ),
    Command(
        id="look.health",
        keys=("h",),
        title="the log of its health check",
        group="Look",
        views=_ACTED_ON,
        hint="health",
        worth=45,
    ),
    Command(
        id="look.events",
        keys=("e",),
        title="what happened to it",
        group="Look",
        views=_OBJECTS,
        hint="events",
        worth=60,
    ),
    Command(id="look.json", keys=("y",), title="raw JSON, secrets hidden", group="Look", hint="json", worth=12),
    Command(
        id="look.copy",
        keys=("c",),
        title="copy its name to the clipboard",
        group="Look",
        help="By OSC 52: it works over SSH where the terminal allows it.",
        hint="copy",
        worth=8,
    ),
    Command(
        id="link.retry",
        keys=("r",),
        title="try unreachable hosts again now",
        group="Look",
        help="In Hosts the one under the cursor, elsewhere all of them.",
        hint="retry",
        worth=5,
    ),
    Command(
        id="service.restart",
        keys=("R",),
        title="restart",
        group="Change",
        help="A service with several replicas one after the other, each waiting for the health of the one before.",
        views=_ACTED_ON,
        changes=True,
        hint="restart",
        worth=95,
    ),
    Command(
        id="service.more",
        keys=("plus",),
        title="one replica more",
        group="Change",
        views=("services",),
        changes=True,
        hint="scale",
        worth=80,
    ),
    Command(
        id="service.fewer",
        keys=("minus",),
        title="one replica fewer",
        group="Change",
        views=("services",),
        changes=True,
        hint="scale",
        worth=80,
    ),
    Command(
        id="service.scale",
        keys=("equals_sign",),
        title="set the number of replicas",
        group="Change",
        views=("services",),
        changes=True,
        hint="scale",
        worth=80,
    ),
    Command(
        id="service.stop",
        keys=("S",),
        title="stop, or start what is stopped",
        group="Change",
        views=_ACTED_ON,
        changes=True,
        hint="stop",
        worth=50,
    ),
    Command(
        id="service.pause",
        keys=("P",),
        title="pause, or resume what is paused",
        group="Change",
        views=_ACTED_ON,
        changes=True,
        hint="pause",
        worth=30,
    ),
    Command(
        id="service.kill",
        keys=("K",),
        title="kill with a chosen signal",
        group="Change",
        views=_ACTED_ON,
        changes=True,
        hint="kill",
        worth=25,
    ),
    Command(
        id="container.shell",
        keys=("X",),
        title="shell in the container",
        group="Change",
        help="A service's newest healthy replica, or another. ctrl+] three times leaves it.",
        views=_ACTED_ON,
        changes=True,
        hint="shell",
        worth=40,
    ),
    Command(id="app.palette", keys=("colon", "ctrl+p"), title="command palette", group="Program", palette=False),
    Command(id="app.help", keys=("question_mark",), title="help: all keys", group="Program", hint="help", worth=100),
    Command(id="app.back", keys=("q",), title="back, and in the end quit", group="Program", hint="quit", worth=18),
    Command(id="app.quit", keys=("ctrl+c", "ctrl+q"), title="quit at once", group="Program"),
    Command(
        id="app.suspend",
        keys=("ctrl+z",),
        title="suspend (fg brings it back)",
        group="Program",
        help="The streams of events are closed before; coming back, everything is read anew and the gap is on record.",
    ),
)

GROUPS = ("Change", "Look", "Your own", "Find", "Views", "Move", "Program")
"""The groups, in the order in which help shows them."""

_FOOTER = {name: place for place, name in enumerate(("Change", "Look", "Your own", "Find", "Move", "Program"))}


class Keys:
    """The commands of one run: with the keys as the config gives them, and without those that change in read-only mode.

    Raises ConfigError, in one sentence, for an id that is not there, a key that is none, or one key for two things.
    """

    def __init__(
        self, given: Mapping[str, str] | None = None, *, own: Sequence[OwnCommand] = (), read_only: bool = False
    ) -> None:
        self.read_only = read_only
        self._given = {name: _parse_keys(name, text) for name, text in (given or {}).items()}
        commands = tuple(
            msgspec.structs.replace(command, keys=self._given.get(command.id, command.keys)) for command in _TABLE
        )
        commands += tuple(_own(command) for command in own)
        # Checked as if nothing were absent: a config that clashes is wrong in read-only mode, too.
        _check_clashes(commands)
        self.commands = tuple(command for command in commands if not (read_only and command.changes))

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
        """The bindings of all that the app does itself; the table has its own."""
        return tuple(
            KeyBinding(",".join(command.keys), command.action, command.title, command.id)
            for command in self.commands
            if command.keys and not command.table
        )

    def remapped(self) -> dict[str, str]:
        """For `App.set_keymap`: the keys that the config gives otherwise, by id."""
        return {name: ",".join(keys) or "f24" for name, keys in self._given.items()}

    def hints(self, view: str, *, without: Sequence[str] = ()) -> tuple[Hint, ...]:
        """The footer's hints for that view, in the order they stand there; `without` names ids to leave out."""
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
    return tuple((command.id, ",".join(command.keys), command.table) for command in _TABLE if command.table)


def _parse_keys(name: str, text: str) -> tuple[str, ...]:
    known = [command.id for command in _TABLE]
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
            for view in command.views or VIEWS:
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
