"""Jump hosts and proxy commands, each an sshd or a program of its own."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from fleettop.collectors.errors import (
    Denied,
    HostKeyUnknown,
    NotResolved,
    Refused,
    Unreachable,
)
from fleettop.collectors.links import HandshakeGate, Misconfigured, link_to

from .servers import Sshd, ask, tcp_server
from .ways import OK, behind, reach, refusal


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
    """More than 10 unfinished logins are thrown away by sshd (MaxStartups 10:30:100): 8 at a time.

    It may count one as unfinished until it has answered something after it.
    """
    async with sshd.up():
        answers = await asyncio.gather(*(reach(sshd, gate, socket=engine) for _ in range(20)))
        assert answers == [OK] * 20
        assert 1 < sshd.most_at_once <= 8
        assert not gate.busy


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
