"""What somebody last changed on a service: read from when its containers were made, and from the records of deeds.

The first containers of a service that are known are its *creation*, whatever they are made from. Ones made later with
another image or another configuration than the ones before are a *deploy*; made like them, a *scale*, or where the same
replica was made before, a *recreation*. Nothing here knows who did it, unless a record says it was us.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from ..model import Attribution, Cause, ContainerKey, Record, RecordKind, ServiceChange, ServiceKey
from ..words import familiar_image, image_parts, short_id, short_image, version_words

BATCH = timedelta(minutes=10)
"""Containers made within this of each other were made in one go."""
FIRST = timedelta(minutes=2)
"""Replicas made this soon after the first of all belong to the service's creation, also where they differ."""
TOGETHER = timedelta(minutes=5)
"""The same deed on several containers of a service, this close together, is one change."""
REPLACED = timedelta(minutes=3)
"""Old containers that end this soon after a deploy ended for it."""
KEPT = 32
UNKNOWN = "unknown"


class Birth(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A container of a service, as it was made."""

    key: ContainerKey
    created: datetime
    """On our clock."""
    image: str
    image_id: str
    config_hash: str = ""
    certain: bool = True
    """False: only its end was seen, and `created` is some time before that."""
    slot: str = ""
    """As `Place.slot`: births of one slot are attempts at the same replica; empty: each is its own."""
    name: str = ""
    labels: Mapping[str, str] = {}


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A change, and what it rests on."""

    change: ServiceChange
    container: ContainerKey | None = None
    record: int | None = None
    before: str = ""
    """A deploy's version before, in short: `2.8.0`, `web:1`."""
    after: str = ""
    reason: str = ""


def creations(births: Sequence[Birth], deeds: Mapping[ContainerKey, Record], *, owned: bool) -> tuple[Made, ...]:
    """What these births tell of, oldest first: the creation, deploys, scalings, recreations.

    `deeds`: records of their making that say who it was. `owned`: an orchestrator replaces its containers by itself,
    so another one like the others is no change by somebody.
    """
    made: list[Made] = []
    first: Birth | None = None
    last: Birth | None = None
    in_slot: dict[str, Birth] = {}
    for birth in sorted(births, key=lambda b: (b.created, b.key)):
        record, before = deeds.get(birth.key), in_slot.get(birth.slot)
        if first is None or last is None:
            first = birth
            if birth.certain:
                made.append(_made("created", birth, record))
        elif before is None and birth.created - first.created <= FIRST:
            pass  # another replica of the same creation
        elif (old := _differing(last, before, birth)) is not None:
            made.append(_deploy(old, birth, record))
        elif birth.created - last.created > BATCH and not owned:
            made.append(_made("scale" if before is None else "recreate", birth, record))
        last = birth
        if birth.slot:
            in_slot[birth.slot] = birth
    return tuple(made)


def _differing(last: Birth, before: Birth | None, birth: Birth) -> Birth | None:
    """The birth that this one is another version than; None: it is no deploy, or goes on with the one before.

    `before` is the same replica as it was. While a deploy goes from replica to replica, each differs from what it was
    but not from the `last`.
    """
    if before is None:
        return None if alike(last, birth) else last
    if alike(before, birth):
        return None
    goes_on = alike(last, birth) and birth.created - last.created <= BATCH
    return None if goes_on else before


def alike(one: Birth, other: Birth) -> bool:
    """Whether two containers are made from the same, as far as is known."""
    if one.config_hash != other.config_hash:
        return False
    if not image_parts(one.image)[0] or not image_parts(other.image)[0]:
        return one.image_id == other.image_id  # an engine shows the id once a tag has moved on
    if familiar_image(one.image) != familiar_image(other.image):
        return False
    if not one.image_id or not other.image_id:
        return True  # an event names no image's id
    # The same tag on two hosts may be two builds; on one host it is a tag that moved.
    return one.image_id == other.image_id or one.key.engine != other.key.engine


def _deploy(before: Birth, birth: Birth, record: Record | None) -> Made:
    old, new = _version(before), _version(birth)
    if old == new and before.config_hash != birth.config_hash:
        return _made("deploy", birth, record, after=new, detail=f"{new} with another configuration")
    if old == new:
        old_id, new_id = short_id(before.image_id), short_id(birth.image_id)
        detail = f"{new} built anew ({old_id} → {new_id})"
        return _made("deploy", birth, record, before=old_id, after=new_id, detail=detail)
    return _made("deploy", birth, record, before=old, after=new, detail=_from_to(before.image, birth.image, old, new))


def _from_to(old_image: str, new_image: str, old: str, new: str) -> str:
    """`2.8.1 (was 2.8.0)`, `web:2 (was 1)`, `web:2 (was shop:2)`."""
    (old_name, old_tag), (new_name, _) = image_parts(old_image), image_parts(new_image)
    if old_name != new_name:
        return f"{short_image(new_image) if new_name else new} (was {short_image(old_image) if old_name else old})"
    return f"{new} (was {old_tag or old})"


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
    """What tells this image from the one before: its tag, or its id where it has no name."""
    return version_words(familiar_image(birth.image)) if image_parts(birth.image)[0] else short_id(birth.image_id)


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
        if record.cause is Cause.SWARM:
            return ""
        return {
            "scale": "scale",
            "deploy": "deploy",
            "update": "update",
            "create": "created",
            "rollback": "rollback",
        }.get(record.action, "")
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
        self._by_service: dict[ServiceKey, list[Made]] = {}

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
            log = self._by_service[record.service] = []
        log.append(_of(record, what, at))
        del log[:-KEPT]
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
    what = record.what.partition(" by ")[0]
    if record.object_type != "service":
        return ""
    if record.action == "deploy":
        old, _, new = what.removeprefix("image ").partition(" → ")
        return _from_to(old, new, version_words(old), version_words(new))
    return what.removeprefix("scaled ") if record.action == "scale" else ""


_MAKING = frozenset(("created", "deploy", "scale", "recreate"))
"""Changes that are told by the containers they made."""


_REPLACING = frozenset(("stop", "remove", "kill", "start"))
"""Changes that may only make room for what was made, or begin it."""


Born = Callable[[ContainerKey], datetime | None]
"""When a container was made; None: not known."""


def history(created: Sequence[Made], deeds: Sequence[Made], born: Born) -> tuple[Made, ...]:
    """All changes of a service, oldest first. What belongs together is one; what only made room for a deploy, none."""
    result: list[Made] = []
    for made in sorted((*created, *deeds), key=lambda m: m.change.time):
        if result and _belongs(result[-1], made, born):
            continue
        if made.change.what in _MAKING and made.container is not None:
            while result and _made_room(result[-1], made):
                result.pop()
        result.append(made)
    return tuple(result)


def _belongs(before: Made, made: Made, born: Born) -> bool:
    """Whether this only goes on with the change before it."""
    pause = made.change.time - before.change.time
    if before.change.what in ("created", "deploy", "recreate") and made.change.what in _REPLACING:
        created = born(made.container) if made.container is not None else None
        replaced = created is None or created < before.change.time
        return replaced and pause <= REPLACED and made.change.actor in (UNKNOWN, before.change.actor)
    same = (made.change.what, made.change.actor) == (before.change.what, before.change.actor)
    return same and pause <= TOGETHER and made.change.what not in _MAKING


def _made_room(before: Made, deploy: Made) -> bool:
    pause = deploy.change.time - before.change.time
    return before.change.what in ("stop", "remove") and pause <= timedelta(seconds=60)
