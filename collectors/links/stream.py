"""A connection to an endpoint that stays open both ways, for what is typed and shown at a terminal."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from .base import Endpoint, UnixEndpoint

IDLE, EVERY, LOST = 10, 5, 3
"""Seconds of silence before a TCP connection is probed, between two probes, and how many go unanswered: a network that
drops everything is told from one where nobody types."""


class Stream:
    """One connection; close it with `close`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        """Write it all, at the pace of the other side. Raises OSError."""
        self._writer.write(data)
        await self._writer.drain()

    async def close(self) -> None:
        """Hang up, at once; never raises."""
        transport = self._writer.transport
        transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


async def open_stream(endpoint: Endpoint, *, seconds: float) -> Stream:
    """Connect, TLS and all, within that time. Raises OSError (so also TimeoutError and SSLError)."""
    async with asyncio.timeout(seconds):
        if isinstance(endpoint, UnixEndpoint):
            return Stream(*await asyncio.open_unix_connection(endpoint.path))
        tls, host = endpoint.tls, endpoint.host
        name = host.split("%")[0] if tls is not None else None
        reader, writer = await asyncio.open_connection(host, endpoint.port, ssl=tls, server_hostname=name)
    _probe(writer.get_extra_info("socket"))
    return Stream(reader, writer)


def _probe(opened: socket.socket) -> None:
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", IDLE), ("TCP_KEEPINTVL", EVERY), ("TCP_KEEPCNT", LOST)):
        if hasattr(socket, name):
            opened.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
