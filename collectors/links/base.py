"""What every link gives: a local endpoint that anything above can dial without knowing how it came to be."""

from __future__ import annotations

import ssl
from typing import Protocol

import msgspec

from ..address import EngineAddress, TlsFiles
from ..errors import ConfigError, EngineError


class Misconfigured(EngineError, ConfigError):
    """What the config says of the way to one engine cannot be used. Trying again does not help until it is changed."""

    word = "config"


class UnixEndpoint(msgspec.Struct, frozen=True):
    """A socket on this machine. `connections` is how many may be open at once; 0: as many as one likes."""

    path: str
    connections: int = 0


class TcpEndpoint(msgspec.Struct, frozen=True):
    """A host and port; `tls` is None for plain TCP. `files` are kept for the docker SDK, which wants paths."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    files: TlsFiles | None = None


Endpoint = UnixEndpoint | TcpEndpoint


class Link(Protocol):
    """One way to one engine. Opened once, closed once; a new attempt is a new link."""

    address: EngineAddress

    @property
    def route(self) -> str:
        """How it goes, in words: `local socket`, `TLS`, `plain TCP`, `ssh`, `ssh dial-stdio`."""
        ...

    @property
    def insecure(self) -> bool:
        """Neither encrypted nor local."""
        ...

    async def open(self) -> Endpoint:
        """Connect, within a deadline. Raises an EngineError that names the cause; leaves nothing behind then."""
        ...

    async def lost(self) -> None:
        """Return when the link has broken. A link that cannot tell (unix, TCP) waits until cancelled."""
        ...

    async def close(self) -> None:
        """Let go of everything; never raises."""
        ...
