"""E: how engines were set up."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.posture import DaemonPosture
from ..words import bytes_words
from .facts import EngineFacts, FleetFacts
from .finding import Check, Found, Severity, Unknown, of_engines
from .releases import parts_of

Said = Iterator[Found | Unknown]
_PODMAN = Unknown("Podman does not tell: it has no daemon with such a setting")
_NOT_TOLD = Unknown("the engine does not tell")
_OPEN = "API is accessible on"
_BAD_DRIVERS = ("aufs", "devicemapper", "overlay", "vfs")
"""Podman calls `overlay` what Docker calls overlay2."""
_LOCAL = ("127.0.0.0/8", "::1/128")
_SECCOMP_DEFAULTS = ("default", "builtin", "")


def _open_api(engine: EngineFacts, daemon: DaemonPosture, _: FleetFacts) -> Said:
    if engine.insecure:
        yield Found(evidence=f"address = {engine.address}", sentence="fleettop itself reaches it over plain TCP")
    if daemon.warnings is None:
        if not engine.insecure:
            yield _PODMAN
        return
    for warning in daemon.warnings:
        if _OPEN in warning:
            where = warning[warning.index(_OPEN) + len(_OPEN) :].strip().partition(" ")[0].rstrip(".")
            what = "without its clients' certificates being verified" if "https" in where else "without TLS"
            yield Found(evidence=f"Warnings = {warning[:160]}", sentence=f"its API is open on {where}, {what}")
            return


def _logging(engine: EngineFacts, daemon: DaemonPosture, facts: FleetFacts) -> Said:
    unlimited = [c for c in engine.containers if c.logs_unlimited]
    if unlimited:
        sizes = {c.id: engine.logs.get(c.id) for c in unlimited}
        unlimited.sort(key=lambda c: (-(sizes[c.id] or 0), c.name))
        names = ", ".join(
            c.name if (size := sizes[c.id]) is None else f"{c.name} ({bytes_words(size)})" for c in unlimited[:4]
        )
        more = f" and {len(unlimited) - 4} more" if len(unlimited) > 4 else ""
        count = f"{len(unlimited)} of {len(engine.containers)} containers write logs without a limit"
        yield Found(evidence=f"LogConfig.Config.max-size is not set: {names}{more}", sentence=count)
    elif "containers" in engine.untold:
        yield Unknown(engine.untold["containers"])
    elif daemon.logging_driver == "json-file" and not any(c.log_driver == "json-file" for c in engine.containers):
        yield Unknown("the API does not tell what limits new logs get, and no container here shows it")


def _live_restore(_engine: EngineFacts, daemon: DaemonPosture, _: FleetFacts) -> Said:
    if daemon.kind == "podman" or daemon.in_swarm:
        return  # containers of Podman outlive it; a swarm allows no live-restore
    if daemon.live_restore is None:
        yield _NOT_TOLD
    elif not daemon.live_restore:
        yield Found(evidence="LiveRestoreEnabled = false")


def _storage(_engine: EngineFacts, daemon: DaemonPosture, _: FleetFacts) -> Said:
    if not daemon.storage_driver:
        yield _NOT_TOLD
    if daemon.storage_driver in _BAD_DRIVERS and (daemon.kind, daemon.storage_driver) != ("podman", "overlay"):
        yield Found(evidence=f"Driver = {daemon.storage_driver}")
    if daemon.storage_status.get("Supports d_type", "").lower() == "false":
        yield Found(
            evidence="DriverStatus Supports d_type = false",
            sentence="the file system below does not tell what its entries are (d_type)",
            remedy="xfs_info /var/lib/docker | grep ftype   # ftype=1 is needed: make the file system anew",
        )


def _registries(_engine: EngineFacts, daemon: DaemonPosture, _: FleetFacts) -> Said:
    if daemon.insecure_registries is None:
        yield _NOT_TOLD
    for registry in daemon.insecure_registries or ():
        if registry not in _LOCAL:
            yield Found(evidence=f"RegistryConfig insecure = {registry}")


def _namespaces(_engine: EngineFacts, daemon: DaemonPosture, _: FleetFacts) -> Said:
    if daemon.security_options is None:
        yield _NOT_TOLD
    elif daemon.security("userns") is None and daemon.security("rootless") is None:
        yield Found(evidence="SecurityOptions has neither userns nor rootless")


def _confinement(_engine: EngineFacts, daemon: DaemonPosture, _: FleetFacts) -> Said:
    if daemon.security_options is None:
        yield _NOT_TOLD
        return
    seccomp = daemon.security("seccomp")
    profile = seccomp.get("profile", "") if seccomp is not None else "off"
    if seccomp is None or profile == "unconfined":
        yield Found(evidence=f"SecurityOptions seccomp = {profile}", sentence="containers may make any system call")
    elif profile not in _SECCOMP_DEFAULTS and daemon.kind == "docker":
        yield Found(
            evidence=f"SecurityOptions seccomp profile = {profile}",
            sentence="it has a seccomp profile of its own, which the API does not show",
            severity=Severity.LOW,
            remedy="jq . /path/of/the/profile.json   # compare it with Docker's default",
        )
    if daemon.security("apparmor") is None and daemon.security("selinux") is None:
        yield Found(
            evidence="SecurityOptions has neither apparmor nor selinux",
            sentence="neither AppArmor nor SELinux confines containers",
            remedy='apt install apparmor   # or, with SELinux: /etc/docker/daemon.json: { "selinux-enabled": true }',
        )


def _new_privileges(_engine: EngineFacts, daemon: DaemonPosture, _: FleetFacts) -> Said:
    if daemon.kind == "podman":
        yield _PODMAN
    elif daemon.security_options is None:
        yield _NOT_TOLD
    elif daemon.security("no-new-privileges") is not None:
        return
    elif not tells_new_privileges(daemon):
        yield Unknown("Docker before 24.0 does not tell whether no-new-privileges is its default")
    else:
        yield Found(evidence="SecurityOptions has no no-new-privileges")


def tells_new_privileges(daemon: DaemonPosture) -> bool:
    """Whether it would say that no-new-privileges is its default: moby #45320, in 24.0; 20.10 was seen not to."""
    return (parts_of(daemon.version) or (0, 0, 0)) >= (24, 0, 0)


