"""What happens to engines and their containers, as a session tells it."""

from __future__ import annotations

import asyncio
import signal
from datetime import UTC, datetime

from fleettop.collectors.errors import NoSocket, Refused
from fleettop.collectors.model import (
    Cause,
    ContainerKey,
    ContainerState,
    Freshness,
    Health,
    ServiceState,
)

from tests.fleet import Fleet
from tests.fleet.load import HEALTH

from .stage import Eventually, fault, heal, ran, watching


async def test_a_killed_container_is_told_with_its_cause(fleet: Fleet, eventually: Eventually) -> None:
    """A kill by someone, an end by itself and memory are three different things; its service is down."""
    killed = await ran(fleet, "h1", "api")
    crashed = await ran(fleet, "h1", "job", "sh -c 'until test -f /tmp/go; do sleep 0.1; done; exit 3'")
    async with watching(fleet.address("h1", "unix")) as stage:
        await asyncio.to_thread(fleet.docker, "h1", "kill", killed.id)
        await asyncio.to_thread(fleet.docker, "h1", "exec", crashed.id, "touch", "/tmp/go")

        def end_of(object_id: str) -> Cause:
            return [r for r in stage.records("h1") if r.object_id == object_id and r.action == "die"][-1].cause

        await eventually(lambda: end_of(killed.id) is Cause.KILLED)
        await eventually(lambda: end_of(crashed.id) is Cause.EXITED)
        await eventually(lambda: stage.container(killed).state is ContainerState.EXITED)
        assert stage.service("api").state is ServiceState.DOWN
        await eventually(lambda: stage.container(crashed).detail is not None)
        await eventually(lambda: stage.container(crashed).detail.exit_code == 3)


async def test_a_stop_with_podman_is_somebodys_where_its_policy_tells(fleet: Fleet, eventually: Eventually) -> None:
    """Podman says nothing of a stop: its policy not bringing the container back does, or nothing does."""
    always = {"RestartPolicy": {"Name": "always"}}
    stopped = await ran(fleet, "pod1", "api", HostConfig=always, StopTimeout=1)
    ended = await ran(fleet, "pod1", "job", StopTimeout=1)
    crashing = await ran(
        fleet, "pod1", "odd", "sh -c 'until test -f /tmp/go; do sleep 0.1; done; exit 3'", HostConfig=always
    )
    async with watching(fleet.address("pod1", "unix")) as stage:
        for key in (stopped, ended, crashing):
            await eventually(lambda key=key: stage.container(key).detail is not None)
        podman = ("podman", "--runtime", "runc")
        for key in (stopped, ended):
            await asyncio.to_thread(fleet.on, "pod1", *podman, "stop", "-t", "1", key.id)
        await asyncio.to_thread(fleet.on, "pod1", *podman, "exec", crashing.id, "touch", "/tmp/go")

        def told(object_id: str) -> tuple[str, Cause]:
            last = [r for r in stage.records("pod1") if r.object_id == object_id and r.exit_code is not None][-1]
            return last.what, last.cause

        await eventually(lambda: told(stopped.id) == ("stopped by someone (exit 137)", Cause.STOPPED))
        await eventually(lambda: told(ended.id) == ("exited 137, by itself or stopped by someone", Cause.UNKNOWN))
        await eventually(lambda: told(crashing.id)[1] is Cause.EXITED)
        await eventually(lambda: stage.service("api").state is ServiceState.STOPPED)


async def test_a_broken_health_check_degrades_its_service(fleet: Fleet, eventually: Eventually) -> None:
    """One of two replicas is unhealthy: degraded, and well again when the check is."""
    first = await ran(fleet, "h1", "web", "web", Healthcheck=HEALTH)
    await ran(fleet, "h2", "web", "web", Healthcheck=HEALTH, number=2)
    async with watching(fleet.address("h1", "unix"), fleet.address("h2", "unix")) as stage:
        await eventually(lambda: stage.service("web").state is ServiceState.HEALTHY, timeout=20)
        await asyncio.to_thread(fleet.docker, "h1", "exec", first.id, "rm", "/tmp/ok")
        await eventually(lambda: stage.container(first).health is Health.UNHEALTHY, timeout=20)
        assert stage.service("web").state is ServiceState.DEGRADED
        await asyncio.to_thread(fleet.docker, "h1", "exec", first.id, "touch", "/tmp/ok")
        await eventually(lambda: stage.service("web").state is ServiceState.HEALTHY, timeout=20)


