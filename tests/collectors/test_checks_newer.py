"""The checks on Docker 26: what newer engines tell, and older ones did not, is found and passes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fleettop.collectors.checks import upkeep
from fleettop.collectors.checks.catalogue import CHECKS
from fleettop.collectors.checks.finding import Finding, Report, Severity, report
from fleettop.collectors.checks.gathering import gather

from tests.collectors.checks_stage import (
    CAREFUL,
    CARELESS,
    FOUND_IN_THE_CARELESS,
    SLEEP,
    at,
    looked,
    sources,
    watching,
)
from tests.fleet import Fleet

ALLOW_ALL = '{"defaultAction": "SCMP_ACT_ALLOW"}'


async def look_at_bare(fleet: Fleet) -> Report:
    """One look at the engine that a test runs."""
    async with watching([fleet.address("bare")]) as session:
        return await looked(session)


def kernel_has() -> tuple[bool, bool]:
    """Whether it has AppArmor, and the second version of cgroups."""
    apparmor = Path("/sys/module/apparmor/parameters/enabled")
    confined = apparmor.exists() and apparmor.read_text().startswith("Y")
    return confined, Path("/sys/fs/cgroup/cgroup.controllers").exists()


def seccomp(found: Report) -> list[Finding]:
    """What E08 says of system calls."""
    return [one for one in found.findings if one.check == "E08" and "seccomp" in one.evidence]


@pytest.mark.parametrize(("set_to", "passes"), [(True, True), (False, False)])
async def test_whether_privileges_may_be_gained_is_told_both_ways(
    newer_fleet: Fleet, set_to: bool, passes: bool
) -> None:
    """E09: by `no-new-privileges` of daemon.json; an engine before 24.0 could not tell."""
    with newer_fleet.engine(no_new_privileges=set_to):
        found = await look_at_bare(newer_fleet)
    assert ("E09" not in at(found, "bare")) is passes
    assert found.passed.get("E09", 0) == int(passes)
    assert "E09" not in {one.check for one in found.unchecked}


@pytest.mark.parametrize(
    ("profile", "severity", "words"),
    [
        ("builtin", None, ""),
        ("unconfined", Severity.HIGH, "containers may make any system call"),
        ("{folder}/seccomp.json", Severity.LOW, "a seccomp profile of its own"),
    ],
)
async def test_what_system_calls_are_allowed_is_told_three_ways(
    newer_fleet: Fleet, profile: str, severity: Severity | None, words: str
) -> None:
    """E08: Docker's own profile passes, none is found, another one is said."""
    folder = newer_fleet.site.home("bare")
    (folder / "seccomp.json").write_text(ALLOW_ALL)
    with newer_fleet.engine(seccomp_profile=profile.format(folder=folder)):
        found = seccomp(await look_at_bare(newer_fleet))
    assert [one.severity for one in found] == ([severity] if severity else [])
    assert all(words in one.sentence for one in found)


async def test_what_the_kernel_confines_and_limits_is_what_the_kernel_has(newer_fleet: Fleet) -> None:
    """E08 and E13 rest on the machine: AppArmor and the version of cgroups are as they are here."""
    confined, second = kernel_has()
    async with watching([newer_fleet.address("n1")]) as session:
        found = await looked(session)
    said = [one.sentence for one in found.findings if one.check == "E08"]
    assert said == ([] if confined else ["neither AppArmor nor SELinux confines containers"])
    said = [one.sentence for one in found.findings if one.check == "E13"]
    assert said == ([] if second else ["it uses cgroup v1, which is being given up"])


async def test_a_careless_engine_is_found(newer_fleet: Fleet) -> None:
    """Open on TCP, in debug mode, experimental, with an insecure registry and yesterday's storage driver."""
    flags = ("-H", "tcp://127.0.0.1:2399", "--tls=false")
    more = {"debug": True, "experimental": True, "insecure-registries": ["reg.example.org:5000"]}
    with newer_fleet.engine(*flags, storage_driver="vfs", **more):
        newer_fleet.run_plain("bare", "chatty", SLEEP)
        report_ = await look_at_bare(newer_fleet)
    found = at(report_, "bare")
    assert {f"E{number:02d}" for number in (1, 2, 3, 4, 5, 6, 7, 9, 11, 12)} <= set(found)
    assert found["E01"].severity is Severity.CRITICAL
    assert "127.0.0.1:2399" in found["E01"].sentence
    assert "reg.example.org:5000" in found["E06"].evidence
    assert "Docker 26.1 is past its life" in found["E02"].sentence
    assert found["E02"].remedy.endswith("--only-upgrade docker.io")


