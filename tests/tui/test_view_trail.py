"""What the rows of the Trail say."""

from __future__ import annotations

from datetime import UTC

import msgspec
import pytest
from fleettop.collectors.model import Attribution, RecordKind
from fleettop.tui.views.base import Moment
from fleettop.tui.views.trail import TrailView

from ..collectors.watched import Watched, container


def test_a_folded_loop_is_told_in_the_words_of_its_cause() -> None:
    """How often and since when stands with what happened, and once."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    for _ in range(9):
        watched.play("die(1) start", one, pause=2)
    watched.fleet.take_changes()
    (record,) = watched.records()
    assert record.first is not None
    moment = Moment(watched.clock.now().astimezone(UTC), watched.clock.monotonic())
    row = TrailView().row(watched.fleet, record.key, moment)
    assert row is not None
    since = record.first.astimezone().strftime("%H:%M:%S")
    assert row.cells[4].text == f"exited 1 by itself (9th since {since}), started again by its restart policy"


def test_the_details_of_a_record_begin_with_who_did_it_and_what_that_rests_on() -> None:
    """A login is evidence beside `unknown`, and stands there without a further key."""
    watched = Watched()
    note = msgspec.structs.replace(
        watched.fleet.note("stopped by someone"),
        kind=RecordKind.EVENT, attribution=Attribution.CORRELATED, actor="unknown",
        evidence=("logged in then: ops from 10.0.0.5 with key ED25519 SHA256:abc",),
    )  # fmt: skip
    watched.fleet.trail.append([note])
    moment = Moment(watched.clock.now().astimezone(UTC), watched.clock.monotonic())
    lines = [
        " ".join(cell.text.strip() for cell in line) for line in TrailView().detail(watched.fleet, note.key, moment)
    ]
    assert lines[:4] == [
        "stopped by someone",
        "",
        "who unknown · correlated",
        "evidence logged in then: ops from 10.0.0.5 with key ED25519 SHA256:abc",
    ]


@pytest.mark.parametrize("kind", list(RecordKind))
@pytest.mark.parametrize("attribution", list(Attribution))
def test_records_of_each_kind_have_a_row_a_detail_and_a_story(kind: RecordKind, attribution: Attribution) -> None:
    """Also the start and the stop of a fleettop, which are of no engine."""
    watched = Watched()
    note = watched.fleet.note("fleettop 1.0 started by ops1@bastion")
    watched.fleet.trail.append([msgspec.structs.replace(note, kind=kind, attribution=attribution)])
    watched.fleet.take_changes()
    moment, view = Moment(watched.clock.now().astimezone(UTC), watched.clock.monotonic()), TrailView()
    row = view.row(watched.fleet, note.key, moment)
    assert row is not None
    words = " ".join(cell.text for cell in (*row.cells, *((row.span,) if row.span else ())))
    assert "fleettop 1.0 started by ops1@bastion" in words
    assert view.detail(watched.fleet, note.key, moment)
    story = "".join(cell.text for cell in view.story(watched.fleet, note.key, moment))
    assert "fleettop 1.0 started by ops1@bastion" in story
    assert not story.startswith((":", " "))
    assert view.fields(watched.fleet, note.key)["kind"] == kind.value
