"""What a simulated container uses. Every counter is a function of time alone, so nothing has to be kept or ticked."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .machine import Machine
from .things import Container
from .wording import NEVER, stamp

Json = dict[str, Any]
_SWING = 0.45
"""How far the load goes up and down around its mean."""
_PERIODS = (47.0, 311.0)
"""Seconds of a short and a long wave."""
_GREED, _STARVED = 0.88, 0.9
"""What a greedy one takes of the machine, beside its own; what the others lose of theirs meanwhile."""


def sample(machine: Machine, container: Container, now: float, *, one_shot: bool) -> Json:
    """`GET /containers/{id}/stats`: cgroup v2, as dockerd 23 and later write it."""
    if not container.alive:
        return _nothing(container)
    before = None if one_shot else now - 1.0
    found: Json = {
        "read": stamp(now),
        "preread": NEVER if before is None else stamp(before),
        "pids_stats": {"current": 3 + container.pid % 30, "limit": 18_446_744_073_709_551_615},
        "blkio_stats": _disk(container, now),
        "num_procs": 0,
        "storage_stats": {},
        "cpu_stats": _cpu(machine, container, now),
        "precpu_stats": _no_cpu() if before is None else _cpu(machine, container, before),
        "memory_stats": _memory(machine, container, now),
        "name": f"/{container.name}",
        "id": container.id,
    }
    if any(endpoint.address for endpoint in container.endpoints):
        found["networks"] = {"eth0": _network(container, now)}
    return found


def _grown(container: Container, now: float) -> Callable[[float, float], float]:
    """What has come together since its start at a mean rate that swings and is never negative: the integral of it."""
    age = _awake(container, now)
    phase = (int(container.id[:6], 16) % 628) / 100

    def integral(rate: float, turn: float) -> float:
        total = age
        for period, share in zip(_PERIODS, (_SWING, _SWING * 0.8), strict=True):
            speed = 2 * math.pi / period
            angle = phase + turn
            total += share / speed * (math.cos(angle) - math.cos(speed * age + angle))
        return rate * total

    return integral


def _awake(container: Container, now: float) -> float:
    """Seconds it has run, those in which it was paused left out."""
    until = container.paused_at if container.state == "paused" else now
    return max(0.0, until - container.started - container.asleep)


def _cpu(machine: Machine, container: Container, now: float) -> Json:
    used = int(_cpu_seconds(machine, container, now) * 1e9)
    return {
        "cpu_usage": {
            "total_usage": used,
            "usage_in_kernelmode": used // 4,
            "usage_in_usermode": used - used // 4,
        },
        "system_cpu_usage": int((now - machine.booted) * machine.cpus * 1e9),
        "online_cpus": machine.cpus,
        "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
    }


def _cpu_seconds(machine: Machine, container: Container, now: float) -> float:
    """As its nature says; while one is greedy it takes most of all cores, and the others get little of theirs."""
    rate, greed = container.plan.nature.cpu / 100, machine.greed
    used = _grown(container, now)(rate, 0.0)
    if greed is None or now <= greed.since:
        return used
    until = min(now, greed.until)
    if container is greed.by:
        return used + (until - greed.since) * machine.cpus * _GREED if container.started <= greed.since else used
    meanwhile = _grown(container, until)(rate, 0.0) - _grown(container, greed.since)(rate, 0.0)
    return used - meanwhile * _STARVED


def _no_cpu() -> Json:
    return {
        "cpu_usage": {"total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0},
        "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
    }


def memory_used(container: Container, now: float) -> int:
    """Bytes without the file cache: rises after a start, then breathes; fills up before it is killed for memory."""
    nature = container.plan.nature
    age = max(0.0, now - container.started)
    used = nature.memory * (1 - 0.5 * math.exp(-age / 20)) * (1 + 0.06 * math.sin(age / 71 + nature.cpu))
    fate = container.fate
    if fate is not None and fate.kind == "oom" and container.memory and fate.after:
        return int(used + (container.memory - used) * min(1.0, age / fate.after) ** 2)
    return int(used)


def _memory(machine: Machine, container: Container, now: float) -> Json:
    used = memory_used(container, now)
    cache = used // 3
    return {
        "usage": used + cache,
        "stats": {
            "active_anon": used * 7 // 10,
            "active_file": cache // 5,
            "anon": used,
            "file": cache,
            "inactive_anon": used * 3 // 10,
            "inactive_file": cache,
            "kernel_stack": 65_536,
            "pgfault": 40_000,
            "pgmajfault": 12,
            "shmem": 0,
            "slab": 1 << 20,
            "sock": 0,
            "unevictable": 0,
        },
        "limit": container.memory or machine.memory - 300_000_000,
    }


def _network(container: Container, now: float) -> Json:
    nature = container.plan.nature
    grown = _grown(container, now)
    received, sent = int(grown(nature.received, 1.1)), int(grown(nature.sent, 1.3))
    return {
        "rx_bytes": received,
        "rx_packets": received // 700,
        "rx_errors": 0,
        "rx_dropped": 0,
        "tx_bytes": sent,
        "tx_packets": sent // 900,
        "tx_errors": 0,
        "tx_dropped": 0,
    }


def _disk(container: Container, now: float) -> Json:
    grown = _grown(container, now)
    rate = 20_000.0 if container.plan.mounts else 400.0
    rows = [
        {"major": 254, "minor": 0, "op": "read", "value": int(grown(rate / 3, 0.4))},
        {"major": 254, "minor": 0, "op": "write", "value": int(grown(rate, 0.7))},
    ]
    empty = ("io_serviced_recursive", "io_queue_recursive", "io_service_time_recursive", "io_wait_time_recursive",
             "io_merged_recursive", "io_time_recursive", "sectors_recursive")  # fmt: skip
    return {"io_service_bytes_recursive": rows, **dict.fromkeys(empty)}


def _nothing(container: Container) -> Json:
    """What an engine answers for one that does not run."""
    disk = dict.fromkeys(
        ("io_service_bytes_recursive", "io_serviced_recursive", "io_queue_recursive", "io_service_time_recursive",
         "io_wait_time_recursive", "io_merged_recursive", "io_time_recursive", "sectors_recursive")
    )  # fmt: skip
    return {
        "read": NEVER,
        "preread": NEVER,
        "pids_stats": {},
        "blkio_stats": disk,
        "num_procs": 0,
        "storage_stats": {},
        "cpu_stats": _no_cpu(),
        "precpu_stats": _no_cpu(),
        "memory_stats": {},
        "name": f"/{container.name}",
        "id": container.id,
    }
