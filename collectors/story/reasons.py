"""What is the case with a replica that does not serve, in words for one and for several."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from ..cause.endings import killed_itself
from ..cause.history import End
from ..model import Cause, ContainerState, Record
from ..services.replicas import Condition, Standing
from ..words import age, count, quoted
from .scene import Scene

PROBE = 60
"""Characters told of a failing probe's output."""
GIST = 72
"""Characters told in brief of what an engine or a program said."""


class Reason(NamedTuple):
    """What is the case, said of one replica, of several, and in brief."""

    one: str
    many: str
    brief: str
    tail: str = ""
    """What its engine or its check said, to stand after the time."""


def same_kind(standing: Standing) -> Hashable:
    """Replicas of which the same can be said have the same kind."""
    if loops(standing):
        return ("loop", standing.exit_code, standing.end)
    if standing.replica.container is None:
        return ("task", standing.replica.note)
    if standing.condition is Condition.FAILED:
        return ("failed", standing.exit_code, standing.end, standing.replica.state)
    if standing.condition is Condition.AT_REST:
        return ("at rest", standing.replica.note)
    return standing.condition


def loops(standing: Standing) -> bool:
    """Whether it is restarted again and again, and has been at least once."""
    return standing.looping and standing.loop_count > 1


def subject(number: int, total: int, *, first: bool) -> str:
    """Who it is said of: `All 3 replicas`."""
    if total == 1:
        return "Its only replica" if first else "its only replica"
    if number == total:
        everyone = "both replicas" if total == 2 else f"all {total} replicas"
        return everyone.capitalize() if first else everyone
    return f"{number} of {total} replicas"


def reason_of(scene: Scene, group: Sequence[Standing]) -> Reason:
    """What is the case with these replicas of one kind."""
    standing = newest(group)
    if loops(standing):
        return _loop(group, standing)
    match standing.condition:
        case Condition.UNHEALTHY:
            said = _probe(scene, standing)
            return Reason("runs but its health check fails", "run but their health checks fail", "unhealthy", said)
        case Condition.STARTING:
            return Reason("is starting", "are starting", "starting")
        case Condition.PAUSED:
            who = _who(scene, standing, "pause")
            return Reason(f"was paused by {who}", f"were paused by {who}", "paused")
        case Condition.AT_REST:
            return _at_rest(standing)
    if standing.replica.container is None:
        return _task(standing)
    return _ended(scene, standing)


def newest(group: Sequence[Standing]) -> Standing:
    """Of these replicas the one whose trouble is the youngest."""
    return max(group, key=lambda s: s.ended.timestamp() if s.ended is not None else 0.0)


def _loop(group: Sequence[Standing], standing: Standing) -> Reason:
    runs = [s.ran.total_seconds() for s in group if s.ran is not None]
    from statistics import median  # takes 2 ms to load, and few ask why

    run = _seconds(median(runs)) if runs else ""
    one = f" about {run} after it starts" if run else " again and again"
    many = f" about {run} after they start" if run else " again and again"
    after = f" after {run}" if run else " again and again"
    said = f" ({standing.error})" if standing.error else ""
    if standing.end is End.MEMORY and killed_itself(standing.exit_code):
        return Reason(f"is killed for memory{one}", f"are killed for memory{many}", f"killed for memory{after}", said)
    code = _with_code(standing)
    short = "" if standing.exit_code is None else f" {standing.exit_code}"
    if standing.replica.container is None and standing.exit_code is None:
        return Reason(f"fails{one}", f"fail{many}", f"failing{after}", said)
    if standing.end is End.MEMORY:
        short = f"out of memory{after}"
        return Reason(
            f"runs out of memory and exits{code}{one}", f"run out of memory and exit{code}{many}", short, said
        )
    verb = "exits" if len(group) == 1 else "exit"
    return Reason(f"exits{code}{one}", f"exit{code}{many}", f"{verb}{short}{after}", said)


def _at_rest(standing: Standing) -> Reason:
    note = standing.replica.note or "stopped"
    if note == "finished":
        return Reason(note, note, note)
    return Reason(f"was {note}", f"were {note}", note)


def _task(standing: Standing) -> Reason:
    """Of a swarm's task that we cannot see: the manager's word."""
    note = standing.replica.note or "not there"
    if note.startswith("node "):
        where = f"on {note.replace(' is ', ', which is ', 1)}"
        return Reason(f"is {where}", f"are {where}", f"on {note.replace(' is ', ', which is ', 1)}")
    return Reason(f"is {note}", f"are {note}", note)


