"""C: what containers are allowed, and what of the host they hold in their hands."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.posture import ContainerPosture, MountPosture
from .engines import tells_new_privileges
from .facts import EngineFacts, FleetFacts
from .finding import Check, Found, Severity, Unknown, of_containers

Said = Iterator[Found | Unknown]
SOCKETS = ("docker.sock", "podman.sock", "containerd.sock")
SENSITIVE = ("/boot", "/dev", "/etc", "/lib", "/proc", "/sys", "/usr")
"""Folders of the host that are its own, and what is below them; `/` itself beside."""
USUAL = (
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW"),
    *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
)
"""Capabilities that every container has anyway."""


def _privileged(container: ContainerPosture, _engine: EngineFacts, _: FleetFacts) -> Said:
    if container.privileged is None:
        yield Unknown("the engine does not tell")
    elif container.privileged:
        yield Found(evidence="HostConfig.Privileged = true")


def _socket(container: ContainerPosture, _engine: EngineFacts, _: FleetFacts) -> Said:
    for mount in container.mounts:
        if mount.source.rpartition("/")[2] in SOCKETS:
            read_only = "" if mount.read_write else ", ro (which limits nothing)"
            yield Found(evidence=f"Mounts {mount.source} → {mount.target}{read_only}")
            return


def _folders(container: ContainerPosture, _engine: EngineFacts, _: FleetFacts) -> Said:
    """The folders themselves; what lies below them only where it can be written."""
    for mount in container.mounts:
        if mount.type == "bind" and _is_sensitive(mount):
            how = "read-write" if mount.read_write else "read-only"
            yield Found(
                evidence=f"Mounts {mount.source} → {mount.target}, {how}",
                severity=Severity.HIGH if mount.read_write else Severity.MEDIUM,
            )


def _is_sensitive(mount: MountPosture) -> bool:
    source = mount.source.rstrip("/") or "/"
    if source == "/" or source in SENSITIVE:
        return True
    return mount.read_write and source.startswith(tuple(f"{folder}/" for folder in SENSITIVE))


def _namespaces(container: ContainerPosture, _engine: EngineFacts, _: FleetFacts) -> Said:
    modes = {
        "NetworkMode": container.network_mode,
        "PidMode": container.pid_mode,
        "IpcMode": container.ipc_mode,
        "UTSMode": container.uts_mode,
        "UsernsMode": container.user_mode,
    }
    shared = [name for name, mode in modes.items() if mode == "host"]
    if shared:
        yield Found(evidence=", ".join(f"HostConfig.{name} = host" for name in shared))


def _capabilities(container: ContainerPosture, _engine: EngineFacts, _: FleetFacts) -> Said:
    added = [name for name in container.added_capabilities if name.upper().removeprefix("CAP_") not in USUAL]
    if added:
        yield Found(evidence=f"HostConfig.CapAdd = {', '.join(added)}")


def _confinement(container: ContainerPosture, engine: EngineFacts, _: FleetFacts) -> Said:
    options = [option.replace(":", "=", 1) for option in container.security_options]
    if "seccomp=unconfined" in options:
        yield Found(evidence="HostConfig.SecurityOpt = seccomp=unconfined", sentence="seccomp is off for it")
    if container.apparmor == "unconfined":
        yield Found(evidence="AppArmorProfile = unconfined", sentence="AppArmor does not confine it")
    elif not container.apparmor and engine.daemon is not None and engine.daemon.security("apparmor") is not None:
        yield Found(evidence="AppArmorProfile is empty", sentence="AppArmor does not confine it")


def _new_privileges(container: ContainerPosture, engine: EngineFacts, _: FleetFacts) -> Said:
    if engine.daemon is not None and engine.daemon.security("no-new-privileges") is not None:
        return
    options = {option.replace(":", "=", 1) for option in container.security_options}
    if not options & {"no-new-privileges", "no-new-privileges=true"}:
        told = engine.daemon is None or engine.daemon.kind != "docker" or tells_new_privileges(engine.daemon)
        hidden = "" if told else "; Docker before 24.0 does not tell whether it is the engine's default"
        yield Found(evidence=f"HostConfig.SecurityOpt has no no-new-privileges{hidden}")


def _root(container: ContainerPosture, _engine: EngineFacts, _: FleetFacts) -> Said:
    if container.user.partition(":")[0] in ("", "0", "root"):
        yield Found(evidence=f"Config.User = {container.user or 'not set, which is root'}")


def _secrets(container: ContainerPosture, _engine: EngineFacts, _: FleetFacts) -> Said:
    if container.secrets:
        shown = ", ".join(container.secrets[:6])
        more = f" and {len(container.secrets) - 6} more" if len(container.secrets) > 6 else ""
        yield Found(evidence=f"Config.Env holds {shown}{more}")


def _devices(container: ContainerPosture, _engine: EngineFacts, _: FleetFacts) -> Said:
    for mount in container.mounts:
        if mount.propagation in ("shared", "rshared"):
            evidence = f"Mounts {mount.source} Propagation = {mount.propagation}"
            yield Found(evidence=evidence, sentence="what it mounts appears on the host")
    if container.devices:
        evidence = f"HostConfig.Devices = {', '.join(container.devices[:4])}"
        yield Found(evidence=evidence, sentence="devices of the host are in its hands")
    if container.cgroup_parent:
        evidence = f"HostConfig.CgroupParent = {container.cgroup_parent}"
        yield Found(evidence=evidence, sentence="it is in a control group of its own choice")


def _default_bridge(container: ContainerPosture, _engine: EngineFacts, _: FleetFacts) -> Said:
    if container.network_mode in ("default", "bridge"):
        yield Found(evidence=f"HostConfig.NetworkMode = {container.network_mode}")


CHECKS = (
    Check(
        id="C01",
        title="privileged container",
        severity=Severity.CRITICAL,
        source="HostConfig.Privileged",
        cis="5.5",
        why="It has every device and capability of the host: whoever is in it is root outside.",
        remedy="privileged: false   # and the one right it needs: cap_add: [NET_ADMIN], devices: [/dev/…]",
        look=of_containers(_privileged),
    ),
    Check(
        id="C02",
        title="the engine's socket is mounted",
        severity=Severity.CRITICAL,
        source="Mounts",
        cis="5.32",
        why="Who can write to the socket is root on the host; a read-only mount limits nothing.",
        remedy="volumes: []   # take /var/run/docker.sock out, or put a proxy that lets only reads through before it",
        look=of_containers(_socket),
    ),
    Check(
        id="C03",
        title="a folder of the host itself is mounted",
        severity=Severity.HIGH,
        source="Mounts, RW",
        cis="5.6",
        why="The container can read the host's secrets, or change what the host runs.",
        remedy='volumes: ["data:/data"]   # a volume instead, or the one file it needs, with :ro',
        look=of_containers(_folders),
    ),
    Check(
        id="C04",
        title="a namespace of the host is shared",
        severity=Severity.HIGH,
        source="HostConfig NetworkMode, PidMode, IpcMode, UTSMode, UsernsMode",
        cis="5.10, 5.16, 5.17, 5.21, 5.31",
        why="It sees, or can reach and signal, what else runs on the host.",
        remedy="network_mode: bridge   # and take out pid: host, ipc: host, uts: host, userns_mode: host",
        look=of_containers(_namespaces),
    ),
    Check(
        id="C05",
        title="capabilities were added",
        severity=Severity.HIGH,
        source="HostConfig.CapAdd",
        cis="5.4",
        why="Each is a part of root's power that containers usually lack.",
        remedy="cap_drop: [ALL]\ncap_add: []   # only what it fails without",
        look=of_containers(_capabilities),
    ),
    Check(
        id="C06",
        title="seccomp or AppArmor is off",
        severity=Severity.HIGH,
        source="HostConfig.SecurityOpt, AppArmorProfile",
        cis="5.2, 5.22",
        why="A break-in in the container meets no second wall.",
        remedy="security_opt: []   # take seccomp:unconfined and apparmor:unconfined out",
        look=of_containers(_confinement),
    ),
    Check(
        id="C07",
        title="may gain new privileges",
        severity=Severity.LOW,
        source="HostConfig.SecurityOpt; the engine's default",
        cis="5.26",
        why="A set-user-id program in it gives root in it.",
        remedy="security_opt: [no-new-privileges:true]",
        look=of_containers(_new_privileges),
    ),
    Check(
        id="C08",
        title="runs as root",
        severity=Severity.MEDIUM,
        source="Config.User",
        cis="4.1",
        why="A hole in the program gives root in the container, and one in the kernel root on the host.",
        remedy='user: "10001:10001"   # or USER in the Dockerfile',
        look=of_containers(_root),
    ),
    Check(
        id="C17",
        title="secrets in variables",
        severity=Severity.HIGH,
        source="Config.Env: names, and whether values look like secrets; no value is kept",
        cis="near 4.10",
        why="Everybody who may inspect the container reads them, and they get into logs and dumps.",
        remedy="secrets: [NAME]   # and NAME_FILE: /run/secrets/NAME instead of the value",
        look=of_containers(_secrets),
    ),
    Check(
        id="C19",
        title="shared mounts, devices or a cgroup of its own",
        severity=Severity.MEDIUM,
        source="Mounts Propagation, HostConfig.Devices, HostConfig.CgroupParent",
        cis="5.18, 5.20, 5.25",
        why="It reaches into the host beside its own walls.",
        remedy="devices: []   # and bind: { propagation: rprivate }; no cgroup_parent",
        look=of_containers(_devices),
    ),
    Check(
        id="C20",
        title="on the default bridge",
        severity=Severity.LOW,
        source="HostConfig.NetworkMode",
        cis="5.30",
        why="All that is there can reach it, and it finds nobody by name.",
        remedy="networks: [app]   # and networks: { app: {} } at the top",
        look=of_containers(_default_bridge),
    ),
)
