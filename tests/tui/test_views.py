"""The views as a whole: loaded one by one, in the order of their keys, and touched by what they show."""

from __future__ import annotations

from fleettop.tui.commandtable import VIEWS
from fleettop.tui.views import TITLES, Views
from fleettop.tui.views.containers import ContainersView
from fleettop.tui.views.hosts import HostsView

from tests.collectors.watched import Watched, container


def _views() -> Views:
    return Views({"trail": lambda key: None, "checks": lambda: None, "storage": lambda: None})


def test_each_view_is_what_it_was_called_before_it_was_loaded() -> None:
    """Its tab says the same before somebody comes to it and afterwards, and its id is that of its commands."""
    views = _views()
    before = [views.title(name) for name in views]
    assert before == [view.title for view in views.values()] == list(TITLES.values())
    assert [view.id for view in views.values()] == list(TITLES) == list(VIEWS)


def test_a_view_is_made_once() -> None:
    """What it remembers is there when somebody comes back."""
    views = _views()
    assert views["checks"] is views["checks"]


def test_an_engine_that_answers_as_before_changes_its_own_row_alone() -> None:
    """Its latency stands in Hosts; fifty rows of its containers are not made and filtered anew with each ping."""
    watched = Watched()
    watched.list("h1", container(name="api"))
    watched.fleet.take_changes()
    watched.confirm()
    changed = watched.fleet.take_changes()
    assert HostsView().dirty(changed, watched.fleet) == {"h1"}
    assert ContainersView().dirty(changed, watched.fleet) == set()


def test_the_rows_of_an_engine_that_was_late_are_made_anew_when_it_answers() -> None:
    """They were greyed, and are live again."""
    watched = Watched()
    one = container(name="api")
    watched.list("h1", one)
    watched.pass_time(120, answering=False)
    watched.fleet.take_changes()
    watched.confirm()
    assert one.key in (ContainersView().dirty(watched.fleet.take_changes(), watched.fleet) or ())
