"""What a fleet is called, where its files lie, and what is remembered of it between processes."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

LOCKS = Path("/run/lock")
MOST_FLEETS = 128


class Host(msgspec.Struct):
    """One simulated machine."""

    name: str
    address: str
    """Where fleettop reaches it; in the cluster's network where it is private."""
    cluster: str
    engine: str = ""
    """`docker`, `podman` or nothing (a jump host)."""
    tcp: str = "none"
    """How its engine listens on TCP: `tls`, `plain` or `none`."""
    private: bool = False
    """Reached only through the jump host."""
    system: str = ""
    """The folder with the system that it runs, such as Debian 13; empty: the machine's own."""
    forward: bool = True
    """Its sshd forwards unix sockets."""
    disk: str = "512m"
    sshd: dict[str, str] = {}
    """sshd options set for the moment, undone by healing."""
    log: str = ""
    """Where its sshd logs to for the moment, `journal` or a file; empty: into the fleet's folder."""


class State(msgspec.Struct):
    """A whole fleet."""

    hosts: dict[str, Host]
    swarm: bool = False
    managers: int = 1
    faulty: list[str] = []
    """Hosts that something was done to since they were last healed."""
    seconds: dict[str, float] = {}
    """How long the steps of coming up took, from the start."""

    @property
    def engines(self) -> list[Host]:
        """The hosts with an engine."""
        return [host for host in self.hosts.values() if host.engine]

    @property
    def docker(self) -> list[Host]:
        """The hosts with a Docker engine."""
        return [host for host in self.hosts.values() if host.engine == "docker"]


# Made here, before there are threads: msgspec studies a type when it first decodes it, and the interpreter crashed once
# when several threads did so together.
_STATE = msgspec.json.Decoder(State)


class Site:
    """The names and files of the fleet with one number."""

    def __init__(self, number: int) -> None:
        if not 0 <= number < MOST_FLEETS:
            raise ValueError(f"a fleet's number is 0 to {MOST_FLEETS - 1}")
        self.number = number
        self.prefix = f"ft{number}"
        self.folder = Path("/tmp") / self.prefix  # short: the path of a unix socket has at most 107 bytes
        self.management = f"198.18.{2 * number}"
        self.cluster = f"198.18.{2 * number + 1}"
        self.switch = f"{self.prefix}-sw"
        self.root_interface = f"{self.prefix}root"
        self.cgroup = f"/fleettop/{self.prefix}"

    @property
    def known(self) -> bool:
        """Something of this fleet is, or may be, there."""
        return self.folder.exists()

    @property
    def state(self) -> State:
        """What was saved last. Raises RuntimeError where the fleet is down."""
        try:
            return _STATE.decode((self.folder / "state.json").read_bytes())
        except (OSError, msgspec.MsgspecError) as error:
            raise RuntimeError(f"fleet {self.number} is down") from error

    def save(self, state: State) -> None:
        """Remember a state, whole or not at all."""
        draft = self.folder / "state.json.new"
        draft.write_bytes(msgspec.json.encode(state))
        draft.rename(self.folder / "state.json")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """One coming up or going down of this fleet at a time; the kernel lets go when the process ends."""
        LOCKS.mkdir(exist_ok=True)
        with (LOCKS / f"{self.prefix}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def namespace(self, host: str) -> str:
        """The name of a host's network namespace."""
        return f"{self.prefix}-{host}"

    def home(self, host: str) -> Path:
        """The folder with a host's disk, keys and logs."""
        return self.folder / host

    def socket(self, host: str) -> Path:
        """The engine's socket of a host, as seen from the machine."""
        return self.home(host) / "docker.sock"
