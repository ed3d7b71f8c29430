"""Acting on real engines: containers over several hosts, clones, removals, by every way there is."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

import pytest
from fleettop.collectors.actions import Outcome, StepResult, Verb
from fleettop.collectors.errors import ReadOnly

from tests.collectors.actions_stage import off_loop, stage_on
from tests.fleet import Fleet
from tests.fleet.load import HEALTH

SLEEP = "sh -c 'trap exit TERM; while :; do sleep 0.1; done'"
HEALTHY = {"Healthcheck": HEALTH}


def started(fleet: Fleet, host: str, container: str) -> datetime:
    text: str = fleet.get(host, f"/containers/{container}/json")["State"]["StartedAt"]
    return datetime.fromisoformat(text[:26].rstrip("Z") + "+00:00")


def outcomes(results: tuple[StepResult, ...]) -> list[Outcome]:
    return [result.outcome for result in results]


# -- one after the other -----------------------------------------------------------------------------------------------


async def test_a_service_on_three_hosts_is_restarted_one_after_the_other_each_healthy_before_the_next(
    fleet: Fleet,
) -> None:
    """The next replica starts only when the one before is running and healthy."""
    ids = {host: fleet.run(host, "pay", "api", "web", n, **HEALTHY) for n, host in enumerate(("h1", "h2", "h3"), 1)}
    async with stage_on(fleet) as stage:
        await stage.look()
        before = {host: started(fleet, host, container) for host, container in ids.items()}
        results = await stage.act(Verb.RESTART, stage.service("api"))
        assert outcomes(results) == [Outcome.SUCCESS] * 3
        assert all("healthy after" in result.words for result in results)
    order = sorted(ids, key=lambda host: started(fleet, host, ids[host]))
    assert [result.step.engine for result in results] == order
    for first, second in itertools.pairwise(order):
        state = fleet.get(first, f"/containers/{ids[first]}/json")["State"]
        assert state["StartedAt"] > before[first].isoformat()
        healthy = next(p for p in state["Health"]["Log"] if p["ExitCode"] == 0)
        assert healthy["End"][:26] < started(fleet, second, ids[second]).isoformat()


async def test_a_restart_halts_at_the_first_replica_that_does_not_come_up_and_skips_the_rest(fleet: Fleet) -> None:
    """What still serves is left alone."""
    fleet.run("h1", "pay", "api", "sh -c 'exit 7'", 1)
    good = fleet.run("h2", "pay", "api", SLEEP, 2)
    before = started(fleet, "h2", good)
    async with stage_on(fleet) as stage:
        await stage.look()
        results = await stage.act(Verb.RESTART, stage.service("api"))
    assert outcomes(results) == [Outcome.FAILURE, Outcome.SKIPPED]
    assert results[0].words == "restarted, but it ended with code 7"
    assert results[1].words == "not begun, since pay-api-1 did not end well"
    assert started(fleet, "h2", good) == before


# -- stop, start, pause, kill ------------------------------------------------------------------------------------------


async def test_a_service_is_stopped_and_started_on_all_its_hosts(fleet: Fleet) -> None:
    """And what is so already is said to be."""
    ids = {host: fleet.run(host, "pay", "api", SLEEP) for host in ("h1", "h2")}
    async with stage_on(fleet) as stage:
        await stage.look()
        made = await stage.plan(Verb.STOP, stage.service("api"))
        assert outcomes(await stage.do(made)) == [Outcome.SUCCESS] * 2
        assert {stage.inspect(host, one)["State"]["Status"] for host, one in ids.items()} == {"exited"}
        again = await stage.do(made)
        assert [result.words for result in again] == ["it was stopped already"] * 2
        assert outcomes(await stage.act(Verb.START, stage.service("api"))) == [Outcome.SUCCESS] * 2
        assert {stage.inspect(host, one)["State"]["Status"] for host, one in ids.items()} == {"running"}


async def test_a_container_is_paused_and_resumed(fleet: Fleet) -> None:
    """It keeps its process."""
    container = fleet.run_plain("h1", "db", SLEEP)
    async with stage_on(fleet, ["h1"]) as stage:
        key = await stage.key("h1", container)
        pid = stage.inspect("h1", container)["State"]["Pid"]
        assert outcomes(await stage.act(Verb.PAUSE, key)) == [Outcome.SUCCESS]
        assert stage.inspect("h1", container)["State"]["Status"] == "paused"
        assert outcomes(await stage.act(Verb.UNPAUSE, key)) == [Outcome.SUCCESS]
        state = stage.inspect("h1", container)["State"]
        assert (state["Status"], state["Pid"]) == ("running", pid)


async def test_a_signal_arrives(fleet: Fleet, eventually: Any) -> None:
    """USR1 is the one that was chosen."""
    container = fleet.run_plain("h1", "db", "sh -c \"trap 'exit 41' USR1; while :; do sleep 0.1; done\"")
    async with stage_on(fleet, ["h1"]) as stage:
        key = await stage.key("h1", container)
        results = await stage.act(Verb.KILL, key, signal="usr1")
        assert [result.words for result in results] == ["SIGUSR1 sent"]
        await eventually(lambda: stage.inspect("h1", container)["State"]["ExitCode"] == 41)


async def test_the_time_a_container_has_to_stop_is_its_own(fleet: Fleet) -> None:
    """Docker's SDK would send 10 s with every restart."""
    container = fleet.run_plain("h1", "slow", "slowstop", StopTimeout=1)
    async with stage_on(fleet, ["h1"]) as stage:
        key = await stage.key("h1", container)
        [result] = await stage.act(Verb.RESTART, key)
    assert result.outcome is Outcome.SUCCESS
    assert result.seconds < 5


