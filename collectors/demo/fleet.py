"""The simulated fleet as one thing to open and close: a socket for every engine, and one clock for all of them."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from ..address import EngineAddress
from ..clock import Clock, SystemClock
from ..errors import ConfigError
from .folder import SocketFolder
from .machine import Machine
from .reads import add_reads
from .scenario import INCIDENTS, Scenario
from .server import Door, Routes
from .shells import add_shells
from .storage import add_storage
from .swarmroutes import add_swarm
from .world import World
from .writes import add_writes

_FILES_EACH = 12
"""Open files that an engine and those who look at it need, about."""
_GOODBYE = 0.01
"""Seconds for connections to end by themselves (aiohttp takes 0 for "for ever")."""
_IDLE = 5.0
"""Seconds after which the clock looks again though nothing is due."""


class DemoFleet:
    """Simulated engines that speak the real Engine API on unix sockets, each as long as the context is open.

    `folder` is made where it is not there, with access for its owner alone; without one a temporary folder is used and
    removed again. Unless it is `moving`, nothing happens in it by itself. Raises ConfigError for an unknown incident,
    or on opening for a folder whose path is too long for a socket.
    """

    def __init__(
        self,
        *,
        engines: int = 12,
        containers: int = 300,
        seed: int = 1,
        incident: str | None = None,
        clock: Clock | None = None,
        folder: Path | None = None,
        moving: bool = True,
    ) -> None:
        if engines < 1 or containers < 0:
            raise ConfigError("A demo needs at least one engine.", hint="Say --engines 1 or more.")
        if incident is not None and incident not in INCIDENTS:
            raise ConfigError(
                f"There is no incident called {incident!r}.", hint=f"The incidents are: {', '.join(INCIDENTS)}."
            )
        self.world = World(engines=engines, containers=containers, seed=seed, clock=clock or SystemClock())
        if moving:
            Scenario(self.world, incident)
        self._given = folder
        self._folder: SocketFolder | None = None
        self._routes = Routes()
        add_reads(self._routes)
        add_writes(self._routes)
        add_shells(self._routes)
        add_storage(self._routes)
        add_swarm(self._routes)
        self._doors: dict[str, _OpenDoor] = {}
        self._wake = asyncio.Event()
        self._clockwork: asyncio.Task[None] | None = None

    @property
    def addresses(self) -> tuple[EngineAddress, ...]:
        """Where its engines are. Only while it is open."""
        return tuple(
            EngineAddress(
                name=machine.name, scheme="unix", socket=str(self._socket(machine)), group=machine.group, origin="demo"
            )
            for machine in self.world.machines
        )

    @property
    def requests(self) -> int:
        """How many requests all engines together have got."""
        return sum(door.door.requests for door in self._doors.values())

    async def __aenter__(self) -> Self:
        _allow_files(_FILES_EACH * len(self.world.machines))
        self._folder = SocketFolder(self._given, (_file(machine) for machine in self.world.machines))
        try:
            for machine in self.world.machines:
                self._doors[machine.name] = _OpenDoor(Door(self.world, machine, self._routes), self._socket(machine))
            self.world.catch_up()
            await self._match_power()
        except BaseException:
            await self._close()
            raise
        self.world.agenda.on_earlier = self._wake.set
        self._clockwork = asyncio.create_task(self._run(), name="demo clock")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.world.agenda.on_earlier = None
        if self._clockwork is not None:
            self._clockwork.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._clockwork
            self._clockwork = None
        await self._close()

    # -- how

    async def _run(self) -> None:
        """Let things happen when they are due, for all machines, for ever."""
        while True:
            self.world.catch_up()
            await self._match_power()
            self._wake.clear()
            due = self.world.agenda.next_due
            pause = _IDLE if due is None else min(_IDLE, max(0.0, due - self.world.present))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    async def _match_power(self) -> None:
        """A machine without power has no open door."""
        for machine in self.world.machines:
            door = self._doors[machine.name]
            if machine.powered is not door.is_open:
                await (door.open() if machine.powered else door.close())

    def _socket(self, machine: Machine) -> Path:
        if self._folder is None:
            raise RuntimeError("the fleet is not open")
        return self._folder.path / _file(machine)

    async def _close(self) -> None:
        for door in self._doors.values():
            await door.close()
            door.path.unlink(missing_ok=True)
        if self._folder is not None:
            self._folder.close()
        self._folder = None


class _OpenDoor:
    """The socket of one engine and the server behind it."""

    def __init__(self, door: Door, path: Path) -> None:
        self.door = door
        self.path = path
        self._server: asyncio.AbstractServer | None = None
        self._http: web.Server | None = None

    @property
    def is_open(self) -> bool:
        return self._server is not None

    async def open(self) -> None:
        self.path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listening.bind(str(self.path))
            self.path.chmod(0o600)
            self._http = web.Server(self.door.answer, access_log=None)
            self._server = await asyncio.get_running_loop().create_unix_server(self._http, sock=listening, backlog=128)
        except BaseException:
            listening.close()
            raise

    async def close(self) -> None:
        """Take no more connections and break those that are open. The socket's file stays, so that it refuses."""
        server, http = self._server, self._http
        self._server = self._http = None
        if server is not None:
            server.close()
        tasks = tuple(self.door.answering)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if http is not None:
            await http.shutdown(_GOODBYE)


def _file(machine: Machine) -> str:
    return f"{machine.name}.sock"


def _allow_files(needed: int) -> None:
    """Raise this process's own limit of open files where a large fleet needs it; as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
