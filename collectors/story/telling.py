"""What is the case with a service, in one sentence of facts in their order.

What, since when, and what happened just before. Each part says what it rests on, so that it can be opened. That one
thing came after another is said; that it came *of* it never is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from ..model import ContainerKey, LinkPhase, ServiceState
from ..services.changes import UNKNOWN, Made
from ..services.replicas import Condition, Standing
from ..words import age, count, long_age, quoted
from .reasons import gist, newest, reason_of, record_of, said_of, same_kind, short_since, since_words, subject
from .scene import Scene

JUST_BEFORE = timedelta(hours=1)
"""A change longer ago than this is not told as what came before."""
AT_ONCE = timedelta(seconds=3)
"""Events and inspects tell of one moment a little apart."""
NAMED = 3
"""Hosts told by name in one story."""
SHORT = 78
"""Columns of the short story."""


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
    said: str = ""
    """In brief what its engine, its health check or the program itself said; empty: nothing, or nothing is wrong."""


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
        said=_said(scene),
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
        what = change.what if change.what == "created" else f"last change: {change.what}"
        ago = age((scene.now - change.time).total_seconds())
        comma = "," if change.what != "created" else ""
        words = f"{what}{f' {change.detail}' if change.detail else ''}{who}{comma} {ago} ago"
        parts.append(_rests(f"; {words}", PartKind.BEFORE, made))
        short.append(words)
    if len(service.config_hashes) > 1:
        words = f"{len(service.config_hashes)} versions of its configuration among its replicas: half-applied"
        parts.append(StoryPart(text=f"; {words}", kind=PartKind.AFTER))
        short.insert(0, words)
    return parts, short


def _serving_since(scene: Scene) -> datetime | None:
    """Since when all of them serve: the latest start or recovery of a replica."""
    moments = [standing.serving_since for standing in scene.standings]
    known = [moment for moment in moments if moment is not None]
    return max(known) if known and len(known) == len(moments) else None


def _stopped(scene: Scene) -> Told:
    rests = [s for s in scene.standings if s.condition is Condition.AT_REST]
    if not rests:
        what = "nothing of it is wanted (0 replicas)"
        return [StoryPart(text=what.capitalize(), kind=PartKind.WHAT)], [what]
    parts: list[StoryPart] = []
    short: list[str] = []
    for group in _of_one_kind(rests):
        reason = reason_of(scene, group)
        who = subject(len(group), len(rests), first=not parts)
        text = f"{'; ' if parts else ''}{who} {reason.one if len(group) == 1 else reason.many}"
        record, key = record_of(scene, newest(group)), newest(group).replica.container
        since = max((s.since for s in group if s.since is not None), default=None)
        ago = f" {age((scene.now - since).total_seconds())} ago" if since is not None else ""
        parts.append(StoryPart(text=text, kind=PartKind.WHAT, record=record, container=key))
        if ago:
            parts.append(StoryPart(text=ago, kind=PartKind.SINCE, record=record, container=key))
        short.append(f"{reason.brief}{ago}")
    last = next((m for m in reversed(scene.history) if m.change.what in ("stop", "scale")), None)
    if last is not None and last.reason:
        parts.append(_rests(_reason(last), PartKind.BEFORE, last))
    return parts, short


def _of_one_kind(standings: Sequence[Standing]) -> list[list[Standing]]:
    groups: dict[Hashable, list[Standing]] = {}
    for standing in standings:
        groups.setdefault(same_kind(standing), []).append(standing)
    return sorted(groups.values(), key=len, reverse=True)


# -- trouble -----------------------------------------------------------------------------------------------------------


def _trouble(scene: Scene) -> Told:
    parts, short = _what(scene)
    hosts, hosts_short = _lost_hosts(scene)
    start = _start(scene)
    before = _before(scene, start)
    if before is not None and start is not None:
        parts.append(_rests(_before_words(before, start), PartKind.BEFORE, before))
        short.append(_before_short(before, start))
    if parts and hosts:
        hosts[0] = msgspec.structs.replace(hosts[0], text=f"; {hosts[0].text}")
    parts += hosts
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
    total = len(scene.standings)
    wanting = [s for s in scene.standings if s.condition is not Condition.SERVING or s.looping]
    parts: list[StoryPart] = []
    short: list[str] = []
    for group in _of_one_kind([s for s in wanting if s.reachable]):
        reason = reason_of(scene, group)
        who = subject(len(group), total, first=not parts)
        lead = "; " if parts else ""
        rests = newest(group)
        record, key = record_of(scene, rests), rests.replica.container
        text = f"{lead}{who} {reason.one if len(group) == 1 else reason.many}"
        parts.append(StoryPart(text=text, kind=PartKind.WHAT, record=record, container=key))
        if since := since_words(scene, group):
            parts.append(StoryPart(text=since, kind=PartKind.SINCE, record=record, container=key))
        if reason.tail:
            parts.append(StoryPart(text=reason.tail, kind=PartKind.WHAT, record=record, container=key))
        those = f"{len(group)} of {total}" if len(group) < total else count(total, "replica")
        short.append(f"{those} {reason.brief}{short_since(scene, group)}")
    missing = (scene.service.wanted or 0) - total
    if missing > 0:
        words = f"{count(missing, 'wanted replica')} {'is' if missing == 1 else 'are'} not there"
        parts.append(StoryPart(text=("; " if parts else "") + words, kind=PartKind.WHAT))
        short.append(f"{missing} of {scene.service.wanted} not there")
    return parts, short


def _said(scene: Scene) -> str:
    """Of the replicas of which most is told, else the last line of the last words."""
    wanting = [s for s in scene.standings if s.condition is not Condition.SERVING or s.looping]
    for group in _of_one_kind([s for s in wanting if s.reachable]):
        if said := said_of(scene, newest(group)):
            return said
    return quoted(gist(scene.words[-1])) if wanting and scene.words else ""


# -- before and after --------------------------------------------------------------------------------------------------


def _start(scene: Scene) -> datetime | None:
    """When the trouble began: the first replica lost."""
    return scene.outage.some or scene.service.down_since


def _before(scene: Scene, start: datetime | None) -> Made | None:
    """The last change before the trouble, or the one with which it began."""
    if start is None:
        return None
    for made in reversed(scene.history):
        if made.change.time <= start or _is_it(made, start):
            recent = start - made.change.time <= JUST_BEFORE
            told = _is_it(made, start) and made.change.what != "restart" and not made.reason
            return made if recent and not told else None
    return None


def _before_words(before: Made, start: datetime) -> str:
    if not _is_it(before, start):
        pause = start - before.change.time
        when = "right" if pause < AT_ONCE else age(pause.total_seconds())
        return f", {when} after {_deed(before)}{_reason(before)}"
    if before.change.what == "restart":
        return f", when {_deed(before)}{_reason(before)}"
    return _reason(before)


def _before_short(before: Made, start: datetime) -> str:
    if before.change.what != "created" or before.change.actor != UNKNOWN:
        return _deed(before, short=True)
    pause = start - before.change.time
    return "right after its creation" if pause < AT_ONCE else f"{age(pause.total_seconds())} after its creation"


def _after(scene: Scene, start: datetime | None) -> Made | None:
    """The last thing somebody did about it."""
    if start is None or not scene.history:
        return None
    made = scene.history[-1]
    later = made.change.time > start and not _is_it(made, start)
    return made if later and made.change.what != "created" else None


def _is_it(made: Made, start: datetime) -> bool:
    """Whether the change is the trouble itself, and told already."""
    return made.change.what in _IS_TROUBLE and abs(start - made.change.time) <= AT_ONCE


_IS_TROUBLE = ("kill", "pause", "stop", "restart")
_DEEDS = {
    "created": "created it",
    "deploy": "deployed",
    "recreate": "created it anew",
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
    if change.what == "created" and change.actor == UNKNOWN:
        return "the service was created"
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
    """The hosts that would have to tell of its replicas and do not answer; three of them by name."""
    through = Counter(s.through for s in scene.standings if not s.reachable)
    parts: list[StoryPart] = []
    short: list[str] = []
    for host, number in through.most_common(NAMED):
        status = scene.engines[host]
        error = status.link.error
        why = f" ({error.word})" if error is not None else ""
        up = status.link.phase is LinkPhase.UP
        state = "is being read again" if up else f"cannot be reached for {age(scene.monotonic - status.link.since)}"
        seen = scene.service.key.source == "swarm" and all(s.replica.host != host for s in scene.standings)
        role = ", a manager of its swarm," if seen else f", with {count(number, 'replica')},"
        lead = "; " if parts else ""
        parts.append(StoryPart(text=f"{lead}{host}{role} {state}{why}", kind=PartKind.HOST, engine=host))
        short.append(f"{host} {state}")
    if len(through) > NAMED:
        more = f"{count(len(through) - NAMED, 'more host')} cannot be reached"
        parts.append(StoryPart(text=f"; {more}", kind=PartKind.HOST))
        short = [f"{len(through)} hosts cannot be reached"]
    return parts, short


def _unknown(scene: Scene) -> Told:
    hosts, short = _lost_hosts(scene)
    if not hosts:
        why = scene.service.note or "its replicas cannot be seen"
        return [StoryPart(text=f"Not known: {why}", kind=PartKind.WHAT)], [f"not known: {why}"]
    served = sum(1 for s in scene.standings if s.condition is Condition.SERVING)
    last = f"{served} of {len(scene.standings)} served when last seen"
    parts = [
        StoryPart(text="Not known: ", kind=PartKind.WHAT),
        *hosts,
        StoryPart(text=f"; {last}", kind=PartKind.WHAT),
    ]
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
