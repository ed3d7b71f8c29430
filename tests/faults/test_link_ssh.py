"""Ways over SSH to real engines, with a real sshd, each broken for real."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fleettop.collectors import probe
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.engine.client import EngineClient
from fleettop.collectors.errors import (
    Authentication,
    Denied,
    EngineError,
    ForwardingForbidden,
    HostKeyChanged,
    HostKeyUnknown,
    NoSocket,
    NotAnswering,
    NotResolved,
    Permission,
    Refused,
    TimedOut,
    Unreachable,
)
from fleettop.collectors.links import HandshakeGate, link_to, login
from fleettop.collectors.links.ssh import SshLink
from fleettop.collectors.probe import StepState

from tests.fleet import Fleet

Eventually = Callable[..., Any]


@pytest.fixture
def gate() -> HandshakeGate:
    """The program's one gate."""
    return HandshakeGate()


async def reach(address: EngineAddress, gate: HandshakeGate | None = None) -> SshLink:
    """Open a link, ask the engine over it, and close it. The link tells how it went."""
    link = SshLink(address, gate or HandshakeGate())
    try:
        client = EngineClient(await link.open(), engine=address.name)
        try:
            await client.negotiate()
            assert (await client.info()).hostname == address.name
        finally:
            await client.close()
    finally:
        await link.close()
    return link


async def refusal(address: EngineAddress, gate: HandshakeGate | None = None) -> EngineError:
    """The error that opening a link ends with."""
    with pytest.raises(EngineError) as caught:
        await reach(address, gate)
    assert str(caught.value).endswith((".", "sshd hangs.", ")."))
    return caught.value


async def break_it(fleet: Fleet, host: str, kind: str, *arguments: object) -> None:
    """Let something happen to a host."""
    await asyncio.to_thread(fleet.fault, host, kind, *arguments)


# -- ways that work ----------------------------------------------------------------------------------------------------


async def test_a_host_is_reached_by_forwarding_its_socket(fleet: Fleet) -> None:
    """No path given: the usual one is found."""
    link = await reach(fleet.address("h1", "ssh"))
    assert (link.route, link.socket, link.channels) == ("ssh", "/var/run/docker.sock", None)


async def test_where_sshd_forwards_no_sockets_docker_dials(fleet: Fleet) -> None:
    """AllowStreamLocalForwarding no."""
    assert (await reach(fleet.address("h2", "ssh"))).route == "ssh dial-stdio"


async def test_an_sshd_with_few_sessions_carries_requests_one_after_the_other(fleet: Fleet) -> None:
    """MaxSessions 2: what does not fit waits, and is not taken for a broken link."""
    await asyncio.to_thread(fleet.reconfigure_sshd, "h2", forward=False, MaxSessions=2)
    link = SshLink(fleet.address("h2", "ssh"), HandshakeGate())
    endpoint = await link.open()
    clients = [EngineClient(endpoint, engine="h2") for _ in range(8)]
    try:
        async with asyncio.TaskGroup() as group:
            for client in clients:
                group.create_task(ping_and_hang_up(client))
    finally:
        await link.close()


async def ping_and_hang_up(client: EngineClient) -> None:
    """One request over a connection of its own."""
    try:
        assert await client.ping() > 0
    finally:
        await client.close()


async def test_a_host_behind_a_jump_host_is_reached(fleet: Fleet, gate: HandshakeGate) -> None:
    """ProxyJump of the ssh config; the host has no address that leads to it directly."""
    assert (await reach(fleet.address("h3", "ssh"), gate)).route == "ssh"
    assert not gate.busy


async def test_a_host_behind_two_jumps_is_reached(fleet: Fleet, tmp_path: Path, gate: HandshakeGate) -> None:
    """Through h1 to the jump host, and from there on."""
    config = tmp_path / "config"
    config.write_text(f"Host h3\n  ProxyJump h1,jump\n\n{(fleet.folder / 'ssh/config').read_text()}")
    assert (await reach(fleet.address("h3", "ssh", ssh_config=config), gate)).route == "ssh"
    assert not gate.busy


