"""Links that are refused while a session runs: trust, rights, versions."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.errors import (
    Authentication,
    CertificateExpired,
    HostKeyChanged,
    Permission,
    Unreachable,
    Unsupported,
)
from fleettop.collectors.model import LinkPhase

from tests.fleet import Fleet

from .raw_engine import ok, raw_engine
from .stage import Eventually, Stage, fault, heal, ran, watching

PATIENT = 60.0
"""Seconds before a refusal is tried again, at least."""


def waits_long(stage: Stage, engine: str) -> bool:
    """No storm of attempts: the next one is a minute away."""
    link = stage.engine(engine).link
    assert link.phase is LinkPhase.DOWN
    assert link.retry_at is not None
    return link.retry_at - link.since > PATIENT - 30 and link.retry_at - stage.session.clock.monotonic() > PATIENT - 30


async def test_a_certificate_that_expires_while_running_ends_the_link(fleet: Fleet, eventually: Eventually) -> None:
    """F12: the name and the date are said; a renewed one is taken when asked to try again."""
    key = await ran(fleet, "h1", "web")
    async with watching(fleet.address("h1", "tls"), fleet.address("h2", "tls")) as stage:
        await fault(fleet, "h1", "cert-expired")
        await eventually(lambda: isinstance(stage.down("h1"), CertificateExpired), timeout=40)
        assert " expired on 20" in str(stage.down("h1"))
        assert waits_long(stage, "h1")
        assert stage.container(key)
        assert stage.live("h2")
        await heal(fleet, "h1")
        stage.session.retry(["h1"])
        await eventually(lambda: stage.live("h1"), timeout=30)


async def test_a_host_key_that_changes_while_running_is_never_connected_to(
    fleet: Fleet, eventually: Eventually
) -> None:
    """F13: both fingerprints and the place of the known one; trying again by hand changes nothing."""
    async with watching(fleet.address("h1", "ssh"), fleet.address("h2", "unix")) as stage:
        await fault(fleet, "h1", "hostkey")
        await fault(fleet, "h1", "cut-ssh")
        await eventually(lambda: isinstance(stage.down("h1"), HostKeyChanged), timeout=30)
        error = stage.down("h1")
        assert str(error).count("SHA256:") + error.hint.count("SHA256:") >= 2
        assert "known_hosts" in f"{error} {error.hint}"
        assert waits_long(stage, "h1")
        attempts = stage.engine("h1").link.attempts
        stage.session.retry(["h1"])
        await eventually(lambda: stage.engine("h1").link.attempts >= 1 and stage.down("h1"), timeout=20)
        assert isinstance(stage.down("h1"), HostKeyChanged), attempts
        assert stage.session.client("h1") is None
        assert stage.live("h2")


async def test_a_refused_key_is_not_tried_in_a_storm(fleet: Fleet, tmp_path: Path, eventually: Eventually) -> None:
    """F14: who is not let in waits a minute, in words that name the user; the others go on."""
    stranger = fleet.write_ssh_config(tmp_path, identity="stranger")
    async with watching(
        fleet.address("h1", "ssh", ssh_config=stranger), fleet.address("h2", "ssh"), live=False
    ) as stage:
        error = await eventually(lambda: stage.down("h1"))
        assert isinstance(error, Authentication)
        assert "ops" in str(error)
        assert waits_long(stage, "h1")
        await eventually(lambda: stage.live("h2"))


async def test_a_jump_host_that_is_down_is_named_and_its_hosts_return(fleet: Fleet, eventually: Eventually) -> None:
    """F14: it is the jump host that does not answer, and not the host behind it; both come back by themselves."""
    async with watching(fleet.address("h3", "ssh"), fleet.address("h1", "ssh")) as stage:
        await fault(fleet, "jump", "off")
        error = await eventually(
            lambda: (e := stage.down("h3")) is not None and "jump host" in str(e) and e, timeout=60
        )
        assert isinstance(error, Unreachable)
        assert stage.live("h1")
        await heal(fleet, "jump")
        await eventually(lambda: stage.live("h3"), timeout=60)


async def test_a_user_who_is_not_in_group_docker_is_told_so_once(
    fleet: Fleet, tmp_path: Path, eventually: Eventually
) -> None:
    """F15: the user and the group by name, and no retry storm."""
    guest = fleet.write_ssh_config(tmp_path, user="guest")
    async with watching(fleet.address("h1", "ssh", ssh_config=guest), live=False) as stage:
        error = await eventually(lambda: stage.down("h1"))
        assert isinstance(error, Permission)
        assert "guest" in str(error)
        assert "group docker" in str(error)
        assert waits_long(stage, "h1")


@pytest.mark.parametrize(
    ("version", "words"),
    [
        (b'{"Version":"18.09","ApiVersion":"1.39","MinAPIVersion":"1.12"}', "needs 1.40 or newer"),
        (b'{"Version":"99.0","ApiVersion":"1.99","MinAPIVersion":"1.60"}', "needs API 1.60 or newer"),
    ],
    ids=["too old", "too new"],
)
async def test_an_engine_of_another_age_is_told_needed_and_offered(
    tmp_path: Path, eventually: Eventually, version: bytes, words: str
) -> None:
    """F11: in one sentence; the rest of the fleet runs."""
    async with raw_engine(tmp_path) as engine:
        engine.answers = {"/_ping": ok(b"OK").replace(b"Api-Version: 1.41\r\n", b""), "/version": ok(version)}
        odd = EngineAddress(name="odd", scheme="unix", socket=str(engine.socket))
        async with watching(odd, live=False) as stage:
            error = await eventually(lambda: stage.down("odd"))
            assert isinstance(error, Unsupported)
            assert words in str(error)
            assert {path for _, path in engine.requests} == {"/_ping", "/version"}


async def test_an_expired_link_leaves_no_task_behind(fleet: Fleet) -> None:
    """Leaving in the middle of an attempt at a silent host lets go of all of it."""
    before = len(asyncio.all_tasks())
    await fault(fleet, "h1", "drop")
    async with watching(fleet.address("h1", "ssh"), fleet.address("h2", "ssh"), live=False) as stage:
        assert stage.session.client("h1") is None
    assert len(asyncio.all_tasks()) == before
