"""The pane of a service."""

from __future__ import annotations

import pytest
from fleettop.collectors.model import ContainerState, ServiceKey
from fleettop.tui.views.service_detail import REPLICAS, service_detail

from ..collectors.watched import NOON, Watched, compose, container
from .test_view_deploys import moment, text


@pytest.mark.parametrize(("away", "said"), [(2, "all serving"), (REPLICAS + 3, "3 of them not serving")])
def test_of_hundreds_of_replicas_those_that_do_not_serve_are_named_and_the_rest_counted(away: int, said: str) -> None:
    """What stands below them, last words and what happened, is not pushed out of reach."""
    watched = Watched()
    gone = {"state": ContainerState.EXITED, "exit_code": 1, "restart_policy": "no", "finished_at": NOON}
    watched.list(
        "h1",
        *(
            container(
                "h1", f"pay-api-{number}", labels=compose("pay", "api", number), **(gone if number <= away else {})
            )
            for number in range(1, REPLICAS + 61)
        ),
    )
    watched.fleet.take_changes()
    service = watched.fleet.services[ServiceKey("compose", "pay", "api")]
    lines = text(list(service_detail(watched.fleet, service, moment(watched))))
    assert sum("h1  pay-api-" in line for line in lines) == REPLICAS
    assert all("exited 1" in line for line in [one for one in lines if "h1  pay-api-" in one][: min(away, REPLICAS)])
    assert f"  and 60 more, {said}; Enter lists them" in lines
