"""The simulated swarm: what it does by itself when tasks end, nodes go, and services change."""

from __future__ import annotations

import pytest
from fleettop.collectors.demo.swarm import Swarm
from fleettop.collectors.demo.swarmcontainers import new_image
from fleettop.collectors.demo.swarmthings import Service
from fleettop.collectors.errors import Rejected

from .demo_play import Play, actions


@pytest.fixture
def play() -> Play:
    """Twelve machines, three of them a swarm."""
    return Play(containers=300)


def swarm_of(play: Play) -> Swarm:
    """The swarm."""
    assert play.world.swarm is not None
    return play.world.swarm


def running(service: Service) -> int:
    """Tasks that run and are to."""
    return sum(1 for task in service.tasks if task.state == "running" and task.desired == "running")


def test_a_killed_task_is_replaced(play: Play) -> None:
    """In the same slot, by another container; the old task is told as failed."""
    service = swarm_of(play).find_service("geo_api")
    wanted, task = service.wanted, service.tasks[0]
    assert task.node is not None
    assert task.container is not None
    task.node.machine.kill(task.container, "KILL", done=lambda: None)
    play.wait(0.2)
    assert (task.state, task.desired, task.error) == ("failed", "shutdown", "task: non-zero exit (137)")
    play.wait(15)
    assert running(service) == wanted
    fresh = service.tasks[-1]
    assert (fresh.slot, fresh.state) == (task.slot, "running")
    assert fresh.container is not None
    assert fresh.node is not None
    assert actions(fresh.node.machine, fresh.container)[:2] == ["create", "start"]


def test_an_update_replaces_task_after_task(play: Play) -> None:
    """One at a time; the service tells its update state, and managers tell events."""
    swarm = swarm_of(play)
    service = swarm.find_service("geo_api")
    wanted = service.wanted or 0
    spec = new_image(service, play.world.shelf, "geo-api:3.0.5", age=0)
    swarm.update(service, spec, version=service.version)
    least = wanted
    for _ in range(400):
        play.wait(0.25)
        least = min(least, running(service))
    assert least == wanted - 1
    assert service.update is not None
    assert service.update["State"] == "completed"
    assert {task.image.partition("@")[0] for task in service.tasks if task.state == "running"} == {"geo-api:3.0.5"}
    told = list(swarm.managers[0].machine.ring.past(1, None, {"type": ["service"]}))
    assert told[0].attributes["image.new"].startswith("geo-api:3.0.5@")
    assert [event.attributes.get("updatestate.new") for event in told[1:]] == ["updating", "completed"]
    assert {event.scope for event in told} == {"swarm"}


def test_a_dead_node_loses_its_tasks_to_others(play: Play) -> None:
    """After the heartbeats are missed; what fits nowhere else waits and says why."""
    swarm = swarm_of(play)
    service, hungry = swarm.find_service("geo_api"), swarm.find_service("media_transcode")
    wanted = service.wanted
    victim = list(swarm.nodes.values())[1]
    play.world.power(victim.machine, on=False)
    play.wait(30)
    assert victim.state == "down"
    fresh = [task for task in service.tasks if task.desired == "running"]
    assert len(fresh) == wanted
    assert all(task.node is not victim for task in fresh)
    assert [t.error for t in hungry.tasks if t.state == "pending"] == [
        "no suitable node (insufficient resources on 2 nodes)"
    ]
    play.world.power(victim.machine, on=True)
    play.wait(30)
    assert victim.state == "ready"
    assert running(hungry) == hungry.wanted


def test_draining_a_node_moves_its_tasks(play: Play) -> None:
    """Nothing runs on it any more, and all else is as wanted."""
    swarm = swarm_of(play)
    node = list(swarm.nodes.values())[2]
    with pytest.raises(Rejected, match="out of sequence"):
        swarm.update_node(node, {"Availability": "drain"}, version=node.version - 1)
    swarm.update_node(node, {"Availability": "drain", "Role": node.role}, version=node.version)
    play.wait(40)
    assert [t for t in swarm.tasks() if t.node is node and t.state == "running"] == []
    geo = swarm.find_service("geo_api")
    assert running(geo) == geo.wanted


def test_a_global_service_has_one_task_on_each_node(play: Play) -> None:
    """Also after one of them was killed."""
    swarm = swarm_of(play)
    service = swarm.find_service("watch_cadvisor")
    assert service.wanted is None
    task = service.tasks[0]
    assert task.node is not None
    assert task.container is not None
    task.node.machine.kill(task.container, "KILL", done=lambda: None)
    play.wait(15)
    nodes = [task.node for task in service.tasks if task.state == "running"]
    assert sorted(node.machine.name for node in nodes if node is not None) == ["swm-1", "swm-2", "swm-3"]


def test_without_most_managers_there_is_no_leader(play: Play) -> None:
    """Two of three gone: nobody leads."""
    swarm = swarm_of(play)
    for node in swarm.managers[:2]:
        play.world.power(node.machine, on=False)
    assert swarm.leader is None


def test_a_removed_service_takes_its_containers_along(play: Play) -> None:
    """Tasks and containers are gone after a while."""
    swarm = swarm_of(play)
    service = swarm.find_service("geo_tiles")
    containers = [task.container for task in service.tasks]
    swarm.remove(service)
    play.wait(10)
    assert all(container is not None and container.removed for container in containers)
    with pytest.raises(Rejected, match="not found"):
        swarm.find_service("geo_tiles")
