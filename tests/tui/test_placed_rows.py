"""The rows of a place: what the filter leaves, in order, while things change."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import cast

from fleettop.collectors.fleet import Changed, Fleet
from fleettop.collectors.model import ServiceKey
from fleettop.tui.filter import readable
from fleettop.tui.navigation import Place, Scope
from fleettop.tui.rows import Line, Row
from fleettop.tui.views.base import Moment, SortKey, View
from fleettop.tui.views.table import PlacedRows
from hypothesis import given
from hypothesis import strategies as st


class Things(View):
    """A view of names with a number, which the test changes at will."""

    id = title = noun = "things"
    columns = ()

    def __init__(self) -> None:
        self.things: dict[ServiceKey, tuple[int, str]] = {}
        self.asked = 0

    def keys(self, fleet: Fleet, scope: Scope) -> Iterable[Hashable]:
        return self.things

    def has(self, fleet: Fleet, key: Hashable, scope: Scope) -> bool:
        return key in self.things

    def dirty(self, changed: Changed, fleet: Fleet) -> set[Hashable] | None:
        return set(changed.services)

    def row(self, fleet: Fleet, key: Hashable, moment: Moment) -> Row | None:
        return None

    def rank(self, fleet: Fleet, key: Hashable) -> SortKey:
        return (self.things[cast("ServiceKey", key)][0], cast("ServiceKey", key))

    def value(self, fleet: Fleet, key: Hashable, column: str) -> object:
        return self.things[cast("ServiceKey", key)][1]

    def fields(self, fleet: Fleet, key: Hashable) -> Mapping[str, object]:
        self.asked += 1
        return {"name": self.things[cast("ServiceKey", key)][1]}

    def wrong(self, fleet: Fleet, key: Hashable) -> bool:
        return self.things[cast("ServiceKey", key)][0] > 1

    def detail(self, fleet: Fleet, key: Hashable, moment: Moment) -> tuple[Line, ...]:
        return ()

    def name_of(self, fleet: Fleet, key: Hashable) -> str:
        return ""


FLEET = cast("Fleet", None)
KEYS = [ServiceKey("compose", "", name) for name in "abcdefgh"]
THINGS = st.tuples(st.integers(0, 3), st.sampled_from(["api", "apple", "web", "web-api"]))
CHANGES = st.dictionaries(st.sampled_from(KEYS), st.none() | THINGS, max_size=4)
PLACES = st.builds(
    Place,
    filter=st.sampled_from(["", "a", "ap", "api", "name:web", "name:web-a", "!api"]),
    sort=st.sampled_from(["", "", "name"]),
    reverse=st.booleans(),
    only_wrong=st.booleans(),
)


@given(st.lists(CHANGES | PLACES, max_size=20))
def test_rows_that_move_stand_where_sorting_all_would_put_them(steps: list[dict[ServiceKey, object] | Place]) -> None:
    """Whatever changes and is typed, in any order: the same rows in the same order as looking at everything anew."""
    view, place = Things(), Place()
    rows = PlacedRows(view, FLEET)
    rows.settle(place, None)
    for step in steps:
        if isinstance(step, Place):
            place = step
            rows.settle(place, readable(place.filter))
        else:
            for key, thing in step.items():
                view.things.pop(key, None)
                if thing is not None:
                    view.things[key] = cast("tuple[int, str]", thing)
            before = rows.order
            _, moved = rows.update(Changed(services=frozenset(step)))
            assert moved or rows.order == before
        anew = PlacedRows(view, FLEET)
        assert rows.order == anew.settle(place, readable(place.filter))
        assert rows.hidden == anew.hidden


def test_while_a_word_is_typed_on_only_what_is_shown_is_looked_at() -> None:
    """Ten thousand rows are looked at with the first letter, not with each."""
    view = Things()
    view.things = {key: (0, "api" if number < 2 else "web") for number, key in enumerate(KEYS)}
    rows = PlacedRows(view, FLEET)
    rows.settle(Place(), None)
    looked = []
    for typed in ("a", "ap", "api"):
        view.asked = 0
        rows.settle(Place(filter=typed), readable(typed))
        looked.append(view.asked)
    assert looked == [8, 2, 2]
    assert rows.order == (KEYS[0], KEYS[1])
