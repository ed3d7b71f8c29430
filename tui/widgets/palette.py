"""What the command palette offers: the commands of the one table of keys, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, cast

import msgspec
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from ..commandtable import Command
from ..keymap import GROUPS, Keys


class PaletteEntry(msgspec.Struct, frozen=True):
    """One line of the palette."""

    title: str
    help: str
    run: Callable[[], None]


class HasPalette(Protocol):
    """What an app has to have for this provider."""

    def palette_entries(self) -> Iterable[PaletteEntry]:
        """What can be done now, in order."""
        ...


def entries(keys: Keys, view: str, run: Callable[[str], None]) -> tuple[PaletteEntry, ...]:
    """The commands of a view as lines of the palette, in the order of help; `run` gets the id of the one chosen."""
    offered = sorted(keys.at(view), key=lambda command: GROUPS.index(command.group))
    return tuple(_entry(keys, command, run) for command in offered if command.palette)


def _entry(keys: Keys, command: Command, run: Callable[[str], None]) -> PaletteEntry:
    label = keys.label(command.id)
    title = f"{command.title}  ({label})" if label else command.title
    return PaletteEntry(title[:1].upper() + title[1:], command.help, lambda: run(command.id))


class CommandProvider(Provider):
    """Offers what the app's `palette_entries` gives. Titles are text: nothing in them is markup."""

    def _entries(self) -> Iterable[PaletteEntry]:
        return cast(HasPalette, self.app).palette_entries()

    async def discover(self) -> Hits:
        """Everything, while nothing was typed."""
        for entry in self._entries():
            yield DiscoveryHit(Content(entry.title), entry.run, text=entry.title, help=entry.help or None)

    async def search(self, query: str) -> Hits:
        """What fits what was typed, in its title or its help."""
        matcher = self.matcher(query)
        for entry in self._entries():
            score = matcher.match(entry.title)
            if score > 0:
                yield Hit(score, matcher.highlight(entry.title), entry.run, text=entry.title, help=entry.help or None)
            elif entry.help and (score := matcher.match(entry.help)) > 0:
                yield Hit(score / 2, Content(entry.title), entry.run, text=entry.title, help=entry.help)
