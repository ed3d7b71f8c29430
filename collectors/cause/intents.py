"""What we ourselves are about to do, so that the engine's events of it are known to be ours.

An event is ours when it names the same object, its action belongs to the verb, and it falls into the window from just
before the intent to just after its outcome. Anything else stays `unknown`: nobody's deed is guessed.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

import msgspec

NEAR = timedelta(seconds=1.5)
"""The engine's time of an event lies inside our call; clocks differ a little, also after their skew is taken off."""
LONGEST = timedelta(hours=6)
"""An intent whose outcome is never told closes by itself."""
KEPT = 20_000

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
    key: str = ""
    """Of its record."""
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

    @property
    def object(self) -> tuple[str, str]:
        """What it is done to: by id, or by name."""
        return ("id", self.object_id) if self.object_id else ("name", self.object_name)


class Intents:
    """The newest intents, and which of them an event belongs to."""

    def __init__(self) -> None:
        self._by_record: OrderedDict[int, Intent] = OrderedDict()
        self._by_object: dict[tuple[str, str], list[int]] = {}
        self._used: set[int] = set()

    def add(self, intent: Intent) -> None:
        """We are about to do this."""
        self._by_record[intent.record] = intent
        self._by_object.setdefault(intent.object, []).append(intent.record)
        if len(self._by_record) > KEPT:
            _, oldest = self._by_record.popitem(last=False)
            self._used.discard(oldest.record)
            same_object = self._by_object[oldest.object]
            same_object.remove(oldest.record)
            if not same_object:
                del self._by_object[oldest.object]

    def get(self, record: int) -> Intent | None:
        """The intent of a record; None: not known (any more)."""
        return self._by_record.get(record)

    def close(self, record: int, end: datetime) -> Intent | None:
        """It is done, refused or failed; None: not known (any more)."""
        intent = self._by_record.get(record)
        if intent is None:
            return None
        closed = self._by_record[record] = msgspec.structs.replace(intent, end=end)
        return closed

    def use_up(self, intent: Intent) -> None:
        """What was intended has happened: nothing more comes of it."""
        self._used.add(intent.record)

    def behind(self, *, engine: str, object_id: str, name: str, action: str, at: datetime) -> Intent | None:
        """The intent this event came of; `at` on our clock."""
        if not self._by_record:
            return None
        for what in (("id", object_id), ("name", name)):
            for record in reversed(self._by_object.get(what, ()) if what[1] else ()):
                intent = self._by_record[record]
                if record not in self._used and intent.engine in ("", engine) and _covers(intent, action, at):
                    return intent
        return None


def _covers(intent: Intent, action: str, at: datetime) -> bool:
    if action not in ACTIONS.get(intent.verb, {action}):
        return False
    last = intent.end + NEAR if intent.end is not None else intent.begin + LONGEST
    return intent.begin - NEAR <= at <= last