def _ended(scene: Scene, standing: Standing) -> Reason:
    said = f" ({standing.error})" if standing.error else ""
    code = _with_code(standing)
    short = "exited" if standing.exit_code is None else f"exited {standing.exit_code}"
    match standing.end:
        case End.KILLED:
            words = f"killed by {_who(scene, standing, 'die')}"
            return Reason(f"was {words}", f"were {words}", words, said)
        case End.MEMORY if not killed_itself(standing.exit_code):
            words = f"ran out of memory and exited{code}"
            return Reason(words, words, f"out of memory, {short}", said)
        case End.MEMORY:
            return Reason("was killed for memory", "were killed for memory", "killed for memory", said)
        case End.ENGINE:
            one, many = "ended about the time its engine was lost", "ended about the time their engine was lost"
            return Reason(one, many, "ended as its engine was lost", said)
        case End.EXITED:
            return Reason(f"exited{code} by itself", f"exited{code} by themselves", short, said)
    if standing.replica.state is ContainerState.CREATED:
        return Reason("could not be started", "could not be started", "could not be started", said)
    return Reason(f"exited{code}", f"exited{code}", short, said)


def _with_code(standing: Standing) -> str:
    return "" if standing.exit_code is None else f" with code {standing.exit_code}"


def _seconds(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 60 else age(seconds)


def _who(scene: Scene, standing: Standing, action: str) -> str:
    record = scene.record(standing, action)
    return record.actor if record is not None and record.actor else "someone"


def said_of(scene: Scene, standing: Standing) -> str:
    """In brief what its engine or its health check said."""
    if standing.condition is Condition.UNHEALTHY:
        said = _probe(scene, standing).removeprefix(": ")
        return f"health check: {said}" if said else ""
    return gist(standing.error)


def gist(text: str) -> str:
    """A message in a short line: what stands behind colons is nearer to the cause than what stands before them."""
    text = " ".join(text.split())
    while len(text) > GIST and ": " in text:
        text = text.partition(": ")[2]
    return text if len(text) <= GIST else f"{text[: GIST - 1]}…"


def _probe(scene: Scene, standing: Standing) -> str:
    container = scene.container(standing)
    log = container.detail.health_log if container is not None and container.detail is not None else ()
    output = " ".join(log[-1].output.split()) if log and log[-1].exit_code != 0 else ""
    if not output:
        return ""
    return f": {quoted(output if len(output) <= PROBE else output[: PROBE - 1] + '…')}"


def since_words(scene: Scene, group: Sequence[Standing]) -> str:
    """Since when, or when, as far as known: ` (9 times since 02:36:55)`."""
    known = [s.since for s in group if s.since is not None]
    if not known:
        return ""
    begun = scene.clock(min(known))
    times = sum(s.loop_count for s in group)
    if any(loops(s) for s in group):
        begun = scene.clock(min(s.loop_began or s.since or scene.now for s in group))
        return f" ({count(times, 'time')} since {begun})"
    sure = "" if all(s.certain for s in group) else "about "
    if group[0].condition is Condition.UNHEALTHY:
        return f" since {sure}{begun}"
    if group[0].condition is Condition.STARTING:
        return f", not serving since {sure}{begun}"
    waits = ", waiting to be restarted" if group[0].replica.state is ContainerState.RESTARTING else ""
    return (f" at {sure}{begun}" if len(known) == 1 else f" from {sure}{begun} on") + waits


def short_since(scene: Scene, group: Sequence[Standing]) -> str:
    """The same in brief: `, 9× since 02:36:55`."""
    begun = min((s.since for s in group if s.since is not None), default=None)
    if begun is None:
        return ""
    times = sum(s.loop_count for s in group) if any(loops(s) for s in group) else 0
    return f", {times}× since {scene.clock(begun)}" if times else f" since {scene.clock(begun)}"


def record_of(scene: Scene, standing: Standing) -> int | None:
    """The record that tells of it."""
    container = standing.replica.container
    if container is None:
        return None
    for record in scene.records:
        if record.object_id == container.id and _tells_of(record, standing):
            return record.id
    return None


def _tells_of(record: Record, standing: Standing) -> bool:
    if standing.condition is Condition.UNHEALTHY:
        return record.cause is Cause.UNHEALTHY
    if standing.condition is Condition.PAUSED:
        return record.action == "pause"
    return record.cause in (
        *(Cause.EXITED, Cause.OUT_OF_MEMORY, Cause.KILLED, Cause.STOPPED, Cause.RESTARTED),
        *(Cause.UNKNOWN, Cause.SWARM),
    )
