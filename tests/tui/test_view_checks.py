"""View 6 as a person uses it, on a simulated fleet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from functools import partial
from typing import Any

import pytest
from fleettop.collectors.actions import what_if_host
from fleettop.collectors.config import Config
from fleettop.collectors.config.waivers import Waiver
from fleettop.collectors.demo import DemoFleet
from fleettop.tui import inspecting
from fleettop.tui.app import FleetApp
from fleettop.tui.inspecting import sightings_of
from fleettop.tui.screens.page import PageScreen
from fleettop.tui.views.checks import HEAD, ChecksView, GroupRow, ObjectRow
from textual.pilot import Pilot
from textual.widgets._toast import Toast

from tests.tui.stage import text_of

Eventually = Callable[..., Any]
WAIVERS = (Waiver(check="C08", reason="images of ours", until=date(2999, 1, 1)),)


@asynccontextmanager
async def checked(
    eventually: Eventually, *, size: tuple[int, int] = (120, 40), waivers: tuple[Waiver, ...] = ()
) -> AsyncIterator[tuple[FleetApp, Pilot[int]]]:
    """The app with view 6 open and looked through."""
    async with DemoFleet(engines=3, containers=30, seed=3) as demo:
        app = FleetApp(demo.addresses, Config(waivers=waivers), sightings=partial(sightings_of, None))
        async with app.run_test(size=size, notifications=True) as pilot:
            await app.session.settled(20)
            await pilot.press("6")
            await eventually(lambda: app.dashboard.table.row_count > 5, timeout=30)
            await pilot.pause()
            yield app, pilot


def view_of(app: FleetApp) -> ChecksView:
    """The view."""
    assert isinstance(app.dashboard.view, ChecksView)
    return app.dashboard.view


def group_of(app: FleetApp, check: str) -> GroupRow:
    """The first group of a check."""
    return next(key for key in app.dashboard._rows.order if isinstance(key, GroupRow) and key.check == check)


async def test_nothing_is_asked_before_somebody_comes_to_see(eventually: Eventually) -> None:
    """The checks cost an engine a request a container: the view opened asks, and not again a moment later."""
    async with DemoFleet(engines=3, containers=30, seed=3) as demo:
        app = FleetApp(demo.addresses, Config())
        async with app.run_test(size=(120, 40)) as pilot:
            await app.session.settled(20)
            assert app.inspection is None
            await pilot.press("6")
            await eventually(lambda: app.inspection is not None and app.inspection.verdict is not None, timeout=30)
            verdict = app.inspection.verdict if app.inspection is not None else None
            await pilot.press("1", "6")
            assert app.inspection is not None
            assert app.inspection.looking is None
            assert app.inspection.verdict is verdict
            await pilot.press("r")
            await eventually(lambda: app.inspection is not None and app.inspection.verdict is not verdict, timeout=30)


async def test_findings_stand_worst_first_and_are_counted_in_the_tab(eventually: Eventually) -> None:
    """Equal ones in one row with their number; the first row says how the look as a whole went."""
    async with checked(eventually) as (app, _pilot):
        order = app.dashboard._rows.order
        assert order[0] == HEAD
        levels = ["critical", "high", "medium", "low", "info", "unknown"]
        ranks = [levels.index(key.severity) for key in order[1:] if isinstance(key, GroupRow)]
        assert ranks == sorted(ranks)
        assert app.inspection is not None
        assert app.inspection.verdict is not None
        counting = len(app.inspection.verdict.counting)
        assert f"Checks {counting}" in text_of(app.dashboard.tabs)
        shown = text_of(app.dashboard.table)
        assert f"{counting} findings" in shown
        assert "3 hosts" in shown
        assert "new since yesterday" in shown
        assert "not checkable" in shown


async def test_enter_opens_a_group_and_then_an_object(eventually: Eventually) -> None:
    """The group's objects stand under it; Enter on one is its page; Enter on the group closes it again."""
    async with checked(eventually) as (app, pilot):
        table, group = app.dashboard.table, group_of(app, "C17")
        before = table.row_count
        table.move_to(group)
        await pilot.press("enter")
        await eventually(lambda: table.row_count > before)
        assert table.cursor_key == group
        await pilot.press("down")
        assert isinstance(table.cursor_key, ObjectRow)
        await pilot.press("enter")
        await eventually(lambda: isinstance(app.screen, PageScreen))
        await eventually(lambda: "Secrets in variables" in text_of(app.screen.query_one("#page")))
        page = text_of(app.screen.query_one("#page"))
        assert "Config.Env holds STRIPE_API_KEY" in page
        assert "sk_live" not in page
        assert "near 4.10" in page
        copied: list[str] = []
        app.copy_to_clipboard = copied.append  # type: ignore[method-assign,assignment]
        await pilot.press("y")
        assert copied == ["secrets: [NAME]   # and NAME_FILE: /run/secrets/NAME instead of the value"]
        await pilot.press("escape")
        table.move_to(group)
        await pilot.press("enter")
        await eventually(lambda: table.row_count == before)


async def test_y_copies_what_to_do(eventually: Eventually) -> None:
    """Lines for daemon.json or a compose file, as they are; of the first row there is nothing to copy."""
    async with checked(eventually) as (app, pilot):
        copied: list[str] = []
        app.copy_to_clipboard = copied.append  # type: ignore[method-assign,assignment]
        await pilot.press("y")
        assert copied == []
        app.dashboard.table.move_to(group_of(app, "C12"))
        await pilot.press("y")
        app.dashboard.table.move_to(group_of(app, "E09"))
        await pilot.press("y")
        assert copied == ["read_only: true\ntmpfs: [/tmp]", '/etc/docker/daemon.json: { "no-new-privileges": true }']


