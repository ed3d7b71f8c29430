"""What a check is, and what it says: a finding, nothing wrong, or that it cannot be told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec

from ..model import ContainerKey
from ..model.posture import ContainerPosture, DaemonPosture, ServicePosture, SwarmPosture
from .facts import EngineFacts, FleetFacts


class Severity(StrEnum):
    """How much a finding matters, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Something a check found at the object it looked at."""

    evidence: str
    """`field = value`, as the engine has it; never a secret."""
    sentence: str = ""
    """What is the case, where the title of the check does not say it all."""
    severity: Severity | None = None
    """Another than the check's own."""
    object: str = ""
    """What of the engine, where it is not the engine itself: a network, a volume."""
    remedy: str = ""
    """Another than the check's own."""


class Unknown(NamedTuple):
    """Why it cannot be told."""

    why: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One object that a check found wanting."""

    check: str
    severity: Severity
    engine: str
    """The host it is on; of a swarm the manager it was read from."""
    kind: str
    """`engine`, `container`, `service`, `swarm`, `network`."""
    object: str
    """What it is called."""
    service: str = ""
    """The service that a container is of: `pay/api`."""
    sentence: str
    evidence: str
    remedy: str
    container: ContainerKey | None = None

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What makes it the same finding another day: a container made anew under its name has it still."""
        return (self.check, self.engine if self.kind != "service" else "", self.kind, self.object)


class Unchecked(msgspec.Struct, frozen=True, kw_only=True):
    """Where a check could not tell."""

    check: str
    engine: str
    object: str
    why: str


class Passed(NamedTuple):
    """A check found nothing wrong with one object."""

    check: str


Outcome = Finding | Unchecked | Passed
Said = Iterable[Found | Unknown]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is looked at."""

    id: str
    title: str
    """What it finds, in a few words."""
    severity: Severity
    source: str
    """Where in the API it is read."""
    why: str
    """What may come of it, in a sentence."""
    remedy: str
    """What to do, as text to be copied."""
    cis: str = ""
    """Where the CIS Docker Benchmark 1.6.0 has it; the same number in docker-bench-security."""
    look: Callable[[Check, FleetFacts], Iterator[Outcome]]

    def finding(self, found: Found, *, engine: str, kind: str, name: str, **more: object) -> Finding:
        """What was found, with what the check itself says of it."""
        return Finding(
            check=self.id,
            severity=found.severity or self.severity,
            engine=engine,
            kind=kind,
            object=name,
            sentence=found.sentence or self.title,
            evidence=found.evidence,
            remedy=found.remedy or self.remedy,
            **more,  # type: ignore[arg-type]
        )


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All that one look at the fleet found."""

    findings: tuple[Finding, ...] = ()
    unchecked: tuple[Unchecked, ...] = ()
    passed: dict[str, int] = {}
    """By check: how many objects have nothing wrong."""
    engines: tuple[str, ...] = ()
    """Those that were looked at."""
    lost: dict[str, str] = {}
    """Those that were not, and why."""
    at: datetime


def report(checks: Iterable[Check], facts: FleetFacts) -> Report:
    """Put every check to the facts."""
    findings: list[Finding] = []
    unchecked: list[Unchecked] = []
    passed: dict[str, int] = {}
    for check in checks:
        for outcome in check.look(check, facts):
            if isinstance(outcome, Finding):
                findings.append(outcome)
            elif isinstance(outcome, Unchecked):
                unchecked.append(outcome)
            else:
                passed[outcome.check] = passed.get(outcome.check, 0) + 1
    return Report(
        findings=tuple(findings),
        unchecked=tuple(unchecked),
        passed=passed,
        engines=tuple(engine.name for engine in facts.engines if engine.daemon is not None),
        lost=dict(facts.lost),
        at=facts.now,
    )


# -- going over the facts ----------------------------------------------------------------------------------------------

Look = Callable[[Check, FleetFacts], Iterator[Outcome]]


def of_engines(look: Callable[[EngineFacts, DaemonPosture, FleetFacts], Said]) -> Look:
    """Each engine that could be asked."""

    def over(check: Check, facts: FleetFacts) -> Iterator[Outcome]:
        for engine in facts.engines:
            if engine.daemon is not None:
                yield from _told(
                    check, look(engine, engine.daemon, facts), engine=engine.name, kind="engine", name=engine.name
                )

    return over


def of_containers(look: Callable[[ContainerPosture, EngineFacts, FleetFacts], Said], *, ended: bool = False) -> Look:
    """Each container that runs; with `ended` the others, too."""

    def over(check: Check, facts: FleetFacts) -> Iterator[Outcome]:
        for engine in facts.engines:
            if engine.daemon is not None and "containers" in engine.untold:
                why = engine.untold["containers"]
                yield Unchecked(check=check.id, engine=engine.name, object=engine.name, why=why)
            for container in engine.containers:
                if container.alive or ended:
                    yield from _told(
                        check,
                        look(container, engine, facts),
                        engine=engine.name,
                        kind="container",
                        name=container.name,
                        service=facts.titles.get(container.key, ""),
                        container=container.key,
                    )

    return over


def of_swarms(look: Callable[[SwarmPosture, FleetFacts], Said]) -> Look:
    """Each swarm."""

    def over(check: Check, facts: FleetFacts) -> Iterator[Outcome]:
        for swarm in facts.swarms:
            name = f"swarm {swarm.cluster_id[:12]}"
            yield from _told(check, look(swarm, facts), engine=swarm.manager, kind="swarm", name=name)

    return over


def of_services(look: Callable[[ServicePosture, SwarmPosture, FleetFacts], Said]) -> Look:
    """Each service of each swarm."""

    def over(check: Check, facts: FleetFacts) -> Iterator[Outcome]:
        for swarm in facts.swarms:
            if swarm.services is None:
                why = swarm.trouble or "its services could not be read"
                name = f"swarm {swarm.cluster_id[:12]}"
                yield Unchecked(check=check.id, engine=swarm.manager, object=name, why=why)
            for service in swarm.services or ():
                said = look(service, swarm, facts)
                yield from _told(
                    check, said, engine=swarm.manager, kind="service", name=service.name, service=service.name
                )

    return over


def together(*looks: Look) -> Look:
    """One after the other."""

    def over(check: Check, facts: FleetFacts) -> Iterator[Outcome]:
        for look in looks:
            yield from look(check, facts)

    return over


def _told(check: Check, said: Said, *, engine: str, kind: str, name: str, **more: object) -> Iterator[Outcome]:
    nothing = True
    for one in said:
        nothing = False
        if isinstance(one, Unknown):
            yield Unchecked(check=check.id, engine=engine, object=name, why=one.why)
        else:
            at = {"name": one.object, "kind": "network"} if one.object else {"name": name, "kind": kind}
            yield check.finding(one, engine=engine, **at, **more)  # type: ignore[arg-type]
    if nothing:
        yield Passed(check.id)
