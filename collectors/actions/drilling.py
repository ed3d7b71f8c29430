"""Drills: a replica or a node is lost on purpose. What should survive it, and what its loss then came to. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from ..config.allowances import ONE, Allowance
from ..model import ContainerKey, EngineEvent, Service, ServiceKey, ServiceState, Told
from . import phrases
from .picture import Picture, unreachable
from .whatif import Loss

LOST = ("die",)
"""What an engine says when a replica goes."""
NEAR = timedelta(seconds=1.5)
"""By so much two clocks may differ when their skew is taken off."""


class Subject(msgspec.Struct, kw_only=True):
    """What happens to one service in a drill; counts are of replicas that serve."""

    key: ServiceKey
    title: str
    before: int
    needed: int
    """So many should serve at any time, by what may be away at once."""
    least: int
    now: int

    @property
    def below(self) -> bool:
        """Whether fewer served than should."""
        return self.least < self.needed

    @property
    def back(self) -> bool:
        """Whether as many serve as before."""
        return self.now >= self.before


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """When what happened, by the records of the trail; None: that is not among them."""

    begun: datetime
    lost: datetime | None = None
    seen: datetime | None = None
    """When fleettop knew of the loss."""
    back: datetime | None = None
    recover: float | None = None
    """Seconds from the loss until as many served as before, with what the clocks of two engines differ by taken off."""

    @property
    def detect(self) -> float | None:
        """Seconds from the order to knowing of the loss."""
        return (self.seen - self.begun).total_seconds() if self.seen is not None else None


def candidates(fleet: Picture, services: Iterable[ServiceKey] | None = None) -> tuple[ContainerKey, ...]:
    """Replicas that can be lost in a drill: serving, on an engine that answers, of these services.

    Without services named: of all those that are healthy and have another replica that serves.
    """
    chosen: Sequence[Service]
    if services is None:
        chosen = [s for s in fleet.services.values() if s.state is ServiceState.HEALTHY and (s.serving or 0) > 1]
    else:
        chosen = [fleet.services[key] for key in services]
    return tuple(
        replica.container
        for service in chosen
        for replica in service.replicas
        if replica.serving and replica.container is not None and not unreachable(fleet, replica.container.engine)
    )


def subjects(fleet: Picture, losses: Iterable[Loss], allowed: Mapping[str, Allowance]) -> list[Subject]:
    """The services that lose something, as they are before; `allowed` is what may be away, by group."""
    return [_subject(fleet, fleet.services[loss.service], allowed) for loss in losses if loss.service in fleet.services]


def _subject(fleet: Picture, service: Service, allowed: Mapping[str, Allowance]) -> Subject:
    groups = {fleet.engines[host].group for host in service.hosts if host in fleet.engines}
    total = max(service.wanted or 0, len(service.replicas), 1)
    away = min((allowed[group].of(total) for group in groups if group in allowed), default=ONE.of(total))
    serving = service.serving or 0
    return Subject(
        key=service.key,
        title=service.title,
        before=serving,
        needed=max(0, (service.wanted if service.wanted is not None else total) - away),
        least=serving,
        now=serving,
    )


def look(fleet: Picture, watched: Iterable[Subject]) -> None:
    """Take down how many serve now. What cannot be known now is left as it was."""
    for subject in watched:
        service = fleet.services.get(subject.key)
        if service is None or service.serving is None:
            continue
        subject.now = service.serving
        subject.least = min(subject.least, subject.now)


def times(
    told: Iterable[Told],
    *,
    begun: datetime,
    services: Collection[ServiceKey],
    over: bool,
    skews: Mapping[str, float] | None = None,
) -> Times:
    """When something of these services was lost, known of, and served again, by what was `told` since the drill began.

    A record grows as more becomes known (killed, then started again): the moments are those of the events that made it
    so, as the trail keeps them. `over`: as many serve as before, so the newest of what says that a replica came is the
    one that made it so. What is told only now may be of long before: what counts is when it was, by the engines' clocks
    less their `skews` (seconds ahead of ours).
    """

    def when(event: EngineEvent) -> datetime:
        return event.time - timedelta(seconds=(skews or {}).get(event.engine, 0.0))

    about = [(one.event, one.record.seen) for one in told if one.event is not None and one.record.service in services]
    lost = [(event, seen) for event, seen in about if event.action in LOST and when(event) >= begun - NEAR]
    if not lost:
        return Times(begun=begun)
    gone, seen = lost[0]
    came = [event for event, _ in about if _serves(event) and when(event) >= when(gone)]
    if not over or not came:
        return Times(begun=begun, lost=gone.time, seen=seen)
    last = max(came, key=when)
    recover = (when(last) - when(gone)).total_seconds()
    return Times(begun=begun, lost=gone.time, seen=seen, back=last.time, recover=recover)


def _serves(event: EngineEvent) -> bool:
    return event.action == "start" or (event.action == "health_status" and event.argument == "healthy")


def forecast(losses: Sequence[Loss], title: str) -> tuple[str, ...]:
    """What should survive, in words."""
    down = [loss for loss in losses if not loss.left]
    kept = [loss for loss in losses if loss.left]
    told = [f"{loss.title} keeps {loss.left} of {loss.wanted}" for loss in kept]
    told += [f"nothing of {loss.title} serves meanwhile" for loss in down]
    if not losses:
        told = [f"no service loses anything that serves with {title}"]
    return tuple(phrases.sentence(text) for text in told)


def refusal(losses: Sequence[Loss]) -> str:
    """Why it is not to be done unless told so; empty: nothing would be down."""
    down = [loss.title for loss in losses if not loss.left]
    if not down:
        return ""
    return phrases.sentence(f"{phrases.names(down, 8)} would be down")
