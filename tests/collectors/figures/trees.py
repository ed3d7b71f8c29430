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
cache 81928192
rss 53248
inactive_file 11
total_cache 81928192
total_rss 53248
total_inactive_anon 0
total_active_file 131072
total_inactive_file 81797120
total_unevictable 0
"""
STAT_V2 = """\
anon 53248
file 81928192
kernel 2723840
kernel_stack 16384
pagetables 36864
sec_pagetables 0
percpu 1068
sock 0
vmalloc 12288
shmem 0
file_mapped 65536
file_dirty 0
file_writeback 0
swapcached 0
anon_thp 0
file_thp 0
shmem_thp 0
inactive_anon 0
active_anon 53248
inactive_file 81797120
active_file 131072
unevictable 0
slab_reclaimable 2502872
slab_unreclaimable 137552
slab 2640424
workingset_refault_anon 0
workingset_refault_file 0
workingset_activate_anon 0
workingset_activate_file 0
pgscan 0
pgfault 1752
"""
"""Linux 6.12 (Debian 13), a container that wrote and read 78 MiB of files; from `workingset` on shortened."""
CPU_STAT = """\
usage_usec 3605156
user_usec 458768
system_usec 3146388
nice_usec 0
nr_periods 1535
nr_throttled 1519
throttled_usec 101018811
nr_bursts 0
burst_usec 0
"""
"""The same kernel, with the periods of a container held at a fifth of a core."""
MEMORY = 84705280
READ = Counters(cpu=3605156000, memory=MEMORY, inactive_file=81797120, received=1234567 + 10000, sent=76543 + 2000)


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
        write(tree.groups / f"cpuacct{place}/cpuacct.usage", f"{READ.cpu}\n")
        write(tree.groups / f"memory{place}/memory.usage_in_bytes", f"{MEMORY}\n")
        write(tree.groups / f"memory{place}/memory.stat", STAT_V1)
        where = f"12:pids:{place}\n8:cpu,cpuacct:{place}\n4:memory:{place}\n1:name=systemd:{place}{kind.below}\n"
        where += f"0::{place}\n"
    else:
        write(tree.groups / f"{place[1:]}/cpu.stat", CPU_STAT)
        write(tree.groups / f"{place[1:]}/memory.current", f"{MEMORY}\n")
        write(tree.groups / f"{place[1:]}/memory.stat", STAT_V2)
        where = f"0::{place}{kind.below}\n"
    for root in ("cpuacct", "") if kind.version == 1 else ("",):
        write(tree.groups / root / place[1:] / "cgroup.procs", f"{pid}\n{pid + 1}\n")
    write(tree.processes / "uptime", "5025.17 9000.00\n")
    if kind.told:
        write(tree.processes / f"{pid}/cgroup", where)
        write(tree.processes / f"{pid}/net/dev", NETWORK)
    return tree
