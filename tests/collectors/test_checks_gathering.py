"""What the checks make of events and records: stops that ended in SIGKILL, commands run as root."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.checks.gathering import Sources, _Asked, _execs, _forced, _Read, _running, gather
from fleettop.collectors.clock import ManualClock
from fleettop.collectors.engine.decode_posture import ExecPosture
from fleettop.collectors.errors import Refused
from fleettop.collectors.fleet import Fleet
from fleettop.collectors.model import (
    Container,
    ContainerKey,
    EngineStatus,
    LinkChanged,
    LinkPhase,
    LinkStatus,
    Listed,
    Record,
    RecordKind,
)

from .checks_facts import CONTAINER, DAEMON, ENGINE
from .watching import FakeClient, container, event

ADDRESS = EngineAddress(name="web-1", scheme="unix", socket="/nowhere")


def fleet_of(*containers: Container) -> Fleet:
    """The picture of one engine with these."""
    fleet = Fleet([ADDRESS], clock=ManualClock())
    fleet.apply(Listed(engine="web-1", containers=containers, at=1.0))
    fleet.take_changes()
    return fleet


def client_with(*signals: tuple[float, str]) -> FakeClient:
    """An engine that remembers these signals to a container."""
    client = FakeClient()
    client.engine = "web-1"
    client.ring = [event(at, "kill", attributes={"signal": signal}) for at, signal in signals]
    return client


@pytest.mark.parametrize(
    ("signals", "forced"),
    [
        (((0, "15"), (10, "9")), True),
        (((0, "SIGINT"), (3, "SIGKILL")), True),
        (((0, "15"),), False),
        (((0, "9"),), False),
        (((0, "15"), (0.1, "9")), False),
        (((0, "9"), (10, "9")), False),
        (((0, "15"), (10, "9"), (90, "15")), True),
    ],
)
async def test_a_stop_ended_in_sigkill_where_that_came_after_another_signal(
    signals: tuple[tuple[float, str], ...], forced: bool
) -> None:
    """A kill by hand is none, and neither are two signals at once."""
    found = await _forced(client_with(*signals), fleet_of(container("api")), DAEMON)
    assert (list(found) == [container("api").id]) is forced


async def test_a_label_cannot_forge_a_signal() -> None:
    """A label called `signal` stands in the events in the place of what was sent: then nothing is known."""
    labelled = container("api", labels={"signal": "9"})
    assert await _forced(client_with((0, "15"), (10, "9")), fleet_of(labelled), DAEMON) == {}
    assert await _forced(client_with((0, "15"), (10, "9")), fleet_of(), DAEMON) == {}


def record(evidence: str, **changes: Any) -> Record:
    """A record of a command in a container."""
    now = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    known: dict[str, Any] = {
        "id": 1,
        "time": now,
        "seen": now,
        "engine": "web-1",
        "kind": RecordKind.EVENT,
        "what": "exec “sh”",
        "object_id": container("api").id,
        "object_name": "api",
        "action": "exec_create",
        "evidence": (evidence,),
    }
    return Record(**{**known, **changes})


@pytest.mark.parametrize(
    ("evidence", "found"),
    [
        ("ran as root (asked for), by the engine's entry of the exec", True),
        ("ran as 0:0 (asked for), by the engine's entry of the exec", True),
        ("ran as app (asked for), with all privileges, by the engine's entry of the exec", True),
        ("ran as root (the container's own user), by the engine's entry of the exec", False),
        ("ran as app (asked for), by the engine's entry of the exec", False),
        ("user not known: it ran before fleettop looked", False),
    ],
)
def test_a_command_on_record_counts_where_root_was_asked_for(evidence: str, found: bool) -> None:
    """Or all privileges; what runs as the container's own user is another finding."""
    fleet = fleet_of(container("api"))
    fleet.remember([record(evidence)], {})
    facts = _execs(fleet, {})
    assert [fact.container for fact in facts] == [ContainerKey("web-1", container("api").id)] * found


def test_a_command_that_runs_now_is_told_once() -> None:
    """As root where that was asked for, or privileged."""
    execs = (
        (CONTAINER, ExecPosture(user="root", command="sh")),
        (CONTAINER, ExecPosture(user="root", command="sh")),
        (CONTAINER, ExecPosture(command="true")),
        (CONTAINER, ExecPosture(privileged=True, command="mount")),
    )
    words = [fact.words for fact in _execs(fleet_of(), {"web-1": _Read(ENGINE, None, execs)})]
    assert words == ["exec “sh” as root runs now", "exec “mount”, privileged runs now"]


async def test_health_checks_are_no_commands_of_somebody_and_many_are_not_all_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two hundred at most are asked about, those of containers without health checks first; the rest is said."""
    checked = msgspec.structs.replace(
        CONTAINER,
        name="checked",
        health_check=("CMD-SHELL", "curl localhost"),
        execs=tuple(f"{n:064x}" for n in range(300)),
    )
    other = msgspec.structs.replace(CONTAINER, name="other", health_check=(), execs=("f" * 64,))
    client = FakeClient()
    client.engine = "web-1"
    asked: list[str] = []

    async def read(path: str, *_: Any) -> ExecPosture:
        asked.append(path)
        return ExecPosture(user="root", command="sh" if "f" * 64 in path else "/bin/sh -c curl localhost")

    monkeypatch.setattr(client, "read", read)
    answers = _Asked(client)
    found = await _running(answers, (checked, other))
    assert [one.name for one, _ in found] == ["other"]
    assert len(asked) == 200
    assert "f" * 64 in asked[0]
    assert "101 commands" in answers.untold["execs"]


async def test_an_engine_that_is_away_is_lost_with_its_reason() -> None:
    """Nothing of it is guessed from what was known before."""
    fleet = fleet_of(container("api"))
    down = LinkStatus(phase=LinkPhase.DOWN, error=Refused("web-1 refuses connections."))
    fleet.apply(LinkChanged(engine="web-1", link=down))
    told: list[tuple[int, int]] = []
    found = await gather(Sources(fleet, lambda _: None, lambda _: (None, None)), lambda *read: told.append(read))
    assert (found.engines, found.lost) == ((), {"web-1": "refused"})
    assert told == [(1, 1)]
    assert isinstance(fleet.engines["web-1"], EngineStatus)