async def test_a_container_that_vanished_is_said_to_be_gone(fleet: Fleet) -> None:
    """F24: no error, a word."""
    container = fleet.run_plain("h1", "db", SLEEP)
    async with stage_on(fleet, ["h1"]) as stage:
        made = await stage.plan(Verb.STOP, await stage.key("h1", container))
        fleet.docker("h1", "rm", "-f", container)
        [result] = await stage.do(made)
    assert result.outcome is Outcome.FAILURE
    assert result.words == "it is gone: somebody removed it meanwhile"


@pytest.mark.parametrize("way", ["tls", "ssh"])
async def test_changes_go_every_way_there_is(fleet: Fleet, way: str) -> None:
    """mTLS over TCP, and a socket forwarded over SSH."""
    container = fleet.run_plain("h1", "db", SLEEP)
    async with stage_on(fleet, ["h1"], way=way) as stage:
        key = await stage.key("h1", container)
        before = started(fleet, "h1", container)
        assert outcomes(await stage.act(Verb.RESTART, key)) == [Outcome.SUCCESS]
        assert started(fleet, "h1", container) > before


async def test_podman_is_acted_on_as_well(fleet: Fleet) -> None:
    """Its Docker-compatible API takes the same calls."""
    container = fleet.run_plain("pod1", "db", SLEEP)
    async with stage_on(fleet, ["pod1"]) as stage:
        key = await stage.key("pod1", container)
        assert outcomes(await stage.act(Verb.RESTART, key)) == [Outcome.SUCCESS]
        assert outcomes(await stage.act(Verb.STOP, key)) == [Outcome.SUCCESS]
        assert outcomes(await stage.act(Verb.START, key)) == [Outcome.SUCCESS]


# -- more and fewer ----------------------------------------------------------------------------------------------------


