"""A simulated container as `GET /containers/json` and `GET /containers/{id}/json` tell of it."""

from __future__ import annotations

import shlex
from typing import Any

from . import setups
from .machine import Machine
from .things import Check, Container, Endpoint, MountPoint
from .wording import NEVER, stamp, status

Json = dict[str, Any]
_MASKED = (
    *("/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list"),
    *("/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"),
)
_READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
_PROBES_KEPT = 5
TOO_SLOW = "Health check exceeded timeout"
"""What dockerd itself writes of a probe that took too long; its exit code is -1 then (moby: daemon/health.go)."""


# -- a row of the list -------------------------------------------------------------------------------------------------


def row(machine: Machine, container: Container, now: float) -> Json:
    """One row of the list."""
    fixed = container.fixed_row
    if fixed is None:
        fixed = container.fixed_row = _fixed(machine, container)
    return {**fixed, "Ports": _ports(container), "State": container.state, "Status": status(container, now),
            "NetworkSettings": {"Networks": networks(machine, container)}}  # fmt: skip


def _fixed(machine: Machine, container: Container) -> Json:
    plan = container.plan
    return {
        "Id": container.id,
        "Names": [f"/{container.name}"],
        "Image": plan.ref,
        "ImageID": plan.image.id,
        "Command": shlex.join((*plan.entrypoint, *plan.cmd)),
        "Created": int(container.created),
        "Labels": container.labels,
        "HostConfig": {"NetworkMode": plan.networks[0]},
        "Mounts": mounts(plan.mounts),
    }


def _ports(container: Container) -> list[Json]:
    found: list[Json] = []
    for port in container.plan.ports:
        if port.public is None or not container.alive:
            if container.alive:
                found.append({"PrivatePort": port.private, "Type": port.protocol})
            continue
        found += [
            {"IP": ip, "PrivatePort": port.private, "PublicPort": port.public, "Type": port.protocol}
            for ip in ("0.0.0.0", "::")  # noqa: S104 - what an engine answers, nothing listens here
        ]
    return found


def mounts(points: tuple[MountPoint, ...]) -> list[Json]:
    """The mounts of a container, as both the list and an inspect tell them."""
    found: list[Json] = []
    for point in points:
        if point.kind == "volume":
            found.append(
                {
                    "Type": "volume",
                    "Name": point.source,
                    "Source": f"/var/lib/docker/volumes/{point.source}/_data",
                    "Destination": point.target,
                    "Driver": "local",
                    "Mode": "z",
                    "RW": point.read_write,
                    "Propagation": "",
                }
            )
        else:
            found.append(
                {
                    "Type": "bind",
                    "Source": point.source,
                    "Destination": point.target,
                    "Mode": "" if point.read_write else "ro",
                    "RW": point.read_write,
                    "Propagation": "rprivate",
                }
            )
    return found


def networks(machine: Machine, container: Container) -> Json:
    """The networks of a container, by name. One that does not run has no address."""
    return {one.network: _endpoint(machine, container, one) for one in container.endpoints}


def _endpoint(machine: Machine, container: Container, endpoint: Endpoint) -> Json:
    network = machine.networks.get(endpoint.network)
    live = container.alive and bool(endpoint.address)
    gateway = f"{network.subnet}.0.1" if network is not None and live and network.driver == "bridge" else ""
    return {
        "IPAMConfig": None,
        "Links": None,
        "Aliases": list(container.plan.aliases) or None,
        "MacAddress": endpoint.mac if live else "",
        "DriverOpts": None,
        "NetworkID": network.id if network is not None else "",
        "EndpointID": endpoint.id if live else "",
        "Gateway": gateway,
        "IPAddress": endpoint.address if live else "",
        "IPPrefixLen": 16 if live else 0,
        "IPv6Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "DNSNames": [*container.plan.aliases, container.id[:12]],
    }


# -- an inspect --------------------------------------------------------------------------------------------------------


