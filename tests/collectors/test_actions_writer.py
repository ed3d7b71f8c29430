"""The one door to engines for changes: what may pass, what is never followed, and whom it trusts."""

from __future__ import annotations

import asyncio
import datetime
import ssl
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import web
from fleettop.collectors.actions.writer import Writer, in_thread
from fleettop.collectors.errors import (
    CertificateRefused,
    ConnectionLost,
    Malformed,
    NotAnswering,
    ReadOnly,
    Refused,
    Rejected,
)
from fleettop.collectors.links.base import TcpEndpoint, UnixEndpoint

from tests.collectors.actions_engine import tiny_engine

ID = "a" * 64


def test_a_writer_cannot_be_made_read_only() -> None:
    """The layer below plans and performing refuses as well."""
    with pytest.raises(ReadOnly):
        Writer(UnixEndpoint("/nowhere"), api="1.41", engine="e1", read_only=True)


def test_the_door_itself_refuses_in_read_only_mode_and_what_is_on_no_list() -> None:
    """Even a mistake above it cannot leak."""
    import requests
    from fleettop.collectors.actions.guard import UNIX_BASE, Guard
    from requests.adapters import BaseAdapter

    class Recording(BaseAdapter):
        sent = 0

        def send(self, *_: object, **__: object) -> requests.Response:
            self.sent += 1
            raise AssertionError("it was let through")

        def close(self) -> None: ...

    inner = Recording()
    session = requests.Session()
    session.mount(UNIX_BASE, Guard(inner, engine="e1", read_only=True))
    for method, path in (("POST", f"/v1.41/containers/{ID}/stop"), ("DELETE", f"/v1.41/containers/{ID}")):
        with pytest.raises(ReadOnly):
            session.request(method, UNIX_BASE + path)
    session.mount(UNIX_BASE, Guard(inner, engine="e1", read_only=False))
    for method, path in (
        ("GET", "/v1.41/swarm"),
        ("POST", "/v1.41/build"),
        ("DELETE", "/v1.41/networks/data"),
        ("PUT", f"/v1.41/containers/{ID}/archive"),
        ("POST", f"/v1.41/containers/{ID}/stop/../../../swarm/leave"),
    ):
        with pytest.raises(ReadOnly):
            session.request(method, UNIX_BASE + path)
    assert inner.sent == 0


async def test_only_the_engines_own_address_is_ever_asked(tmp_path: Path) -> None:
    """The SDK's session has one door and no other adapters."""
    async with tiny_engine(tmp_path) as (_, reach):
        writer = Writer(reach.endpoint, api="1.41", engine="e1")
        client = await in_thread(writer._open, name="t")
        assert list(client.adapters) == ["http+docker://localhost"]
        assert client.trust_env is False
        await writer.close()


async def test_a_redirect_is_refused_and_not_followed(tmp_path: Path) -> None:
    """Requests would follow it, to anywhere."""
    async with tiny_engine(tmp_path) as (engine, reach):

        async def elsewhere(_: web.Request) -> web.StreamResponse:
            return web.Response(status=307, headers={"Location": f"/v1.41/containers/{ID}/kill"})

        engine.answers["stop"] = elsewhere
        writer = Writer(reach.endpoint, api="1.41", engine="e1")
        with pytest.raises(Rejected, match="redirect"):
            await writer.stop(ID, stop_timeout=0)
        await writer.close()
        assert engine.changes == [f"POST /containers/{ID}/stop"]


