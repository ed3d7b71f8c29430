"""How one replica stands: whether it serves, since when not, and why. Pure: a container, its place and its life in.

Whether an ended container was stopped on purpose:

- its events say `stop`: yes. They say `kill` without it, or `die` alone: no.
- without events, its restart policy tells: one that the engine always brings back (`always`, `unless-stopped`) and
  that is nevertheless at rest was stopped, unless its last start failed. (The exception, seen on 20.10: after a kill -9
  of the daemon `unless-stopped` stays down. Where that fell into a gap of the events we watched, it counts as failed.)
- exit code 0 under `no` or `on-failure`: it had finished. Any other code: it failed.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from ..cause.endings import code_words, memory_words
from ..cause.history import HOUR, LOOP_WINDOW, SETTLE, End, Life
from ..model import Container, ContainerDetail, ContainerState, Health, Replica
from .places import Place
from .since import Surroundings, ended_at, run_of, serving_since, since_of, started_at

LOOP = 3
"""This many restarts within `LOOP_WINDOW` are a crash loop."""
PATIENCE = timedelta(minutes=5)
"""Longer than this no engine that runs health checks leaves one without a first word."""
GRACE = timedelta(seconds=30)
"""How much later than configured a health check may speak."""
NEVER_CHECKED = "health never checked (Podman without systemd runs none)"
YOUNG = timedelta(seconds=60)
"""A container that was created this recently is about to be started."""


class Condition(StrEnum):
    """What a replica does, in the terms that its service's state is told from."""

    SERVING = "serving"
    STARTING = "starting"
    UNHEALTHY = "unhealthy"
    PAUSED = "paused"
    FAILED = "failed"
    AT_REST = "at rest"
    """Stopped on purpose, finished, or never started."""


