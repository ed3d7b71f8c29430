"""What is another than when last asked."""

from __future__ import annotations

import msgspec

from ..model import ContainerKey, Record, ServiceKey


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """What changed, by key. False where nothing did."""

    engines: frozenset[str] = frozenset()
    confirmed: frozenset[str] = frozenset()
    """Engines of which no more is new than that they answered again, and in what time."""
    containers: frozenset[ContainerKey] = frozenset()
    services: frozenset[ServiceKey] = frozenset()
    usage: frozenset[ContainerKey] = frozenset()
    words: frozenset[ContainerKey] = frozenset()
    deploys: frozenset[str] = frozenset()
    swarms: bool = False
    records: tuple[Record, ...] = ()
    """Written or amended, each as it is now, in the order of their first writing."""

    def __bool__(self) -> bool:
        return self != _NOTHING


_NOTHING = Changed()


class Touched:
    """Collects what changed until it is taken."""

    def __init__(self) -> None:
        self.engines: set[str] = set()
        self.confirmed: set[str] = set()
        self.containers: set[ContainerKey] = set()
        self.services: set[ServiceKey] = set()
        self.usage: set[ContainerKey] = set()
        self.words: set[ContainerKey] = set()
        self.deploys: set[str] = set()
        self.rebuild: set[ServiceKey] = set()
        """Services to be put together again before anything is taken."""
        self.standings: set[ContainerKey] = set()
        """Containers whose standing is to be told anew for that."""
        self.records: dict[int, Record] = {}
        self.swarms = False

    @property
    def urgent(self) -> bool:
        """There is more than figures and engines that answer as before, which nobody need be woken for."""
        sets = (self.engines, self.containers, self.services, self.words, self.rebuild, self.deploys)
        return self.swarms or any(sets) or bool(self.records)

    def take(self) -> Changed:
        """All of it; from here on nothing is touched."""
        changed = Changed(
            engines=frozenset(self.engines),
            confirmed=frozenset(self.confirmed - self.engines),
            containers=frozenset(self.containers),
            services=frozenset(self.services),
            usage=frozenset(self.usage),
            words=frozenset(self.words),
            deploys=frozenset(self.deploys),
            swarms=self.swarms,
            records=tuple(self.records[number] for number in sorted(self.records)),
        )
        told = (self.engines, self.confirmed, self.containers, self.services, self.usage, self.words, self.deploys)
        for collected in told:
            collected.clear()
        self.records.clear()
        self.swarms = False
        return changed
