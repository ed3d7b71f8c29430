"""What an engine said happened, and what we wrote down of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from .services import ServiceKey


class EngineEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event as the engine said it (`GET /events`), cleaned. Holds no person: Docker's `Actor` is the object."""

    engine: str
    time: datetime
    time_nano: int
    type: str
    action: str
    """Without the part after the colon: `health_status`, `exec_create`."""
    argument: str = ""
    """The part after the colon: `unhealthy`, an exec's command."""
    id: str = ""
    name: str = ""
    attributes: Mapping[str, str] = {}

    @property
    def identity(self) -> int:
        """A number that is the same when it comes twice, in this process."""
        return hash((self.time_nano, self.type, self.action, self.argument, self.id))


class RecordKind(StrEnum):
    """What kind of thing a record tells."""

    EVENT = "event"
    INTENT = "intent"
    OUTCOME = "outcome"
    GAP = "gap"
    NOTE = "note"
    START = "start"
    """A fleettop began to watch: who ran it, where, which version."""
    STOP = "stop"
    """It ended, and said so."""


class Attribution(StrEnum):
    """How the actor of a record is known. Never blank, never guessed."""

    OWN = "own"
    DECLARED = "declared"
    DERIVED = "derived"
    CORRELATED = "correlated"
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """Why a container went, as far as the engine's events allow to say."""

    STOPPED = "stopped by someone"
    KILLED = "killed by someone"
    RESTARTED = "restarted by someone"
    REMOVED = "removed by someone"
    EXITED = "exited by itself"
    OUT_OF_MEMORY = "killed for memory"
    UNHEALTHY = "its health check"
    POLICY = "its restart policy"
    SWARM = "the swarm"
    ENGINE = "the engine"
    UNKNOWN = "unknown"
    NONE = ""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the trail. A record with the same `id` as an earlier one replaces it: more became known."""

    id: int
    """Of this process only; the greater, the later it was first written or read."""
    key: str = ""
    """The same in every process: that of the event which began it, or `instance-number` of a record of our own."""
    of: str = ""
    """Key of the intent that this event or outcome belongs to."""
    time: datetime
    """The engine's clock for events, ours for the rest."""
    seen: datetime
    engine: str
    kind: RecordKind
    what: str
    """One sentence without the object: `exited 1 by itself`, `health: unhealthy`."""
    object_type: str = ""
    object_id: str = ""
    object_name: str = ""
    service: ServiceKey | None = None
    service_name: str = ""
    action: str = ""
    """The event's action or the verb of ours it tells of: `die`, `restart`."""
    cause: Cause = Cause.NONE
    actor: str = ""
    attribution: Attribution = Attribution.UNKNOWN
    evidence: tuple[str, ...] = ()
    """What attribution and cause rest on, a sentence each."""
    reason: str = ""
    exit_code: int | None = None
    trouble: bool = False
    """Something a person on call wants to see."""
    count: int = 1
    """How many like it this one stands for (a crash loop folded)."""
    first: datetime | None = None
    """The first of them."""
    until: datetime | None = None
    """Of a gap: its end; None: not known yet."""
    certain: bool | None = None
    """Of a gap: whether something is known to be missing."""
    instance: str = ""
    """The fleettop that wrote it, where that was another one."""
    image: str = ""
    """What the container or service is made from: name:tag."""
    digest: str = ""
    """The image's digest in its registry; where that is not known its id on the host. Both are `sha256:…`."""
    revision: str = ""
    """The source revision its labels name, else the version."""
    swarm: str = ""
    """The cluster it is of, by id."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A record as it was at one moment, and the event that made it so (None: none did)."""

    record: Record
    event: EngineEvent | None = None
    key: str = ""
    """Of the event."""
