"""The address of an engine, as written by a person and as data."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from .errors import ConfigError

SCHEMES = ("ssh", "tcp", "unix", "https", "http")
DOCKER_SOCKET = "/var/run/docker.sock"


class TlsFiles(msgspec.Struct, frozen=True, kw_only=True):
    """Paths of PEM files: the authority that signed the engine, and what we show it."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None


class EngineAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Everything needed to reach one engine. `name` is its key in the whole program."""

    name: str
    scheme: str
    """`ssh`, `tcp` or `unix`."""
    host: str = ""
    port: int | None = None
    """None: 22 for ssh or what the ssh config says; 2376 with TLS, 2375 without."""
    user: str = ""
    socket: str = ""
    """The engine's socket, on this machine (unix) or on the host (ssh); empty on ssh: the usual ones are tried."""
    tls: TlsFiles | None = None
    insecure: bool = False
    """Plain TCP to another machine was explicitly allowed."""
    group: str = ""
    ssh_config: Path | None = None
    """The ssh config to read; None: the user's own."""
    correlate: bool = False
    """Over SSH: look who is logged in on the host when somebody unknown did something there."""
    remote_shell: bool = True
    """Over SSH: what containers use may be read by a shell that stays open on the host."""
    figures_budget: float = 0.01
    """The share of one of the engine's cores that asking it for figures may cost."""
    origin: str = ""
    """Where it was written: `fleettop.toml`, `docker context edge`, `DOCKER_HOST`, `argument`."""

    @property
    def text(self) -> str:
        """The address as a person would write it; holds no secret."""
        if self.scheme == "unix":
            return f"unix://{self.socket}"
        who = f"{self.user}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port is not None else ""
        return f"{self.scheme}://{who}{host}{port}{self.socket}"


_HOST = re.compile(r"[A-Za-z0-9._:%\-]+")
_SOCKET = re.compile(r"/[\w@%+=:,./\-]*")


def parse_address(text: str, *, name: str = "") -> EngineAddress:
    """The address written as `ssh://[user@]host[:port][/socket]`, `tcp://host[:port]` or `unix:///path`.

    `name` defaults to the host, or to the socket's path. Raises ConfigError in one sentence.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _bad(text, str(error)) from error
    scheme = {"https": "tcp", "http": "tcp"}.get(parts.scheme, parts.scheme)
    if scheme not in ("ssh", "tcp", "unix"):
        raise _bad(text, "it starts with none of ssh://, tcp:// and unix://")
    if parts.query or parts.fragment:
        raise _bad(text, "there is something behind a ? or #")
    if parts.password is not None:
        raise _bad(text, "it holds a password, which fleettop neither needs nor keeps: use an ssh key")
    path = unquote(parts.path)
    if scheme == "unix":
        if parts.netloc or not _SOCKET.fullmatch(path) or path == "/":
            raise _bad(text, "a local socket is written unix:///path/to.sock")
        return EngineAddress(name=name or path, scheme=scheme, socket=path)
    host = parts.hostname or ""
    if not _HOST.fullmatch(host) or host.startswith("-"):
        raise _bad(text, "the host's name is missing or has characters that no host name has")
    user = unquote(parts.username or "")
    if user.startswith("-") or any(c.isspace() or not c.isprintable() for c in user):
        raise _bad(text, "that is no user name")
    if scheme == "tcp":
        if user or path not in ("", "/"):
            raise _bad(text, "a TCP address has a host and a port only")
        return EngineAddress(name=name or host, scheme=scheme, host=host, port=port)
    if path not in ("", "/") and not _SOCKET.fullmatch(path):
        raise _bad(text, "the socket's path has characters that are not expected there")
    return EngineAddress(name=name or host, scheme=scheme, host=host, port=port, user=user, socket=path.rstrip("/"))


def _bad(text: str, why: str) -> ConfigError:
    return ConfigError(
        f"The address {text!r} cannot be used: {why}.",
        hint="Write ssh://user@host:port/path/to.sock, tcp://host:2376 or unix:///path/to.sock.",
    )
