"""View 5: a deploy as a row, as a page, and on the service that broke after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fleettop.collectors.demo import DemoFleet
from fleettop.collectors.model import ContainerState
from fleettop.tui.views import Moment
from fleettop.tui.views.deploys import DeploysView, PerDay, deployed_before
from fleettop.tui.views.service_detail import service_detail

from tests.collectors.test_deploys import FIVE, PAY, api, at, deploys, fleet, replace
from tests.collectors.watched import Watched

from .test_alarming import text

Eventually = Callable[..., Any]
VIEW = DeploysView()


def moment(watched: Watched) -> Moment:
    return Moment(now=watched.clock.now(), monotonic=watched.clock.monotonic())


def halfway() -> Watched:
    """Three of five replicas are on version 2."""
    watched = fleet()
    for number in (1, 2, 3):
        replace(watched, api(number), api(number, "2", made=0))
    watched.pass_time(4)
    watched.pass_time(4)
    deploys(watched)
    return watched


def cells(watched: Watched, key: object) -> list[str]:
    row = VIEW.row(watched.fleet, key, moment(watched))  # type: ignore[arg-type]
    assert row is not None
    return [cell.text for cell in row.cells]


def test_a_row_says_from_what_to_what_by_whom_and_how_far() -> None:
    """Tags alone where the image stays the same; who it was is never blank."""
    watched = halfway()
    (deploy,) = deploys(watched)
    assert [word for word in cells(watched, deploy.key) if word][2:] == [
        "pay/api",
        "1 → 2",
        "unknown",
        "3/5",
        "half-way",
    ]


def test_what_stands_half_way_is_on_top_and_wrong() -> None:
    """Before newer ones of others that are done; the head line stands above all."""
    watched = halfway()
    (deploy,) = deploys(watched)
    assert VIEW.wrong(watched.fleet, deploy.key)
    assert VIEW.rank(watched.fleet, PerDay()) < VIEW.rank(watched.fleet, deploy.key)
    replace(watched, api(4), api(4, "2", made=10))
    replace(watched, api(5), api(5, "2", made=10))
    watched.fleet.take_changes()
    assert not VIEW.wrong(watched.fleet, deploy.key)


def test_the_page_names_each_step_and_what_is_behind() -> None:
    """Replica by replica, with its host and how soon it served."""
    watched = halfway()
    (deploy,) = deploys(watched)
    page = "\n".join(text(list(VIEW.detail(watched.fleet, deploy.key, moment(watched)))))
    assert "half-way, 3 of 5" in page
    assert "image     pay-api:1 → pay-api:2" in page
    assert "h1  pay-api-1  serves after 0s" in page
    assert "h3 pay-api-5  still what it was" in page
    assert "deploys per day" in page


def test_an_unhealthy_service_says_what_was_deployed_just_before_it_broke() -> None:
    """In its facts; and nothing where it is well."""
    watched = fleet()
    dead = {"state": ContainerState.EXITED, "exit_code": 1, "restart_policy": "no", "finished_at": at(45)}
    assert deployed_before(watched.fleet, PAY, moment(watched)) == ""
    for number in FIVE:
        replace(watched, api(number), api(number, "2", made=4))
    watched.clock.advance(60)
    for number in FIVE:
        watched.see(api(number, "2", made=4, **dead))
    watched.fleet.take_changes()
    said = deployed_before(watched.fleet, PAY, moment(watched))
    assert said == "pay-api:1 → 2, 41s before it broke, by unknown: failed, 5 of 5 do not serve"
    (service,) = watched.fleet.services.values()
    assert any(said in line for line in text(list(service_detail(watched.fleet, service, moment(watched)))))


def test_a_change_of_one_deploy_draws_its_services_rows_alone() -> None:
    """And the head line, which counts."""
    watched = halfway()
    replace(watched, api(4), api(4, "2", made=10))
    assert VIEW.dirty(watched.fleet.take_changes(), watched.fleet) == set()
    watched.see(api(5, "2", made=12), gone=(api(5).id,), engine="h3")
    assert VIEW.dirty(watched.fleet.take_changes(), watched.fleet) == {PerDay(), deploys(watched)[0].key}


async def test_the_key_5_shows_the_deploys_of_the_demo(eventually: Eventually) -> None:
    """A bad night's: pay/api is named, with what it came from."""
    from fleettop.collectors.config import Config
    from fleettop.tui.app import FleetApp

    async with DemoFleet() as demo:
        app = FleetApp(demo.addresses, Config())
        async with app.run_test(size=(160, 45)) as pilot:
            await eventually(lambda: app.fleet.deploys.all and not app.fleet.pending, timeout=60)
            await pilot.press("5")
            await eventually(lambda: "pay/api" in _shown(app), timeout=60)
            assert "2.8.0 → 2.8.1" in _shown(app)


def _shown(app: Any) -> str:
    table = app.dashboard.table
    return "\n".join(table.render_line(y).text for y in range(table.size.height))
