"""Everything that can go wrong, as one tree.

::

    FleetError
    ├── ConfigError                the config, a docker context or an address is wrong
    ├── EngineError                one engine; `engine` names it
    │   ├── Unreachable            no way to the machine or its daemon, for now
    │   │   ├── NotResolved        its name has no address
    │   │   ├── Refused            nobody listens there
    │   │   ├── TimedOut           the way there is silent
    │   │   ├── NotAnswering       the daemon took the connection and says nothing
    │   │   ├── NoSocket           the machine is there, its engine's socket is not
    │   │   └── ConnectionLost     it was there, and went in the middle
    │   ├── Untrusted              reached, but it does not prove to be who it should be
    │   │   ├── HostKeyUnknown
    │   │   ├── HostKeyChanged
    │   │   ├── CertificateRefused
    │   │   └── CertificateExpired
    │   ├── Denied                 reached and trusted, and it does not let us in
    │   │   ├── Authentication     the key or certificate we showed
    │   │   ├── Permission         the socket's group, a proxy's rules
    │   │   └── ForwardingForbidden  sshd forwards no sockets and there is no docker command either
    │   ├── Unsupported            its API is too old or too new
    │   ├── Rejected               it answered with an error: `status` and `message`
    │   └── Malformed              its answer makes no sense: `where`
    ├── ReadOnly                   asked for a change or a forbidden read in read-only mode
    └── TrailError
        ├── StoreFull
        ├── StoreLocked
        └── ChainBroken

`str(error)` is one sentence of what is the case; `hint` is one sentence of what to do next; `transient` tells whether
trying again soon can help. Foreign exceptions become these in one place per floor, with ``raise … from``.
"""

from __future__ import annotations


class FleetError(Exception):
    """Anything fleettop knows how to explain."""

    hint: str = ""
    transient: bool = False

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        if hint is not None:
            self.hint = hint


class ConfigError(FleetError):
    """The config, a docker context or an address is wrong."""


class EngineError(FleetError):
    """Something about one engine."""

    word: str = "failed"
    """The link's state in a word or two, for a narrow column."""


class Unreachable(EngineError):
    """No way to the machine or its daemon, for now."""

    word = "unreachable"
    transient = True


class NotResolved(Unreachable):
    """The host's name has no address."""

    word = "name not resolved"
    hint = "Check the spelling of the host's name, and your DNS or /etc/hosts."


class Refused(Unreachable):
    """Nobody listens at that address."""

    word = "refused"
    hint = "Check the port, and that the service listening there (sshd or dockerd) runs."


class TimedOut(Unreachable):
    """Connecting, or an answer on the way, took too long."""

    word = "timed out"
    hint = "Check that the host is up, and that no firewall drops the packets on the way."


class NotAnswering(Unreachable):
    """The daemon accepts connections and then says nothing: frozen or overloaded, which is not the host being down."""

    word = "not answering"
    hint = "The host is up but its engine is silent: look at the daemon on the host (systemctl status docker)."


class NoSocket(Unreachable):
    """The machine is there, and there is no engine's socket at that path."""

    word = "no socket"
    hint = "Start the engine on the host, or put its socket's path into the address (ssh://host/run/user/1000/docker.sock)."


class ConnectionLost(Unreachable):
    """The connection was there and broke."""

    word = "connection lost"
    hint = "It is tried again by itself."


class Untrusted(EngineError):
    """Reached, but it does not prove to be who it should be. Never connected to."""

    word = "not trusted"


class HostKeyUnknown(Untrusted):
    """The SSH host key stands in no known-hosts file."""

    word = "host key unknown"


class HostKeyChanged(Untrusted):
    """The SSH host key differs from the one in the known-hosts file."""

    word = "host key changed"


class CertificateRefused(Untrusted):
    """The TLS certificate is for another name or signed by another authority."""

    word = "certificate refused"


class CertificateExpired(Untrusted):
    """The TLS certificate is past (or before) its dates."""

    word = "certificate expired"
    hint = "Renew the certificate of the engine."


class Denied(EngineError):
    """Reached and trusted, and it does not let us in. Not tried again within 60 s."""

    word = "denied"


class Authentication(Denied):
    """The key or the certificate we showed was not accepted."""

    word = "key refused"


class Permission(Denied):
    """The user may not open the socket, or a proxy in front of it forbids this request."""

    word = "no permission"


class ForwardingForbidden(Denied):
    """sshd forwards no sockets, and ``docker system dial-stdio`` does not work on the host either."""

    word = "forwarding forbidden"
    hint = "Set AllowStreamLocalForwarding to yes in the host's sshd_config, or install the docker command there."


class Unsupported(EngineError):
    """The engine's API is too old or too new to be spoken to."""

    word = "API not supported"


class Rejected(EngineError):
    """The engine answered a request with an error."""

    word = "rejected"

    def __init__(self, message: str, *, status: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class Malformed(EngineError):
    """An answer of the engine makes no sense; `where` names the part."""

    word = "malformed answer"
    hint = "The last good reading is kept; check what stands between fleettop and the engine."

    def __init__(self, message: str, *, where: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.where = where


class ReadOnly(FleetError):
    """Refused, since fleettop runs read-only."""

    hint = "Start fleettop without --read-only, and without read_only = true in the config, to change things."


class TrailError(FleetError):
    """The audit trail cannot be written or trusted."""


class StoreFull(TrailError):
    """No space for the trail."""


class StoreLocked(TrailError):
    """Another program holds the trail."""


class ChainBroken(TrailError):
    """The trail was changed after it was written."""
