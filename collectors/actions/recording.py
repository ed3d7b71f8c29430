"""Every change on record: what we are about to do and why, before it is done; and how it went, after."""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol

from ..errors import TrailError
from .steps import Outcome, Step, StepResult


class Recorder(Protocol):
    """Where intents and outcomes are kept (the session's journal)."""

    def record_intent(self, step: Step, *, reason: str) -> int:
        """Note what is about to be done and why; the record's id. Raises TrailError: then it is not done."""
        ...

    def record_outcome(self, intent: int, result: StepResult) -> None:
        """Note how it went."""
        ...

    async def kept(self) -> None:
        """Return when all that was noted survives a power cut. Raises TrailError where it cannot be written."""
        ...


class Ledger:
    """The intents of one plan, each closed by its outcome. Without a recorder nothing is kept."""

    def __init__(self, recorder: Recorder | None, *, reason: str) -> None:
        self._recorder = recorder
        self._reason = reason
        self._open: dict[int, int] = {}

    async def begin(self, steps: tuple[Step, ...]) -> None:
        """Record all that is about to be done. Raises TrailError, having closed what was recorded by then."""
        try:
            for index, step in enumerate(steps):
                if self._recorder is not None:
                    self._open[index] = self._recorder.record_intent(step, reason=self._reason)
            if self._recorder is not None and steps:
                await self._recorder.kept()
        except TrailError:
            for index in self.open:
                words = "not begun, since not all of it could be recorded"
                self.close(index, StepResult(step=steps[index], outcome=Outcome.SKIPPED, words=words))
            raise

    @property
    def open(self) -> tuple[int, ...]:
        """The steps whose outcome is not recorded yet."""
        return tuple(self._open)

    async def kept(self) -> None:
        """Return when the outcomes so far are safe, or cannot be made so: then the trail says it itself."""
        if self._recorder is not None:
            with suppress(TrailError):
                await self._recorder.kept()

    def close(self, index: int, result: StepResult) -> None:
        """Record how a step went. What was done was done: that it cannot be written, the trail says itself."""
        intent = self._open.pop(index, None)
        if intent is not None and self._recorder is not None:
            with suppress(TrailError):
                self._recorder.record_outcome(intent, result)
