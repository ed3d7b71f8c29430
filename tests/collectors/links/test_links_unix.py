"""The way through a local socket."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.errors import EngineError, NoSocket, NotAnswering, Permission, Refused
from fleettop.collectors.links import UnixEndpoint, link_to, unix
from fleettop.collectors.links.ssh import make_folder

from .servers import engine_at


@pytest.fixture
def path() -> Iterator[Path]:
    """Where a socket may be, with a path short enough."""
    folder = make_folder()
    yield folder / "docker.sock"
    shutil.rmtree(folder)


async def refusal(path: Path) -> EngineError:
    """The error that opening a link ends with."""
    with pytest.raises(EngineError) as caught:
        await link_to(EngineAddress(name="local", scheme="unix", socket=str(path))).open()
    return caught.value


def hand_over(path: Path, group: str) -> None:
    """Let a group own a socket, as dockerd does."""
    path.parent.chmod(0o755)
    path.chmod(0o660)
    shutil.chown(path, group=group)


def replace_by_file(path: Path) -> None:
    """What a mistaken bind mount leaves."""
    path.unlink()
    path.touch()


async def test_a_socket_somebody_listens_at_is_itself_the_endpoint(path: Path) -> None:
    """Nothing stands in between."""
    async with engine_at(path):
        link = link_to(EngineAddress(name="local", scheme="unix", socket=str(path)))
        assert await link.open() == UnixEndpoint(str(path))
        assert (link.route, link.insecure) == ("local socket", False)
        await link.close()


async def test_no_socket_something_else_and_nobody_listening_are_told_apart(path: Path) -> None:
    """Each is put right in another way."""
    error = await refusal(path)
    assert type(error) is NoSocket
    assert str(path) in str(error)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    assert type(await refusal(path)) is Refused
    replace_by_file(path)
    assert "is no socket" in str(await refusal(path))


async def test_a_daemon_that_takes_no_more_connections_is_not_answering(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen engine whose backlog is full: the connect itself waits."""
    monkeypatch.setattr(unix, "DEADLINE", 0.2)
    with socket.socket(socket.AF_UNIX) as frozen, socket.socket(socket.AF_UNIX) as first:
        frozen.bind(str(path))
        frozen.listen(0)
        first.connect(str(path))
        assert type(await refusal(path)) is NotAnswering


async def test_a_socket_of_another_group_names_the_group(path: Path) -> None:
    """As a user who is in no group: with the name of the group to be put into."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become somebody else")
    async with engine_at(path):
        hand_over(path, "daemon")
        os.seteuid(65534)
        try:
            error = await refusal(path)
        finally:
            os.seteuid(0)
        assert type(error) is Permission
        assert "is not in group daemon" in str(error)
        assert "usermod -aG daemon" in error.hint
