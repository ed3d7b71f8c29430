"""Follows the deploys of every service as they go, and keeps those that are over."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo

import msgspec

from ..model import ContainerKey, Record, ServiceKey, SwarmService, titled
from ..services.assembly import Assembled
from ..services.changes import BATCH, Birth
from ..services.replicas import Condition, Standing
from .changes import Change, changes_of
from .deploy import Deploy, Outcome, Step, Version, key_of
from .swarmdeploys import as_its_image_says, before_of, begun_in_swarm, outcome_in_swarm

QUIET = timedelta(seconds=2.5)
"""When nothing has happened for so long, what is not done stands half-way. Together with a look once a second, and what
an event takes to come, that is said within five seconds."""
PATIENCE = timedelta(minutes=5)
"""Longer than this a replica that does not come up is no longer waited for."""
STANDS = timedelta(seconds=30)
"""Half-way for so long is more than a pause between two replicas, and is written down."""
MONTH = timedelta(days=30)
KEPT = 32
"""Deploys of one service."""
ALL = 5_000
SERVICES = 20_000
_FAILING = (Condition.FAILED, Condition.UNHEALTHY, Condition.PAUSED)


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What else a service's deploys are told from."""

    births: Sequence[Birth]
    version: Callable[[Birth], Version]
    swarm: SwarmService | None
    deeds: Sequence[Record]
    """Records of somebody changing a swarm's service, oldest first, with their times on our clock."""
    ours: Callable[[str, datetime], datetime]
    records: Callable[[], Iterable[Record]]
    """Of the service, newest first."""
    now: datetime


