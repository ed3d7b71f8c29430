"""The events of one simulated engine: its memory of 256, its readers, and the filters of `GET /events`."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from ..errors import Rejected

REMEMBERED = 256
"""moby: daemon/events/events.go, eventsLimit."""
Filters = Mapping[str, Sequence[str]]

_KNOWN = frozenset(
    ("config", "container", "daemon", "event", "id", "image", "label", "network", "node", "plugin", "scope", "secret",
     "service", "type", "volume")
)  # fmt: skip
_PREFIXED = ("exec_create", "exec_start", "health_status")
_OBJECTS = ("container", "image", "network", "volume", "service", "node", "plugin", "secret", "config", "daemon")


class SimEvent:
    """One event; its line is made once, when first asked for."""

    __slots__ = ("_line", "action", "attributes", "id", "nano", "scope", "type")

    def __init__(
        self, nano: int, kind: str, action: str, actor: str, attributes: Mapping[str, str], scope: str
    ) -> None:
        self.nano = nano
        self.type = kind
        self.action = action
        self.id = actor
        self.attributes = attributes
        self.scope = scope
        self._line = b""

    @property
    def line(self) -> bytes:
        """The event as the engine writes it (before API 1.52: with the legacy `status`, `id`, `from`)."""
        if not self._line:
            legacy: dict[str, str] = {}
            if self.type in ("container", "image"):
                legacy = {"status": self.action, "id": self.id}
                if "image" in self.attributes and self.type == "container":
                    legacy["from"] = self.attributes["image"]
            told = {
                **legacy,
                "Type": self.type,
                "Action": self.action,
                "Actor": {"ID": self.id, "Attributes": self.attributes},
                "scope": self.scope,
                "time": self.nano // 1_000_000_000,
                "timeNano": self.nano,
            }
            self._line = msgspec.json.encode(told) + b"\n"
        return self._line


class Ring:
    """What one engine remembers and tells of what happened."""

    def __init__(self) -> None:
        self._events: deque[SimEvent] = deque(maxlen=REMEMBERED)
        self._readers: set[Reader] = set()
        self._last = 0

    def add(self, now: float, kind: str, action: str, actor: str, attributes: Mapping[str, str], scope: str) -> None:
        """Something happened `now` (Unix seconds). No two events of an engine have the same time."""
        self._last = max(int(now * 1e9), self._last + 1_021)
        event = SimEvent(self._last, kind, action, actor, attributes, scope)
        self._events.append(event)
        for reader in self._readers:
            reader.offer(event)

    def forget(self) -> None:
        """The daemon went: its memory is empty and nobody listens."""
        self._events.clear()
        for reader in tuple(self._readers):
            reader.close()

    def past(self, since: int | None, until: int | None, filters: Filters) -> Iterator[SimEvent]:
        """What is remembered of that span (nanoseconds, both ends included)."""
        if since is None:
            return
        for event in self._events:
            if event.nano >= since and (until is None or event.nano <= until) and passes(event, filters):
                yield event

    def listen(self, filters: Filters) -> Reader:
        """A reader of all that comes from now on; closes itself with `leave`."""
        reader = Reader(filters)
        self._readers.add(reader)
        return reader

    def leave(self, reader: Reader) -> None:
        """Listen no more."""
        self._readers.discard(reader)
        reader.close()


class Reader:
    """One open event stream."""

    def __init__(self, filters: Filters) -> None:
        self._filters = filters
        self._waiting: list[bytes] = []
        self._wake = asyncio.Event()
        self._closed = False

    def offer(self, event: SimEvent) -> None:
        """Keep it for this reader, if it asked for such."""
        if passes(event, self._filters):
            self._waiting.append(event.line)
            self._wake.set()

    def close(self) -> None:
        """End the stream."""
        self._closed = True
        self._wake.set()

    async def take(self) -> bytes | None:
        """The lines since last time, at least one; None when the stream has ended."""
        while not self._waiting:
            if self._closed:
                return None
            self._wake.clear()
            await self._wake.wait()
        lines, self._waiting = b"".join(self._waiting), []
        return lines


def check_filters(filters: Filters) -> None:
    """Raise Rejected (400) for a filter the engine does not know."""
    for name in filters:
        if name not in _KNOWN:
            raise Rejected(f"invalid filter '{name}'", status=400)


def passes(event: SimEvent, filters: Filters) -> bool:
    """Whether an event is of the asked kind (moby: daemon/events/filter.go)."""
    if not filters:
        return True
    return (
        _one_of(event.type, filters.get("type"))
        and _one_of(event.scope, filters.get("scope"))
        and _action(event.action, filters.get("event"))
        and _labels(event, filters.get("label"))
        and all(_object(event, kind, filters[kind]) for kind in _OBJECTS if kind in filters)
    )


def _one_of(value: str, wanted: Sequence[str] | None) -> bool:
    return not wanted or value in wanted


def _action(action: str, wanted: Sequence[str] | None) -> bool:
    """All values match as prefixes once one is the start of an action with an argument (`exec_create: …`)."""
    if not wanted:
        return True
    if any(name in wanted for name in _PREFIXED):
        return action.startswith(tuple(wanted))
    return action in wanted


def _labels(event: SimEvent, wanted: Sequence[str] | None) -> bool:
    for label in wanted or ():
        name, equals, value = label.partition("=")
        if name not in event.attributes or (equals and event.attributes[name] != value):
            return False
    return True


def _object(event: SimEvent, kind: str, wanted: Sequence[str]) -> bool:
    if kind == "image" and event.type == "container":
        return _one_of(event.attributes.get("image", ""), wanted)
    if event.type != kind:
        return False
    name = event.attributes.get("name", "")
    return any(event.id == one or name == one or event.id.startswith(one) for one in wanted)
