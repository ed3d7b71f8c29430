"""A service put together from its replicas, and from the swarm's picture where it is a swarm's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from ..model import (
    Container,
    ContainerKey,
    Freshness,
    Replica,
    Service,
    ServiceChange,
    ServiceKey,
    ServiceState,
    SwarmTask,
)
from ..words import familiar_image, image_parts, short_image, version_words
from .changes import Made
from .places import CONFIG_HASH, OWNED, SWARM_SERVICE_ID, Place, swarm_name
from .replicas import Condition, Standing, earliest
from .swarms import Picture, container_of, restarts, standing_of_task, wanted_tasks, with_attempts
from .verdict import Outage, Seen, Verdict, began, follow, judge


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a service is put together from. Given by the fleet; no part of it is copied."""

    place: Callable[[ContainerKey], Place | None]
    standings: Mapping[ContainerKey, Standing]
    """Those that were worked out before and still hold: nearly all."""
    work_out: Callable[[ContainerKey], Standing | None]
    """How any other one stands; None: it is not there."""
    freshness: Callable[[str], Freshness]
    """How far what a host says is of the present."""
    plain: Collection[str]
    """The hosts that are live and have no doubtful container: nearly all, nearly always."""
    doubtful: Callable[[str], Collection[str]]
    """The ids of those containers on a host whose newest reading made no sense."""
    lost: Callable[[str], datetime | None]
    """Since when a host does not answer."""
    host_order: Callable[[str], tuple[int, str]]
    now: datetime
    ours: Callable[[str, datetime], datetime]
    engine_of_node: Mapping[str, str]

    def standing(self, key: ContainerKey) -> Standing | None:
        """How a container stands; None: it is not there."""
        return self.standings.get(key) or self.work_out(key)

    def reachable(self, host: str) -> bool:
        """Whether a host answers."""
        return self.freshness(host) in (Freshness.LIVE, Freshness.LATE)


class Assembled(msgspec.Struct, frozen=True, kw_only=True):
    """A service, how its replicas stand, and since when it is not well."""

    service: Service
    standings: tuple[Standing, ...]
    outage: Outage
    changes_at: datetime | None = None
    """When time alone will change it."""


def assemble(
    key: ServiceKey,
    members: Sequence[ContainerKey],
    picture: Picture | None,
    service_id: str,
    outage: Outage,
    history: Sequence[Made],
    known: Known,
) -> Assembled | None:
    """The service as it is now, its replicas in the order of `members`; None where nothing is left of it."""
    swarm = picture.services.get(service_id) if picture is not None else None
    if picture is not None and swarm is not None:
        seen, verdict, failures, changes_at = _of_swarm(picture, service_id, known)
        stack, name = swarm.stack, swarm_name(swarm.name, swarm.stack)
    elif members:
        seen = _of_containers(key, members, known)
        verdict, failures, changes_at = judge(seen, swarm=key.source == "swarm"), None, None
        place = known.place(members[0])
        stack, name = (place.stack, place.name) if place is not None else ("", key.name)
    else:
        return None
    standings = tuple([one.standing if one.reachable else _unseen(one.standing) for one in seen])
    outage = follow(outage, verdict, known.now)
    containers = [container for s in standings if (container := s.source) is not None]
    images = distinct_images(containers)
    service = Service(
        key=key,
        name=name,
        stack=stack,
        state=verdict.state,
        wanted=verdict.wanted,
        running=verdict.running,
        serving=verdict.serving,
        replicas=tuple(s.replica for s in standings),
        hosts=tuple(sorted(dict.fromkeys([host for s in standings if (host := s.replica.host)]), key=known.host_order)),
        image=image_words(containers, images) or (swarm.image if swarm is not None else ""),
        images=images or ((swarm.image,) if swarm is not None else ()),
        config_hashes=tuple(sorted({h for c in containers if (h := c.labels.get(CONFIG_HASH, ""))})),
        down_since=began(outage, verdict.state),
        down_since_certain=outage.certain,
        restarts=_restarts(standings, failures),
        last_change=_last_change(history, picture, service_id, known),
        stale=verdict.stale,
        swarm_service_id=service_id or _service_id(containers),
        note=_note(key, verdict, picture, service_id, known),
    )
    changes_at = earliest(changes_at, *(s.changes_at for s in standings))
    return Assembled(service=service, standings=standings, outage=outage, changes_at=changes_at)


