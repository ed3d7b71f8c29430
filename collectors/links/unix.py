"""A socket on this machine: the shortest way there is."""

from __future__ import annotations

import asyncio
import os
import pwd
import socket
from pathlib import Path

from ..address import EngineAddress
from ..errors import EngineError, NoSocket, NotAnswering, Permission, Refused, Unreachable
from .base import UnixEndpoint

DEADLINE = 5.0
AGAIN = 0.05


class UnixLink:
    """The way through a local socket. It cannot tell that it broke: only a request does."""

    route = "local socket"
    insecure = False

    def __init__(self, address: EngineAddress) -> None:
        self.address = address

    async def open(self) -> UnixEndpoint:
        """Connect once, to say at once and in words what is wrong.

        Raises NoSocket, Permission, Refused (a socket nobody listens at) or NotAnswering.
        """
        path = self.address.socket
        trial = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            trial.setblocking(False)
            async with asyncio.timeout(DEADLINE):
                await _connect(trial, path)
        except (OSError, TimeoutError) as error:
            raise await asyncio.to_thread(_explain, error, path) from error
        finally:
            trial.close()
        return UnixEndpoint(path)

    async def lost(self) -> None:
        """Wait until cancelled."""
        await asyncio.get_running_loop().create_future()

    async def close(self) -> None:
        """Nothing is held."""


async def _connect(trial: socket.socket, path: str) -> None:
    """A full backlog is EAGAIN on a unix socket, and nothing is under way then (connect(2)); asyncio's `sock_connect`
    takes it for a connection that was made."""
    while True:
        try:
            return trial.connect(path)
        except BlockingIOError:
            await asyncio.sleep(AGAIN)


def _explain(error: Exception, path: str) -> EngineError:
    if isinstance(error, FileNotFoundError):
        return NoSocket(f"There is no {path} on this machine.", hint="Start the engine, or name its socket's path.")
    if isinstance(error, PermissionError):
        return _permission(path)
    if isinstance(error, ConnectionRefusedError):
        if not Path(path).is_socket():
            return NoSocket(f"{path} is no socket.", hint="Name the path of the engine's socket.")
        return Refused(f"Nobody listens at {path}.", hint="Start the engine (systemctl start docker).")
    if isinstance(error, TimeoutError):
        return NotAnswering(
            f"The engine at {path} takes no more connections.",
            hint="The engine hangs: look at the daemon (systemctl status docker).",
        )
    return Unreachable(f"{path} cannot be used: {error.strerror if isinstance(error, OSError) else error}.")


def _permission(path: str) -> Permission:
    user = _user_name()
    try:
        group = Path(path).group()
    except (OSError, KeyError):
        return Permission(
            f"The user {user} may not reach {path}.",
            hint="Use a user who may, or your own engine's socket.",
        )
    if group in ("root", "wheel"):
        return Permission(f"The user {user} may not open {path}, which belongs to {group}.")
    return Permission(
        f"The user {user} is not in group {group}, so may not open {path}.",
        hint=f"Run `sudo usermod -aG {group} {user}` and log in again.",
    )


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"with id {os.geteuid()}"
