"""What somebody last changed on a service: read from when its containers were made, and from the records of deeds.

Containers of one service made with another image or another configuration than the ones before are a *deploy*; made
like them but later, a *scale*. Nothing here knows who did it, unless a record says it was us.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

import msgspec

from ..model import Attribution, Cause, ContainerKey, Record, RecordKind, ServiceChange, ServiceKey
from ..words import image_parts, short_id, short_image

BATCH = timedelta(minutes=10)
"""Containers made within this of each other were made in one go."""
TOGETHER = timedelta(minutes=5)
"""The same deed on several containers of a service, this close together, is one change."""
REPLACED = timedelta(minutes=3)
"""Old containers that end this soon after a deploy ended for it."""
KEPT = 32
UNKNOWN = "unknown"


class Birth(msgspec.Struct, frozen=True, kw_only=True):
    """A container of a service, as it was made."""

    key: ContainerKey
    created: datetime
    """On our clock."""
    image: str
    image_id: str
    config_hash: str = ""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A change, and what it rests on."""

    change: ServiceChange
    container: ContainerKey | None = None
    record: int | None = None
    before: str = ""
    """A deploy's version before, in short: `2.8.0`."""
    after: str = ""
    reason: str = ""


def creations(births: Sequence[Birth], deeds: Mapping[ContainerKey, Record], *, owned: bool) -> tuple[Made, ...]:
    """The deploys and scalings that these births tell of, oldest first.

    `deeds`: records of their making that say who it was. `owned`: an orchestrator replaces its containers by itself,
    so another one like the others is no change by somebody.
    """
    made: list[Made] = []
    last: Birth | None = None
    for birth in sorted(births, key=lambda b: (b.created, b.key)):
        record = deeds.get(birth.key)
        if last is None or not _alike(last, birth):
            made.append(_deploy(last, birth, record))
        elif birth.created - last.created > BATCH and not owned:
            made.append(_made("scale", birth, record))
        last = birth
    return tuple(made)


def _alike(one: Birth, other: Birth) -> bool:
    if one.config_hash != other.config_hash:
        return False
    if not image_parts(one.image)[0] or not image_parts(other.image)[0]:
        return one.image_id == other.image_id  # an engine shows the id once a tag has moved on
    if one.image != other.image:
        return False
    # The same tag on two hosts may be two builds; on one host it is a tag that moved.
    return one.image_id == other.image_id or one.key.engine != other.key.engine


def _deploy(before: Birth | None, birth: Birth, record: Record | None) -> Made:
    new = _version(birth)
    if before is None:
        return _made("deploy", birth, record, after=new, detail=new)
    old = _version(before)
    if old == new and before.config_hash != birth.config_hash:
        detail = f"{new} with another configuration"
        old = ""
    elif old == new:
        old, new = short_id(before.image_id), short_id(birth.image_id)
        detail = f"{image_parts(birth.image)[1] or short_image(birth.image)} built anew ({old} → {new})"
    else:
        detail = f"{new} (was {old})"
    return _made("deploy", birth, record, before=old, after=new, detail=detail)


def _made(
    what: str, birth: Birth, record: Record | None, *, before: str = "", after: str = "", detail: str = ""
) -> Made:
    own = record is not None and record.attribution is Attribution.OWN
    return Made(
        change=ServiceChange(
            what=what,
            time=birth.created,
            actor=record.actor if own and record is not None else UNKNOWN,
            detail=detail,
        ),
        container=birth.key,
        record=record.id if record is not None else None,
        before=before,
        after=after,
        reason=record.reason if record is not None else "",
    )


def _version(birth: Birth) -> str:
    """What tells this image from the one before: its tag, or its id where it has none."""
    name, tag = image_parts(birth.image)
    if not name:
        return short_id(birth.image_id)
    return tag or name


# -- deeds -------------------------------------------------------------------------------------------------------------

_BY_CAUSE = {
    Cause.RESTARTED: "restart",
    Cause.STOPPED: "stop",
    Cause.KILLED: "kill",
    Cause.REMOVED: "remove",
}
_BY_ACTION = {"start": "start", "pause": "pause", "unpause": "unpause", "update": "update"}


