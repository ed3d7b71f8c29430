"""What we ourselves are about to do, so that the engine's events of it are known to be ours.

An event is ours when it names the same object, its action belongs to the verb, and it falls into the window from just
before the intent to just after its outcome. Anything else stays `unknown`: nobody's deed is guessed.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

import msgspec

BEFORE = timedelta(seconds=2)
"""Clocks differ a little, also after their skew is taken off."""
AFTER = timedelta(seconds=5)
"""Events come a little after the engine's answer."""
LONGEST = timedelta(minutes=15)
"""An intent without an outcome closes by itself."""
KEPT = 512

ACTIONS: dict[str, frozenset[str]] = {
    "restart": frozenset(("kill", "die", "stop", "start", "restart")),
    "stop": frozenset(("kill", "die", "stop", "destroy")),
    "start": frozenset(("start",)),
    "kill": frozenset(("kill", "die", "destroy")),
    "pause": frozenset(("pause",)),
    "unpause": frozenset(("unpause",)),
    "remove": frozenset(("kill", "die", "stop", "destroy")),
    "scale": frozenset(("create", "start", "kill", "die", "stop", "destroy", "rename", "update")),
    "exec": frozenset(("exec_create",)),
}
"""The events each verb of ours leads to; a verb that is not here leads to any."""


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """One thing we are about to do to one object."""

    record: int
    verb: str
    engine: str
    """Empty: the object is a swarm's, and any manager may tell of it."""
    object_id: str = ""
    object_name: str = ""
    """Counts where the id is not known beforehand (a container about to be created)."""
    actor: str = ""
    reason: str = ""
    begin: datetime
    end: datetime | None = None


class Intents:
    """The newest intents, and which of them an event belongs to."""

    def __init__(self) -> None:
        self._intents: deque[Intent] = deque(maxlen=KEPT)

    def add(self, intent: Intent) -> None:
        """We are about to do this."""
        self._intents.append(intent)

    def close(self, record: int, end: datetime) -> Intent | None:
        """It is done, refused or failed; None: not known (any more)."""
        for index, intent in enumerate(self._intents):
            if intent.record == record:
                closed = msgspec.structs.replace(intent, end=end)
                self._intents[index] = closed
                return closed
        return None

    def behind(self, *, engine: str, object_id: str, name: str, action: str, at: datetime) -> Intent | None:
        """The intent this event came of; `at` on our clock."""
        if not self._intents:
            return None
        for intent in reversed(self._intents):
            if intent.engine not in ("", engine) or not _same(intent, object_id, name):
                continue
            if action not in ACTIONS.get(intent.verb, {action}):
                continue
            last = intent.end + AFTER if intent.end is not None else intent.begin + LONGEST
            if intent.begin - BEFORE <= at <= last:
                return intent
        return None


def _same(intent: Intent, object_id: str, name: str) -> bool:
    if intent.object_id:
        return intent.object_id == object_id
    return bool(intent.object_name) and intent.object_name == name