async def test_a_killed_daemon_leaves_a_certain_gap_with_what_it_hid(fleet: Fleet, eventually: Eventually) -> None:
    """F5: the ring is empty after a restart: nothing is known for the span, but what differs afterwards is."""
    key = await ran(fleet, "h1", "web")
    async with watching(fleet.address("h1", "unix")) as stage:
        await fault(fleet, "h1", "kill")
        # While it dies it may take connections and tell all it remembers: it is dead when nobody listens any more.
        await eventually(lambda: isinstance(stage.down("h1"), Refused | NoSocket), timeout=20)
        open_gap = stage.gaps("h1")[-1]
        assert open_gap.what.startswith("nothing known from here on")
        await heal(fleet, "h1")
        await eventually(lambda: stage.live("h1"), timeout=40)
        gap = await eventually(lambda: stage.closed_gap("h1"))
        assert gap.id == open_gap.id
        assert gap.what.startswith("nothing known for ")
        assert gap.what.endswith("; the engine was started anew, which empties its memory")
        assert gap.actor == "gap, certain"
        assert gap.reason == "shop-web-1: running → exited"  # dockerd ends what it finds, when it starts after a crash
        assert stage.container(key).state is ContainerState.EXITED


async def test_a_daemon_that_is_stopped_in_order_is_followed_again(fleet: Fleet, eventually: Eventually) -> None:
    """F5: it ends its streams properly, as no broken connection does: what happens after its start is heard."""
    key = await ran(fleet, "h1", "web", HostConfig={"RestartPolicy": {"Name": "always"}}, StopTimeout=1)
    async with watching(fleet.address("h1", "unix")) as stage:
        fleet.hosts.signal("h1", "dockerd", signal.SIGTERM)
        await eventually(lambda: stage.down("h1"), timeout=30)
        await eventually(lambda: not fleet.hosts.running("h1")["dockerd"], timeout=30)
        await heal(fleet, "h1")
        await eventually(lambda: stage.live("h1"), timeout=40)
        await eventually(lambda: stage.container(key).state is ContainerState.RUNNING, timeout=20)
        await asyncio.to_thread(fleet.docker, "h1", "pause", key.id)
        await eventually(lambda: stage.container(key).state is ContainerState.PAUSED)
        assert [r for r in stage.records("h1") if r.object_id == key.id and r.action == "pause"]


async def test_a_skewed_clock_is_shown_and_taken_out_of_what_is_told(fleet: Fleet, eventually: Eventually) -> None:
    """F8: an hour ahead or behind: events are heard, and readings are as young as they are by our own clock."""
    await fault(fleet, "h1", "clock", 3600)
    await fault(fleet, "h2", "clock", -3600)
    async with watching(fleet.address("h1", "unix"), fleet.address("h2", "unix")) as stage:
        for host, ahead in (("h1", 3600), ("h2", -3600)):
            info = stage.engine(host).info
            assert info is not None
            assert abs(info.skew - ahead) < 5
            key = await ran(fleet, host, f"clock-{host}")
            await eventually(lambda key=key: stage.container(key).state is ContainerState.RUNNING)
            (record,) = await eventually(
                lambda host=host, key=key: [
                    r for r in stage.records(host) if r.object_id == key.id and r.action == "start"
                ]
            )
            assert abs((record.time - record.seen).total_seconds() - ahead) < 30
            assert abs((record.seen - datetime.now(UTC)).total_seconds()) < 30
            assert stage.live(host)
            assert stage.service(f"clock-{host}").state is ServiceState.HEALTHY


