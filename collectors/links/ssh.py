"""SSH: one connection to a host, over which its engine's socket appears as a local one."""

from __future__ import annotations

import asyncio
import functools
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..address import EngineAddress
from ..errors import ConnectionLost, ForwardingForbidden, NoSocket
from ..text import plain
from . import remote
from .base import UnixEndpoint
from .dialstdio import CHANNELS, PACKET, READERS, DialServer, try_dialling
from .handshakes import FIRST_TURN, HandshakeGate, JumpLease, Turn
from .lineshell import LineShell
from .login import Login, log_in
from .logins import Logins, who_is_in
from .sshoptions import Route, find_route

if TYPE_CHECKING:
    import asyncssh

CHANNEL = 6.0
"""Seconds for a channel to the engine's socket."""
LONGEST_PATH = 100
"""Of a local socket: 108 bytes on Linux and 104 elsewhere, with the zero at the end (unix(7))."""


class SshLink:
    """The way over SSH, with as many jumps as the ssh config names.

    After `open`, `socket` is the engine's socket on the host.
    """

    insecure = False

    def __init__(self, address: EngineAddress, gate: HandshakeGate, turn: Turn = FIRST_TURN) -> None:
        self.address = address
        self.route = "ssh"
        self.socket = address.socket
        self._gate = gate
        self._turn = turn
        self._lease: JumpLease | None = None
        self._login: Login | None = None
        self._sight = remote.HostSight()
        self._server: DialServer | None = None
        self._listener: asyncssh.SSHListener | None = None
        self._folder: Path | None = None

    @property
    def channels(self) -> int | None:
        """How many connections to the endpoint work at a time; None: any number."""
        return CHANNELS if self._server is not None else None

    async def open(self) -> UnixEndpoint:
        """Log in, find the engine's socket, and make it appear as a local one.

        Raises an EngineError that names the cause and the host (or jump host) it lies with: NotResolved, Refused,
        TimedOut, Unreachable, HostKeyUnknown, HostKeyChanged, Untrusted, Authentication, Denied, NoSocket, Permission,
        ForwardingForbidden, NotAnswering, ConnectionLost or Misconfigured. Every step has a deadline; waiting for a
        place among the handshakes has none.
        """
        try:
            login = await self.log_in()
            return await self._forward(login)
        except BaseException:
            await self.close()
            raise

    async def log_in(self) -> Login:
        """The first half of `open`: be logged in at the host, and have looked around. `close` undoes it."""
        route = await asyncio.to_thread(find_route, self.address)
        return await self._log_in(route)

    async def logins(self) -> Logins | None:
        """Who is logged in on the host now; None while we are not."""
        return await who_is_in(self._login.connection) if self._login is not None else None

    async def start_shell(self, script: str, *words: str) -> LineShell | None:
        """Start a constant command that answers lines; None while we are not logged in. Raises ShellTrouble."""
        return await LineShell.start(self._login.connection, script, *words) if self._login is not None else None

    async def lost(self) -> None:
        """Return when the connection broke: ended, or silent for three keepalives (15 s)."""
        if self._login is not None:
            await self._login.lost()

    async def close(self) -> None:
        """Let go of everything; never raises."""
        server, self._server = self._server, None
        listener, self._listener = self._listener, None
        login, self._login = self._login, None
        lease, self._lease = self._lease, None
        folder, self._folder = self._folder, None
        try:
            if server is not None:
                await server.close()
            if listener is not None:
                listener.close()
            if login is not None:
                await login.close()
        finally:
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
            if lease is not None:
                await lease.release()

    # -- logging in

    async def _log_in(self, route: Route) -> Login:
        *jumps, target = route
        name = self.address.name
        who = name if name == target.name else f"{name} at {target.name}"
        if not jumps:
            async with self._gate.slot(target, self._turn):
                return await self._look(await log_in(target, who=who))
        lease = self._lease = await self._gate.jump(tuple(jumps), lambda: self._pass(tuple(jumps)))
        async with self._gate.slot(target, self._turn):
            async with self._gate.slot(jumps[-1], self._turn):
                login = await log_in(target, who=who, through=lease.login)
            return await self._look(login)

    async def _look(self, login: Login) -> Login:
        """Look around at the host, still in our place among the handshakes.

        sshd tells us that we are in before it tells its listener, which counts us among its MaxStartups until then
        (`startup_pipe` in its sshd.c). Only what it answers after that shows that we are counted no more.
        """
        self._login = login
        # This first command also switches Nagle's algorithm off at the sshd, which it does with the first session it
        # opens: without, a 16 ms list took 60 ms.
        self._sight = await remote.look(login.connection, self.address.socket)
        return login

    async def _pass(self, jumps: Route) -> Login:
        """Log in at the last of these jump hosts, through those before it."""
        *before, jump = jumps
        who = f"the jump host {jump.name}"
        if not before:
            async with self._gate.slot(jump, self._turn):
                return await log_in(jump, who=who)
        lease = await self._gate.jump(tuple(before), lambda: self._pass(tuple(before)))
        try:
            async with self._gate.slot(jump, self._turn):
                login = await log_in(jump, who=who, through=lease.login)
        except BaseException:
            await lease.release()
            raise
        login.rests_on(lease.release)
        return login

    # -- the engine's socket

    async def _forward(self, login: Login) -> UnixEndpoint:
        who, user = self.address.name, login.hop.user
        sight = self._sight
        self.socket = remote.choose_socket(sight, self.address.socket, user=user, who=who)
        self._folder = make_folder()
        local = str(self._folder / "engine.sock")
        trouble = await self._try_channel(login)
        if trouble is None:
            self._listener = await _forward_path(login.connection, local, self.socket)
            self.route = "ssh"
            return UnixEndpoint(local)
        await self._why_not(login, sight, trouble)
        self._server = DialServer(login.connection, self.socket)
        await self._server.start(local)
        self.route = "ssh dial-stdio"
        return UnixEndpoint(local, connections=READERS)

    async def _try_channel(self, login: Login) -> str | None:
        """Open and close one channel to the socket: a forwarded path accepts locally whether it leads anywhere or not.

        None where it works, otherwise sshd's reason, which does not tell a missing socket from forbidden forwarding.
        """
        import asyncssh

        try:
            async with asyncio.timeout(CHANNEL):
                _, writer = await login.connection.open_unix_connection(self.socket, encoding=None)
                writer.close()
                await writer.wait_closed()
        except asyncssh.ChannelOpenError as error:
            if login.closed:
                raise ConnectionLost(f"The connection to {self.address.name} broke while it was set up.") from error
            return plain(error.reason, 100) or "open failed"
        except TimeoutError:
            return "no answer"
        except (asyncssh.Error, OSError) as error:
            raise ConnectionLost(f"The connection to {self.address.name} broke while it was set up.") from error
        return None

    async def _why_not(self, login: Login, sight: remote.HostSight, reason: str) -> None:
        """Return where ``docker system dial-stdio`` is the way; otherwise raise why there is none."""
        who, user = self.address.name, login.hop.user
        refused = None
        if sight.docker is not False:
            refused = await try_dialling(login.connection, self.socket, user=user, who=who)
            if refused is None:
                return
            if not isinstance(refused, ForwardingForbidden):
                raise refused
        if not sight.answered:
            raise refused or ForwardingForbidden(f"{who} neither forwards sockets nor runs commands ({reason}).")
        listens = await remote.somebody_listens(login.connection, self.socket)
        if listens is False:
            raise NoSocket(
                f"{self.socket} stands on {who}, but no engine listens at it.",
                hint="Start the engine on the host (systemctl start docker).",
            )
        raise refused or ForwardingForbidden(
            f"The sshd of {who} forwards no sockets, and the host has no docker command."
        )


async def _forward_path(connection: asyncssh.SSHClientConnection, local: str, socket: str) -> asyncssh.SSHListener:
    """What asyncssh's `forward_local_path` does, in packets of `PACKET`, which that has no word for."""
    from asyncssh.listener import create_unix_forward_listener

    far = functools.partial(connection.create_unix_connection, remote_path=socket, max_pktsize=PACKET)
    return await create_unix_forward_listener(connection, asyncio.get_running_loop(), far, local)


def make_folder() -> Path:
    """A new folder that only we may enter, with a path short enough for a socket in it."""
    folder = Path(tempfile.mkdtemp(prefix="fleettop-"))
    if len(str(folder).encode()) + len("/engine.sock") > LONGEST_PATH:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="fleettop-", dir="/tmp"))
    return folder
