"""What was known of an engine before this process watched it: asked for when it answers for the first time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from ..model import Container, EngineEvent, EngineInfo


class LeftOff(msgspec.Struct, frozen=True, kw_only=True):
    """Where the last one that watched an engine left off."""

    heard: datetime
    """On our clock: everything said before was heard."""
    watched: bool
    """Another fleettop watches it still: nothing is missed meanwhile."""
    events: bool = False
    """It had said something before."""
    containers: Mapping[str, tuple[str, str]] = {}
    """Name and state of each container, by id."""


class Past(Protocol):
    """Knows what was written down before."""

    async def left_off(self, engine: str, info: EngineInfo) -> LeftOff | None:
        """Where watching it ended; None: it was never watched, or that is not known."""
        ...

    async def recall(self, engine: str, info: EngineInfo, events: Sequence[EngineEvent]) -> bool:
        """Make known which of these events were written down before. True: at least one was heard before."""
        ...


def changed_since(before: Mapping[str, tuple[str, str]], after: Mapping[str, Container]) -> tuple[str, ...]:
    """What is another than when watching ended, in words, for the record of a gap."""
    words = [f"{name} is gone" for i, (name, _) in before.items() if i not in after]
    words += [f"{c.name} is new ({c.state})" for i, c in after.items() if i not in before]
    for container_id, now in after.items():
        then = before.get(container_id)
        if then is not None and then[1] != now.state:
            words.append(f"{now.name}: {then[1]} → {now.state}")
    return tuple(words)
