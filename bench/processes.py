"""What processes cost, read from /proc: CPU seconds and memory of a program with all it started, and of the machine."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
MIB = 1 << 20


def _fields(pid: int) -> list[str]:
    """What follows the name in /proc/PID/stat; empty where the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def tree(root: int) -> list[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _fields(int(entry.name))):
            children[int(fields[1])].append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children[pid]
    return found


def cpu_seconds(pids: Iterable[int], *, reaped: bool = True) -> float:
    """User and system seconds so far, with those of the children that have ended unless `reaped` is off."""
    last = 15 if reaped else 13
    return sum(int(value) for pid in pids for value in _fields(pid)[11:last]) / TICKS


def memory_mib(root: int) -> float:
    """Resident memory of a process and all below it; pages they share count once for each."""
    pages = 0
    for pid in tree(root):
        try:
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except OSError:
            continue
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def machine_seconds() -> float:
    """CPU seconds the whole machine was busy since it started."""
    user, nice, system, _idle, _iowait, irq, softirq, *_ = Path("/proc/stat").read_text().split("\n")[0].split()[1:]
    return sum(map(int, (user, nice, system, irq, softirq))) / TICKS


def load() -> float:
    """The 1-minute load average."""
    return os.getloadavg()[0]
