"""What a simulated fleet shows to somebody who looks for the first time, and its incidents."""

from __future__ import annotations

import pytest
from fleettop.collectors.demo import INCIDENTS, DemoFleet
from fleettop.collectors.errors import ConfigError, Rejected

from .demo_play import Play, actions, told


@pytest.fixture
def play() -> Play:
    """Twelve machines, nothing happening but what the test does."""
    return Play()


def states(play: Play, stack: str, service: str) -> list[tuple[str, str]]:
    """State and health of the replicas of a service."""
    return [(container.state, container.health) for _, container in play.world.replicas(stack, service)]


def test_the_first_look_finds_a_deploy_that_does_not_start(play: Play) -> None:
    """pay/api is down since its deploy five minutes ago, and its log says why."""
    play.begin()
    found = play.world.replicas("pay", "api")
    assert {container.plan.ref for _, container in found} == {"pay-api:2.8.1"}
    assert all(container.state == "restarting" or container.fated > 5 for _, container in found)
    machine, container = found[0]
    assert 240 < play.world.now - container.created < 320
    assert actions(machine, container)[:3] == ["create", "start", "die 1"]
    assert "KeyError: 'LEDGER_URL'" in [text for _, _, text in container.said]


def test_the_first_look_finds_one_unhealthy_and_one_pending(play: Play) -> None:
    """pay/worker has one unhealthy replica of three; the swarm lacks the memory for a fourth transcoder."""
    play.begin()
    assert sorted(health for _, health in states(play, "pay", "worker")) == ["healthy", "healthy", "unhealthy"]
    assert play.world.swarm is not None
    service = play.world.swarm.find_service("media_transcode")
    pending = [task for task in service.tasks if task.state == "pending"]
    assert [task.error for task in pending] == ["no suitable node (insufficient resources on 3 nodes)"]


def test_soon_a_host_goes_and_returns(play: Play) -> None:
    """Half a minute in, an edge host is gone; two minutes later it is back with what its policies say."""
    play.begin()
    play.wait(30)
    gone = [machine for machine in play.world.machines if not machine.powered]
    assert [machine.name.partition("-")[0] for machine in gone] == ["edge"]
    play.wait(120)
    assert gone[0].powered
    assert sum(1 for _ in gone[0].running()) == len(gone[0].containers)


def test_it_keeps_moving(play: Play) -> None:
    """Events come for as long as one looks, and the fleet stays about as large as it was."""
    play.begin()
    before = sum(len(machine.containers) for machine in play.world.machines)
    last = 0
    for _ in range(12):
        play.wait(300)
        newest = max(event.nano for machine in play.world.machines for event in told(machine))
        assert newest > last
        last = newest
    after = sum(len(machine.containers) for machine in play.world.machines)
    assert abs(after - before) < before // 4


@pytest.mark.parametrize("incident", INCIDENTS)
def test_before_an_incident_all_is_well(play: Play, incident: str) -> None:
    """With an incident asked for nothing else is wrong, so that it stands out."""
    play.begin(incident)
    assert {(c.state, c.health) for _, c in play.world.containers()} <= {("running", "healthy"), ("running", "")}


def test_crash_loop_takes_all_replicas(play: Play) -> None:
    """All replicas of pay/api crash after a deploy."""
    play.begin("crash-loop")
    play.wait(60)
    assert all(container.plan.ref == "pay-api:2.8.1" for _, container in play.world.replicas("pay", "api"))
    assert all("die 1" in actions(machine, c) for machine, c in play.world.replicas("pay", "api"))


def test_half_deploy_leaves_two_versions(play: Play) -> None:
    """A deploy of shop/api stops in the middle: two images, two config hashes."""
    play.begin("half-deploy")
    play.wait(120)
    found = [container for _, container in play.world.replicas("shop", "api")]
    assert len({c.plan.ref for c in found}) == 2
    assert len({c.labels["com.docker.compose.config-hash"] for c in found}) == 2


def test_oom_strikes_again_and_again(play: Play) -> None:
    """search/indexer is killed for memory again and again."""
    play.begin("oom")
    play.wait(120)
    for machine, container in play.world.replicas("search", "indexer"):
        assert actions(machine, container).count("oom") >= 2


def test_dead_host_takes_one_machine(play: Play) -> None:
    """One web host is gone."""
    play.begin("dead-host")
    play.wait(20)
    assert [machine.name for machine in play.world.machines if not machine.powered] == ["web-2"]


def test_unhealthy_spreads_over_the_replicas(play: Play) -> None:
    """The replicas of search/api become unhealthy, one after the other."""
    play.begin("unhealthy")
    play.wait(240)
    assert {health for _, health in states(play, "search", "api")} == {"unhealthy"}


def test_frozen_silences_one_daemon(play: Play) -> None:
    """One daemon takes connections and answers nothing."""
    play.begin("frozen")
    play.wait(20)
    assert sum(machine.silent for machine in play.world.machines) == 1


def test_a_full_disk_ends_what_writes_and_lets_nothing_start(play: Play) -> None:
    """One host: what has a volume there ended with words of it; a start is refused in the daemon's own."""
    play.begin("disk-full")
    play.wait(60)
    [full] = [machine for machine in play.world.machines if machine.full]
    ended = [container for container in full.containers.values() if not container.alive]
    assert ended
    assert all("no space left on device" in container.said[-1][2] for container in ended)
    with pytest.raises(Rejected, match="no space left on device") as refused:
        full.start(ended[0])
    assert refused.value.status == 500
    play.wait(12 * 60)
    assert all(container.alive for container in ended)


def test_a_lost_quorum_leaves_the_swarm_without_a_leader(play: Play) -> None:
    """Two of three managers are gone."""
    play.begin("quorum-lost")
    play.wait(30)
    assert play.world.swarm is not None
    assert play.world.swarm.leader is None


def test_there_is_no_quorum_to_lose_in_a_small_fleet() -> None:
    """Below eight engines there is no swarm: that is a ConfigError with a way on."""
    with pytest.raises(ConfigError, match="no swarm") as refused:
        DemoFleet(engines=3, incident="quorum-lost")
    assert "--engines 8" in (refused.value.hint or "")


def test_a_noisy_neighbour_is_put_right_by_ending_it(play: Play) -> None:
    """The checks beside it fail for as long as it runs."""
    play.begin("noisy-neighbour")
    play.wait(70)
    machine, noisy = play.one("stock", "forecast")
    beside = [c for c in machine.running() if c.plan.check is not None]
    assert {container.health for container in beside} == {"unhealthy"}
    machine.stop(noisy, timeout=10, done=lambda: None)
    play.wait(10)
    assert {container.health for container in beside} == {"healthy"}
