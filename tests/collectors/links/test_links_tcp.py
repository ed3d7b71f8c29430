"""The way over TCP, against servers in the test process with certificates that are right or wrong."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fleettop.collectors.address import EngineAddress, TlsFiles
from fleettop.collectors.errors import (
    Authentication,
    CertificateExpired,
    CertificateRefused,
    ConnectionLost,
    EngineError,
    NotAnswering,
    NotResolved,
    Refused,
    Unreachable,
    Untrusted,
)
from fleettop.collectors.links import Misconfigured, TcpEndpoint, dialing, link_to, tcp
from fleettop.collectors.links.tcp import TcpLink

from .servers import tcp_server

NOW = datetime.now(UTC).replace(microsecond=0)


class Authority:
    """Somebody who signs certificates; each lies in a folder with its key."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.ca = folder / f"{name}.pem"
        built = self._builder(self.name, self.key, NOW + timedelta(days=900)).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.ca.write_bytes(built.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, ends: datetime) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder(issuer_name=self.name, subject_name=subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(NOW, ends) - timedelta(days=30))
            .not_valid_after(ends)
        )

    def sign(self, name: str, *, ends: datetime = NOW + timedelta(days=90), address: str = "") -> TlsFiles:
        """A certificate for `name`, or for an IP address, until `ends`."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        alternative = x509.IPAddress(ipaddress.ip_address(address)) if address else x509.DNSName(name)
        built = self._builder(subject, key, ends).add_extension(x509.SubjectAlternativeName([alternative]), False)
        cert, file = self.folder / f"{name}-cert.pem", self.folder / f"{name}-key.pem"
        cert.write_bytes(built.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return TlsFiles(ca=self.ca, cert=cert, key=file)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """The one that engines and clients trust."""
    return Authority(tmp_path, "fleet-ca")


@pytest.fixture
def client(authority: Authority) -> TlsFiles:
    """What a good client shows."""
    return authority.sign("client")


@asynccontextmanager
async def engine(files: TlsFiles, *, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> AsyncIterator[int]:
    """An engine that asks for a client certificate; gives its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    assert files.cert is not None
    context.load_cert_chain(files.cert, files.key)
    context.load_verify_locations(files.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = version

    # Blocking, in a thread: asyncio's own server hangs up on a bad client certificate without the alert that says so.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.ensure_future(asyncio.to_thread(_serve, listener, context))
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            await serving


def _serve(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return
        with near, contextlib.suppress(OSError), context.wrap_socket(near, server_side=True) as peer:
            while peer.recv(65536):
                pass
            peer.unwrap()


def link(port: int, files: TlsFiles | None, host: str = "127.0.0.1", *, insecure: bool = False) -> TcpLink:
    """A link to a port of this machine."""
    return TcpLink(EngineAddress(name="edge", scheme="tcp", host=host, port=port, tls=files, insecure=insecure))


async def refusal(tried: TcpLink) -> EngineError:
    """The error that opening a link ends with."""
    with pytest.raises(EngineError) as caught:
        await tried.open()
    await tried.close()
    return caught.value


async def test_with_good_certificates_on_both_sides_the_link_opens(authority: Authority, client: TlsFiles) -> None:
    """The endpoint verifies the engine, speaks TLS 1.2 or newer, and knows when the certificates end."""
    ends = NOW + timedelta(days=12)
    async with engine(authority.sign("edge", address="127.0.0.1", ends=ends)) as port:
        tried = link(port, client)
        endpoint = await tried.open()
        assert endpoint.tls is not None
        assert endpoint.tls.verify_mode is ssl.CERT_REQUIRED
        assert endpoint.tls.check_hostname
        assert endpoint.tls.minimum_version >= ssl.TLSVersion.TLSv1_2
        assert (endpoint.host, endpoint.port, endpoint.files) == ("127.0.0.1", port, client)
        assert tried.expires == ends
        assert tried.own_expires == NOW + timedelta(days=90)
        assert (tried.route, tried.insecure) == ("TLS", False)


async def test_a_certificate_for_another_name_is_refused(authority: Authority, client: TlsFiles) -> None:
    """The message holds the name asked for and those the certificate is for."""
    async with engine(authority.sign("other.example.org")) as port:
        error = await refusal(link(port, client))
        assert type(error) is CertificateRefused
        assert "not for 127.0.0.1" in str(error)
        assert "other.example.org" in str(error)


async def test_an_expired_certificate_is_refused_with_its_date(authority: Authority, client: TlsFiles) -> None:
    """A date is what the person who renews it needs."""
    ends = NOW - timedelta(days=3)
    async with engine(authority.sign("edge", address="127.0.0.1", ends=ends)) as port:
        error = await refusal(link(port, client))
        assert type(error) is CertificateExpired
        assert f"expired on {ends:%Y-%m-%d %H:%M} UTC" in str(error)


async def test_a_certificate_of_another_authority_is_refused(
    authority: Authority, client: TlsFiles, tmp_path: Path
) -> None:
    """The message names who signed it, and the file in which it is not."""
    stranger = Authority(tmp_path, "stranger")
    async with engine(stranger.sign("edge", address="127.0.0.1")) as port:
        error = await refusal(link(port, client))
        assert type(error) is CertificateRefused
        assert "signed by CN=stranger" in str(error)
        assert str(authority.ca) in str(error)


BOTH = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


@BOTH
async def test_a_client_certificate_that_the_engine_refuses_is_a_refused_login(
    authority: Authority, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    """With TLS 1.3 the handshake succeeds on our side all the same: the refusal comes after it."""
    shown = Authority(tmp_path, "stranger").sign("intruder")
    files = TlsFiles(ca=authority.ca, cert=shown.cert, key=shown.key)
    async with engine(authority.sign("edge", address="127.0.0.1"), version=version) as port:
        error = await refusal(link(port, files))
        assert type(error) is Authentication
        assert "CN=intruder, signed by CN=stranger" in str(error)


@BOTH
async def test_our_own_expired_certificate_is_told_from_a_wrong_one(
    authority: Authority, version: ssl.TLSVersion
) -> None:
    """Engines say "bad certificate" for both."""
    ends = NOW - timedelta(days=3)
    files = authority.sign("client", ends=ends)
    async with engine(authority.sign("edge", address="127.0.0.1"), version=version) as port:
        error = await refusal(link(port, files))
        assert type(error) is Authentication
        assert f"expired on {ends:%Y-%m-%d %H:%M} UTC" in str(error)


@BOTH
async def test_an_engine_that_wants_a_certificate_we_do_not_have_says_so(
    authority: Authority, version: ssl.TLSVersion
) -> None:
    """Nothing configured is not "refused"."""
    async with engine(authority.sign("edge", address="127.0.0.1"), version=version) as port:
        error = await refusal(link(port, TlsFiles(ca=authority.ca)))
        assert type(error) is Authentication
        assert "none is configured" in str(error)


async def test_a_port_without_tls_is_not_spoken_to(client: TlsFiles) -> None:
    """An engine on 2375 behind a config for 2376."""

    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with tcp_server(web) as port:
        error = await refusal(link(port, client))
        assert type(error) is Untrusted
        assert "does not speak TLS" in str(error)


async def test_a_frozen_engine_is_not_called_a_host_that_is_down(
    client: TlsFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel accepts for it: connected, then silence."""
    monkeypatch.setattr(tcp, "HANDSHAKE", 0.2)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with tcp_server(silent) as port:
        assert type(await refusal(link(port, client))) is NotAnswering


async def test_a_connection_that_ends_within_the_handshake_is_lost(client: TlsFiles) -> None:
    """Something in between hung up."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)

    async with tcp_server(hang_up) as port:
        assert type(await refusal(link(port, client))) is ConnectionLost


async def test_a_server_that_ignores_our_goodbye_has_not_refused_us(
    authority: Authority, client: TlsFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some proxies keep a connection open until they are tired of it."""
    monkeypatch.setattr(tcp, "GOODBYE", 0.1)
    files = authority.sign("edge", address="127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    assert files.cert is not None
    context.load_cert_chain(files.cert, files.key)
    done = asyncio.Event()

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        peer = context.wrap_bio(incoming, outgoing, server_side=True)
        while True:
            try:
                peer.do_handshake()
                break
            except ssl.SSLWantReadError:
                writer.write(outgoing.read())
                incoming.write(await reader.read(65536))
        writer.write(outgoing.read())
        await done.wait()

    async with tcp_server(deaf) as port:
        assert isinstance(await link(port, client).open(), TcpEndpoint)
        done.set()


# -- plain TCP ---------------------------------------------------------------------------------------------------------


async def test_plain_tcp_to_another_machine_is_refused_unless_asked_for() -> None:
    """Not even a connection is made; with insecure = true it is tried, and marked."""
    tried = link(2375, None, "192.0.2.1")
    error = await refusal(tried)
    assert type(error) is Untrusted
    assert "insecure = true" in error.hint
    assert tried.insecure
    with pytest.raises((TimeoutError, Unreachable)):
        async with asyncio.timeout(0.1):
            await link(2375, None, "192.0.2.1", insecure=True).open()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_plain_tcp_on_this_machine_needs_no_leave(host: str) -> None:
    """It never leaves the machine."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with tcp_server(serve) as port:
        tried = link(port, None, host)
        assert await tried.open() == TcpEndpoint(host, port)
        assert (tried.route, tried.insecure) == ("plain TCP", False)


@pytest.mark.parametrize(
    ("host", "here"),
    [
        *(("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("LOCALHOST", True), ("localhost.evil.org", False)),
        *(("10.0.0.1", False), ("0.0.0.0", False), ("fe80::1%eth0", False), ("1", False), ("127.0.0.1.nip.io", False)),
    ],
)
def test_this_machine_is_known_by_what_is_written(host: str, here: bool) -> None:
    """No name is asked for: DNS may say that anything is 127.0.0.1."""
    assert dialing.is_loopback(host) is here


# -- getting there -----------------------------------------------------------------------------------------------------


async def test_a_refused_connection_and_a_name_without_address_are_told_apart(client: TlsFiles) -> None:
    """Each in its own words, with what was tried."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    error = await refusal(link(port, client))
    assert type(error) is Refused
    assert f"127.0.0.1 port {port}" in str(error)
    assert type(await refusal(link(port, client, "nosuch.invalid"))) is NotResolved


async def test_a_name_that_no_resolver_takes_is_not_resolved(client: TlsFiles) -> None:
    """A label over 63 characters breaks the codec (RFC 1035), not fleettop."""
    assert type(await refusal(link(1, client, "x" * 70 + ".org"))) is NotResolved


async def test_the_second_address_of_a_name_is_tried_when_the_first_fails() -> None:
    """A host with an IPv6 address that leads nowhere is still reached."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with tcp_server(serve) as port:
        addresses = ((socket.AF_INET, ("127.0.0.1", 1)), (socket.AF_INET, ("127.0.0.1", port)))
        with await dialing.connect(addresses, who="edge") as opened:
            assert opened.getpeername()[1] == port


# -- files -------------------------------------------------------------------------------------------------------------


async def broken(files: TlsFiles) -> str:
    """What is said of files that cannot be used."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with tcp_server(serve) as port:
        error = await refusal(link(port, files))
        assert type(error) is Misconfigured
        return str(error)


async def test_each_file_that_cannot_be_used_is_named(authority: Authority, client: TlsFiles, tmp_path: Path) -> None:
    """Missing, no PEM, half of a pair, or a key for another certificate."""
    junk = tmp_path / "junk.pem"
    junk.write_text("no certificate")
    other = authority.sign("other")
    ca, cert, key = client.ca, client.cert, client.key
    assert "nothing.pem cannot be read" in await broken(TlsFiles(ca=tmp_path / "nothing.pem"))
    assert "junk.pem holds no authority" in await broken(TlsFiles(ca=junk))
    assert "junk.pem" in await broken(TlsFiles(ca=ca, cert=junk, key=key))
    assert "both" in await broken(TlsFiles(ca=ca, cert=cert))
    assert "does not belong" in await broken(TlsFiles(ca=ca, cert=cert, key=other.key))


async def test_an_encrypted_key_asks_nobody_for_a_password(client: TlsFiles, tmp_path: Path) -> None:
    """OpenSSL would ask on the terminal, under the dashboard."""
    assert client.key is not None
    key = serialization.load_pem_private_key(client.key.read_bytes(), None)
    encrypted = tmp_path / "encrypted.pem"
    encrypted.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    assert "is encrypted" in await broken(TlsFiles(ca=client.ca, cert=client.cert, key=encrypted))


def test_a_tcp_address_gets_a_tcp_link() -> None:
    """`link_to` never raises and opens nothing."""
    found = link_to(EngineAddress(name="edge", scheme="tcp", host="192.0.2.1"))
    assert isinstance(found, TcpLink)
    assert found.insecure
