"""Since when a replica does not serve, or serves, as far as its engine and its events tell. Pure.

A crash loop moves the end that its engine tells of on with each round. So of a loop it is told since when the container
has not run for `SETTLE` in one go: by its events; where these do not reach back far enough, by its restart counter; and
only then by its last end, which is not certain.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from ..cause.history import SETTLE, Life
from ..model import Container, ContainerState, Health

LONGEST_PAUSE = 60.0
"""Seconds; Docker doubles the pause before each restart up to this (moby: restartmanager), Podman makes none."""
FIRST_PAUSE = 0.1
OVERHEAD = 0.5
"""Seconds a round of a loop takes beside its run and its pause."""
SLACK = 1.1
"""Not every run is as short as the last, and not every engine as quick."""


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What else a standing depends on."""

    now: datetime
    ours: Callable[[datetime], datetime]
    """The engine's time on our clock."""
    events_known_since: datetime | None = None
    """Since when this engine's events are known without a gap."""
    podman: bool = False


def since_of(container: Container, life: Life, around: Surroundings, *, looping: bool) -> tuple[datetime | None, bool]:
    """Since when it does not serve, and whether that is certain; None: not known."""
    if looping:
        return _loop_since(container, life, around)
    if container.state is ContainerState.PAUSED:
        return life.paused_at, life.paused_at is not None
    if container.health is Health.UNHEALTHY and container.state is ContainerState.RUNNING:
        return unhealthy_since(container, life, around)
    ended = container.detail.finished_at if container.detail is not None else None
    if ended is not None:
        return around.ours(ended), True
    if life.ended_at is None and container.health is Health.STARTING and container.state is ContainerState.RUNNING:
        return started_at(container, life, around), True  # its first start
    return life.ended_at, life.ended_at is not None


def _loop_since(container: Container, life: Life, around: Surroundings) -> tuple[datetime | None, bool]:
    if life.broken_since is not None and _all_told(container, life):
        return life.broken_since, True
    created = around.ours(container.created) if container.created is not None else None
    if created is not None and never_settled(container, life, around):
        return min(created, life.broken_since or created), False
    ended = container.detail.finished_at if container.detail is not None else None
    return life.broken_since or (around.ours(ended) if ended is not None else life.ended_at), False


def _all_told(container: Container, life: Life) -> bool:
    """Whether the events told of all restarts that the engine counted."""
    counted = container.detail.restart_count if container.detail is not None else None
    return counted is None or counted <= life.loop_count + 1


def never_settled(container: Container, life: Life, around: Surroundings) -> bool:
    """Whether as many restarts as the engine counted fill the whole time since it was made, with no run in between.

    Each round is a run as short as the last one, and the engine's pause.
    """
    count = container.detail.restart_count if container.detail is not None else None
    ran = run_of(container, life) or timedelta(0)
    if not count or container.created is None or ran >= SETTLE:
        return False
    rounds = count * (ran.total_seconds() + OVERHEAD) + (0.0 if around.podman else pauses(count))
    return timedelta(seconds=rounds * SLACK) + SETTLE >= around.now - around.ours(container.created)


def pauses(count: int) -> float:
    """Seconds that Docker waits altogether before so many restarts."""
    total, pause = 0.0, FIRST_PAUSE
    while count and pause < LONGEST_PAUSE:
        total, pause, count = total + pause, pause * 2, count - 1
    return total + count * LONGEST_PAUSE


def started_at(container: Container, life: Life, around: Surroundings) -> datetime | None:
    """When it last started."""
    told = container.detail.started_at if container.detail is not None else None
    known = [moment for moment in (around.ours(told) if told else None, life.started_at) if moment is not None]
    return max(known, default=None)


def ended_at(container: Container, life: Life, around: Surroundings) -> datetime | None:
    """When it last ended, or its health check began to fail."""
    if container.health is Health.UNHEALTHY and container.state is ContainerState.RUNNING:
        return unhealthy_since(container, life, around)[0]
    told = container.detail.finished_at if container.detail is not None else None
    return around.ours(told) if told is not None else life.ended_at


def serving_since(container: Container, life: Life, around: Surroundings) -> datetime | None:
    """Since when it serves, where it does."""
    started = started_at(container, life, around)
    if started is None or life.health != "healthy" or life.health_at is None:
        return started
    return max(started, life.health_at)


def run_of(container: Container, life: Life) -> timedelta | None:
    """How long it ran before it last ended."""
    detail = container.detail
    started, finished = (detail.started_at, detail.finished_at) if detail is not None else (None, None)
    if started is None or finished is None or finished < started:  # it runs again: this start is after that end
        return life.ran
    return finished - started


def unhealthy_since(container: Container, life: Life, around: Surroundings) -> tuple[datetime | None, bool]:
    """The start of the first probe that failed in the present streak, and whether that is certain.

    The engine keeps the last five probes only (moby: maxLogEntries): of a longer streak the start is known only if we
    read it earlier.
    """
    detail = container.detail
    if detail is not None and detail.failing_streak:
        streak = detail.failing_streak
        if streak <= len(detail.health_log):
            start = detail.health_log[-streak].start
            if start is not None:
                return around.ours(start), True
    if life.failing_since is not None:
        return life.failing_since, life.failing_certain
    if life.health == "unhealthy" and life.health_at is not None:
        return life.health_at, False
    if detail is not None and detail.health_log and detail.health_log[0].start is not None:
        return around.ours(detail.health_log[0].start), False
    return None, False
