"""What every view is: rows of one kind of thing, made from the fleet's picture, as plain data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Mapping
from datetime import datetime

import msgspec
from fleettop.collectors.fleet import Changed, Fleet
from fleettop.collectors.model import ContainerKey

from ..glyphs import UNICODE, Glyphs
from ..navigation import Scope
from ..rows import Column, Line, Row

SortKey = tuple[object, ...]


class Moment(msgspec.Struct, frozen=True):
    """What a screen is drawn for: the wall clock, the monotonic one for ages, and the signs the terminal has."""

    now: datetime
    monotonic: float
    glyphs: Glyphs = UNICODE


class View(ABC):
    """One kind of thing, as rows. Holds nothing but its own shape: all state is in the fleet and in the place."""

    id: str
    title: str
    noun: str
    """What a row is, in the plural, for sentences."""
    columns: tuple[Column, ...]

    @abstractmethod
    def keys(self, fleet: Fleet, scope: Scope) -> Iterable[Hashable]:
        """The keys of all rows within the scope, in no order."""

    @abstractmethod
    def has(self, fleet: Fleet, key: Hashable, scope: Scope) -> bool:
        """Whether the key is a row within the scope now."""

    @abstractmethod
    def dirty(self, changed: Changed, fleet: Fleet) -> set[Hashable] | None:
        """The keys that these changes touch; None: look at all of them again."""

    @abstractmethod
    def row(self, fleet: Fleet, key: Hashable, moment: Moment) -> Row | None:
        """The row of a key; None where it is no more."""

    @abstractmethod
    def rank(self, fleet: Fleet, key: Hashable) -> SortKey:
        """The default order: worst first."""

    @abstractmethod
    def value(self, fleet: Fleet, key: Hashable, column: str) -> object:
        """What a column sorts by: a number, a text, or None for not known (always last)."""

    @abstractmethod
    def fields(self, fleet: Fleet, key: Hashable) -> Mapping[str, object]:
        """What the filter language sees of a row."""

    @abstractmethod
    def wrong(self, fleet: Fleet, key: Hashable) -> bool:
        """Whether the row needs a person."""

    @abstractmethod
    def detail(self, fleet: Fleet, key: Hashable, moment: Moment) -> tuple[Line, ...]:
        """All of it, line by line, for the pane beside or under the table."""

    def story(self, fleet: Fleet, key: Hashable, moment: Moment) -> Line:
        """One line for the row under the cursor, where there is no room for the pane."""
        return ()

    def scope_of(self, fleet: Fleet, key: Hashable) -> tuple[str, Scope] | None:
        """Where Enter leads: another view, narrowed to this row; None: to its details."""
        return None

    @abstractmethod
    def name_of(self, fleet: Fleet, key: Hashable) -> str:
        """What a person would call the row, for the clipboard."""

    def history_scope(self, fleet: Fleet, key: Hashable) -> Scope:
        """What the trail is narrowed to for the events of this row; None: it has none of its own."""
        return None

    def containers(self, fleet: Fleet, key: Hashable) -> tuple[ContainerKey, ...]:
        """The containers behind a row: those are sampled while it is on screen, and acted on."""
        return ()

    def restless(self, fleet: Fleet, key: Hashable, moment: Moment) -> bool:
        """Whether the row shows seconds, so that it has to be drawn again with each of them."""
        return False
