"""A simulated engine as `/info`, `/version`, `/images`, `/networks`, `/volumes` and `/system/df` tell of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from . import setups
from .machine import Machine
from .rows import row
from .things import CacheRecord, Image, Network, Volume
from .wording import stamp

Json = dict[str, Any]
KERNEL = "6.1.0-25-amd64"
_CONTAINERD = "bcc810d6b9066471b0b6fa75f557a15a1cbf31bb"
_LOG_DRIVERS = ("awslogs", "fluentd", "gcplogs", "gelf", "journald", "json-file", "local", "splunk", "syslog")
_ICC = "com.docker.network.bridge.enable_icc"
_BRIDGE = {
    "com.docker.network.bridge.default_bridge": "true",
    "com.docker.network.bridge.enable_ip_masquerade": "true",
    "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",  # noqa: S104 - what an engine answers
    "com.docker.network.bridge.name": "docker0",
    "com.docker.network.driver.mtu": "1500",
}
_GO = {"24": "go1.20.13", "25": "go1.21.8", "26": "go1.21.11", "27": "go1.22.11", "28": "go1.24.4"}
_COMMITS = {"24": "fca702d", "25": "5a8c4c5", "26": "de5c9cf", "27": "4c9b3b0", "28": "265f709"}


def minimum_api(machine: Machine) -> str:
    """The oldest API version it speaks (Docker 25 raised it to 1.24)."""
    return "1.12" if machine.version.startswith("24.") else "1.24"


def version(machine: Machine) -> Json:
    """`GET /version`."""
    major = machine.version.partition(".")[0]
    built = "2025-01-22T13:41:44.000000000+00:00"
    shared = {
        "ApiVersion": machine.api,
        "Arch": "amd64",
        "BuildTime": built,
        "GitCommit": _COMMITS.get(major, "4c9b3b0"),
        "GoVersion": _GO.get(major, "go1.22.11"),
        "KernelVersion": KERNEL,
        "MinAPIVersion": minimum_api(machine),
        "Os": "linux",
    }
    return {
        "Platform": {"Name": "Docker Engine - Community"},
        "Components": [
            {"Name": "Engine", "Version": machine.version, "Details": {**shared, "Experimental": "false"}},
            {"Name": "containerd", "Version": "1.7.25", "Details": {"GitCommit": _CONTAINERD}},
            {"Name": "runc", "Version": "1.2.4", "Details": {"GitCommit": "v1.2.4-0-g6c52b3f"}},
            {"Name": "docker-init", "Version": "0.19.0", "Details": {"GitCommit": "de40ad0"}},
        ],
        "Version": machine.version,
        **shared,
    }  # fmt: skip


def info(machine: Machine, now: float, swarm: Json | None = None) -> Json:
    """`GET /info`. A restarting container counts as stopped (moby: daemon/info.go)."""
    states = Counter(container.state for container in machine.containers.values())
    return {
        "ID": _engine_id(machine),
        "Containers": len(machine.containers),
        "ContainersRunning": states["running"],
        "ContainersPaused": states["paused"],
        "ContainersStopped": len(machine.containers) - states["running"] - states["paused"],
        "Images": len(machine.images),
        "Driver": "overlay2",
        "DriverStatus": [
            ["Backing Filesystem", "extfs"],
            ["Supports d_type", "true"],
            ["Using metacopy", "false"],
            ["Native Overlay Diff", "true"],
            ["userxattr", "false"],
        ],
        "Plugins": {
            "Volume": ["local"],
            "Network": ["bridge", "host", "ipvlan", "macvlan", "null", "overlay"],
            "Authorization": None,
            "Log": list(_LOG_DRIVERS),
        },
        "MemoryLimit": True,
        "SwapLimit": True,
        "CpuCfsPeriod": True,
        "CpuCfsQuota": True,
        "CPUShares": True,
        "CPUSet": True,
        "PidsLimit": True,
        "IPv4Forwarding": True,
        "BridgeNfIptables": True,
        "BridgeNfIp6tables": True,
        "Debug": False,
        "NFd": 40 + 2 * states["running"],
        "OomKillDisable": False,
        "NGoroutines": 60 + 5 * states["running"],
        "SystemTime": stamp(now),
        "LoggingDriver": "json-file",
        "CgroupDriver": "systemd",
        "CgroupVersion": "2",
        "NEventsListener": 1,
        "KernelVersion": KERNEL,
        "OperatingSystem": "Debian GNU/Linux 12 (bookworm)",
        "OSVersion": "12",
        "OSType": "linux",
        "Architecture": "x86_64",
        "IndexServerAddress": "https://index.docker.io/v1/",
        "RegistryConfig": {
            "AllowNondistributableArtifactsCIDRs": None,
            "AllowNondistributableArtifactsHostnames": None,
            "InsecureRegistryCIDRs": ["127.0.0.0/8"],
            "IndexConfigs": {"docker.io": {"Name": "docker.io", "Mirrors": [], "Secure": True, "Official": True}},
            "Mirrors": None,
        },
        "NCPU": machine.cpus,
        "MemTotal": machine.memory - 300_000_000,
        "GenericResources": None,
        "DockerRootDir": "/var/lib/docker",
        "HttpProxy": "",
        "HttpsProxy": "",
        "NoProxy": "",
        "Name": machine.name,
        "Labels": [f"group={machine.group}"],
        "ExperimentalBuild": False,
        "ServerVersion": machine.version,
        "Runtimes": {"io.containerd.runc.v2": {"path": "runc"}, "runc": {"path": "runc"}},
        "DefaultRuntime": "runc",
        "Swarm": swarm or no_swarm(),
        "LiveRestoreEnabled": False,
        "Isolation": "",
        "InitBinary": "docker-init",
        "ContainerdCommit": {"ID": _CONTAINERD, "Expected": _CONTAINERD},
        "RuncCommit": {"ID": "v1.2.4-0-g6c52b3f", "Expected": "v1.2.4-0-g6c52b3f"},
        "InitCommit": {"ID": "de40ad0", "Expected": "de40ad0"},
        "SecurityOptions": ["name=apparmor", "name=seccomp,profile=builtin", "name=cgroupns"],
        "Warnings": None,
        **setups.daemon(machine.group, machine.name),
    }  # fmt: skip


def no_swarm() -> Json:
    """An engine that is in no swarm."""
    return {
        "NodeID": "",
        "NodeAddr": "",
        "LocalNodeState": "inactive",
        "ControlAvailable": False,
        "Error": "",
        "RemoteManagers": None,
    }


def _engine_id(machine: Machine) -> str:
    """Docker 24 and later: a UUID."""
    digits = f"{int(machine.id):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


# -- images ------------------------------------------------------------------------------------------------------------


def images(machine: Machine) -> list[Json]:
    """`GET /images/json`."""
    return [image_row(image) for image in machine.images.values()]


def image_row(image: Image, *, containers: int = -1, shared: int = -1) -> Json:
    """One row of the images."""
    return {
        "Containers": containers,
        "Created": int(image.created),
        "Id": image.id,
        "Labels": image.labels or None,
        "ParentId": "",
        "RepoDigests": [f"{image.repository}@{image.digest}"] if image.repository else ["<none>@<none>"],
        "RepoTags": [image.ref] if image.tag else [],
        "SharedSize": shared,
        "Size": image.size,
    }


def image(found: Image) -> Json:
    """`GET /images/{name}/json`."""
    return {
        "Id": found.id,
        "RepoTags": [found.ref] if found.tag else [],
        "RepoDigests": [f"{found.repository}@{found.digest}"],
        "Parent": "",
        "Comment": "buildkit.dockerfile.v0",
        "Created": stamp(found.created),
        "DockerVersion": "",
        "Author": "",
        "Config": {
            "Hostname": "",
            "Domainname": "",
            "User": "",
            "AttachStdin": False,
            "AttachStdout": False,
            "AttachStderr": False,
            "Tty": False,
            "OpenStdin": False,
            "StdinOnce": False,
            "Env": list(found.env),
            "Cmd": list(found.cmd) or None,
            "Image": "",
            "Volumes": None,
            "WorkingDir": "/app",
            "Entrypoint": list(found.entrypoint) or None,
            "OnBuild": None,
            "Labels": dict(found.labels) or None,
        },
        "Architecture": "amd64",
        "Os": "linux",
        "Size": found.size,
        "GraphDriver": {
            "Data": {
                "MergedDir": f"/var/lib/docker/overlay2/{found.id[7:]}/merged",
                "UpperDir": f"/var/lib/docker/overlay2/{found.id[7:]}/diff",
                "WorkDir": f"/var/lib/docker/overlay2/{found.id[7:]}/work",
            },
            "Name": "overlay2",
        },
        "RootFS": {"Type": "layers", "Layers": [f"sha256:{layer:02d}{found.id[9:]}" for layer in range(found.layers)]},
        "Metadata": {"LastTagTime": stamp(found.created)},
    }


# -- networks and volumes ----------------------------------------------------------------------------------------------


def networks(machine: Machine) -> list[Json]:
    """`GET /networks`."""
    return [network(machine, one, with_containers=False) for one in machine.networks.values()]


def network(machine: Machine, one: Network, *, with_containers: bool = True) -> Json:
    """`GET /networks/{id}`; the list of all leaves out who is in it."""
    members: Json = {}
    for container in machine.containers.values() if with_containers else ():
        for endpoint in container.endpoints:
            if endpoint.network == one.name and container.alive:
                members[container.id] = {
                    "Name": container.name,
                    "EndpointID": endpoint.id,
                    "MacAddress": endpoint.mac,
                    "IPv4Address": f"{endpoint.address}/16" if endpoint.address else "",
                    "IPv6Address": "",
                }
    subnet = (
        [{"Subnet": f"{one.subnet}.0.0/16", "Gateway": f"{one.subnet}.0.1"}]
        if one.driver in ("bridge", "overlay")
        else None
    )
    return {
        "Name": one.name,
        "Id": one.id,
        "Created": stamp(one.created),
        "Scope": one.scope,
        "Driver": one.driver,
        "EnableIPv6": False,
        "IPAM": {"Driver": "default", "Options": None, "Config": subnet},
        "Internal": False,
        "Attachable": False,
        "Ingress": one.name == "ingress",
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": False,
        "Containers": members,
        "Options": _options(machine, one),
        "Labels": dict(one.labels),
    }  # fmt: skip


def _options(machine: Machine, one: Network) -> dict[str, str]:
    if one.name != "bridge":
        return {}
    return {**_BRIDGE, _ICC: "true" if setups.bridge_talks(machine.name) else "false"}


def volumes(machine: Machine) -> Json:
    """`GET /volumes`."""
    return {"Volumes": [volume(one) for one in machine.volumes.values()], "Warnings": None}


def volume(found: Volume) -> Json:
    """`GET /volumes/{name}`."""
    return {
        "CreatedAt": stamp(found.created)[:19] + "Z",
        "Driver": "local",
        "Labels": dict(found.labels) or None,
        "Mountpoint": f"/var/lib/docker/volumes/{found.name}/_data",
        "Name": found.name,
        "Options": None,
        "Scope": "local",
    }


def disk_usage(machine: Machine, now: float, kinds: tuple[str, ...]) -> Json:
    """`GET /system/df`, of these `kinds` (container, image, volume, build-cache; none given: all)."""
    used = Counter(container.plan.image.id for container in machine.containers.values())
    mounted: defaultdict[str, int] = defaultdict(int)
    for container in machine.containers.values():
        for mount in container.plan.mounts:
            mounted[mount.source] += 1
    found: Json = {"LayersSize": sum(image.size for image in machine.images.values())}
    if not kinds or "image" in kinds:
        found["Images"] = [image_row(one, containers=used[one.id], shared=0) for one in machine.images.values()]
    if not kinds or "container" in kinds:
        found["Containers"] = [
            {**row(machine, c, now), "SizeRw": 40_960, "SizeRootFs": c.plan.image.size + 40_960}
            for c in machine.containers.values()
        ]
    if not kinds or "volume" in kinds:
        found["Volumes"] = [
            {**volume(one), "UsageData": {"RefCount": mounted[one.name], "Size": one.size}}
            for one in machine.volumes.values()
        ]
    if not kinds or "build-cache" in kinds:
        found["BuildCache"] = [_cache(one) for one in machine.cache.values()]
    return found


def _cache(record: CacheRecord) -> Json:
    return {
        "ID": record.id,
        "Parent": "",
        "Type": "regular",
        "Description": record.description,
        "InUse": record.in_use,
        "Shared": False,
        "Size": record.size,
        "CreatedAt": stamp(record.used),
        "LastUsedAt": stamp(record.used),
        "UsageCount": 1,
    }
