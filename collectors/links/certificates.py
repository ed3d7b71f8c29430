"""TLS certificates: the context that verifies them, and in words what is wrong with one."""

from __future__ import annotations

import contextlib
import ssl
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ..address import TlsFiles
from ..errors import (
    Authentication,
    CertificateExpired,
    CertificateRefused,
    ConnectionLost,
    EngineError,
    Refused,
    Untrusted,
)
from ..text import plain
from .base import Misconfigured


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What a certificate says of itself. `names` are what it is valid for: DNS names and IP addresses."""

    names: tuple[str, ...]
    subject: str
    issuer: str
    begins: datetime
    ends: datetime


class OneGoodbye(ssl.SSLObject):
    """TLS that says goodbye and does not wait for the other side's, which RFC 8446, 6.1 leaves open.

    asyncio waits half a minute for it, with the socket open: a request that is given up over a dead network would leave
    one behind, and so would an idle connection to an engine that has frozen.
    """

    def unwrap(self) -> None:
        """Say goodbye."""
        with contextlib.suppress(ssl.SSLError):  # the other side's is not here yet, or data is
            super().unwrap()


def build_context(files: TlsFiles) -> ssl.SSLContext:
    """A context that verifies the engine and its name, TLS 1.2 or newer, and shows it our certificate. Reads files.

    What asyncio closes with it is closed at once, whatever the other side does.
    Raises Misconfigured where a file is missing, is no PEM, or its key is encrypted (nobody is there to be asked).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslobject_class = OneGoodbye
    if files.ca is None:
        context.load_default_certs()
    else:
        try:
            context.load_verify_locations(_existing(files.ca, "authority"))
        except ssl.SSLError as error:
            raise Misconfigured(f"{files.ca} holds no authority's certificate (PEM).") from error
    if (files.cert is None) != (files.key is None):
        raise Misconfigured("TLS needs both a certificate and its key, or neither.")
    if files.cert is not None and files.key is not None:
        cert, key = _existing(files.cert, "certificate"), _existing(files.key, "key")
        try:
            context.load_cert_chain(cert, key, password=_no_password)
        except (ssl.SSLError, ValueError) as error:
            reason = getattr(error, "reason", None) or str(error)
            raise Misconfigured(_unusable(cert, key, reason)) from error
    return context


def _unusable(cert: Path, key: Path, reason: str) -> str:
    if "encrypted" in reason:
        return f"The key {key} is encrypted, and fleettop asks for no passwords: store it without one."
    if reason == "KEY_VALUES_MISMATCH":
        return f"The key {key} does not belong to the certificate {cert}."
    return f"The certificate {cert} and its key {key} cannot be used ({reason.lower().replace('_', ' ')})."


def _no_password() -> str:
    raise ValueError("encrypted")


def _existing(path: Path, what: str) -> Path:
    path = path.expanduser()
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise Misconfigured(f"The {what} file {path} cannot be read: {error.strerror}.") from error


def read_own(files: TlsFiles) -> Certificate | None:
    """Our own certificate, or None where there is none. Reads a file."""
    if files.cert is None:
        return None
    try:
        return decode_pem(files.cert.expanduser().read_bytes())
    except (OSError, ValueError):
        return None


def expiry(peer: ssl.SSLObject) -> datetime | None:
    """When the verified certificate of the other side ends (notAfter)."""
    found = peer.getpeercert()
    ends = found.get("notAfter") if found else None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if isinstance(ends, str) else None


def decode_pem(data: bytes) -> Certificate:
    """A PEM certificate in words. Raises ValueError."""
    from cryptography import x509

    return _decode(x509.load_pem_x509_certificate(data))


def decode_der(data: bytes) -> Certificate:
    """A DER certificate in words. Raises ValueError."""
    from cryptography import x509

    return _decode(x509.load_der_x509_certificate(data))


def _decode(found: object) -> Certificate:
    from cryptography import x509

    assert isinstance(found, x509.Certificate)
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        listed = (
            *names.get_values_for_type(x509.DNSName),
            *(str(address) for address in names.get_values_for_type(x509.IPAddress)),
        )
    except x509.ExtensionNotFound:
        listed = ()
    return Certificate(
        names=tuple(plain(name, 200) for name in listed),
        subject=plain(found.subject.rfc4514_string(), 200),
        issuer=plain(found.issuer.rfc4514_string(), 200),
        begins=found.not_valid_before_utc,
        ends=found.not_valid_after_utc,
    )


