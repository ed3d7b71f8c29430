"""The way over SSH, against an sshd in the test process that does what each test names."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from fleettop.collectors.errors import (
    Authentication,
    ConnectionLost,
    Denied,
    EngineError,
    ForwardingForbidden,
    HostKeyChanged,
    HostKeyUnknown,
    NoSocket,
    NotResolved,
    Refused,
    TimedOut,
    Unreachable,
    Untrusted,
)
from fleettop.collectors.links import HandshakeGate, Misconfigured, link_to, login
from fleettop.collectors.links.ssh import SshLink, make_folder

from .links_servers import Sshd, ask, engine_at, tcp_server

OK = b"HTTP/1.1 200 OK"


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


async def reach(sshd: Sshd, gate: HandshakeGate | None = None, **changes: Any) -> bytes:
    """Open a link, ask the engine, close it, and see that nothing is left."""
    link = link_to(sshd.address(**changes), gate=gate)
    try:
        endpoint = await link.open()
        return await ask(endpoint.path)
    finally:
        await link.close()


async def refusal(sshd: Sshd, gate: HandshakeGate | None = None, **changes: Any) -> EngineError:
    """The error that opening a link ends with."""
    with pytest.raises(EngineError) as caught:
        await reach(sshd, gate, **changes)
    return caught.value


async def run(*command: object, **environment: str) -> None:
    """Run a program that must succeed."""
    process = await asyncio.create_subprocess_exec(
        *(str(word) for word in command), env=os.environ | environment, stderr=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0


# -- it works ----------------------------------------------------------------------------------------------------------


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


# -- the host key ------------------------------------------------------------------------------------------------------


async def test_an_unknown_host_key_is_never_connected_to(sshd: Sshd, engine: str) -> None:
    """The message holds the fingerprint that was shown, the hint what to run."""
    async with sshd.up():
        sshd.known_hosts.write_text("")
        error = await refusal(sshd, socket=engine)
        assert type(error) is HostKeyUnknown
        assert sshd.host_key.get_fingerprint() in str(error)
        assert "`ssh host`" in error.hint
        assert sshd.logins == 0


async def test_a_changed_host_key_is_never_connected_to(sshd: Sshd, engine: str) -> None:
    """The message holds both fingerprints and the known one's file and line."""
    async with sshd.up():
        known = asyncssh.generate_private_key("ssh-ed25519")
        public = known.export_public_key().decode().strip()
        sshd.known_hosts.write_text(f"# first\n\n[127.0.0.1]:{sshd.port} {public}\n")
        error = await refusal(sshd, socket=engine)
        assert type(error) is HostKeyChanged
        assert sshd.host_key.get_fingerprint() in str(error)
        assert known.get_fingerprint() in str(error)
        assert f"{sshd.known_hosts} line 3" in str(error)
        assert f"ssh-keygen -R '[127.0.0.1]:{sshd.port}' -f {sshd.known_hosts}" in error.hint
        assert sshd.logins == 0


async def test_a_host_key_of_another_kind_counts_as_changed(sshd: Sshd, engine: str) -> None:
    """A server that no longer shows the kind we know must not look merely unknown."""
    async with sshd.up():
        known = asyncssh.generate_private_key("ecdsa-sha2-nistp256")
        sshd.known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {known.export_public_key().decode()}")
        assert type(await refusal(sshd, socket=engine)) is HostKeyChanged


async def test_of_several_host_keys_the_known_one_is_asked_for(sshd: Sshd, engine: str) -> None:
    """A server with three keys of which one is known is trusted, as ssh does (order_hostkeyalgs)."""
    rsa = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
    async with sshd.up(server_host_keys=[sshd.host_key, rsa]):
        sshd.known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {rsa.export_public_key().decode()}")
        assert await reach(sshd, socket=engine) == OK


async def test_a_revoked_host_key_is_never_connected_to(sshd: Sshd, engine: str) -> None:
    """A @revoked line wins over a line that knows the key."""
    async with sshd.up():
        line = sshd.host_key.export_public_key().decode()
        sshd.known_hosts.write_text(f"{sshd.known_hosts.read_text()}@revoked * {line}")
        error = await refusal(sshd, socket=engine)
        assert type(error) is HostKeyChanged
        assert "revoked" in str(error)
        assert "line 3" in str(error)