async def test_one_more_replica_is_made_as_compose_would_have_made_it(fleet: Fleet) -> None:
    """Same image, environment, networks by alias, labels but for the number: compose adopts it."""
    fleet.docker("h1", "network", "create", "pay_default")
    fleet.docker("h1", "network", "create", "pay_back")
    first = fleet.run(
        "h1", "pay", "api", "web", 1, Env=["SECRET=s3cret", "A=1"], Healthcheck=HEALTH, Volumes={"/data": {}},
        HostConfig={"NetworkMode": "pay_default", "PortBindings": {"8080/tcp": [{"HostPort": ""}]}, "Memory": 64 << 20},
        NetworkingConfig={"EndpointsConfig": {"pay_default": {"Aliases": ["pay-api-1", "api"]}}},
        ExposedPorts={"8080/tcp": {}},
    )  # fmt: skip
    fleet.docker("h1", "network", "connect", "--alias", "back-api", "pay_back", first)
    async with stage_on(fleet, ["h1"]) as stage:
        await stage.look()
        [result] = await stage.act(Verb.SCALE, stage.service("api"), by=1)
        assert result.outcome is Outcome.SUCCESS, result.words
        old, new = stage.inspect("h1", first), stage.inspect("h1", result.object_id)
    assert new["Name"] == "/pay-api-2"
    assert new["Image"] == old["Image"]
    assert new["Config"]["Image"] == old["Config"]["Image"]
    assert new["Config"]["Env"] == old["Config"]["Env"]
    assert new["Config"]["Healthcheck"] == old["Config"]["Healthcheck"]
    assert new["Config"]["Hostname"] == new["Id"][:12]
    assert new["HostConfig"]["Memory"] == 64 << 20
    number = "com.docker.compose.container-number"
    assert new["Config"]["Labels"] == {**old["Config"]["Labels"], number: "2"}
    networks = new["NetworkSettings"]["Networks"]
    assert set(networks) == {"pay_default", "pay_back"}
    own = {new["Id"][:12]}  # among them before API 1.45
    assert set(networks["pay_default"]["Aliases"]) - own == {"pay-api-2", "api"}
    assert set(networks["pay_back"]["Aliases"]) - own == {"back-api"}
    [old_volume], [new_volume] = old["Mounts"], new["Mounts"]
    assert new_volume["Destination"] == "/data"
    assert new_volume["Name"] != old_volume["Name"]


async def test_more_replicas_go_to_the_hosts_with_the_fewest_and_fewer_takes_the_highest_away(fleet: Fleet) -> None:
    """Up from 2 to 5 and down to 2 again over two hosts; the originals are those that stay."""
    fleet.run("h1", "pay", "api", SLEEP, 1)
    fleet.run("h2", "pay", "api", SLEEP, 2)
    async with stage_on(fleet, ["h1", "h2"]) as stage:
        await stage.look()
        up = await stage.act(Verb.SCALE, stage.service("api"), to=5)
        assert outcomes(up) == [Outcome.SUCCESS] * 3
        assert sorted(stage.names("h1") + stage.names("h2")) == [f"pay-api-{n}" for n in range(1, 6)]
        assert abs(len(stage.names("h1")) - len(stage.names("h2"))) == 1
        down = await stage.act(Verb.SCALE, stage.service("api"), to=2)
        assert [result.words for result in down] == ["stopped and removed"] * 3
        assert (stage.names("h1"), stage.names("h2")) == (["pay-api-1"], ["pay-api-2"])


async def test_removing_a_replica_keeps_its_volumes(fleet: Fleet) -> None:
    """Also the anonymous ones."""
    fleet.run("h1", "pay", "db", SLEEP, 1)
    fleet.run("h1", "pay", "db", SLEEP, 2, Volumes={"/data": {}})
    async with stage_on(fleet, ["h1"]) as stage:
        await stage.look()
        volumes = fleet.get("h1", "/volumes")["Volumes"]
        assert outcomes(await stage.act(Verb.SCALE, stage.service("db"), by=-1)) == [Outcome.SUCCESS]
        assert stage.names("h1") == ["pay-db-1"]
    assert fleet.get("h1", "/volumes")["Volumes"] == volumes != []


FIXED = {
    "ExposedPorts": {"8080/tcp": {}},
    "HostConfig": {"PortBindings": {"8080/tcp": [{"HostPort": "18080"}]}},
}


