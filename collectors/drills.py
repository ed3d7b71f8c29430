"""A drill from its plan to what it came to, on a watched fleet: done, watched, put right, and written down.

A replica is killed, or a swarm's node drained. What an engine is asked to kill counts for it as stopped by hand, and no
restart policy acts (moby, `daemon/kill.go`: `ExitOnNext`, `HasBeenManuallyStopped`; seen on 20.10). From within, the
first process of a container cannot be killed (pid_namespaces(7)), but where it is an init with the program under it. So
the drill itself starts again what has no owner that does, and says so beforehand.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import msgspec

from .actions import Outcome, Plan, Reach, StepResult, Verb, plan, plan_node, prepare, what_if_node
from .actions.drilling import Subject, Times, forecast, look, refusal, subjects, times
from .actions.picture import owner_of
from .actions.whatif import Loss, what_if_replica
from .clock import Clock
from .config.allowances import Allowance
from .errors import ConfigError
from .fleet import Fleet
from .model import ContainerKey, ContainerState, RecordKind, Told

POLL = 0.05
GONE_WITHIN = 15.0
"""Seconds in which a killed container has to be seen to be gone."""
RECORDS = 200
WAIT = 120.0
"""Seconds that recovery is usually watched for."""

Ways = Callable[[str], Reach | None]
CarryOut = Callable[[Plan], Awaitable[Sequence[StepResult]]]
"""Puts a plan through, recorded, and tells whoever looks; empty: a person said no, or it cannot be done."""


class Drill(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be lost."""

    title: str
    plan: Plan
    losses: tuple[Loss, ...]
    container: ContainerKey | None = None
    alone: bool = False
    """Nobody starts the container again by himself: the drill does."""
    node: tuple[str, str] | None = None
    """The swarm's cluster id and the node's."""

    @property
    def refusal(self) -> str:
        """Why it is not to be done unless told so; empty: nothing would be down."""
        return refusal(self.losses)


def replica_drill(
    fleet: Fleet, key: ContainerKey, *, protected: Collection[str] = (), read_only: bool = False
) -> Drill:
    """The loss of one replica. Raises ConfigError where it does not serve, and ReadOnly."""
    container, loss = fleet.containers.get(key), what_if_replica(fleet, key)
    if container is None or loss is None:
        name = f"{container.name} on {container.engine}" if container is not None else "It"
        raise ConfigError(f"{name} does not serve now: there is nothing to lose.")
    alone = not owner_of(container)
    planned = plan(Verb.KILL, (key,), fleet, signal="SIGKILL", protected=protected, read_only=read_only)
    more = "Nothing starts again what was killed: fleettop starts it, at once." if alone else ""
    title = f"Drill: kill {container.name} on {container.engine}, of {loss.title}"
    return Drill(title=title, plan=_said(planned, title, (loss,), more), losses=(loss,), container=key, alone=alone)


def node_drill(
    fleet: Fleet, cluster: str, node: str, *, protected: Collection[str] = (), read_only: bool = False
) -> Drill:
    """The draining of a swarm's node. Raises ConfigError and ReadOnly."""
    lost = what_if_node(fleet, cluster, node)
    losses = (*lost.down, *lost.unknown, *lost.degraded) if lost is not None else ()
    losses = tuple(loss for loss in losses if loss.service.source == "swarm")
    planned = plan_node(fleet, cluster, node, "drain", protected=protected, read_only=read_only)
    title = f"Drill: drain the node {lost.subject if lost is not None else node}"
    planned = _said(planned, title, losses, "Afterwards the node is made active again.")
    return Drill(title=title, plan=planned, losses=losses, node=(cluster, node))


def _said(planned: Plan, title: str, losses: Sequence[Loss], more: str) -> Plan:
    sentences = (*forecast(losses, title), *planned.sentences, *filter(None, (more,)))
    return msgspec.structs.replace(planned, title=title, sentences=sentences)


