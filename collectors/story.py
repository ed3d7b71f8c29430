"""What is the case with a service, in one sentence of facts in their order.

What, since when, and what happened just before. Each part says what it rests on, so that it can be opened. That one
thing came after another is said; that it came *of* it never is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

import msgspec

from .changes import UNKNOWN, Made
from .history import End
from .model import (
    Container,
    ContainerKey,
    ContainerState,
    EngineStatus,
    LinkPhase,
    Record,
    RecordKind,
    Service,
    ServiceState,
)
from .replicas import Condition, Standing
from .verdict import Outage
from .words import age, clock_time, count, listed, long_age, quoted

JUST_BEFORE = timedelta(hours=1)
"""A change longer ago than this is not told as what came before."""
SHORT = 78
"""Columns of the short story."""
PROBE = 60
"""Characters told of a failing probe's output."""


class PartKind(StrEnum):
    """What a part of a story tells."""

    WHAT = "what"
    SINCE = "since"
    BEFORE = "before"
    HOST = "host"
    AFTER = "after"


class StoryPart(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of the sentence, and what it rests on: a record, a container, an engine, or nothing to open."""

    text: str
    kind: PartKind
    record: int | None = None
    container: ContainerKey | None = None
    engine: str = ""


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence; the texts of its `parts` put together are the sentence."""

    sentence: str
    short: str
    """The same in at most 78 characters, with the service's name in front."""
    parts: tuple[StoryPart, ...]
    last_words: tuple[str, ...] = ()
    words_of: ContainerKey | None = None
    """The replica whose last words these are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All that a story is told from."""

    service: Service
    standings: Sequence[Standing]
    outage: Outage
    history: Sequence[Made]
    records: Sequence[Record]
    """Of the service, newest first."""
    containers: Mapping[ContainerKey, Container]
    engines: Mapping[str, EngineStatus]
    words: tuple[str, ...]
    speaker: ContainerKey | None
    now: datetime
    monotonic: float
    ours: Callable[[str, datetime], datetime]
    zone: tzinfo | None

    def clock(self, moment: datetime) -> str:
        """A moment in the reader's time."""
        return clock_time(moment, self.now, self.zone)

    def reachable(self, host: str) -> bool:
        """Whether a host answers; a host that is not watched is the swarm's word, and taken for it."""
        status = self.engines.get(host)
        return status is None or status.link.phase is LinkPhase.UP


def tell(scene: Scene) -> Story:
    """The story of a service as it is now."""
    teller = _TELLERS[scene.service.state]
    parts, short = teller(scene)
    return Story(
        sentence="".join(part.text for part in parts) + ".",
        short=_fit(f"{scene.service.name}: ", short),
        parts=tuple(parts),
        last_words=scene.words,
        words_of=scene.speaker,
    )


Told = tuple[list[StoryPart], list[str]]


# -- calm --------------------------------------------------------------------------------------------------------------


def _healthy(scene: Scene) -> Told:
    service = scene.service
    what = f"{service.serving} of {service.wanted} healthy"
    since = _serving_since(scene)
    parts = [StoryPart(text=what, kind=PartKind.WHAT)]
    short = [what]
    if since is not None:
        words = f" for {long_age((scene.now - since).total_seconds())}"
        parts.append(StoryPart(text=words, kind=PartKind.SINCE))
        short[0] += words
    if (change := service.last_change) is not None:
        made = scene.history[-1] if scene.history else None
        who = f" by {change.actor}" if change.actor != UNKNOWN else ""
        words = f"last change: {change.what}{f' {change.detail}' if change.detail else ''}{who}"
        ago = age((scene.now - change.time).total_seconds())
        parts.append(_rests(f"; {words}, {ago} ago", PartKind.BEFORE, made))
        short.append(f"{words}, {ago} ago")
    if service.note:
        parts.append(StoryPart(text=f"; {service.note}", kind=PartKind.WHAT))
    return parts, short


def _serving_since(scene: Scene) -> datetime | None:
    """Since when all of them serve: the latest start or recovery of a replica."""
    moments: list[datetime] = []
    for standing in scene.standings:
        container = scene.containers.get(standing.replica.container) if standing.replica.container else None
        if container is None or container.detail is None or container.detail.started_at is None:
            return None
        moments.append(scene.ours(container.engine, container.detail.started_at))
    for record in scene.records:
        if record.action == "health_status" and record.what.endswith("again"):
            moments.append(scene.ours(record.engine, record.time))
            break
    return max(moments, default=None)


def _stopped(scene: Scene) -> Told:
    rests = [s for s in scene.standings if s.condition is Condition.AT_REST]
    if not rests:
        what = "Nothing of it is wanted (0 replicas)"
    else:
        who = "its only replica" if len(rests) == 1 else f"all {len(rests)} replicas"
        words = {s.replica.note for s in rests}
        one = words.pop() if len(words) == 1 else "stopped"
        what = f"Stopped: {who} {'was' if len(rests) == 1 else 'were'} {one}" if "stopped" in one else f"{who} {one}"
        what = what[0].upper() + what[1:]
    parts = [StoryPart(text=what, kind=PartKind.WHAT)]
    short = [what[0].lower() + what[1:]]
    since = max((s.since for s in rests if s.since is not None), default=None)
    if since is not None:
        ago = f" {age((scene.now - since).total_seconds())} ago"
        parts.append(StoryPart(text=ago, kind=PartKind.SINCE))
        short[0] += ago
    last = next((m for m in reversed(scene.history) if m.change.what in ("stop", "scale", "remove")), None)
    if last is not None and last.change.actor != UNKNOWN:
        parts.append(_rests(f", by {last.change.actor}{_reason(last)}", PartKind.BEFORE, last))
        short.append(f"by {last.change.actor}")
    return parts, short


# -- trouble -----------------------------------------------------------------------------------------------------------


def _trouble(scene: Scene) -> Told:
    parts, short = _what(scene)
    hosts, hosts_short = _lost_hosts(scene)
    start = _start(scene)
    before = _before(scene, start)
    if before is not None and start is not None:
        lag = age((start - before.change.time).total_seconds())
        parts.append(_rests(f", {lag} after {_deed(before)}{_reason(before)}", PartKind.BEFORE, before))
        short.append(_deed(before, short=True))
    parts += [StoryPart(text=f"; {p.text}", kind=p.kind, engine=p.engine) if parts else p for p in hosts]
    short += hosts_short
    after = _after(scene, start)
    if after is not None:
        ago = age((scene.now - after.change.time).total_seconds())
        parts.append(_rests(f"; {_deed(after)} {ago} ago{_reason(after)}", PartKind.AFTER, after))
        short.append(f"{_deed(after, short=True)} {ago} ago")
    if not parts:
        parts = [StoryPart(text=f"{str(scene.service.state).capitalize()}", kind=PartKind.WHAT)]
        if scene.service.note:
            parts.append(StoryPart(text=f": {scene.service.note}", kind=PartKind.WHAT))
        short = [scene.service.note or str(scene.service.state)]
    return parts, short


def _what(scene: Scene) -> Told:
    """What is the case with the replicas that do not serve, those of one kind together."""
    groups: dict[tuple[str, str], list[Standing]] = {}
    total = len(scene.standings)
    for standing in scene.standings:
        if not scene.reachable(standing.replica.host):
            continue
        if standing.condition is Condition.SERVING and not standing.looping:
            continue
        one, many = _reason_of(scene, standing)
        groups.setdefault((one, many), []).append(standing)
    parts: list[StoryPart] = []
    short: list[str] = []
    for (one, many), group in sorted(groups.items(), key=lambda item: -len(item[1])):
        subject = _subject(len(group), total, first=not parts)
        text = f"{subject} {one if len(group) == 1 else many}"
        newest = max(group, key=lambda s: s.since.timestamp() if s.since else 0.0)
        record = _record_of(scene, newest)
        lead = "; " if parts else ""
        key = newest.replica.container
        parts.append(StoryPart(text=lead + text, kind=PartKind.WHAT, record=record, container=key))
        brief = f"{len(group)} of {total}" if len(group) < total else count(total, "replica")
        words = f"{brief} {_brief(scene, newest, len(group))}"
        since = _since_words(scene, group)
        if since:
            parts.append(StoryPart(text=since, kind=PartKind.SINCE, record=record, container=key))
        begun = min((s.since for s in group if s.since is not None), default=None)
        if begun is not None:
            times = sum(s.loop_count for s in group)
            words += f", {times}× since {scene.clock(begun)}" if times else f" since {scene.clock(begun)}"
        short.append(words)
    missing = (scene.service.wanted or 0) - total
    if missing > 0:
        words = f"{count(missing, 'wanted replica')} {'is' if missing == 1 else 'are'} not there"
        parts.append(StoryPart(text=("; " if parts else "") + words, kind=PartKind.WHAT))
        short.append(f"{missing} of {scene.service.wanted} not there")
    return parts, short


def _subject(number: int, total: int, *, first: bool) -> str:
    if total == 1:
        return "Its only replica" if first else "its only replica"
    if number == total:
        return f"{'All' if first else 'all'} {total} replicas"
    return f"{number} of {total} replicas"


def _reason_of(scene: Scene, standing: Standing) -> tuple[str, str]:
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
    key = standing.replica.container
    container = scene.containers.get(key) if key is not None else None
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
    record = scene_record(scene, standing, "die")
    return record.actor if record is not None and record.actor else "someone"


def _brief(scene: Scene, standing: Standing, number: int) -> str:
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
    key = standing.replica.container
    container = scene.containers.get(key) if key is not None else None
    detail = container.detail if container is not None else None
    if detail is None or detail.started_at is None or detail.finished_at is None:
        return ""
    seconds = (detail.finished_at - detail.started_at).total_seconds()
    if seconds < 0:  # it runs again: this start is after that end
        return ""
    return f"{max(1, round(seconds))} s" if seconds < 60 else age(seconds)


def _probe(scene: Scene, standing: Standing) -> str:
    key = standing.replica.container
    container = scene.containers.get(key) if key is not None else None
    log = container.detail.health_log if container is not None and container.detail is not None else ()
    output = " ".join(log[-1].output.split()) if log and log[-1].exit_code != 0 else ""
    if not output:
        return ""
    return f": {quoted(output if len(output) <= PROBE else output[: PROBE - 1] + '…')}"


def _since_words(scene: Scene, group: Sequence[Standing]) -> str:
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


def _record_of(scene: Scene, standing: Standing) -> int | None:
    wanted = "health_status" if standing.condition is Condition.UNHEALTHY else ""
    record = scene_record(scene, standing, wanted)
    return record.id if record is not None else None


def scene_record(scene: Scene, standing: Standing, action: str = "") -> Record | None:
    """The newest record of a replica's container, of this action where one is given."""
    key = standing.replica.container
    if key is None:
        return None
    for record in scene.records:
        if record.object_id == key.id and record.kind is RecordKind.EVENT and (not action or record.action == action):
            return record
    return None


# -- before and after --------------------------------------------------------------------------------------------------


def _start(scene: Scene) -> datetime | None:
    """When the trouble began: the first replica lost."""
    return scene.outage.some or scene.service.down_since


def _before(scene: Scene, start: datetime | None) -> Made | None:
    """The last change before the trouble."""
    if start is None:
        return None
    for made in reversed(scene.history):
        if made.change.time <= start:
            return made if start - made.change.time <= JUST_BEFORE and not _is_it(made, start) else None
    return None


def _after(scene: Scene, start: datetime | None) -> Made | None:
    """The last thing somebody did about it."""
    if start is None or not scene.history:
        return None
    made = scene.history[-1]
    return made if made.change.time > start and not _is_it(made, start) else None


def _is_it(made: Made, start: datetime) -> bool:
    """Whether the change is the trouble itself, and told already."""
    return made.change.what in ("kill", "pause", "stop") and abs(start - made.change.time) <= timedelta(seconds=15)


_DEEDS = {
    "deploy": "deployed",
    "restart": "restarted it",
    "stop": "stopped it",
    "start": "started it",
    "scale": "scaled it",
    "update": "changed it",
    "kill": "killed it",
    "remove": "removed a replica",
    "pause": "paused it",
    "unpause": "resumed it",
}


def _deed(made: Made, *, short: bool = False) -> str:
    change = made.change
    who = "someone" if change.actor == UNKNOWN else change.actor
    verb = _DEEDS.get(change.what, change.what)
    if change.what != "deploy":
        return f"{who} {verb}"
    detail = made.after if short and made.after else change.detail or made.after or "a new version"
    return f"{who} {verb} {detail}"


def _reason(made: Made) -> str:
    return f": {quoted(made.reason)}" if made.reason else ""


def _rests(text: str, kind: PartKind, made: Made | None) -> StoryPart:
    if made is None:
        return StoryPart(text=text, kind=kind)
    return StoryPart(text=text, kind=kind, record=made.record, container=made.container)


# -- hosts -------------------------------------------------------------------------------------------------------------


def _lost_hosts(scene: Scene) -> Told:
    parts: list[StoryPart] = []
    short: list[str] = []
    for host in dict.fromkeys(s.replica.host for s in scene.standings):
        if scene.reachable(host):
            continue
        status = scene.engines[host]
        number = sum(1 for s in scene.standings if s.replica.host == host)
        error = status.link.error
        why = f" ({error.word})" if error is not None else ""
        ago = age(scene.monotonic - status.link.since)
        text = f"{host}, with {count(number, 'replica')}, cannot be reached for {ago}{why}"
        parts.append(StoryPart(text=text, kind=PartKind.HOST, engine=host))
        short.append(f"{host} cannot be reached for {ago}")
    return parts, short


def _unknown(scene: Scene) -> Told:
    hosts, short = _lost_hosts(scene)
    if not hosts:
        return _trouble(scene)
    names = [p.engine for p in hosts]
    parts = [StoryPart(text="Not known", kind=PartKind.WHAT)]
    if len(names) > 3:
        parts.append(StoryPart(text=f": {listed(names)} cannot be reached", kind=PartKind.HOST, engine=names[0]))
        short = [f"{len(names)} hosts cannot be reached"]
    else:
        for index, part in enumerate(hosts):
            parts.append(
                StoryPart(text=f"{': ' if index == 0 else '; '}{part.text}", kind=PartKind.HOST, engine=part.engine)
            )
    served = sum(1 for s in scene.standings if s.condition is Condition.SERVING)
    last = f"{served} of {len(scene.standings)} served when last seen"
    parts.append(StoryPart(text=f"; {last}", kind=PartKind.WHAT))
    return parts, [*short, last]


def _fit(head: str, pieces: Sequence[str]) -> str:
    """As many whole pieces as fit, the first one at least in part."""
    text = head
    for index, piece in enumerate(pieces):
        longer = f"{text}{'; ' if index else ''}{piece}"
        if len(longer) > SHORT:
            return text if index else longer[: SHORT - 1] + "…"
        text = longer
    return text


_TELLERS: Mapping[ServiceState, Callable[[Scene], Told]] = {
    ServiceState.HEALTHY: _healthy,
    ServiceState.STOPPED: _stopped,
    ServiceState.UNKNOWN: _unknown,
    ServiceState.STARTING: _trouble,
    ServiceState.DOWN: _trouble,
    ServiceState.DEGRADED: _trouble,
    ServiceState.FLAPPING: _trouble,
}