def inspect(machine: Machine, container: Container, now: float) -> Json:
    """The whole of a container."""
    plan = container.plan
    command = (*plan.entrypoint, *plan.cmd)
    folder = f"/var/lib/docker/containers/{container.id}"
    return {
        "Id": container.id,
        "Created": stamp(container.created),
        "Path": command[0] if command else "",
        "Args": list(command[1:]),
        "State": _state(container, now),
        "Image": plan.image.id,
        "ResolvConfPath": f"{folder}/resolv.conf",
        "HostnamePath": f"{folder}/hostname",
        "HostsPath": f"{folder}/hosts",
        "LogPath": f"{folder}/{container.id}-json.log",
        "Name": f"/{container.name}",
        "RestartCount": container.restart_count,
        "Driver": "overlay2",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "docker-default",
        "ExecIDs": None,
        "HostConfig": _host_config(container),
        "GraphDriver": {
            "Data": {
                "LowerDir": f"/var/lib/docker/overlay2/{container.id}-init/diff",
                "MergedDir": f"/var/lib/docker/overlay2/{container.id}/merged",
                "UpperDir": f"/var/lib/docker/overlay2/{container.id}/diff",
                "WorkDir": f"/var/lib/docker/overlay2/{container.id}/work",
            },
            "Name": "overlay2",
        },
        "Mounts": mounts(plan.mounts),
        "Config": _config(container),
        "NetworkSettings": _network_settings(machine, container),
    }


def _state(container: Container, now: float) -> Json:
    state: Json = {
        "Status": container.state,
        "Running": container.alive or container.state == "restarting",
        "Paused": container.state == "paused",
        "Restarting": container.state == "restarting",
        "OOMKilled": container.oom_killed,
        "Dead": False,
        "Pid": container.pid,
        "ExitCode": 0 if container.alive else container.exit_code,
        "Error": container.error,
        "StartedAt": stamp(container.started),
        "FinishedAt": stamp(container.finished) if container.finished else NEVER,
    }
    check = container.plan.check
    if check is not None and container.health:
        log = probes(container, check, now)
        streak = 0
        for probe in log:
            streak = 0 if probe["ExitCode"] == 0 else streak + 1
        if streak and container.failing_since is not None:
            streak = int((now - container.failing_since) / check.interval) + 1
        state["Health"] = {"Status": container.health, "FailingStreak": streak, "Log": log}
    return state


def probes(container: Container, check: Check, now: float) -> list[Json]:
    """The last runs of its health check. They are worked out when asked for: a calm fleet has nothing to do."""
    first = container.started + container.plan.nature.ready_seconds
    until = now if container.alive else container.finished
    if until < first:
        return []
    failing = container.failing_since
    begin = first if failing is None or failing < first else first + (failing - first) % check.interval
    count = int((until - begin) / check.interval)
    log: list[Json] = []
    for turn in range(max(0, count - _PROBES_KEPT + 1), count + 1):
        start = begin + turn * check.interval
        bad = failing is not None and start >= failing - 0.01
        took = check.timeout / 40 if not bad else check.timeout / 25
        log.append(
            {
                "Start": stamp(start),
                "End": stamp(start + took),
                "ExitCode": 0 if not bad else -1 if container.probe_output.startswith(TOO_SLOW) else 1,
                "Output": container.probe_output if bad else check.good,
            }
        )
    return log