async def test_the_surroundings_do_not_change_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies, another authority, a docker config with headers, a netrc: none is used."""
    config = tmp_path / "docker"
    config.mkdir()
    (config / "config.json").write_text('{"HttpHeaders": {"X-Secret": "s3cret"}, "proxies": {"default": {}}}')
    (tmp_path / "netrc").write_text("default login me password s3cret\n")
    for name, value in (
        ("DOCKER_CONFIG", str(config)),
        ("HTTP_PROXY", "http://127.0.0.1:1"),
        ("ALL_PROXY", "http://127.0.0.1:1"),
        ("REQUESTS_CA_BUNDLE", "/nonexistent"),
        ("NETRC", str(tmp_path / "netrc")),
    ):
        monkeypatch.setenv(name, value)
    async with tiny_engine(tmp_path) as (engine, reach):
        writer = Writer(reach.endpoint, api="1.41", engine="e1")
        assert await writer.kill(engine.add("c"), signal="SIGHUP")
        await writer.close()
        assert "s3cret" not in str(engine.headers)
        assert "Authorization" not in str(engine.headers)


@pytest.mark.parametrize("name", ["", "-v", "$(reboot)", "../../swarm", "a" * 64 + "/kill", "a b", "é" * 12, "A" * 64])
async def test_what_is_no_id_is_not_sent(tmp_path: Path, name: str) -> None:
    """Names like these are test data, not paths."""
    async with tiny_engine(tmp_path) as (engine, reach):
        writer = Writer(reach.endpoint, api="1.41", engine="e1")
        with pytest.raises(Malformed):
            await writer.start(name)
        assert engine.requests == []


async def test_an_odd_socket_path_is_taken_as_it_is(tmp_path: Path) -> None:
    """The SDK would read a percent sign, a space or a question mark as part of a URL."""
    folder = tmp_path / "a b%20?#"
    folder.mkdir()
    async with tiny_engine(folder) as (engine, reach):
        writer = Writer(reach.endpoint, api="1.41", engine="e1")
        assert await writer.kill(engine.add("c"), signal="SIGHUP")
        await writer.close()


async def test_where_nobody_listens_nothing_was_sent(tmp_path: Path) -> None:
    """That is known, so it is not called unknown."""
    for endpoint in (UnixEndpoint(str(tmp_path / "none.sock")), TcpEndpoint("127.0.0.1", 1)):
        writer = Writer(endpoint, api="1.41", engine="e1")
        with pytest.raises(Refused, match="nothing was sent"):
            await writer.start(ID)


async def test_a_silent_engine_and_a_dripping_one_end_at_the_deadline(tmp_path: Path) -> None:
    """A byte now and then defeats the SDK's timeouts, not ours."""
    async with tiny_engine(tmp_path) as (engine, reach):
        release = asyncio.Event()

        async def drip(request: web.Request) -> web.StreamResponse:
            answer = web.StreamResponse()
            await answer.prepare(request)
            while not release.is_set():
                try:
                    await answer.write(b" ")
                except ConnectionError:
                    break
                with suppress(TimeoutError):
                    await asyncio.wait_for(release.wait(), 0.05)
            return answer

        async def silence(_: web.Request) -> web.StreamResponse:
            await release.wait()
            return web.Response(status=204)

        engine.answers |= {"start": drip, "unpause": silence}
        writer = Writer(reach.endpoint, api="1.41", engine="e1", deadline=0.3)
        for change in (writer.start(ID), writer.unpause(ID)):
            with pytest.raises(NotAnswering):
                await change
        release.set()
        await writer.close()


async def test_a_connection_that_ends_without_an_answer_is_lost(tmp_path: Path) -> None:
    """It may have been done."""
    async with tiny_engine(tmp_path) as (engine, reach):

        async def cut(request: web.Request) -> web.StreamResponse:
            assert request.transport is not None
            request.transport.close()
            return web.Response()

        engine.answers["start"] = cut
        writer = Writer(reach.endpoint, api="1.41", engine="e1")
        with pytest.raises(ConnectionLost):
            await writer.start(ID)
        await writer.close()
        assert len(engine.changes) == 1


async def test_threads_are_not_waited_for_when_cancelled() -> None:
    """A frozen engine holds up neither the others nor the end of the program."""
    release = threading.Event()
    waiting = asyncio.ensure_future(in_thread(release.wait, name="frozen"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "frozen")
    release.set()


def test_the_sdk_is_imported_with_the_first_change_only() -> None:
    """It costs a fifth of a second at start."""
    program = "import sys, fleettop.collectors.actions; print([m for m in ('docker', 'requests') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


# -- TLS ---------------------------------------------------------------------------------------------------------------


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A folder with a certificate for 127.0.0.1 that is its own authority."""
    days = str((datetime.datetime(2100, 1, 1) - datetime.datetime.now()).days)
    openssl(
        tmp_path, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
        "key.pem", "-out", "cert.pem", "-days", days, "-subj", "/CN=e1", "-addext", "subjectAltName=IP:127.0.0.1",
    )  # fmt: skip
    return tmp_path


async def test_tls_is_what_the_links_context_says_and_nothing_else(authority: Path) -> None:
    """Requests adds certifi's authorities to a context it is given: after a request it has its one still."""
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(authority / "cert.pem", authority / "key.pem")

    async def fine(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=204)

    runner = web.ServerRunner(web.Server(fine))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_side)
    await site.start()
    port = runner.addresses[0][1]
    try:
        trusting = ssl.create_default_context(cafile=str(authority / "cert.pem"))
        writer = Writer(TcpEndpoint("127.0.0.1", port, trusting), api="1.41", engine="e1")
        assert await writer.start(ID)
        assert trusting.cert_store_stats()["x509_ca"] == 1
        assert trusting.verify_mode is ssl.CERT_REQUIRED
        assert trusting.check_hostname
        await writer.close()
        stranger = Writer(TcpEndpoint("127.0.0.1", port, ssl.create_default_context()), api="1.41", engine="e1")
        with pytest.raises(CertificateRefused, match="nothing was sent"):
            await stranger.start(ID)
        await stranger.close()
    finally:
        await runner.cleanup()
