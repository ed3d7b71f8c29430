"""Carrying out a plan: recorded first, then done row by row, a bounded number at once, each result told as it comes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import AsyncExitStack

import msgspec

from ..clock import Clock, SystemClock
from ..errors import ReadOnly
from .comingup import still_serves
from .deeds import Doing, begin_step
from .recording import Ledger, Recorder
from .steps import Deed, Outcome, Pace, Plan, Reach, Step, StepResult
from .writer import Writer

LOOKED_AT = 8
"""Of the replicas of a roll, how many of those done last and of those coming next are looked at before each."""
OnResult = Callable[[StepResult], None]
OnProgress = Callable[[Step, str], None]


async def perform(
    plan: Plan,
    *,
    reach: Callable[[str], Reach | None],
    reason: str = "",
    on_result: OnResult | None = None,
    stop: asyncio.Event | None = None,
    recorder: Recorder | None = None,
    on_progress: OnProgress | None = None,
    pace: Pace | None = None,
    clock: Clock | None = None,
) -> tuple[StepResult, ...]:
    """Do what the plan says; the results stand in the order of its steps, and `on_result` gets each as it comes.

    Every intent is recorded before the first request, and every outcome, also of what was skipped. When `stop` is set,
    what has not begun is `skipped` and, but for a roll's, waiting for health ends; what was sent is waited for. A step
    whose answer is lost is `unknown` unless looking again proves it; nothing is sent twice. Cancelling leaves what was
    sent `unknown`.

    Raises ReadOnly before anything is recorded or sent, and TrailError where the intent cannot be recorded: then
    nothing is done.
    """
    for engine in dict.fromkeys(step.engine for step in plan.steps):
        way = reach(engine)
        if way is not None and way.read_only:
            raise ReadOnly(f"Nothing is changed on {engine}: fleettop runs read-only.")
    steps = plan.steps if plan.possible else ()
    ledger = Ledger(recorder, reason=reason)
    await ledger.begin(steps)
    run = _Run(plan, ledger, reach, pace or Pace(), clock or SystemClock(), stop or asyncio.Event())
    run.on_result, run.on_progress = on_result, on_progress
    return await run.go()


class _Run:
    """One plan being carried out."""

    on_result: OnResult | None = None
    on_progress: OnProgress | None = None

    def __init__(
        self,
        plan: Plan,
        ledger: Ledger,
        reach: Callable[[str], Reach | None],
        pace: Pace,
        clock: Clock,
        stop: asyncio.Event,
    ) -> None:
        self._plan = plan
        self._steps = plan.steps if plan.possible else ()
        self._ledger = ledger
        self._reach = reach
        self._pace = pace if plan.deadline is None else msgspec.structs.replace(pace, healthy=plan.deadline)
        self._clock = clock
        self._stop = stop
        self._results: dict[int, StepResult] = {}
        self._begun: set[int] = set()
        self._writers: dict[str, Writer] = {}
        self._overall = asyncio.Semaphore(pace.overall)
        self._hosts: dict[str, asyncio.Semaphore] = {}
        self._ended: dict[int, asyncio.Event] = {}
        self._halted: dict[int, str] = {}
        """By lane, what did not end well."""
        self._well: dict[int, list[Step]] = {}
        """By lane, those that serve again."""

    async def go(self) -> tuple[StepResult, ...]:
        """Run every lane to its end."""
        lanes: dict[int, list[int]] = {}
        for index, step in enumerate(self._steps):
            lanes.setdefault(step.lane, []).append(index)
        self._ended = {number: asyncio.Event() for number in lanes}
        try:
            async with AsyncExitStack() as stack:
                stack.push_async_callback(self._close)
                async with asyncio.TaskGroup() as group:
                    for number, lane in lanes.items():
                        group.create_task(self._lane(number, lane))
        finally:
            self._leave_no_intent_open()
        return tuple(self._results[index] for index in range(len(self._steps)))

    async def _lane(self, number: int, lane: list[int]) -> None:
        """Its steps, as many at once as it is wide, until one does not end well."""
        for before in self._before(number):
            await self._ended[before].wait()
        queue = deque(lane)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(len(lane), self._plan.widths.get(number, 1))):
                    group.create_task(self._work(number, queue))
        finally:
            self._ended[number].set()

    def _before(self, number: int) -> tuple[int, ...]:
        # Only those of lower numbers: whatever a plan says, none waits for itself.
        return tuple(lane for lane in self._plan.after.get(number, ()) if lane < number and lane in self._ended)

    async def _work(self, number: int, queue: deque[int]) -> None:
        while queue:
            index = queue.popleft()
            step = self._steps[index]
            halted = self._halts(number)
            if halted:
                self._halted.setdefault(number, halted)
                await self._tell(index, _skipped(step, f"not begun, since {halted} did not end well"))
                continue
            result = await self._fallen(number, step, queue) or await self._one(index, step)
            if result.outcome is not Outcome.SUCCESS:
                self._halted.setdefault(number, step.object_name)
            elif step.waits and step.kind == "container" and step.deed in (Deed.RESTART, Deed.START):
                self._well.setdefault(number, []).append(step)
            await self._tell(index, result)

    def _halts(self, number: int) -> str:
        """What did not end well and so keeps the rest of a lane from beginning; empty: nothing."""
        if self._plan.regardless:
            return ""
        if self._plan.halts:
            return next(iter(self._halted.values()), "")
        return next((self._halted[lane] for lane in (number, *self._before(number)) if lane in self._halted), "")

    async def _fallen(self, number: int, step: Step, queue: deque[int]) -> StepResult | None:
        """The step, skipped, where another of its roll has stopped to serve meanwhile: more would be away than allowed.

        That is one of those done before it, or of those whose turn comes next.
        """
        if not self._plan.halts or self._stop.is_set():
            return None
        waiting = [self._steps[index] for index in list(queue)[:LOOKED_AT]]
        for other in waiting:
            way = self._reach(other.engine) if other.served else None
            why = await still_serves(way.client, other.object_id) if way is not None else ""
            if why:
                return _skipped(step, f"not begun, since {other.object_name} {why} meanwhile")
        for done in self._well.get(number, [])[-LOOKED_AT:]:
            way = self._reach(done.engine)
            why = await still_serves(way.client, done.object_id) if way is not None else ""
            if why:
                return _skipped(step, f"not begun, since {done.object_name}, done before, {why} meanwhile")
        return None

    async def _one(self, index: int, step: Step) -> StepResult:
        # The host's turn first: else one frozen host's queue would hold all the turns there are.
        async with self._hosts.setdefault(step.engine, asyncio.Semaphore(self._pace.per_host)), self._overall:
            if self._stop.is_set():
                return _skipped(step, "not begun: stopped before its turn")
            halted = self._plan.halts and self._halts(step.lane)
            if halted:
                return _skipped(step, f"not begun, since {halted} did not end well")
            self._begun.add(index)
            begin = self._clock.monotonic()
            result = await begin_step(step, self._doing(step))
        if not isinstance(result, StepResult):
            result = await result()
        return msgspec.structs.replace(result, seconds=self._clock.monotonic() - begin)

    def _doing(self, step: Step) -> Doing:
        return Doing(
            reach=self._reach,
            writer=self._writer,
            pace=self._pace,
            clock=self._clock,
            # In a roll the replica that is under way is seen to its end: else nobody knows whether it serves again.
            stop=asyncio.Event() if self._plan.halts and step.kind == "container" else self._stop,
            phase=self._phase,
        )

    def _writer(self, engine: str) -> Writer:
        if engine not in self._writers:
            way = self._reach(engine)
            assert way is not None  # asked for by a step that has just found it
            self._writers[engine] = Writer(
                way.endpoint, api=way.api, engine=engine, read_only=way.read_only, deadline=self._pace.answer
            )
        return self._writers[engine]

    def _phase(self, step: Step, words: str) -> None:
        if self.on_progress is not None:
            self.on_progress(step, words)

    async def _tell(self, index: int, result: StepResult) -> None:
        self._results[index] = result
        self._ledger.close(index, result)
        await self._ledger.kept()
        if self.on_result is not None:
            self.on_result(result)

    def _leave_no_intent_open(self) -> None:
        """Cancelled, or a defect: what was sent may have been done, the rest was not."""
        for index in self._ledger.open:
            step = self._steps[index]
            if index in self._begun:
                result = StepResult(step=step, outcome=Outcome.UNKNOWN, words="fleettop left before it was answered")
            else:
                result = _skipped(step, "not begun: fleettop left")
            self._ledger.close(index, result)

    async def _close(self) -> None:
        for writer in self._writers.values():
            await writer.close()


def _skipped(step: Step, words: str) -> StepResult:
    return StepResult(step=step, outcome=Outcome.SKIPPED, words=words)
