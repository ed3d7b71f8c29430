"""What only a swarm can do, on a real one: roll back, set an image, pause an update, drain a node."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from fleettop.collectors.actions import Outcome, Plan, Verb, plan_node, prepare

from tests.collectors.actions_stage import Stage, stage_on
from tests.collectors.test_actions_swarm import SLEEP, running, settled
from tests.fleet import Fleet

SECOND = 1_000_000_000
QUICKLY = {
    "UpdateConfig": {"Parallelism": 1, "Monitor": SECOND // 10, "Delay": 0},
    "RollbackConfig": {"Parallelism": 0},
}


def images(fleet: Fleet, service: str) -> Counter[str]:
    """What the tasks that run and are wanted are made from."""
    tasks = {task["ID"]: task for task in fleet.get("h1", "/tasks")}
    return Counter(tasks[one]["Spec"]["ContainerSpec"]["Image"] for one in running(fleet, service))


async def test_an_image_is_set_with_its_difference_said_and_rolled_back_again(
    swarm_fleet: Fleet, eventually: Any
) -> None:
    """bb:1 to bb:2 and back; nothing else of the spec changes, and the diff is there before anything is sent."""
    for host in ("h1", "h2", "h3"):
        swarm_fleet.docker(host, "tag", "bb:1", "bb:2")
    service = swarm_fleet.run_service("web", SLEEP, 2, Labels={"keep": "me"}, **QUICKLY)
    async with stage_on(swarm_fleet) as stage:
        await settled(stage, eventually, service, 2)
        spec = swarm_fleet.get("h1", f"/services/{service}")["Spec"]
        await stage.look()
        made = await stage.plan(Verb.IMAGE, stage.service("web"), image="bb:2")
        assert "Image: bb:1 → bb:2; nothing else of it changes." in made.sentences
        [result] = await stage.do(made)
        assert (result.outcome, result.words) == (Outcome.SUCCESS, "the swarm replaced 2 tasks")
        assert images(swarm_fleet, service) == {"bb:2": 2}
        after = swarm_fleet.get("h1", f"/services/{service}")["Spec"]
        assert after["TaskTemplate"]["ContainerSpec"].pop("Image") == "bb:2"
        spec["TaskTemplate"]["ContainerSpec"].pop("Image")
        assert after == spec
        made = await stage.plan(Verb.ROLLBACK, stage.service("web"))
        assert "image 2 → 1" in made.effect
        [result] = await stage.do(made)
        assert (result.outcome, result.words) == (Outcome.SUCCESS, "the swarm rolled it back")
        assert images(swarm_fleet, service) == {"bb:1": 2}


async def test_a_service_that_was_never_changed_cannot_be_rolled_back(swarm_fleet: Fleet) -> None:
    """Said beforehand."""
    swarm_fleet.run_service("web", SLEEP, 1)
    async with stage_on(swarm_fleet, ["h1"]) as stage:
        await stage.look()
        made = await stage.plan(Verb.ROLLBACK, stage.service("web"))
    assert made.blockers == (
        "The service web has not been changed since it was made, so there is nothing to go back to.",
    )


@pytest.mark.parametrize("verb", [Verb.IMAGE, Verb.RESTART])
async def test_what_was_changed_between_asking_and_doing_is_read_and_asked_about_again(
    swarm_fleet: Fleet, verb: Verb
) -> None:
    """Another label is another spec: refused, and nothing is sent."""
    service = swarm_fleet.run_service("web", SLEEP, 1)
    async with stage_on(swarm_fleet, ["h1"]) as stage:
        await stage.look()
        made = await stage.plan(verb, stage.service("web"), image="bb:9")
        swarm_fleet.docker("h1", "service", "update", "-d", "--label-add", "a=b", "web")
        [result] = await stage.do(made)
        assert (result.outcome, result.words[-10:]) == (Outcome.REFUSED, "look again")
    assert swarm_fleet.get("h1", f"/services/{service}")["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] == "bb:1"


async def test_an_update_is_paused_and_goes_on(swarm_fleet: Fleet, eventually: Any) -> None:
    """Some tasks are new and some are not for as long as it is held; then it is completed with the delay it had."""
    for host in ("h1", "h2", "h3"):
        swarm_fleet.docker(host, "tag", "bb:1", "bb:2")
    rule = {"UpdateConfig": {"Parallelism": 1, "Monitor": SECOND // 10, "Delay": 2 * SECOND}}
    service = swarm_fleet.run_service("web", SLEEP, 5, **rule)
    async with stage_on(swarm_fleet) as stage:
        await settled(stage, eventually, service, 5)
        swarm_fleet.docker("h1", "service", "update", "-d", "--no-resolve-image", "--image", "bb:2", "web")
        await eventually(lambda: images(swarm_fleet, service)["bb:2"] >= 1, timeout=30)
        [result] = await stage.act(Verb.HOLD, await named(stage))
        assert result.outcome is Outcome.SUCCESS
        begin = engine_time(swarm_fleet)
        await eventually(lambda: engine_time(swarm_fleet) - begin > timedelta(seconds=6), timeout=30)
        assert images(swarm_fleet, service)["bb:1"] >= 2  # unheld, 2 s between two tasks, 1 at most were left
        held = swarm_fleet.get("h1", f"/services/{service}")
        assert held["Spec"]["UpdateConfig"]["Delay"] == (365 * 86_400 + 2) * SECOND
        [result] = await stage.act(Verb.GO_ON, stage.service("web"))
        assert (result.outcome, result.words) == (Outcome.SUCCESS, "the swarm completed the update")
        assert images(swarm_fleet, service) == {"bb:2": 5}
        spec = swarm_fleet.get("h1", f"/services/{service}")["Spec"]
        assert spec["UpdateConfig"]["Delay"] == 2 * SECOND
        made = await stage.plan(Verb.ROLLBACK, stage.service("web"))
        assert any("an update of it was paused" in warning.lower() for warning in made.warnings)


@pytest.mark.parametrize(("number", "told"), [(1, "no task was left to be replaced: 1 of 1 run"), (6, "the swarm")])
async def test_an_update_that_was_scaled_while_it_was_paused_goes_on_to_an_end(
    swarm_fleet: Fleet, eventually: Any, number: int, told: str
) -> None:
    """With each spec the swarm forgets how its update stood, and tells of none where no task is left to be replaced;
    the delay from before the pause is not lost either.
    """
    for host in ("h1", "h2", "h3"):
        swarm_fleet.docker(host, "tag", "bb:1", "bb:2")
    rule = {"UpdateConfig": {"Parallelism": 1, "Monitor": SECOND // 10, "Delay": SECOND}}
    service = swarm_fleet.run_service("web", SLEEP, 4, **rule)
    async with stage_on(swarm_fleet) as stage:
        await settled(stage, eventually, service, 4)
        swarm_fleet.docker("h1", "service", "update", "-d", "--no-resolve-image", "--image", "bb:2", "web")
        await eventually(lambda: images(swarm_fleet, service)["bb:2"] >= 1, timeout=30)
        [result] = await stage.act(Verb.HOLD, await named(stage))
        assert result.outcome is Outcome.SUCCESS
        [result] = await stage.act(Verb.SCALE, await named(stage), to=number)
        assert result.outcome is Outcome.SUCCESS
        [result] = await stage.act(Verb.GO_ON, await named(stage))
        assert result.outcome is Outcome.SUCCESS, result.words
        assert result.words.startswith(told)
        assert images(swarm_fleet, service) == {"bb:2": number}
        assert swarm_fleet.get("h1", f"/services/{service}")["Spec"]["UpdateConfig"]["Delay"] == SECOND


def engine_time(fleet: Fleet) -> datetime:
    text: str = fleet.get("h1", "/info")["SystemTime"]
    return datetime.fromisoformat(text[:19] + "+00:00")


async def named(stage: Stage) -> Any:
    await stage.look()
    return stage.service("web")


# -- nodes -------------------------------------------------------------------------------------------------------------


async def node_plan(stage: Stage, host: str, availability: str) -> Plan:
    await stage.look()
    [picture] = stage.picture.swarms.values()
    [node] = [node.id for node in picture.nodes if node.hostname == host]
    made = plan_node(stage.picture, picture.cluster_id, node, availability)
    return await prepare(made, reach=stage.reaches.get)


async def test_a_node_is_drained_with_what_moves_said_before_and_activated_again(
    swarm_fleet: Fleet, eventually: Any
) -> None:
    """All of its tasks run elsewhere, what is bound to it waits, and other containers on it run on."""
    service = swarm_fleet.run_service("web", SLEEP, 3)
    template = {"ContainerSpec": {"Image": "bb:1", "Command": ["sleep", "1000"], "StopGracePeriod": SECOND}}
    bound = swarm_fleet.run_service(
        "bound", SLEEP, 1, TaskTemplate={**template, "Placement": {"Constraints": ["node.hostname==h2"]}}
    )
    other = swarm_fleet.run_plain("h2", "db", SLEEP)
    async with stage_on(swarm_fleet) as stage:
        await settled(stage, eventually, service, 3)
        await settled(stage, eventually, bound, 1)
        made = await node_plan(stage, "h2", "drain")
        assert made.sentences[1] == "It starts them on other nodes: 1 of web."
        assert "1 of bound can run on no other node: it is down then." in made.warnings
        try:
            [result] = await stage.do(made)
            assert (result.outcome, result.words) == (
                Outcome.SUCCESS,
                "drained: none of the swarm's tasks runs there",
            )
            assert len(await settled(stage, eventually, service, 3)) == 3
            assert running(swarm_fleet, bound) == set()
            assert swarm_fleet.get("h2", f"/containers/{other}/json")["State"]["Running"]
            again = await node_plan(stage, "h2", "drain")
            assert again.blockers == ("The node h2 is drained already.",)
            stale = msgspec.structs.replace(made.steps[0], availability="pause")
            [refused] = await stage.do(msgspec.structs.replace(made, steps=(stale,)))
            assert refused.words == "the node was changed meanwhile (it is drain now): look again"
        finally:
            [result] = await stage.do(await node_plan(stage, "h2", "active"))
        assert (result.outcome, result.words) == (Outcome.SUCCESS, "it is active now")
        await settled(stage, eventually, bound, 1)