async def test_that_a_remedy_was_copied_covers_no_row(eventually: Eventually, monkeypatch: Any) -> None:
    """At 80 by 24 it stands on one line, in the place of the hints, and not for long."""
    assert inspecting.COPIED < FleetApp.NOTIFICATION_TIMEOUT
    monkeypatch.setattr(inspecting, "COPIED", 600)  # so that it is there when it is looked at
    async with checked(eventually, size=(80, 24)) as (app, pilot):
        app.dashboard.table.move_to(group_of(app, "C12"))
        await pilot.press("y")
        await eventually(lambda: [toast for toast in app.screen.query(Toast) if toast.region.height])
        [toast] = app.screen.query(Toast)
        assert (toast.region.y, toast.region.height) == (23, 1)
        assert toast.region.right <= 80
        assert str(toast.render()).startswith("Copied: read_only: true")


@pytest.mark.parametrize(
    ("text", "check"),
    [("check:C17", "C17"), ("severity:high state:new", "C17"), ("host:db-1 name:*redis*", "C09"), ("swappable", "")],
)
async def test_findings_are_filtered_in_the_same_language(eventually: Eventually, text: str, check: str) -> None:
    """By check, severity, host, object and whether they are new; what matches none says so."""
    async with checked(eventually) as (app, pilot):
        app.dashboard.look_differently(filter=text)
        await pilot.pause()
        groups = [key for key in app.dashboard._rows.order if isinstance(key, GroupRow)]
        assert (check in {key.check for key in groups}) if check else not groups
        if not check:
            assert "None of" in text_of(app.dashboard.table)


async def test_z_leaves_what_is_urgent(eventually: Eventually) -> None:
    """Critical and high that nobody answers for."""
    async with checked(eventually) as (app, pilot):
        await pilot.press("z")
        groups = [key for key in app.dashboard._rows.order if isinstance(key, GroupRow)]
        assert groups
        assert {key.severity for key in groups} <= {"critical", "high"}


async def test_what_is_waived_stays_in_sight_and_out_of_the_count(eventually: Eventually) -> None:
    """With reason and last day, dimmed, behind what counts."""
    async with checked(eventually, waivers=WAIVERS, size=(200, 50)) as (app, pilot):
        group = group_of(app, "C08")
        view, fleet = view_of(app), app.fleet
        row = view.row(fleet, group, app.moment())
        assert row is not None
        assert row.style == "stale"
        assert "waived until 2999-01-01: images of ours" in row.cells[-1].text
        counted = [key for key in app.dashboard._rows.order if isinstance(key, GroupRow) and key.severity == "low"]
        order = app.dashboard._rows.order
        assert order.index(group) > max(order.index(key) for key in counted)
        app.dashboard.table.move_to(group)
        await pilot.pause()
        assert "waived" in text_of(app.dashboard.detail)


async def test_a_finding_leads_to_what_happened_to_it(eventually: Eventually) -> None:
    """`e` on an object is the trail of its service."""
    async with checked(eventually) as (app, pilot):
        table, group = app.dashboard.table, group_of(app, "C17")
        table.move_to(group)
        await pilot.press("enter", "down", "e")
        assert app.dashboard.place.view == "trail"
        scope = app.dashboard.place.scope
        assert scope is not None
        assert "api" in str(scope)


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_it_fits_small_and_wide_screens(eventually: Eventually, size: tuple[int, int]) -> None:
    """Severity, check, number and what are there at 80 columns; what to do stands beside or below."""
    async with checked(eventually, size=size) as (app, pilot):
        app.dashboard.table.move_to(group_of(app, "C09"))
        await pilot.pause()
        shown = text_of(app.dashboard.table)
        assert "SEVERITY" in shown
        assert "no memory limit" in shown
        beside = text_of(app.dashboard.detail) if size[0] > 150 else text_of(app.dashboard.footer)
        assert "mem_limit: 512m" in beside


async def test_hosts_say_what_would_be_lost_with_them(eventually: Eventually) -> None:
    """The column counts what the answer to “what if it died” tells, and can be sorted by."""
    async with checked(eventually) as (app, pilot):
        await pilot.press("3")
        await pilot.pause()
        fleet, view = app.fleet, app.dashboard.view
        at = [column.id for column in view.columns].index("lost")
        told = []
        for host in fleet.engines:
            found, row = what_if_host(fleet, host), view.row(fleet, host, app.moment())
            assert row is not None
            down, degraded = len(found.down) + len(found.unknown), len(found.degraded)
            parts = [f"{down} down"] * bool(down) + [f"{degraded} less"] * bool(degraded)
            assert row.cells[at].text == (" ".join(parts) or "no loss")
            told.append((-down, -degraded, host))
        assert any(down for down, _, _ in told)
        app.dashboard.sort_by("lost")
        await pilot.pause()
        assert list(app.dashboard._rows.order) == [host for _, _, host in sorted(told)]


async def test_a_fleet_that_is_not_there_is_not_called_well(eventually: Eventually) -> None:
    """No engine could be looked at: that is said, and nothing else."""
    from fleettop.collectors.address import parse_address

    app = FleetApp([parse_address("unix:///nowhere/docker.sock")], Config())
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("6")
        await eventually(lambda: app.inspection is not None and app.inspection.verdict is not None, timeout=30)
        await pilot.pause()
        row = app.dashboard.view.row(app.fleet, HEAD, app.moment())
        assert row is not None
        assert row.span is not None
        assert "nothing could be looked at" in row.span.text
        assert "1 not reached" in row.span.text
