"""What the tests of the links share: an sshd, an engine on its host, a jump host, a gate."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from fleettop.collectors.links import HandshakeGate
from fleettop.collectors.links.ssh import make_folder

from .servers import Sshd, engine_at


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path is short enough for sockets."""
    made = make_folder()
    yield made
    shutil.rmtree(made)


@pytest.fixture
def sshd(folder: Path) -> Sshd:
    """An sshd that is not up yet."""
    return Sshd(folder)


@pytest.fixture
async def engine(folder: Path) -> AsyncIterator[str]:
    """The path of a socket on the host at which an engine answers."""
    async with engine_at(folder / "docker.sock") as path:
        yield str(path)


@pytest.fixture
def gate() -> HandshakeGate:
    """The program's one gate."""
    return HandshakeGate()


@pytest.fixture
async def jump(tmp_path: Path) -> AsyncIterator[Sshd]:
    """A jump host."""
    folder = tmp_path / "jump"
    folder.mkdir()
    async with Sshd(folder).up() as up:
        yield up
