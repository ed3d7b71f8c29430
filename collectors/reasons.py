"""What is the case with a replica that does not serve, in words for one and for several."""

from __future__ import annotations

from collections.abc import Sequence

from .history import End
from .model import ContainerState
from .replicas import Condition, Standing
from .scene import Scene
from .words import age, count, quoted

PROBE = 60
"""Characters told of a failing probe's output."""


def subject(number: int, total: int, *, first: bool) -> str:
    """Who it is said of: `All 3 replicas`."""
    if total == 1:
        return "Its only replica" if first else "its only replica"
    if number == total:
        return f"{'All' if first else 'all'} {total} replicas"
    return f"{number} of {total} replicas"


def reason_of(scene: Scene, standing: Standing) -> tuple[str, str]:
    """What is the case with a replica, for one and for several."""
    code = standing.exit_code
    with_code = "" if code is None else f" with code {code}"
    if standing.looping:
        run = _run(scene, standing)
        one = f" about {run} after it starts" if run else " again and again"
        many = f" about {run} after they start" if run else " again and again"
        if standing.end is End.MEMORY:
            return f"is killed for memory{one}", f"are killed for memory{many}"
        return f"exits{with_code}{one}", f"exit{with_code}{many}"
    if standing.condition is Condition.UNHEALTHY:
        said = _probe(scene, standing)
        return f"runs but its health check fails{said}", f"run but their health checks fail{said}"
    if standing.condition is Condition.STARTING:
        return "is starting", "are starting"
    if standing.condition is Condition.PAUSED:
        return "was paused by someone", "were paused by someone"
    if standing.condition is Condition.AT_REST:
        note = standing.replica.note or "stopped"
        return (f"was {note}", f"were {note}") if "stopped" in note else (note, note)
    if standing.replica.container is None:
        return f"is {standing.replica.note}", f"are {standing.replica.note}"
    return _ended(scene, standing, with_code)


def _ended(scene: Scene, standing: Standing, with_code: str) -> tuple[str, str]:
    container = scene.container(standing)
    error = container.detail.error if container is not None and container.detail is not None else ""
    said = f" ({error})" if error else ""
    if standing.end is End.KILLED:
        who = _killer(scene, standing)
        return f"was killed by {who}{said}", f"were killed by {who}{said}"
    if standing.end is End.MEMORY:
        return f"was killed for memory{said}", f"were killed for memory{said}"
    if standing.end is End.ENGINE:
        text = "stopped as its engine went away"
        return text, "stopped as their engine went away"
    if standing.end is End.EXITED:
        return f"exited{with_code} by itself{said}", f"exited{with_code} by themselves{said}"
    if container is not None and container.state is ContainerState.CREATED:
        return f"could not be started{said}", f"could not be started{said}"
    return f"exited{with_code}{said}", f"exited{with_code}{said}"


def _killer(scene: Scene, standing: Standing) -> str:
    record = scene.record(standing, "die")
    return record.actor if record is not None and record.actor else "someone"


def brief(scene: Scene, standing: Standing, number: int) -> str:
    """The same for the short story."""
    code = "" if standing.exit_code is None else f" {standing.exit_code}"
    if standing.looping:
        run = _run(scene, standing)
        verb = "killed for memory" if standing.end is End.MEMORY else f"exit{'s' if number == 1 else ''}{code}"
        return f"{verb} after {run}" if run else f"{verb} again and again"
    if standing.condition is Condition.FAILED and standing.replica.container is not None:
        words = {End.KILLED: "killed by someone", End.MEMORY: "killed for memory", End.ENGINE: "gone with its engine"}
        return words.get(standing.end, f"exited{code}")
    if standing.condition in (Condition.UNHEALTHY, Condition.STARTING, Condition.PAUSED):
        return str(standing.condition)
    return standing.replica.note or "stopped"


def _run(scene: Scene, standing: Standing) -> str:
    """How long a crash-looping replica ran before it last ended: `2 s`."""
    container = scene.container(standing)
    detail = container.detail if container is not None else None
    if detail is None or detail.started_at is None or detail.finished_at is None:
        return ""
    seconds = (detail.finished_at - detail.started_at).total_seconds()
    if seconds < 0:  # it runs again: this start is after that end
        return ""
    return f"{max(1, round(seconds))} s" if seconds < 60 else age(seconds)


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
    if any(s.looping for s in group):
        return f" ({count(times, 'time')} since {begun})" if times else f" (since {begun})"
    sure = "" if all(s.certain for s in group) else "about "
    if group[0].condition in (Condition.UNHEALTHY, Condition.STARTING):
        return f" since {sure}{begun}"
    return f" at {sure}{begun}" if len(known) == 1 else f" from {sure}{begun} on"


def record_of(scene: Scene, standing: Standing) -> int | None:
    """The record that tells of it."""
    wanted = "health_status" if standing.condition is Condition.UNHEALTHY else ""
    record = scene.record(standing, wanted)
    return record.id if record is not None else None
