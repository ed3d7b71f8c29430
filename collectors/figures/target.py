"""A container whose figures are wanted, and who can read them past its engine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from ..engine.stats import StatsSample
from ..model import Container

FULL_ID = re.compile(r"[0-9a-f]{64}")
LARGEST_PID = 1 << 22
"""pid_max of the kernel (include/linux/threads.h, PID_MAX_LIMIT)."""


class Target(NamedTuple):
    """A container as it is looked for on its host."""

    id: str
    """64 hex digits, always: it is part of the names of files."""
    pid: int
    """Of its first process; 0: not known."""
    own_network: bool
    """It has interfaces of its own, so that what is counted for its processes is its traffic and not its host's."""
    limit: int | None = None
    """Bytes of memory it was given; None: not limited, or not told."""

    @property
    def way(self) -> tuple[int, bool]:
        """What finding it depends on."""
        return self.pid, self.own_network


def target_of(container: Container) -> Target | None:
    """How to look for a container; None where its id is not one."""
    if not FULL_ID.fullmatch(container.id):
        return None
    detail = container.detail
    pid = detail.pid if detail is not None else None
    known = pid if pid is not None and 0 < pid <= LARGEST_PID else 0
    own = bool(container.networks) and not {"host", "none"}.intersection(container.networks)
    return Target(container.id, known, own, detail.memory_limit if detail is not None else None)


class HostFigures(Protocol):
    """Reads counters of containers on their host. Belongs to one open link."""

    @property
    def words(self) -> str:
        """How, or why not, for a person."""
        ...

    def serves(self, target: Target) -> bool:
        """Whether to ask here for this container. Yes as long as nothing speaks against it."""
        ...

    async def read(self, targets: Sequence[Target]) -> dict[str, StatsSample]:
        """The counters now, by id; those not found are missing. Never raises for the host."""
        ...

    def forget(self, known: frozenset[str]) -> None:
        """Only these containers exist."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...
