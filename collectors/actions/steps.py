"""The words of acting: what is asked, what it comes to, and how it went. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from ..engine.decode_evidence import ExecEntry
from ..links.base import Endpoint
from ..model import Container, ContainerKey, ContainerState, ServiceKey
from ..text import plain, redact_arguments


class Verb(StrEnum):
    """What a person asks for."""

    RESTART = "restart"
    STOP = "stop"
    START = "start"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    KILL = "kill"
    SCALE = "scale"
    ROLLBACK = "rollback"
    IMAGE = "set image"
    HOLD = "pause update"
    GO_ON = "go on with update"
    AVAILABILITY = "set availability"
    EXEC = "exec"
    PRUNE = "prune"


class Deed(StrEnum):
    """What is done to one object of an engine."""

    RESTART = "restart"
    STOP = "stop"
    START = "start"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    KILL = "kill"
    CLONE = "clone"
    """One more container like an existing one."""
    REMOVE = "remove"
    """Stop and remove a container, keeping its volumes."""
    REPLICAS = "set replicas"
    """Tell a swarm how many replicas a service shall have."""
    REPLACE = "replace tasks"
    """Tell a swarm to replace a service's tasks by its own update rule (a forced update)."""
    ROLLBACK = "roll back"
    """Tell a swarm to bring back the spec that a service had before its last change."""
    IMAGE = "set image"
    HOLD = "pause update"
    """Tell a swarm to wait for very long between two tasks of an update: there is no other way to pause one."""
    GO_ON = "go on with update"
    AVAILABILITY = "set availability"
    """Tell a swarm whether a node takes tasks: active, pause, drain."""
    EXEC = "exec"
    """Run a command in a container, with a person at its terminal (`shells`)."""
    PRUNE = "prune"
    """Remove something that nothing uses: a stopped container, an image, a volume, records of the build cache."""


_VERBS = {Deed.CLONE: "scale", Deed.REMOVE: "scale", Deed.REPLICAS: "scale", Deed.REPLACE: "update"} | dict.fromkeys(
    (Deed.ROLLBACK, Deed.IMAGE, Deed.HOLD, Deed.GO_ON, Deed.AVAILABILITY), "update"
)


class Outcome(StrEnum):
    """How a step went. `unknown`: the answer was lost, and what was found does not prove it either way."""

    SUCCESS = "success"
    FAILURE = "failure"
    REFUSED = "refused"
    """Not begun, since something was in the way when it was about to be."""
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    """Not begun: stopped by a person, or an earlier one of its row failed."""


class CloneOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What one more replica is made from, and where it may go."""

    source: ContainerKey
    source_name: str
    labels: Mapping[str, str]
    counts: Mapping[str, int]
    """How many replicas each host that may take one has now."""
    numbers: Mapping[str, tuple[int, ...]]
    """The numbers in use on each host of the service."""
    now: int = 0
    """How many replicas there are before this plan."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One call on one engine, and what it waits for. Steps of the same `lane` run one after the other."""

    engine: str
    deed: Deed
    object_id: str
    """The container's or swarm service's id; for a clone, the id of the container it is made from."""
    object_name: str
    kind: str = "container"
    """`container`, `service` or `node` (a swarm's); of a prune also `image`, `volume` and `build cache`."""
    lane: int = 0
    waits: bool = False
    """Wait until it runs and is healthy, and halt the lane if it does not."""
    served: bool = False
    """Whether it served when this was planned."""
    service: ServiceKey | None = None
    service_name: str = ""
    signal: str = ""
    stop_timeout: int | None = None
    """Seconds the container has to stop by itself; None: the engine's default of 10."""
    replicas: int | None = None
    """The number a swarm service shall have."""
    replicas_before: int | None = None
    """The number it had when this was planned; if it has another by then, the step is refused."""
    number: int | None = None
    """The clone's number within its service."""
    image: str = ""
    """What a swarm service's tasks shall run."""
    availability: str = ""
    """What a node shall be."""
    expected: str = ""
    """Tells the spec that a person was asked about; if there is another by then, the step is refused. Empty: any."""
    clone: CloneOrder | None = None
    command: tuple[str, ...] = ()
    """What is run in the container; empty: a shell, whichever it has."""
    parts: tuple[str, ...] = ()
    """The ids of what goes together: records of the build cache."""
    why: str = ""
    """Why it may go."""

    @property
    def words(self) -> str:
        """The step as a person says it: `restart pay-api-1 on web-1`."""
        if self.deed is Deed.CLONE:
            return f"make {self.object_name} on {self.engine}"
        if self.deed is Deed.REPLICAS:
            return f"set {self.object_name} to {self.replicas}"
        swarms = {
            Deed.REPLACE: f"replace the tasks of {self.object_name}",
            Deed.ROLLBACK: f"roll {self.object_name} back",
            Deed.IMAGE: f"set the image of {self.object_name} to {self.image}",
            Deed.HOLD: f"pause the update of {self.object_name}",
            Deed.GO_ON: f"go on with the update of {self.object_name}",
            Deed.AVAILABILITY: f"set {self.object_name} to {self.availability}",
        }
        if self.deed in swarms:
            return swarms[self.deed]
        if self.deed is Deed.PRUNE:
            return f"remove {self.kind} {self.object_name} on {self.engine}"
        if self.deed is Deed.KILL:
            return f"send {self.signal} to {self.object_name} on {self.engine}"
        if self.deed is Deed.EXEC:
            return f"run {self.command_words} in {self.object_name} on {self.engine}"
        return f"{self.deed.value} {self.object_name} on {self.engine}"

    @property
    def command_words(self) -> str:
        """The command as it is shown and kept: one line, secrets hidden by shape."""
        return " ".join(redact_arguments([plain(word, 512) for word in self.command])) or "a shell"

    @property
    def record_verb(self) -> str:
        """What a trail calls it: the engine's events of the deed go by this (`intents.ACTIONS`)."""
        if self.deed is Deed.PRUNE and self.kind == "container":
            return Deed.REMOVE.value
        return _VERBS.get(self.deed, self.deed.value)

    @property
    def record_id(self) -> str:
        """The id of the object the events of it will name; empty for a clone, which has none yet: its name counts."""
        return "" if self.deed is Deed.CLONE else self.object_id

    @property
    def about(self) -> str:
        """What is about to be done, without its object: `about to restart it`."""
        match self.deed:
            case Deed.CLONE:
                return f"about to make it, like {self.clone.source_name if self.clone is not None else 'another'}"
            case Deed.REMOVE:
                return "about to stop and remove it: one replica fewer"
            case Deed.REPLICAS:
                return f"about to scale it from {self.replicas_before} to {self.replicas}"
            case Deed.REPLACE:
                return "about to restart it: the swarm replaces its tasks"
            case Deed.ROLLBACK:
                return "about to roll it back to the spec before"
            case Deed.IMAGE:
                return f"about to set its image to {self.image}"
            case Deed.HOLD:
                return "about to pause its update"
            case Deed.GO_ON:
                return "about to go on with its update"
            case Deed.AVAILABILITY:
                return f"about to set it to {self.availability}"
            case Deed.KILL:
                return f"about to send it {self.signal}"
            case Deed.EXEC:
                return f"about to run in it, at a terminal: {self.command_words}"
            case _:
                return f"about to {self.deed.value} it{f': {self.why}' if self.why else ''}"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a request comes to, said before anything is done.

    `blockers` say why it cannot be done at all: then there are no steps. `warnings` are said and do not stop it.
    """

    verb: Verb
    title: str
    sentences: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    blockers: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    name_to_type: str = ""
    """What a person has to type first, since it is protected; empty: nothing."""
    seconds: float | None = None
    """About how long it takes."""
    widths: Mapping[int, int] = {}
    """How many steps of a lane may be under way at once, waiting for health included; one where it is not said."""
    after: Mapping[int, tuple[int, ...]] = {}
    """Lanes, of lower numbers, that have to have ended well before a lane begins."""
    halts: bool = False
    """Whether nothing new begins anywhere once a step did not end well; else only its own lane halts."""
    regardless: bool = False
    """Whether a lane goes on though a step of it did not end well: its steps need nothing of each other."""
    deadline: float | None = None
    """Seconds that each replica has to serve; None: as the pace says."""

    @property
    def possible(self) -> bool:
        """There is something that can be done."""
        return bool(self.steps) and not self.blockers

    @property
    def effect(self) -> str:
        """All sentences in one."""
        return " ".join(self.sentences)


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What tells one run of a container from another: taken before a change, and compared after a lost answer."""

    state: ContainerState
    started_at: datetime | None = None
    finished_at: datetime | None = None
    pid: int | None = None
    stop_timeout: int | None = None

    @classmethod
    def of(cls, container: Container) -> Mark:
        """The mark of a container that was inspected."""
        detail = container.detail
        if detail is None:
            return cls(state=container.state)
        return cls(
            state=container.state,
            started_at=detail.started_at,
            finished_at=detail.finished_at,
            pid=detail.pid,
            stop_timeout=detail.stop_timeout,
        )


class StepResult(msgspec.Struct, frozen=True, kw_only=True):
    """How one step went, in words."""

    step: Step
    outcome: Outcome
    words: str
    seconds: float = 0.0
    before: Mark | None = None
    """How the container was before: lets `confirm` find out later what became of an unknown outcome."""
    object_id: str = ""
    """The id of what was made (a clone)."""
    exit_code: int | None = None
    """Of the command that was run; None: it is not known, or there was none."""
    hint: str = ""
    """What to do next, where there is something."""


class Inspector(Protocol):
    """What acting reads of an engine; the engine client has it."""

    async def inspect(self, container_id: str, /) -> Container | None:
        """The whole container; None where there is none."""
        ...

    async def exec_entry(self, exec_id: str, /) -> ExecEntry | None:
        """How an exec stands; None where the engine no longer knows it."""
        ...

    async def uncleaned(self, path: str, query: str = "", /) -> object | None:
        """The JSON that `GET path?query` answers, as it was sent; None where that is 404. Never shown, never kept."""
        ...


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """The way to one engine: its endpoint, the API version spoken with it, and its client for reads."""

    endpoint: Endpoint
    api: str
    client: Inspector
    read_only: bool = False


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How long acting waits for what. Seconds."""

    healthy: float = 60.0
    """For a replica to become healthy, or to stay up for `settle`."""
    settle: float = 3.0
    """How long a container without a health check has to stay up to count as running."""
    poll: float = 0.5
    answer: float = 15.0
    """For an engine to answer a change, beyond the time its container has to stop."""
    found: float = 10.0
    """For looking again after a lost answer."""
    per_host: int = 4
    overall: int = 16
