"""Hosts that go, fall silent, or freeze, and the session that watches them."""

from __future__ import annotations

import asyncio

from fleettop.collectors.errors import NotAnswering, Unreachable
from fleettop.collectors.model import ContainerState, Freshness

from tests.fleet import Fleet

from .stage import Eventually, fault, heal, ran, watching


async def test_a_host_that_is_off_keeps_its_rows_and_returns_by_itself(fleet: Fleet, eventually: Eventually) -> None:
    """F1: the reason in words, its last reading stale with an age, the others go on; power comes back, so does it."""
    gone, there = await ran(fleet, "h1", "db"), await ran(fleet, "h2", "web")
    async with watching(fleet.address("h1", "ssh"), fleet.address("h2", "unix")) as stage:
        try:
            await fault(fleet, "h1", "off")
            error = await eventually(lambda: stage.down("h1"), timeout=30)
            assert isinstance(error, Unreachable)
            assert str(error).endswith(".")
            assert stage.session.fleet.freshness("h1") is Freshness.STALE
            assert stage.container(gone).state is ContainerState.RUNNING
            confirmed = stage.engine("h1").confirmed
            assert confirmed is not None
            assert stage.live("h2")
            await asyncio.to_thread(fleet.docker, "h2", "pause", there.id)
            await eventually(lambda: stage.container(there).state is ContainerState.PAUSED)
            assert stage.engine("h1").confirmed == confirmed
            assert stage.engine("h1").link.attempts >= 1
        finally:
            await heal(fleet, "h1")
        await eventually(lambda: stage.live("h1"), timeout=60)
        assert stage.container(gone).state is ContainerState.EXITED
        gap = await eventually(lambda: stage.closed_gap("h1"))
        assert gap.actor == "gap, certain"
        assert "shop-db-1: running → exited" in gap.reason


async def test_an_engine_that_refuses_says_so_and_leaves_the_others_alone(fleet: Fleet, eventually: Eventually) -> None:
    """F1: a reset for every connection is `refused`, at once."""
    async with watching(fleet.address("h1", "tls"), fleet.address("h2", "tls")) as stage:
        await fault(fleet, "h1", "reject", ":2376")
        error = await eventually(lambda: stage.down("h1"), timeout=20)
        assert isinstance(error, Unreachable)
        await eventually(lambda: stage.engine("h1").link.error.word == "refused", timeout=20)
        assert stage.live("h2")
        await heal(fleet, "h1")
        await eventually(lambda: stage.live("h1"), timeout=40)
        assert stage.engine("h1").link.error is None


async def test_packets_dropped_silently_are_noticed_within_the_deadline(fleet: Fleet, eventually: Eventually) -> None:
    """F2: nothing is said and nothing refused: after 15 s what is shown is not called live; then it heals by itself."""
    async with watching(fleet.address("h1", "ssh"), fleet.address("h2", "ssh")) as stage:
        await fault(fleet, "h1", "drop")
        await fault(fleet, "h2", "drop")
        # 15 s, counted from the last answer, and as much again for a slow machine.
        await eventually(lambda: not stage.live("h1") and not stage.live("h2"), timeout=30)
        for name in ("h1", "h2"):
            error = await eventually(lambda name=name: stage.down(name), timeout=30)
            assert isinstance(error, Unreachable)
            assert "host is up" not in error.hint
        await eventually(lambda: stage.engine("h1").link.error.word == "timed out", timeout=30)
        await heal(fleet, "h1")
        await heal(fleet, "h2")
        await eventually(lambda: stage.live("h1") and stage.live("h2"), timeout=60)
        assert (await eventually(lambda: stage.closed_gap("h1"))).actor == "gap, possible"


async def test_a_frozen_daemon_is_not_answering_and_not_down(fleet: Fleet, eventually: Eventually) -> None:
    """F3: its socket takes connections; what happened to its containers meanwhile is there after the thaw."""
    key = await ran(fleet, "h1", "web")
    async with watching(fleet.address("h1", "ssh"), fleet.address("h2", "unix")) as stage:
        await fault(fleet, "h1", "freeze")
        await eventually(lambda: isinstance(stage.down("h1"), NotAnswering), timeout=30)
        await eventually(lambda: "host is up" in stage.engine("h1").link.error.hint, timeout=30)
        assert stage.engine("h1").link.error.word == "not answering"
        assert stage.container(key).state is ContainerState.RUNNING
        assert stage.live("h2")
        await heal(fleet, "h1")
        await eventually(lambda: stage.live("h1"), timeout=40)
        gap = await eventually(lambda: stage.closed_gap("h1"))
        assert gap.actor == "gap, possible"
        assert gap.what.startswith("nothing missed")