async def test_a_host_certificate_of_a_known_authority_is_trusted(sshd: Sshd, engine: str) -> None:
    """@cert-authority lines work; a host not named in the certificate is not trusted."""
    authority = asyncssh.generate_private_key("ssh-ed25519")
    line = f"@cert-authority * {authority.export_public_key().decode()}"
    for name, trusted in (("127.0.0.1", True), ("another", False)):
        certificate = authority.generate_host_certificate(sshd.host_key, "host", principals=[name])
        async with sshd.up(server_host_keys=[(sshd.host_key, certificate)]):
            sshd.known_hosts.write_text(line)
            if trusted:
                assert await reach(sshd, socket=engine) == OK
            else:
                assert isinstance(await refusal(sshd, socket=engine), Untrusted)
        sshd.port = 0


async def test_hashed_known_hosts_work(sshd: Sshd, engine: str) -> None:
    """HashKnownHosts is the default on Debian."""
    async with sshd.up():
        await run("ssh-keygen", "-q", "-H", "-f", sshd.known_hosts)
        assert sshd.known_hosts.read_text().splitlines()[-1].startswith("|1|")
        assert await reach(sshd, socket=engine) == OK
        other = sshd.host_key = asyncssh.generate_private_key("ssh-ed25519")
    sshd.known_hosts.rename(kept := sshd.folder / "kept")
    async with sshd.up():
        kept.rename(sshd.known_hosts)
        error = await refusal(sshd, socket=engine)
        assert type(error) is HostKeyChanged
        assert other.get_fingerprint() in str(error)


@pytest.mark.parametrize("nothing", ["none", "/dev/null"])
async def test_host_keys_are_checked_whatever_the_config_says(sshd: Sshd, engine: str, nothing: str) -> None:
    """asyncssh checks nothing where UserKnownHostsFile is none, and ssh accepts anything with /dev/null."""
    async with sshd.up():
        sshd.write_config(f"Host *\n UserKnownHostsFile {nothing}\n StrictHostKeyChecking no\n")
        error = await refusal(sshd, socket=engine)
        assert isinstance(error, Untrusted)
        assert "UserKnownHostsFile" in str(error)
        assert not sshd.connections


# -- logging in --------------------------------------------------------------------------------------------------------


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


# -- the engine's socket -----------------------------------------------------------------------------------------------


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


def docker_command(folder: Path, script: str = "") -> Path:
    """A folder with a docker command that does what `docker system dial-stdio` does."""
    bin_folder = folder / "bin"
    bin_folder.mkdir(exist_ok=True)
    program = bin_folder / "docker"
    program.write_text(script or DIAL.format(python=sys.executable))
    program.chmod(0o755)
    return bin_folder


DIAL = """#!{python}
import os, select, socket, sys
assert sys.argv[1] == "--host" and sys.argv[3:] == ["system", "dial-stdio"], sys.argv
engine = socket.socket(socket.AF_UNIX)
try:
    engine.connect(sys.argv[2].removeprefix("unix://"))
except OSError as error:
    sys.exit("Cannot connect to the Docker daemon at " + sys.argv[2] + ". Is the docker daemon running?")
waiting = [0, engine]
while engine in waiting:
    for ready in select.select(waiting, [], [])[0]:
        data = os.read(0, 65536) if ready == 0 else engine.recv(65536)
        if ready == 0 and data:
            engine.sendall(data)
        elif ready == 0:
            waiting.remove(0)
            engine.shutdown(socket.SHUT_WR)
        elif data:
            os.write(1, data)
        else:
            waiting.remove(engine)
"""


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


# -- a link that breaks ------------------------------------------------------------------------------------------------


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


# -- jump hosts --------------------------------------------------------------------------------------------------------


@pytest.fixture
async def jump(tmp_path: Path) -> AsyncIterator[Sshd]:
    """A jump host."""
    folder = tmp_path / "jump"
    folder.mkdir()
    async with Sshd(folder).up() as up:
        yield up


def behind(sshd: Sshd, *jumps: Sshd) -> None:
    """Let the ssh config of `sshd` reach it through `jumps`, each with its own key and known hosts."""
    hops = ""
    for number, jump in enumerate(jumps, 1):
        hops += (
            f"Host jump{number}\n HostName 127.0.0.1\n Port {jump.port}\n User ops\n IdentityFile {jump.key}\n"
            f" IdentitiesOnly yes\n UserKnownHostsFile {jump.known_hosts}\n GlobalKnownHostsFile none\n"
        )
    names = ",".join(f"jump{number}" for number in range(1, len(jumps) + 1))
    sshd.write_config(f"{hops}Host host\n ProxyJump {names}\n")


