"""One login at one sshd: its host key checked, our key accepted, and each way of failing in its own words."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from ..errors import (
    Authentication,
    ConnectionLost,
    Denied,
    EngineError,
    NotResolved,
    Refused,
    TimedOut,
    Unreachable,
    Untrusted,
)
from ..text import plain
from . import hostkeys
from .base import Misconfigured
from .dialing import CONNECT, begin, connect, resolve
from .hostkeys import KnownKey
from .identities import Keys
from .proxycommand import ProxyCommand
from .sshoptions import Hop

if TYPE_CHECKING:
    import asyncssh

LOGIN = 10.0
"""Seconds from the TCP connection to being logged in: six round trips and some kilobytes, on a slow link too."""
KEEPALIVE, KEEPALIVES_MISSED = 5, 2
GOODBYE = 1.0
ADMINISTRATIVELY_PROHIBITED = 1
# RFC 4254, 5.1
CIPHERS = "^aes128-gcm@openssh.com"
# Measured: it costs the least of those that authenticate too.


class Login:
    """A connection to an sshd that let us in. Whoever made it closes it."""

    def __init__(
        self, hop: Hop, who: str, connection: asyncssh.SSHClientConnection, proxy: ProxyCommand | None = None
    ) -> None:
        self.hop = hop
        self.who = who
        self.connection = connection
        self._proxy = proxy
        self._release: Callable[[], Awaitable[None]] | None = None

    def rests_on(self, release: Callable[[], Awaitable[None]]) -> None:
        """This connection goes through another one; `release` lets go of that when this one is closed."""
        self._release = release

    @property
    def closed(self) -> bool:
        """Whether it has broken, or was closed."""
        return self.connection.is_closed()

    async def lost(self) -> None:
        """Return when it has broken: ended by the other side, or silent for three keepalives (15 s)."""
        await self.connection.wait_closed()

    async def close(self) -> None:
        """Say goodbye and let go; never raises, and takes a second or two at most."""
        with contextlib.suppress(Exception):
            self.connection.close()
            await self._ended()
        if self._proxy is not None:
            await self._proxy.close()
        if self._release is not None:
            await self._release()

    async def _ended(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE):
                await self.connection.wait_closed()
                return
        self.connection.abort()
        await self.connection.wait_closed()


class _Door:
    """What an sshd showed on the way in. `shown` is the kind and the fingerprint of a key that is not trusted."""

    def __init__(self, known: tuple[KnownKey, ...]) -> None:
        self.known = known
        self.connection: asyncssh.SSHClientConnection | None = None
        self.shown: tuple[str, str] | None = None

    @property
    def greeted(self) -> bool:
        """Whether its first line has come."""
        return self.connection is not None and bool(self.connection.get_extra_info("server_version"))

    def trusted(self, *_: object) -> tuple[list[asyncssh.SSHKey], list[asyncssh.SSHKey], list[asyncssh.SSHKey]]:
        """The keys of the host and of authorities that are known for it; those revoked are simply not among them."""
        import asyncssh

        revoked = {key.blob for key in self.known if key.marker == "revoked"}
        keys: dict[str, list[asyncssh.SSHKey]] = {"": [], "cert-authority": []}
        for key in self.known:
            if key.marker in keys and key.blob not in revoked:
                with contextlib.suppress(asyncssh.KeyImportError):
                    keys[key.marker].append(asyncssh.import_public_key(f"{key.algorithm} {key.blob}"))
        return keys[""], keys["cert-authority"], []

    def client(self) -> asyncssh.SSHClient:
        """What asyncssh tells its news to."""
        import asyncssh

        door = self

        class Client(asyncssh.SSHClient):
            def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
                door.connection = conn

            def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
                door.shown = (key.get_algorithm(), key.get_fingerprint())
                return False

            def validate_host_ca_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
                door.shown = (f"a certificate by {key.get_algorithm()}", key.get_fingerprint())
                return False

        return Client()


async def log_in(hop: Hop, *, who: str, through: Login | None = None) -> Login:
    """Log in at `hop`, through the connection to a jump host where given; `who` is what messages call the host.

    Raises NotResolved, Refused, TimedOut, Unreachable, HostKeyUnknown, HostKeyChanged, Untrusted, Authentication,
    Denied, ConnectionLost or Misconfigured; nothing is left behind then.
    """
    if through is not None:
        return Login(hop, who, await _shake(hop, who, through=through))
    if hop.proxy_command:
        proxy = await ProxyCommand.start(hop, who)
        try:
            return Login(hop, who, await _shake(hop, who, way=proxy.near), proxy)
        except EngineError as error:
            await proxy.close()
            raise proxy.explain(error) from error
        except BaseException:
            await proxy.close()
            raise
    found = await resolve(hop.host, hop.port, who=who)
    way = await connect(found, who=who, seconds=min(hop.connect_seconds or CONNECT, 30.0))
    return Login(hop, who, await _shake(hop, who, way=way))


async def _shake(
    hop: Hop, who: str, *, way: socket.socket | None = None, through: Login | None = None
) -> asyncssh.SSHClientConnection:
    import asyncssh

    door = _Door(())
    try:
        door.known = await asyncio.to_thread(hostkeys.find_known, hop)
        async with Keys(hop) as keys:
            options = _options(hop, keys, door)
            options |= {"sock": way} if through is None else {"tunnel": through.connection}
            try:
                async with asyncio.timeout(LOGIN):
                    return await asyncssh.connect(hop.host, hop.port, client_factory=door.client, **options)
            except TimeoutError as error:
                raise _explain_silence(hop, who, door, through) from error
            except asyncssh.ChannelOpenError as error:
                raise _explain_jump(hop, who, through, error) from error
            except (asyncssh.Error, OSError) as error:
                raise _explain_end(hop, who, door, keys, error) from error
            except ValueError as error:
                raise Misconfigured(f"The ssh options for {who} cannot be used: {error}.") from error
    finally:
        if way is not None and door.connection is None:
            way.close()


def _options(hop: Hop, keys: Keys, door: _Door) -> dict[str, Any]:
    """Everything is said: what asyncssh finds by itself (config, agent, keys, known hosts) is switched off."""
    return {
        "config": None,
        "username": hop.user,
        "password": None,
        "canonicalize_hostname": False,
        "known_hosts": door.trusted,
        "host_key_alias": hop.key_alias or None,
        "x509_trusted_certs": None,
        "server_host_key_algs": hostkeys.wanted_algorithms(door.known, hop.host_key_algorithms),
        "client_keys": keys.pairs or None,
        "agent_path": None,
        "preferred_auth": "publickey",
        "password_auth": False,
        "kbdint_auth": False,
        "host_based_auth": False,
        "gss_kex": False,
        "gss_auth": False,
        "agent_forwarding": False,
        "x11_forwarding": False,
        "env": {},
        "send_env": (),
        "request_pty": False,
        "encryption_algs": hop.ciphers or CIPHERS,
        "kex_algs": hop.key_exchanges,
        "mac_algs": hop.macs,
        "compression_algs": ("zlib@openssh.com", "none"),
        "login_timeout": LOGIN + 5,
        "connect_timeout": None,
        "keepalive_interval": KEEPALIVE,
        "keepalive_count_max": KEEPALIVES_MISSED,
        "tcp_keepalive": True,
    }


# -- what went wrong ---------------------------------------------------------------------------------------------------


def _explain_silence(hop: Hop, who: str, door: _Door, through: Login | None) -> EngineError:
    if door.connection is None and through is not None:
        return TimedOut(f"{begin(through.who)} got no connection to {who} within {LOGIN:.0f} s.")
    if not door.greeted:
        return TimedOut(
            f"{begin(who)} took the connection and said nothing for {LOGIN:.0f} s: its sshd hangs.",
            hint="Look at sshd on the host from its console; a host short of memory or disk answers like this too.",
        )
    return TimedOut(f"{begin(who)} stopped answering during the login ({LOGIN:.0f} s).")


def _explain_jump(hop: Hop, who: str, through: Login | None, error: asyncssh.ChannelOpenError) -> EngineError:
    jump = through.who if through is not None else "the way there"
    reason = plain(error.reason, 200)
    if error.code == ADMINISTRATIVELY_PROHIBITED:
        return Denied(
            f"{begin(jump)} forwards no TCP connections ({reason}).",
            hint="Set AllowTcpForwarding yes (or PermitOpen) in the jump host's sshd_config.",
        )
    said = reason.lower()
    if "refused" in said:
        return Refused(f"{begin(who)} refuses connections from {jump}.")
    if "timed out" in said:
        return TimedOut(f"{begin(who)} does not answer {jump}.")
    if "name" in said or "resolve" in said or "unknown host" in said:
        return NotResolved(f"{begin(jump)} cannot resolve the name {hop.host!r}.")
    if "connection closed" in said or "connection lost" in said:
        return ConnectionLost(f"The connection to {jump} broke on the way to {who}.")
    return Unreachable(
        f"{begin(jump)} cannot reach {who} ({reason}).",
        hint="Check that the host is up, as seen from the jump host.",
    )


def _explain_end(hop: Hop, who: str, door: _Door, keys: Keys, error: Exception) -> EngineError:
    import asyncssh

    reason = plain(str(error), 200)
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        if door.shown is not None:
            return hostkeys.explain_key(hop, who, door.known, *door.shown)
        return Untrusted(f"The host certificate of {who} is not valid: {reason}.")
    if isinstance(error, asyncssh.PermissionDenied) or "authentication failures" in reason:
        return _explain_denial(hop, who, keys, reason)
    if isinstance(error, asyncssh.KeyExchangeFailed):
        return EngineError(
            f"fleettop and the sshd of {who} have no algorithm in common: {reason}.",
            hint="Update its sshd, or allow in the ssh config what it has (KexAlgorithms, Ciphers, HostKeyAlgorithms).",
        )
    if not door.greeted and isinstance(error, (asyncssh.ProtocolError, asyncssh.ProtocolNotSupported)):
        return Refused(f"What listens at {who} does not speak SSH.", hint="Check the port.")
    if not door.greeted and hop.proxy_command:
        return Unreachable(
            f"The ProxyCommand for {who} ended before the host said a word.",
            hint="Try `ssh` with the same host by hand.",
        )
    if not door.greeted:
        return Refused(
            f"{begin(who)} hung up before a word: too many logins at once (MaxStartups), or it bars this machine.",
            hint="It is tried again by itself; if it lasts, look at sshd's log, MaxStartups and PerSourcePenalties.",
        )
    return ConnectionLost(f"The connection to {who} broke during the login: {reason}.")


def _explain_denial(hop: Hop, who: str, keys: Keys, reason: str) -> EngineError:
    if "authentication failures" in reason:
        return Authentication(
            f"{begin(who)} gave up on user {hop.user} after too many keys: {keys.words}.",
            hint="Name the right key with IdentityFile and say IdentitiesOnly yes in the ssh config.",
        )
    return Authentication(
        f"{begin(who)} does not let user {hop.user} in: {keys.words}.",
        hint=f"Put the public key into ~{hop.user}/.ssh/authorized_keys on the host, or name another user or key.",
    )
