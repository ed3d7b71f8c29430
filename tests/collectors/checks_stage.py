"""Real engines as the checks meet them, and a container set up badly beside one set up well."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fleettop.collectors.address import EngineAddress
from fleettop.collectors.checks.catalogue import CHECKS
from fleettop.collectors.checks.finding import Finding, Report, Severity, report
from fleettop.collectors.checks.gathering import Sources, gather
from fleettop.collectors.session import Session

SECOND = 1_000_000_000
LIMITED = {"Type": "json-file", "Config": {"max-size": "1m"}}
SLEEP = "sh -c 'trap \"exit 0\" TERM; while :; do sleep 1; done'"


@asynccontextmanager
async def watching(addresses: Sequence[EngineAddress]) -> AsyncIterator[Session]:
    """These engines, watched, and listed once."""
    async with Session(addresses) as session:
        await session.settled(20)
        session.fleet.take_changes()
        yield session


def sources(session: Session) -> Sources:
    """Where the facts come from."""
    return Sources(session.fleet, session.client, session.certificates, session.log_sizes)


async def looked(session: Session) -> Report:
    """One look."""
    session.fleet.take_changes()
    return report(CHECKS.values(), await gather(sources(session), lambda _read, _of: None))


def at(found: Report, name: str) -> dict[str, Finding]:
    """The findings of one object, by check: the worst of each."""
    mine = [finding for finding in found.findings if finding.object == name]
    return {finding.check: finding for finding in sorted(mine, key=lambda finding: -finding.severity.rank)}


CARELESS: dict[str, Any] = {
    "Env": ["DB_PASSWORD=correct-horse-battery", "LOG_LEVEL=info"],
    "HostConfig": {
        "PidMode": "host",
        "IpcMode": "host",
        "Binds": ["/var/run/docker.sock:/var/run/docker.sock", "/etc:/host-etc"],
        "SecurityOpt": ["seccomp=unconfined"],
        "Devices": [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/nothing", "CgroupPermissions": "r"}],
        "PortBindings": {"8080/tcp": [{"HostPort": "808"}]},
    },
    "ExposedPorts": {"8080/tcp": {}},
}
CAREFUL: dict[str, Any] = {
    "Env": ["DB_PASSWORD_FILE=/run/secrets/db", "LOG_LEVEL=info"],
    "User": "99:99",
    "Healthcheck": {"Test": ["CMD-SHELL", "true"], "Interval": SECOND},
    "ExposedPorts": {"8080/tcp": {}},
    "HostConfig": {
        "NetworkMode": "shop",
        "Memory": 64 << 20,
        "NanoCpus": SECOND,
        "PidsLimit": 64,
        "ReadonlyRootfs": True,
        "SecurityOpt": ["no-new-privileges:true"],
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
        "LogConfig": LIMITED,
        "PortBindings": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18080"}]},
        "Binds": ["/etc/hostname:/etc/name:ro"],
    },
}
FOUND_IN_THE_CARELESS = {
    "C02": Severity.CRITICAL,
    **dict.fromkeys(("C03", "C04", "C06", "C09", "C17"), Severity.HIGH),
    **dict.fromkeys(("C08", "C11", "C13", "C14", "C15", "C16", "C19"), Severity.MEDIUM),
    **dict.fromkeys(("C07", "C10", "C12", "C20"), Severity.LOW),
}