class Standing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How a replica stands. Times are on our clock."""

    replica: Replica
    condition: Condition
    looping: bool = False
    """It is restarted again and again."""
    unchecked: bool = False
    """Its health check has never run, and is not waited for any longer."""
    loop_began: datetime | None = None
    """The first end in this loop, where that is known; `since` may be later: it may have served meanwhile."""
    loop_count: int = 0
    """How often it ended in this loop."""
    ran: timedelta | None = None
    """How long it ran before it last ended."""
    end: End = End.NONE
    exit_code: int | None = None
    error: str = ""
    """The engine's or the swarm's own words on why it could not be started or failed."""
    serving_since: datetime | None = None
    """Since when it serves; None: it does not, or that is not known."""
    ended: datetime | None = None
    """When it last ended, or its health check began to fail."""
    since: datetime | None = None
    """Since when it does not serve; None: it does, or that is not known."""
    certain: bool = True
    restarts: int | None = None
    """In the last hour; None: not known."""
    changes_at: datetime | None = None
    """When time alone will change this."""
    slot: str = ""
    created: datetime | None = None
    through: str = ""
    """The engine that tells of it: its own, or the manager of its swarm."""
    reachable: bool = True
    """Whether that engine answers; if not, this is how it stood when last seen."""
    source: Container | None = None
    """The container this is read from; None: it cannot be seen."""


def standing_of(container: Container, place: Place, life: Life | None, around: Surroundings) -> Standing:
    """How this container stands as a replica."""
    life = life or Life()
    looping, calm_at = _looping(container, life, around)
    silent_at = silent_from(container, life, around)
    unchecked = silent_at is not None and silent_at <= around.now
    condition = _condition(container, life, looping, around, unchecked=unchecked)
    since, certain = (None, True)
    if condition is not Condition.SERVING or looping:
        since, certain = since_of(container, life, around, looping=looping)
    end = life.loop_end if looping and life.loop_end is not End.NONE else _end(container, life)
    return Standing(
        replica=Replica(
            container=container.key,
            host=container.engine,
            name=container.name,
            number=place.number,
            state=container.state,
            health=Health.UNKNOWN if unchecked else container.health,
            serving=condition is Condition.SERVING,
            note=NEVER_CHECKED if unchecked else _note(container, condition, looping, end, life),
        ),
        condition=condition,
        looping=looping,
        unchecked=unchecked,
        loop_began=life.loop_began if looping and _loop_count(container, life) <= life.loop_count + 1 else None,
        loop_count=_loop_count(container, life) if looping else 0,
        ran=run_of(container, life),
        error=container.detail.error if container.detail is not None else "",
        serving_since=serving_since(container, life, around) if condition is Condition.SERVING else None,
        end=end,
        exit_code=_exit_code(container, life),
        ended=ended_at(container, life, around),
        since=since,
        certain=certain,
        restarts=restarts_in_hour(container, life, around),
        changes_at=earliest(
            calm_at,
            silent_at if not unchecked else None,
            _settles_at(container, life, looping, around),
            _hour_passes(life, around),
            _grows_up(container, around),
        ),
        slot=place.slot,
        created=container.created,
        through=container.engine,
        source=container,
    )


# -- what it does ------------------------------------------------------------------------------------------------------


def _condition(container: Container, life: Life, looping: bool, around: Surroundings, *, unchecked: bool) -> Condition:
    match container.state:
        case ContainerState.RUNNING:
            return _running(container, life, looping, around, unchecked=unchecked)
        case ContainerState.PAUSED:
            return Condition.PAUSED
        case ContainerState.CREATED:
            young = container.created is not None and around.now - around.ours(container.created) < YOUNG
            if container.detail is not None and container.detail.error:
                return Condition.FAILED
            return Condition.STARTING if young else Condition.AT_REST
        case ContainerState.EXITED:
            return Condition.AT_REST if at_rest(container, life) else Condition.FAILED
        case ContainerState.REMOVING:
            return Condition.AT_REST
        case _:
            return Condition.FAILED


def _running(container: Container, life: Life, looping: bool, around: Surroundings, *, unchecked: bool) -> Condition:
    if container.health is Health.UNHEALTHY:
        return Condition.UNHEALTHY
    if container.health is Health.STARTING and not unchecked:
        return Condition.STARTING
    settles = _settles_at(container, life, looping, around)
    return Condition.STARTING if settles is not None and settles > around.now else Condition.SERVING


def silent_from(container: Container, life: Life, around: Surroundings) -> datetime | None:
    """From when on a health check that still says `starting` is taken to be one that never runs; None: it is none.

    Podman leaves it to systemd to run them, and without systemd says `starting` for ever (seen on 4.3).
    """
    detail, started = container.detail, started_at(container, life, around)
    says_starting = container.health is Health.STARTING and container.state is ContainerState.RUNNING
    if not around.podman or not says_starting or detail is None or detail.health_log or started is None:
        return None
    patience = timedelta(seconds=detail.health_patience) if detail.health_patience is not None else PATIENCE
    return started + min(patience + GRACE, PATIENCE)


def at_rest(container: Container, life: Life) -> bool:
    """Whether an exited container was meant to end."""
    detail = container.detail
    if life.end is End.STOPPED:
        return True
    if life.end in (End.KILLED, End.MEMORY, End.ENGINE):
        return False
    if detail is None:  # not inspected yet: the code that a stop leaves stands for a stop
        code = life.exit_code if life.end is End.EXITED else _listed_code(container.status)
        return code in ((0,) if life.end is End.EXITED else (0, 130, 137, 143, None))
    if life.end is End.EXITED:
        return detail.restart_policy in ("", "no", "on-failure") and detail.exit_code == 0
    if detail.error:
        return False
    return detail.restart_policy in ("always", "unless-stopped") or detail.exit_code == 0


_EXITED = re.compile(r"Exited \((\d{1,3})\)")


def _listed_code(status: str) -> int | None:
    """The exit code in the list's words: `Exited (1) 2 hours ago`."""
    match = _EXITED.match(status)
    return int(match[1]) if match else None


def _looping(container: Container, life: Life, around: Surroundings) -> tuple[bool, datetime | None]:
    """Whether it is in a crash loop, and when it no longer will be if nothing more happens."""
    if container.state is ContainerState.RESTARTING:
        return True, None
    recent = [death for death in life.deaths if around.now - death < LOOP_WINDOW] if life.loop_count else []
    if len(recent) >= LOOP and container.state in (ContainerState.RUNNING, ContainerState.EXITED):
        going = container.state is ContainerState.RUNNING or not at_rest(container, life)
        return going, recent[-LOOP] + LOOP_WINDOW
    detail, started = container.detail, started_at(container, life, around)
    if detail is None or started is None or container.state is not ContainerState.RUNNING:
        return False, None
    young = around.now - started < SETTLE
    return young and _count_grew(life, detail, around) >= LOOP, started + SETTLE if young else None


