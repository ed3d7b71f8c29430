"""TLS to engines that fall silent: what is given up is closed at once, and not when the engine says goodbye."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path

import pytest
from fleettop.collectors.actions.writer import Writer
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.engine.client import EngineClient
from fleettop.collectors.errors import CertificateRefused, ConnectionLost, NotAnswering, Unreachable
from fleettop.collectors.links import link_to

from tests.fleet import Fleet

from .stage import Eventually, fault, heal, ran, watching

AT_ONCE = 5.0
"""Seconds that a loaded machine may take for what happens at once. asyncio waits 30 for a goodbye."""


def sockets_to(address: EngineAddress) -> set[str]:
    """The sockets of this process that are connected, or connecting, to that address: their inodes (proc(5))."""
    if address.scheme == "unix":
        return set()
    far = f"{int.from_bytes(ipaddress.IPv4Address(address.host).packed, 'little'):08X}:{address.port:04X}"
    lines = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    ours = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            ours.add(str(descriptor.readlink()))
    return {fields[9] for fields in lines if fields[2] == far and f"socket:[{fields[9]}]" in ours}


async def gone(address: EngineAddress, eventually: Eventually) -> None:
    """See that no socket to that address is left, and that none was lost: it would warn when it is collected."""
    await eventually(lambda: not sockets_to(address), timeout=AT_ONCE)
    gc.collect()


@asynccontextmanager
async def client_of(address: EngineAddress) -> AsyncIterator[EngineClient]:
    """A client that has just been answered, so that it has a connection."""
    link = link_to(address)
    client = EngineClient(await link.open(), engine=address.name)
    try:
        await client.negotiate()
        assert sockets_to(address)
        yield client
    finally:
        await client.close()
        await link.close()


async def test_dropped_packets_make_an_engine_stale_and_leave_no_socket(fleet: Fleet, eventually: Eventually) -> None:
    """F2 over TLS: stale and then down by the deadlines, with nothing left open between two attempts; it comes back."""
    near, far = fleet.address("h1", "tls"), fleet.address("h2", "tls")
    key = await ran(fleet, "h1", "web")
    async with watching(near, far) as stage:
        await fault(fleet, "h1", "drop")
        await eventually(lambda: not stage.live("h1"), timeout=20)
        error = await eventually(lambda: stage.down("h1"), timeout=30)
        assert isinstance(error, Unreachable | NotAnswering)
        await eventually(lambda: stage.down("h1") and not sockets_to(near), timeout=20)
        gc.collect()
        assert stage.container(key)
        assert stage.live("h2")
        await heal(fleet, "h1")
        await eventually(lambda: stage.live("h1"), timeout=60)
        assert sockets_to(near)
        await fault(fleet, "h1", "drop")
    await gone(near, eventually)
    await gone(far, eventually)


async def test_a_cancelled_request_is_closed_while_its_client_goes_on(fleet: Fleet, eventually: Eventually) -> None:
    """The engine took it and says nothing, not even goodbye."""
    address = fleet.address("h1", "tls")
    async with client_of(address) as client:
        await fault(fleet, "h1", "freeze")
        asking = asyncio.ensure_future(client.info())
        await asyncio.sleep(0)
        assert len(sockets_to(address)) == 1
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await gone(address, eventually)


async def test_a_stream_that_is_left_is_closed_while_its_client_goes_on(fleet: Fleet, eventually: Eventually) -> None:
    """Packets vanish, so the engine never hears that it was left."""
    address = fleet.address("h1", "tls")
    async with client_of(address) as client:
        async with aclosing(client.events(since=1)) as events:
            await anext(events)
            await fault(fleet, "h1", "drop")
        await gone(address, eventually)


@pytest.mark.parametrize("kind", ["drop", "freeze"])
async def test_closing_ends_connections_in_the_making(fleet: Fleet, eventually: Eventually, kind: str) -> None:
    """Dropped: no TCP yet; frozen: TCP, but no TLS yet. Who waits hears that it was closed, as does who comes late."""
    address = fleet.address("h1", "tls")
    link = link_to(address)
    client = EngineClient(await link.open(), engine="h1", deadline=60)
    await fault(fleet, "h1", kind)
    asking = asyncio.ensure_future(client.ping())
    await eventually(lambda: sockets_to(address))
    await client.close()
    with pytest.raises(ConnectionLost):
        await asking
    with pytest.raises(ConnectionLost):
        await client.ping()
    await gone(address, eventually)


@pytest.mark.parametrize(("way", "kind"), [("tls", "drop"), ("tls", "freeze"), ("tls", "answer"), ("unix", "answer")])
async def test_a_closed_writer_hangs_up_on_a_change_under_way(
    fleet: Fleet, eventually: Eventually, way: str, kind: str
) -> None:
    """While it connects, shakes hands, or waits for the answer, none of which its thread can be cancelled in."""
    address = fleet.address("h1", way)
    link = link_to(address)
    writer = Writer(await link.open(), api="1.41", engine="h1", deadline=60)
    slow = (await ran(fleet, "h1", "slow", "slowstop")).id
    if kind != "answer":
        await fault(fleet, "h1", kind)
    changing = asyncio.ensure_future(writer.stop(slow, stop_timeout=50))
    if kind == "answer":
        await eventually(lambda: "ignoring TERM" in fleet.docker("h1", "logs", slow))
    else:
        await eventually(lambda: sockets_to(address))
    await writer.close()
    done, _ = await asyncio.wait([changing], timeout=AT_ONCE)
    assert done
    assert isinstance(changing.exception(), Unreachable | CertificateRefused)
    await gone(address, eventually)
