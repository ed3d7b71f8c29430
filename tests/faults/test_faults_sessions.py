"""Stopping and going on, one engine under two addresses, and a swarm that cannot be seen."""

from __future__ import annotations

import asyncio

import pytest
from fleettop.collectors.fleet import engines as fleet_engines
from fleettop.collectors.model import ContainerKey, ContainerState, LinkPhase, ServiceState

from tests.fleet import Fleet

from .stage import Eventually, called, fault, heal, ran, watching


async def test_a_session_that_is_stopped_lets_go_and_tells_the_gap_when_it_goes_on(
    fleet: Fleet, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F20: no engine waits for a stopped process; afterwards everything is read again and the span is on record."""
    key, gone = await ran(fleet, "h1", "web"), await ran(fleet, "h2", "db")
    names = ("h1", "h2")
    monkeypatch.setattr(fleet_engines, "GRACE", 60.0)
    async with watching(fleet.address("h1", "unix"), fleet.address("h2", "ssh")) as stage:
        await stage.session.suspend()
        assert all(stage.session.client(name) is None for name in names)
        assert not any(stage.live(name) for name in names)
        listeners = await eventually(lambda: [fleet.get(name, "/info")["NEventsListener"] for name in names])
        assert listeners == [0, 0]
        await asyncio.to_thread(fleet.docker, "h1", "pause", key.id)
        await asyncio.to_thread(fleet.docker, "h2", "rm", "-f", gone.id)
        stage.session.resume()
        await eventually(lambda: all(stage.engine(name).link.phase is not LinkPhase.CLOSED for name in names))
        states: set[ServiceState] = set()

        def live() -> bool:
            both = stage.live("h1") and stage.live("h2")
            states.update(service.state for service in stage.session.fleet.services.values())
            return both

        await eventually(live)
        assert ServiceState.UNKNOWN not in states
        assert stage.container(key).state is ContainerState.PAUSED
        assert gone not in stage.session.fleet.containers
        for name, hidden in (("h1", "shop-web-1: running → paused"), ("h2", "shop-db-1 is gone")):
            gap = await eventually(lambda name=name: stage.closed_gap(name))
            assert "stopped for a while" in gap.what
            assert hidden in gap.reason


async def test_a_session_may_be_stopped_and_left_without_going_on(fleet: Fleet) -> None:
    """Twice is as good as once, and leaving while stopped leaves nothing."""
    before = len(asyncio.all_tasks())
    async with watching(fleet.address("h1", "unix")) as stage:
        await stage.session.suspend()
        await stage.session.suspend()
    assert len(asyncio.all_tasks()) == before


async def test_one_engine_under_two_addresses_counts_once_and_the_other_takes_over(
    fleet: Fleet, eventually: Eventually
) -> None:
    """F22: the second is marked and asks for nothing; when the first is cut it goes on, and nothing is missed."""
    key = await ran(fleet, "h1", "web")
    ways = (called(fleet.address("h1", "ssh"), "by-ssh"), called(fleet.address("h1", "tls"), "by-tls"))
    cuts = {"by-ssh": (("kill-sshd",), ("cut-ssh",)), "by-tls": (("reject", ":2376"),)}
    async with watching(*ways, live=False) as stage:
        engines = stage.session.fleet.engines
        await eventually(lambda: sorted(bool(status.same_as) for status in engines.values()) == [False, True])
        first, second = sorted(engines, key=lambda name: bool(engines[name].same_as))
        assert engines[second].same_as == first
        await eventually(lambda: list(stage.session.fleet.containers) == [ContainerKey(first, key.id)])
        up_since = engines[second].link.since
        for what in cuts[first]:
            await fault(fleet, "h1", *what)
        await eventually(lambda: stage.live(second) and not engines[second].same_as, timeout=30)
        assert engines[second].link.since == up_since
        assert list(stage.session.fleet.containers) == [ContainerKey(second, key.id)]
        assert len(stage.service("web").replicas) == 1
        gap = await eventually(lambda: stage.closed_gap(second))
        assert gap.what.startswith("nothing missed")
        assert stage.gaps() == [gap]  # one engine, one gap, under one name
        await asyncio.to_thread(fleet.docker, "h1", "pause", key.id)
        await eventually(lambda: stage.container(ContainerKey(second, key.id)).state is ContainerState.PAUSED)
        await heal(fleet, "h1")
        await eventually(lambda: engines[first].same_as == second and engines[first].link.phase == "up", timeout=40)
        assert len(stage.session.fleet.containers) == 1


async def test_one_podman_under_two_addresses_is_one_and_the_other_takes_over(
    fleet: Fleet, eventually: Eventually
) -> None:
    """F22: its containers tell, since it makes up a new id for every answer; also one that is made later."""
    ways = (called(fleet.address("pod1", "ssh"), "by-ssh"), called(fleet.address("pod1", "unix"), "local"))
    async with watching(*ways) as stage:
        containers, engines = stage.session.fleet.containers, stage.session.fleet.engines
        assert [status.same_as for status in engines.values()] == ["", ""]
        key = await ran(fleet, "pod1", "web")
        await eventually(lambda: sorted(bool(status.same_as) for status in engines.values()) == [False, True])
        first, _ = sorted(engines, key=lambda name: bool(engines[name].same_as))
        await eventually(lambda: list(containers) == [ContainerKey(first, key.id)])
    async with watching(*ways, live=False) as stage:
        containers, engines = stage.session.fleet.containers, stage.session.fleet.engines
        await eventually(lambda: sorted(bool(status.same_as) for status in engines.values()) == [False, True])
        first, _ = sorted(engines, key=lambda name: bool(engines[name].same_as))
        await eventually(lambda: list(containers) == [ContainerKey(first, key.id)])
        await fault(fleet, "pod1", "kill-sshd")
        await fault(fleet, "pod1", "cut-ssh")
        await eventually(lambda: stage.live("local") and not engines["local"].same_as, timeout=30)
        assert list(containers) == [ContainerKey("local", key.id)]
        await asyncio.to_thread(fleet.on, "pod1", "podman", "--runtime", "runc", "kill", key.id)
        await eventually(lambda: stage.container(ContainerKey("local", key.id)).state is ContainerState.EXITED)
        await eventually(lambda: all("from here on" not in gap.what for gap in stage.gaps()))
        assert len(stage.gaps()) == (1 if first == "by-ssh" else 0)


async def test_both_addresses_lost_leave_one_gap_that_the_first_to_come_back_closes(
    fleet: Fleet, eventually: Eventually
) -> None:
    """F22: what the one had read is the other's to go on with, though it did not stand by at that moment."""
    key = await ran(fleet, "h1", "web")
    ways = (called(fleet.address("h1", "ssh"), "by-ssh"), called(fleet.address("h1", "tls"), "by-tls"))
    async with watching(*ways, live=False) as stage:
        engines = stage.session.fleet.engines
        await eventually(lambda: sorted(bool(status.same_as) for status in engines.values()) == [False, True])
        first, second = sorted(engines, key=lambda name: bool(engines[name].same_as))
        await eventually(lambda: list(stage.session.fleet.containers) == [ContainerKey(first, key.id)])
        await fault(fleet, "h1", "kill")
        await eventually(lambda: stage.down("by-ssh") and stage.down("by-tls"), timeout=40)
        assert [gap.what.partition(":")[0] for gap in stage.gaps()] == ["nothing known from here on"]
        await fault(fleet, "h1", "reject", {"by-ssh": ":22", "by-tls": ":2376"}[first])
        fleet.hosts.start_engine(fleet.state.hosts["h1"])
        await eventually(lambda: stage.live(second) and not engines[second].same_as, timeout=60)
        gap = await eventually(lambda: stage.closed_gap(second))
        assert stage.gaps() == [gap]
        assert gap.what.startswith("nothing known for ")
        assert gap.reason == "shop-web-1: running → exited"


async def test_a_swarm_without_quorum_is_not_knowable_and_not_empty(swarm_fleet: Fleet, eventually: Eventually) -> None:
    """F25: two of three managers frozen: the calls hang on the third, and what it shows is not "0 services"."""
    fleet = swarm_fleet
    await asyncio.to_thread(fleet.run_service, "api", "sleep 1000", 2)
    for host in ("h2", "h3"):
        await asyncio.to_thread(fleet.docker, "h1", "node", "promote", host)
    try:
        async with watching(fleet.address("h1", "unix")) as stage:
            (cluster,) = await eventually(lambda: list(stage.session.fleet.swarms))

            def managers() -> int:
                nodes = stage.session.fleet.swarms[cluster].nodes
                return sum(node.reachability == "reachable" for node in nodes)

            await eventually(lambda: managers() == 3 and stage.service("api"), timeout=40)
            await fault(fleet, "h2", "freeze")
            await fault(fleet, "h3", "freeze")
            picture = await eventually(lambda: (p := stage.session.fleet.swarms[cluster]).error and p, timeout=60)
            assert picture.error
            assert stage.service("api").wanted == 2
            assert stage.live("h1")
            await heal(fleet, "h2")
            await heal(fleet, "h3")
            await eventually(lambda: not stage.session.fleet.swarms[cluster].error, timeout=60)
            assert stage.service("api")
    finally:
        for host in ("h2", "h3"):
            await heal(fleet, host)
        for host in ("h2", "h3"):
            await asyncio.to_thread(fleet.docker, "h1", "node", "demote", host, check=False)
