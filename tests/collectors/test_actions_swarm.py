"""Acting on a real swarm: its services' numbers and restarts, told to a manager; its tasks where they run."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from fleettop.collectors.actions import Outcome, Verb
from fleettop.collectors.actions.spec import service_now
from fleettop.collectors.actions.writer import Writer
from fleettop.collectors.errors import Rejected

from tests.collectors.actions_stage import QUICK, Stage, stage_on
from tests.fleet import Fleet

SLEEP = "sh -c 'trap exit TERM; while :; do sleep 0.1; done'"


def running(fleet: Fleet, service: str) -> set[str]:
    """Ids of the tasks that run and are wanted."""
    return {
        task["ID"]
        for task in fleet.get("h1", "/tasks")
        if task["ServiceID"] == service and task["DesiredState"] == "running" and task["Status"]["State"] == "running"
    }


async def settled(stage: Stage, eventually: Any, service: str, number: int) -> set[str]:
    """The tasks once that many run."""
    return await eventually(lambda: len(ids := running(stage.fleet, service)) == number and ids, timeout=30)


async def test_scaling_both_ways_never_replaces_a_running_task(swarm_fleet: Fleet, eventually: Any) -> None:
    """Task ids stay; the SDK's own scale replaced them."""
    service = swarm_fleet.run_service("web", SLEEP, 2, Labels={"keep": "me"})
    async with stage_on(swarm_fleet) as stage:
        first = await settled(stage, eventually, service, 2)
        spec = swarm_fleet.get("h1", f"/services/{service}")["Spec"]
        await stage.look()
        [up] = await stage.act(Verb.SCALE, stage.service("web"), to=4)
        assert (up.outcome, up.words) == (Outcome.SUCCESS, "4 of 4 run")
        more = running(swarm_fleet, service)
        assert len(more) == 4
        assert more > first
        [down] = await stage.act(Verb.SCALE, stage.service("web"), by=-3)
        assert (down.outcome, down.words) == (Outcome.SUCCESS, "1 of 1 run")
        assert running(swarm_fleet, service) < more
        after = swarm_fleet.get("h1", f"/services/{service}")["Spec"]
    assert after.pop("Mode") == {"Replicated": {"Replicas": 1}}
    spec.pop("Mode")
    assert after == spec


async def test_a_service_that_was_changed_meanwhile_is_asked_about_again(swarm_fleet: Fleet, eventually: Any) -> None:
    """The number a person saw is not the one there is: refused, and nothing is sent."""
    service = swarm_fleet.run_service("web", SLEEP, 1)
    async with stage_on(swarm_fleet) as stage:
        await settled(stage, eventually, service, 1)
        await stage.look()
        made = await stage.plan(Verb.SCALE, stage.service("web"), by=1)
        swarm_fleet.docker("h1", "service", "scale", "-d", "web=3")
        [result] = await stage.do(made)
        assert result.outcome is Outcome.REFUSED
        assert result.words == "the service was changed meanwhile (it wants 3 replicas now): look again"
        assert swarm_fleet.get("h1", f"/services/{service}")["Spec"]["Mode"]["Replicated"]["Replicas"] == 3


async def test_an_old_version_is_out_of_sequence_and_is_not_sent_again(swarm_fleet: Fleet, monkeypatch: Any) -> None:
    """A change between reading the spec and sending it: said, and left to a person."""
    service = swarm_fleet.run_service("web", SLEEP, 1)
    sent = []
    send = Writer.update_service

    async def late(self: Writer, name: str, *, version: int, spec: Any) -> bool:
        sent.append(version)
        swarm_fleet.docker("h1", "service", "update", "-d", "--label-add", "a=b", "web")
        return await send(self, name, version=version, spec=spec)

    monkeypatch.setattr(Writer, "update_service", late)
    async with stage_on(swarm_fleet) as stage:
        await stage.look()
        [result] = await stage.act(Verb.SCALE, stage.service("web"), by=1)
    assert result.outcome is Outcome.REFUSED
    assert result.words == "the service was changed meanwhile (it wants 1 replica now): look again"
    assert len(sent) == 1
    assert swarm_fleet.get("h1", f"/services/{service}")["Spec"]["Mode"]["Replicated"]["Replicas"] == 1


