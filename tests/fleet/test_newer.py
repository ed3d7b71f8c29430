"""The fleet with a newer Docker, itself: Debian 13 on hosts beside those of this machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.fleet import Fleet, debian13


def test_its_host_runs_debian_13_and_the_machine_does_not_notice(newer_fleet: Fleet) -> None:
    """Another system as its root, and of the machine's files only the fleet's folder."""
    assert "VERSION_CODENAME=trixie" in newer_fleet.on("n1", "cat", "/etc/os-release")
    assert newer_fleet.on("n1", "docker", "version", "--format", "{{.Server.APIVersion}}") == "1.45"
    assert str(Path(__file__)) not in newer_fleet.on("n1", "find", Path(__file__), check=False)
    assert not Path("/etc/fleettop-docker").exists()
    assert debian13.version() == newer_fleet.on("n1", "cat", "/etc/fleettop-docker")


def test_a_user_logs_in_there_and_uses_the_engine(newer_fleet: Fleet) -> None:
    """Its own sshd and docker command, as on every host."""
    command = ["ssh", "-F", str(newer_fleet.folder / "ssh/config"), "n1", "docker", "ps", "--format", "{{.Names}}"]
    newer_fleet.run_plain("n1", "runs", "sleep 600")
    assert subprocess.run(command, capture_output=True, text=True, timeout=30).stdout == "runs\n"


def test_an_engine_of_a_tests_own_has_its_settings_and_leaves_nothing(newer_fleet: Fleet) -> None:
    """What daemon.json says holds for the block; the next engine finds an empty disk."""
    with newer_fleet.engine(log_driver="local", labels=["of=a test"]):
        info = newer_fleet.get("bare", "/info")
        assert (info["LoggingDriver"], info["Labels"]) == ("local", ["of=a test"])
        newer_fleet.run_plain("bare", "runs", "sleep 600")
    with newer_fleet.engine():
        assert newer_fleet.get("bare", "/info")["LoggingDriver"] == "json-file"
        assert newer_fleet.get("bare", "/containers/json?all=1") == []
    assert not newer_fleet.hosts.processes("bare", "dockerd")


def test_a_host_with_debian_13_comes_back_from_a_power_cycle(newer_fleet: Fleet) -> None:
    """What was on its disk is still there."""
    made = newer_fleet.run_plain("n1", "stays", "sleep 600", HostConfig={"RestartPolicy": {"Name": "always"}})
    newer_fleet.fault("n1", "reboot")
    assert newer_fleet.get("n1", f"/containers/{made}/json")["RestartCount"] == 0
    newer_fleet.heal("n1")


def test_what_no_mirror_gives_is_said_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mirror that is not there: one error, no half of a system."""
    monkeypatch.setattr(debian13, "FOLDER", tmp_path)
    monkeypatch.setattr(debian13, "SYSTEM", tmp_path / "root")
    monkeypatch.setattr(debian13, "_mirrors", lambda: iter([f"file://{tmp_path}/nowhere"]))
    if not debian13.KEYRING.exists():
        pytest.skip("not Debian")
    assert "python -m tests.fleet fetch" in debian13.lacking()
    with pytest.raises(RuntimeError, match="nowhere"):
        debian13.fetch()
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]
