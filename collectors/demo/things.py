"""What stands on a simulated machine: images, containers, networks, volumes. Plain state; `machine` changes it."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

NO_LABELS: Mapping[str, str] = {}


def dice(seed: object) -> random.Random:
    """Chance that falls the same way for the same seed. Not for secrets."""
    return random.Random(str(seed))  # noqa: S311 - a play, not a lock


@dataclass(frozen=True, slots=True)
class Check:
    """A health check. Seconds; `good` and `bad` are what a probe prints."""

    test: tuple[str, ...]
    interval: float = 15.0
    timeout: float = 3.0
    retries: int = 3
    start_period: float = 20.0
    good: str = "ok\n"
    bad: str = "curl: (7) Failed to connect to localhost port 8080: Connection refused\n"


@dataclass(frozen=True, slots=True)
class Nature:
    """How the containers of an image behave: what they use, what they say, how fast they come and go.

    `cpu` is percent of one core, `memory` bytes, `received` and `sent` bytes a second, `pace` seconds between lines.
    """

    cpu: float = 1.0
    memory: int = 64 << 20
    received: float = 2_000.0
    sent: float = 4_000.0
    voice: str = "worker"
    pace: float = 4.0
    stop_seconds: float = 0.4
    ready_seconds: float = 3.0


@dataclass(frozen=True, slots=True)
class Fate:
    """What will befall a container some time after each of its starts.

    `crash`: ends with `code` after it said `words`. `oom`: is killed for memory. `sick`: its probes fail and print
    `output`, and it is unhealthy once they failed often enough. `done`: ends with `code`, its work finished.
    """

    kind: str
    after: float
    code: int = 1
    words: tuple[str, ...] = ()
    output: str = ""
    times: int | None = None
    """How many starts it befalls; None: all."""


@dataclass(eq=False, slots=True)
class Image:
    """An image; the same object stands on every machine that has it."""

    id: str
    repository: str
    tag: str
    digest: str
    created: float
    size: int
    labels: Mapping[str, str] = field(default_factory=dict)
    env: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    layers: int = 6

    @property
    def ref(self) -> str:
        """name:tag."""
        return f"{self.repository}:{self.tag}"


@dataclass(frozen=True, slots=True)
class PortMap:
    """A port; `public` is None where it is only exposed."""

    private: int
    public: int | None = None
    protocol: str = "tcp"


@dataclass(frozen=True, slots=True)
class MountPoint:
    """Something mounted: `source` is a volume's name (`volume`) or a path (`bind`)."""

    source: str
    target: str
    kind: str = "volume"
    read_write: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """Everything a container is made from."""

    name: str
    image: Image
    ref: str
    """The image as it was asked for."""
    labels: Mapping[str, str] = field(default_factory=dict)
    nature: Nature = Nature()
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    policy: str = "no"
    retries: int = 0
    ports: tuple[PortMap, ...] = ()
    mounts: tuple[MountPoint, ...] = ()
    networks: tuple[str, ...] = ("bridge",)
    aliases: tuple[str, ...] = ()
    check: Check | None = None
    memory: int = 0
    nano_cpus: int = 0
    user: str = ""
    tty: bool = False
    auto_remove: bool = False
    fate: Fate | None = None
    config: Mapping[str, object] = field(default_factory=dict)
    """Further fields of `Config` and `HostConfig`, as a client asked for them."""
    host_config: Mapping[str, object] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Endpoint:
    """A container's place in a network."""

    network: str
    address: str
    mac: str
    id: str


@dataclass(eq=False, slots=True)
class Container:
    """One container. Times are Unix seconds; 0 means never."""

    id: str
    name: str
    plan: Blueprint
    created: float
    labels: Mapping[str, str]
    endpoints: list[Endpoint]
    state: str = "created"
    started: float = 0.0
    finished: float = 0.0
    exit_code: int = 0
    oom_killed: bool = False
    error: str = ""
    pid: int = 0
    restart_count: int = 0
    backoff: float = 0.1
    paused_at: float = 0.0
    asleep: float = 0.0
    """Seconds it was paused since it started."""
    stopped_by_hand: bool = False
    removed: bool = False
    policy: str = "no"
    retries: int = 0
    memory: int = 0
    nano_cpus: int = 0
    health: str = ""
    """Empty: no check."""
    failing_since: float | None = None
    probe_output: str = ""
    fate: Fate | None = None
    fated: int = 0
    """How often its fate befell it."""
    life: int = 0
    """Counts starts and ends: what was planned for an earlier life does not happen."""
    said: list[tuple[float, str, str]] = field(default_factory=list)
    """Lines that stand in the log besides those of its voice: time, stream, text."""
    fixed_row: Mapping[str, object] | None = None
    """The part of its row in a listing that does not change."""

    @property
    def alive(self) -> bool:
        """Its processes run (also while paused)."""
        return self.state in ("running", "paused")


@dataclass(eq=False, slots=True)
class Greed:
    """A container takes nearly all CPUs of its machine, from `since` to `until`; the others get what is left."""

    by: Container
    since: float
    until: float = math.inf


@dataclass(eq=False, slots=True)
class Network:
    """A network on one machine; `subnet` is the first two numbers of its addresses."""

    id: str
    name: str
    driver: str
    created: float
    subnet: str
    scope: str = "local"
    labels: Mapping[str, str] = field(default_factory=dict)
    used: int = 1

    def take_address(self) -> str:
        """The next free address."""
        self.used += 1
        return f"{self.subnet}.{self.used // 250}.{self.used % 250 + 2}"


@dataclass(eq=False, slots=True)
class Volume:
    """A volume on one machine."""

    name: str
    created: float
    size: int
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class CacheRecord:
    """A record of a machine's build cache."""

    id: str
    description: str
    size: int
    used: float
    in_use: bool = False


@dataclass(eq=False, slots=True)
class Exec:
    """A command that is to be run in a container, runs, or ended."""

    id: str
    container: Container
    command: tuple[str, ...]
    env: tuple[str, ...] = ()
    size: tuple[int, int] = (80, 24)
    running: bool = False
    exit_code: int | None = None

    def plain(self) -> dict[str, object]:
        """As `GET /exec/{id}/json` tells of it."""
        program, *arguments = self.command
        return {
            "ID": self.id,
            "Running": self.running,
            "ExitCode": self.exit_code,
            "ProcessConfig": {
                "tty": True,
                "entrypoint": program,
                "arguments": arguments,
                "privileged": False,
                "user": "",
            },
            "OpenStdin": True,
            "OpenStderr": True,
            "OpenStdout": True,
            "CanRemove": False,
            "ContainerID": self.container.id,
            "DetachKeys": "",
            "Pid": 4_242 if self.running else 0,
        }
