"""What a container uses: one sample of the engine's counters, and the difference between two."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ..model import Usage
from .fields import BROKEN, moment, parse_as
from .wire import Text


class _CpuUsage(msgspec.Struct, frozen=True):
    total_usage: int | None = None


class _CpuStats(msgspec.Struct, frozen=True):
    cpu_usage: _CpuUsage | None = None
    system_cpu_usage: int | None = None
    online_cpus: int | None = None


class _MemoryStats(msgspec.Struct, frozen=True):
    usage: int | None = None
    limit: int | None = None
    stats: dict[str, msgspec.Raw] | None = None


class _NetworkStats(msgspec.Struct, frozen=True):
    rx_bytes: int | None = None
    tx_bytes: int | None = None


class _Stats(msgspec.Struct, frozen=True):
    read: Text = None
    cpu_stats: _CpuStats | None = None
    memory_stats: _MemoryStats | None = None
    networks: dict[str, _NetworkStats] | None = None


_STATS = msgspec.json.Decoder(_Stats)
_INT = msgspec.json.Decoder(int)
_ABSURD = 1 << 60
"""Bytes from which a limit means none: cgroup v1 says 2^63 less a page, some engines 2^64 - 1."""


class StatsSample(msgspec.Struct, frozen=True, kw_only=True):
    """The counters of a container at one moment. None: not told."""

    at: float
    """Our monotonic clock when it was read, in seconds."""
    read: datetime
    """The engine's clock."""
    cpu: int
    """CPU time used since the container started, in nanoseconds, over all cores."""
    system: int | None = None
    """CPU time that passed on the host, in nanoseconds, over all cores."""
    cpus: int | None = None
    memory: int | None = None
    """Bytes, less the inactive file cache."""
    memory_limit: int | None = None
    """Bytes; None where there is no limit."""
    received: int | None = None
    """Bytes since the container started, over all its networks."""
    sent: int | None = None


def decode_stats(body: bytes, *, at: float, podman: bool = False, host_memory: int | None = None) -> StatsSample | None:
    """`GET /containers/{id}/stats`. None for a container that does not run. Raises Malformed.

    A stopped container answers with zeros and the year 1 (Docker), or with nothing at all (Podman). `host_memory` in
    bytes tells a limit from the lack of one: without a limit an engine names the host's memory as the limit.
    """
    if not body.strip():
        return None
    return parse_as(_STATS, body, lambda stats: _sample(stats, at, podman, host_memory), "stats")


def _sample(stats: _Stats, at: float, podman: bool, host_memory: int | None) -> StatsSample | None:
    read = moment(stats.read)
    cpu = stats.cpu_stats or _CpuStats()
    used = cpu.cpu_usage.total_usage if cpu.cpu_usage else None
    if read is None or used is None:
        return None
    memory = stats.memory_stats or _MemoryStats()
    return StatsSample(
        at=at,
        read=read,
        cpu=used,
        # Podman 4.3 puts the CPU time used on the host there, not the time that passed (seen).
        system=None if podman else cpu.system_cpu_usage or None,
        cpus=None if podman else cpu.online_cpus or None,
        memory=_memory(memory),
        memory_limit=real_limit(memory.limit, host_memory),
        received=_sum(stats.networks, "rx_bytes"),
        sent=_sum(stats.networks, "tx_bytes"),
    )


def _memory(memory: _MemoryStats) -> int | None:
    """As docker stats counts (docker/cli: cli/command/container/stats_helpers.go, calculateMemUsageUnixNoCache)."""
    if memory.usage is None:
        return None
    for name in ("total_inactive_file", "inactive_file"):  # cgroup v1, which has both; v2
        raw = (memory.stats or {}).get(name)
        if raw is None:
            continue
        try:
            inactive = _INT.decode(raw)
        except BROKEN:
            continue
        return memory.usage - inactive if 0 <= inactive < memory.usage else memory.usage
    return memory.usage


def real_limit(limit: int | None, host: int | None) -> int | None:
    """A limit of memory that is one: not 0, not absurd, and less than the host has."""
    if limit is None or limit <= 0 or limit >= _ABSURD or (host is not None and limit >= host):
        return None
    return limit


def _sum(networks: dict[str, _NetworkStats] | None, field: str) -> int | None:
    """None without networks of its own (`--network host`): not told, which is not 0."""
    values = [value for network in (networks or {}).values() if (value := getattr(network, field)) is not None]
    return sum(values) if values else None


def usage_between(before: StatsSample, after: StatsSample) -> Usage | None:
    """What was used from one sample to the next; None where that cannot be told.

    That is: the same reading twice, or counters that went backwards, which means a restart in between. CPU is in
    percent of one core. The network's rates are None, and only they, where its counters are missing or went backwards.
    """
    seconds = (after.read - before.read).total_seconds()
    if seconds <= 0 or after.cpu < before.cpu:
        return None
    return Usage(
        cpu=_cpu(before, after, seconds),
        memory=after.memory,
        memory_limit=after.memory_limit,
        received=_rate(before.received, after.received, seconds),
        sent=_rate(before.sent, after.sent, seconds),
        at=after.at,
    )


def _cpu(before: StatsSample, after: StatsSample, seconds: float) -> float:
    """By the host's own CPU clock where it is told, since wall clocks are set and jump; else by the engine's clock."""
    used = after.cpu - before.cpu
    if before.system is not None and after.system is not None and after.cpus and after.system > before.system:
        return 100.0 * used * after.cpus / (after.system - before.system)
    return 100.0 * used / (seconds * 1e9)


def _rate(before: int | None, after: int | None, seconds: float) -> float | None:
    if before is None or after is None or after < before:
        return None
    return (after - before) / seconds
