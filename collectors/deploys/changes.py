"""Deploys as the making of containers tells them: the same replica made of something else. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from ..services.changes import FIRST, Birth, alike


class Change(msgspec.Struct):
    """Replicas that were made of something else, one after the other."""

    before: Birth
    after: Birth
    """The first of it."""
    births: list[Birth] = msgspec.field(default_factory=list)
    slots: set[str] = msgspec.field(default_factory=set)
    back_from: Change | None = None
    """The change that this one takes back."""
    undone: bool = False

    @property
    def began(self) -> datetime:
        """When its first replica was made."""
        return self.births[0].created

    def has(self, birth: Birth) -> bool:
        """Whether a container is what it was changed to. One tag may be two builds on two hosts; the old one is not."""
        old, new = self.before.image_id, self.after.image_id
        return alike(self.after, birth) and not (old and birth.image_id == old != new)


def changes_of(births: Iterable[Birth]) -> list[Change]:
    """Oldest first. `births` of one service, also of containers that are gone."""
    found: list[Change] = []
    in_slot: dict[str, Birth] = {}
    first: Birth | None = None
    last: Birth | None = None
    built: dict[str, Birth] = {}
    """The newest on each host whose image's id is known."""
    for birth in sorted(births, key=lambda b: (b.created, b.key)):
        before = in_slot.get(birth.slot) if birth.slot else None
        base = before or last
        if base is not None and (before is None or not before.image_id) and alike(base, birth):
            # Where only its end was seen the image's id is not known, and one tag may be two builds on two hosts.
            base = built.get(birth.key.engine, base)
        if first is None or base is None:
            first = birth
        elif before is None and birth.created - first.created <= FIRST:
            pass  # another replica of its creation
        elif not alike(base, birth):
            _take(found, base, birth)
        elif before is None and found and alike(found[-1].after, birth):
            _add(found[-1], birth)  # one replica more, of the new kind
        last = birth
        if birth.image_id:
            built[birth.key.engine] = birth
        if birth.slot:
            in_slot[birth.slot] = birth
    return found


def _take(found: list[Change], base: Birth, birth: Birth) -> None:
    newest = found[-1] if found else None
    if newest is not None and alike(newest.after, birth):
        _add(newest, birth)
        return
    change = Change(before=base, after=birth)
    _add(change, birth)
    if newest is not None and alike(newest.before, birth):
        change.back_from, newest.undone = newest, True
    found.append(change)


def _add(change: Change, birth: Birth) -> None:
    change.births.append(birth)
    change.slots.add(birth.slot)