async def test_a_host_behind_a_jump_host_is_reached(sshd: Sshd, jump: Sshd, engine: str, gate: HandshakeGate) -> None:
    """Jump host and host each have their own key and known hosts."""
    async with sshd.up():
        behind(sshd, jump)
        assert await reach(sshd, gate, socket=engine) == OK
        assert jump.logins == 1
        assert not gate.busy


async def test_several_jumps_are_passed_in_their_order(
    sshd: Sshd, jump: Sshd, engine: str, tmp_path: Path, gate: HandshakeGate
) -> None:
    """ProxyJump a,b goes through a to b and from b to the host."""
    (tmp_path / "second").mkdir()
    async with sshd.up(), Sshd(tmp_path / "second").up() as second:
        behind(sshd, jump, second)
        assert await reach(sshd, gate, socket=engine) == OK
        assert (jump.logins, second.logins) == (1, 1)
        assert not gate.busy


async def test_a_jump_host_is_logged_into_once_for_all_engines_behind_it(
    sshd: Sshd, jump: Sshd, engine: str, gate: HandshakeGate, eventually: Any
) -> None:
    """A bastion before a thousand hosts holds one connection of ours, which ends with the last of them."""
    async with sshd.up():
        behind(sshd, jump)
        links = [link_to(sshd.address(engine), gate=gate) for _ in range(4)]
        endpoints = await asyncio.gather(*(link.open() for link in links))
        assert jump.logins == 1
        for link, endpoint in zip(links, endpoints, strict=True):
            assert await ask(endpoint.path) == OK
            await link.close()
        await eventually(lambda: not jump.connections)
        assert not gate.busy


async def test_a_jump_host_that_broke_is_logged_into_again(
    sshd: Sshd, jump: Sshd, engine: str, gate: HandshakeGate
) -> None:
    """Links through it are lost with it; the next attempt makes a new connection."""
    async with sshd.up():
        behind(sshd, jump)
        link = link_to(sshd.address(engine), gate=gate)
        await link.open()
        await jump.cut()
        async with asyncio.timeout(5):
            await link.lost()
        assert await reach(sshd, gate, socket=engine) == OK
        await link.close()
        assert jump.logins == 2
        assert not gate.busy


async def test_a_jump_host_that_is_down_is_called_the_jump_host(
    sshd: Sshd, jump: Sshd, engine: str, gate: HandshakeGate
) -> None:
    """The host itself may be well: the message names the jump."""
    async with sshd.up():
        behind(sshd, jump)
        sshd.config.write_text(sshd.config.read_text().replace(f"Port {jump.port}", "Port 1"))
        error = await refusal(sshd, gate, socket=engine)
        assert type(error) is Refused
        assert str(error).startswith("The jump host jump1 (127.0.0.1 port 1)")
        assert not gate.busy


async def test_the_key_of_the_jump_host_is_checked_too(
    sshd: Sshd, jump: Sshd, engine: str, gate: HandshakeGate
) -> None:
    """asyncssh alone would check it by other rules than the host's."""
    async with sshd.up():
        behind(sshd, jump)
        jump.known_hosts.write_text("")
        error = await refusal(sshd, gate, socket=engine)
        assert type(error) is HostKeyUnknown
        assert "the jump host jump1" in str(error)
        assert jump.logins == 0


async def test_a_host_that_is_down_behind_a_jump_host_is_not_the_jump_hosts_fault(
    sshd: Sshd, jump: Sshd, gate: HandshakeGate
) -> None:
    """Said from the jump host's point of view."""
    async with sshd.up():
        pass
    behind(sshd, jump)
    error = await refusal(sshd, gate)
    assert isinstance(error, Unreachable)
    assert "jump host jump1" in str(error)
    assert str(error).startswith(("web-1", "The jump host"))
    assert not gate.busy


async def test_a_jump_host_that_forwards_nothing_is_said_to(
    sshd: Sshd, jump: Sshd, engine: str, gate: HandshakeGate
) -> None:
    """AllowTcpForwarding no on the bastion: asking again soon does not help."""
    jump.forwards = False
    async with sshd.up():
        behind(sshd, jump)
        error = await refusal(sshd, gate, socket=engine)
        assert type(error) is Denied
        assert "AllowTcpForwarding" in error.hint


