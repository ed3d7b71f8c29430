"""Ways over TLS and local sockets to real engines, each broken for real."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

import pytest
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.engine.client import EngineClient
from fleettop.collectors.errors import (
    Authentication,
    CertificateExpired,
    CertificateRefused,
    EngineError,
    NotAnswering,
    Refused,
    Untrusted,
)
from fleettop.collectors.links import link_to, tcp
from fleettop.collectors.links.tcp import TcpLink

from tests.fleet import Fleet


async def reach(address: EngineAddress) -> None:
    """Open a link and ask the engine over it."""
    link = link_to(address)
    client = EngineClient(await link.open(), engine=address.name)
    try:
        await client.negotiate()
        assert (await client.info()).hostname == address.name
    finally:
        await client.close()
        await link.close()


async def refusal(address: EngineAddress) -> EngineError:
    """The error that opening a link ends with."""
    with pytest.raises(EngineError) as caught:
        await link_to(address).open()
    return caught.value


async def test_an_engine_with_certificates_on_both_sides_is_reached(fleet: Fleet) -> None:
    """And it is known when its certificate ends."""
    await reach(fleet.address("h1", "tls"))
    link = TcpLink(fleet.address("h1", "tls"))
    await link.open()
    assert link.expires is not None
    assert link.own_expires is not None


async def test_a_local_socket_is_reached(fleet: Fleet) -> None:
    """Nothing in between."""
    await reach(fleet.address("h1", "unix"))


async def test_a_certificate_for_another_name_is_refused(fleet: Fleet) -> None:
    """The names it is for are in the message."""
    await asyncio.to_thread(fleet.fault, "h1", "cert-name")
    error = await refusal(fleet.address("h1", "tls"))
    assert type(error) is CertificateRefused
    assert f"is not for {fleet.state.hosts['h1'].address}; it is for " in str(error)


async def test_an_expired_certificate_is_refused_with_its_date(fleet: Fleet) -> None:
    """F12: refuse, name the reason and the date."""
    await asyncio.to_thread(fleet.fault, "h1", "cert-expired")
    error = await refusal(fleet.address("h1", "tls"))
    assert type(error) is CertificateExpired
    assert re.search(r"expired on \d{4}-\d\d-\d\d", str(error))


async def test_a_certificate_of_another_authority_is_refused(fleet: Fleet) -> None:
    """Both ways round: the engine has another one, and we trust another one."""
    address = fleet.address("h1", "tls", tls=fleet.tls_files(authority="other-ca"))
    assert type(await refusal(address)) is CertificateRefused
    await asyncio.to_thread(fleet.fault, "h1", "cert-stranger")
    assert type(await refusal(fleet.address("h1", "tls"))) is CertificateRefused


@pytest.mark.parametrize(("client", "words"), [("client-stranger", "signed by"), ("client-expired", "it expired on")])
async def test_a_client_certificate_that_is_refused_is_a_refused_login(fleet: Fleet, client: str, words: str) -> None:
    """Signed by another authority, or over: the engine says the same of both."""
    error = await refusal(fleet.address("h1", "tls", tls=fleet.tls_files(client)))
    assert type(error) is Authentication
    assert words in str(error)


async def test_a_frozen_engine_is_not_answering(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connected by the kernel, then silence within the handshake."""
    monkeypatch.setattr(tcp, "HANDSHAKE", 1.0)
    await asyncio.to_thread(fleet.fault, "h1", "freeze")
    assert type(await refusal(fleet.address("h1", "tls"))) is NotAnswering


async def test_an_engine_that_is_gone_refuses(fleet: Fleet, eventually: Callable[..., Awaitable[object]]) -> None:
    """Over TCP and at its local socket, which it leaves behind when it is killed."""
    await asyncio.to_thread(fleet.fault, "h1", "kill")

    async def refused(way: str) -> bool:
        try:
            await link_to(fleet.address("h1", way)).open()
        except EngineError as error:
            return type(error) is Refused
        return False

    # A process takes a moment to die: until then it takes connections or hangs up, and lets go of one socket after the
    # other.
    await eventually(lambda: refused("tls"), timeout=30)
    await eventually(lambda: refused("unix"), timeout=30)


async def test_plain_tcp_to_another_machine_needs_leave(fleet: Fleet) -> None:
    """Refused before a single packet; with leave, what is there answers (here: nobody)."""
    assert type(await refusal(fleet.address("h1", "tcp"))) is Untrusted
    assert type(await refusal(fleet.address("h1", "tcp", insecure=True))) is Refused
