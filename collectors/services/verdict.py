"""The state of a service from how its replicas stand. Pure.

Only what a host that answers says counts as serving. So, with `n` wanted and `m` serving for certain:

- no host of it answers: **unknown**, whatever was seen last;
- `m` = `n`: **healthy**, or **flapping** where one of them restarts again and again and has only now come up;
- 0 < `m` < `n`: **degraded**, also where the others are merely on hosts that cannot be reached: not all wanted replicas
  are known to serve. `note` says how many are unknown;
- `m` = 0 and every host answers: **starting** if some are on their way and none failed; **flapping** for the only
  replica of a service in a crash loop; else **down**;
- `m` = 0 and some host does not answer: **degraded** where a replica is known to have failed (the rest may serve),
  else **unknown**.

A crash loop with several replicas that never get to serve is *down*: a replica in a loop counts as serving only after
it has run for a minute (`replicas.SETTLE`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec

from ..model import ContainerState, ServiceState
from .replicas import Condition, Standing

_FAILING = frozenset((Condition.UNHEALTHY, Condition.PAUSED, Condition.FAILED))


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """How a replica stood when last seen, and whether its host answers."""

    standing: Standing
    reachable: bool
    fresh: bool
    """Reachable, and confirmed lately."""
    lost: datetime | None = None
    """Since when its host does not answer."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is true of a service as a whole."""

    state: ServiceState
    wanted: int | None
    running: int
    serving: int | None
    since: datetime | None = None
    """What its replicas say of when this began; None: nothing."""
    certain: bool = True
    note: str = ""
    stale: bool = False


def judge(seen: Sequence[Seen], *, wanted: int | None = None, swarm: bool = False, fresh: bool = True) -> Verdict:
    """The verdict on these replicas. `wanted` and `fresh`: what the swarm says, and whether that is current."""
    if wanted is None and not swarm:
        wanted = _wanted(seen)
    stale = not fresh or any(not one.fresh for one in seen)
    reachable = [one.standing for one in seen if one.reachable]
    unreachable = len(seen) - len(reachable)
    running = sum(1 for s in reachable if s.replica.state in (ContainerState.RUNNING, ContainerState.PAUSED))
    serving = sum(1 for s in reachable if s.condition is Condition.SERVING)
    if seen and not reachable:
        last = sum(1 for one in seen if one.standing.condition is Condition.SERVING)
        note = f"{last} of {len(seen)} served when last seen" if wanted != 0 else ""
        return Verdict(
            state=ServiceState.UNKNOWN, wanted=wanted or len(seen), running=0, serving=None, note=note, stale=True
        )
    state = _state(reachable, unreachable, serving, wanted)
    since, certain = _since(state, seen)
    return Verdict(
        state=state,
        wanted=wanted,
        running=running,
        serving=serving,
        since=since,
        certain=certain,
        note=_note(reachable, unreachable, running, wanted),
        stale=stale,
    )


def _wanted(seen: Sequence[Seen]) -> int:
    """As many as there are, unless all were stopped on purpose."""
    if all(one.standing.condition is Condition.AT_REST for one in seen):
        return 0
    return len(seen)


def _state(reachable: Sequence[Standing], unreachable: int, serving: int, wanted: int | None) -> ServiceState:
    if wanted == 0:
        return ServiceState.STOPPED
    looping = [s for s in reachable if s.looping]
    failing = [s for s in reachable if s.condition in _FAILING]
    if wanted is None:
        return ServiceState.DEGRADED if failing and serving else ServiceState.UNKNOWN
    if serving >= wanted and not any(s.condition is Condition.UNHEALTHY for s in failing):
        return ServiceState.FLAPPING if looping else ServiceState.HEALTHY
    if serving:
        return ServiceState.DEGRADED
    if unreachable:
        return ServiceState.DEGRADED if failing or looping else ServiceState.UNKNOWN
    if looping and wanted == 1:
        return ServiceState.FLAPPING
    starting = any(s.condition is Condition.STARTING and not s.looping for s in reachable)
    return ServiceState.STARTING if starting and not failing and not looping else ServiceState.DOWN


def _since(state: ServiceState, seen: Sequence[Seen]) -> tuple[datetime | None, bool]:
    """Down: since the last replica went. Degraded, flapping: since the first did, or its host was lost."""
    if state in (ServiceState.HEALTHY, ServiceState.STOPPED, ServiceState.UNKNOWN):
        return None, True
    wanting = [
        s for s in (one.standing for one in seen if one.reachable) if s.condition is not Condition.SERVING or s.looping
    ]
    if state is ServiceState.DOWN:
        wanting = [s for s in wanting if s.condition is not Condition.AT_REST] or wanting
    known = [(s.since, s.certain) for s in wanting if s.since is not None]
    lost = [one.lost for one in seen if not one.reachable and one.lost is not None]
    if state is ServiceState.DEGRADED:
        known += [(moment, False) for moment in lost]
    if not known:
        return None, False
    last = max if state in (ServiceState.DOWN, ServiceState.STARTING) else min
    since, certain = last(known)
    return since, certain and len(known) == len(wanting) and not lost


def _note(reachable: Sequence[Standing], unreachable: int, running: int, wanted: int | None) -> str:
    notes = []
    if wanted is not None and running > wanted:
        notes.append(f"running {running} of {wanted}")
    if unreachable:
        notes.append(f"{unreachable} on hosts that cannot be reached")
    conditions = Counter(s.condition for s in reachable)
    for condition in (Condition.STARTING, Condition.UNHEALTHY, Condition.PAUSED):
        if conditions[condition]:
            notes.append(f"{conditions[condition]} {condition}")
    if wanted and conditions[Condition.AT_REST]:
        notes.append(f"{conditions[Condition.AT_REST]} stopped")
    return ", ".join(notes)


# -- how long it has been so -------------------------------------------------------------------------------------------


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    """Since when a service is not well. A crash loop moves its ends on; the outage began with the first."""

    some: datetime | None = None
    """The first replica was lost."""
    none: datetime | None = None
    """None served any more."""
    certain: bool = True


def follow(outage: Outage, verdict: Verdict, now: datetime) -> Outage:
    """The outage as it goes on under a new verdict; empty when it is over."""
    state, since = verdict.state, verdict.since
    if state in (ServiceState.HEALTHY, ServiceState.STOPPED):
        return _OVER
    if state is ServiceState.UNKNOWN:
        return outage
    if state is ServiceState.STARTING and since is None and outage.some is None:
        return outage  # its first start
    begun = outage.some is not None or outage.none is not None
    found = since if since is not None else None if begun else now
    certain = verdict.certain and found is since if not begun else outage.certain
    some = _min(outage.some, found)
    none = None
    if state in (ServiceState.DOWN, ServiceState.STARTING):
        none = _min(outage.none, found or outage.some)
    elif state is ServiceState.FLAPPING:
        none = outage.none
    return Outage(some=some, none=none, certain=certain)


def began(outage: Outage, state: ServiceState) -> datetime | None:
    """What `down for` counts from in this state."""
    if state in (ServiceState.HEALTHY, ServiceState.STOPPED, ServiceState.UNKNOWN):
        return None
    if state in (ServiceState.DOWN, ServiceState.STARTING):
        return outage.none or outage.some
    return outage.some


_OVER = Outage()


def _min(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return min(one, other)
