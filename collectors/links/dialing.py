"""From a host's name to a connected TCP socket, each way of failing in its own words."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from typing import Any

from ..errors import EngineError, NotResolved, Refused, TimedOut, Unreachable

RESOLVE = 8.0
"""Seconds for a name."""
CONNECT = 8.0
"""Seconds for a TCP connection, over all of a host's addresses."""

Found = tuple[socket.AddressFamily, tuple[Any, ...]]
"""What `socket` needs to connect: the family and the address."""


def begin(who: str) -> str:
    """What messages call a host, at the beginning of a sentence: names keep their case, words do not."""
    return f"The {who[4:]}" if who.startswith("the ") else who


def is_loopback(host: str) -> bool:
    """This machine, by what is written: a name is never asked for, since DNS may lie."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        return False


async def resolve(host: str, port: int, *, who: str) -> tuple[Found, ...]:
    """All addresses of a name, in the order to be tried; `who` is what messages call the machine.

    Raises NotResolved or TimedOut.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError as error:
        raise TimedOut(
            f"The name server did not answer within {RESOLVE:.0f} s when asked for {host!r}.",
            hint="Check this machine's network and DNS.",
        ) from error
    except (socket.gaierror, UnicodeError) as error:
        if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
            raise NotResolved(
                f"The name {host!r} of {who} cannot be resolved now: no name server answers.",
                hint="Check this machine's network and DNS, and the spelling of the host's name.",
            ) from error
        raise NotResolved(f"The name {host!r} of {who} has no address.") from error
    return tuple((family, address) for family, _, _, _, address in found)


async def connect(addresses: tuple[Found, ...], *, who: str, seconds: float = CONNECT) -> socket.socket:
    """A non-blocking socket connected to the first address that answers; whoever gets it closes it.

    A silent address takes at most its share of `seconds`, so that one dead family hides no living one.
    Raises Refused, TimedOut or Unreachable, of the address tried last.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    failure: EngineError = TimedOut(f"{begin(who)} does not answer.")
    for place, (family, address) in enumerate(addresses):
        share = (end - loop.time()) / (len(addresses) - place)
        try:
            return await _connect_one(family, address, max(share, 0.1))
        except (OSError, TimeoutError) as error:
            failure = _explain(error, f"{who} ({_written(address)})", seconds)
            failure.__cause__ = error
    raise failure


async def _connect_one(family: socket.AddressFamily, address: tuple[Any, ...], seconds: float) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setblocking(False)
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().sock_connect(opened, address)
    except BaseException:
        opened.close()
        raise
    return opened


def _written(address: tuple[Any, ...]) -> str:
    return f"{address[0]} port {address[1]}"


def _explain(error: Exception, where: str, seconds: float) -> EngineError:
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.ECONNREFUSED, errno.ECONNRESET):
        return Refused(f"{begin(where)} refuses connections.")
    if isinstance(error, TimeoutError) or number == errno.ETIMEDOUT:
        return TimedOut(f"{begin(where)} did not answer within {seconds:.0f} s.")
    if number == errno.ENETUNREACH:
        return Unreachable(
            f"There is no route to {where}.", hint="Check this machine's network (VPN, Wi-Fi, routes) and try again."
        )
    if number == errno.EHOSTUNREACH:
        return Unreachable(
            f"{begin(where)} cannot be reached.", hint="Check that the host is up and connected to its network."
        )
    return Unreachable(f"{begin(where)} cannot be reached: {error}.")
