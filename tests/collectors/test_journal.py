"""What we do is on record, and the engine's events of it are known to be ours."""

from __future__ import annotations

from fleettop.collectors.actions.steps import Deed, Outcome, Step, StepResult
from fleettop.collectors.address import parse_address
from fleettop.collectors.clock import ManualClock
from fleettop.collectors.fleet import Fleet
from fleettop.collectors.journal import Journal
from fleettop.collectors.model import Attribution, EventsSeen, RecordKind

from .watching import START, event

STEP = Step(engine="web-1", deed=Deed.RESTART, object_id=b"api".hex().ljust(64, "0"), object_name="api")


def _fleet() -> Fleet:
    return Fleet([parse_address("unix:///engine.sock", name="web-1")], clock=ManualClock(wall=START))


def test_intent_and_outcome_are_kept_with_who_and_why() -> None:
    """Before the change: who, what and why; after it: how it went."""
    fleet = _fleet()
    journal = Journal(fleet, actor="ops1@bastion")
    intent = journal.record_intent(STEP, reason="FT-212")
    journal.record_outcome(intent, StepResult(step=STEP, outcome=Outcome.SUCCESS, words="is healthy again"))
    kinds = {record.kind: record for record in fleet.records(engine="web-1")}
    assert kinds[RecordKind.INTENT].actor == "ops1@bastion"
    assert kinds[RecordKind.INTENT].reason == "FT-212"
    assert RecordKind.OUTCOME in kinds


def test_the_engines_events_inside_the_window_are_ours() -> None:
    """What the engine says of the object while we act on it has our name and reason; what others do has not."""
    fleet = _fleet()
    Journal(fleet, actor="ops1@bastion").record_intent(STEP, reason="FT-212")
    events = (event(0.5, "kill"), event(0.6, "die"), event(0.7, "kill", "db"), event(0.8, "die", "db"))
    fleet.apply(EventsSeen(engine="web-1", events=events))
    records = {record.object_name: record for record in fleet.trail.newest(10) if record.kind is RecordKind.EVENT}
    assert (records["api"].actor, records["api"].attribution) == ("ops1@bastion", Attribution.OWN)
    assert records["db"].attribution is not Attribution.OWN