def _count_grew(life: Life, detail: ContainerDetail, around: Surroundings) -> int:
    """Restarts as far as the engine's counter tells. It counts since somebody last started the container."""
    count = detail.restart_count or 0
    if life.count_first is None or around.now - life.count_first[0] < LOOP_WINDOW:
        return count
    return count - life.count_first[1]


def _settles_at(container: Container, life: Life, looping: bool, around: Surroundings) -> datetime | None:
    started = started_at(container, life, around)
    if not looping or started is None or container.state is not ContainerState.RUNNING:
        return None
    settles = started + SETTLE
    return settles if settles > around.now else None


# -- restarts ----------------------------------------------------------------------------------------------------------


def restarts_in_hour(container: Container, life: Life, around: Surroundings) -> int | None:
    """How often it came back by itself in the last hour; None where neither events nor the counter tell."""
    horizon = around.now - HOUR
    seen = life.returns.since(horizon)
    detail = container.detail
    counted: int | None = None
    if detail is not None and detail.restart_count is not None:
        begun = [m for m in (container.created, detail.started_at) if m is not None]
        if detail.restart_count == 0 or (detail.started_at and around.ours(detail.started_at) < horizon):
            counted = 0
        elif begun and around.ours(min(begun)) >= horizon:
            counted = detail.restart_count
        elif life.count_first is not None:
            watched = life.count_first[0] < horizon  # for the whole hour: then the events told of all of them
            counted = 0 if watched else max(0, detail.restart_count - life.count_first[1]) or None
    if seen or counted is not None:
        return max(seen, counted or 0)
    complete = around.events_known_since is not None and around.events_known_since <= horizon
    return 0 if complete else None


def _grows_up(container: Container, around: Surroundings) -> datetime | None:
    if container.state is not ContainerState.CREATED or container.created is None:
        return None
    grown = around.ours(container.created) + YOUNG
    return grown if grown > around.now else None


def _hour_passes(life: Life, around: Surroundings) -> datetime | None:
    horizon = around.now - HOUR
    first = life.returns.first_since(horizon)
    return first + HOUR if first is not None else None


# -- words -------------------------------------------------------------------------------------------------------------


def _end(container: Container, life: Life) -> End:
    if container.state in (ContainerState.RUNNING, ContainerState.CREATED, ContainerState.PAUSED):
        return End.NONE
    if life.end is not End.NONE:
        return life.end
    detail = container.detail
    if detail is not None and detail.ended_for_memory:
        return End.MEMORY
    return End.NONE


def _exit_code(container: Container, life: Life) -> int | None:
    if container.detail is not None and container.state not in (ContainerState.RUNNING, ContainerState.PAUSED):
        return container.detail.exit_code
    return life.exit_code


def _note(container: Container, condition: Condition, looping: bool, end: End, life: Life) -> str:
    if container.state is ContainerState.CREATED:
        error = container.detail.error if container.detail is not None else ""
        return f"could not be started: {error}" if error else "never started"
    code = code_words(_exit_code(container, life))
    if looping:
        times = _loop_count(container, life)
        return f"restarted again and again, {code}" + (f" {times} times" if times > 1 else "")
    if condition in (Condition.UNHEALTHY, Condition.PAUSED, Condition.STARTING):
        return str(condition)
    if condition is Condition.AT_REST:
        if end is End.STOPPED:
            return f"stopped by {life.by or 'someone'}"
        return "stopped" if _exit_code(container, life) else "finished"
    if condition is Condition.FAILED:
        error = container.detail.error if container.detail is not None else ""
        words = {End.KILLED: "killed by someone", End.MEMORY: memory_words(_exit_code(container, life))}.get(end, code)
        return f"{words}: {error}" if error else words
    return ""


def _loop_count(container: Container, life: Life) -> int:
    counted = container.detail.restart_count if container.detail is not None else None
    return max(life.loop_count, counted or 0)


def earliest(*moments: datetime | None) -> datetime | None:
    """The first of those that are known."""
    return min((moment for moment in moments if moment is not None), default=None)