def _bridge(engine: EngineFacts, daemon: DaemonPosture, _: FleetFacts) -> Said:
    if daemon.kind == "podman":
        yield _PODMAN
    elif "networks" in engine.untold:
        yield Unknown(engine.untold["networks"])
    else:
        option = "com.docker.network.bridge.enable_icc"
        bridges = [network for network in engine.networks if network.name == "bridge"]
        if any(bridge.options.get(option) == "true" for bridge in bridges):
            yield Found(evidence=f"networks/bridge {option} = true")


def _authorization(_engine: EngineFacts, daemon: DaemonPosture, _: FleetFacts) -> Said:
    if daemon.kind == "podman":
        yield _PODMAN
    elif daemon.authorization is None:
        yield _NOT_TOLD
    elif not daemon.authorization:
        yield Found(evidence="Plugins.Authorization is empty")


def _experimental(_engine: EngineFacts, daemon: DaemonPosture, _: FleetFacts) -> Said:
    if daemon.experimental and daemon.kind == "docker":  # Podman says so always
        yield Found(evidence="ExperimentalBuild = true", sentence="its experimental features are on")
    if daemon.debug:
        yield Found(evidence="Debug = true", sentence="it runs in debug mode")


def _limits(_engine: EngineFacts, daemon: DaemonPosture, _: FleetFacts) -> Said:
    missing = [name for name, able in daemon.limits.items() if able is False]
    if missing:
        yield Found(
            evidence=", ".join(f"{name.capitalize()}Limit = false" for name in missing),
            sentence=f"it cannot limit {', '.join(missing)}",
        )
    if daemon.cgroup_version == "1":
        yield Found(evidence="CgroupVersion = 1", sentence="it uses cgroup v1, which is being given up")


def _untellable(_engine: EngineFacts, _daemon: DaemonPosture, _: FleetFacts) -> Said:
    yield Unknown(
        "the API tells neither default-ulimits nor userland-proxy, log-level, iptables or what is pruned: look at "
        "the engine's daemon.json and command line"
    )


