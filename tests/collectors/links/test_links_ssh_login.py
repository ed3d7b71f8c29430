"""Logging in at an sshd in the test process, or at something that is none."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from fleettop.collectors.errors import (
    Authentication,
    ConnectionLost,
    Refused,
    TimedOut,
)
from fleettop.collectors.links import HandshakeGate, link_to, login

from .servers import Sshd, tcp_server
from .ways import OK, reach, refusal, run


async def test_a_refused_key_is_named_with_its_fingerprint(sshd: Sshd, engine: str) -> None:
    """Who must put the key on the host needs to know which one."""
    async with sshd.up():
        other = asyncssh.generate_private_key("ssh-ed25519")
        other.write_private_key(sshd.key)
        error = await refusal(sshd, socket=engine)
        assert type(error) is Authentication
        assert f"{sshd.key} ({other.get_fingerprint()})" in str(error)
        assert "user ops" in str(error)
        assert not error.transient


async def test_an_encrypted_key_without_agent_is_said_to_be_encrypted(sshd: Sshd, engine: str) -> None:
    """Nobody is there to be asked for a passphrase; the hint is ssh-add."""
    async with sshd.up():
        await run("ssh-keygen", "-q", "-p", "-N", "secret", "-f", sshd.key)
        error = await refusal(sshd, socket=engine)
        assert type(error) is Authentication
        assert f"{sshd.key} is encrypted and not in an agent" in str(error)


async def test_a_key_file_that_is_not_there_is_said_to_be_missing(sshd: Sshd, engine: str) -> None:
    """A misspelt IdentityFile is otherwise the hardest to find."""
    async with sshd.up():
        sshd.key.unlink()
        assert f"there is no {sshd.key}" in str(await refusal(sshd, socket=engine))


async def test_an_agent_that_is_gone_is_said_to_be_gone(sshd: Sshd, engine: str) -> None:
    """SSH_AUTH_SOCK outlives its agent in every old tmux; the file's key is tried all the same."""
    async with sshd.up():
        gone = sshd.folder / "agent"
        sshd.write_config(f"Host *\n IdentityAgent {gone}\n")
        assert await reach(sshd, socket=engine) == OK
        sshd.key.unlink()
        error = await refusal(sshd, socket=engine)
        assert type(error) is Authentication
        assert f"the agent at {gone} does not answer" in str(error)


@pytest.fixture
def agent(folder: Path) -> Iterator[str]:
    """The socket of a real ssh-agent."""
    socket = str(folder / "agent")
    process = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    yield socket
    process.terminate()
    process.wait()


async def test_the_keys_of_an_agent_work(sshd: Sshd, engine: str, agent: str, eventually: Any) -> None:
    """A key that is only in the agent, or encrypted on disk, logs in; IdentitiesOnly leaves out the others."""
    async with sshd.up():
        await eventually(lambda: Path(agent).exists())
        await run("ssh-add", "-q", sshd.key, SSH_AUTH_SOCK=agent)
        sshd.key.rename(elsewhere := sshd.folder / "elsewhere")
        sshd.write_config(f"Host *\n IdentityAgent {agent}\n")
        assert await reach(sshd, socket=engine) == OK
        sshd.write_config(f"Host *\n IdentityAgent {agent}\n IdentitiesOnly yes\n")
        assert type(await refusal(sshd, socket=engine)) is Authentication
        elsewhere.rename(sshd.key)
        sshd.user_key.write_public_key(f"{sshd.key}.pub")
        await run("ssh-keygen", "-q", "-p", "-N", "secret", "-f", sshd.key)
        assert await reach(sshd, socket=engine) == OK


async def test_a_host_that_accepts_and_says_nothing_is_called_silent(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen sshd takes TCP connections (the kernel does), which is neither refused nor down."""
    monkeypatch.setattr(login, "LOGIN", 0.3)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with tcp_server(silent) as port:
        sshd.port = port
        sshd.write_files()
        error = await refusal(sshd)
        assert type(error) is TimedOut
        assert "its sshd hangs" in str(error)


async def test_a_host_that_hangs_up_before_a_word_has_too_many_logins(sshd: Sshd) -> None:
    """What MaxStartups looks like from outside; it is worth trying again."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Nothing is said."""

    async with tcp_server(hang_up) as port:
        sshd.port = port
        sshd.write_files()
        error = await refusal(sshd)
        assert type(error) is Refused
        assert "MaxStartups" in str(error)
        assert error.transient


async def test_a_server_that_is_no_sshd_is_not_taken_for_one(sshd: Sshd) -> None:
    """The wrong port is the commonest mistake in an address."""

    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n" + b"X: y\r\n" * 2000)
        await writer.drain()
        await reader.read()

    async with tcp_server(web) as port:
        sshd.port = port
        sshd.write_files()
        error = await refusal(sshd)
        assert type(error) is Refused
        assert "does not speak SSH" in str(error)


async def test_a_login_that_breaks_off_is_a_lost_connection(sshd: Sshd) -> None:
    """The sshd greeted us, so it is neither refused nor too busy."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await writer.drain()
        await reader.readline()

    async with tcp_server(greet) as port:
        sshd.port = port
        sshd.write_files()
        assert type(await refusal(sshd)) is ConnectionLost


async def test_an_sshd_without_common_algorithms_is_explained(sshd: Sshd) -> None:
    """An old sshd is not "unreachable"."""
    async with sshd.up(kex_algs=["diffie-hellman-group1-sha1"]):
        assert "no algorithm in common" in str(await refusal(sshd))


async def test_a_port_nobody_listens_at_refuses(sshd: Sshd) -> None:
    """Refused is said with the address and port that were tried."""
    async with sshd.up():
        pass
    error = await refusal(sshd)
    assert type(error) is Refused
    assert f"127.0.0.1 port {sshd.port}" in str(error)


async def test_a_cancelled_opening_leaves_nothing_behind(sshd: Sshd, engine: str) -> None:
    """Quitting in the middle of a login is no error."""
    silence = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        silence.set()
        await reader.read()

    async with tcp_server(silent) as port:
        sshd.port = port
        sshd.write_files()
        gate = HandshakeGate()
        link = link_to(sshd.address(engine), gate=gate)
        before = asyncio.all_tasks()
        opening = asyncio.ensure_future(link.open())
        await silence.wait()
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await link.close()
        assert {task for task in asyncio.all_tasks() - before if "serve" not in repr(task)} == set()
        assert not gate.busy
