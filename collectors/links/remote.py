"""What stands on a host: its engine's socket, whether we may open it, and whether it has a docker command.

The commands are constant; the one thing put into them is the quoted path of a socket.
"""

from __future__ import annotations

import asyncio
import shlex
from typing import TYPE_CHECKING

import msgspec

from ..address import DOCKER_SOCKET
from ..errors import EngineError, NoSocket, Permission
from ..text import plain

if TYPE_CHECKING:
    import asyncssh

EXEC = 8.0
"""Seconds for one command, login shell and all."""
MOST = 65536
"""Bytes read of what a command prints; a login shell may print anything before it."""


class Seen(msgspec.Struct, frozen=True):
    """What stands at a path: `open`, `denied`, `hidden` (in a folder we may not enter), `other` or `missing`."""

    state: str
    group: str
    path: str


class HostSight(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at a host found. Nothing at all where it let us run no command."""

    answered: bool = False
    sockets: tuple[Seen, ...] = ()
    docker: bool | None = None
    """Whether there is a docker command; None: not known."""


# One line, no `!` and no single quotes, so that every login shell (csh and fish too) hands it on as it is.
_EACH = (
    'for p in "$@"; do g=-; '
    'if [ -S "$p" ]; then if [ -r "$p" ] && [ -w "$p" ]; then s=open; '
    'else s=denied; g=$(PATH=$PATH:/usr/bin:/bin; stat -c %G "$p" || stat -f %Sg "$p"); fi; '
    'elif [ -e "$p" ]; then s=other; '
    'else s=missing; d=$p; while d=${d%/*}; [ -n "$d" ]; do '
    'if [ -d "$d" ]; then if [ -x "$d" ]; then :; else s=hidden; fi; break; fi; done; fi; '
    'echo "fleettop:at $s ${g:--} $p"; done; '
    'if command -v docker >/dev/null; then echo "fleettop:docker yes"; else echo "fleettop:docker no"; fi'
)
_USUAL = (
    "u=$(PATH=$PATH:/usr/bin:/bin; id -u); r=${XDG_RUNTIME_DIR:-/run/user/$u}; "
    f'set -- {DOCKER_SOCKET} "$r/docker.sock" /run/podman/podman.sock "$r/podman/podman.sock"; '
)
# moby: rootless docker listens at $XDG_RUNTIME_DIR/docker.sock; podman-system-service(1) names the last two.
_LISTENERS = (
    'if [ -r /proc/net/unix ]; then echo "fleettop:is $(PATH=$PATH:/usr/bin:/bin; readlink -f "$1")"; '
    "while read -r n r p f t s i w; do "
    'case $f in 00010000) echo "fleettop:listens $w";; esac; done </proc/net/unix; fi'
)
# __SO_ACCEPTCON in the flags: listening (net/unix/af_unix.c, unix_seq_show).


async def look(connection: asyncssh.SSHClientConnection, socket: str) -> HostSight:
    """Look for the engine's socket at `socket`, or at the usual places where it is empty."""
    script, *words = (_EACH, "fleettop", socket) if socket else (_USUAL + _EACH, "fleettop")
    lines = await run(connection, script, *words)
    found = []
    docker = None
    for line in lines:
        kind, _, rest = line.partition(" ")
        if kind == "at" and rest.count(" ") >= 2:
            found.append(Seen(*rest.split(" ", 2)))
        elif kind == "docker":
            docker = rest == "yes"
    return HostSight(answered=bool(found), sockets=tuple(found), docker=docker)


async def somebody_listens(connection: asyncssh.SSHClientConnection, socket: str) -> bool | None:
    """Whether a program listens at that path on the host; None where that cannot be told."""
    lines = await run(connection, _LISTENERS, "fleettop", socket)
    if not lines:
        return None
    wanted = {_name(line.removeprefix("is ")) for line in lines if line.startswith("is ")} | {_name(socket)}
    return any(_name(line.removeprefix("listens ")) in wanted for line in lines)


def _name(path: str) -> str:
    """A listener is known by the path it was started with, and /var/run is a link to /run."""
    return path.removeprefix("/var")


async def run(connection: asyncssh.SSHClientConnection, script: str, *words: str) -> list[str]:
    """What a constant script printed for us, without the mark; empty where it cannot be run."""
    import asyncssh

    command = " ".join(["/bin/sh", "-c", *(shlex.quote(word) for word in (script, *words))])
    try:
        async with asyncio.timeout(EXEC):
            process = await connection.create_process(
                command, encoding=None, stdin=asyncssh.DEVNULL, stderr=asyncssh.DEVNULL
            )
            try:
                printed = await _read(process.stdout)
            finally:
                process.close()
            await process.wait_closed()
    except (asyncssh.Error, OSError, TimeoutError):
        return []
    marked = [line for line in printed.decode(errors="replace").splitlines() if line.startswith("fleettop:")]
    return [plain(line.removeprefix("fleettop:")) for line in marked]


async def _read(stream: asyncssh.SSHReader[bytes]) -> bytes:
    printed = b""
    while len(printed) < MOST and (more := await stream.read(MOST)):
        printed += more
    return printed


# -- what follows from it ----------------------------------------------------------------------------------------------


def choose_socket(sight: HostSight, wanted: str, *, user: str, who: str) -> str:
    """The path of the engine's socket on the host. Raises NoSocket or Permission, in words."""
    if not sight.answered:
        return wanted or DOCKER_SOCKET
    for seen in sight.sockets:
        if seen.state == "open":
            return seen.path
    for state in ("denied", "hidden", "other"):
        for seen in sight.sockets:
            if seen.state == state and (state == "denied" or wanted):
                raise _explain(seen, user, who)
    if wanted:
        raise NoSocket(f"There is no {wanted} on {who}.")
    raise NoSocket(f"No engine's socket was found on {who}: not {_listed(sight.sockets)}.")


def _explain(seen: Seen, user: str, who: str) -> EngineError:
    if seen.state == "other":
        return NoSocket(
            f"{seen.path} on {who} is no socket.", hint="Put the path of the engine's socket into the address."
        )
    if seen.state == "hidden":
        return Permission(
            f"The user {user} may not enter the folder of {seen.path} on {who}.",
            hint="Log in as the user whose engine that is, or name another socket in the address.",
        )
    return explain_denied(seen.path, "" if seen.group in ("-", "UNKNOWN") else seen.group, user, who)


def explain_denied(path: str, group: str, user: str, who: str) -> Permission:
    """The socket may not be opened; `group` owns it, or is empty where that is not known."""
    if group in ("root", "wheel"):
        return Permission(
            f"The user {user} may not open {path} on {who}, which is root's alone.",
            hint=f"Let a group own the socket (dockerd --group docker), and put {user} into it.",
        )
    wanted = group or "docker"
    return Permission(
        f"The user {user} is not in group {wanted} on {who}, so may not open {path}.",
        hint=f"Run `sudo usermod -aG {wanted} {user}` on the host.",
    )


def _listed(sockets: tuple[Seen, ...]) -> str:
    return ", ".join(seen.path for seen in sockets[:-1]) + f" nor {sockets[-1].path}"
