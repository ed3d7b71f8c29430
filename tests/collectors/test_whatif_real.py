"""What was foretold of a host's death against what came of it, on real engines and a real swarm."""

from __future__ import annotations

from typing import Any

from fleettop.collectors.actions import what_if_host

from tests.collectors.actions_stage import off_loop, stage_on
from tests.collectors.test_actions_real import SLEEP
from tests.fleet import Fleet


async def test_what_is_foretold_of_a_hosts_death_is_what_comes_of_it(swarm_fleet: Fleet, eventually: Any) -> None:
    """h2 is powered off: services down, degraded, moved by the swarm and not moved are those that were named."""
    fleet = swarm_fleet
    fleet.run("h2", "pay", "db", SLEEP, 1)
    for number, host in enumerate(("h1", "h2", "h3"), 1):
        fleet.run(host, "pay", "api", SLEEP, number)
    only_h2 = {"Placement": {"Constraints": ["node.hostname==h2"]}}
    template = {"ContainerSpec": {"Image": "bb:1", "Command": ["sh", "-c", "while :; do sleep 1; done"]}}
    pinned = fleet.run_service("pinned", SLEEP, 1, TaskTemplate={**template, **only_h2})
    roams = fleet.run_service("roams", SLEEP, 3)
    everywhere = fleet.run_service("agent", SLEEP, 1, Mode={"Global": {}})

    def on_nodes(service: str) -> list[str]:
        nodes = {node["ID"]: node["Description"]["Hostname"] for node in fleet.get("h1", "/nodes")}
        return sorted(
            nodes.get(task.get("NodeID", ""), "")
            for task in fleet.get("h1", "/tasks")
            if task["ServiceID"] == service
            and task["DesiredState"] == "running"
            and task["Status"]["State"] == "running"
        )

    await eventually(lambda: [len(on_nodes(s)) for s in (pinned, roams, everywhere)] == [1, 3, 3], timeout=60)
    async with stage_on(fleet) as stage:
        await stage.look()
        found = what_if_host(stage.picture, "h2")
    told = {loss.title: loss for loss in (*found.down, *found.degraded)}
    assert {loss.title for loss in found.down} == {"pay/db", "pinned"}, found.sentences
    here = on_nodes(roams).count("h2")
    assert (told["pay/api"].left, told["agent"].left) == (2, 2)
    assert here == 0 or (told["roams"].left, told["roams"].moved) == (3 - here, "moves")
    assert (told["pinned"].moved, told["agent"].moved) == ("stays", "stays")
    await off_loop(fleet.fault, "h2", "off")
    await eventually(lambda: on_nodes(roams).count("h2") == 0 and len(on_nodes(roams)) == 3, timeout=90)
    assert on_nodes(pinned) == []
    assert on_nodes(everywhere) == ["h1", "h3"]
    left = [
        c["Labels"].get("com.docker.compose.service") for h in ("h1", "h3") for c in fleet.get(h, "/containers/json")
    ]
    assert (left.count("api"), left.count("db")) == (2, 0)
