"""Docker's own SDK against simulated engines: what acts on real ones acts on these."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import docker
import docker.errors
import pytest
from fleettop.collectors.demo import DemoFleet
from fleettop.collectors.demo.things import Container

from .demo_play import address_of, ask


@pytest.fixture
async def fleet() -> AsyncIterator[DemoFleet]:
    """Twelve engines in which nothing happens by itself."""
    async with DemoFleet(moving=False) as opened:
        yield opened


async def by_sdk(fleet: DemoFleet, engine: str, work: Callable[[Any], Any]) -> Any:
    """Do something with the SDK, in a thread."""

    def do() -> Any:
        client = docker.APIClient(base_url=f"unix://{address_of(fleet, engine).socket}", version="1.43", timeout=10)
        try:
            return work(client)
        finally:
            client.close()

    return await asyncio.to_thread(do)


def some(fleet: DemoFleet, stack: str, service: str) -> tuple[str, Container]:
    """A replica of a service, and its engine's name."""
    machine, container = fleet.world.replicas(stack, service)[0]
    return machine.name, container


async def test_a_container_is_stopped_and_started(fleet: DemoFleet) -> None:
    """Stopping takes its time and answers when it is over; again is 304, which the SDK takes as fine."""
    engine, container = some(fleet, "shop", "cart")
    await by_sdk(fleet, engine, lambda c: c.stop(container.id, timeout=3))
    assert container.state == "exited"
    await by_sdk(fleet, engine, lambda c: c.stop(container.id, timeout=3))
    await by_sdk(fleet, engine, lambda c: c.start(container.id))
    assert (container.state, container.health) == ("running", "starting")


async def test_a_restarted_container_becomes_healthy(fleet: DemoFleet, eventually: Callable[..., Any]) -> None:
    """Restarting answers when it runs; its check needs a few seconds more."""
    engine, container = some(fleet, "shop", "cart")
    before = container.started
    await by_sdk(fleet, engine, lambda c: c.restart(container.id, timeout=3))
    assert container.started > before
    assert container.health == "starting"
    await eventually(lambda: container.health == "healthy", timeout=8)


async def test_the_small_changes_are_made(fleet: DemoFleet) -> None:
    """Pause, rename, limits and policy, and a signal."""
    engine, container = some(fleet, "shop", "cart")
    address = address_of(fleet, engine)
    assert (await ask(address, f"/v1.43/containers/{container.id}/pause", "POST"))[0] == 204
    assert (await ask(address, f"/v1.43/containers/{container.id}/json"))[1]["State"]["Paused"]

    def change(client: Any) -> None:
        client.unpause(container.id)
        client.rename(container.id, "renamed")
        client.update_container("renamed", mem_limit="200m", restart_policy={"Name": "no"})
        client.kill("renamed", signal="SIGKILL")

    await by_sdk(fleet, engine, change)
    status, told = await ask(address_of(fleet, engine), "/v1.43/containers/renamed/json")
    assert status == 200
    assert (told["State"]["Status"], told["State"]["ExitCode"]) == ("exited", 137)
    assert (told["HostConfig"]["Memory"], told["HostConfig"]["RestartPolicy"]["Name"]) == (200 << 20, "no")


async def test_a_clone_is_made_from_what_an_inspect_told(fleet: DemoFleet, eventually: Callable[..., Any]) -> None:
    """Config, HostConfig and networks go back in; the clone is like its source, and becomes healthy too."""
    engine, container = some(fleet, "shop", "catalog")

    def clone(client: Any) -> str:
        told = client.inspect_container(container.id)
        labels = {**told["Config"]["Labels"], "com.docker.compose.container-number": "99"}
        host = {k: v for k, v in told["HostConfig"].items() if k != "PortBindings"}
        networks = {name: {"Aliases": one["Aliases"]} for name, one in told["NetworkSettings"]["Networks"].items()}
        config = {
            **told["Config"],
            "Labels": labels,
            "HostConfig": host,
            "NetworkingConfig": {"EndpointsConfig": networks},
        }
        made = client.create_container_from_config(config, "shop-catalog-99")
        client.start(made["Id"])
        return str(made["Id"])

    made = await by_sdk(fleet, engine, clone)
    twin = next(m for m in fleet.world.machines if m.name == engine).containers[made]
    assert twin.plan.image is container.plan.image
    assert twin.plan.nature is container.plan.nature
    assert {e.network for e in twin.endpoints} == {e.network for e in container.endpoints}
    await eventually(lambda: twin.health == "healthy", timeout=8)
    await by_sdk(fleet, engine, lambda c: c.remove_container(made, force=True))
    assert twin.removed