# -- what went wrong in a handshake ------------------------------------------------------------------------------------

# OpenSSL's names of verification results (openssl/x509_vfy.h).
_NOT_YET_VALID, _EXPIRED = 9, 10
_WRONG_NAME = (62, 64)

_NOT_TLS = (
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "RECORD_LAYER_FAILURE",
    "PACKET_LENGTH_TOO_LONG",
    "UNKNOWN_PROTOCOL",
)
_CLIENT_ALERTS = (
    *("CERTIFICATE_REQUIRED", "BAD_CERTIFICATE", "CERTIFICATE_EXPIRED", "CERTIFICATE_REVOKED"),
    *("CERTIFICATE_UNKNOWN", "UNSUPPORTED_CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED", "HANDSHAKE_FAILURE"),
)


def explain_refusal(
    error: ssl.SSLCertVerificationError, where: str, host: str, files: TlsFiles, seen: Certificate | None
) -> EngineError:
    """Why we do not trust the engine's certificate; `seen` is the certificate, where it could be looked at."""
    code = error.verify_code
    if code == _EXPIRED:
        when = f" on {seen.ends:%Y-%m-%d %H:%M} UTC" if seen else ""
        return CertificateExpired(f"The certificate of {where} expired{when}.")
    if code == _NOT_YET_VALID:
        when = f" from {seen.begins:%Y-%m-%d %H:%M} UTC on" if seen else " later"
        return CertificateExpired(
            f"The certificate of {where} is valid only{when}.", hint="Check the clocks of both machines."
        )
    if code in _WRONG_NAME:
        names = f"; it is for {_some(seen.names) or seen.subject}" if seen else ""
        return CertificateRefused(
            f"The certificate of {where} is not for {host}{names}.",
            hint="Use a name the certificate holds, or make one that holds this name (subjectAltName).",
        )
    ours = str(files.ca) if files.ca is not None else "this system's authorities"
    signer = f"{seen.issuer}, who" if seen else "an authority that"
    return CertificateRefused(
        f"The certificate of {where} is signed by {signer} is not in {ours} ({error.verify_message}).",
        hint="Name the right authority's file (tls.ca); do not go on if you expected this one to fit.",
    )


def explain_failure(error: Exception, where: str, own: Certificate | None) -> EngineError:
    """Why a handshake ended otherwise: our own certificate was refused, or there is no TLS at the other end."""
    reason = (getattr(error, "reason", None) or "") if isinstance(error, ssl.SSLError) else ""
    if "PROTOCOL_VERSION" in reason or "UNSUPPORTED_PROTOCOL" in reason:
        return Untrusted(f"{where} speaks no TLS 1.2 or newer.", hint="Update the engine or what stands before it.")
    if any(name in reason for name in _NOT_TLS):
        return Untrusted(
            f"{where} does not speak TLS.",
            hint="Start the engine with --tlsverify there, or check the port (2376 with TLS, 2375 without).",
        )
    if "ALERT" in reason and any(reason.endswith(name) for name in _CLIENT_ALERTS):
        return _own_refused(reason, where, own)
    if isinstance(error, ConnectionRefusedError):
        return Refused(f"{where} refuses connections.")
    if reason:
        return Untrusted(f"The TLS handshake with {where} failed: {reason.lower().replace('_', ' ')}.")
    return ConnectionLost(f"{where} hung up during the TLS handshake.")


def _own_refused(reason: str, where: str, own: Certificate | None) -> Authentication:
    if own is None:
        return Authentication(
            f"{where} asks for a client certificate, and none is configured.",
            hint="Name the files of one (tls.cert and tls.key).",
        )
    if own.ends < datetime.now(UTC):
        return Authentication(
            f"{where} refuses our client certificate: it expired on {own.ends:%Y-%m-%d %H:%M} UTC.",
            hint="Renew the client certificate.",
        )
    return Authentication(
        f"{where} refuses our client certificate, {own.subject}, signed by {own.issuer} "
        f"({reason.rpartition('ALERT_')[2].lower().replace('_', ' ')}).",
        hint="Use a client certificate signed by the authority that the engine trusts (its --tlscacert).",
    )


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:4])
    return f"{shown} and {len(names) - 4} more" if len(names) > 4 else shown
