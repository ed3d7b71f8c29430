"""What is known of a fleet, as frozen data. `None` means not known, never 0. Times are aware UTC; ages are monotonic.

Every text in here has been cleaned (`text.plain`) where it was decoded: it can be put on a terminal as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec

from .errors import EngineError

# -- one container -----------------------------------------------------------------------------------------------------


class ContainerState(StrEnum):
    """The state the engine keeps of a container (moby: container/state.go). Not its health."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    REMOVING = "removing"
    EXITED = "exited"
    DEAD = "dead"
    UNKNOWN = "unknown"


class Health(StrEnum):
    """What the container's own health check says (`none`: it has no check; `unknown`: this engine does not tell)."""

    NONE = "none"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


class Freshness(StrEnum):
    """How far a reading can be trusted to be the present."""

    LIVE = "live"
    LATE = "late"
    STALE = "stale"
    NEVER = "never"


class ContainerKey(NamedTuple):
    """A container, fleet-wide: the configured name of its engine, and its full id."""

    engine: str
    id: str


class Port(msgspec.Struct, frozen=True, kw_only=True):
    """A port of a container; `public` is None where it is not published."""

    private: int
    public: int | None = None
    ip: str | None = None
    protocol: str = "tcp"


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    """Something mounted into a container."""

    type: str
    source: str
    target: str
    name: str = ""
    read_write: bool = True


