"""What the ssh config says of the way to a host: its jumps, names, keys and known hosts, as data.

asyncssh parses the config; what it makes of it is taken over option by option and given to every connection explicitly,
since left to itself it checks no host key where UserKnownHostsFile is `none`, reads no global known hosts, does not
apply these rules to jump hosts, and sends environment variables.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ..address import EngineAddress
from ..errors import Untrusted
from .base import Misconfigured

SYSTEM_CONFIG = Path("/etc/ssh/ssh_config")
USER_KNOWN_HOSTS = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
GLOBAL_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
IDENTITIES = ("id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk")
"""The keys that OpenSSH tries where none is configured (ssh_config(5), IdentityFile)."""
MOST_JUMPS = 8


class Hop(msgspec.Struct, frozen=True, kw_only=True):
    """One sshd on the way, and how to log in there."""

    name: str
    """As it was written: the `Host` of the ssh config."""
    host: str
    port: int
    user: str
    key_alias: str = ""
    """HostKeyAlias: the name its key is known under."""
    user_known_hosts: tuple[Path, ...] = ()
    global_known_hosts: tuple[Path, ...] = ()
    identities: tuple[Path, ...] = ()
    identities_configured: bool = False
    identities_only: bool = False
    certificates: tuple[Path, ...] = ()
    agent: str = ""
    """The agent's socket; empty: none."""
    proxy_command: tuple[str, ...] = ()
    """Program and arguments; run without a shell."""
    ciphers: tuple[str, ...] = ()
    """Those configured that can be spoken; empty: none are configured. So too the next two."""
    key_exchanges: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    host_key_algorithms: str = ""
    connect_seconds: float | None = None

    @property
    def place(self) -> str:
        """Name, address and port, as far as they differ."""
        port = "" if self.port == 22 else f" port {self.port}"
        return f"{self.name}{port}" if self.name == self.host else f"{self.name} ({self.host}{port})"


Route = tuple[Hop, ...]
"""Jump hosts in the order they are passed, and the engine's host last."""


def find_route(address: EngineAddress) -> Route:
    """The way to an engine's host as the ssh config has it. Reads files and may run `Match exec`: call it in a thread.

    Raises Misconfigured, and Untrusted where the config would turn the check of host keys off.
    """
    files = _config_files(address.ssh_config)
    return _route(files, address.host, address.port, address.user, seen=())


def _config_files(named: Path | None) -> tuple[Path, ...]:
    if named is not None:
        named = named.expanduser()
        if not named.is_file():
            raise Misconfigured(f"There is no ssh config {named}.")
        return (named,)
    usual = (Path("~/.ssh/config").expanduser(), SYSTEM_CONFIG)
    return tuple(path for path in usual if os.access(path, os.R_OK))


def _route(files: Sequence[Path], name: str, port: int | None, user: str, *, seen: tuple[str, ...]) -> Route:
    if len(seen) > MOST_JUMPS or name in seen:
        raise Misconfigured(
            f"The ssh config sends the way to {seen[0]} in a circle: {' → '.join((*seen, name))}.",
            hint="Say `ProxyJump none` for the jump host, or keep it out of the pattern (`Host * !jump`).",
        )
    options = _Options(files, name, port, user)
    hop = options.hop()
    jumps = _jumps(options.text("ProxyJump"), name)
    before: Route = ()
    for place, (jump_user, jump_host, jump_port) in enumerate(jumps):
        found = _route(files, jump_host, jump_port, jump_user, seen=(*seen, name))
        # Of several jumps only the first is reached by its own ProxyJump; the others through the one before them.
        before += found if place == 0 else found[-1:]
    if before:
        hop = msgspec.structs.replace(hop, proxy_command=())
    return (*before, hop)


_JUMP = re.compile(r"(?:ssh://)?(?:(?P<user>[^@\s]+)@)?(?P<host>\[[0-9A-Fa-f:.%\w]+\]|[\w.\-]+)(?::(?P<port>\d+))?/?")


def _jumps(written: str, name: str) -> list[tuple[str, str, int | None]]:
    if not written or written.lower() == "none":
        return []
    found = []
    for part in written.split(","):
        match = _JUMP.fullmatch(part.strip())
        if match is None or match["host"].startswith("-") or (match["user"] or "").startswith("-"):
            raise Misconfigured(f"The ssh config names a jump host for {name} that cannot be understood: {part!r}.")
        found.append((match["user"] or "", match["host"].strip("[]"), int(match["port"]) if match["port"] else None))
    return found