class Drilling:
    """One drill as it goes. `watched` and `found` say what it came to, once `run` is over."""

    def __init__(
        self,
        drill: Drill,
        fleet: Fleet,
        *,
        allowed: dict[str, Allowance],
        reach: Ways,
        clock: Clock,
        wait: float = WAIT,
        take: bool = False,
    ) -> None:
        """`take`: nobody else takes the fleet's changes, so that this has to."""
        self.drill = drill
        self.watched: list[Subject] = subjects(fleet, drill.losses, allowed)
        self.found: Times | None = None
        self.stop = asyncio.Event()
        """Watch no longer, and put right what was changed."""
        self.on_look: Callable[[], None] | None = None
        """Called when it was looked how many serve."""
        self._fleet, self._reach, self._clock, self._wait, self._take = fleet, reach, clock, wait, take
        self._told: list[Told] = []

    async def run(self, carry_out: CarryOut) -> tuple[StepResult, ...]:
        """Do it, watch until as many serve as before, and put it right. What became of the loss itself."""
        done: tuple[StepResult, ...] = ()
        node = self.drill.node
        async with self._watching():
            try:
                done = tuple(await carry_out(self.drill.plan))
                if not done or all(result.outcome is Outcome.REFUSED for result in done):
                    return done
                await self._until_over(carry_out)
            finally:
                if node is not None and await self._drained(*node, sure=bool(done)):
                    await self._carry_out(plan_node(self._fleet, *node, "active"), carry_out)
        self._fleet.note(f"{self.drill.title}: {self.words}", trouble=self.bad)
        return done

    @property
    def bad(self) -> bool:
        """Whether a service went below its number, or did not recover."""
        return any(subject.below or not subject.back for subject in self.watched)

    @property
    def words(self) -> str:
        """What it came to."""
        return in_words(self.watched, self.found) if self.found is not None else "not begun"

    # -- meanwhile

    @asynccontextmanager
    async def _watching(self) -> AsyncIterator[None]:
        """Take down how many replicas serve, and all that is written into the trail, as long as this is open."""
        keep = self._fleet.on_told

        def listen(more: Sequence[Told]) -> None:
            self._told.extend(more)
            if keep is not None:
                keep(more)

        self._fleet.on_told = listen
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._watch())
            try:
                yield
            finally:
                self._fleet.on_told = keep
                watching.cancel()

    async def _watch(self) -> None:
        while True:
            if self._take:
                self._fleet.take_changes()
            look(self._fleet, self.watched)
            if self.on_look is not None:
                self.on_look()
            await asyncio.sleep(POLL)

    async def _until_over(self, carry_out: CarryOut) -> None:
        """Until as many serve as before and the records tell of it, or the time is over."""
        begun, end = self._begun(), self._clock.monotonic() + self._wait
        self.found = Times(begun=begun)
        if self.drill.alone and await self._gone():
            assert self.drill.container is not None
            await self._carry_out(plan(Verb.START, (self.drill.container,), self._fleet), carry_out)
        while True:
            over = all(subject.back for subject in self.watched)
            self.found = found = self._times(begun, over=over)
            known = found.back is not None or (self.drill.node is not None and found.lost is None)
            if (over and known) or self.stop.is_set() or self._clock.monotonic() >= end:
                return
            await asyncio.sleep(POLL)

    def _begun(self) -> datetime:
        """When the change was about to be made: the time of its intent."""
        records = self._fleet.records(object_id=self.drill.plan.steps[0].record_id, limit=RECORDS)
        return next(record.time for record in records if record.kind is RecordKind.INTENT)

    def _times(self, begun: datetime, *, over: bool) -> Times:
        engines = self._fleet.engines.items()
        skews = {name: one.info.skew for name, one in engines if one.info is not None and one.info.skew is not None}
        services = {subject.key for subject in self.watched}
        found = times(self._told, begun=begun, services=services, over=over, skews=skews)
        if found.lost is not None and self.drill.container is not None:
            for subject in self.watched:  # it may have been there again before anybody looked
                subject.least = min(subject.least, subject.before - 1)
        return found

    async def _gone(self) -> bool:
        """Wait until the container is seen to be gone. False: it is not, or it runs again."""
        assert self.drill.container is not None
        end = self._clock.monotonic() + GONE_WITHIN
        while self._clock.monotonic() < end:
            container = self._fleet.containers.get(self.drill.container)
            if container is not None and container.state is ContainerState.EXITED:
                return True
            await asyncio.sleep(POLL)
        return False

    async def _drained(self, cluster: str, node: str, *, sure: bool) -> bool:
        """Whether the node is drained, as the swarm is seen; `sure`: it was told to be, so that it is waited for."""
        end = self._clock.monotonic() + (GONE_WITHIN if sure else 0)
        while True:
            picture = self._fleet.swarms.get(cluster)
            if picture is not None and any(n.id == node and n.availability == "drain" for n in picture.nodes):
                return True
            if self._clock.monotonic() >= end:
                return False
            await asyncio.sleep(POLL)

    async def _carry_out(self, planned: Plan, carry_out: CarryOut) -> None:
        await carry_out(await prepare(planned, reach=self._reach))


def in_words(watched: Sequence[Subject], found: Times) -> str:
    """`known after 0.3 s; recovered after 1.2 s; none below its allowed number`."""
    words = [f"known after {_seconds(found.detect)}"]
    if all(subject.back for subject in watched):
        words.append(f"recovered after {_seconds(found.recover)}" if found.lost is not None else "nothing was lost")
    else:
        words.append("not recovered")
    below = [subject.title for subject in watched if subject.below]
    words.append(f"below the allowed number: {', '.join(below)}" if below else "none below its allowed number")
    return "; ".join(words)


def served(subject: Subject) -> str:
    """`2 at the least, 2 allowed; 3 of 3 now`: how many served."""
    return f"{subject.least} at the least, {subject.needed} allowed; {subject.now} of {subject.before} now"


def _seconds(value: float | None) -> str:
    return "not known" if value is None else f"{value:.1f} s"
