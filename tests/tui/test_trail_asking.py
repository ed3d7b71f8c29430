"""What the store is asked for a filter: enough, and no more than helps."""

from __future__ import annotations

import pytest
from fleettop.collectors.fleet.lines import record_of, service_text
from fleettop.collectors.model import ContainerKey, ServiceKey
from fleettop.collectors.trail.store import Query
from fleettop.tui.filter import parse_filter
from fleettop.tui.navigation import Place
from fleettop.tui.trail.asking import Names, asked_for, is_change

from .trail_making import entry

API, GATE = ServiceKey("compose", "pay", "api"), ServiceKey("compose", "pay", "api-gate")
NAMES = Names(
    services={API: "pay/api", GATE: "pay/api-gate", ServiceKey("compose", "shop", "web"): "shop/web"},
    engines=frozenset(("web-1", "web-2", "db-1")),
    actors=frozenset(("ops1@bastion", "ops2@bastion", "the program")),
)


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        ("", [Query()]),
        ("needle", [Query()]),
        ("service:pay/api", [Query(service=service_text(API)), Query(service=service_text(GATE))]),
        ("service=pay/api", [Query(service=service_text(API))]),
        ("host:db-1 who:ops1", [Query(engine="db-1", actor="ops1@bastion")]),
        ("host:web", [Query(engine="web-1"), Query(engine="web-2")]),
        ("kind:gap", [Query(kinds=("gap",))]),
        ("kind:st needle", [Query(kinds=("start", "stop"))]),
        ("who:unknown", [Query()]),
        ("!host:db-1", [Query()]),
        ("host:db-1 | host:web-1", [Query()]),
        ("host:gone-1", [Query()]),
    ],
)
def test_a_filter_asks_the_store_for_what_it_has_indexes_for(text: str, queries: list[Query]) -> None:
    """One query for each name that is meant; all of the trail where that cannot be said."""
    assert list(asked_for(Place(view="trail"), parse_filter(text), NAMES).queries) == queries


def test_the_scope_and_trouble_are_asked_for_as_well() -> None:
    """A container by its engine and id, with `z` only trouble."""
    place = Place(view="trail", scope=ContainerKey("web-1", "abc"), only_wrong=True)
    assert asked_for(place, None, NAMES).queries == (Query(engine="web-1", object_id="abc", trouble=True),)


def test_names_that_are_looked_for_are_said_where_others_are_not() -> None:
    """A service that is gone by now is not found through its name: the list says whose records it shows."""
    assert asked_for(Place(view="trail"), parse_filter("service:pay/api"), NAMES).names == ("pay/api", "pay/api-gate")


@pytest.mark.parametrize(
    ("action", "more", "changed"),
    [
        ("restart", {"actor": "ops1", "attribution": "own"}, True),
        ("exec_create", {}, True),
        ("start", {"cause": "its restart policy", "attribution": "derived", "actor": "its restart policy"}, False),
        ("die", {"cause": "exited by itself", "attribution": "derived", "actor": "the program"}, False),
        ("die", {"cause": "stopped by someone"}, True),
        ("health_status", {"actor": "its health check", "attribution": "derived"}, False),
        ("restart", {"kind": "intent"}, True),
        ("gap", {"kind": "gap"}, False),
    ],
)
def test_what_somebody_did_is_told_from_what_came_of_itself(
    action: str, more: dict[str, object], changed: bool
) -> None:
    """Deeds stand out, noise does not."""
    assert is_change(record_of(entry(1, action=action, **more), 1)) is changed
