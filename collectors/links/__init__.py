"""The ways to an engine: each turns an address into a local endpoint."""

from __future__ import annotations

from ..address import EngineAddress
from .base import Endpoint, Link, Misconfigured, TcpEndpoint, UnixEndpoint
from .handshakes import HandshakeGate
from .ssh import SshLink
from .tcp import TcpLink
from .unix import UnixLink

__all__ = ["Endpoint", "HandshakeGate", "Link", "Misconfigured", "TcpEndpoint", "UnixEndpoint", "link_to"]


def link_to(address: EngineAddress, *, gate: HandshakeGate | None = None) -> Link:
    """The link for an address, not yet opened; never raises. `gate` is the program's one (None: of its own)."""
    if address.scheme == "unix":
        return UnixLink(address)
    if address.scheme == "tcp":
        return TcpLink(address)
    return SshLink(address, gate or HandshakeGate())