def begun_earlier(assembled: Assembled, began: datetime) -> Assembled:
    """The same where it is known that its outage began at that moment, if that is earlier than its replicas tell."""
    shown = assembled.service.down_since
    if shown is None or shown <= began:
        return assembled
    some = assembled.outage.some
    outage = msgspec.structs.replace(assembled.outage, none=began, some=min(some, began) if some else began)
    service = msgspec.structs.replace(assembled.service, down_since=began)
    return Assembled(service=service, standings=assembled.standings, outage=outage, changes_at=assembled.changes_at)


# -- replicas ----------------------------------------------------------------------------------------------------------


def _of_containers(key: ServiceKey, members: Sequence[ContainerKey], known: Known) -> list[Seen]:
    ready, work_out = known.standings.get, known.work_out
    standings = [s for member in members if (s := ready(member) or work_out(member)) is not None]
    if any(standing.slot for standing in standings):
        standings = _one_for_each_slot(standings)
    if key.source in OWNED:
        current = [s for s in standings if s.condition is not Condition.AT_REST]
        standings = current or standings  # its orchestrator leaves what it replaced lying about
    plain = known.plain
    return [
        Seen(standing=standing, reachable=True, fresh=True)
        if standing.replica.host in plain
        else _seen(standing, known)
        for standing in standings
    ]


def _one_for_each_slot(standings: Sequence[Standing]) -> list[Standing]:
    by_slot: dict[object, Standing] = {}
    for standing in standings:
        slot = standing.slot or standing.replica.container
        other = by_slot.setdefault(slot, standing)
        if other is not standing and _preferred(standing, other):
            by_slot[slot] = standing
    if len(by_slot) == len(standings):
        return list(standings)
    kept = set(map(id, by_slot.values()))
    return [standing for standing in standings if id(standing) in kept]


def _preferred(one: Standing, other: Standing) -> bool:
    """Of two attempts at the same replica: the one that serves, else the newer."""
    if (one.condition is Condition.SERVING) != (other.condition is Condition.SERVING):
        return one.condition is Condition.SERVING
    if one.created is None or other.created is None:
        return one.created is not None
    return one.created > other.created


def _seen(standing: Standing, known: Known) -> Seen:
    container, host = standing.replica.container, standing.replica.host
    freshness = known.freshness(host)
    live = freshness is Freshness.LIVE
    reachable = live or freshness is Freshness.LATE
    return Seen(
        standing=standing,
        reachable=reachable,
        fresh=reachable if container is None else live and container.id not in known.doubtful(host),
        lost=None if reachable else known.lost(host),
    )


def _unseen(standing: Standing) -> Standing:
    unseen: Standing = msgspec.structs.replace(standing, reachable=False)
    return unseen


def _of_swarm(picture: Picture, service_id: str, known: Known) -> tuple[list[Seen], Verdict, int, datetime | None]:
    """Its replicas as the swarm wants them, seen in their containers where these can be seen."""
    swarm, manager = picture.services[service_id], picture.picture.manager
    sees = known.reachable(manager) and not picture.picture.error
    fresh = sees and known.freshness(manager) is Freshness.LIVE

    def ours(moment: datetime) -> datetime:
        return known.ours(manager, moment)

    tasks = picture.tasks.get(service_id, [])
    seen: list[Seen] = []
    for task, earlier in wanted_tasks(tasks):
        engine = known.engine_of_node.get(task.node_id, "")
        container = container_of(task, engine)
        standing = known.standing(container) if container is not None else None
        if standing is not None and (known.reachable(engine) or not sees):
            standing = with_attempts(_as_task(standing, task, swarm.name), earlier, known.now, ours)
            seen.append(_seen(standing, known))
            continue
        node = picture.nodes.get(task.node_id)
        host = engine or (node.hostname if node is not None else "")
        standing = standing_of_task(task, swarm, host=host, node=node, ours=ours)
        standing = msgspec.structs.replace(with_attempts(standing, earlier, known.now, ours), through=manager)
        seen.append(Seen(standing=standing, reachable=sees, fresh=fresh, lost=None if sees else known.lost(manager)))
    done = swarm.mode.endswith("job") and all(one.standing.condition is Condition.AT_REST for one in seen)
    verdict = judge(seen, wanted=0 if done and seen else swarm.wanted, swarm=True, fresh=sees)
    return seen, verdict, *restarts(tasks, known.now, ours)