class DeployBook:
    """All deploys. Bounded: the oldest are forgotten."""

    def __init__(self) -> None:
        self._deploys: OrderedDict[str, Deploy] = OrderedDict()
        self._of: dict[ServiceKey, list[str]] = {}
        self._by_container: dict[ContainerKey, str] = {}
        self._seen: OrderedDict[ServiceKey, tuple[tuple[int, ...], Sequence[Birth], list[Change]]] = OrderedDict()
        """Changes by what they were read from, which is held so that it stays what it is."""
        self._unwritten: dict[str, Deploy] = {}
        self._written: dict[str, tuple[Outcome, int, int]] = {}

    # -- looking

    def look(self, assembled: Assembled, known: Known) -> tuple[set[str], datetime | None]:
        """A service was put together: the deploys that are other than before, and when to look again."""
        found = (self._in_swarm if assembled.service.key.source == "swarm" else self._by_births)(assembled, known)
        changed = {deploy.key for deploy in found if self._put(deploy)}
        newest = found[-1] if found else None
        again = None
        if newest is not None and newest.outcome is Outcome.GOING:
            again = _last_moved(newest) + QUIET
            again = again if again > known.now else known.now + QUIET
        return changed, again

    def _by_births(self, assembled: Assembled, known: Known) -> list[Deploy]:
        changes = self._changes(assembled.service.key, known.births)
        if not changes:
            return []
        by_container = {birth.key: birth for birth in known.births}
        standings = [
            (standing, by_container[key])
            for standing in assembled.standings
            if (key := standing.replica.container) in by_container and key is not None
        ]
        return [self._told(change, changes[-1] is change, standings, assembled, known) for change in changes]

    def _changes(self, service: ServiceKey, births: Sequence[Birth]) -> list[Change]:
        """Worked out once for the same births: nearly always they are."""
        ids = tuple(map(id, births))
        seen = self._seen.get(service)
        if seen is not None and seen[0] == ids:
            return seen[2]
        changes = changes_of(births)
        self._seen[service] = ids, births, changes
        self._seen.move_to_end(service)
        if len(self._seen) > SERVICES:
            self._seen.popitem(last=False)
        return changes

    def _told(
        self,
        change: Change,
        newest: bool,
        standings: Sequence[tuple[Standing, Birth]],
        assembled: Assembled,
        known: Known,
    ) -> Deploy:
        service = assembled.service
        by_key = {birth.key: standing for standing, birth in standings}
        after = known.version(change.after)
        key = self._key(service.key, change, after)
        before = self._deploys.get(key)
        steps = tuple(_step(birth, by_key.get(birth.key)) for birth in change.births)
        old = [
            standing
            for standing, birth in standings
            if not change.has(birth) and (newest or birth.created < change.began)
        ]
        wants = [standing for standing in old if standing.condition is not Condition.AT_REST]
        deploy = Deploy(
            key=key,
            service=service.key,
            name=titled(service.stack, service.name),
            began=change.began if before is None else min(before.began, change.began),
            before=known.version(change.before),
            after=after,
            back=change.back_from is not None,
            steps=steps if before is None else _with_gone(before.steps, steps),
            behind=tuple(f"{s.replica.host} {s.replica.name}" for s in wants),
            made=len(standings) - len(old),
            wanted=len(standings) - len(old) + len(wants),
        )
        if not newest:
            return _over(before or deploy, deploy, change)
        ours = [standing for standing, birth in standings if change.has(birth)]
        deploy = _moved(deploy, before, known.now)
        outcome, ended = _outcome(deploy, ours, known.now)
        return _by_whom(msgspec.structs.replace(deploy, outcome=outcome, ended=ended), before, known)

    def _key(self, service: ServiceKey, change: Change, after: Version) -> str:
        """The deploy that this is, also where its first containers are forgotten by now or another process saw it."""
        for birth in change.births:
            if birth.key in self._by_container:
                return self._by_container[birth.key]
        for deploy in self.of(service):
            until = (deploy.ended or deploy.began) + BATCH
            if not deploy.steps and deploy.after.image == after.image and deploy.began <= change.began <= until:
                return deploy.key
        return key_of(service, change.births[0].key.id)

    def _in_swarm(self, assembled: Assembled, known: Known) -> list[Deploy]:
        service, swarm = assembled.service, known.swarm
        found: list[Deploy] = []
        begun = begun_in_swarm(known.deeds)
        for at, record in enumerate(begun):
            key = key_of(service.key, record.key)
            before = self._deploys.get(key)
            previous = found[-1] if found else None
            newest = at == len(begun) - 1
            old, new = before_of(record, swarm if newest else None, previous, before)
            made = [known.version(birth) for birth in known.births] if newest else []
            made += [before.before, before.after] if before is not None else []
            old, new = as_its_image_says(old, made), as_its_image_says(new, made)
            deploy = Deploy(
                key=key,
                service=service.key,
                name=titled(service.stack, service.name),
                began=record.time,
                before=old,
                after=new,
                what=record.what.partition(": ")[2] if record.action == "update" else "",
                back=record.action == "rollback",
                actor=record.actor,
                attribution=record.attribution,
                reason=record.reason,
            )
            if deploy.back and previous is not None:
                found[-1] = msgspec.structs.replace(previous, outcome=Outcome.ROLLED_BACK)
            if not newest:
                found.append(_superseded(before or deploy))
                continue
            found.append(self._swarm_now(deploy, assembled.standings, swarm, known))
        return found

    def _swarm_now(
        self, deploy: Deploy, standings: Sequence[Standing], swarm: SwarmService | None, known: Known
    ) -> Deploy:
        made = {id(s): _made(s, known) or deploy.began for s in standings if s.condition is not Condition.AT_REST}
        wanted = [s for s in standings if id(s) in made]
        late = {id(s) for s in wanted if made[id(s)] + _grain(s) > deploy.began}
        ours = sorted((s for s in wanted if id(s) in late), key=lambda s: made[id(s)])
        behind = [s for s in wanted if id(s) not in late]
        deploy = msgspec.structs.replace(
            deploy,
            steps=tuple(
                Step(
                    name=s.replica.name,
                    host=s.replica.host,
                    container=s.replica.container,
                    at=made[id(s)],
                    serves=s.condition is Condition.SERVING if s.reachable else None,
                    since=s.serving_since,
                    note=s.replica.note,
                )
                for s in ours
            ),
            behind=tuple(f"{s.replica.host} {s.replica.name}" for s in behind),
            made=len(ours),
            wanted=len(wanted),
        )
        deploy = _moved(deploy, self._deploys.get(deploy.key), known.now)
        outcome, ended = _outcome(deploy, ours, known.now)
        outcome, note = outcome_in_swarm(deploy, outcome, swarm)
        return msgspec.structs.replace(
            deploy, outcome=outcome, note=note, ended=ended if outcome is Outcome.DONE else None
        )

    # -- keeping

    def _put(self, deploy: Deploy) -> bool:
        before = self._deploys.get(deploy.key)
        if before == deploy:
            return False
        self._deploys[deploy.key] = deploy
        self._by_container.update((step.container, deploy.key) for step in deploy.steps if step.container is not None)
        if before is None:
            keys = self._of.setdefault(deploy.service, [])
            keys.append(deploy.key)
            if len(keys) > KEPT:
                self._forget(min(keys, key=lambda key: self._deploys[key].began))
            while len(self._deploys) > ALL:
                self._forget(next(iter(self._deploys)))
        if deploy.outcome is Outcome.GOING:
            self._unwritten.pop(deploy.key, None)
        else:
            self._unwritten[deploy.key] = deploy
        return True

    def _forget(self, key: str) -> None:
        deploy = self._deploys.pop(key, None)
        self._unwritten.pop(key, None)
        self._written.pop(key, None)
        if deploy is not None:
            for step in deploy.steps:
                if step.container is not None:
                    self._by_container.pop(step.container, None)
            self._of[deploy.service].remove(key)
            if not self._of[deploy.service]:
                del self._of[deploy.service]

    def take_unwritten(self, now: datetime) -> tuple[Deploy, ...]:
        """What is to be written down: deploys as they ended, or as they have stood for a while."""
        unwritten, self._unwritten = self._unwritten, {}
        found = []
        for key, deploy in unwritten.items():
            state = (deploy.outcome, deploy.made, deploy.wanted)
            if deploy.trouble and now - _last_moved(deploy) < STANDS:
                self._unwritten[key] = deploy
            elif deploy.began >= now - MONTH and self._written.get(key) != state:
                self._written[key] = state
                found.append(deploy)
        return tuple(found)

    def recall(self, deploys: Iterable[Deploy]) -> set[str]:
        """Take in what was written before, oldest first; what is seen now knows more. Those that are new."""
        new: set[str] = set()
        for deploy in deploys:
            self._written[deploy.key] = (deploy.outcome, deploy.made, deploy.wanted)
            if deploy.key not in self._deploys:
                until = (deploy.ended or deploy.began) + BATCH
                for other in self.of(deploy.service):  # looked at before the past was read, from fewer containers
                    if other.after.image == deploy.after.image and deploy.began <= other.began <= until:
                        self._forget(other.key)
                self._put(deploy)
                self._unwritten.pop(deploy.key, None)
                new.add(deploy.key)
        return new

    # -- what can be asked

    @property
    def all(self) -> Mapping[str, Deploy]:
        """Every deploy by its key."""
        return self._deploys

    def of(self, service: ServiceKey) -> tuple[Deploy, ...]:
        """Of one service, newest first."""
        found = [self._deploys[key] for key in self._of.get(service, ())]
        return tuple(sorted(found, key=lambda deploy: deploy.began, reverse=True))

    def before(self, service: ServiceKey, moment: datetime) -> Deploy | None:
        """The last one that had begun by then."""
        return next((deploy for deploy in self.of(service) if deploy.began <= moment), None)

    def per_day(self, zone: tzinfo | None = None) -> Counter[date]:
        """How many began on each day."""
        return Counter(deploy.began.astimezone(zone).date() for deploy in self._deploys.values())