async def test_a_careful_engine_passes(newer_fleet: Fleet) -> None:
    """All that daemon.json can set right is set right, and every check of it passes: none is left untold."""
    newer_fleet.on("bare", "sh", "-c", "echo ops:100000:65536 | tee /etc/subuid >/etc/subgid")
    settings: dict[str, Any] = {"live-restore": True, "icc": False, "no-new-privileges": True, "log-driver": "local"}
    with newer_fleet.engine(**settings, **{"userns-remap": "ops"}):
        found = await look_at_bare(newer_fleet)
    good = {f"E{number:02d}" for number in (1, 3, 4, 5, 6, 7, 9, 10, 12, 14, 15, 16, 17)}
    assert not good & set(at(found, "bare"))
    assert good <= set(found.passed)
    assert {one.check for one in found.unchecked} == {"E18", "E19"}


@pytest.mark.parametrize("containerd", [False, True])
async def test_a_careless_container_is_found_and_a_careful_one_passes(
    newer_fleet: Fleet, eventually: Any, containerd: bool
) -> None:
    """The very findings that Docker 20.10 has, with the image store of old and with containerd's."""
    with newer_fleet.engine(features={"containerd-snapshotter": containerd}):
        image = newer_fleet.get("bare", "/images/bb:1/json")["Id"]
        newer_fleet.docker("bare", "tag", "bb:1", "shop-web:latest")
        newer_fleet.docker("bare", "network", "create", "shop")
        newer_fleet.run_plain("bare", "careless", SLEEP, Image="shop-web", **CARELESS)
        newer_fleet.run_plain("bare", "careful", SLEEP, Image=image, **CAREFUL)
        async with watching([newer_fleet.address("bare")]) as session:
            await eventually(lambda: len(session.fleet.containers) == 2)
            found = await looked(session)
    careless, careful = at(found, "careless"), at(found, "careful")
    assert {check: one.severity for check, one in careless.items() if check != "C23"} == FOUND_IN_THE_CARELESS
    assert set(careful) <= {"C23"}, careful
    assert "correct-horse" not in repr(found)


@pytest.mark.parametrize("containerd", [False, True])
async def test_a_tag_that_moved_is_found(newer_fleet: Fleet, eventually: Any, containerd: bool) -> None:
    """C16, by the image's id: in containerd's store that is another kind of digest."""
    with newer_fleet.engine(features={"containerd-snapshotter": containerd}):
        newer_fleet.docker("bare", "tag", "bb:1", "moved:1")
        newer_fleet.run_plain("bare", "old", SLEEP, Image="moved:1")
        newer_fleet.run_plain("bare", "same", SLEEP)
        newer_fleet.docker("bare", "commit", "same", "moved:1")
        async with watching([newer_fleet.address("bare")]) as session:
            await eventually(lambda: len(session.fleet.containers) == 2)
            found = await looked(session)
    moved = {one.object for one in found.findings if one.check == "C16" and "another image now" in one.sentence}
    assert moved == {"old"}


async def test_space_that_nothing_needs_is_found_where_bounds_are_narrower(
    newer_fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E15 passes on a disk with nothing on it, and finds an image that nothing uses."""
    async with watching([newer_fleet.address("n1")]) as session:
        facts = await gather(sources(session), lambda _read, _of: None)
    assert report([CHECKS["E15"]], facts).passed == {"E15": 1}
    monkeypatch.setattr(upkeep, "MUCH_SPACE", 1 << 20)
    assert [one.check for one in report([CHECKS["E15"]], facts).findings] == ["E15"]


async def test_a_swarm_is_looked_at_from_its_manager(newer_fleet: Fleet) -> None:
    """One manager that works too, unlocked, with a network in the clear; a service without limits."""
    newer_fleet.docker("n1", "network", "create", "-d", "overlay", "--opt", "encrypted", "sealed")
    newer_fleet.docker("n1", "network", "create", "-d", "overlay", "open")
    newer_fleet.run_service("web", SLEEP)
    async with watching([newer_fleet.address("n1")]) as session:
        found = await looked(session)
    assert {"S01", "S02", "S04", "S05", "S06", "S07"} <= {one.check for one in found.findings}
    assert {one.object for one in found.findings if one.check == "S04"} == {"ingress", "open"}
    assert "S03" in found.passed
