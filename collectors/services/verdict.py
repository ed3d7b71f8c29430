"""The state of a service from how its replicas stand. Pure.

Only what a host that answers says counts as serving. A replica whose host does not answer *may* serve if it did when
last seen; if it did not, it is taken not to serve. So, with `n` wanted and `m` serving for certain:

- no host of it answers: **unknown**, whatever was seen last;
- `m` = `n`: **healthy**, or **flapping** where one of them restarts again and again and has only now come up;
- 0 < `m` < `n`: **degraded**, also where the others are merely on hosts that cannot be reached: not all wanted replicas
  are known to serve. `note` says how many are unknown;
- `m` = 0 and some replica may serve: **degraded** where another is known to have failed, else **unknown**;
- `m` = 0 and none may serve: **starting** if some are on their way and none failed; **flapping** for the only replica
  of a service in a crash loop; else **down**.

A crash loop with several replicas that never get to serve is *down*: a replica in a loop counts as serving only after
it has run for a minute (`history.SETTLE`).

The **outage** goes on as long as no replica has served since: through attempts to start, and through changes between
down, flapping and degraded. What a replica tells of its own trouble counts more than what it seemed to be for a moment:
a service that looked healthy (its crash loop was not known yet) was never well if its replicas' trouble is older.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec

from ..model import ContainerState, ServiceState
from .replicas import NEVER_CHECKED, Condition, Standing

_RUNNING = (ContainerState.RUNNING, ContainerState.PAUSED)
_FAILING = frozenset((Condition.UNHEALTHY, Condition.PAUSED, Condition.FAILED))


class Seen(msgspec.Struct, frozen=True, kw_only=True, gc=False):
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
    """When the first replica was lost, by what they say; None: they do not."""
    none_since: datetime | None = None
    """When the last one was."""
    certain: bool = True
    note: str = ""
    stale: bool = False


def judge(seen: Sequence[Seen], *, wanted: int | None = None, swarm: bool = False, fresh: bool = True) -> Verdict:
    """The verdict on these replicas. `wanted` and `fresh`: what the swarm says, and whether that is current."""
    if wanted is None and not swarm:
        wanted = _wanted(seen)
    stale = not fresh or not all(one.fresh for one in seen)
    reachable = [one.standing for one in seen if one.reachable]
    lost = [one.standing for one in seen if not one.reachable]
    may_serve = any(s.condition is Condition.SERVING for s in lost)
    unreachable = len(seen) - len(reachable)
    running = len([s for s in reachable if s.replica.state in _RUNNING])
    serving = len([s for s in reachable if s.condition is Condition.SERVING])
    if seen and not reachable:
        last = sum(1 for one in seen if one.standing.condition is Condition.SERVING)
        note = f"{last} of {len(seen)} served when last seen" if wanted != 0 else ""
        return Verdict(
            state=ServiceState.UNKNOWN, wanted=wanted or len(seen), running=0, serving=None, note=note, stale=True
        )
    known = reachable + [s for s in lost if s.condition is not Condition.SERVING]
    state = _state(known, serving, wanted, may_serve=may_serve)
    since, none_since, certain = _since(state, seen)
    return Verdict(
        state=state,
        wanted=wanted,
        running=running,
        serving=serving,
        since=since,
        none_since=none_since,
        certain=certain,
        note=_note(reachable, unreachable, running, wanted),
        stale=stale,
    )


def _wanted(seen: Sequence[Seen]) -> int:
    """As many as there are, unless all were stopped on purpose."""
    if all(one.standing.condition is Condition.AT_REST for one in seen):
        return 0
    return len(seen)


def _state(known: Sequence[Standing], serving: int, wanted: int | None, *, may_serve: bool) -> ServiceState:
    """`known`: all but those that may serve; `serving` of them do."""
    if wanted == 0:
        return ServiceState.STOPPED
    looping = [s for s in known if s.looping]
    failing = [s for s in known if s.condition in _FAILING]
    if wanted is None:
        return ServiceState.DEGRADED if failing and serving else ServiceState.UNKNOWN
    if serving >= wanted and not any(s.condition is Condition.UNHEALTHY for s in failing):
        return ServiceState.FLAPPING if looping else ServiceState.HEALTHY
    if serving:
        return ServiceState.DEGRADED
    if may_serve:
        return ServiceState.DEGRADED if failing or looping else ServiceState.UNKNOWN
    if looping and wanted == 1:
        return ServiceState.FLAPPING
    starting = any(s.condition is Condition.STARTING and not s.looping for s in known)
    return ServiceState.STARTING if starting and not failing and not looping else ServiceState.DOWN


def _since(state: ServiceState, seen: Sequence[Seen]) -> tuple[datetime | None, datetime | None, bool]:
    """When the first of those that do not serve was lost, when the last, and whether that is certain."""
    if state in (ServiceState.HEALTHY, ServiceState.STOPPED, ServiceState.UNKNOWN):
        return None, None, True
    wanting = [
        one.standing
        for one in seen
        if one.standing.condition is not Condition.SERVING or (one.reachable and one.standing.looping)
    ]
    if state is ServiceState.DOWN:
        wanting = [s for s in wanting if s.condition is not Condition.AT_REST] or wanting
    known = [(s.since, s.certain) for s in wanting if s.since is not None]
    lost = [one for one in seen if not one.reachable]
    begun = known + [(one.lost, False) for one in lost if one.standing.condition is Condition.SERVING and one.lost]
    if not begun:
        return None, None, False
    moment = max if state in (ServiceState.DOWN, ServiceState.STARTING) else min
    certain = moment(begun)[1] and len(known) == len(wanting) and not lost
    return min(begun)[0], max(known)[0] if known else None, certain


def _note(reachable: Sequence[Standing], unreachable: int, running: int, wanted: int | None) -> str:
    notes = []
    if wanted is not None and running > wanted:
        notes.append(f"running {running} of {wanted}")
    if unreachable:
        notes.append(f"{unreachable} on hosts that cannot be reached")
    conditions = Counter([s.condition for s in reachable if not s.looping])
    for condition in (Condition.STARTING, Condition.UNHEALTHY, Condition.PAUSED):
        if conditions[condition]:
            notes.append(f"{conditions[condition]} {condition}")
    if wanted and conditions[Condition.AT_REST]:
        notes.append(f"{conditions[Condition.AT_REST]} stopped")
    if unchecked := len([s for s in reachable if s.unchecked]):
        whose = "health" if unchecked == wanted else f"health of {unchecked}"
        notes.append(NEVER_CHECKED.replace("health", whose, 1))
    return ", ".join(notes)


# -- how long it has been so -------------------------------------------------------------------------------------------


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    """Since when a service is not well. A crash loop moves its ends on; the outage began with the first."""

    some: datetime | None = None
    """The first replica was lost."""
    some_over: datetime | None = None
    """All seemed well again."""
    none: datetime | None = None
    """None served any more."""
    none_over: datetime | None = None
    """Some seemed to serve again."""
    certain: bool = True


def follow(outage: Outage, verdict: Verdict, now: datetime) -> Outage:
    """The outage as it goes on under a new verdict; empty when it is over for good."""
    state = verdict.state
    if state is ServiceState.STOPPED:
        return _OVER
    if state is ServiceState.UNKNOWN:
        return outage
    if state is ServiceState.HEALTHY:
        return _seems_over(outage, now)
    before = _goes_on(outage.some, outage.some_over, verdict.since)
    if state is ServiceState.STARTING and verdict.since is None and before is None:
        return outage  # its first start
    found = verdict.since if verdict.since is not None else now if before is None else None
    some = _min(before, found)
    told = verdict.since is not None and (before is None or verdict.since <= before)
    certain = verdict.certain if told else before is not None and outage.certain
    if verdict.serving:
        over = (outage.none_over or now) if outage.none is not None else None
        return Outage(some=some, none=outage.none, none_over=over, certain=certain)
    none = _goes_on(outage.none, outage.none_over, verdict.none_since)
    return Outage(some=some, none=_min(none, verdict.none_since or (some if none is None else None)), certain=certain)


def _seems_over(outage: Outage, now: datetime) -> Outage:
    if outage.some is None:
        return _OVER
    over: Outage = msgspec.structs.replace(
        outage,
        some_over=outage.some_over or now,
        none_over=(outage.none_over or now) if outage.none is not None else None,
    )
    return over


def _goes_on(begun: datetime | None, over: datetime | None, told: datetime | None) -> datetime | None:
    """When an outage that seemed over began, if its replicas say that their trouble is older than that."""
    return begun if over is None or (told is not None and told <= over) else None


def began(outage: Outage, state: ServiceState) -> datetime | None:
    """What `down for` counts from in this state."""
    if state in (ServiceState.HEALTHY, ServiceState.STOPPED, ServiceState.UNKNOWN):
        return None
    return outage.none if outage.none is not None and outage.none_over is None else outage.some


_OVER = Outage()


def _min(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return min(one, other)