async def test_nothing_that_happens_while_a_link_is_cut_is_lost_on_a_skewed_engine(
    fleet: Fleet, eventually: Eventually
) -> None:
    """F6, F8: the engine an hour behind remembers what happened during a cut; the past is asked for by its clock."""
    await fault(fleet, "h1", "clock", -3600)
    key = await ran(fleet, "h1", "web")
    async with watching(fleet.address("h1", "ssh")) as stage:
        await fault(fleet, "h1", "kill-sshd")
        await fault(fleet, "h1", "cut-ssh")
        await eventually(lambda: stage.down("h1"), timeout=20)
        await asyncio.to_thread(fleet.docker, "h1", "restart", "-t", "0", key.id)
        fleet.hosts.start_sshd(fleet.state.hosts["h1"])
        await eventually(lambda: stage.live("h1"), timeout=40)
        gap = await eventually(lambda: stage.closed_gap("h1"))
        assert gap.what.startswith("nothing missed")
        await eventually(lambda: [r for r in stage.records("h1") if r.object_id == key.id and "restarted" in r.what])
        started = fleet.get("h1", f"/containers/{key.id}/json")["State"]["StartedAt"]

        def seen() -> bool:
            detail = stage.container(key).detail
            return detail is not None and started.startswith(f"{detail.started_at:%Y-%m-%dT%H:%M:%S}")

        await eventually(seen)


async def test_a_list_that_lies_after_a_failed_restart_is_corrected(fleet: Fleet, eventually: Eventually) -> None:
    """On a full disk a restart fails, and the list goes on to say `running` (seen on 20.10): inspect tells."""
    key = await ran(fleet, "h1", "web")
    async with watching(fleet.address("h1", "unix")) as stage:
        await fault(fleet, "h1", "disk")
        await asyncio.to_thread(fleet.docker, "h1", "restart", "-t", "0", key.id, check=False)
        told = fleet.get("h1", f"/containers/{key.id}/json")["State"]["Status"]
        await eventually(lambda: stage.container(key).detail is not None and stage.container(key).state == told)
        assert stage.live("h1")
        await heal(fleet, "h1")
        await asyncio.to_thread(fleet.docker, "h1", "start", key.id)
        await eventually(lambda: stage.container(key).state is ContainerState.RUNNING)


async def test_a_container_that_its_engine_holds_breaks_no_link(newer_fleet: Fleet, eventually: Eventually) -> None:
    """While a start takes its time no inspect of that container is answered: it alone is stale, until it is read."""
    home = newer_fleet.site.home("bare")
    runtime, go = home / "slow-runtime", home / "go"
    waits = f'case " $* " in *" start "*) until test -e {go}; do sleep 0.1; done; esac; exec runc "$@"'
    runtime.write_text(f"#!/bin/sh\n{waits}\n")
    runtime.chmod(0o755)
    with newer_fleet.engine(runtimes={"slow": {"path": str(runtime)}}):
        made = newer_fleet.docker("bare", "create", "--runtime", "slow", "bb:1", "sleep", "1000").strip()
        other, held = await ran(newer_fleet, "bare", "other"), ContainerKey("bare", made)
        async with watching(newer_fleet.address("bare")) as stage, asyncio.TaskGroup() as group:
            await eventually(lambda: stage.container(held).detail is not None)
            group.create_task(asyncio.to_thread(newer_fleet.docker, "bare", "start", made))
            try:
                await eventually(lambda: stage.session.fleet.container_freshness(held) is Freshness.STALE, timeout=30)
                assert stage.live("bare")
                assert stage.session.fleet.container_freshness(other) is Freshness.LIVE
                assert stage.container(held).state is ContainerState.CREATED
            finally:
                go.touch()
            await eventually(lambda: stage.container(held).state is ContainerState.RUNNING, timeout=30)
            assert stage.session.fleet.container_freshness(held) is Freshness.LIVE
            assert len(stage.gaps("bare")) <= 1