async def test_errors_are_those_of_the_engine(fleet: DemoFleet) -> None:
    """404 and 409 come as the SDK's own errors."""
    engine, container = some(fleet, "shop", "cart")
    with pytest.raises(docker.errors.NotFound):
        await by_sdk(fleet, engine, lambda c: c.start("nope"))
    with pytest.raises(docker.errors.APIError) as caught:
        await by_sdk(fleet, engine, lambda c: c.remove_container(container.id))
    assert caught.value.response.status_code == 409
    with pytest.raises(docker.errors.ImageNotFound):
        await by_sdk(fleet, engine, lambda c: c.create_container("nope:1"))


async def test_logs_are_framed_as_the_sdk_expects(fleet: DemoFleet) -> None:
    """Multiplexed frames, with and without times."""
    engine, container = some(fleet, "shop", "cart")
    text = await by_sdk(fleet, engine, lambda c: c.logs(container.id, tail=3))
    assert len(text.splitlines()) == 3
    timed = await by_sdk(fleet, engine, lambda c: c.logs(container.id, tail=1, timestamps=True))
    assert timed[:2] == b"20"


async def test_reads_of_the_sdk_work(fleet: DemoFleet) -> None:
    """Everything that a client lists."""

    def read(client: Any) -> None:
        assert client.ping()
        assert client.version()["ApiVersion"] == "1.47"
        assert client.info()["Containers"] == len(client.containers(all=True))
        assert client.containers(filters={"label": "com.docker.compose.project=shop"})
        assert client.images()
        assert client.inspect_image(client.images()[0]["RepoTags"][0])
        assert client.networks()
        assert client.inspect_network("bridge")["Name"] == "bridge"
        assert client.df()["Images"]
        assert client.stats(client.containers()[0]["Id"], stream=False)["cpu_stats"]

    await by_sdk(fleet, "web-1", read)
    assert (await by_sdk(fleet, "db-1", lambda c: c.volumes()))["Volumes"]


async def test_a_swarm_service_is_scaled_both_ways(fleet: DemoFleet, eventually: Callable[..., Any]) -> None:
    """Tasks and containers come and go; those that stay run on untouched."""
    assert fleet.world.swarm is not None
    service = fleet.world.swarm.find_service("notify_push")
    before = {task.id for task in service.tasks}
    wanted = len(before)

    def scale(client: Any, replicas: int) -> None:
        told = client.inspect_service("notify_push")
        spec = told["Spec"]
        spec["Mode"]["Replicated"]["Replicas"] = replicas
        url = client._url("/services/{0}/update", told["ID"])
        client._raise_for_status(client._post_json(url, data=spec, params={"version": told["Version"]["Index"]}))

    def running() -> int:
        return sum(1 for task in service.tasks if task.state == "running" and task.desired == "running")

    await by_sdk(fleet, "swm-1", lambda c: scale(c, wanted + 2))
    await eventually(lambda: running() == wanted + 2, timeout=10)
    assert before <= {task.id for task in service.tasks}
    await by_sdk(fleet, "swm-1", lambda c: scale(c, wanted - 1))
    await eventually(lambda: len(service.tasks) == wanted - 1, timeout=10)


async def test_a_stale_version_is_out_of_sequence(fleet: DemoFleet) -> None:
    """500 with the manager's words."""
    told = await by_sdk(fleet, "swm-1", lambda c: c.inspect_service("notify_push"))
    path = f"/v1.43/services/{told['ID']}/update?version={told['Version']['Index'] - 1}"
    status, answer = await ask(address_of(fleet, "swm-1"), path, "POST", told["Spec"])
    assert status == 500
    assert "out of sequence" in answer["message"]


async def test_only_a_swarm_knows_services(fleet: DemoFleet) -> None:
    """503 outside of it, as Docker answers."""
    status, answer = await ask(address_of(fleet, "web-1"), "/v1.43/services")
    assert status == 503
    assert "not a swarm manager" in answer["message"]