async def test_the_socket_of_podman_is_reached(fleet: Fleet) -> None:
    """The path is part of the address."""
    address = fleet.address("pod1", "ssh", user="root")
    link = SshLink(address, HandshakeGate())
    try:
        client = EngineClient(await link.open(), engine="pod1")
        await client.negotiate()
        assert (await client.info()).kind == "podman"
        await client.close()
    finally:
        await link.close()


async def test_rootless_and_podman_sockets_are_found_without_a_path(fleet: Fleet) -> None:
    """Where Docker's usual socket is not there, the others are tried."""
    fleet.on(
        "h1",
        "sh",
        "-c",
        "mkdir -p /run/podman && ln -s /var/run/docker.sock /tmp/x && mv /tmp/x /run/podman/podman.sock",
    )
    try:
        fleet.on("h1", "mv", "/var/run/docker.sock", "/var/run/moved.sock")
        fleet.on("h1", "ln", "-sf", "/var/run/moved.sock", "/run/podman/podman.sock")
        assert (await reach(fleet.address("h1", "ssh"))).socket == "/run/podman/podman.sock"
    finally:
        fleet.on("h1", "mv", "/run/podman/podman.sock", "/var/run/docker.sock")
        fleet.on("h1", "rm", "-r", "/run/podman")


async def test_twenty_links_at_once_fit_through_a_narrow_sshd(fleet: Fleet, gate: HandshakeGate) -> None:
    """Where sshd takes 10 at once, 20 logins lose some; 8 at a time lose none."""
    await asyncio.to_thread(fleet.reconfigure_sshd, "h1", MaxStartups="10:100:10")
    links = await asyncio.gather(*(reach(fleet.address("h1", "ssh"), gate) for _ in range(20)))
    assert {link.route for link in links} == {"ssh"}
    assert not gate.busy


# -- names and addresses -----------------------------------------------------------------------------------------------


async def test_a_name_without_address_is_not_resolved(fleet: Fleet) -> None:
    """The name stands in the message."""
    error = await refusal(msgspec.structs.replace(fleet.address("h1", "ssh"), host="nosuch.invalid"))
    assert type(error) is NotResolved
    assert "'nosuch.invalid'" in str(error)


async def test_a_port_nobody_listens_at_refuses(fleet: Fleet) -> None:
    """sshd is down, or elsewhere."""
    assert type(await refusal(fleet.address("h1", "ssh", port=2222))) is Refused


