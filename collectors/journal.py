"""What we do, written down where the fleet's events are: the intent before, the outcome after, and who did it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from .actions.steps import Step, StepResult
from .fleet.fleet import Fleet
from .instance import own_name
from .looseends import LooseEnds
from .model import Record


class Journal:
    """The `Recorder` of actions on a watched fleet. What stays unknown goes to `loose_ends`."""

    def __init__(
        self,
        fleet: Fleet,
        actor: str = "",
        *,
        keep: Callable[[], Awaitable[None]] | None = None,
        loose_ends: LooseEnds | None = None,
    ) -> None:
        self._fleet = fleet
        self._keep = keep
        self._loose_ends = loose_ends
        self._actor = actor or own_name()
        self._intents: dict[int, Record] = {}

    def record_intent(self, step: Step, *, reason: str) -> int:
        """Note what is about to be done and why; the record's id."""
        record = self._fleet.record_intent(
            step.record_verb,
            engine=step.engine,
            object_type=step.kind,
            object_id=step.record_id,
            object_name=step.object_name,
            service=step.service,
            actor=self._actor,
            reason=reason,
            what=step.about,
        )
        self._intents[record.id] = record
        return record.id

    def record_outcome(self, intent: int, result: StepResult) -> None:
        """Note how it went."""
        record = self._intents.pop(intent)
        kept = self._loose_ends is not None and self._loose_ends.keep(record, result)
        self._fleet.record_outcome(record, result.outcome.value, result.words, last=not kept)

    async def kept(self) -> None:
        """Return when all that was noted is safe, where it is kept for longer. Raises TrailError."""
        if self._keep is not None:
            await self._keep()
