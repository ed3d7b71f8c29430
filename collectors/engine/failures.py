"""Foreign exceptions and refusing answers made errors of ours: the one place of this floor."""

from __future__ import annotations

import errno
import getpass
import socket
import ssl

import msgspec

from ..errors import (
    Authentication,
    CertificateExpired,
    CertificateRefused,
    ConnectionLost,
    EngineError,
    Malformed,
    NoSocket,
    NotAnswering,
    NotResolved,
    Permission,
    Refused,
    Rejected,
    TimedOut,
    Unreachable,
)
from ..links.base import Endpoint, UnixEndpoint
from ..text import plain, redact_text
from .connection import Cut, NoHttp
from .fields import BROKEN
from .pool import ConnectTimeout
from .versions import refusal
from .wire import ErrorBody

FOREIGN = (OSError, ssl.SSLError, ValueError, EOFError)
"""What a request may raise beside our own errors and a deadline."""

_ERROR = msgspec.json.Decoder(ErrorBody)
_DATES = (9, 10)  # OpenSSL: X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED


def explain(engine: str, endpoint: Endpoint, error: Exception, what: str) -> EngineError:
    """What a failed request means, as an error of ours; `what` is the request, for the sentence."""
    if isinstance(error, EngineError):
        return error
    if isinstance(error, ConnectTimeout):
        return TimedOut(f"{engine} does not take a connection.")
    if isinstance(error, TimeoutError) and error.errno is None:
        return NotAnswering(f"{engine} does not answer {what}.")
    if isinstance(error, socket.gaierror):
        return NotResolved(f"The name of {engine} has no address.")
    if (found := _tls(engine, error)) is not None:
        return found
    if isinstance(error, NoHttp):
        return Malformed(f"{engine} does not speak HTTP as it should ({what}): {_short(error)}.", where="HTTP")
    if isinstance(error, Cut):
        return ConnectionLost(f"The connection to {engine} broke within the answer to {what}.")
    if isinstance(error, OSError):
        return _socket(engine, endpoint, error, what)
    if isinstance(error, EOFError):
        return ConnectionLost(f"The connection to {engine} broke ({what}).")
    return Malformed(f"{engine}'s answer to {what} makes no sense: {_short(error)}.", where=what)


def _short(error: BaseException) -> str:
    message = getattr(error, "message", "") or str(error) or type(error).__name__
    return redact_text(plain(str(message), 160)).rstrip(".")


def _causes(error: BaseException | None) -> list[BaseException]:
    """The error and what it wraps."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__
    return found


def _tls(engine: str, error: Exception) -> EngineError | None:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            if cause.verify_code in _DATES:
                return CertificateExpired(f"The certificate of {engine} is out of its dates: {cause.verify_message}.")
            return CertificateRefused(f"The certificate of {engine} is refused: {cause.verify_message}.")
        if isinstance(cause, ssl.SSLError):
            reason = cause.reason or str(cause)
            if "ALERT" in reason and "CERTIFICATE" in reason:
                return Authentication(
                    f"{engine} refuses the certificate shown to it ({reason.lower().replace('_', ' ')}).",
                    hint="Set tls.cert and tls.key of this engine to a certificate that its authority signed.",
                )
            return CertificateRefused(f"No TLS with {engine}: {reason.lower().replace('_', ' ')}.")
    return None


def _socket(engine: str, endpoint: Endpoint, error: OSError, what: str) -> EngineError:
    code = next((c.errno for c in _causes(error) if isinstance(c, OSError) and c.errno), None)
    if isinstance(endpoint, UnixEndpoint):
        path = endpoint.path
        if code in (errno.EACCES, errno.EPERM):
            user = _user()
            return Permission(
                f"User {user} may not open {path}: {user} is not in group docker.",
                hint=f"Have {user} put into group docker (usermod -aG docker {user}) and log in again.",
            )
        if code in (errno.ENOENT, errno.ENOTDIR, errno.ENOTSOCK):
            return NoSocket(f"There is no engine's socket at {path}.")
        if code == errno.ECONNREFUSED:
            return Refused(f"Nobody listens at {path}.", hint="Start the engine (systemctl start docker).")
    elif code == errno.ECONNREFUSED:
        return Refused(f"{engine} refuses connections at {endpoint.host}:{endpoint.port}.")
    if code in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return Unreachable(f"There is no way to {engine}'s network.", hint="Check the network between here and there.")
    if code == errno.ETIMEDOUT:
        return TimedOut(f"{engine} went silent ({what}).")
    return ConnectionLost(f"The connection to {engine} broke ({what}).")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a uid without a name, as in many containers
        return "this user"


# -- answers that refuse -----------------------------------------------------------------------------------------------

_RIGHTS = {
    "containers": "CONTAINERS",
    "events": "EVENTS",
    "info": "INFO",
    "version": "VERSION",
    "_ping": "PING",
    "nodes": "NODES",
    "services": "SERVICES",
    "tasks": "TASKS",
    "images": "IMAGES",
    "networks": "NETWORKS",
    "volumes": "VOLUMES",
    "system": "SYSTEM",
    "exec": "EXEC",
}
"""What a docker-socket-proxy calls the right to a part of the API."""


def message_of(body: bytes) -> str:
    """What an error's body says, on one clean line: JSON's `message`, or the text itself."""
    try:
        found = _ERROR.decode(body)
        text = found.message or found.cause or ""
    except BROKEN:
        text = body[:2000].decode("utf-8", "replace")
        if text.lstrip().startswith("<"):
            text = ""  # a proxy's HTML page says no more than the status
    return redact_text(plain(text.strip(), 300)).rstrip(".")


def refused(engine: str, method: str, path: str, status: int, body: bytes) -> EngineError:
    """The error for an answer whose status is not 200 (404 is left to the caller, who knows what was asked for)."""
    message = message_of(body)
    if status == 400 and (unsupported := refusal(engine, message)) is not None:
        return unsupported
    what = f"{method} {path}"
    if status == 401:
        return Authentication(
            f"{engine} wants a login for {what}.", hint="Check the certificate or proxy in front of it."
        )
    if status == 403:
        right = _RIGHTS.get(path.split("/")[1], "")
        hint = f"If a socket proxy stands in front of it, give it {right}=1." if right else None
        return Permission(f"{engine} forbids {what}{_said(message)}.", hint=hint)
    if 300 <= status < 400:
        return Rejected(
            f"{engine} redirects {what} elsewhere, which is not followed.",
            status=status,
            hint="Give the address of the engine itself.",
        )
    return Rejected(f"{engine} answers {what} with {status}{_said(message)}.", status=status)


def _said(message: str) -> str:
    return f": {message}" if message else ""
