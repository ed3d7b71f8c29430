"""The way over SSH, against an sshd in the test process: it works, and it breaks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from fleettop.collectors.errors import (
    EngineError,
)
from fleettop.collectors.links import HandshakeGate, link_to, login
from fleettop.collectors.links.ssh import SshLink, make_folder

from .servers import Sshd, ask, tcp_server
from .ways import DIAL, OK, docker_command, reach


async def test_the_engine_answers_at_a_local_socket(sshd: Sshd, engine: str) -> None:
    """An SSH link ends in a local endpoint that anything can dial."""
    async with sshd.up():
        link = SshLink(sshd.address(engine), HandshakeGate())
        endpoint = await link.open()
        assert [await ask(endpoint.path) for _ in range(3)] == [OK] * 3
        assert (link.route, link.socket, link.channels) == ("ssh", engine, None)
        await link.close()


async def test_only_we_may_enter_the_folder_of_the_local_socket_and_it_goes_with_the_link(
    sshd: Sshd, engine: str
) -> None:
    """The socket is as good as root on the host: its folder is 0700, and gone afterwards."""
    async with sshd.up():
        link = link_to(sshd.address(engine))
        local = Path((await link.open()).path)
        assert stat.S_IMODE(local.parent.stat().st_mode) == 0o700
        assert len(os.fsencode(local)) < 104
        await link.close()
        assert not local.parent.exists()


async def test_a_long_temporary_folder_does_not_make_the_socket_path_too_long(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Socket paths end at 103 characters on some systems (unix(7), sys/un.h)."""
    long = tmp_path / ("x" * 90)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    made = make_folder()
    made.rmdir()
    assert len(str(made)) < 60
    assert not list(long.iterdir())


async def test_closing_leaves_no_task_behind(sshd: Sshd, engine: str, eventually: Any) -> None:
    """What a link started ends with it, whether it was opened, failed or never opened."""
    async with sshd.up():
        before = asyncio.all_tasks()
        for socket in (engine, "/nowhere/docker.sock"):
            link = link_to(sshd.address(socket))
            with contextlib.suppress(EngineError):
                await link.open()
            await link.close()
            await link.close()
        await link_to(sshd.address()).close()
        await sshd.cut()
        await eventually(lambda: asyncio.all_tasks() <= before)


async def test_no_environment_and_no_agent_go_along(
    sshd: Sshd, engine: str, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """Whatever the ssh config says: no SendEnv, no SetEnv, no ForwardAgent, no RemoteCommand."""
    async with sshd.up():
        monkeypatch.setenv("SECRET", "1")
        monkeypatch.setenv("SSH_AUTH_SOCK", str(folder / "agent"))
        sshd.write_config("Host *\n SendEnv SECRET\n SetEnv A=b\n ForwardAgent yes\n RemoteCommand false\n")
        assert await reach(sshd, socket=engine) == OK
        assert sshd.environments
        assert not any(sshd.environments)
        assert not any(sshd.agents)


async def test_a_host_that_runs_no_commands_is_still_reached(folder: Path, engine: str) -> None:
    """The look round the host is for better words; forwarding works without a single session."""
    async with Sshd(folder, sessions=False).up() as sshd:
        assert await reach(sshd, socket=engine) == OK


async def test_the_connection_is_compressed_and_cheap_to_encrypt(sshd: Sshd, engine: str) -> None:
    """A list of 131 KB becomes 10; aes128-gcm costs the least CPU of what every sshd has."""
    async with sshd.up():
        link = SshLink(sshd.address(engine), HandshakeGate())
        connection = (await link.log_in()).connection
        assert connection.get_extra_info("send_cipher") == "aes128-gcm@openssh.com"
        assert connection.get_extra_info("recv_compression") == "zlib@openssh.com"
        await link.close()


async def test_the_address_overrides_what_the_config_says(sshd: Sshd, engine: str) -> None:
    """User and port of the address win over those of the ssh config (ssh_config(5))."""
    async with sshd.up():
        right = sshd.port
        sshd.config.write_text(sshd.config.read_text().replace(f"Port {right}", "Port 1").replace("ops", "nobody"))
        assert await reach(sshd, socket=engine, port=right, user="ops") == OK


async def test_a_broken_connection_is_noticed(sshd: Sshd, engine: str) -> None:
    """`lost` returns, and requests at the local socket end instead of hanging."""
    async with sshd.up():
        link = link_to(sshd.address(engine))
        endpoint = await link.open()
        losing = asyncio.ensure_future(link.lost())
        assert await ask(endpoint.path) == OK
        assert not losing.done()
        await sshd.cut()
        async with asyncio.timeout(5):
            await losing
        await link.close()


async def test_a_silent_connection_is_noticed_by_keepalives(
    sshd: Sshd, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pulled cable ends no connection; unanswered keepalives do."""
    monkeypatch.setattr(login, "KEEPALIVE", 0.1)
    plugged = asyncio.Event()
    plugged.set()

    async def cable(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", right)

        async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65536):
                await plugged.wait()
                sink.write(data)

        try:
            await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))
        finally:
            far_writer.close()

    async with sshd.up():
        right = sshd.port
        public = sshd.host_key.export_public_key().decode()
        async with tcp_server(cable) as port:
            sshd.known_hosts.write_text(f"[127.0.0.1]:{port} {public}")
            link = link_to(sshd.address(engine, port=port))
            await link.open()
            plugged.clear()
            async with asyncio.timeout(5):
                await link.lost()
            plugged.set()
            await link.close()


async def test_a_dial_channel_that_dies_ends_its_connection_only(sshd: Sshd, engine: str, folder: Path) -> None:
    """One docker command killed on the host is one request lost, not the link."""
    sshd.forwards = False
    once = DIAL.format(python=sys.executable).replace(
        "waiting = [0, engine]",
        f"flag = {str(folder / 'die')!r}\nif os.path.exists(flag): os.unlink(flag); os._exit(1)\nwaiting = [0, engine]",
    )
    sshd.path = str(docker_command(folder, once))
    async with sshd.up():
        link = link_to(sshd.address(engine))
        endpoint = await link.open()
        (folder / "die").touch()
        assert await ask(endpoint.path) == b""
        assert await ask(endpoint.path) == OK
        await link.close()


async def test_closing_a_link_ends_the_connections_on_their_way(sshd: Sshd, engine: str, folder: Path) -> None:
    """A client that still waits for an answer gets an end, not a hang."""
    sshd.forwards = False
    sshd.path = str(docker_command(folder))
    async with sshd.up():
        link = link_to(sshd.address(engine))
        endpoint = await link.open()
        reader, writer = await asyncio.open_unix_connection(endpoint.path)
        writer.write(b"GET")
        await writer.drain()
        await link.close()
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(5):
                assert await reader.read() == b""
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
