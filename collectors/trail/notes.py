"""What the store itself writes into the trail: what was removed, and where the chain goes on after damage."""

from __future__ import annotations

from .entry import Entry, stamp

TYPE = "trail"
REMOVED = "removed"
CONTINUED = "continued"


def removed(first: int, last: int, digest: str, why: str, now: int, instance: str) -> Entry:
    """Lines `first` to `last` are gone as was asked for; the last of them had that hash."""
    return _note(
        instance,
        now,
        thread=f"{instance or TYPE}-{REMOVED}-{last}",
        action=REMOVED,
        name=f"{first}-{last}",
        id=digest,
        what=f"lines {first} to {last} of the trail were removed ({why}); the last of them had the hash {digest}",
    )


def continued(segment: str, damage: str, seq: int, digest: str, now: int, instance: str) -> Entry:
    """A segment is not what was written; the chain goes on behind line `seq`."""
    return _note(
        instance,
        now,
        thread=f"{instance or TYPE}-{CONTINUED}-{segment}-{seq}",
        action=CONTINUED,
        name=segment,
        id=digest,
        trouble=True,
        what=f"{segment} of the trail is damaged: {damage}; the chain goes on behind line {seq} with the hash {digest}",
    )


def told_removed(entry: Entry) -> tuple[int, str] | None:
    """The last line that a note tells was removed, and its hash; None: it is no such note."""
    if entry.kind != "note" or entry.type != TYPE or entry.action != REMOVED:
        return None
    last = entry.name.rpartition("-")[2]
    return (int(last), entry.id) if last.isascii() and last.isdigit() else None


def tells_continued(entry: Entry) -> bool:
    """Whether it is a note of damage."""
    return entry.kind == "note" and entry.type == TYPE and entry.action == CONTINUED


def _note(instance: str, now: int, **says: object) -> Entry:
    return Entry(kind="note", type=TYPE, at=stamp(now), seen=stamp(now), instance=instance, **says)  # type: ignore[arg-type]
