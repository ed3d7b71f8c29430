"""The ways to an engine: each turns an address into a local endpoint."""

from __future__ import annotations

from ..address import EngineAddress
from .base import Endpoint, Link, Misconfigured, TcpEndpoint, UnixEndpoint
from .handshakes import FIRST_TURN, HandshakeGate, Turn
from .logins import Logins
from .ssh import SshLink
from .tcp import TcpLink
from .unix import UnixLink

__all__ = [
    "Endpoint",
    "HandshakeGate",
    "Link",
    "Logins",
    "Misconfigured",
    "TcpEndpoint",
    "Turn",
    "UnixEndpoint",
    "link_to",
    "logins_over",
]


def link_to(address: EngineAddress, *, gate: HandshakeGate | None = None, turn: Turn = FIRST_TURN) -> Link:
    """The link for an address, not yet opened; never raises. `gate` is the program's one (None: of its own), `turn`
    when it gets its place there."""
    if address.scheme == "unix":
        return UnixLink(address)
    if address.scheme == "tcp":
        return TcpLink(address)
    return SshLink(address, gate or HandshakeGate(), turn)


async def logins_over(link: Link) -> Logins | None:
    """Who is logged in on the host at the other end of an open link; None: only SSH leads to a host."""
    return await link.logins() if isinstance(link, SshLink) else None
