"""Servers in the test process that the links are tried on: an sshd, an engine, and ones that misbehave."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh
import msgspec
from fleettop.collectors.address import EngineAddress

PONG = b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK"

PROHIBITED, CONNECT_FAILED = 1, 2
# RFC 4254, 5.1; OpenSSH gives the second for sockets, whatever the reason (serverloop.c).

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def tcp_server(handler: Handler) -> AsyncIterator[int]:
    """A TCP server on this machine; gives its port."""
    async with _serving(await asyncio.start_server(_closing(handler), "127.0.0.1", 0)) as server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def engine_at(path: Path) -> AsyncIterator[Path]:
    """Something that answers every request at a local socket with `OK`."""
    async with serve_at(path, _pong):
        yield path


@asynccontextmanager
async def serve_at(path: Path, handler: Handler) -> AsyncIterator[Path]:
    """A server at a local socket."""
    async with _serving(await asyncio.start_unix_server(_closing(handler), path)):
        yield path


@asynccontextmanager
async def _serving(server: asyncio.Server) -> AsyncIterator[asyncio.Server]:
    try:
        yield server
    finally:
        server.close()
        await server.wait_closed()


def _closing(handler: Handler) -> Handler:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await handler(reader, writer)
        writer.close()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()

    return serve


async def _pong(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(PONG)
        await writer.drain()


async def ask(path: str) -> bytes:
    """The first line an engine answers at a local socket; empty where the connection just ends."""
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        writer.write(b"GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n")
        async with asyncio.timeout(5):
            return (await reader.readline()).strip()
    except ConnectionError:
        return b""
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


class Sshd:
    """An sshd for one user `ops`, who logs in with the key at `key`. Commands are run by /bin/sh for real."""

    def __init__(self, folder: Path, *, forwards: bool = True, sessions: bool = True) -> None:
        self.folder = folder
        self.forwards = forwards
        self.sessions = sessions
        self.forced = ""
        """Run instead of whatever is asked for, as with `command=` in authorized_keys."""
        self.path = "/usr/bin:/bin"
        """Of the commands: a `docker` there is the host's docker command."""
        self.port = 0
        self.logins = 0
        self.starting: set[asyncssh.SSHServerConnection] = set()
        """Connections that a slow sshd may still count among its MaxStartups: nothing was asked over them yet."""
        self.most_at_once = 0
        self.environments: list[dict[str, str]] = []
        self.agents: list[object] = []
        self.connections: set[asyncssh.SSHServerConnection] = set()
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.user_key = asyncssh.generate_private_key("ssh-ed25519")
        self.key = folder / "id"
        self.user_key.write_private_key(self.key)
        self.key.chmod(0o600)
        self.known_hosts = folder / "known_hosts"
        self.config = folder / "config"

    @asynccontextmanager
    async def up(self, **changes: Any) -> AsyncIterator[Sshd]:
        """Serving; known_hosts and the ssh config are written."""
        sshd = self
        authorized = asyncssh.import_authorized_keys(self.user_key.export_public_key().decode())

        class Server(asyncssh.SSHServer):
            def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                self._connection = conn
                sshd.connections.add(conn)
                sshd.starting.add(conn)
                sshd.most_at_once = max(sshd.most_at_once, len(sshd.starting))

            def connection_lost(self, exc: Exception | None) -> None:
                sshd.connections.discard(self._connection)
                sshd.starting.discard(self._connection)

            def auth_completed(self) -> None:
                sshd.logins += 1

            def unix_connection_requested(self, dest_path: str) -> bool:
                sshd.starting.discard(self._connection)
                if not sshd.forwards:
                    raise asyncssh.ChannelOpenError(CONNECT_FAILED, "open failed")
                return True

            def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
                sshd.starting.discard(self._connection)
                if not sshd.forwards:
                    raise asyncssh.ChannelOpenError(PROHIBITED, "open failed")
                return True

        options = {"server_host_keys": [self.host_key], "authorized_client_keys": authorized} | changes
        server = await asyncssh.listen(
            *("127.0.0.1", self.port),
            server_factory=Server,
            process_factory=self._run if self.sessions else None,
            encoding=None,
            **options,
        )
        self.port = server.sockets[0].getsockname()[1]
        self.write_files()
        try:
            yield self
        finally:
            server.close()
            await self.cut()
            await server.wait_closed()

    async def cut(self) -> None:
        """Break all its connections."""
        for connection in list(self.connections):
            connection.abort()
            await connection.wait_closed()

    def write_files(self, *, config: str = "") -> None:
        """known_hosts with its key, and an ssh config that calls it `host`, after the lines of `config`."""
        public = self.host_key.export_public_key().decode().strip()
        self.known_hosts.write_text(f"# a comment\n[127.0.0.1]:{self.port} {public}\n")
        self.write_config(config)

    def write_config(self, before: str = "") -> None:
        """The ssh config alone."""
        self.config.write_text(
            f"{before}\nHost host\n  HostName 127.0.0.1\n  Port {self.port}\n  User ops\n  IdentityFile {self.key}\n"
            f"  IdentityAgent none\n  UserKnownHostsFile {self.known_hosts}\n  GlobalKnownHostsFile none\n"
        )

    def address(self, socket: str = "", **changes: Any) -> EngineAddress:
        """The address of an engine on it."""
        found = EngineAddress(name="web-1", scheme="ssh", host="host", socket=socket, ssh_config=self.config)
        return msgspec.structs.replace(found, **changes)

    async def _run(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        self.starting.discard(process.channel.get_connection())
        self.environments.append(dict(process.env))
        self.agents.append(process.channel.get_connection().get_agent_path())
        command = self.forced or process.command or ""
        child = await asyncio.create_subprocess_exec(
            *("/bin/sh", "-c", command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": self.path},
        )
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        asking = asyncio.ensure_future(_carry(process.stdin, child.stdin))
        try:
            await asyncio.gather(_carry(child.stdout, process.stdout), _carry(child.stderr, process.stderr))
            process.exit(await child.wait())
        except (OSError, asyncssh.Error):
            process.close()
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            child.stdin.close()
            if child.returncode is None:
                child.kill()
                await child.wait()


async def _carry(source: Any, sink: Any) -> None:
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()
    if isinstance(sink, asyncio.StreamWriter):
        sink.write_eof()