def _step(birth: Birth, standing: Standing | None) -> Step:
    serves = None
    if standing is not None and standing.reachable:
        serves = standing.condition is Condition.SERVING
    return Step(
        name=birth.name or birth.key.id[:12],
        host=birth.key.engine,
        container=birth.key,
        at=birth.created,
        serves=serves,
        since=standing.serving_since if standing is not None else None,
        note=standing.replica.note if standing is not None else "gone since",
    )


def _with_gone(before: Sequence[Step], now: Sequence[Step]) -> tuple[Step, ...]:
    """The steps as they are now, and those before of containers that are forgotten by now."""
    there = {step.container for step in now}
    gone = [step for step in before if step.container not in there]
    return (*(msgspec.structs.replace(step, serves=None, note="gone since") for step in gone), *now)


def _made(standing: Standing, known: Known) -> datetime | None:
    """When a swarm's replica was made, as far as known."""
    if standing.created is not None:
        return known.ours(standing.replica.host, standing.created)
    return standing.serving_since or standing.since or standing.ended


def _grain(standing: Standing) -> timedelta:
    """How much later it may have been made than is said: a list of containers has whole seconds (`Created`)."""
    return timedelta(seconds=1) if standing.created is not None else timedelta(microseconds=1)


def _last_moved(deploy: Deploy) -> datetime:
    """When something last happened."""
    moments = (moment for step in deploy.steps for moment in (step.at, step.since))
    return max(moment for moment in (deploy.began, deploy.moved, *moments) if moment is not None)


