"""Trees of files as the kernel shows them, for hosts that this machine is not: cgroup v1 and v2, each driver."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from fleettop.collectors.figures.answer import Counters

ID = "5e" * 32
OTHER = "0a" * 32
PID = 4242
NETWORK = """\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed
    lo:     999       9    0    0    0     0          0         0   999       9    0    0    0     0       0          0
  eth0: 1234567    6789    0    0    0     0          0         0 76543     210    0    0    0     0       0          0
  eth1:   10000      10    0    0    0     0          0         0  2000      20    0    0    0     0       0          0
  tun0:     500       5    0    0    0     0          0         0   500       5    0    0    0     0       0          0
"""
STAT_V1 = """\
cache 5000000
rss 1500000
inactive_file 11
total_cache 5000000
total_rss 1500000
total_inactive_anon 0
total_active_file 4096
total_inactive_file 4194304
total_unevictable 0
"""
STAT_V2 = """\
anon 1500000
file 5000000
kernel 80000
inactive_anon 0
active_anon 1400000
inactive_file 4194304
active_file 4096
unevictable 0
workingset_refault_file 3
"""
CPU_STAT = "usage_usec 123456789\nuser_usec 100000000\nsystem_usec 23456789\nnr_periods 0\n"
READ = Counters(cpu=123456789000, memory=6000000, inactive_file=4194304, received=1234567 + 10000, sent=76543 + 2000)


class Kind(NamedTuple):
    """A sort of host; `place` is the path of a container's group, `below` what its processes made of it."""

    version: int
    place: str
    below: str = ""
    told: bool = True
    """/proc/PID/cgroup can be read; without it (hidepid) only the usual places are known."""


KINDS = {
    "v1 cgroupfs": Kind(1, "/docker/ID"),
    "v1 systemd": Kind(1, "/system.slice/docker-ID.scope"),
    "v1 podman": Kind(1, "/libpod_parent/libpod-ID"),
    "v1, a parent of its own": Kind(1, "/odd$(exit)`x`;&|*/ID"),
    "v1, processes hidden": Kind(1, "/docker/ID", told=False),
    "v2 cgroupfs": Kind(2, "/docker/ID"),
    "v2 systemd": Kind(2, "/system.slice/docker-ID.scope"),
    "v2 systemd, a systemd inside": Kind(2, "/system.slice/docker-ID.scope", "/init.scope"),
    "v2 systemd, a slice with a dash": Kind(2, "/system.slice/system-our\\x2dapp.slice/docker-ID.scope"),
    "v2 rootless": Kind(2, "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-ID.scope"),
    "v2 podman with crun": Kind(2, "/machine.slice/libpod-ID.scope", "/container"),
    "v2, processes hidden": Kind(2, "/system.slice/docker-ID.scope", told=False),
    "v2 podman, processes hidden": Kind(2, "/machine.slice/libpod-ID.scope", told=False),
}


class Tree(NamedTuple):
    """Where the two folders lie."""

    groups: Path
    processes: Path


def write(path: Path, text: str) -> None:
    """A file, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def plant(folder: Path, kind: Kind, container: str = ID, pid: int = PID) -> Tree:
    """One container on a host of this kind."""
    tree = Tree(folder / "cgroup", folder / "proc")
    place = kind.place.replace("ID", container)
    if kind.version == 1:
        write(tree.groups / f"cpuacct{place}/cpuacct.usage", "123456789000\n")
        write(tree.groups / f"memory{place}/memory.usage_in_bytes", "6000000\n")
        write(tree.groups / f"memory{place}/memory.stat", STAT_V1)
        where = f"12:pids:{place}\n8:cpu,cpuacct:{place}\n4:memory:{place}\n1:name=systemd:{place}{kind.below}\n"
        where += f"0::{place}\n"
    else:
        write(tree.groups / f"{place[1:]}/cpu.stat", CPU_STAT)
        write(tree.groups / f"{place[1:]}/memory.current", "6000000\n")
        write(tree.groups / f"{place[1:]}/memory.stat", STAT_V2)
        where = f"0::{place}{kind.below}\n"
    for root in ("cpuacct", "") if kind.version == 1 else ("",):
        write(tree.groups / root / place[1:] / "cgroup.procs", f"{pid}\n{pid + 1}\n")
    write(tree.processes / "uptime", "5025.17 9000.00\n")
    if kind.told:
        write(tree.processes / f"{pid}/cgroup", where)
        write(tree.processes / f"{pid}/net/dev", NETWORK)
    return tree
