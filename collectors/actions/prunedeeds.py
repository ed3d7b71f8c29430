"""Removing one thing that nothing uses: looked at once more just before, by id, never by force.

The engine is the last to say no: it refuses to remove what is in use.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..errors import ConnectionLost, EngineError, FleetError, NotAnswering, Rejected, TimedOut
from ..model import ContainerState
from ..text import plain
from . import phrases
from .paths import image_path, segment
from .steps import Outcome, Reach, Step
from .swarmdeeds import Done

if TYPE_CHECKING:
    from .deeds import Doing
    from .writer import Writer

_LOST = (NotAnswering, TimedOut, ConnectionLost)
_ENDED = (ContainerState.EXITED, ContainerState.DEAD, ContainerState.CREATED)
GONE = "it is gone already"
AT_ONCE = 50
"""Records of the build cache in one request: its URL stays short."""


async def do_prune(step: Step, way: Reach, doing: Doing) -> Done:
    """Look whether nothing uses it still, and remove it. Raises nothing but what is a defect of ours."""
    doing.phase(step, f"looking whether {step.object_name} is still unused")
    try:
        refusal, parts = await _look(step, way)
    except FleetError as error:
        return Outcome.REFUSED, f"not begun: {str(error).rstrip('.')}"
    if refusal == GONE:
        return Outcome.SUCCESS, GONE
    if refusal:
        return Outcome.REFUSED, f"left as it is: {refusal}"
    doing.phase(step, step.words)
    try:
        await _remove(step, parts, doing.writer(step.engine))
    except _LOST as error:
        return await _after_lost_answer(step, way, str(error), doing)
    except Rejected as error:
        if error.status == 404:
            return Outcome.SUCCESS, GONE
        outcome = Outcome.REFUSED if error.status == 409 else Outcome.FAILURE
        return outcome, str(error).rstrip(".")
    except FleetError as error:
        outcome = Outcome.REFUSED if isinstance(error, EngineError) and error.transient else Outcome.FAILURE
        return outcome, str(error).rstrip(".")
    return Outcome.SUCCESS, _removed(step, parts)


def _removed(step: Step, parts: Sequence[str]) -> str:
    if step.kind != "build cache":
        return "removed"
    left = len(step.parts) - len(parts)
    more = f"; {left} left, since an image or a build has them" if left else ""
    return f"{phrases.count(len(parts), 'record')} removed{more}"


async def _look(step: Step, way: Reach) -> tuple[str, tuple[str, ...]]:
    """Why it stays, or nothing; and what of it goes: an image's tags, records of the cache. Raises EngineError."""
    match step.kind:
        case "container":
            return await _look_at_container(step, way), ()
        case "image":
            return await _look_at_image(step, way)
        case "volume":
            return await _look_at_volume(step, way), ()
        case "build cache":
            parts = await _cache_now(step, way)
            return ("" if parts else "an image or a build has all of it by now"), parts
        case _:
            raise AssertionError(step.kind)


async def _look_at_container(step: Step, way: Reach) -> str:
    found = await way.client.inspect(step.object_id)
    if found is None:
        return GONE
    return "" if found.state in _ENDED else f"it is {found.state.value} now"


async def _look_at_image(step: Step, way: Reach) -> tuple[str, tuple[str, ...]]:
    raw = await way.client.uncleaned(image_path(step.object_id))
    if raw is None:
        return GONE, ()
    named = raw.get("RepoTags") if isinstance(raw, dict) else None
    tags = tuple(sorted(tag for tag in named or () if isinstance(tag, str) and "<none>" not in tag))
    if "\n".join(tags) != step.expected:
        return f"its tags were changed meanwhile ({phrases.names(map(plain, tags)) or 'it has none now'})", ()
    # Podman 4.3 tells no image's containers by `ancestor` with an id in front of which stands sha256:.
    ancestor = step.object_id.removeprefix("sha256:")
    user = await _user(way, "ancestor", ancestor)
    return (f"{user} uses it now" if user else ""), tags


async def _look_at_volume(step: Step, way: Reach) -> str:
    raw = await way.client.uncleaned(f"/volumes/{segment(step.object_id)}")
    if raw is None:
        return GONE
    made = raw.get("CreatedAt") if isinstance(raw, dict) else None
    if step.expected and made != step.expected:
        return "it was removed and made anew meanwhile"
    user = await _user(way, "volume", step.object_id)
    return f"{user} mounts it now" if user else ""


async def _user(way: Reach, by: str, value: str) -> str:
    """A container, stopped ones included, that the engine finds by this filter; empty: none."""
    query = f"all=1&filters={quote(json.dumps({by: [value]}))}"
    found = await way.client.uncleaned("/containers/json", query)
    for row in found if isinstance(found, list) else ():
        names = row.get("Names") if isinstance(row, dict) else None
        return plain(str(names[0])).removeprefix("/") if isinstance(names, list) and names else "a container"
    return ""


async def _cache_now(step: Step, way: Reach) -> tuple[str, ...]:
    """Of the records that a person was shown those that neither a build nor an image has now."""
    raw = await way.client.uncleaned("/system/df", "type=build-cache")
    rows = raw.get("BuildCache") if isinstance(raw, dict) else None
    free = {
        row.get("ID")
        for row in rows or ()
        if isinstance(row, dict) and row.get("InUse") is False and row.get("Shared") is False
    }
    return tuple(part for part in step.parts if part in free)


async def _remove(step: Step, parts: Sequence[str], writer: Writer) -> None:
    match step.kind:
        case "container":
            await writer.remove(step.object_id)
        case "image":
            # An image with several names is not removed by its id; by it goes what has one or none.
            for tag in parts[1:]:
                await writer.remove_image(tag)
            await writer.remove_image(step.object_id)
        case "volume":
            await writer.remove_volume(step.object_id)
        case _:
            for begin in range(0, len(parts), AT_ONCE):
                await writer.prune_cache(parts[begin : begin + AT_ONCE])


async def _after_lost_answer(step: Step, way: Reach, lost: str, doing: Doing) -> Done:
    """Until it is gone, or the time for that is over: the engine may still be at it. Nothing is sent again."""
    begin = doing.clock.monotonic()
    while True:
        with suppress(EngineError):
            refusal, _ = await _look(step, way)
            if refusal == GONE:
                return Outcome.SUCCESS, "lost the answer; it is gone: done"
        if doing.clock.monotonic() - begin >= doing.pace.found:
            break
        await asyncio.sleep(doing.pace.poll)
    return Outcome.UNKNOWN, f"{lost.rstrip('.')}; what became of it is not known: look when it answers again"
