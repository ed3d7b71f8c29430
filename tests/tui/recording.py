"""A proxy before an engine that writes down every request that passes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

REQUEST = re.compile(rb"(?:^|\r\n\r\n)([A-Z]+) (\S+) HTTP/1\.1\r\n")


class Recorder:
    """The requests that passed, as (method, path), and what is open now."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self._open: dict[asyncio.StreamReader, str] = {}

    @property
    def streams(self) -> list[str]:
        """The paths of the event streams that are being followed now."""
        return [path for path in self._open.values() if "/events" in path and "until=" not in path]

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, record: bool) -> None:
        try:
            while data := await reader.read(1 << 16):
                if record:
                    for method, path in REQUEST.findall(data):
                        self.requests.append((method.decode(), path.decode()))
                        self._open[reader] = path.decode()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            self._open.pop(reader, None)
            writer.close()

    @asynccontextmanager
    async def before(self, engine: str, listen: Path) -> AsyncIterator[str]:
        """Record what passes from `listen` to `engine` (both paths of sockets) while this is open."""

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                inner_reader, inner_writer = await asyncio.open_unix_connection(engine)
            except OSError:
                writer.close()
                return
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._pass(reader, inner_writer, record=True))
                    group.create_task(self._pass(inner_reader, writer, record=False))
            finally:
                inner_writer.close()
                writer.close()

        server = await asyncio.start_unix_server(connected, listen)
        try:
            yield str(listen)
        finally:
            server.close()
