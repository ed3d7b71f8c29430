"""The connections to one engine: kept open between requests, and opened anew where the engine has closed them."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
from contextlib import suppress
from typing import NamedTuple

from ..links.base import Endpoint, UnixEndpoint
from .connection import Connection, Reply, Untouched

KEEPALIVE = 30.0
"""Seconds for which a connection is kept that nobody uses."""
RACE = 0.25
"""Seconds until a name's next address is tried beside the one before (RFC 8305). An address alone has nothing to race
with, and a race that is cancelled loses sockets it has connected (asyncio/staggered.py of Python 3.11)."""
PARTING = 1.0
"""Seconds to wait at most for sockets to be let go of."""
_NUMBER = re.compile(r"\[Errno (\d+)\]")


class ConnectTimeout(TimeoutError):
    """Nobody took the connection in time."""


class Held(NamedTuple):
    """An answer, and the connection it comes by."""

    reply: Reply
    connection: Connection


class Pool:
    """Connections to one endpoint; no more of them at once than the endpoint allows."""

    def __init__(self, endpoint: Endpoint, *, connect: float) -> None:
        """`connect`: seconds for a connection to come about, with TLS where that is asked for."""
        self._endpoint = endpoint
        self._connect = connect
        most = endpoint.connections if isinstance(endpoint, UnixEndpoint) else 0
        self._room = asyncio.Semaphore(most) if most else None
        self._idle: list[tuple[float, Connection]] = []
        self._used: set[Connection] = set()
        self._sweeping: asyncio.TimerHandle | None = None

    async def get(self, request: bytes) -> Held:
        """Send a GET; its answer when the headers are in, to be given back. Raises what `Connection.get` does, and
        ConnectTimeout, or an OSError, where no connection comes about."""
        if self._room is not None:
            await self._room.acquire()
        try:
            while (connection := self._kept()) is not None:
                try:
                    return await self._ask(connection, request)
                except Untouched:
                    continue
            return await self._ask(await self._open(), request)
        except BaseException:
            self._leave_room()
            raise

    def give_back(self, held: Held) -> None:
        """The answer is done with: its connection goes on where it was read to its end, and is closed where not."""
        self._used.discard(held.connection)
        if held.connection.finish(held.reply):
            loop = asyncio.get_running_loop()
            self._idle.append((loop.time(), held.connection))
            if self._sweeping is None:
                self._sweeping = loop.call_later(KEEPALIVE, self._sweep)
        self._leave_room()

    def _leave_room(self) -> None:
        """One connection fewer is in use."""
        if self._room is not None:
            self._room.release()

    async def close(self) -> None:
        """Close all of them; answers under way end with an error."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        closing = (*self._used, *(connection for _, connection in self._idle))
        self._idle.clear()
        self._used.clear()
        for connection in closing:
            connection.abort()
        with suppress(TimeoutError):
            async with asyncio.timeout(PARTING):
                for connection in closing:
                    await connection.gone()

    async def _ask(self, connection: Connection, request: bytes) -> Held:
        self._used.add(connection)
        try:
            reply = await connection.get(request)
        except BaseException:
            self._used.discard(connection)
            raise
        return Held(reply, connection)

    def _kept(self) -> Connection | None:
        """The one that was used last, for it is the least likely to have been closed."""
        while self._idle:
            _, connection = self._idle.pop()
            if connection.usable:
                return connection
        return None

    async def _open(self) -> Connection:
        loop, endpoint = asyncio.get_running_loop(), self._endpoint
        try:
            async with asyncio.timeout(self._connect):
                if isinstance(endpoint, UnixEndpoint):
                    return (await loop.create_unix_connection(Connection, endpoint.path))[1]
                race = None if is_address(endpoint.host) else RACE
                made = await loop.create_connection(
                    Connection, endpoint.host, endpoint.port, ssl=endpoint.tls, happy_eyeballs_delay=race
                )
                return made[1]
        except TimeoutError as error:
            if error.errno is not None:
                raise  # the network's own
            raise ConnectTimeout(str(error)) from error
        except OSError as error:
            raise _one_of(error) from error

    def _sweep(self) -> None:
        self._sweeping = None
        loop = asyncio.get_running_loop()
        due = loop.time() - KEEPALIVE
        for since, connection in self._idle:
            if since <= due:
                connection.abort()
        self._idle = [(since, one) for since, one in self._idle if one.usable]
        if self._idle:
            self._sweeping = loop.call_at(self._idle[0][0] + KEEPALIVE, self._sweep)


def is_address(host: str) -> bool:
    """Whether this is an address already, of IPv4 or IPv6, with or without a zone."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _one_of(error: OSError) -> OSError:
    """Where several addresses failed, asyncio has their errors in one text, and no errno (asyncio/base_events.py)."""
    numbers = _NUMBER.findall(str(error)) if error.errno is None else []
    return OSError(int(numbers[-1]), os.strerror(int(numbers[-1]))) if numbers else error
