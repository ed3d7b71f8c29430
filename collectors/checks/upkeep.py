"""E: how engines are looked after: releases, clocks, space, certificates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from ..model.posture import DaemonPosture
from ..words import count
from .facts import EngineFacts, FleetFacts
from .finding import Check, Found, Severity, Unknown, of_engines
from .releases import AS_OF, newer_than_known, parts_of, release_of

Said = Iterator[Found | Unknown]
MOST_SKEW = 30.0
MUCH_SPACE = 1 << 30
"""Bytes that nothing needs, from which on they are told."""
MANY_STOPPED = 25
SOON = timedelta(days=30)
OLDEST_KERNEL = (4, 0)
_KERNEL = re.compile(r"(\d+)\.(\d+)")
_DEBIAN = "dfsg"
"""What Debian puts into the version of a Docker that it packed itself."""
_OF_DEBIAN = "apt-get update && apt-get install --only-upgrade docker.io"


def _release(_engine: EngineFacts, daemon: DaemonPosture, facts: FleetFacts) -> Said:
    if daemon.kind != "docker":
        yield Unknown("the table of releases is of Docker Engine")
        return
    version, table = daemon.version, f"by the table of {AS_OF}"
    remedy = _OF_DEBIAN if _DEBIAN in version else ""
    release, parts = release_of(version), parts_of(version)
    if parts is None or newer_than_known(version):
        yield Unknown(f"the version {version or 'it does not tell'} is not in the table of {AS_OF}")
        return
    if release is None:
        yield Found(
            evidence=f"Version = {version}", sentence=f"Docker {version} is long past its life, {table}", remedy=remedy
        )
        return
    if release.ends is not None and release.ends <= facts.now.date():
        sentence = f"Docker {release.line} is past its life since {release.ends}, {table}"
        yield Found(evidence=f"Version = {version}", sentence=sentence, remedy=remedy)
    elif parts < (parts_of(release.latest) or parts):
        sentence = f"{release.latest} is the newest of Docker {release.line}, {table}"
        yield Found(evidence=f"Version = {version}", sentence=sentence, severity=Severity.MEDIUM, remedy=remedy)


def _clock(_engine: EngineFacts, daemon: DaemonPosture, _: FleetFacts) -> Said:
    if daemon.skew is None:
        yield Unknown("the engine does not tell its time")
    elif abs(daemon.skew) > MOST_SKEW:
        side = "ahead of" if daemon.skew > 0 else "behind"
        yield Found(
            evidence=f"SystemTime differs by {daemon.skew:+.0f} s",
            sentence=f"its clock is {abs(daemon.skew):.0f} s {side} this machine's",
        )


def _space(engine: EngineFacts, _daemon: DaemonPosture, _: FleetFacts) -> Said:
    if engine.disk is None:
        yield Unknown(engine.untold.get("disk", "the engine does not tell"))
        return
    held = {
        "images": engine.disk.images,
        "volumes": engine.disk.volumes,
        "build cache": engine.disk.build_cache,
        "stopped containers": engine.disk.containers,
    }
    known = {name: size for name, size in held.items() if size}
    if sum(known.values()) >= MUCH_SPACE:
        parts = ", ".join(f"{name} {_gib(size)}" for name, size in sorted(known.items(), key=lambda one: -one[1]))
        yield Found(
            evidence=f"system/df reclaimable: {parts}", sentence=f"{_gib(sum(known.values()))} that nothing needs"
        )


def _gib(size: int) -> str:
    return f"{size / (1 << 30):.1f} GiB" if size >= 1 << 30 else f"{size / (1 << 20):.0f} MiB"


def _stopped(_engine: EngineFacts, daemon: DaemonPosture, _: FleetFacts) -> Said:
    if daemon.stopped is None:
        yield Unknown("the engine does not tell")
    elif daemon.stopped > MANY_STOPPED:
        yield Found(
            evidence=f"ContainersStopped = {daemon.stopped}", sentence=count(daemon.stopped, "stopped container")
        )


def _kernel(_engine: EngineFacts, daemon: DaemonPosture, _: FleetFacts) -> Said:
    found = _KERNEL.match(daemon.kernel)
    if found is None:
        yield Unknown("the engine does not tell its kernel")
    elif (int(found[1]), int(found[2])) < OLDEST_KERNEL:
        yield Found(evidence=f"KernelVersion = {daemon.kernel}, {daemon.os}")


def _certificates(engine: EngineFacts, _daemon: DaemonPosture, facts: FleetFacts) -> Said:
    if engine.certificate_ends is None and engine.own_certificate_ends is None:
        yield Unknown("it is not reached over TLS: no certificate is shown")
    for whose, ends in (("engine's", engine.certificate_ends), ("client", engine.own_certificate_ends)):
        if ends is not None and ends - facts.now < SOON:
            yield Found(evidence=f"notAfter = {ends:%Y-%m-%d %H:%M} UTC", sentence=_ending(whose, ends, facts.now))


def _ending(whose: str, ends: datetime, now: datetime) -> str:
    if ends <= now:
        return f"the {whose} certificate has expired"
    return f"the {whose} certificate ends in {count((ends - now).days, 'day')}"


CHECKS = (
    Check(
        id="E02",
        title="engine past its life, or behind its patches",
        severity=Severity.HIGH,
        source=f"/version; the table of {AS_OF} that comes with fleettop",
        cis="1.2.2",
        why="Holes that are found are mended in newer releases only. A distribution may mend its own: ask it.",
        remedy="apt-get update && apt-get install --only-upgrade docker-ce docker-ce-cli containerd.io",
        look=of_engines(_release),
    ),
    Check(
        id="E14",
        title="clock is off",
        severity=Severity.MEDIUM,
        source="/info SystemTime",
        why="Certificates, logs and the order of events are wrong by as much.",
        remedy="timedatectl set-ntp true",
        look=of_engines(_clock),
    ),
    Check(
        id="E15",
        title="space that nothing needs",
        severity=Severity.MEDIUM,
        source="/system/df",
        cis="6.1",
        why="A full disk stops deploys, logs and databases.",
        remedy="docker system df -v; docker image prune --all --filter until=720h; docker builder prune",
        look=of_engines(_space),
    ),
    Check(
        id="E16",
        title="many stopped containers",
        severity=Severity.LOW,
        source="/info ContainersStopped",
        cis="6.2",
        why="They hold names, volumes and space, and hide what matters.",
        remedy="docker container prune --filter until=168h",
        look=of_engines(_stopped),
    ),
    Check(
        id="E17",
        title="old kernel",
        severity=Severity.INFO,
        source="/info KernelVersion, OperatingSystem",
        cis="1.2",
        why="overlay2 is made for Linux 4.0 and newer; distributions backport it.",
        remedy="apt-get full-upgrade && reboot",
        look=of_engines(_kernel),
    ),
    Check(
        id="E18",
        title="TLS certificate ends soon",
        severity=Severity.HIGH,
        source="the handshake; our certificate's file",
        why="From that day on nobody reaches the engine.",
        remedy="openssl x509 -in cert.pem -noout -subject -enddate   # then have it renewed",
        look=of_engines(_certificates),
    ),
)