@pytest.mark.parametrize("running", [True, False])
async def test_a_fixed_published_port_in_the_way_is_said_beforehand(fleet: Fleet, running: bool) -> None:
    """Nothing is made, also where the one that has the port is stopped: both could never run."""
    fleet.run("h1", "pay", "api", "web", 1, **FIXED)
    if not running:
        fleet.docker("h1", "stop", "-t", "0", "pay-api-1")
    async with stage_on(fleet, ["h1"]) as stage:
        await stage.look()
        made = await stage.plan(Verb.SCALE, stage.service("api"), by=1)
        assert not made.possible
        assert made.blockers == (
            "No more replica of pay/api can be made: port 18080/tcp of h1, which it publishes fixed, is taken by"
            " pay-api-1.",
        )
        assert stage.names("h1") == ["pay-api-1"]


async def test_a_fixed_port_goes_to_a_host_where_it_is_free(fleet: Fleet) -> None:
    """The host with the fewest that can take it, not the fewest alone; the plan says which."""
    fleet.run("h1", "pay", "api", "web", 1, **FIXED)
    fleet.run("h2", "pay", "api", "web", 2)
    fleet.run("h2", "pay", "api", "web", 3)
    async with stage_on(fleet, ["h1", "h2"]) as stage:
        fleet.docker("h2", "stop", "-t", "0", "pay-api-2", "pay-api-3")
        await stage.look()
        made = await stage.plan(Verb.SCALE, stage.service("api"), by=1)
        assert [(step.engine, step.object_name) for step in made.steps] == [("h2", "pay-api-4")]
        assert made.hosts == ("h2",)
        assert "pay-api-4 on h2" in made.sentences[0]
        assert outcomes(await stage.do(made)) == [Outcome.SUCCESS]
        assert fleet.on("h2", "busybox", "wget", "-qO-", "http://127.0.0.1:18080/") == "hello"


async def test_a_port_taken_between_asking_and_doing_is_refused(fleet: Fleet) -> None:
    """What is in the way is looked for once more."""
    fleet.run("h1", "pay", "api", "web", 1, **FIXED)
    fleet.run("h2", "pay", "api", "web", 2)
    fleet.docker("h2", "stop", "-t", "0", "pay-api-2")
    async with stage_on(fleet, ["h1", "h2"]) as stage:
        await stage.look()
        made = await stage.plan(Verb.SCALE, stage.service("api"), by=1)
        fleet.run_plain("h2", "quicker", "web", **FIXED)
        [result] = await stage.do(made)
        assert result.outcome is Outcome.REFUSED
        assert result.words.endswith("port 18080/tcp of h2, which it publishes fixed, is taken by quicker")
        assert stage.names("h2") == ["pay-api-2", "quicker"]


async def test_a_clone_that_cannot_start_leaves_nothing_behind(fleet: Fleet) -> None:
    """A port that no container but another program holds shows only when starting."""
    fleet.run("h1", "pay", "api", "web", 1, **FIXED)
    fleet.run("h2", "pay", "api", "web", 2)
    fleet.docker("h2", "stop", "-t", "0", "pay-api-2")
    fleet.run_plain("h2", "squatter", "httpd -f -p 18080", HostConfig={"NetworkMode": "host"})
    async with stage_on(fleet, ["h1", "h2"]) as stage:
        await stage.look()
        [result] = await stage.act(Verb.SCALE, stage.service("api"), by=1)
        assert result.outcome is Outcome.FAILURE
        assert "could not be started" in result.words
        assert result.words.endswith("it was removed again")
        assert stage.names("h2") == ["pay-api-2", "squatter"]


