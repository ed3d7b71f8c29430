"""The engine the programs look at: a real dockerd in namespaces of its own, with containers of three kinds."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from tests.fleet import Fleet
from tests.fleet.engine_api import UnixConnection

from .processes import cpu_seconds, tree

HOST = "h1"
SECOND = 1_000_000_000
HEALTH_INTERVAL = 10
"""Seconds between two health checks of a container that has them: one in ten has."""
HEALTH = {"Test": ["CMD", "test", "-f", "/tmp/ok"], "Interval": HEALTH_INTERVAL * SECOND, "Timeout": SECOND}
WORKING = 'sh -c "while :; do i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done; sleep 1; done"'
"""Some milliseconds of CPU every second, so that figures move."""
IDLE = "sleep 86400"
DAEMONS = ("dockerd", "containerd", "containerd-shim")


class Event(NamedTuple):
    """A container began or ended, as the engine said, in seconds since 1970 by its own clock, which is ours."""

    action: str
    name: str
    when: float


class Engine:
    """One engine while it is entered; it is taken away without a trace."""

    def __init__(self, number: int) -> None:
        self._fleet = Fleet(number)
        self.containers = 0

    def __enter__(self) -> Engine:
        self._fleet.up(hosts=1, tcp="none", disk="1g")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._fleet.down()

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self._fleet.site.socket(HOST)

    @property
    def version(self) -> str:
        """What it says it is."""
        return str(self._fleet.get(HOST, "/version")["Version"])

    def fill(self, count: int) -> None:
        """Have `count` containers run: web-001 and so on."""
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._add, range(self.containers + 1, count + 1)))
        self.containers = count
        self._await_health()

    def _add(self, number: int) -> None:
        run_numbered(self._fleet, HOST, number, WORKING if works(number) else IDLE)

    def _await_health(self) -> None:
        end = time.monotonic() + 30
        wanted = sum(map(has_health, range(1, self.containers + 1)))
        while time.monotonic() < end:
            rows = self._fleet.get(HOST, "/containers/json")
            if sum("(healthy)" in row["Status"] for row in rows) == wanted:
                return
            time.sleep(0.5)
        raise TimeoutError(f"not all {wanted} containers with health checks became healthy")

    def kill(self, name: str) -> None:
        """End a container at once."""
        self._fleet.api(HOST, "POST", f"/containers/{name}/kill", timeout=20)

    def start(self, name: str) -> None:
        """Begin a container again; nothing where it runs."""
        self._fleet.api(HOST, "POST", f"/containers/{name}/start", timeout=20)

    def start_all(self) -> None:
        """Begin again what a measurement left ended."""
        for row in self._fleet.get(HOST, '/containers/json?all=1&filters={"status":["exited"]}'):
            self.start(row["Names"][0].removeprefix("/"))

    def daemon_seconds(self) -> float:
        """CPU seconds of dockerd, containerd and the shims so far; containers and health checks left out."""
        running = self._fleet.hosts.running(HOST)
        return cpu_seconds((pid for name in DAEMONS for pid in running[name]), reaped=False)

    def all_seconds(self) -> float:
        """CPU seconds of everything on the engine's host so far."""
        return host_seconds(self._fleet, HOST)


def run_numbered(fleet: Fleet, host: str, number: int, command: str) -> None:
    """Start the container of this number, with the command or with a health check where it has one."""
    name = f"web-{number:03}"
    if has_health(number):
        fleet.run_plain(host, name, "web", Healthcheck=HEALTH)
    else:
        fleet.run_plain(host, name, command)


def host_seconds(fleet: Fleet, host: str) -> float:
    """CPU seconds of everything on a host so far, its sshd and what that started, too."""
    first = fleet.hosts.first_process(host)
    return cpu_seconds(tree(first)) if first else 0.0


def has_health(number: int) -> bool:
    """Whether the container of this number has a health check."""
    return number % 10 == 1


def works(number: int) -> bool:
    """Whether the container of this number uses CPU."""
    return number % 3 == 0 and not has_health(number)


class EventLog:
    """The engine's own word on what began and ended, while it is entered."""

    def __init__(self, socket: Path) -> None:
        self._connection = UnixConnection(socket, 3600)
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._follow, name="events", daemon=True)

    def __enter__(self) -> EventLog:
        self._connection.request("GET", '/events?filters={"type":["container"],"event":["die","start"]}')
        self._lines = self._read()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection.sock is not None:
            self._connection.sock.shutdown(2)
        self._thread.join(5)
        self._connection.close()

    def _read(self) -> Iterator[bytes]:
        response = self._connection.getresponse()
        while line := response.readline():
            yield line

    def _follow(self) -> None:
        for line in self._lines:
            told = json.loads(line)
            name = told["Actor"]["Attributes"]["name"]
            self._events.put(Event(told["Action"], name, told["timeNano"] / SECOND))

    def await_event(self, action: str, name: str, timeout: float) -> Event | None:
        """The next event of this kind; those before it are dropped. None where none came in time."""
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            try:
                event = self._events.get(timeout=left)
            except queue.Empty:
                return None
            if (event.action, event.name) == (action, name):
                return event
        return None
