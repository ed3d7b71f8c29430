"""The engine's socket on a host: where it is, why it is not reached, and the docker command instead."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from fleettop.collectors.errors import (
    ForwardingForbidden,
    NoSocket,
)
from fleettop.collectors.links import HandshakeGate
from fleettop.collectors.links.ssh import SshLink

from .servers import Sshd, ask, engine_at
from .ways import OK, docker_command, reach, refusal


async def test_no_socket_on_the_host_is_said_with_its_path(sshd: Sshd) -> None:
    """sshd itself says only "open failed"."""
    async with sshd.up():
        error = await refusal(sshd, socket="/nowhere/docker.sock")
        assert type(error) is NoSocket
        assert "/nowhere/docker.sock on web-1" in str(error)


async def test_something_else_than_a_socket_is_said_to_be_no_socket(sshd: Sshd) -> None:
    """A path to the folder or to a file beside it."""
    async with sshd.up():
        assert "is no socket" in str(await refusal(sshd, socket=str(sshd.folder)))


async def test_a_socket_nobody_listens_at_is_a_stopped_engine(sshd: Sshd, folder: Path) -> None:
    """A killed engine leaves its socket behind; that is not forbidden forwarding."""
    async with engine_at(folder / "stale.sock") as path:
        pass
    assert path.exists()
    async with sshd.up():
        error = await refusal(sshd, socket=str(path))
        assert type(error) is NoSocket
        assert "no engine listens" in str(error)


async def test_paths_are_never_read_by_a_shell(sshd: Sshd, folder: Path, engine: str) -> None:
    """The remote command is constant; the path is one quoted word, whatever it holds."""
    odd = folder / "a 'b' $(touch hacked);x.sock"
    odd.symlink_to(engine)
    async with sshd.up():
        assert await reach(sshd, socket=str(odd)) == OK
        sshd.forwards = False
        sshd.path = str(docker_command(folder))
        assert await reach(sshd, socket=str(odd)) == OK
    assert not os.path.exists("hacked")  # noqa: ASYNC240, PTH110
    assert "hacked" not in os.listdir(folder)  # noqa: PTH208


async def test_where_forwarding_is_forbidden_the_docker_command_is_the_way(
    sshd: Sshd, engine: str, folder: Path
) -> None:
    """AllowStreamLocalForwarding no: `docker system dial-stdio`, with the engine's own path, and at most 8 at once."""
    sshd.forwards = False
    sshd.path = str(docker_command(folder))
    async with sshd.up():
        link = SshLink(sshd.address(engine), HandshakeGate())
        endpoint = await link.open()
        assert (link.route, link.channels) == ("ssh dial-stdio", 8)
        answers = await asyncio.gather(*(ask(endpoint.path) for _ in range(12)))
        assert answers == [OK] * 12
        await link.close()


async def test_where_forwarding_is_forbidden_and_no_docker_command_is_there_both_are_said(
    folder: Path, engine: str
) -> None:
    """sshd's "open failed" alone does not tell that from a missing socket."""
    async with Sshd(folder, forwards=False).up() as sshd:
        sshd.path = "/nonexistent"
        error = await refusal(sshd, socket=engine)
        assert type(error) is ForwardingForbidden
        assert "no docker command" in str(error)
        assert "AllowStreamLocalForwarding" in error.hint


async def test_a_docker_command_without_dial_stdio_is_no_way(folder: Path, engine: str) -> None:
    """Docker before 18.09 has none; its own words are passed on."""
    async with Sshd(folder, forwards=False).up() as sshd:
        old = "#!/bin/sh\necho \"unknown command 'dial-stdio'\" >&2\nexit 125\n"
        sshd.path = str(docker_command(folder, old))
        error = await refusal(sshd, socket=engine)
        assert type(error) is ForwardingForbidden
        assert "unknown command" in str(error)


async def test_an_sshd_that_opens_no_session_either_names_max_sessions(folder: Path, engine: str) -> None:
    """MaxSessions 0 and no forwarding: both options are named."""
    async with Sshd(folder, forwards=False, sessions=False).up() as sshd:
        error = await refusal(sshd, socket=engine)
        assert type(error) is ForwardingForbidden
        assert "MaxSessions" in error.hint


async def test_an_engine_that_is_stopped_is_told_through_the_docker_command_too(folder: Path) -> None:
    """The docker command's "Is the docker daemon running?" is not forbidden forwarding."""
    async with engine_at(folder / "stale.sock") as path:
        pass
    async with Sshd(folder, forwards=False).up() as sshd:
        sshd.path = str(docker_command(folder))
        assert type(await refusal(sshd, socket=str(path))) is NoSocket
