"""Each check finds what it is for, passes what is well, and says where it cannot tell."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from fleettop.collectors.checks.catalogue import CHECKS
from fleettop.collectors.checks.facts import EngineFacts, ExecFact, FleetFacts, LossFact
from fleettop.collectors.checks.finding import Severity
from fleettop.collectors.checks.releases import AS_OF, RELEASES, newer_than_known, parts_of, release_of
from fleettop.collectors.model import ContainerKey, ContainerState, Port
from fleettop.collectors.model.posture import (
    DiskPosture,
    ImagePosture,
    MountPosture,
    NetworkPosture,
    NodePosture,
    SwarmPosture,
)
from hypothesis import given
from hypothesis import strategies as st

from .checks_facts import (
    CONTAINER,
    DAEMON,
    ENGINE,
    ID,
    IMAGE,
    NOW,
    engine,
    facts,
    holding,
    looked,
    of,
    sentences,
    serving,
    swarm,
    untold,
)

SOON = NOW + timedelta(days=12)
OPEN = "WARNING: API is accessible on http://0.0.0.0:2375 without encryption."
UNVERIFIED = "[DEPRECATION NOTICE]: API is accessible on https://10.0.0.1:2376 without TLS client verification."
BRIDGE = NetworkPosture(name="bridge", driver="bridge", options={"com.docker.network.bridge.enable_icc": "true"})
KEY = ContainerKey("web-1", ID)


def daemon(**changes: Any) -> EngineFacts:
    """The engine, set up otherwise."""
    return engine(daemon=changes)


def mounted(source: str, **more: Any) -> EngineFacts:
    """The container with something of the host mounted."""
    return holding(mounts=(MountPosture(type="bind", source=source, target="/there", **more),))


def managers(*reachability: str) -> SwarmPosture:
    """A swarm with so many managers."""
    return swarm(
        nodes=tuple(
            NodePosture(id=f"n{at}", hostname=f"m{at}", manager=True, availability="drain", reachability=how)
            for at, how in enumerate(reachability)
        )
    )


def without(option: str) -> EngineFacts:
    """The engine without a security option."""
    kept = tuple(one for one in DAEMON.security_options or () if not one.startswith(f"name={option}"))
    return daemon(security_options=kept)


BAD: tuple[tuple[str, FleetFacts, Severity, str], ...] = (
    ("E01", facts(daemon(warnings=(OPEN,))), Severity.CRITICAL, "open on http://0.0.0.0:2375, without TLS"),
    ("E01", facts(daemon(warnings=(UNVERIFIED,))), Severity.CRITICAL, "clients' certificates"),
    ("E01", facts(engine(insecure=True)), Severity.CRITICAL, "plain TCP"),
    ("E02", facts(daemon(version="20.10.24+dfsg1")), Severity.HIGH, "past its life since 2023-12-10"),
    ("E02", facts(daemon(version="1.13.1")), Severity.HIGH, "long past its life"),
    ("E02", facts(daemon(version="29.1.0")), Severity.MEDIUM, "29.7.2 is the newest of Docker 29"),
    ("E03", facts(holding(log_limit="")), Severity.HIGH, "1 of 1 containers"),
    ("E04", facts(daemon(live_restore=False)), Severity.MEDIUM, "live-restore is off"),
    ("E05", facts(daemon(storage_driver="vfs")), Severity.HIGH, "storage driver"),
    ("E05", facts(daemon(storage_status={"Supports d_type": "false"})), Severity.HIGH, "d_type"),
    ("E06", facts(daemon(insecure_registries=("127.0.0.0/8", "reg:5000"))), Severity.HIGH, "insecure registry"),
    ("E07", facts(without("userns")), Severity.LOW, "root on the host"),
    ("E08", facts(without("seccomp")), Severity.HIGH, "any system call"),
    ("E08", facts(without("apparmor")), Severity.HIGH, "neither AppArmor nor SELinux"),
    (
        "E08",
        facts(daemon(security_options=("name=seccomp,profile=/etc/own.json", "name=apparmor"))),
        Severity.LOW,
        "of its own",
    ),
    ("E09", facts(without("no-new-privileges")), Severity.LOW, "not the default"),
    ("E10", facts(engine(networks=(BRIDGE,))), Severity.MEDIUM, "default bridge"),
    ("E11", facts(daemon(authorization=())), Severity.INFO, "no authorization plugin"),
    ("E12", facts(daemon(debug=True)), Severity.LOW, "debug"),
    ("E12", facts(daemon(experimental=True)), Severity.LOW, "experimental"),
    ("E13", facts(daemon(limits={"memory": True, "swap": False})), Severity.MEDIUM, "cannot limit swap"),
    ("E13", facts(daemon(cgroup_version="1")), Severity.MEDIUM, "cgroup v1"),
    ("E14", facts(daemon(skew=-45.0)), Severity.MEDIUM, "45 s behind"),
    ("E15", facts(engine(disk=DiskPosture(images=3 << 30, volumes=1 << 30))), Severity.MEDIUM, "4.0 GiB"),
    ("E16", facts(daemon(stopped=26)), Severity.LOW, "26 stopped"),
    ("E17", facts(daemon(kernel="3.10.0-1160.el7.x86_64")), Severity.INFO, "old kernel"),
    ("E18", facts(engine(certificate_ends=SOON)), Severity.HIGH, "engine's certificate ends in 12 days"),
    ("E18", facts(engine(own_certificate_ends=NOW)), Severity.HIGH, "client certificate has expired"),
    ("S01", facts(managers("reachable")), Severity.HIGH, "one manager"),
    ("S01", facts(managers(*["reachable"] * 4)), Severity.HIGH, "4 managers bear the loss of no more than 3"),
    ("S01", facts(managers(*["reachable"] * 9)), Severity.HIGH, "more than 7"),
    ("S01", facts(managers("reachable", "reachable", "unreachable")), Severity.HIGH, "takes the quorum along"),
    ("S02", facts(swarm(autolock=False)), Severity.LOW, "not locked"),
    ("S03", facts(swarm(node_expiry=400 * 86400.0)), Severity.MEDIUM, "lives 400 days"),
    ("S03", facts(swarm(authority_ends=SOON)), Severity.MEDIUM, "authority ends on 2026-09-13"),
    ("S04", facts(engine(networks=(NetworkPosture(name="app", driver="overlay"),))), Severity.LOW, "not encrypted"),
    (
        "S05",
        facts(swarm(nodes=(NodePosture(id="n", hostname="m", manager=True, availability="active"),))),
        Severity.LOW,
        "1 manager also runs tasks: m",
    ),
    ("S06", facts(serving(wanted=1, running=1)), Severity.HIGH, "single replica"),
    ("S06", facts(serving(running=2)), Severity.HIGH, "fewer replicas"),
    ("S06", facts(serving(update_state="paused")), Severity.HIGH, "half-way"),
    ("S06", facts(serving(on_failure="pause")), Severity.MEDIUM, "not rolled back"),
    ("S07", facts(serving(memory_limit=0, memory_reserved=0)), Severity.MEDIUM, "no limits"),
    ("S07", facts(serving(memory_reserved=0)), Severity.LOW, "nothing is kept for it"),
    ("S07", facts(serving(preferences=0)), Severity.LOW, "stand apart"),
    ("C01", facts(holding(privileged=True)), Severity.CRITICAL, "privileged"),
    ("C02", facts(mounted("/run/docker.sock", read_write=False)), Severity.CRITICAL, "socket"),
    ("C03", facts(mounted("/etc/")), Severity.HIGH, "folder of the host"),
    ("C03", facts(mounted("/", read_write=False)), Severity.MEDIUM, "folder of the host"),
    ("C03", facts(mounted("/etc/cron.d")), Severity.HIGH, "folder of the host"),
    ("C04", facts(holding(pid_mode="host", user_mode="host")), Severity.HIGH, "namespace"),
    ("C05", facts(holding(added_capabilities=("CAP_SYS_ADMIN", "CHOWN"))), Severity.HIGH, "capabilities"),
    ("C06", facts(holding(security_options=("seccomp:unconfined",))), Severity.HIGH, "seccomp is off"),
    ("C06", facts(holding(apparmor="unconfined")), Severity.HIGH, "AppArmor"),
    ("C06", facts(holding(apparmor="")), Severity.HIGH, "AppArmor"),
    (
        "C07",
        facts(
            msgspec.structs.replace(without("no-new-privileges"), containers=holding(security_options=()).containers)
        ),
        Severity.LOW,
        "new privileges",
    ),
    ("C08", facts(holding(user="")), Severity.MEDIUM, "root"),
    ("C08", facts(holding(user="0:10")), Severity.MEDIUM, "root"),
    ("C09", facts(holding(memory=0)), Severity.HIGH, "no memory limit"),
    ("C10", facts(holding(cores=0.0)), Severity.LOW, "no CPU limit"),
    ("C11", facts(holding(pids=None)), Severity.MEDIUM, "processes"),
    ("C12", facts(holding(read_only=False)), Severity.LOW, "written"),
    ("C13", facts(holding(ports=(Port(private=80, public=8080, ip="::"),))), Severity.MEDIUM, "every address"),
    ("C13", facts(holding(ports=(Port(private=80, public=80, ip="10.0.0.1"),))), Severity.LOW, "below 1024"),
    ("C13", facts(serving(ports=(Port(private=80, public=8200),))), Severity.MEDIUM, "every node"),
    ("C14", facts(holding(restart_policy="no")), Severity.MEDIUM, "nothing starts it again"),
    ("C14", facts(holding(restart_policy="always", restart_retries=0)), Severity.LOW, "without end"),
    ("C14", facts(holding(restart_retries=0)), Severity.LOW, "without end"),
    ("C14", facts(holding(restart_retries=9)), Severity.MEDIUM, "more than 5"),
    ("C15", facts(holding(health_check=(), health="")), Severity.MEDIUM, "no health check"),
    ("C15", facts(holding(health="unhealthy", failing_streak=4)), Severity.HIGH, "unhealthy"),
    ("C15", facts(holding(failing_streak=1)), Severity.MEDIUM, "fails"),
    ("C16", facts(holding(image="pay-api")), Severity.MEDIUM, "latest"),
    ("C16", facts(holding(image_id="sha256:" + "9" * 64)), Severity.MEDIUM, "means another image now"),
    ("C16", facts(engine(images=(ImagePosture(id=IMAGE, tags=("pay-api:2.8.0",)),))), Severity.LOW, "no registry"),
    ("C17", facts(holding(secrets=("DB_PASSWORD",))), Severity.HIGH, "secrets"),
    ("C18", facts(holding(oom_killed=True)), Severity.HIGH, "a process in it was killed for memory"),
    (
        "C18",
        facts(holding(oom_killed=True, state=ContainerState.EXITED, exit_code=137)),
        Severity.HIGH,
        "it was killed for memory",
    ),
    ("C18", facts(holding(state=ContainerState.RESTARTING, restart_count=1)), Severity.HIGH, "restart loop"),
    ("C18", facts(holding(restart_count=3, started_at=NOW - timedelta(minutes=2))), Severity.HIGH, "restart loop"),
    ("C19", facts(mounted("/srv", propagation="rshared")), Severity.MEDIUM, "appears on the host"),
    ("C19", facts(holding(devices=("/dev/sda",))), Severity.MEDIUM, "devices"),
    ("C19", facts(holding(cgroup_parent="/own")), Severity.MEDIUM, "control group"),
    ("C20", facts(holding(network_mode="default")), Severity.LOW, "default bridge"),
    (
        "C21",
        facts(execs=(ExecFact(container=KEY, name="pay-api-1", words="exec “sh” as root runs now"),)),
        Severity.HIGH,
        "as root or privileged",
    ),
    ("C22", facts(engine(forced={ID: "2026-09-01 11:00:00 UTC"})), Severity.LOW, "SIGKILL"),
    (
        "C23",
        facts(losses=(LossFact(host="web-1", service="pay/db", replicas=1, wanted=1),)),
        Severity.HIGH,
        "its only serving replica is on web-1",
    ),
    (
        "C23",
        facts(losses=(LossFact(host="web-1", service="pay_api", replicas=2, wanted=2, moved="moves"),)),
        Severity.MEDIUM,
        "until the swarm has started it elsewhere",
    ),
)
UNKNOWN: tuple[tuple[str, FleetFacts, str], ...] = (
    ("E01", facts(daemon(kind="podman", warnings=None)), "Podman"),
    ("E02", facts(daemon(kind="podman", version="4.3.1")), "Docker Engine"),
    ("E02", facts(daemon(version="31.0.0")), "not in the table"),
    ("E03", facts(engine(daemon={"logging_driver": "json-file"}, containers=())), "no container here shows it"),
    ("E04", facts(daemon(live_restore=None)), "does not tell"),
    ("E07", facts(daemon(security_options=None)), "does not tell"),
    ("E09", facts(daemon(version="20.10.24", security_options=("name=seccomp,profile=default",))), "before 24.0"),
    ("E10", facts(engine(untold={"networks": "web-1 did not tell its networks: no permission"})), "no permission"),
    ("E14", facts(daemon(skew=None)), "time"),
    ("E15", facts(engine(disk=None, untold={"disk": "web-1 did not tell its disk: not answering"})), "not answering"),
    ("E18", facts(engine(certificate_ends=None, own_certificate_ends=None)), "not reached over TLS"),
    ("E19", facts(), "userland-proxy"),
    ("S01", facts(swarm(nodes=None, trouble="m1 did not tell of its swarm: not answering")), "not answering"),
    ("S06", facts(swarm(services=None, trouble="no leader")), "no leader"),
    ("S06", facts(serving(running=None)), "count"),
    ("C01", facts(holding(privileged=None)), "does not tell"),
    ("C09", facts(engine(containers=(), untold={"containers": "no permission"})), "no permission"),
    ("C16", facts(engine(untold={"images": "no permission"})), "no permission"),
    ("C21", facts(engine(untold={"execs": "40 commands were not looked at"})), "40 commands"),
    ("C22", facts(engine(untold={"events": "no permission"})), "no permission"),
)


def test_there_is_nothing_wrong_with_what_is_set_up_well() -> None:
    """Every check passes what it can look at, and only what no engine tells is not checkable."""
    found = looked(facts())
    assert [finding.sentence for finding in found.findings] == []
    assert {one.check for one in found.unchecked} == {"E19"}
    assert set(found.passed) == set(CHECKS) - {"E19"}


@pytest.mark.parametrize(
    ("check", "bad", "severity", "words"), BAD, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_check_finds_what_it_is_for(check: str, bad: FleetFacts, severity: Severity, words: str) -> None:
    """One thing is wrong, and the check says it in words, with its evidence, its severity and what to do."""
    found = of(looked(bad), check)
    assert words in sentences(found)
    one = next(finding for finding in found if words in finding.sentence)
    assert one.severity is severity
    assert one.evidence
    assert one.remedy


def test_every_check_has_a_case_that_finds_it() -> None:
    """What was never seen to find anything may be a check that cannot."""
    assert {check for check, *_ in BAD} | {"E19"} == set(CHECKS)


@pytest.mark.parametrize(("check", "bad", "words"), UNKNOWN, ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_not_told_is_not_passed(check: str, bad: FleetFacts, words: str) -> None:
    """It is not checkable, with why; and nothing of the kind is counted as passed."""
    found = looked(bad)
    assert any(words in one.why for one in untold(found, check))
    assert of(found, check) == []
    if check not in ("S06",):
        assert check not in found.passed


def test_of_debians_own_docker_debians_package_is_named() -> None:
    """E02: docker-ce is not what is installed there."""
    for version, package in (("26.1.5+dfsg1", "docker.io"), ("26.1.4", "docker-ce")):
        [found] = of(looked(facts(daemon(version=version))), "E02")
        assert f"--only-upgrade {package}" in found.remedy


def test_of_containers_that_have_ended_only_their_end_is_checked() -> None:
    """What a stopped container may do matters to nobody; that it was killed does."""
    ended = holding(state=ContainerState.EXITED, memory=0, privileged=True, oom_killed=True)
    assert {finding.check for finding in looked(facts(ended)).findings} == {"C18"}


def test_what_the_swarm_and_podman_do_themselves_is_no_finding() -> None:
    """A swarm allows no live-restore and starts tasks again itself; containers of Podman outlive it."""
    assert of(looked(facts(daemon(live_restore=False, in_swarm=True))), "E04") == []
    podman = looked(facts(daemon(live_restore=False, kind="podman", storage_driver="overlay", experimental=True)))
    assert not {"E04", "E05", "E12"} & {finding.check for finding in podman.findings}
    task = holding(restart_policy="", labels={"com.docker.swarm.task.id": "t"})
    assert of(looked(facts(task)), "C14") == []


def test_what_an_engine_does_by_default_need_not_stand_at_each_container() -> None:
    """no-new-privileges as the engine's default is enough, as in docker-bench-security."""
    assert of(looked(facts(holding(security_options=()))), "C07") == []