class _Options:
    """The options of one host."""

    def __init__(self, files: Sequence[Path], name: str, port: int | None, user: str) -> None:
        import asyncssh

        given: dict[str, object] = {}
        if port is not None:
            given["port"] = port
        if user:
            given["username"] = user
        try:
            parsed = asyncssh.SSHClientConnectionOptions(
                config=[str(path) for path in files], host=name, client_keys=None, agent_path=None, **given
            )
        except (asyncssh.ConfigParseError, OSError, ValueError) as error:
            raise Misconfigured(f"The ssh config cannot be used for {name}: {error}.") from error
        self._parsed = parsed
        self._config = parsed.config
        self._user = parsed.username
        self._name = name

    def text(self, option: str) -> str:
        """A single value; empty where it is not set or `none`."""
        value = self._config.get(option)
        return str(value) if value else ""

    def hop(self) -> Hop:
        """Everything a login needs."""
        port = self._config.get("Port", 22)
        configured = self._config.get("IdentityFile") is not None
        usual = tuple(f"~/.ssh/{name}" for name in IDENTITIES)
        identities = self._texts("IdentityFile") if configured else usual
        assert isinstance(port, int)
        seconds = self._config.get("ConnectTimeout")
        return Hop(
            name=self._name,
            host=self.text("Hostname") or self._name,
            port=port,
            user=self._user,
            key_alias=self.text("HostKeyAlias"),
            user_known_hosts=self._known_hosts("UserKnownHostsFile", USER_KNOWN_HOSTS),
            global_known_hosts=self._known_hosts("GlobalKnownHostsFile", GLOBAL_KNOWN_HOSTS),
            identities=tuple(self._path(name) for name in identities),
            identities_configured=configured,
            identities_only=bool(self._config.get("IdentitiesOnly")),
            certificates=tuple(self._path(name) for name in self._texts("CertificateFile")),
            agent=self._agent(),
            proxy_command=self._proxy_command(),
            ciphers=self._algorithms("Ciphers", self._parsed.encryption_algs),
            key_exchanges=self._algorithms("KexAlgorithms", self._parsed.kex_algs),
            macs=self._algorithms("MACs", self._parsed.mac_algs),
            host_key_algorithms=self.text("HostKeyAlgorithms"),
            connect_seconds=float(seconds) if isinstance(seconds, int) and seconds > 0 else None,
        )

    def _texts(self, option: str) -> tuple[str, ...]:
        value = self._config.get(option, ())
        return tuple(str(part) for part in value) if isinstance(value, Sequence) else ()

    def _algorithms(self, option: str, resolved: Sequence[bytes]) -> tuple[str, ...]:
        """asyncssh has left out what it cannot speak, as long as the names come from a config."""
        return tuple(name.decode() for name in resolved) if self._config.get(option) else ()

    def _known_hosts(self, option: str, usual: tuple[str, ...]) -> tuple[Path, ...]:
        written = self._config.get(option)
        names = usual if written is None else self._texts(option)
        paths = tuple(self._path(name) for name in names)
        users = option == "UserKnownHostsFile"
        if users and (not paths or any(path == Path(os.devnull) for path in paths)):
            raise Untrusted(
                f"The ssh config sets UserKnownHostsFile to nothing for {self._name}, which means that no host key "
                "would be known.",
                hint="Name a file there, or leave the option out: fleettop always checks host keys.",
            )
        return paths

    def _path(self, written: str) -> Path:
        """`~`, `${VARIABLE}` and the tokens that say where this is; asyncssh expands them for some options only."""
        tokens = {
            "%": "%",
            "d": str(Path.home()),
            "h": self.text("Hostname") or self._name,
            "i": str(os.getuid()),
            "n": self._name,
            "p": str(self._config.get("Port", 22)),
            "r": self._user,
            "k": self.text("HostKeyAlias") or self._name,
        }
        text = re.sub(r"%(.)", lambda found: tokens.get(found[1], found[0]), written)
        text = re.sub(r"\$\{(\w+)\}", lambda found: os.environ.get(found[1], found[0]), text)
        return Path(text).expanduser()

    def _agent(self) -> str:
        written = self._config.get("IdentityAgent", "SSH_AUTH_SOCK")
        if written is None:
            return ""
        name = str(written)
        if name == "SSH_AUTH_SOCK":
            return os.environ.get("SSH_AUTH_SOCK", "")
        if name.startswith("$") and not name.startswith("${"):
            return os.environ.get(name[1:], "")
        return str(self._path(name))

    def _proxy_command(self) -> tuple[str, ...]:
        written = self.text("ProxyCommand")
        if not written:
            return ()
        try:
            words = shlex.split(written)
        except ValueError as error:
            raise Misconfigured(f"The ProxyCommand of {self._name} cannot be split into words: {error}.") from error
        return tuple(words[1:] if words[:1] == ["exec"] else words)