async def test_a_host_that_drops_packets_times_out(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """A firewall, or a host that is off behind a router."""
    monkeypatch.setattr(login, "CONNECT", 1.0)
    await break_it(fleet, "h1", "drop", ":22")
    assert type(await refusal(fleet.address("h1", "ssh"))) is TimedOut


async def test_a_host_that_is_off_cannot_be_reached(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer to ARP, or none in time."""
    monkeypatch.setattr(login, "CONNECT", 4.0)
    await break_it(fleet, "h1", "off")
    error = await refusal(fleet.address("h1", "ssh"))
    assert isinstance(error, Unreachable)
    assert error.transient


async def test_a_frozen_sshd_is_told_from_a_host_that_is_down(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """It accepts (the kernel does) and never says a word."""
    monkeypatch.setattr(login, "LOGIN", 1.0)
    await break_it(fleet, "h1", "freeze-sshd")
    error = await refusal(fleet.address("h1", "ssh"))
    assert type(error) is TimedOut
    assert "its sshd hangs" in str(error)


async def test_an_sshd_with_too_many_logins_says_so(fleet: Fleet) -> None:
    """MaxStartups: the connection is closed before a word."""
    await asyncio.to_thread(fleet.reconfigure_sshd, "h1", MaxStartups="1:100:1")
    address = fleet.state.hosts["h1"].address
    reader, writer = await asyncio.open_connection(address, 22)
    try:
        await reader.readline()
        error = await refusal(fleet.address("h1", "ssh"))
    finally:
        writer.close()
        await writer.wait_closed()
    assert type(error) is Refused
    assert "MaxStartups" in str(error)
    assert error.transient


# -- host keys and logins ----------------------------------------------------------------------------------------------


async def test_an_unknown_host_key_is_not_connected_to(fleet: Fleet, tmp_path: Path) -> None:
    """The fingerprint presented is in the message."""
    config = fleet.write_ssh_config(tmp_path, known_hosts="")
    shown = fleet.on("h1", "ssh-keygen", "-lf", fleet.folder / "h1/ssh/host.pub").split()[1]
    error = await refusal(fleet.address("h1", "ssh", ssh_config=config))
    assert type(error) is HostKeyUnknown
    assert shown in str(error)
    assert "`ssh h1`" in error.hint


async def test_a_changed_host_key_is_not_connected_to(fleet: Fleet) -> None:
    """Both fingerprints, and the known one's file and line."""
    known = fleet.on("h1", "ssh-keygen", "-lf", fleet.folder / "h1/ssh/host.pub").split()[1]
    await break_it(fleet, "h1", "hostkey")
    shown = fleet.on("h1", "ssh-keygen", "-lf", fleet.folder / "h1/ssh/host.pub").split()[1]
    error = await refusal(fleet.address("h1", "ssh"))
    assert type(error) is HostKeyChanged
    assert shown != known
    assert shown in str(error)
    assert f"{known} ({fleet.folder / 'ssh/known_hosts'} line " in str(error)


async def test_a_refused_key_is_named(fleet: Fleet, tmp_path: Path) -> None:
    """Not tried again soon: it would only lock somebody out."""
    config = fleet.write_ssh_config(tmp_path, identity="stranger")
    error = await refusal(fleet.address("h1", "ssh", ssh_config=config))
    assert type(error) is Authentication
    assert "ssh/stranger" in str(error)
    assert not error.transient


# -- the engine's socket -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["h1", "h2", "h3"])
async def test_a_user_outside_the_group_docker_is_told_so(fleet: Fleet, host: str) -> None:
    """With forwarding, without, and behind a jump host."""
    error = await refusal(fleet.address(host, "ssh", user="guest"))
    assert type(error) is Permission
    assert f"guest is not in group docker on {host}" in str(error)
    assert "usermod -aG docker guest" in error.hint


@pytest.mark.parametrize("host", ["h1", "h2"])
async def test_no_socket_there_is_told_from_forbidden_forwarding(fleet: Fleet, host: str) -> None:
    """sshd says "open failed" for both."""
    error = await refusal(fleet.address(host, "ssh", socket="/run/user/4711/docker.sock"))
    assert type(error) is NoSocket
    assert "/run/user/4711/docker.sock" in str(error)


@pytest.mark.parametrize("host", ["h1", "h2"])
async def test_a_killed_engine_is_told_from_forbidden_forwarding(fleet: Fleet, host: str) -> None:
    """Its socket is still there, and nobody listens."""
    await break_it(fleet, host, "kill")
    error = await refusal(fleet.address(host, "ssh"))
    assert type(error) is NoSocket
    assert "no engine listens" in str(error)


async def test_forbidden_forwarding_without_a_docker_command_is_told_as_both(fleet: Fleet) -> None:
    """Nothing is left to try."""
    await asyncio.to_thread(fleet.reconfigure_sshd, "h1", forward=False, cli=False)
    error = await refusal(fleet.address("h1", "ssh"))
    assert type(error) is ForwardingForbidden
    assert "no docker command" in str(error)


async def test_a_killed_engine_without_a_docker_command_is_still_told(fleet: Fleet) -> None:
    """The kernel's list of listening sockets tells it where no docker command can."""
    await asyncio.to_thread(fleet.reconfigure_sshd, "h1", cli=False)
    await break_it(fleet, "h1", "kill")
    assert type(await refusal(fleet.address("h1", "ssh"))) is NoSocket


async def test_forbidden_sessions_and_forwarding_name_max_sessions(fleet: Fleet) -> None:
    """MaxSessions 0: no command runs."""
    await asyncio.to_thread(fleet.reconfigure_sshd, "h1", forward=False, MaxSessions=0)
    error = await refusal(fleet.address("h1", "ssh"))
    assert type(error) is ForwardingForbidden
    assert "MaxSessions" in error.hint


async def test_no_session_is_needed_where_forwarding_works(fleet: Fleet) -> None:
    """MaxSessions 0 with forwarding allowed."""
    await asyncio.to_thread(fleet.reconfigure_sshd, "h1", MaxSessions=0)
    assert (await reach(fleet.address("h1", "ssh"))).route == "ssh"


async def test_a_frozen_engine_is_not_answering(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way is open, the daemon says nothing: not "host down"."""
    monkeypatch.setattr(probe, "ANSWER", 1.0)
    await break_it(fleet, "h1", "freeze")
    found = await probe.test_engine(fleet.address("h1", "ssh"))
    assert isinstance(found.error, NotAnswering)
    states = {step.name: step.state for step in found.steps}
    assert (states["socket"], states["engine"]) == (StepState.OK, StepState.FAILED)


async def test_the_probe_finds_nothing_wrong_with_good_engines(fleet: Fleet) -> None:
    """By every way there is; the swarm's manager is known as such."""
    gate = HandshakeGate()
    ways = [("h1", "unix"), ("h1", "tls"), ("h1", "ssh"), ("h2", "ssh"), ("h3", "ssh")]
    reports = await asyncio.gather(*(probe.test_engine(fleet.address(*way), gate=gate) for way in ways))
    for way, found in zip(ways, reports, strict=True):
        assert found.ok, (way, found)
        assert all(step.state is StepState.OK for step in found.steps), (way, found)
    assert "It manages a swarm (nodes: 3" in reports[0].steps[-1].words


# -- jump hosts --------------------------------------------------------------------------------------------------------


async def test_a_jump_host_that_is_down_is_called_the_jump_host(
    fleet: Fleet, gate: HandshakeGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """h3 itself may be well."""
    monkeypatch.setattr(login, "CONNECT", 1.0)
    await break_it(fleet, "jump", "off")
    error = await refusal(fleet.address("h3", "ssh"), gate)
    assert isinstance(error, Unreachable)
    assert str(error).startswith("The jump host ")
    assert not gate.busy


async def test_a_host_that_refuses_behind_a_jump_host_is_itself_named(fleet: Fleet, gate: HandshakeGate) -> None:
    """The jump host is well."""
    error = await refusal(fleet.address("h3", "ssh", port=2222), gate)
    assert type(error) is Refused
    assert str(error).startswith("h3 refuses connections from the jump host")


async def test_a_jump_host_that_forwards_nothing_is_said_to(fleet: Fleet, gate: HandshakeGate) -> None:
    """PermitOpen none, which sshd answers as it does AllowTcpForwarding no."""
    await asyncio.to_thread(fleet.reconfigure_sshd, "jump", PermitOpen="none")
    error = await refusal(fleet.address("h3", "ssh"), gate)
    assert type(error) is Denied
    assert "forwards no TCP connections" in str(error)


# -- links that break --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["h1", "h2", "h3"])
async def test_a_cut_session_is_noticed_at_once(fleet: Fleet, host: str, gate: HandshakeGate) -> None:
    """sshd's process for us is killed: `lost` returns, and the next link works."""
    link = link_to(fleet.address(host, "ssh"), gate=gate)
    await link.open()
    losing = asyncio.ensure_future(link.lost())
    await break_it(fleet, host, "cut-ssh")
    async with asyncio.timeout(5):
        await losing
    await link.close()
    await reach(fleet.address(host, "ssh"), gate)
    assert not gate.busy


@pytest.mark.parametrize("host", ["h1", "h3"])
async def test_a_pulled_cable_is_noticed_by_keepalives(
    fleet: Fleet, host: str, gate: HandshakeGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packets vanish both ways: nothing ends by itself. Three keepalives, here of half a second each."""
    monkeypatch.setattr(login, "KEEPALIVE", 0.5)
    link = link_to(fleet.address(host, "ssh"), gate=gate)
    await link.open()
    await break_it(fleet, host, "drop")
    async with asyncio.timeout(5):
        await link.lost()
    await link.close()


async def test_a_jump_host_that_dies_takes_its_links_with_it(
    fleet: Fleet, gate: HandshakeGate, eventually: Eventually
) -> None:
    """And a new one is used when it is back."""
    link = link_to(fleet.address("h3", "ssh"), gate=gate)
    await link.open()
    await break_it(fleet, "jump", "cut-ssh")
    async with asyncio.timeout(5):
        await link.lost()
    await link.close()
    await reach(fleet.address("h3", "ssh"), gate)
    assert not gate.busy
