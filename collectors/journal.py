"""What we do, written down where the fleet's events are: the intent before, the outcome after, and who did it."""

from __future__ import annotations

import os
import pwd
import socket

from .actions.steps import Step, StepResult
from .fleet.fleet import Fleet
from .looseends import LooseEnds
from .model import Record


def own_name() -> str:
    """Who runs fleettop, and where: `ops1@bastion`. From the user id, since an environment can say anything."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"


class Journal:
    """The `Recorder` of actions on a watched fleet. What stays unknown goes to `loose_ends`."""

    def __init__(self, fleet: Fleet, actor: str = "", *, loose_ends: LooseEnds | None = None) -> None:
        self._fleet = fleet
        self._loose_ends = loose_ends
        self._actor = actor or own_name()
        self._intents: dict[int, Record] = {}

    def record_intent(self, step: Step, *, reason: str) -> int:
        """Keep what is about to be done and why; the record's id."""
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
        """Keep how it went."""
        record = self._intents.pop(intent)
        kept = self._loose_ends is not None and self._loose_ends.keep(record, result)
        self._fleet.record_outcome(record, result.outcome.value, result.words, last=not kept)