class HealthProbe(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a container's health check."""

    start: datetime | None
    end: datetime | None
    exit_code: int
    output: str


class ContainerDetail(msgspec.Struct, frozen=True, kw_only=True):
    """What only an inspect tells of a container (`GET /containers/{id}/json`)."""

    exit_code: int | None = None
    oom_killed: bool | None = None
    error: str = ""
    pid: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    restart_count: int | None = None
    restart_policy: str = ""
    """`no`, `always`, `unless-stopped`, `on-failure`, or empty where not told."""
    restart_retries: int | None = None
    failing_streak: int | None = None
    health_log: tuple[HealthProbe, ...] = ()
    health_check: tuple[str, ...] = ()
    """The check's Test as configured (`CMD`, `CMD-SHELL`, …); empty: none."""
    memory_limit: int | None = None
    """Bytes; None: unlimited or not told."""
    stop_timeout: int | None = None
    tty: bool = False
    user: str = ""
    environment: tuple[str, ...] = ()
    """Names only: values never leave the decoder."""
    auto_remove: bool = False


class Container(msgspec.Struct, frozen=True, kw_only=True):
    """One container as last read. `detail` is None until it has been inspected."""

    engine: str
    id: str
    name: str
    image: str
    """As it was asked for: name:tag, or an id."""
    image_id: str
    state: ContainerState
    health: Health
    status: str = ""
    """The engine's own words: `Up 2 hours (healthy)`."""
    command: str = ""
    created: datetime | None = None
    labels: Mapping[str, str] = {}
    ports: tuple[Port, ...] = ()
    networks: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    detail: ContainerDetail | None = None

    @property
    def key(self) -> ContainerKey:
        """Its name fleet-wide."""
        return ContainerKey(self.engine, self.id)

    @property
    def serving(self) -> bool:
        """Runs, and its health check (if there is one) does not say otherwise."""
        return self.state is ContainerState.RUNNING and self.health in (Health.NONE, Health.HEALTHY, Health.UNKNOWN)


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What a container used between two samples."""

    cpu: float | None
    """Percent of one core: 250 is two and a half cores."""
    memory: int | None
    """Bytes, as `docker stats` counts them: usage less the inactive file cache."""
    memory_limit: int | None
    received: float | None
    """Bytes a second, over all its networks."""
    sent: float | None
    at: float
    """Monotonic seconds of the sample."""


# -- one engine --------------------------------------------------------------------------------------------------------


class LinkPhase(StrEnum):
    """Where the way to an engine stands."""

    NEVER = "not tried"
    CONNECTING = "connecting"
    UP = "up"
    DOWN = "down"
    CLOSED = "closed"


class LinkStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The way to an engine, and how it does. `since` and `retry_at` are monotonic, `latency` in seconds."""

    phase: LinkPhase = LinkPhase.NEVER
    since: float = 0.0
    route: str = ""
    """In words: `local socket`, `TLS`, `plain TCP`, `ssh`, `ssh dial-stdio`."""
    error: EngineError | None = None
    latency: float | None = None
    attempts: int = 0
    retry_at: float | None = None
    insecure: bool = False
    """Neither encrypted nor local: shown with a permanent red mark."""


class SwarmMembership(msgspec.Struct, frozen=True, kw_only=True):
    """What `/info` says of an engine's place in a swarm."""

    state: str
    """`inactive`, `pending`, `active`, `error`, `locked`."""
    node_id: str = ""
    manager: bool = False
    cluster_id: str = ""
    error: str = ""


class EngineInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Who an engine is (`GET /info`, `GET /version`)."""

    kind: str
    """`docker` or `podman`."""
    version: str
    api: str
    """The API version spoken with it."""
    id: str = ""
    hostname: str = ""
    os: str = ""
    kernel: str = ""
    cpus: int | None = None
    memory: int | None = None
    storage_driver: str = ""
    cgroup_version: str = ""
    rootless: bool = False
    swarm: SwarmMembership | None = None
    skew: float | None = None
    """Seconds the engine's clock is ahead of ours, half a round trip taken off."""
    running: int | None = None
    paused: int | None = None
    stopped: int | None = None


class EngineStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the Hosts view: an engine, its link, and when it was last known to be as shown."""

    name: str
    address: str
    group: str = ""
    link: LinkStatus = LinkStatus()
    info: EngineInfo | None = None
    confirmed: float | None = None
    """Monotonic time at which everything shown of it was last known to be current; None: never."""
    same_as: str = ""
    """The name of the engine this is a second address of; such an engine is not counted again."""
    doubtful: tuple[str, ...] = ()
    """Ids of containers whose newest reading made no sense: the one before is shown, and is stale."""


# -- a swarm -----------------------------------------------------------------------------------------------------------


class SwarmNode(msgspec.Struct, frozen=True, kw_only=True):
    """A node, as a manager sees it."""

    id: str
    hostname: str
    role: str
    availability: str
    state: str
    address: str = ""
    leader: bool = False
    reachability: str = ""
    message: str = ""
    engine_version: str = ""


class SwarmTask(msgspec.Struct, frozen=True, kw_only=True):
    """Swarm's attempt at one replica."""

    id: str
    service_id: str
    node_id: str
    slot: int | None
    state: str
    desired: str
    message: str = ""
    error: str = ""
    container_id: str = ""
    exit_code: int | None = None
    image: str = ""
    at: datetime | None = None


class SwarmService(msgspec.Struct, frozen=True, kw_only=True):
    """A service, as a manager keeps it."""

    id: str
    name: str
    stack: str
    mode: str
    """`replicated`, `global`, `replicated-job`, `global-job`."""
    wanted: int | None
    running: int | None
    image: str
    """name:tag, without the digest."""
    digest: str = ""
    version: int = 0
    labels: Mapping[str, str] = {}
    ports: tuple[Port, ...] = ()
    update_state: str = ""
    update_message: str = ""
    updated: datetime | None = None


class SwarmPicture(msgspec.Struct, frozen=True, kw_only=True):
    """A whole swarm, read from one of its managers."""

    cluster_id: str
    manager: str
    """The engine it was read from."""
    nodes: tuple[SwarmNode, ...] = ()
    services: tuple[SwarmService, ...] = ()
    tasks: tuple[SwarmTask, ...] = ()
    error: str = ""
    """Why this is not knowable from here (no quorum); the rest is then the last good reading."""
    at: float = 0.0


# -- services ----------------------------------------------------------------------------------------------------------


class ServiceKey(NamedTuple):
    """A service, fleet-wide. `scope`: compose project, swarm cluster id, engine (for a lone container)…"""

    source: str
    scope: str
    name: str


class ServiceState(StrEnum):
    """A service's state, worst first."""

    DOWN = "down"
    DEGRADED = "degraded"
    FLAPPING = "flapping"
    UNKNOWN = "unknown"
    STARTING = "starting"
    STOPPED = "stopped"
    HEALTHY = "healthy"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return _RANKS[self]


_RANKS = {state: rank for rank, state in enumerate(ServiceState)}


class Replica(msgspec.Struct, frozen=True, kw_only=True):
    """One wanted copy of a service, where it is known."""

    container: ContainerKey | None
    """None: a swarm task without a container we can see."""
    host: str
    """The engine's name; for a swarm node without a link, the node's host name."""
    name: str
    number: str = ""
    state: ContainerState
    health: Health
    serving: bool
    task_id: str = ""
    note: str = ""
    """Why it is not there: the swarm's words on a pending or failed task."""


class ServiceChange(msgspec.Struct, frozen=True, kw_only=True):
    """The last thing somebody changed on a service."""

    what: str
    """`deploy`, `restart`, `stop`, `start`, `scale`, `update`."""
    time: datetime
    actor: str
    """`unknown` where it is."""
    detail: str = ""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A service across all its hosts."""

    key: ServiceKey
    name: str
    stack: str = ""
    state: ServiceState
    wanted: int | None
    """None: not knowable (its hosts cannot be reached)."""
    running: int
    serving: int | None
    replicas: tuple[Replica, ...] = ()
    hosts: tuple[str, ...] = ()
    image: str = ""
    """name:tag, or `name: 2 tags`, `name: 2 digests` where replicas differ."""
    images: tuple[str, ...] = ()
    """The distinct images its replicas run."""
    config_hashes: tuple[str, ...] = ()
    """The distinct compose config hashes; more than one is a half-applied deploy."""
    down_since: datetime | None = None
    """The last moment it served (down), or lost a replica (degraded), as far as known."""
    down_since_certain: bool = True
    restarts: int | None = None
    """In the last hour."""
    last_change: ServiceChange | None = None
    stale: bool = False
    """Some host of it is not live: what is shown of it is old."""
    swarm_service_id: str = ""
    note: str = ""
    """Facts worth a word: `running 12 of 9`, `owner restarts what you stop`."""


# -- what happened -----------------------------------------------------------------------------------------------------


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
    def identity(self) -> tuple[int, str, str, str]:
        """What makes it the same event when it comes twice."""
        return (self.time_nano, self.type, f"{self.action}:{self.argument}", self.id)


class RecordKind(StrEnum):
    """What kind of thing a record tells."""

    EVENT = "event"
    INTENT = "intent"
    OUTCOME = "outcome"
    GAP = "gap"
    NOTE = "note"


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
    reason: str = ""
    exit_code: int | None = None
    trouble: bool = False
    """Something a person on call wants to see."""
    count: int = 1
    """How many like it this one stands for (a crash loop folded)."""
    first: datetime | None = None
    """The first of them."""


# -- what the watchers tell the fleet ----------------------------------------------------------------------------------


class LinkChanged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A link went up, down, or has a new latency."""

    engine: str
    link: LinkStatus


class EngineSeen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """`/info` and `/version` were read."""

    engine: str
    info: EngineInfo


class Listed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A full listing: what is not in it is gone, except the `refused`, whose old reading stays and is stale."""

    engine: str
    containers: tuple[Container, ...]
    refused: tuple[str, ...] = ()
    """Ids of rows that made no sense."""
    at: float = 0.0


class ContainersSeen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Some containers were read again; `gone` are those that are no longer there."""

    engine: str
    containers: tuple[Container, ...] = ()
    gone: tuple[str, ...] = ()
    at: float = 0.0


class UsageSeen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """New samples, by container id."""

    engine: str
    usage: Mapping[str, Usage]


class Confirmed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The engine answered: what is shown of it is as of `at`."""

    engine: str
    at: float
    latency: float | None = None


class EventsSeen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Events in the order the engine said them, duplicates dropped. `replayed`: from before we looked."""

    engine: str
    events: tuple[EngineEvent, ...]
    replayed: bool = False


class GapSeen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Nothing is known of the engine's events in this span."""

    engine: str
    begin: datetime
    end: datetime | None
    cause: str
    certain: bool
    differences: tuple[str, ...] = ()


class SwarmSeen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A whole swarm was read."""

    engine: str
    picture: SwarmPicture


class WordsSeen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The last lines a container wrote before it died."""

    engine: str
    id: str
    lines: tuple[str, ...]


Change = (
    LinkChanged
    | EngineSeen
    | Listed
    | ContainersSeen
    | UsageSeen
    | Confirmed
    | EventsSeen
    | GapSeen
    | SwarmSeen
    | WordsSeen
)
"""All that the watchers tell the fleet."""
