"""Waiting for a replica to serve: healthy by its own check, or up for a while where it has none."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import NamedTuple

from ..clock import Clock
from ..errors import EngineError
from ..model import Container, ContainerState, Health
from . import phrases
from .steps import Inspector, Pace

_ENDED = (ContainerState.EXITED, ContainerState.DEAD, ContainerState.REMOVING)


class CameUp(NamedTuple):
    """Whether it serves, and how that is said."""

    well: bool
    words: str


async def comes_up(
    client: Inspector, container_id: str, *, pace: Pace, clock: Clock, stop: asyncio.Event, may_end: bool = False
) -> CameUp:
    """Wait until it serves, at most `pace.healthy` seconds.

    `may_end`: ending with code 0 is fine too (a job). A set `stop` ends the waiting. An engine that does not answer in
    between is asked again until the time is over.
    """
    begin = clock.monotonic()
    run: object = None
    since = begin
    last = "it has not been seen"
    while True:
        try:
            found = await client.inspect(container_id)
        except EngineError as error:
            last = str(error).rstrip(".")
        else:
            if found is None:
                return CameUp(False, "it is gone")
            now = clock.monotonic()
            this_run = found.detail.started_at if found.detail is not None else None
            if this_run != run or found.state is not ContainerState.RUNNING:
                run, since = this_run, now
            done = _judge(found, settled=now - since >= pace.settle, took=now - begin, may_end=may_end)
            if done is not None:
                return done
            last = _unfinished(found)
        if stop.is_set():
            return CameUp(True, "its health was not waited for")
        if clock.monotonic() - begin >= pace.healthy:
            return CameUp(False, f"after {phrases.took(pace.healthy)} {last}")
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pace.poll)


async def still_serves(client: Inspector, container_id: str) -> str:
    """Why a replica that came up serves no more, as a verb (`is unhealthy`); empty: nothing says so."""
    try:
        found = await client.inspect(container_id)
    except EngineError:
        return ""
    if found is None:
        return "is gone"
    code = found.detail.exit_code if found.detail is not None else None
    if found.state in _ENDED and code != 0:
        return f"ended with code {code if code is not None else 'unknown'}"
    if found.state is ContainerState.RESTARTING:
        return "keeps restarting"
    return "became unhealthy" if found.health is Health.UNHEALTHY else ""


def _judge(found: Container, *, settled: bool, took: float, may_end: bool) -> CameUp | None:
    if found.state in _ENDED:
        code = found.detail.exit_code if found.detail is not None else None
        if code == 0 and may_end:
            return CameUp(True, "it ran and ended with code 0")
        why = f": {found.detail.error}" if found.detail is not None and found.detail.error else ""
        return CameUp(False, f"it ended with code {code if code is not None else 'unknown'}{why}")
    if found.state is not ContainerState.RUNNING:
        return None
    if found.health is Health.HEALTHY:
        return CameUp(True, f"healthy after {phrases.took(took)}")
    if found.health in (Health.NONE, Health.UNKNOWN) and settled:
        return CameUp(True, "running")
    return None


def _unfinished(found: Container) -> str:
    if found.state is ContainerState.RESTARTING:
        count = found.detail.restart_count if found.detail is not None else None
        return "it keeps restarting" + (f" ({phrases.count(count, 'time')})" if count else "")
    if found.state is not ContainerState.RUNNING:
        return f"it is {found.state.value}"
    return "it does not stay up" if found.health in (Health.NONE, Health.UNKNOWN) else f"it is {found.health.value}"
