"""The views as a whole: loaded one by one, in the order of their keys."""

from __future__ import annotations

from fleettop.tui.commandtable import VIEWS
from fleettop.tui.views import TITLES, Views


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
