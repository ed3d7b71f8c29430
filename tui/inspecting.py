"""The checks from the dashboard: looking when somebody comes to see, and again when asked to."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType

from .format import cut
from .glyphs import Glyphs
from .screens.page import Given, PageScreen
from .views.checks import ChecksView

if TYPE_CHECKING:
    from fleettop.collectors.checks import Inspection, Sightings
    from fleettop.collectors.trail import OpenTrail
    from textual.app import App

    from .app import FleetApp
    from .screens.dashboard import DashboardScreen

COPIED = 2.0
"""Seconds for which it is said that something was copied."""
PATIENCE = 10.0
"""Seconds that a look waits for engines that are being connected to."""


def come_to(screen: DashboardScreen) -> None:
    """View 6 was opened: look, unless that was done a short while ago."""
    inspection = screen.app.inspection
    if inspection is None or inspection.stale:
        look_again(screen)


def look_again(screen: DashboardScreen) -> None:
    """Look at the whole fleet, unless that is under way."""
    app = screen.app
    if app.inspection is None:
        app.inspection = _inspection(app)
        app.inspection.on_change = lambda: _show(screen)
    if app.inspection.looking is None:
        app.inspection.looking = (0, len(app.fleet.engines))
        app.run_worker(_look(app.inspection), group="checks", exclusive=True)


def copy_remedy(screen: DashboardScreen) -> None:
    """`y`: what to do about the row, to the terminal's clipboard."""
    view, key = screen.view, screen.table.cursor_key
    remedy = view.remedy(key) if isinstance(view, ChecksView) and key is not None else ""
    if not remedy:
        screen.app.notify("There is nothing to do about this row.", markup=False)
        return
    screen.app.copy_to_clipboard(remedy)
    say_copied(screen.app, remedy)


def say_copied(app: App[Any], text: str) -> None:
    """Say what was copied: on one line, and not for long, since there is nothing in it to be read to the end."""
    app.notify(cut(f"Copied: {text.splitlines()[0]}", app.size.width - 4), timeout=COPIED, markup=False)


def sightings_of(trail: OpenTrail | None) -> Sightings:
    """Since when findings are known: kept beside the trail; None: this is a simulated fleet, whose past is made up."""
    from fleettop.collectors.checks import Sightings
    from fleettop.collectors.checks.sightings import beside
    from fleettop.collectors.trail import TrailFolder

    if trail is None:
        from fleettop.collectors.demo.yesterday import first_seen

        return Sightings(pretend=first_seen)
    return Sightings(beside(trail.folder) if isinstance(trail, TrailFolder) else None)


class FindingPage(PageScreen):
    """All of a finding on a page, where `y` copies what to do as it does in the table."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "remedy", "copy what to do")]

    def __init__(self, lines: Given, remedy: str, glyphs: Glyphs) -> None:
        super().__init__(lines, glyphs)
        self._remedy = remedy

    def keys(self) -> tuple[tuple[str, str], ...]:
        """With what to do."""
        return (("y", "copy what to do"), *super().keys()) if self._remedy else super().keys()

    def action_remedy(self) -> None:
        """To the terminal's clipboard."""
        if self._remedy:
            self.app.copy_to_clipboard(self._remedy)
            say_copied(self.app, self._remedy)


async def _look(inspection: Inspection) -> None:
    await inspection.look()


def _inspection(app: FleetApp) -> Inspection:
    from fleettop.collectors.checks import Inspection
    from fleettop.collectors.checks.gathering import Sources

    session = app.session
    return Inspection(
        Sources(session.fleet, session.client, session.certificates, session.log_sizes),
        clock=app.clock,
        waivers=app.waivers,
        sightings=app.sightings() if app.sightings is not None else None,
        ready=partial(session.settled, PATIENCE),
    )


def _show(screen: DashboardScreen) -> None:
    if not screen.is_mounted:
        return
    if screen.view.id == "checks":
        screen.table.forget_rows()
        screen.look_differently()
    else:
        screen.show_around()
