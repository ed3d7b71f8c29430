"""The transitions of simulated engines: their events come in the sequences that dockerd was seen to send."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fleettop.collectors.demo.rows import inspect, row
from fleettop.collectors.demo.stats import sample
from fleettop.collectors.demo.things import Fate
from fleettop.collectors.errors import Rejected

from .demo_play import Play, actions


@pytest.fixture
def play() -> Play:
    """Twelve machines, nothing happening but what the test does."""
    return Play()


def nothing() -> None:
    """What is done when it is over."""


def test_stopping_is_kill_die_stop(play: Play) -> None:
    """`docker stop`: kill(15) die stop, and no restart by the policy."""
    machine, container = play.one("shop", "cart")
    assert machine.stop(container, timeout=10, done=nothing)
    assert actions(machine, container) == ["kill 15"]
    play.wait(5)
    assert actions(machine, container) == ["kill 15", "die 0", "stop"]
    assert (container.state, container.stopped_by_hand) == ("exited", True)


def test_stopping_one_that_does_not_listen_kills_it(play: Play) -> None:
    """What takes longer than the grace gets a second kill, with 9, and ends with 137."""
    machine, container = play.one("shop", "cart")
    machine.stop(container, timeout=0.1, done=nothing)
    play.wait(5)
    assert actions(machine, container) == ["kill 15", "kill 9", "die 137", "stop"]


def test_restarting_is_kill_die_stop_start_restart(play: Play) -> None:
    """`docker restart`, and then the health check finds it well."""
    machine, container = play.one("shop", "cart")
    over: list[float] = []
    machine.restart(container, timeout=10, done=lambda: over.append(play.world.now))
    play.wait(1)
    assert actions(machine, container) == ["kill 15", "die 0", "stop", "start", "restart"]
    assert len(over) == 1
    assert row(machine, container, play.world.now)["Status"].endswith("(health: starting)")
    play.wait(5)
    assert actions(machine, container)[-1] == "health_status: healthy"
    assert container.restart_count == 0


def test_killing_is_kill_die_without_stop(play: Play) -> None:
    """`docker kill`: kill(9) die(137), and it stays down."""
    machine, container = play.one("shop", "cart")
    machine.kill(container, "SIGKILL", done=nothing)
    play.wait(30)
    assert actions(machine, container) == ["kill 9", "die 137"]
    assert container.state == "exited"


def test_a_harmless_signal_ends_nothing(play: Play) -> None:
    """SIGHUP is told and that is all."""
    machine, container = play.one("shop", "cart")
    machine.kill(container, "HUP", done=nothing)
    play.wait(5)
    assert actions(machine, container) == ["kill 1"]
    assert container.state == "running"


def test_a_crash_with_a_policy_is_die_start(play: Play) -> None:
    """Its restart policy brings it back, and the count goes up."""
    machine, container = play.one("shop", "cart")
    machine.end(container, 3)
    assert container.state == "restarting"
    assert row(machine, container, play.world.now)["Status"] == "Restarting (3) Less than a second ago"
    play.wait(1)
    assert actions(machine, container) == ["die 3", "start"]
    assert container.restart_count == 1


def test_out_of_memory_is_oom_die_137(play: Play) -> None:
    """And an inspect says OOMKilled."""
    machine, container = play.one("shop", "cart")
    container.policy = "no"
    machine.end(container, 137, oom=True)
    assert actions(machine, container) == ["oom", "die 137"]
    state = inspect(machine, container, play.world.now)["State"]
    assert (state["OOMKilled"], state["ExitCode"], state["Status"]) == (True, 137, "exited")


def test_removing_by_force_is_kill_die_destroy(play: Play) -> None:
    """`docker rm -f`; without force a running one is a conflict."""
    machine, container = play.one("shop", "cart")
    with pytest.raises(Rejected) as caught:
        machine.remove(container, done=nothing)
    assert caught.value.status == 409
    machine.remove(container, force=True, done=nothing)
    play.wait(1)
    assert actions(machine, container) == ["kill 9", "die 137", "destroy"]
    assert container.id not in machine.containers


def test_a_crash_loop_waits_longer_each_time(play: Play) -> None:
    """Docker doubles the pause up to a minute, as long as it does not run for ten seconds."""
    machine, container = play.one("shop", "cart")
    container.fate = Fate("crash", 1.0, 1, words=("bye",))
    machine.befall(container, container.fate)
    play.wait(200)
    deaths = actions(machine, container).count("die 1")
    assert 8 <= deaths <= 12
    assert container.said[-1][2] == "bye"


def test_failing_probes_make_it_unhealthy(play: Play) -> None:
    """As many as its check says; the log shows them, with the streak."""
    machine, container = play.one("shop", "cart")
    check = container.plan.check
    assert check is not None
    machine.sicken(container, "no route\n")
    play.wait(check.interval * 2)
    assert container.health == "healthy"
    play.wait(check.interval * 2)
    health = inspect(machine, container, play.world.now)["State"]["Health"]
    assert health["Status"] == "unhealthy"
    assert health["FailingStreak"] >= check.retries
    assert [probe["Output"] for probe in health["Log"]][-1] == "no route\n"
    assert actions(machine, container) == ["health_status: unhealthy"]


def test_a_dead_machine_forgets_and_comes_back_by_its_policies(play: Play) -> None:
    """No event tells of the death; what is `always` or `unless-stopped` runs again, what was stopped does not."""
    machine, container = play.one("shop", "cart")
    other = next(c for c in machine.containers.values() if c is not container and c.policy == "unless-stopped")
    machine.stop(other, timeout=10, done=nothing)
    play.wait(2)
    play.world.power(machine, on=False)
    assert list(machine.ring.past(1, None, {})) == []
    assert (container.state, container.exit_code) == ("exited", 255)
    play.wait(60)
    play.world.power(machine, on=True)
    play.wait(10)
    assert (container.state, other.state) == ("running", "exited")
    assert actions(machine, container)[0] == "start"


def test_a_published_port_is_taken_once(play: Play) -> None:
    """Starting a second container on the same host port fails as Docker's does, with 500."""
    machine, container = next(
        (m, c) for m, c in play.world.containers() if any(port.public for port in c.plan.ports) and c.alive
    )
    twin = machine.create(replace(container.plan, name="twin"))
    with pytest.raises(Rejected, match="port is already allocated") as caught:
        machine.start(twin)
    assert caught.value.status == 500


def test_cpu_counters_only_grow(play: Play) -> None:
    """Also over a pause; what is paused uses nothing."""
    machine, container = play.one("shop", "cart")

    def used() -> int:
        found = sample(machine, container, play.world.now, one_shot=True)
        return int(found["cpu_stats"]["cpu_usage"]["total_usage"])

    seen = [used()]
    for _ in range(20):
        play.wait(7)
        seen.append(used())
    machine.freeze(container, on=True)
    play.wait(5)
    paused = used()
    play.wait(50)
    assert used() == paused
    machine.freeze(container, on=False)
    seen.append(used())
    play.wait(5)
    seen.append(used())
    assert seen == sorted(seen)
    assert seen[0] < seen[-1]


def test_the_same_play_is_the_same_to_the_last_event() -> None:
    """Everything follows from the seed and the clock."""

    def story() -> list[bytes]:
        play = Play(seed=3)
        play.begin()
        play.wait(600)
        return [event.line for machine in play.world.machines for event in machine.ring.past(1, None, {})]

    assert story() == story()