def _moved(deploy: Deploy, before: Deploy | None, now: datetime) -> Deploy:
    """A replica that goes is about to be made anew, or is no longer wanted: so long nothing is done."""
    if before is None:
        return deploy
    moved = now if before.wanted > deploy.wanted else before.moved
    return msgspec.structs.replace(deploy, moved=moved)


def _outcome(deploy: Deploy, ours: Sequence[Standing], now: datetime) -> tuple[Outcome, datetime | None]:
    moved = _last_moved(deploy)
    failing = [s for s in ours if s.reachable and (s.looping or s.condition in _FAILING)]
    starting = [s for s in ours if s.reachable and s.condition is Condition.STARTING and s not in failing]
    waits = bool(starting) and now - moved < PATIENCE
    if deploy.behind:
        return (Outcome.GOING if waits or now - moved < QUIET else Outcome.HALFWAY), None
    if failing or (starting and not waits):
        return Outcome.FAILED, None
    if waits:
        return Outcome.GOING, None
    if now - moved < QUIET:
        return Outcome.GOING, None
    since = [s.serving_since for s in ours if s.serving_since is not None]
    return Outcome.DONE, max(since, default=moved)


def _over(before: Deploy, now: Deploy, change: Change) -> Deploy:
    """One that another one followed: as it was last seen, or as far as what is left tells."""
    if change.undone:
        return msgspec.structs.replace(before, outcome=Outcome.ROLLED_BACK)
    if before is now:
        outcome = Outcome.HALFWAY if now.behind else Outcome.UNKNOWN
        return msgspec.structs.replace(now, outcome=outcome, made=max(now.made, len(now.steps)))
    return _superseded(before)


def _superseded(deploy: Deploy) -> Deploy:
    if deploy.outcome is not Outcome.GOING:
        return deploy
    served = deploy.steps and all(step.serves for step in deploy.steps)
    outcome = Outcome.HALFWAY if deploy.behind else Outcome.DONE if served else Outcome.UNKNOWN
    return msgspec.structs.replace(deploy, outcome=outcome)


def _by_whom(deploy: Deploy, before: Deploy | None, known: Known) -> Deploy:
    """Who did it, by the records of its containers' making: what is known best counts."""
    if before is not None and before.steps == deploy.steps and before.actor:
        return msgspec.structs.replace(
            deploy, actor=before.actor, attribution=before.attribution, reason=before.reason, what=before.what
        )
    made: set[ContainerKey] = {step.container for step in deploy.steps if step.container is not None}
    best: Record | None = None
    what = ""
    for record in known.records():
        if ContainerKey(record.engine, record.object_id) not in made or record.object_type != "container":
            continue
        if record.action not in ("create", "start"):
            continue
        what = record.what.partition(", recreated: ")[2] or what
        if best is None or _rank(record) > _rank(best):
            best = record
    if best is None or (before is not None and before.actor and not best.actor):
        if before is None:
            return msgspec.structs.replace(deploy, what=what)
        return msgspec.structs.replace(
            deploy, actor=before.actor, attribution=before.attribution, reason=before.reason, what=what or before.what
        )
    return msgspec.structs.replace(
        deploy, actor=best.actor, attribution=best.attribution, reason=best.reason, what=what
    )


_KNOWN_BEST = ("unknown", "derived", "correlated", "declared", "own")


def _rank(record: Record) -> int:
    return _KNOWN_BEST.index(str(record.attribution))
