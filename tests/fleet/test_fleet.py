"""The fleet itself: what other tests stand on."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fleet import Fleet
from tests.fleet.load import HEALTH
from tests.fleet.waiting import eventually as poll


def _ssh(fleet: Fleet, host: str, *words: str, config: Path | None = None) -> subprocess.CompletedProcess[str]:
    file = config or fleet.folder / "ssh/config"
    command = ["ssh", "-F", str(file), "-o", "ConnectTimeout=5", "-o", "BatchMode=yes", host, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=20)


@pytest.mark.parametrize("host", ["h1", "h2", "h3", "pod1"])
def test_every_engine_answers_on_its_socket(fleet: Fleet, host: str) -> None:
    """A host's engine answers the Engine API on the socket that the machine sees."""
    assert fleet.get(host, "/containers/json?all=1") == []


@pytest.mark.parametrize("host", ["h1", "h2", "h3", "pod1", "jump"])
def test_every_host_lets_ops_in_by_ssh(fleet: Fleet, host: str) -> None:
    """The fleet's own ssh config is enough to log in anywhere, through the jump host where needed."""
    assert _ssh(fleet, host, "hostname").stdout.strip() == host


def test_a_private_host_is_reached_only_through_the_jump_host(fleet: Fleet) -> None:
    """Connecting straight to a private host fails."""
    done = _ssh(fleet, "-o", "ProxyJump=none", "h3", "hostname")
    assert done.returncode == 255


def test_tls_engines_refuse_who_shows_no_certificate(fleet: Fleet) -> None:
    """Mutual TLS is really on."""
    address = fleet.address("h1", "tls")
    assert address.tls is not None
    context = ssl.create_default_context(cafile=str(address.tls.ca))
    with pytest.raises((ssl.SSLError, ConnectionError)):
        _first_line(address.host, context)
    context.load_cert_chain(str(address.tls.cert), str(address.tls.key))
    assert _first_line(address.host, context) == b"HTTP/1.1 200 OK\r\n"


def _first_line(host: str, context: ssl.SSLContext) -> bytes:
    import socket

    with socket.create_connection((host, 2376), 5) as plain, context.wrap_socket(plain, server_hostname=host) as secure:
        secure.sendall(b"GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        with secure.makefile("rb") as answer:
            return answer.readline()


async def test_a_compose_service_becomes_healthy_and_unhealthy(fleet: Fleet) -> None:
    """The image's web service has the health its file says."""
    made = fleet.run("h1", "shop", "web", "web", Healthcheck=HEALTH)

    def health() -> str:
        return str(fleet.get("h1", f"/containers/{made}/json")["State"]["Health"]["Status"])

    await poll(lambda: health() == "healthy")
    fleet.docker("h1", "exec", made, "rm", "/tmp/ok")
    await poll(lambda: health() == "unhealthy")


def test_a_swarm_service_runs_on_all_three_hosts(swarm_fleet: Fleet, eventually_sync: Callable[..., object]) -> None:
    """h1, h2 and h3 are one swarm."""
    swarm_fleet.run_service("clock", "logger", replicas=3)
    for host in ("h1", "h2", "h3"):
        eventually_sync(lambda host=host: len(swarm_fleet.get(host, "/containers/json")) == 1, timeout=20)


def test_podman_runs_the_same_containers(fleet: Fleet) -> None:
    """A container made by the compose labels runs on Podman too."""
    fleet.run("pod1", "shop", "logger", "logger")
    (container,) = fleet.get("pod1", "/containers/json")
    assert container["Labels"]["com.docker.compose.service"] == "logger"


async def test_a_frozen_engine_is_healed_by_the_next_wipe(fleet: Fleet) -> None:
    """A fault ends with the test that made it."""
    fleet.fault("h1", "freeze")
    assert not fleet.hosts.engine_answers("h1", timeout=0.3)
    await asyncio.to_thread(fleet.wipe)
    assert fleet.hosts.engine_answers("h1")


def test_a_host_that_is_off_comes_back_by_healing(fleet: Fleet) -> None:
    """Powering off takes the engine and sshd along; healing boots the host."""
    fleet.fault("h3", "off")
    assert fleet.hosts.first_process("h3") is None
    fleet.heal("h3")
    assert _ssh(fleet, "h3", "hostname").stdout.strip() == "h3"


def test_sshd_can_refuse_forwarding_and_have_no_docker_command(fleet: Fleet) -> None:
    """`reconfigure_sshd` holds until healed."""
    assert _ssh(fleet, "h1", "docker", "version").returncode == 0
    fleet.reconfigure_sshd("h1", forward=False, cli=False)
    assert _ssh(fleet, "h1", "docker", "version").returncode == 127
    assert "AllowStreamLocalForwarding no" in (fleet.site.home("h1") / "ssh/sshd_config").read_text()
    fleet.heal("h1")
    assert _ssh(fleet, "h1", "docker", "version").returncode == 0
    assert "AllowStreamLocalForwarding no" not in (fleet.site.home("h1") / "ssh/sshd_config").read_text()


def test_a_changed_host_key_is_refused_by_ssh(fleet: Fleet) -> None:
    """The fault is one that a client sees, and healing ends it."""
    fleet.fault("h1", "hostkey")
    assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in _ssh(fleet, "h1", "true").stderr
    fleet.heal("h1")
    assert _ssh(fleet, "h1", "true").returncode == 0


def test_a_stranger_is_refused_by_ssh(fleet: Fleet, tmp_path: Path) -> None:
    """A key that is not in authorized_keys does not open."""
    config = fleet.write_ssh_config(tmp_path, identity="stranger")
    assert "Permission denied" in _ssh(fleet, "h1", "true", config=config).stderr


def test_a_guest_may_not_use_the_engine(fleet: Fleet, tmp_path: Path) -> None:
    """Who is not in the group docker logs in and cannot open the socket."""
    config = fleet.write_ssh_config(tmp_path, user="guest")
    assert "permission denied" in _ssh(fleet, "h1", "docker", "version", config=config).stderr


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("cert-expired", "certificate has expired"),
        ("cert-name", "IP address mismatch"),
        ("cert-stranger", "unable to get"),
    ],
)
def test_a_bad_certificate_is_refused_for_its_reason(fleet: Fleet, fault: str, reason: str) -> None:
    """Each certificate fault is seen by a client as what it is called."""
    fleet.fault("h1", fault)
    address = fleet.address("h1", "tls")
    assert address.tls is not None
    context = ssl.create_default_context(cafile=str(address.tls.ca))
    context.load_cert_chain(str(address.tls.cert), str(address.tls.key))
    with pytest.raises(ssl.SSLCertVerificationError, match=reason):
        _first_line(address.host, context)


def test_a_wipe_leaves_only_the_engines_and_their_image(fleet: Fleet) -> None:
    """Containers, networks, volumes and tags of one test are not seen by the next."""
    fleet.run("h1", "shop", "web", "web", HostConfig={"Mounts": [{"Type": "volume", "Source": "data", "Target": "/v"}]})
    fleet.docker("h1", "network", "create", "lan")
    fleet.docker("h1", "tag", "bb:1", "shop/web:2")
    fleet.wipe()
    assert fleet.get("h1", "/containers/json?all=1") == []
    assert fleet.get("h1", "/volumes")["Volumes"] in (None, [])
    assert "lan" not in [network["Name"] for network in fleet.get("h1", "/networks")]
    assert [image["RepoTags"] for image in fleet.get("h1", "/images/json")] == [["bb:1"]]
