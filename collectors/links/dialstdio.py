"""The way through ``docker system dial-stdio`` on the host, for where sshd forwards no sockets."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import socket as sockets
from typing import TYPE_CHECKING

from ..errors import ConnectionLost, EngineError, ForwardingForbidden, NoSocket, NotAnswering
from ..text import plain
from .remote import explain_denied

if TYPE_CHECKING:
    import asyncssh

CHANNELS = 8
"""At once: sshd's MaxSessions is 10 unless configured, and one is for commands."""
READERS = 6
"""Of these, how many reading may take: a reader that waits for a channel in vain looks like a frozen engine, and an
action has to find one free."""
TRIAL = 6.0
LINGER = 10.0
"""Seconds the engine has to finish what it was saying after its client has hung up."""
CHUNK = 65536
PACKET = 8192
"""Bytes of an SSH packet at most: nothing of one is known before all of it is here (RFC 4253, section 6). One of the
32 kB that are usual takes longer than a request's deadline at 6 kB/s, so that an answer looks like silence."""
AGAIN = 0.1
TRIES = 20
"""For a session, one AGAIN after the other, where none of ours is open."""
BACKLOG = 64


def dial_command(socket: str) -> str:
    """The command that connects its input and output with the engine; always the engine at `socket`, since the user's
    docker context on the host may be another machine."""
    return f"docker --host {shlex.quote(f'unix://{socket}')} system dial-stdio"


async def try_dialling(
    connection: asyncssh.SSHClientConnection, socket: str, *, user: str, who: str
) -> EngineError | None:
    """Connect to the engine once and hang up; None where that works, or why it does not."""
    import asyncssh

    said = b""
    try:
        async with asyncio.timeout(TRIAL):
            process = await connection.create_process(dial_command(socket), encoding=None)
            try:
                process.stdin.write_eof()
                # An engine closes a connection on which nothing is asked; the command then ends with 0.
                said = await process.stderr.read(CHUNK)
                await process.wait()
            finally:
                process.close()
    except TimeoutError:
        return NotAnswering(f"The engine of {who} takes connections and says nothing (docker system dial-stdio).")
    except asyncssh.ChannelOpenError as error:
        return _no_channel(error, who)
    except (asyncssh.Error, OSError) as error:
        return ConnectionLost(f"The connection to {who} broke while the docker command was tried: {error}.")
    if process.exit_status == 0:
        return None
    return _explain(plain(said.decode(errors="replace").strip(), 200), process.exit_status, socket, user, who)


def _no_channel(error: asyncssh.ChannelOpenError, who: str) -> EngineError:
    return ForwardingForbidden(
        f"{who} forwards no sockets, and opens no session for the docker command either ({plain(error.reason, 100)}).",
        hint="Set AllowStreamLocalForwarding yes in the host's sshd_config, or raise its MaxSessions.",
    )


def _explain(said: str, status: int | None, socket: str, user: str, who: str) -> EngineError:
    lower = said.lower()
    dialled = "docker daemon" in lower or "dial unix" in lower
    if dialled and "permission denied" in lower:
        return explain_denied(socket, "", user, who)
    if dialled:
        return NoSocket(
            f"{socket} stands on {who}, but no engine listens at it.",
            hint="Start the engine on the host (systemctl start docker).",
        )
    if status is None and not said:
        return ConnectionLost(f"The docker command on {who} was ended before it said anything.")
    why = "has no docker command" if status == 127 else f"its docker command failed ({said or f'status {status}'})"
    return ForwardingForbidden(f"The sshd of {who} forwards no sockets, and the host {why}.")


class DialServer:
    """A local socket whose connections each go through a docker command of their own on the host.

    At most CHANNELS at once, or as many as sshd's MaxSessions allows; more of them wait for their turn.
    """

    def __init__(self, connection: asyncssh.SSHClientConnection, socket: str) -> None:
        self._connection = connection
        self._command = dial_command(socket)
        self._turns = asyncio.Semaphore(CHANNELS)
        self._open = 0
        self._serving: dict[asyncio.Task[None], sockets.socket] = {}
        self._listener: sockets.socket | None = None

    async def start(self, path: str) -> None:
        """Listen at `path`."""
        self._listener = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
        self._listener.setblocking(False)
        self._listener.bind(path)
        self._listener.listen(BACKLOG)
        asyncio.get_running_loop().add_reader(self._listener, self._accept)

    async def close(self) -> None:
        """Stop listening and end every channel; never raises."""
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        serving = dict(self._serving)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        for near in serving.values():
            near.close()  # of a task that was cancelled before it began

    def _accept(self) -> None:
        """Take a connection and start its task at once. asyncio's own server, closed in between, would leak it
        (CPython 3.11, base_events.Server._attach)."""
        assert self._listener is not None
        try:
            near, _ = self._listener.accept()
        except OSError:
            return
        task = asyncio.get_running_loop().create_task(self._serve(near))
        self._serving[task] = near
        task.add_done_callback(lambda done: self._serving.pop(done, None))

    async def _serve(self, near: sockets.socket) -> None:
        near.setblocking(False)
        reader, writer = await asyncio.open_unix_connection(sock=near)
        try:
            alone = 0
            while not await self._try(reader, writer) and alone < TRIES:
                # sshd opens no more sessions now. A session counts until its command has ended, so it may be one of
                # ours that has just been closed.
                alone = 0 if self._open else alone + 1
                await asyncio.sleep(AGAIN)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _try(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Carry one connection when it is its turn. False where sshd opened no session for it.

        A channel that dies simply ends the connection: the client sees it lost, and the link itself tells whether more
        than this channel broke.
        """
        import asyncssh

        async with self._turns:
            try:
                process = await self._connection.create_process(
                    self._command, encoding=None, stderr=asyncssh.DEVNULL, max_pktsize=PACKET
                )
            except asyncssh.ChannelOpenError:
                return self._connection.is_closed()
            except (asyncssh.Error, OSError):
                return True
            self._open += 1
            try:
                await _carry(process, reader, writer)
            finally:
                self._open -= 1
        return True


async def _carry(
    process: asyncssh.SSHClientProcess[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Both ways, until either side ends."""
    import asyncssh

    try:
        async with asyncio.TaskGroup() as group:
            flow = _Flow()
            asking = group.create_task(_ask(reader, process.stdin))
            answering = group.create_task(flow.carry(process.stdout, writer))
            await asyncio.wait((asking, answering), return_when=asyncio.FIRST_COMPLETED)
            await flow.linger(answering)
            asking.cancel()
            answering.cancel()
    except* (asyncssh.Error, OSError):
        pass
    finally:
        process.close()


async def _ask(reader: asyncio.StreamReader, sink: asyncssh.SSHWriter[bytes]) -> None:
    while data := await reader.read(CHUNK):
        sink.write(data)
        await sink.drain()
    sink.write_eof()


class _Flow:
    """What the engine says, on its way to the client."""

    def __init__(self) -> None:
        self._carried = 0

    async def carry(self, source: asyncssh.SSHReader[bytes], writer: asyncio.StreamWriter) -> None:
        """Until the engine ends."""
        while data := await source.read(CHUNK):
            self._carried += len(data)
            writer.write(data)
            await writer.drain()

    async def linger(self, answering: asyncio.Task[None]) -> None:
        """The client has hung up: let the engine finish, as long as it says anything within LINGER."""
        before = -1
        while not answering.done() and self._carried != before:
            before = self._carried
            await asyncio.wait((answering,), timeout=LINGER)
