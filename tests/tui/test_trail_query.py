"""What of a filter an index of the trail is asked for: never more than the filter itself would leave out."""

from __future__ import annotations

import pytest
from fleettop.collectors.model import RecordKind
from fleettop.collectors.trail.store import Query
from fleettop.tui.commands.trailquery import query_of
from fleettop.tui.filter import FilterError, parse_filter
from hypothesis import given
from hypothesis import strategies as some

NAMES = ("web-1", "web-2", "WEB-3", "root@ops", "its health check")


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", Query()),
        ("api", Query()),
        ("kind:gap", Query(kinds=("gap",))),
        ("kind:gap | kind:start", Query(kinds=("gap", "start"))),
        ("!kind:event", Query(kinds=tuple(str(kind) for kind in RecordKind if kind != "event"))),
        ("kind:gap | api", Query()),
        ("kind:nonsense", Query(kinds=("\0",))),
        ("host:web-2", Query(engine="web-2")),
        ("host:web", Query()),
        ("host=web-3", Query(engine="WEB-3")),
        ("host:nowhere", Query(engine="\0")),
        ("by:root@ops kind:event", Query(actor="root@ops", kinds=("event",))),
        ("who:unknown", Query()),
        ("!who:root", Query()),
    ],
)
def test_what_an_index_can_find_is_asked_of_it(text: str, query: Query) -> None:
    """Kinds always; a host or an actor where the trail has one such name only, however it is spelled."""
    assert query_of(parse_filter(text), names=NAMES) == query


@given(
    some.lists(
        some.sampled_from(("kind:gap", "!kind:event", "host:web-1", "host:web*", "!host:web-2", "who:root", "x", "|")),
        max_size=6,
    ),
    some.sampled_from(RecordKind),
    some.sampled_from(("", "web-1", "web-2", "WEB-3")),
    some.sampled_from(("", "root@ops", "its health check")),
)
def test_a_query_leaves_out_nothing_that_the_filter_wants(
    words: list[str], kind: RecordKind, engine: str, actor: str
) -> None:
    """Whatever the filter: a record it matches is one that the query finds."""
    text = " ".join(words).strip("| ")
    try:
        wanted = parse_filter(text)
    except FilterError:
        return
    query = query_of(wanted, names=NAMES)
    row = {"kind": str(kind), "host": engine, "who": actor or "unknown", "what": "x"}
    if wanted.matches(row):
        assert not query.kinds or str(kind) in query.kinds
        assert query.engine in ("", engine)
        assert query.actor in ("", actor)
