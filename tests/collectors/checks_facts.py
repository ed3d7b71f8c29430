"""Facts for the checks, made up: an engine, a container and a swarm with nothing wrong, into which wrong is put."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
from fleettop.collectors.checks.catalogue import CHECKS
from fleettop.collectors.checks.facts import EngineFacts, FleetFacts
from fleettop.collectors.checks.finding import Finding, Report, Unchecked, report
from fleettop.collectors.model import ContainerState, Port
from fleettop.collectors.model.posture import (
    ContainerPosture,
    DaemonPosture,
    DiskPosture,
    ImagePosture,
    NetworkPosture,
    NodePosture,
    ServicePosture,
    SwarmPosture,
)

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
ID = "a" * 64
IMAGE = "sha256:" + "1" * 64

DAEMON = DaemonPosture(
    kind="docker",
    version="29.7.2",
    warnings=(),
    logging_driver="local",
    live_restore=True,
    storage_driver="overlay2",
    storage_status={"Supports d_type": "true"},
    insecure_registries=("127.0.0.0/8", "::1/128"),
    security_options=(
        "name=seccomp,profile=builtin",
        "name=apparmor",
        "name=userns",
        "name=no-new-privileges",
    ),
    authorization=("opa",),
    experimental=False,
    debug=False,
    limits={"memory": True, "swap": True, "pids": True},
    cgroup_version="2",
    skew=0.2,
    stopped=3,
    kernel="6.1.0-25-amd64",
    os="Debian GNU/Linux 12",
)
CONTAINER = ContainerPosture(
    engine="web-1",
    id=ID,
    name="pay-api-1",
    image="pay-api:2.8.0",
    image_id=IMAGE,
    state=ContainerState.RUNNING,
    privileged=False,
    network_mode="pay_default",
    security_options=("no-new-privileges:true",),
    apparmor="docker-default",
    user="10001:10001",
    memory=1 << 29,
    cores=1.0,
    pids=512,
    read_only=True,
    ports=(Port(private=8080, public=8080, ip="127.0.0.1"),),
    restart_policy="on-failure",
    restart_retries=5,
    health_check=("CMD", "true"),
    health="healthy",
    log_driver="json-file",
    log_limit="20m",
    started_at=datetime(2026, 8, 1, tzinfo=UTC),
)
ENGINE = EngineFacts(
    name="web-1",
    scheme="tcp",
    address="tcp://web-1:2376",
    daemon=DAEMON,
    containers=(CONTAINER,),
    networks=(
        NetworkPosture(name="bridge", driver="bridge", options={"com.docker.network.bridge.enable_icc": "false"}),
        NetworkPosture(name="app", driver="overlay", scope="swarm", options={"encrypted": ""}),
    ),
    images=(ImagePosture(id=IMAGE, tags=("pay-api:2.8.0",), digests=("pay-api@sha256:" + "2" * 64,)),),
    disk=DiskPosture(images=1 << 20, volumes=0, build_cache=0, containers=0),
    certificate_ends=datetime(2027, 9, 1, tzinfo=UTC),
    own_certificate_ends=datetime(2027, 9, 1, tzinfo=UTC),
)
SERVICE = ServicePosture(
    id="s" * 25,
    name="pay_api",
    mode="replicated",
    wanted=3,
    running=3,
    on_failure="rollback",
    memory_limit=1 << 29,
    memory_reserved=1 << 28,
    preferences=1,
)
SWARM = SwarmPosture(
    cluster_id="c" * 25,
    manager="web-1",
    autolock=True,
    node_expiry=90 * 86400.0,
    authority_ends=datetime(2036, 1, 1, tzinfo=UTC),
    nodes=tuple(
        NodePosture(
            id=f"n{number}",
            hostname=f"m{number}",
            manager=True,
            availability="drain",
            state="ready",
            reachability="reachable",
        )
        for number in range(3)
    ),
    services=(SERVICE,),
)


def engine(**changes: Any) -> EngineFacts:
    """The engine with other facts; those of its daemon by `daemon`."""
    daemon = changes.pop("daemon", None)
    if isinstance(daemon, dict):
        changes["daemon"] = msgspec.structs.replace(DAEMON, **daemon)
    return msgspec.structs.replace(ENGINE, **changes)


def holding(**changes: Any) -> EngineFacts:
    """The engine with one container, which differs by that."""
    return engine(containers=(msgspec.structs.replace(CONTAINER, **changes),))


def swarm(**changes: Any) -> SwarmPosture:
    """The swarm with other facts."""
    return msgspec.structs.replace(SWARM, **changes)


def serving(**changes: Any) -> SwarmPosture:
    """The swarm with one service, which differs by that."""
    return swarm(services=(msgspec.structs.replace(SERVICE, **changes),))


def facts(*parts: EngineFacts | SwarmPosture, **more: Any) -> FleetFacts:
    """A fleet of these; the good engine and the good swarm where none is given."""
    engines = tuple(part for part in parts if isinstance(part, EngineFacts)) or (ENGINE,)
    swarms = tuple(part for part in parts if isinstance(part, SwarmPosture)) or (SWARM,)
    known: dict[str, Any] = {"now": NOW, "hosts": tuple(one.name for one in engines)}
    return FleetFacts(**{**known, **more, "engines": engines, "swarms": swarms})


def looked(found: FleetFacts) -> Report:
    """Every check put to them."""
    return report(CHECKS.values(), found)


def of(report_: Report, check: str) -> list[Finding]:
    """The findings of one check."""
    return [finding for finding in report_.findings if finding.check == check]


def untold(report_: Report, check: str) -> list[Unchecked]:
    """Where one check could not tell."""
    return [one for one in report_.unchecked if one.check == check]


def sentences(found: Iterable[Finding]) -> str:
    """All their sentences."""
    return "; ".join(finding.sentence for finding in found)