def deed(record: Record) -> str:
    """What kind of change by somebody a record tells of; empty: none."""
    if record.kind is not RecordKind.EVENT or record.service is None:
        return ""
    if record.object_type == "service":
        return {"scale": "scale", "deploy": "deploy", "update": "update", "create": "deploy"}.get(record.action, "")
    if record.object_type != "container" or record.cause in (Cause.SWARM, Cause.UNKNOWN):
        return ""
    if record.cause in _BY_CAUSE:
        return _BY_CAUSE[record.cause]
    if record.attribution is Attribution.DERIVED or "started from" in record.what:
        return ""  # its own end, its policy, or a birth
    return _BY_ACTION.get(record.action, "")


class Deeds:
    """The newest deeds on each service."""

    def __init__(self) -> None:
        self._by_service: dict[ServiceKey, deque[Made]] = {}

    def note(self, record: Record, at: datetime) -> ServiceKey | None:
        """Take in a record (again, where it was amended); `at` on our clock. The service that has a new change."""
        what = deed(record)
        if record.service is None:
            return None
        log = self._by_service.get(record.service)
        if log is not None:
            for index, made in enumerate(log):
                if made.record == record.id:
                    if what:
                        log[index] = _of(record, what, at)
                    else:
                        del log[index]
                    return record.service
        if not what:
            return None
        if log is None:
            log = self._by_service[record.service] = deque(maxlen=KEPT)
        log.append(_of(record, what, at))
        return record.service

    def of(self, service: ServiceKey) -> Sequence[Made]:
        """In the order in which they were told."""
        return self._by_service.get(service, ())

    def forget(self, service: ServiceKey) -> None:
        """The service is no longer there."""
        self._by_service.pop(service, None)


def _of(record: Record, what: str, at: datetime) -> Made:
    own = record.attribution is Attribution.OWN
    return Made(
        change=ServiceChange(
            what=what,
            time=at,
            actor=record.actor if own else UNKNOWN,
            detail=_detail(record),
        ),
        container=ContainerKey(record.engine, record.object_id) if record.object_type == "container" else None,
        record=record.id,
        reason=record.reason,
    )


def _detail(record: Record) -> str:
    """What was changed on a swarm's service, from the words of its record."""
    what = record.what.removesuffix(f" by {record.actor or 'someone'}")
    if record.object_type != "service":
        return ""
    if record.action == "deploy":
        old, _, new = what.removeprefix("image ").partition(" → ")
        (old_name, old_tag), (new_name, new_tag) = image_parts(old), image_parts(new)
        return f"{new_tag} (was {old_tag})" if old_name == new_name and old_tag != new_tag else f"{new} (was {old})"
    return what.removeprefix("scaled ") if record.action == "scale" else ""


def history(
    created: Sequence[Made], deeds: Sequence[Made], born: Mapping[ContainerKey, datetime] = MappingProxyType({})
) -> tuple[Made, ...]:
    """All changes of a service, oldest first. What belongs together is one; what only made room for a deploy, none.

    `born`: when the containers were made, as far as known.
    """
    result: list[Made] = []
    for made in sorted((*created, *deeds), key=lambda m: m.change.time):
        if result and _belongs(result[-1], made, born):
            continue
        if made.change.what in ("deploy", "scale") and made.container is not None:
            while result and _made_room(result[-1], made):
                result.pop()
        result.append(made)
    return tuple(result)


def _belongs(before: Made, made: Made, born: Mapping[ContainerKey, datetime]) -> bool:
    """Whether this only goes on with the change before it."""
    pause = made.change.time - before.change.time
    if before.change.what == "deploy" and made.change.what in ("stop", "remove", "kill", "start"):
        created = born.get(made.container) if made.container is not None else None
        replaced = created is None or created < before.change.time
        return replaced and pause <= REPLACED and made.change.actor in (UNKNOWN, before.change.actor)
    same = (made.change.what, made.change.actor) == (before.change.what, before.change.actor)
    return same and pause <= TOGETHER and made.change.what not in ("deploy", "scale")


def _made_room(before: Made, deploy: Made) -> bool:
    pause = deploy.change.time - before.change.time
    return before.change.what in ("stop", "remove") and pause <= timedelta(seconds=60)
