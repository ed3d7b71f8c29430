"""TCP: with TLS and certificates on both sides, or plain where that was asked for or never leaves this machine."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from datetime import datetime

from ..address import EngineAddress, TlsFiles
from ..errors import EngineError, NotAnswering, Untrusted
from . import certificates
from .base import TcpEndpoint
from .certificates import Certificate
from .dialing import Found, connect, is_loopback, resolve

HANDSHAKE = 8.0
"""Seconds for TLS, which is slow on a slow link and silent on a frozen daemon."""
PATIENCE = 0.3
"""Seconds, beside two round trips, for the first word after the handshake."""
GOODBYE = 2.0
"""Seconds for the other side's last word; who says nothing has not refused us."""


class TcpLink:
    """The way through TCP. It cannot tell that it broke: only a request does.

    After `open` with TLS, `expires` is when the engine's certificate ends and `own_expires` when ours does.
    """

    def __init__(self, address: EngineAddress) -> None:
        self.address = address
        self.expires: datetime | None = None
        self.own_expires: datetime | None = None

    @property
    def route(self) -> str:
        """`TLS` or `plain TCP`."""
        return "plain TCP" if self.address.tls is None else "TLS"

    @property
    def insecure(self) -> bool:
        """Neither encrypted nor local."""
        return self.address.tls is None and not is_loopback(self.address.host)

    async def open(self) -> TcpEndpoint:
        """Connect once, with a whole TLS handshake, to say at once and in words what is wrong.

        Raises Misconfigured (a file), Untrusted (plain TCP to another machine, or no TLS there), NotResolved, Refused,
        TimedOut, NotAnswering (silent after the connect), CertificateRefused, CertificateExpired, or Authentication
        (our own certificate).
        """
        address = self.address
        if self.insecure and not address.insecure:
            raise Untrusted(
                f"{address.text} is another machine, and plain TCP to it is neither encrypted nor authenticated.",
                hint="Configure tls = { ca, cert, key }, use ssh://, or say insecure = true to accept it.",
            )
        port = address.port or (2375 if address.tls is None else 2376)
        found = await resolve(address.host, port, who=address.name)
        if address.tls is None:
            (await connect(found, who=address.name)).close()
            return TcpEndpoint(address.host, port)
        context = await asyncio.to_thread(certificates.build_context, address.tls)
        own = await asyncio.to_thread(certificates.read_own, address.tls)
        self.own_expires = own.ends if own else None
        self.expires = await self._handshake(found, port, context, address.tls, own)
        return TcpEndpoint(address.host, port, context, address.tls)

    async def lost(self) -> None:
        """Wait until cancelled."""
        await asyncio.get_running_loop().create_future()

    async def close(self) -> None:
        """Nothing is held."""

    async def _handshake(
        self, found: tuple[Found, ...], port: int, context: ssl.SSLContext, files: TlsFiles, own: Certificate | None
    ) -> datetime | None:
        host = self.address.host
        where = f"{self.address.name} ({host} port {port})"
        try:
            with await connect(found, who=self.address.name) as opened:
                async with asyncio.timeout(HANDSHAKE):
                    return await _greet(opened, context, host)
        except ssl.SSLCertVerificationError as error:
            seen = await _look(found, who=self.address.name)
            raise certificates.explain_refusal(error, where, host, files, seen) from error
        except TimeoutError as error:
            raise NotAnswering(f"{where} took the connection and said nothing for {HANDSHAKE:.0f} s.") from error
        except EngineError:
            raise
        except (ssl.SSLError, OSError, EOFError) as error:
            raise certificates.explain_failure(error, where, own) from error


async def _greet(opened: socket.socket, context: ssl.SSLContext, host: str) -> datetime | None:
    """Shake hands, and hear that the other side did so too. Returns when its certificate ends.

    With TLS 1.3 the client is done before the server has looked at the client's certificate (RFC 8446, 4.4.2): only
    what it says next, an alert or its session tickets, tells whether that was accepted. A server without tickets says
    nothing, and is made to say something by a goodbye; not at once, since to a server that has hung up already the
    goodbye would be answered by a reset that overtakes the alert.
    Raises what `ssl` and sockets raise, and EOFError.
    """
    loop = asyncio.get_running_loop()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=host.split("%")[0])
    began = loop.time()
    await _shake(tls, incoming, outgoing, opened)
    expires = certificates.expiry(tls)
    if tls.version() != "TLSv1.3":
        return expires
    patience = PATIENCE + 2 * (loop.time() - began)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(patience):
            incoming.write(await _receive(opened))
            _ended(tls)
            return expires
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GOODBYE):
            await _say_goodbye(tls, incoming, outgoing, opened)
    return expires


async def _say_goodbye(
    tls: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, opened: socket.socket
) -> None:
    tls.unwrap()
    try:
        await asyncio.get_running_loop().sock_sendall(opened, outgoing.read())
        while not _ended(tls):
            incoming.write(await _receive(opened))
    except (EOFError, ConnectionError):
        return


async def _receive(opened: socket.socket) -> bytes:
    data = await asyncio.get_running_loop().sock_recv(opened, 65536)
    if not data:
        raise EOFError("closed")
    return data


async def _shake(tls: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, opened: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    done = False
    while not done:
        try:
            tls.do_handshake()
            done = True
        except ssl.SSLWantReadError:
            pass
        finally:
            said = outgoing.read()
        await loop.sock_sendall(opened, said)
        if not done:
            incoming.write(await _receive(opened))


def _ended(tls: ssl.SSLObject) -> bool:
    """Whether the other side has closed; its alert is raised."""
    try:
        return not tls.read()
    except ssl.SSLWantReadError:
        return False
    except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
        return True


async def _look(found: tuple[Found, ...], *, who: str) -> Certificate | None:
    """The certificate that was refused, read over a second connection that nothing else is sent over."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing)
    try:
        async with asyncio.timeout(HANDSHAKE):
            with await connect(found, who=who) as opened:
                await _shake(tls, incoming, outgoing, opened)
        data = tls.getpeercert(binary_form=True)
        return await asyncio.to_thread(certificates.decode_der, data) if data else None
    except (EngineError, OSError, EOFError, TimeoutError, ValueError):
        return None