async def test_a_host_without_the_image_or_the_network_is_no_place_for_a_clone(fleet: Fleet) -> None:
    """Nothing is pulled; the blocker says which host lacks what."""
    container = fleet.run_plain("h1", "maker", SLEEP)
    fleet.docker("h1", "commit", container, "only-here:1")
    fleet.docker("h1", "rm", "-f", container)
    fleet.docker("h1", "network", "create", "pay_default")
    on_network = {"NetworkMode": "pay_default"}
    fleet.run("h1", "pay", "api", SLEEP, 1, Image="only-here:1", ExposedPorts={"80/tcp": {}}, HostConfig={
        **on_network, "PortBindings": {"80/tcp": [{"HostPort": "18082"}]}})  # fmt: skip
    fleet.run("h1", "shop", "web", SLEEP, 1, ExposedPorts={"80/tcp": {}}, HostConfig={
        **on_network, "PortBindings": {"80/tcp": [{"HostPort": "18083"}]}})  # fmt: skip
    for project, service in (("pay", "api"), ("shop", "web")):
        fleet.run("h2", project, service, SLEEP, 2)
        fleet.docker("h2", "stop", "-t", "0", f"{project}-{service}-2")
    async with stage_on(fleet, ["h1", "h2"]) as stage:
        await stage.look()
        [image] = (await stage.plan(Verb.SCALE, stage.service("api"), by=1)).blockers
        assert "h2 does not have the image only-here:1, and nothing is pulled" in image
        [network] = (await stage.plan(Verb.SCALE, stage.service("web"), by=1)).blockers
        assert "h2 has no network pay_default" in network
        del stage.reaches["h1"]
        assert (await stage.plan(Verb.SCALE, stage.service("web"), by=1)).blockers == ("There is no way to h1 now.",)


async def test_a_shared_volume_and_a_fixed_address_are_said_beforehand(fleet: Fleet) -> None:
    """Two programs on one volume are a person's decision."""
    fleet.docker("h1", "network", "create", "--subnet", "10.99.0.0/24", "pay_net")
    address = {"pay_net": {"IPAMConfig": {"IPv4Address": "10.99.0.7"}}}
    fleet.run(
        "h1", "pay", "db", SLEEP, 1, NetworkingConfig={"EndpointsConfig": address},
        HostConfig={"Binds": ["pay_data:/data"], "NetworkMode": "pay_net"},
    )  # fmt: skip
    async with stage_on(fleet, ["h1"]) as stage:
        await stage.look()
        made = await stage.plan(Verb.SCALE, stage.service("db"), by=1)
        assert made.warnings == (
            "Its fixed address 10.99.0.7 in pay_net is left out: it gets another.",
            "It shares the volume pay_data with pay-db-1: both may write to it.",
        )
        [result] = await stage.do(made)
        assert result.outcome is Outcome.SUCCESS, result.words
        assert stage.inspect("h1", result.object_id)["Mounts"][0]["Name"] == "pay_data"


async def test_a_replica_on_podman_is_cloned_and_removed(fleet: Fleet) -> None:
    """Podman's inspect, given back to its create."""
    fleet.run("pod1", "pay", "api", SLEEP, 1, Env=["A=1"])
    async with stage_on(fleet, ["pod1"]) as stage:
        await stage.look()
        [made] = await stage.act(Verb.SCALE, stage.service("api"), by=1)
        assert made.outcome is Outcome.SUCCESS, made.words
        assert stage.names("pod1") == ["pay-api-1", "pay-api-2"]
        assert "A=1" in stage.inspect("pod1", made.object_id)["Config"]["Env"]
        assert outcomes(await stage.act(Verb.SCALE, stage.service("api"), by=-1)) == [Outcome.SUCCESS]
        assert stage.names("pod1") == ["pay-api-1"]


# -- read-only ---------------------------------------------------------------------------------------------------------


async def test_a_plan_made_before_read_only_is_refused_when_performed(fleet: Fleet) -> None:
    """The way to the engine knows it too."""
    container = fleet.run_plain("h1", "db", SLEEP)
    async with stage_on(fleet, ["h1"]) as stage:
        made = await stage.plan(Verb.STOP, await stage.key("h1", container))
    async with stage_on(fleet, ["h1"], read_only=True) as stage:
        with pytest.raises(ReadOnly):
            await stage.do(made)
    assert (await off_loop(fleet.get, "h1", f"/containers/{container}/json"))["State"]["Running"]