def test_a_file_below_a_folder_of_the_host_is_told_only_where_it_can_be_written() -> None:
    """`/etc/localtime:ro` is in many containers and harms nobody; a folder of one's own is no folder of the host."""
    for source, read_write in (("/etc/localtime", False), ("/srv/data", True), ("/library", True), ("/usrlocal", True)):
        assert of(looked(facts(mounted(source, read_write=read_write))), "C03") == []


def test_an_image_by_its_digest_is_pinned() -> None:
    """Whatever tag stands before it; and one that is run by its id is what it is."""
    for image in (f"pay-api@sha256:{'2' * 64}", f"pay-api:latest@sha256:{'2' * 64}", IMAGE):
        assert of(looked(facts(holding(image=image))), "C16") == []


# -- releases


def test_the_table_of_releases_is_dated_and_newest_first() -> None:
    """Every line is told by its own newest patch, and the date of the table is no day to come."""
    assert date(2026, 8, 22) >= AS_OF
    for release in RELEASES:
        assert release_of(release.latest) == release
    lines = [parts_of(release.latest) for release in RELEASES]
    assert lines == sorted(lines, reverse=True)  # type: ignore[type-var]


@given(st.text(max_size=12) | st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,3}[+-]?[a-z]{0,4}", fullmatch=True))
def test_any_text_may_stand_for_a_version(version: str) -> None:
    """It is in a line of the table, newer than it, older, or not known; nothing raises."""
    release = release_of(version)
    assert release is None or parts_of(version) is not None
    found = looked(facts(daemon(version=version)))
    assert len(of(found, "E02")) + len(untold(found, "E02")) + found.passed.get("E02", 0) == 1
    assert not (newer_than_known(version) and of(found, "E02"))


def test_a_release_ends_on_its_day() -> None:
    """Until then it is well where it has its patches."""
    version = daemon(version="25.0.17")
    for now, count in ((datetime(2026, 12, 3, tzinfo=UTC), 0), (datetime(2026, 12, 4, tzinfo=UTC), 1)):
        assert len(of(looked(facts(version, now=now)), "E02")) == count


def test_a_container_is_named_with_its_service_and_where_it_is() -> None:
    """So that a finding leads to it; of one that cannot be looked at there is none."""
    [finding] = looked(facts(holding(memory=0), titles={KEY: "pay/api"})).findings
    assert (finding.engine, finding.object, finding.service, finding.container) == (
        "web-1",
        CONTAINER.name,
        "pay/api",
        KEY,
    )
    lost = msgspec.structs.replace(ENGINE, daemon=None, containers=())
    found = looked(facts(lost, lost={"web-1": "refused"}))
    assert (found.engines, found.lost) == ((), {"web-1": "refused"})
