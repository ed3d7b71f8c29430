"""What the checks read of an engine's answers: clean, and of secrets no more than that there is one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fleettop.collectors.engine.decode_posture import (
    decode_cluster,
    decode_container,
    decode_daemon,
    decode_disk,
    decode_images,
    decode_networks,
    decode_nodes,
    decode_running,
    decode_services,
    secret_names,
)
from fleettop.collectors.errors import Malformed
from fleettop.collectors.model import ContainerState
from hypothesis import given
from hypothesis import strategies as st

ID = "a" * 64


def inspected(**changes: Any) -> bytes:
    """An inspect of a container."""
    return json.dumps({"Id": ID, "Name": "/api", "State": {"Status": "running"}, **changes}).encode()


@pytest.mark.parametrize(
    "entry",
    [
        "DB_PASSWORD=hunter2",
        "API_KEY=abcdef",
        "GITHUB_TOKEN=x1y2z3",
        "aws_secret_access_key=abc",
        "URL=postgres://shop:hunter2@db/shop",
        "CI=ghp_aaaaaaaaaaaaaaaaaaaa1",
        "PASS2=hunter2",
        "STRIPE_API_KEY=sk_live_x",
    ],
)
def test_a_variable_that_holds_a_secret_is_named(entry: str) -> None:
    """By its name, or by the shape of its value."""
    assert secret_names([entry]) == (entry.partition("=")[0],)


@pytest.mark.parametrize(
    "entry",
    [
        "PATH=/usr/bin",
        "PWD=/srv",
        "POSTGRES_PASSWORD_FILE=/run/secrets/db",
        "DB_PASSWORD=/run/secrets/db",
        "DB_PASSWORD=",
        "TOKEN_TTL=3600",
        "USE_TOKEN=true",
        "GPG_KEY=E3FF2839C048B25C084DEBE9B26995E310250568",
        "KEYCLOAK_URL=https://sso.example.org",
        "API_TOKEN=$API_TOKEN",
        "AUTHOR=somebody",
        "MONKEY=banana",
    ],
)
def test_a_variable_that_only_sounds_like_a_secret_is_not(entry: str) -> None:
    """Where one lies, how long it lives, a public key, a switch: a check that cries wolf is switched off."""
    assert secret_names([entry]) == ()


@given(st.lists(st.tuples(st.text(max_size=12), st.text(min_size=9, max_size=30))))
def test_no_value_of_a_variable_leaves_the_decoder(pairs: list[tuple[str, str]]) -> None:
    """Whatever stands in the environment, only names come out."""
    entries = [f"{name.replace('=', '')}={value}" for name, value in pairs]
    found = decode_container(inspected(Config={"Env": entries}), engine="web-1")
    for _, value in pairs:
        if value.strip() and all(value not in name for name, _ in pairs):
            assert value not in str(found)


def test_a_container_without_anything_is_told_as_it_is() -> None:
    """Missing and null fields are not told or not set; nothing is guessed."""
    for body in (inspected(), inspected(HostConfig=None, Config=None, Mounts=None, NetworkSettings=None)):
        found = decode_container(body, engine="web-1")
        assert (found.privileged, found.pids, found.memory, found.health_check) == (None, None, 0, ())
        assert found.state is ContainerState.RUNNING
    assert decode_container(inspected(HostConfig={"PidsLimit": -1, "Memory": 0}), engine="web-1").pids is None


def test_a_published_port_is_told_with_its_address() -> None:
    """Only what is published: an exposed port answers nobody outside."""
    ports = {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "53/udp": None, "90/tcp": []}
    found = decode_container(inspected(NetworkSettings={"Ports": ports}), engine="web-1")
    assert [(port.public, port.ip, port.protocol) for port in found.ports] == [(8080, "0.0.0.0", "tcp")]


def test_what_is_foreign_is_cleaned() -> None:
    """A name is one line without escapes."""
    found = decode_container(inspected(Name="/a\x1b[31mb\nc", Config={"User": "0\x1b]0;x\x07"}), engine="web-1")
    assert (found.name, found.user) == ("ab c", "0")


def test_a_daemon_is_told_with_its_registries_and_options() -> None:
    """Registries by address and by name; what is missing is not told."""
    info = {
        "LiveRestoreEnabled": False,
        "SecurityOptions": ["name=seccomp,profile=builtin", "name=no-new-privileges"],
        "RegistryConfig": {
            "InsecureRegistryCIDRs": ["127.0.0.0/8"],
            "IndexConfigs": {"reg:5000": {"Secure": False}, "docker.io": {"Secure": True}},
        },
        "DriverStatus": [["Supports d_type", "true"], ["odd"]],
    }
    found = decode_daemon(json.dumps(info).encode(), kind="docker", version="28.0.0", skew=None)
    assert found.insecure_registries == ("127.0.0.0/8", "reg:5000")
    assert found.security("seccomp") == {"name": "seccomp", "profile": "builtin"}
    assert found.security("apparmor") is None
    assert (found.authorization, found.warnings, found.debug) == (None, (), None)
    empty = decode_daemon(b"{}", kind="podman", version="4.3.1", skew=None)
    assert (empty.security_options, empty.warnings, empty.insecure_registries) == (None, None, None)


def test_only_a_manager_tells_of_its_swarm() -> None:
    """Its lock and how long certificates live are in `/info`, which holds no join tokens."""
    cluster = {
        "ID": "c" * 25,
        "Spec": {"EncryptionConfig": {"AutoLockManagers": True}, "CAConfig": {"NodeCertExpiry": 3_600_000_000_000}},
    }
    info = {"Swarm": {"LocalNodeState": "active", "ControlAvailable": True, "Cluster": cluster}}
    found = decode_cluster(json.dumps(info).encode())
    assert found is not None
    assert (found.autolock, found.node_expiry, found.authority) == (True, 3600.0, "")
    assert decode_cluster(json.dumps({"Swarm": {"LocalNodeState": "active"}}).encode()) is None


def test_space_is_counted_as_the_docker_command_does() -> None:
    """Images without containers less what others share, volumes nobody mounts, cache not in use, ended containers."""
    use = {
        "Images": [{"Containers": 0, "Size": 100, "SharedSize": 40}, {"Containers": 2, "Size": 70}],
        "Volumes": [{"UsageData": {"RefCount": 0, "Size": 5}}, {"UsageData": {"RefCount": 1, "Size": 9}}, {}],
        "BuildCache": [{"Size": 3}, {"Size": 8, "InUse": True}, {"Size": 8, "Shared": True}],
        "Containers": [{"State": "exited", "SizeRw": 2}, {"State": "running", "SizeRw": 50}],
    }
    found = decode_disk(json.dumps(use).encode())
    assert (found.images, found.volumes, found.build_cache, found.containers) == (60, 5, 3, 2)
    assert decode_disk(b"{}").images is None


def test_an_exec_that_has_ended_is_none_that_runs() -> None:
    """Of one that runs: as whom, and what."""
    process = {"user": "root", "privileged": True, "entrypoint": "sh", "arguments": ["-c", "id"]}
    found = decode_running(json.dumps({"Running": True, "ProcessConfig": process}).encode())
    assert found is not None
    assert (found.user, found.privileged, found.command) == ("root", True, "sh -c id")
    assert decode_running(json.dumps({"Running": False}).encode()) is None


def test_a_service_is_told_with_what_bears_a_failure() -> None:
    """What an update that fails does, limits, and how replicas are spread; what is left out is what the swarm does."""
    spec = {
        "Name": "web",
        "Mode": {"Replicated": {"Replicas": 3}},
        "UpdateConfig": {"FailureAction": "rollback"},
        "TaskTemplate": {
            "Resources": {"Limits": {"MemoryBytes": 5, "NanoCPUs": 500_000_000}},
            "Placement": {"Preferences": [{"Spread": {"SpreadDescriptor": "node.labels.az"}}], "MaxReplicas": 2},
        },
    }
    row = {"ID": "s" * 25, "Spec": spec, "ServiceStatus": {"RunningTasks": 2, "DesiredTasks": 3}}
    [found] = decode_services(json.dumps([row]).encode())
    assert (found.wanted, found.running, found.on_failure, found.preferences) == (3, 2, "rollback", 1)
    assert (found.memory_limit, found.cores_limit, found.memory_reserved, found.most_on_a_node) == (5, 0.5, 0, 2)
    [bare] = decode_services(json.dumps([{"ID": "s" * 25, "Spec": {"Mode": {"Global": {}}}}]).encode())
    assert (bare.mode, bare.on_failure, bare.running) == ("global", "pause", None)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=6),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
            ["Id", "Name", "State", "Status", "HostConfig", "Config", "Env", "Mounts", "Images", "Swarm", "Spec"]
        ), inner, max_size=4),
        max_leaves=12,
    )
)  # fmt: skip
def test_any_answer_is_decoded_or_refused(answer: Any) -> None:
    """Nothing but Malformed is raised, whatever an engine says."""
    body = json.dumps(answer).encode()
    for decode in (
        decode_networks, decode_images, decode_nodes, decode_services, decode_disk, decode_cluster, decode_running,
        lambda body: decode_container(body, engine="web-1"),
        lambda body: decode_daemon(body, kind="docker", version="", skew=None),
    ):  # fmt: skip
        try:
            decode(body)
        except Malformed:
            continue
