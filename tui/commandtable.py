"""What there is to do in fleettop: each command with its key, where it is, and whether it changes anything."""

from __future__ import annotations

import msgspec

from .logkeys import LOG_KEYS
from .replaykeys import REPLAY_KEYS

VIEWS = ("services", "containers", "hosts", "trail", "deploys", "checks", "storage", "swarm")
"""The ids of the views, in the order of their number keys."""
SCREENS = ("logs",)
"""Screens that have commands of their own, beside the few that are everywhere."""
_DYING = ("services", "containers", "hosts", "swarm")
_OBJECTS = ("services", "containers", "hosts", "storage", "swarm")
_SORTED = (*_OBJECTS, "deploys")
_ACTED_ON = ("services", "containers")
_WITH_JSON = tuple(view for view in VIEWS if view != "checks")
_RESTARTED = ("services", "containers", "hosts")


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
    screen: str = ""
    """The screen of its own (`SCREENS`) that does it; empty: the dashboard or its table."""
    everywhere: bool = False
    """It is on those screens, too."""
    replay: bool = False
    """It is there only while a recording is replayed."""

    def at(self, view: str) -> bool:
        """Whether it is there in that view or on that screen."""
        if view in SCREENS:
            return self.everywhere or self.screen == view
        return not self.screen and (not self.views or view in self.views)

    @property
    def places(self) -> tuple[str, ...]:
        """All views and screens where it is."""
        return tuple(place for place in (*VIEWS, *SCREENS) if self.at(place))

    @property
    def action(self) -> str:
        """Its action string for a binding: the table's own, or `app.command('id')`."""
        return self.table or f"app.command({self.id!r})"


def _move(name: str, keys: str, title: str, action: str) -> Command:
    return Command(
        id=name, keys=tuple(keys.split()), title=title, group="Move", table=action, palette=False, everywhere=True
    )


def _view(number: int, view: str, title: str) -> Command:
    return Command(id=f"view.{view}", keys=(str(number),), title=title, group="Views")


def _log(name: str, keys: str, title: str, hint: str, worth: int, more: str) -> Command:
    return Command(
        id=f"logs.{name}",
        keys=tuple(keys.split()),
        title=title,
        group="Logs",
        help=more,
        hint=hint,
        worth=worth,
        palette=False,
        screen="logs",
    )


def _replay(name: str, keys: str, title: str, hint: str, worth: int, more: str) -> Command:
    return Command(
        id=f"replay.{name}", keys=(keys,), title=title, group="Replay", help=more, hint=hint, worth=worth, replay=True
    )


TABLE: tuple[Command, ...] = (
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
    _view(5, "deploys", "Deploys: what services were changed to, by whom, and how far it came"),
    _view(6, "checks", "Checks: what is set up badly, and what to do about it"),
    _view(7, "storage", "Storage: what lies on the disks, and what may go"),
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
    Command(
        id="trail.changes",
        keys=("d",),
        title="only what somebody did, or all",
        group="Find",
        help="Deploys, restarts, scales, shells: what changed, and who did it.",
        views=("trail",),
        hint="deeds",
        worth=75,
    ),
    Command(
        id="trail.time",
        keys=("t",),
        title="go to a time",
        group="Find",
        help="14:05, yesterday 14:05, mon 14:05, 2026-11-25T14:05, -2h, -3d; now, or Esc, comes back.",
        views=("trail",),
        hint="time",
        worth=72,
    ),
    Command(
        id="sort.next",
        keys=("o",),
        title="sort by the next column",
        group="Find",
        help="The trail stands in the order of time.",
        views=_SORTED,
        hint="sort",
        worth=15,
    ),
    Command(id="sort.reverse", keys=("O",), title="reverse the order", group="Find", views=_SORTED),
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
        id="look.logs",
        keys=("l",),
        title="logs: of the container, or of all replicas of the service",
        group="Look",
        help="On all hosts, in the order of time, followed through restarts; with marks, of all marked rows.",
        views=("services", "containers", "swarm"),
        hint="logs",
        worth=82,
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
        views=(*_OBJECTS, "trail", "deploys", "checks"),
        hint="events",
        worth=60,
    ),
    Command(
        id="look.what-if",
        keys=("w",),
        title="what if it died",
        group="Look",
        help="The host, the node, or each host of the service: what would be down, degraded, moved, lost.",
        views=_DYING,
        hint="what if",
        worth=11,
    ),
    Command(
        id="look.json",
        keys=("y",),
        title="raw JSON, secrets hidden",
        group="Look",
        views=_WITH_JSON,
        hint="json",
        worth=12,
    ),
    Command(
        id="checks.remedy",
        keys=("y",),
        title="copy what to do about the finding",
        group="Look",
        views=("checks",),
        hint="copy remedy",
        worth=80,
    ),
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
        help="In Hosts the one under the cursor, elsewhere all; in Checks and Storage all is looked at again.",
        hint="retry",
        worth=5,
    ),
    Command(
        id="service.restart",
        keys=("R",),
        title="restart",
        group="Change",
        help="A service one replica after the other, each waiting for the one before; of a host all that runs.",
        views=_RESTARTED,
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
        id="service.menu",
        keys=("U",),
        title="menu of a swarm's service: force update, roll back, image, replicas",
        group="Change",
        help="Pausing an update and going on with it, too, while there is one.",
        views=("services", "swarm"),
        changes=True,
        hint="update",
        worth=28,
    ),
    Command(
        id="node.menu",
        keys=("D",),
        title="drain, pause or activate a node",
        group="Change",
        help="What would move is said before.",
        views=("swarm",),
        changes=True,
        hint="drain",
        worth=65,
    ),
    Command(
        id="drill",
        keys=("L",),
        title="drill: lose a replica or a node on purpose",
        group="Change",
        help="What should survive is said before; how long it took to know of it and to recover, after.",
        views=("services", "containers", "swarm"),
        changes=True,
    ),
    Command(
        id="storage.prune",
        keys=("P",),
        title="prune: remove what nothing uses",
        group="Change",
        help="Of the marked hosts, or of all where the sum is marked; every object is named before.",
        views=("storage",),
        changes=True,
        hint="prune",
        worth=90,
    ),
    Command(
        id="changes.show",
        keys=("A",),
        title="the changes that are under way or done",
        group="Change",
        help="A change goes on when its screen is left with q.",
        changes=True,
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
    Command(
        id="app.help",
        keys=("question_mark",),
        title="help: all keys",
        group="Program",
        hint="help",
        worth=100,
        everywhere=True,
    ),
    Command(id="app.back", keys=("q",), title="back, and in the end quit", group="Program", hint="quit", worth=18),
    Command(id="app.quit", keys=("ctrl+c", "ctrl+q"), title="quit at once", group="Program", everywhere=True),
    Command(
        id="app.redraw",
        everywhere=True,
        keys=("ctrl+l",),
        title="draw the screen anew",
        group="Program",
        help="Where something else has written on it: only what changes is drawn by itself.",
    ),
    Command(
        id="app.suspend",
        everywhere=True,
        keys=("ctrl+z",),
        title="suspend (fg brings it back)",
        group="Program",
        help="The streams of events are closed before; coming back, everything is read anew and the gap is on record.",
    ),
    *(_log(*row) for row in LOG_KEYS),
    *(_replay(*row) for row in REPLAY_KEYS),
)
