"""The connections to one engine: opened, kept and let go of."""

from __future__ import annotations

import asyncio
import gc
import warnings
from contextlib import suppress

import pytest
from fleettop.collectors.engine.pool import Pool, is_address
from fleettop.collectors.links.base import TcpEndpoint

REQUEST = b"GET /_ping HTTP/1.1\r\nHost: engine\r\n\r\n"


@pytest.mark.parametrize(
    ("host", "address"),
    [("10.0.0.7", True), ("::1", True), ("fe80::1%eth0", True), ("web-1.example.com", False), ("localhost", False)],
)
def test_an_address_is_told_from_a_name(host: str, address: bool) -> None:
    """Only a name can have several addresses."""
    assert is_address(host) is address


async def test_an_opening_that_is_given_up_at_whatever_moment_loses_no_socket() -> None:
    """A link that ends cancels what is being opened; a socket that nobody closes is an open file until it is found."""
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", ResourceWarning)
        for moment in range(30):
            pool = Pool(TcpEndpoint("127.0.0.1", port, None), connect=5.0)
            opening = asyncio.create_task(pool.get(REQUEST))
            for _ in range(moment):
                await asyncio.sleep(0)
            opening.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await opening
            await pool.close()
            del opening
            gc.collect()
    server.close()
    await server.wait_closed()
    assert [str(each.message) for each in warned if each.category is ResourceWarning] == []
