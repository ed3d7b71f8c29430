"""What the command on a host answers: lines of counters, each understood or the whole answer refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from ..engine.stats import StatsSample, real_limit

BOOT = datetime(1970, 1, 1, tzinfo=UTC)
"""The host's own clock counts from when it was started; its moments are told as if that had been then."""
_AT = re.compile(r"at (\d{1,9}) (\d{1,12}\.\d{1,9})", re.ASCII)
_ROW = re.compile(r"(\d{1,6})" + r" (\d{1,20}|-)" * 5, re.ASCII)


class Counters(msgspec.Struct, frozen=True, kw_only=True):
    """Of one container, as the kernel counts. None: could not be read."""

    cpu: int | None = None
    """Nanoseconds over all cores."""
    memory: int | None = None
    """Bytes, with all of the file cache."""
    inactive_file: int | None = None
    received: int | None = None
    """Bytes, over its own interfaces."""
    sent: int | None = None


class Answer(msgspec.Struct, frozen=True):
    """One answer: when by the host's clock, and what was read, by place (from 1)."""

    uptime: float
    counters: dict[int, Counters]


def understood(lines: Sequence[str], number: int) -> Answer | None:
    """The answer to the question of this number, without its last line; None where it makes no sense."""
    head = _AT.fullmatch(lines[0]) if lines else None
    if head is None or int(head[1]) != number:
        return None
    counters: dict[int, Counters] = {}
    for line in lines[1:]:
        row = _ROW.fullmatch(line)
        if row is None or int(row[1]) in counters:
            return None
        cpu, memory, inactive, received, sent = (None if word == "-" else int(word) for word in row.groups()[1:])
        counters[int(row[1])] = Counters(cpu=cpu, memory=memory, inactive_file=inactive, received=received, sent=sent)
    return Answer(float(head[2]), counters)


def sample_of(counters: Counters, *, at: float, since_boot: float, limit: int | None) -> StatsSample | None:
    """The same as the engine would tell; None where there is no counter of CPU, so that it does not run.

    `limit` is the memory that the container was given, as its engine says.
    """
    if counters.cpu is None:
        return None
    return StatsSample(
        at=at,
        read=BOOT + timedelta(seconds=since_boot),
        cpu=counters.cpu,
        memory=_memory(counters),
        memory_limit=real_limit(limit, None),
        received=counters.received,
        sent=counters.sent,
    )


def _memory(counters: Counters) -> int | None:
    """As `docker stats` counts it: less the inactive file cache, where that is less than all of it."""
    memory, inactive = counters.memory, counters.inactive_file
    if memory is None or inactive is None:
        return memory
    return memory - inactive if inactive < memory else memory