class CountingGate(HandshakeGate):
    """Knows when enough links wait for a jump host."""

    def __init__(self, wanted: int) -> None:
        super().__init__()
        self.all_there = asyncio.Event()
        self._wanted = wanted

    async def jump(self, *arguments: Any) -> Any:
        """One more is there."""
        self._wanted -= 1
        if not self._wanted:
            self.all_there.set()
        return await super().jump(*arguments)


async def test_who_waits_for_a_failing_jump_host_fails_with_it(sshd: Sshd, jump: Sshd) -> None:
    """A thousand engines do not try a dead bastion one after the other."""
    tries = 0
    gate = CountingGate(20)

    async def fail_late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        tries += 1
        await gate.all_there.wait()

    async with sshd.up(), tcp_server(fail_late) as port:
        behind(sshd, jump)
        sshd.config.write_text(sshd.config.read_text().replace(f"Port {jump.port}", f"Port {port}"))
        errors = await asyncio.gather(*(refusal(sshd, gate) for _ in range(20)))
        assert {type(error) for error in errors} == {Refused}
        assert len({id(error) for error in errors}) == 20
        assert tries == 1
        assert not gate.busy


async def test_logins_at_one_sshd_are_bounded(sshd: Sshd, engine: str, gate: HandshakeGate) -> None:
    """More than 10 unfinished logins are thrown away by sshd (MaxStartups 10:30:100): 8 at a time."""
    async with sshd.up():
        answers = await asyncio.gather(*(reach(sshd, gate, socket=engine) for _ in range(20)))
        assert answers == [OK] * 20
        assert 1 < sshd.most_at_once <= 8
        assert not gate.busy


# -- proxy commands ----------------------------------------------------------------------------------------------------

PIPE = """#!{python}
import os, select, socket, sys
host = socket.create_connection((sys.argv[1], int(sys.argv[2])))
while True:
    for ready in select.select([0, host], [], [])[0]:
        data = os.read(0, 65536) if ready == 0 else host.recv(65536)
        if not data: sys.exit()
        host.sendall(data) if ready == 0 else os.write(1, data)
"""


def proxy_program(folder: Path, script: str) -> Path:
    """A program for ProxyCommand."""
    program = folder / "proxy"
    program.write_text(script.format(python=sys.executable))
    program.chmod(0o755)
    return program


async def test_a_proxy_command_of_the_users_config_is_the_way(sshd: Sshd, engine: str, folder: Path) -> None:
    """%h and %p are filled in; the host key is checked all the same."""
    program = proxy_program(folder, PIPE)
    async with sshd.up():
        sshd.write_config(f"Host host\n ProxyCommand {program} %h %p\n")
        assert await reach(sshd, socket=engine) == OK
        sshd.known_hosts.write_text("")
        assert type(await refusal(sshd, socket=engine)) is HostKeyUnknown


async def test_what_a_failing_proxy_command_says_is_passed_on(sshd: Sshd, folder: Path) -> None:
    """Its own words are the only ones that explain it."""
    program = proxy_program(folder, "#!/bin/sh\necho no such instance >&2\nexit 1\n")
    async with sshd.up():
        sshd.write_config(f"Host host\n ProxyCommand {program} %h\n")
        error = await refusal(sshd)
        assert type(error) is Unreachable
        assert "no such instance" in str(error)


async def test_a_proxy_command_is_not_read_by_a_shell(sshd: Sshd, folder: Path) -> None:
    """No shell, ever: what looks like one more command is an argument."""
    program = proxy_program(folder, "#!/bin/sh\nprintf '%s|' \"$@\" >&2\nexit 1\n")
    async with sshd.up():
        sshd.write_config(f"Host host\n ProxyCommand exec {program} %h; touch {folder}/hacked\n")
        assert f"127.0.0.1;|touch|{folder}/hacked|" in str(await refusal(sshd))
        assert not (folder / "hacked").exists()


async def test_a_proxy_command_that_is_not_there_is_said_to_be(sshd: Sshd) -> None:
    """A config made on another machine."""
    async with sshd.up():
        sshd.write_config("Host host\n ProxyCommand /nowhere/cloudflared access ssh --hostname %h\n")
        error = await refusal(sshd)
        assert type(error) is Misconfigured
        assert "/nowhere/cloudflared" in str(error)


async def test_a_name_without_address_is_not_resolved(sshd: Sshd) -> None:
    """The name that was looked up is in the message: HostName, not the alias."""
    async with sshd.up():
        sshd.write_config("Host host\n HostName nosuch.invalid\n")
        error = await refusal(sshd)
        assert type(error) is NotResolved
        assert "'nosuch.invalid'" in str(error)