def _as_task(standing: Standing, task: SwarmTask, service: str) -> Standing:
    number = str(task.slot or "")
    replica: Replica = msgspec.structs.replace(
        standing.replica,
        task_id=task.id,
        number=number or standing.replica.number,
        name=f"{service}.{number}" if number else standing.replica.name,
    )
    return msgspec.structs.replace(standing, replica=replica)


# -- columns -----------------------------------------------------------------------------------------------------------


def distinct_images(containers: Iterable[Container]) -> tuple[str, ...]:
    """The images of these, in order; of several names for one image (`bb:1`, `localhost/bb:1`) the shortest."""
    found: dict[str, str] = {}
    for image in {c.image for c in containers}:
        same = familiar_image(image)
        found[same] = min(found.get(same, image), image, key=lambda name: (len(name), name))
    return tuple(sorted(found.values()))


def image_words(containers: Sequence[Container], images: Sequence[str]) -> str:
    """The image of a service in a few words: `name:tag`, or how its replicas differ. `images`: the distinct ones."""
    if not images:
        return ""
    parts = [image_parts(image) for image in images]
    named = {name for name, _ in parts if name}
    if len(named) > 1:
        return f"{len(images)} images"
    if not named:
        return short_image(images[0]) if len(images) == 1 else f"{len(images)} images"
    name = next(iter(named))
    tags = {tag for n, tag in parts if n}
    if len(tags) > 1:
        return f"{name}: {len(tags)} tags"
    digests = {c.image_id for c in containers if c.image_id}
    if len(digests) > 1:
        return f"{name}: {len(digests)} digests"
    return f"{name}:{tags.pop()}" if tags and "" not in tags else name


def _restarts(standings: Sequence[Standing], failures: int | None) -> int | None:
    known = [s.restarts for s in standings if s.restarts is not None]
    if failures is not None:
        return failures + sum(known)
    return sum(known) if known else None


def _last_change(
    history: Sequence[Made], picture: Picture | None, service_id: str, known: Known
) -> ServiceChange | None:
    last = history[-1].change if history else None
    swarm = picture.services.get(service_id) if picture is not None else None
    if swarm is not None and picture is not None and swarm.updated is not None:
        updated = known.ours(picture.picture.manager, swarm.updated)
        if last is None or (updated - last.time).total_seconds() > 1:
            what = "update" if swarm.update_state else "deploy"
            return ServiceChange(what=what, time=updated, actor="unknown", detail=version_words(swarm.image))
    return last


def _service_id(containers: Sequence[Container]) -> str:
    return next((i for c in containers if (i := c.labels.get(SWARM_SERVICE_ID, ""))), "")


def _note(key: ServiceKey, verdict: Verdict, picture: Picture | None, service_id: str, known: Known) -> str:
    notes = [verdict.note] if verdict.note else []
    swarm = picture.services.get(service_id) if picture is not None else None
    if swarm is not None and picture is not None:
        if swarm.update_state in ("paused", "rollback_paused", "rollback_started"):
            words = swarm.update_state.replace("_", " ")
            notes.append(f"update {words}: {swarm.update_message}" if swarm.update_message else f"update {words}")
        if picture.picture.error:
            notes.append(picture.picture.error)
        elif not known.reachable(picture.picture.manager):
            notes.append(f"its swarm's manager {picture.picture.manager} cannot be reached")
    elif key.source == "swarm":
        why = "its swarm does not list it" if picture is not None else "no manager of its swarm can be reached"
        notes.append(f"{why}, so what it wants is not known")
    if key.source in OWNED and key.source != "swarm" and verdict.state is not ServiceState.UNKNOWN:
        notes.append(f"{key.source} starts again what you stop")
    return ", ".join(notes)