def _host_config(container: Container) -> Json:
    plan = container.plan
    bindings = {
        f"{port.private}/{port.protocol}": [{"HostIp": "", "HostPort": str(port.public)}]
        for port in plan.ports
        if port.public is not None
    }
    binds = [f"{m.source}:{m.target}:{'rw' if m.read_write else 'ro'}" for m in plan.mounts]
    return {
        "Binds": binds or None,
        "ContainerIDFile": "",
        "LogConfig": setups.log_config(plan),
        "NetworkMode": plan.networks[0],
        "PortBindings": bindings,
        "AutoRemove": plan.auto_remove,
        "VolumeDriver": "",
        "VolumesFrom": None,
        "ConsoleSize": [0, 0],
        "CapAdd": None,
        "CapDrop": None,
        "CgroupnsMode": "private",
        "Dns": [],
        "DnsOptions": [],
        "DnsSearch": [],
        "ExtraHosts": [],
        "GroupAdd": None,
        "IpcMode": "private",
        "Cgroup": "",
        "Links": None,
        "OomScoreAdj": 0,
        "PidMode": "",
        "Privileged": False,
        "PublishAllPorts": False,
        "ReadonlyRootfs": False,
        "SecurityOpt": None,
        "UTSMode": "",
        "UsernsMode": "",
        "ShmSize": 64 << 20,
        "Runtime": "runc",
        "Isolation": "",
        "CpuShares": 0,
        "CgroupParent": "",
        "BlkioWeight": 0,
        "BlkioWeightDevice": None,
        "BlkioDeviceReadBps": None,
        "BlkioDeviceWriteBps": None,
        "BlkioDeviceReadIOps": None,
        "BlkioDeviceWriteIOps": None,
        "CpuPeriod": 0,
        "CpuQuota": 0,
        "CpuRealtimePeriod": 0,
        "CpuRealtimeRuntime": 0,
        "CpusetCpus": "",
        "CpusetMems": "",
        "Devices": None,
        "DeviceCgroupRules": None,
        "DeviceRequests": None,
        "MemoryReservation": 0,
        "MemorySwappiness": None,
        "OomKillDisable": None,
        "PidsLimit": None,
        "Ulimits": None,
        "CpuCount": 0,
        "CpuPercent": 0,
        "IOMaximumIOps": 0,
        "IOMaximumBandwidth": 0,
        "MaskedPaths": list(_MASKED),
        "ReadonlyPaths": list(_READ_ONLY),
        **setups.host_config(plan),
        **plan.host_config,
        "RestartPolicy": {"Name": container.policy, "MaximumRetryCount": container.retries},
        "Memory": container.memory,
        "MemorySwap": container.memory * 2,
        "NanoCpus": container.nano_cpus,
    }


def _config(container: Container) -> Json:
    plan = container.plan
    config: Json = {
        "Hostname": container.id[:12],
        "Domainname": "",
        "User": plan.user or setups.user(plan),
        "AttachStdin": False,
        "AttachStdout": True,
        "AttachStderr": True,
        "ExposedPorts": {f"{port.private}/{port.protocol}": {} for port in plan.ports},
        "Tty": plan.tty,
        "OpenStdin": False,
        "StdinOnce": False,
        "Env": list(plan.env),
        "Cmd": list(plan.cmd) or None,
        "Image": plan.ref,
        "Volumes": None,
        "WorkingDir": "/app",
        "Entrypoint": list(plan.entrypoint) or None,
        "OnBuild": None,
        **plan.config,
        "Labels": container.labels,
    }
    if plan.check is not None:
        config["Healthcheck"] = _check(plan.check)
    return config


def _check(check: Check) -> Json:
    return {
        "Test": list(check.test),
        "Interval": int(check.interval * 1e9),
        "Timeout": int(check.timeout * 1e9),
        "StartPeriod": int(check.start_period * 1e9),
        "Retries": check.retries,
    }


def _network_settings(machine: Machine, container: Container) -> Json:
    joined = networks(machine, container)
    bridge = joined.get("bridge", {})
    ports: Json = {}
    for port in container.plan.ports if container.alive else ():
        public = port.public
        ports[f"{port.private}/{port.protocol}"] = (
            None if public is None else [{"HostIp": ip, "HostPort": str(public)} for ip in ("0.0.0.0", "::")]  # noqa: S104 - an answer
        )
    sandbox = container.id[::-1] if container.alive else ""
    return {
        "Bridge": "",
        "SandboxID": sandbox,
        "SandboxKey": f"/var/run/docker/netns/{sandbox[:12]}" if sandbox else "",
        "Ports": ports,
        "HairpinMode": False,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "SecondaryIPAddresses": None,
        "SecondaryIPv6Addresses": None,
        "EndpointID": bridge.get("EndpointID", ""),
        "Gateway": bridge.get("Gateway", ""),
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "IPAddress": bridge.get("IPAddress", ""),
        "IPPrefixLen": bridge.get("IPPrefixLen", 0),
        "IPv6Gateway": "",
        "MacAddress": bridge.get("MacAddress", ""),
        "Networks": joined,
    }