CHECKS = (
    Check(
        id="E01",
        title="API open without verified clients",
        severity=Severity.CRITICAL,
        source="/info Warnings; our own link",
        cis="2.7",
        why="Who reaches that port is root on the host, with no password asked.",
        remedy='/etc/docker/daemon.json: { "hosts": ["unix:///var/run/docker.sock"] }   # or "tlsverify": true with '
        '"tlscacert", "tlscert", "tlskey"',
        look=of_engines(_open_api),
    ),
    Check(
        id="E03",
        title="logs grow without limit",
        severity=Severity.HIGH,
        source="/info LoggingDriver; each container's HostConfig.LogConfig",
        cis="near 2.13",
        why="A chatty container fills the host's disk, and everything on it stops.",
        remedy='/etc/docker/daemon.json: { "log-driver": "local" }   # or "log-opts": { "max-size": "20m", '
        '"max-file": "3" }; containers have to be made anew',
        look=of_engines(_logging),
    ),
    Check(
        id="E04",
        title="live-restore is off",
        severity=Severity.MEDIUM,
        source="/info LiveRestoreEnabled",
        cis="2.15",
        why="Every container goes down when the engine is updated or restarted.",
        remedy='/etc/docker/daemon.json: { "live-restore": true }',
        look=of_engines(_live_restore),
    ),
    Check(
        id="E05",
        title="storage driver of yesterday",
        severity=Severity.HIGH,
        source="/info Driver, DriverStatus",
        cis="2.6",
        why="It is slow, loses data or is no longer maintained.",
        remedy='/etc/docker/daemon.json: { "storage-driver": "overlay2" }   # images, containers are to be made anew',
        look=of_engines(_storage),
    ),
    Check(
        id="E06",
        title="insecure registry",
        severity=Severity.HIGH,
        source="/info RegistryConfig",
        cis="2.5",
        why="Anybody on the way can put another image in place of what is pulled.",
        remedy='/etc/docker/daemon.json: { "insecure-registries": [] }',
        look=of_engines(_registries),
    ),
    Check(
        id="E07",
        title="root in a container is root on the host",
        severity=Severity.LOW,
        source="/info SecurityOptions",
        cis="2.9, 2.1",
        why="Who breaks out of a container that runs as root is root on the host.",
        remedy='/etc/docker/daemon.json: { "userns-remap": "default" }   # containers and images have to be made anew',
        look=of_engines(_namespaces),
    ),
    Check(
        id="E08",
        title="seccomp, AppArmor or SELinux missing",
        severity=Severity.HIGH,
        source="/info SecurityOptions",
        cis="2.17, 5.2, 5.3",
        why="A break-in in a container meets no second wall.",
        remedy='/etc/docker/daemon.json: { "seccomp-profile": "" }   # the default profile',
        look=of_engines(_confinement),
    ),
    Check(
        id="E09",
        title="no-new-privileges is not the default",
        severity=Severity.LOW,
        source="/info SecurityOptions",
        cis="2.14",
        why="A set-user-id program in a container gives root in it.",
        remedy='/etc/docker/daemon.json: { "no-new-privileges": true }',
        look=of_engines(_new_privileges),
    ),
    Check(
        id="E10",
        title="containers on the default bridge reach each other",
        severity=Severity.MEDIUM,
        source="/networks, bridge Options",
        cis="2.2",
        why="Every container that has no network of its own can talk to every other.",
        remedy='/etc/docker/daemon.json: { "icc": false }',
        look=of_engines(_bridge),
    ),
    Check(
        id="E11",
        title="no authorization plugin",
        severity=Severity.INFO,
        source="/info Plugins.Authorization",
        cis="2.12",
        why="Who may use the socket may do everything.",
        remedy='/etc/docker/daemon.json: { "authorization-plugins": ["PLUGIN"] }',
        look=of_engines(_authorization),
    ),
    Check(
        id="E12",
        title="experimental features or debug mode",
        severity=Severity.LOW,
        source="/info ExperimentalBuild, Debug",
        cis="2.18",
        why="Both are for trying things out: they may change, and tell more than they should.",
        remedy='/etc/docker/daemon.json: { "experimental": false, "debug": false }',
        look=of_engines(_experimental),
    ),
    Check(
        id="E13",
        title="the kernel cannot limit all that should be",
        severity=Severity.MEDIUM,
        source="/info MemoryLimit, SwapLimit, PidsLimit, CgroupVersion",
        cis="2.10",
        why="Limits that are asked for are silently not kept.",
        remedy='/etc/default/grub: GRUB_CMDLINE_LINUX="systemd.unified_cgroup_hierarchy=1 swapaccount=1"   # then '
        "update-grub and reboot",
        look=of_engines(_limits),
    ),
    Check(
        id="E19",
        title="daemon options the API does not tell",
        severity=Severity.INFO,
        source="not in the API",
        cis="2.3, 2.4, 2.8, 2.16",
        why="What is not told is not passed.",
        remedy='jq \'{"default-ulimits","userland-proxy","log-level",iptables}\' /etc/docker/daemon.json; '
        "ps -o args= -C dockerd",
        look=of_engines(_untellable),
    ),
)