async def test_the_engine_itself_says_out_of_sequence(swarm_fleet: Fleet) -> None:
    """The words that the above rests on."""
    service = swarm_fleet.run_service("web", SLEEP, 1)
    async with stage_on(swarm_fleet, ["h1"]) as stage:
        way = stage.reaches["h1"]
        now = await service_now(way, "h1", service)
        assert now is not None
        writer = Writer(way.endpoint, api=way.api, engine="h1")
        with pytest.raises(Rejected, match="out of sequence") as caught:
            await writer.update_service(service, version=now.version - 1, spec=now.spec)
        await writer.close()
    assert caught.value.status == 500


async def test_a_global_service_cannot_be_scaled(swarm_fleet: Fleet) -> None:
    """It has one task on every node."""
    swarm_fleet.run_service("agent", SLEEP, 1, Mode={"Global": {}})
    async with stage_on(swarm_fleet) as stage:
        await stage.look()
        made = await stage.plan(Verb.SCALE, stage.service("agent"), by=1)
    assert made.blockers[0].startswith("The service agent is a global service")


async def test_what_cannot_be_placed_is_told_in_the_swarms_words(swarm_fleet: Fleet) -> None:
    """The swarm took the number, and that is not the same as running."""
    task = {
        "ContainerSpec": {"Image": "bb:1", "Command": ["sleep", "99"], "StopGracePeriod": 0},
        "Placement": {"Constraints": ["node.hostname==nowhere"]},
    }
    swarm_fleet.run_service("web", SLEEP, 0, TaskTemplate=task)
    async with stage_on(swarm_fleet) as stage:
        await stage.look()
        made = await stage.plan(Verb.SCALE, stage.service("web"), to=1)
        [result] = await stage.do(made, pace=msgspec.structs.replace(QUICK, healthy=2))
    assert result.outcome is Outcome.FAILURE
    assert result.words.startswith("the swarm took it, but after 2.0 s 0 of 1 run: no suitable node")


async def test_a_restart_of_a_swarm_service_replaces_its_tasks_by_its_own_rule(
    swarm_fleet: Fleet, eventually: Any
) -> None:
    """One at a time, waited for to the end; nothing else in its spec is changed."""
    rule = {"Parallelism": 1, "Delay": 0, "Monitor": 100_000_000, "FailureAction": "pause"}
    service = swarm_fleet.run_service("web", SLEEP, 2, UpdateConfig=rule)
    async with stage_on(swarm_fleet) as stage:
        before = await settled(stage, eventually, service, 2)
        spec = swarm_fleet.get("h1", f"/services/{service}")["Spec"]
        await stage.look()
        made = await stage.plan(Verb.RESTART, stage.service("web"))
        assert made.sentences[-1] == "Its rule: 1 at a time; pauses if one fails."
        [result] = await stage.do(made)
        assert (result.outcome, result.words) == (Outcome.SUCCESS, "the swarm replaced 2 tasks")
        after = await settled(stage, eventually, service, 2)
    assert not after & before
    changed = swarm_fleet.get("h1", f"/services/{service}")["Spec"]
    assert changed["TaskTemplate"].pop("ForceUpdate") == 1
    spec["TaskTemplate"].pop("ForceUpdate", None)
    assert changed == spec


async def test_a_task_is_killed_on_the_node_where_it_runs_and_the_swarm_starts_another(
    swarm_fleet: Fleet, eventually: Any
) -> None:
    """Task to node to host: the manager does not have the container."""
    service = swarm_fleet.run_service("web", SLEEP, 1)
    swarm_fleet.docker("h1", "service", "update", "-d", "--constraint-add", "node.role==worker", "web")
    async with stage_on(swarm_fleet) as stage:

        async def elsewhere() -> Any:
            await stage.look()
            found = [c for c in stage.picture.members(stage.service("web")) if c.serving]
            return len(found) == 1 and found[0].engine != "h1" and found[0].key

        key = await eventually(elsewhere, timeout=30)
        before = running(swarm_fleet, service)
        made = await stage.plan(Verb.KILL, key)
        assert made.warnings == ("The swarm undoes this: it starts another for what ends.",)
        [result] = await stage.do(made)
        assert (result.step.engine, result.outcome) == (key.engine, Outcome.SUCCESS)
        await eventually(lambda: running(swarm_fleet, service) - before, timeout=20)
