"""One line of the trail as it is kept, its canonical form, and the hash that chains it to the line before.

The canonical form of a line is its JSON object with the keys sorted by code point, no white space, UTF-8 unescaped,
and only strings, integers, booleans, lists and objects in it: what `json.dumps(record, sort_keys=True,
separators=(",", ":"), ensure_ascii=False)` gives anywhere. Fields that say nothing are left out.

    hash(n) = sha256( "{n}\\n{hash(n - 1), 64 hex digits}\\n{canonical line n}" )        hash(0) = 64 zeros
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from ..clock import nanoseconds
from ..digest import digest
from ..model import EngineEvent

FORMAT = 1
GENESIS = "0" * 64
"""What stands for the hash before the first line of a trail."""
SECOND = 1_000_000_000
SHARED_IDS = frozenset(("image", "volume", "daemon", "builder", "plugin"))
"""Objects whose id is no random number: the same on many engines, so their events are told apart by engine."""


class RawEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The engine's event behind a line, as it was said: cleaned, secrets hidden."""

    type: str
    action: str
    argument: str = ""
    time: str
    """The engine's own, with its nanoseconds."""
    attributes: Mapping[str, str] = {}


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line. Nothing is ever changed: when more becomes known, another line of the same `thread` says all anew.

    What a person reads as one record is the newest line of each thread. Times are RFC 3339 in UTC with nanoseconds.
    """

    v: int = FORMAT
    thread: str
    """What the line tells of: the key of the engine's event that began it, or `instance-number` of one of our own."""
    of: str = ""
    """The thread of the intent that an event or an outcome belongs to."""
    kind: str
    """event, intent, outcome, gap, note, start, stop."""
    at: str
    """When it happened, on our clock: the trail's order. Of a gap: its begin."""
    seen: str
    """When we wrote it, on our clock."""
    instance: str
    """The fleettop that wrote it: its `start` says who ran it, where, and which version."""
    key: str = ""
    """Of the engine's event in it: the same for whoever heard it, over whichever address. Empty: it came of none."""
    event: RawEvent | None = None
    skew_ms: int | None = None
    """The engine's clock minus ours, as last measured; left out: not known."""
    engine: str = ""
    swarm: str = ""
    type: str = ""
    """Of the object: container, service, node, image, network, volume, host; trail, of what the store itself notes."""
    id: str = ""
    name: str = ""
    service: str = ""
    """As it is called: `stack/name`."""
    service_key: str = ""
    image: str = ""
    digest: str = ""
    revision: str = ""
    action: str = ""
    what: str = ""
    cause: str = ""
    actor: str = ""
    attribution: str = ""
    """own, declared, derived, correlated, unknown."""
    evidence: tuple[str, ...] = ()
    """What the attribution and the cause rest on, a sentence each."""
    reason: str = ""
    exit_code: int | None = None
    trouble: bool = False
    count: int = 1
    first: str = ""
    until: str = ""
    """Of a gap: its end; empty: not known yet."""
    certain: bool | None = None
    """Of a gap: whether something is known to be missing."""


def canonical(entry: Entry) -> bytes:
    """The one form in which a line is hashed, kept and exported."""
    return msgspec.json.encode(entry, order="sorted")


def parse(body: bytes | str) -> Entry:
    """A line from its canonical form. Raises msgspec.ValidationError or msgspec.DecodeError."""
    return _DECODER.decode(body)


def chained(seq: int, previous: str, body: bytes) -> str:
    """The hash of line `seq`, in 64 hex digits."""
    return digest(b"%d\n%s\n%s" % (seq, previous.encode(), body))


def event_key(event: EngineEvent, origin: str) -> str:
    """What makes it the same event, in 32 hex digits, whoever of us hears it over whichever address.

    `origin` is what the engine says it is (not how it is called in a config): it counts only where ids are not unique.
    """
    scope = origin if event.type in SHARED_IDS or not event.id else ""
    text = "\0".join((scope, str(event.time_nano), event.type, event.action, event.argument, event.id))
    return digest(text.encode())[:32]


def stamp(nanos: int) -> str:
    """Unix nanoseconds as `2026-01-02T03:04:05.678901234Z`."""
    seconds, rest = divmod(nanos, SECOND)
    return f"{_second(seconds)}.{rest:09d}Z"


def stamp_of(moment: datetime) -> str:
    """A moment likewise."""
    return stamp(nanoseconds(moment))


def nanos(text: str) -> int:
    """Unix nanoseconds of such a time. Raises ValueError."""
    if len(text) != 30 or text[19] != "." or text[29] != "Z":
        raise ValueError(f"{text!r} is no time of the trail")
    return _seconds(text[:19]) * SECOND + int(text[20:29])


def moment(text: str) -> datetime:
    """Such a time as a datetime, to the microsecond. Raises ValueError."""
    return datetime.fromtimestamp(nanos(text) // 1000 / 1_000_000, UTC)


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=4096)
def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


_DECODER = msgspec.json.Decoder(Entry)
